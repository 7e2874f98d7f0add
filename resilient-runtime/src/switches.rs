//! What is switched for the whole process, whatever anybody's settings say.

use crate::sync::Ordering;
use crate::sync::fixed::AtomicBool;

static RETRIES: AtomicBool = AtomicBool::new(true);
static CONFIGURED_RETRIES: AtomicBool = AtomicBool::new(true);

/// Switches all retries of the process off, or on again: an operator's emergency brake. Asked when a call has failed, so it is heard by
/// calls under way. The configuration's own switch, `[switches] retries`, has a say of its own.
///
/// ```
/// # use resilient_runtime as resilient;
/// resilient::enable_retries(false);
/// # resilient::enable_retries(true);
/// ```
pub fn enable_retries(enabled: bool) {
    RETRIES.swap(enabled, Ordering::Relaxed);
}

pub(crate) fn configure_retries(enabled: bool) {
    CONFIGURED_RETRIES.swap(enabled, Ordering::Relaxed);
}

pub(crate) fn retries_are_enabled() -> bool {
    RETRIES.load(Ordering::Relaxed) && CONFIGURED_RETRIES.load(Ordering::Relaxed)
}
