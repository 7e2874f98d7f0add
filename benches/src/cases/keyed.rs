//! A bucket for each key, asked in an order that no cache foresees, each call finding a token at once. Ours is a whole guarded call: the
//! key is hashed and found, its slot pinned, the token taken, the body run, the slot released.

use super::peers::some;
use crate::contender::{Batch, Case, Contender, Role, bare, from_where_it_was, leaked, ours};
use crate::payment::{Outcome, PaymentError, pay};
use governor::{DefaultKeyedRateLimiter, Quota};
use resilient::{Rate, resilient};
use std::hash::Hash;
use std::sync::LazyLock;

/// No key waits in any run, and none is idle for so long that it would be forgotten.
const PER_MINUTE: u32 = 1_000;
const BURST: u32 = 1_000_000_000;
const RATE: Rate = Rate::per_minute(1_000).burst(BURST).max_keys(MANY);
const MANY: u32 = 2_000_000;

static NAMES: LazyLock<Vec<String>> = LazyLock::new(|| (0..1_000_000).map(|number| format!("tenant-{number:08}")).collect());

/// Makes the texts of the keys, which are nobody's memory but the program's.
pub fn prepare() {
    LazyLock::force(&NAMES);
}

/// Every key once in `KEYS` steps, which is a power of ten, far from its neighbours.
#[inline]
fn number<const KEYS: u64>(step: u64) -> u64 {
    step % KEYS * 618_033 % KEYS
}

#[expect(clippy::cast_possible_truncation, reason = "at most a million")]
#[inline]
fn name<const KEYS: u64>(step: u64) -> &'static String {
    &NAMES[number::<KEYS>(step) as usize]
}

#[inline(never)]
fn unguarded(key: u64) -> Outcome {
    pay(key)
}

#[inline(never)]
fn unguarded_name(key: &str) -> Outcome {
    pay(key.len() as u64)
}

/// A key's place is filled before anything is measured.
fn filled<const KEYS: u64>(batch: Batch) -> Batch {
    batch(KEYS);
    batch
}

fn limiter<K: Hash + Eq + Clone>() -> &'static DefaultKeyedRateLimiter<K> {
    leaked(DefaultKeyedRateLimiter::keyed(Quota::per_minute(some(PER_MINUTE)).allow_burst(some(BURST))))
}

#[inline(never)]
fn governor<K: Hash + Eq + Clone>(limiter: &DefaultKeyedRateLimiter<K>, key: &K, order: u64) -> Outcome {
    if limiter.check_key(key).is_err() {
        return Err(PaymentError::RateLimited { retry_after: None });
    }
    pay(order)
}

fn make_governor<const KEYS: u64>() -> Batch {
    let limiter = limiter();
    filled::<KEYS>(from_where_it_was(move |step| {
        let key = number::<KEYS>(step);
        governor(limiter, &key, key)
    }))
}

fn make_governor_of_names<const KEYS: u64>() -> Batch {
    let limiter = limiter();
    filled::<KEYS>(from_where_it_was(move |step| {
        let key = name::<KEYS>(step);
        governor(limiter, key, key.len() as u64)
    }))
}

macro_rules! case {
    ($name:literal, $keys:literal, number, $annotated:ident) => {{
        #[inline(never)]
        #[resilient(rate = RATE, key = key, max_keys = MANY, max_wait = "0s")]
        fn $annotated(key: u64) -> Outcome {
            pay(key)
        }
        case::<$keys>(
            $name,
            vec![
                bare(|| from_where_it_was(|step| unguarded(number::<$keys>(step)))),
                ours(|| filled::<$keys>(from_where_it_was(|step| $annotated(number::<$keys>(step))))),
                Contender { role: Role::Peer, name: "governor, keyed", make: make_governor::<$keys> },
            ],
        )
    }};
    ($name:literal, $keys:literal, name, $annotated:ident) => {{
        #[inline(never)]
        #[resilient(rate = RATE, key = key, max_keys = MANY, max_wait = "0s")]
        fn $annotated(key: &str) -> Outcome {
            pay(key.len() as u64)
        }
        case::<$keys>(
            $name,
            vec![
                bare(|| from_where_it_was(|step| unguarded_name(name::<$keys>(step)))),
                ours(|| filled::<$keys>(from_where_it_was(|step| $annotated(name::<$keys>(step))))),
                Contender { role: Role::Peer, name: "governor, keyed", make: make_governor_of_names::<$keys> },
            ],
        )
    }};
}

fn case<const KEYS: u64>(name: &'static str, contenders: Vec<Contender>) -> Case {
    Case { name, threads: 1, keys: KEYS, contenders }
}

pub(super) fn cases() -> [Case; 6] {
    [
        case!("keyed bucket, one `u64`", 1, number, one),
        case!("keyed bucket, 10³ `u64`", 1_000, number, thousand),
        case!("keyed bucket, 10⁶ `u64`", 1_000_000, number, million),
        case!("keyed bucket, one text", 1, name, one_name),
        case!("keyed bucket, 10³ texts", 1_000, name, thousand_names),
        case!("keyed bucket, 10⁶ texts", 1_000_000, name, million_names),
    ]
}
