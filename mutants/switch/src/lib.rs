//! Which mutant is switched on, and which have been reached. Built with `RUSTC_BOOTSTRAP=mutant_switch`, so that constant functions can
//! ask as well: where the compiler evaluates them no mutant is on.

#![feature(core_intrinsics, const_eval_select)]
#![allow(internal_features)]

use std::env;
use std::fs::File;
use std::intrinsics::const_eval_select;
use std::io::Write as _;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

const UNKNOWN: u32 = u32::MAX;
const NONE: u32 = u32::MAX - 1;

static ACTIVE: AtomicU32 = AtomicU32::new(UNKNOWN);
static TRACE: OnceLock<Option<File>> = OnceLock::new();
static REACHED: [AtomicBool; 1 << 14] = [const { AtomicBool::new(false) }; 1 << 14];

/// Whether this mutant is the one that the environment's `MUTANT` names.
pub const fn on(mutant: u32) -> bool {
    const_eval_select((mutant,), never, is_on)
}

const fn never(_: u32) -> bool {
    false
}

fn is_on(mutant: u32) -> bool {
    match ACTIVE.load(Ordering::Relaxed) {
        UNKNOWN => is_on_by_the_environment(mutant),
        NONE => {
            note(mutant);
            false
        }
        active => active == mutant,
    }
}

#[cold]
fn is_on_by_the_environment(mutant: u32) -> bool {
    TRACE.get_or_init(|| {
        let path = env::var_os("MUTANTS_REACHED")?;
        File::options().append(true).create(true).open(path).ok()
    });
    let active = env::var("MUTANT").ok().and_then(|number| number.parse().ok());
    ACTIVE.store(active.unwrap_or(NONE), Ordering::Relaxed);
    is_on(mutant)
}

fn note(mutant: u32) {
    let Some(Some(trace)) = TRACE.get() else { return };
    if !REACHED[mutant as usize].swap(true, Ordering::Relaxed) {
        let mut trace = trace;
        let _ = trace.write_all(&mutant.to_le_bytes());
    }
}
