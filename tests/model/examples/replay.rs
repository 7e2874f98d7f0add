//! Plays a history from a file of bytes, or from numbers on standard input, and leaves out what the difference does not need.

use reference_model::history::{History, OPERATION, SETTING};
use reference_model::play::play;
use std::io::Read as _;

fn difference(bytes: &[u8]) -> Option<String> {
    play(&History::of(bytes), None).err()
}

/// Leaves out operations, then makes bytes zero, as long as there is a difference.
fn shortened(mut bytes: Vec<u8>) -> Vec<u8> {
    let mut is_done = false;
    while !is_done {
        is_done = true;
        for place in (0..bytes.len().saturating_sub(SETTING) / OPERATION).rev() {
            let mut fewer = bytes.clone();
            fewer.drain(SETTING + place * OPERATION..SETTING + (place + 1) * OPERATION);
            if difference(&fewer).is_some() {
                (bytes, is_done) = (fewer, false);
            }
        }
        for place in 0..bytes.len() {
            let mut simpler = bytes.clone();
            simpler[place] = 0;
            if bytes[place] != 0 && difference(&simpler).is_some() {
                (bytes, is_done) = (simpler, false);
            }
        }
    }
    bytes
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let bytes = if let Some(path) = std::env::args().nth(1) {
        std::fs::read(path)?
    } else {
        let mut numbers = String::new();
        std::io::stdin().read_to_string(&mut numbers)?;
        let numbers = numbers.split(|sign: char| !sign.is_ascii_digit()).filter(|number| !number.is_empty());
        numbers.map(str::parse).collect::<Result<_, _>>()?
    };
    let Some(first) = difference(&bytes) else {
        println!("no difference");
        return Ok(());
    };
    println!("{first}\n");
    let bytes = shortened(bytes);
    println!("{:#?}\n{bytes:?}\n{}", History::of(&bytes), difference(&bytes).unwrap_or_default());
    Ok(())
}
