//! Without the feature `testing` nobody has wishes.

use crate::plan::Plan;
use crate::script::Cue;

#[inline]
pub(crate) const fn is_scripted() -> bool {
    false
}

#[inline]
pub(crate) const fn skips(_nanos: u64) -> bool {
    false
}

#[inline]
pub(crate) const fn skips_waits() -> bool {
    false
}

#[inline]
pub(crate) const fn cap(_attempts: u32) -> bool {
    false
}

#[inline]
pub(crate) const fn cue(_plan: &Plan<'_>) -> Option<Cue> {
    None
}
