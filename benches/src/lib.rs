//! What a guarded call costs: ours, the least code written by hand that does the job, and our peers, side by side.
//!
//! Every contender of a case guards the same body in one function, and returns the same error type. Sync ones are not inlined; a future
//! is built where it is polled, as `.await` does it, and what the compiler inlines then it inlines in any program. A peer's state is
//! handed to it by reference, so that it pays for no lazy static.

pub mod cases;
pub mod configured;
pub mod contender;
mod limit;
mod payment;
pub mod rounds;
