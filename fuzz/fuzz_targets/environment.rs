#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| {
    functions::call();
    resilient::__private::fuzz_environment(text);
    functions::call();
});
