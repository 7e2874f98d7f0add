//! Patterns that edition 2024 refuses.

use resilient::resilient;
use resilient::testing::TurnedClock;
use std::io;

struct Page {
    number: u8,
    words: Vec<u8>,
}

#[resilient(retries = 2, base_delay = "1s")]
fn parts(seen: &mut Vec<u8>, (mut first, second): &(u8, u8), Page { mut number, words }: &mut Page) -> io::Result<()> {
    seen.push(first + second + number);
    words.push(number);
    number += 1;
    first += number;
    seen.push(first);
    Err(io::ErrorKind::TimedOut.into())
}

/// It became a reference, and the body no longer compiled.
#[test]
fn what_a_mut_copies_out_of_a_reference_is_fresh_in_each_attempt() {
    let _clock = TurnedClock::start();
    let (mut seen, mut page) = (Vec::new(), Page { number: 3, words: Vec::new() });
    assert!(parts(&mut seen, &(1, 2), &mut page).is_err());
    assert_eq!(seen, [6, 5, 6, 5, 6, 5]);
    assert_eq!((page.number, page.words), (3, vec![3, 3, 3]));
}
