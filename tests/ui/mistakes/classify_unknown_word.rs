use resilient::Classify;

#[derive(Classify)]
#[classify(defualt = permanent)]
enum Failed {
    #[throttled(retry_aftr = wait)]
    Busy { wait: std::time::Duration },
    #[classify(transparant)]
    Io(std::io::Error),
    #[classify(colour)]
    Other,
}

fn main() {}
