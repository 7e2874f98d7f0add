#![no_main]

libfuzzer_sys::fuzz_target!(|text: &str| {
    functions::call();
    resilient::__private::fuzz_toml(text);
    functions::call();
});
