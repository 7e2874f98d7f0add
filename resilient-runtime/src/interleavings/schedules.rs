//! Which orders shuttle has run a model in: lots may be drawn twice.

use shuttle::scheduler::{Schedule, Scheduler, Task, TaskId};
use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::sync::{Arc, Mutex, PoisonError};

#[derive(Clone, Default)]
pub(super) struct Seen(Arc<Mutex<HashSet<u64>>>);

/// A scheduler whose decisions are looked at.
pub(super) struct Watched<S> {
    scheduler: S,
    seen: Seen,
    decisions: Option<DefaultHasher>,
}

impl Seen {
    pub(super) fn those_of<S>(&self, scheduler: S) -> Watched<S> {
        Watched { scheduler, seen: self.clone(), decisions: None }
    }

    pub(super) fn count(&self) -> u64 {
        self.orders(|orders| orders.len() as u64)
    }

    #[expect(clippy::disallowed_methods, reason = "no lock of the crate's")]
    fn orders<R>(&self, with: impl FnOnce(&mut HashSet<u64>) -> R) -> R {
        with(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl<S: Scheduler> Scheduler for Watched<S> {
    fn new_execution(&mut self) -> Option<Schedule> {
        if let Some(decisions) = self.decisions.take() {
            self.seen.orders(|orders| orders.insert(decisions.finish()));
        }
        let schedule = self.scheduler.new_execution();
        self.decisions = schedule.is_some().then(DefaultHasher::new);
        schedule
    }

    fn next_task(&mut self, runnable: &[&Task], current: Option<TaskId>, is_yielding: bool) -> Option<TaskId> {
        let next = self.scheduler.next_task(runnable, current, is_yielding);
        if let Some(decisions) = &mut self.decisions {
            next.hash(decisions);
        }
        next
    }

    fn next_u64(&mut self) -> u64 {
        self.scheduler.next_u64()
    }
}
