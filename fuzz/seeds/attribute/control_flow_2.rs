#[resilient(retries = $retries, timeout = $wait)]
    $vis async fn $name($argument: $ty) -> $output $body

    mod inner {
        #[resilient::resilient(retries = $retries, base_delay = $wait)]
        pub fn $name(mut $argument: $ty) -> $output {
            $argument += 1;
            Ok($argument)
        }
    }
