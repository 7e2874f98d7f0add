//! What a call runs: outcomes that a history has chosen.

use crate::function::Outcome;
use crate::stage::{Clock, Stage};
use resilient::{Classify as _, Rejected, Verdict};
use std::cell::RefCell;
use std::collections::VecDeque;
use std::future::poll_fn;
use std::panic::resume_unwind;
use std::rc::Rc;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

#[derive(Debug)]
pub(crate) enum Failed {
    Service(Outcome),
    Rejected(Rejected),
}

impl From<Rejected> for Failed {
    fn from(rejected: Rejected) -> Self {
        Self::Rejected(rejected)
    }
}

pub(crate) fn verdict(outcome: &Result<(), Failed>) -> Verdict {
    let hint = |nanos: u64| (nanos > 0).then_some(Duration::from_nanos(nanos));
    match outcome {
        Ok(()) => Verdict::Success,
        Err(Failed::Rejected(rejected)) => rejected.classify(),
        Err(Failed::Service(Outcome::Transient(nanos))) => Verdict::Transient { retry_after: hint(*nanos) },
        Err(Failed::Service(Outcome::Throttled(nanos))) => Verdict::Throttled { retry_after: hint(*nanos) },
        Err(Failed::Service(Outcome::Ignored)) => Verdict::Ignored,
        Err(Failed::Service(_)) => Verdict::Permanent,
    }
}

/// What a call's bodies come to, and when they began.
#[derive(Debug, Default)]
pub(super) struct Bodies {
    pub(super) outcomes: VecDeque<(Outcome, u64)>,
    pub(super) starts: Vec<u64>,
}

/// What a call runs.
pub(crate) struct Body {
    pub(super) bodies: Rc<RefCell<Bodies>>,
    pub(super) stage: Arc<Stage>,
    pub(super) clock: Rc<Clock>,
}

impl Body {
    /// One attempt.
    pub(crate) async fn run(&self) -> Result<(), Failed> {
        let mut has_begun = false;
        poll_fn(|_| {
            if !std::mem::replace(&mut has_begun, true) {
                self.bodies.borrow_mut().starts.push(self.stage.now(&self.clock));
            }
            let outcome = self.bodies.borrow_mut().outcomes.pop_front();
            outcome.map_or(Poll::Pending, |outcome| Poll::Ready(body_of(&self.stage, &self.clock, outcome)))
        })
        .await
    }
}

pub(super) fn body_of(stage: &Stage, clock: &Clock, (outcome, takes): (Outcome, u64)) -> Result<(), Failed> {
    if takes > 0 {
        stage.pass(clock, takes);
    }
    match outcome {
        Outcome::Success => Ok(()),
        Outcome::Panic => resume_unwind(Box::new("a body's panic")),
        outcome => Err(Failed::Service(outcome)),
    }
}
