#![no_main]

use reference_model::history::History;
use reference_model::play::play;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let history = History::of(bytes);
    if let Err(difference) = play(&history, None) {
        panic!("{difference}\n{history:#?}");
    }
});
