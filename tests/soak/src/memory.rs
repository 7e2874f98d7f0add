//! How many bytes live.

use cap::Cap;
use std::alloc::System;

#[global_allocator]
static ALLOCATOR: Cap<System> = Cap::new(System, usize::MAX);

pub(crate) fn live() -> usize {
    ALLOCATOR.allocated()
}
