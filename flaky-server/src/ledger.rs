//! The scripts and the record behind one lock: all that the server's thread shares with its callers.

use std::collections::HashMap;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::answer::Answer;
use crate::record::{Record, Seen};
use crate::request::Request;
use crate::script::{Reply, Script};

#[derive(Debug, Default)]
pub(crate) struct Ledger {
    pages: Mutex<Pages>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Pages {
    scripts: HashMap<String, Script>,
    record: Record,
    edition: u64,
}

impl Ledger {
    pub(crate) fn rewrite(&self, path: &str, change: impl FnOnce(&mut Script)) {
        change(self.pages().scripts.entry(path.to_owned()).or_default());
    }

    pub(crate) fn record(&self) -> Record {
        self.pages().record.clone()
    }

    /// `condition` runs without the lock, so it may use the server itself.
    pub(crate) fn wait_for(&self, timeout: Duration, condition: impl Fn(&Record) -> bool) -> Option<Record> {
        let start = Instant::now();
        loop {
            let (record, edition) = self.edition();
            if condition(&record) {
                return Some(record);
            }
            let left = timeout.checked_sub(start.elapsed()).filter(|left| !left.is_zero())?;
            self.wait_for_change(edition, left);
        }
    }

    /// A responder runs without the lock, so it may use the server itself.
    pub(crate) fn admit(self: &Arc<Self>, request: &Request) -> (Answer, Visit) {
        let reply = self.pages().next_reply(&request.path);
        let answer = reply.to(request);
        let mut pages = self.pages();
        let visit = Visit { ledger: Arc::clone(self), index: pages.record.len() };
        pages.arrive(request, &answer);
        self.changed.notify_all();
        (answer, visit)
    }

    fn leave(&self, index: usize) {
        self.pages().depart(index);
        self.changed.notify_all();
    }

    fn edition(&self) -> (Record, u64) {
        let pages = self.pages();
        (pages.record.clone(), pages.edition)
    }

    fn wait_for_change(&self, edition: u64, timeout: Duration) {
        let is_same = |pages: &mut Pages| pages.edition == edition;
        drop(self.changed.wait_timeout_while(self.pages(), timeout, is_same));
    }

    fn pages(&self) -> MutexGuard<'_, Pages> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Pages {
    fn next_reply(&mut self, path: &str) -> Reply {
        self.scripts.get_mut(path).map_or_else(Reply::default, Script::next)
    }

    fn arrive(&mut self, request: &Request, answer: &Answer) {
        self.edition += 1;
        self.record.requests.push(Seen {
            arrived: Instant::now(),
            left: None,
            method: request.method.clone(),
            path: request.path.clone(),
            query: request.query.clone(),
            headers: request.headers.clone(),
            body: request.body.clone(),
            answer: answer.clone(),
        });
    }

    fn depart(&mut self, index: usize) {
        self.edition += 1;
        if let Some(seen) = self.record.requests.get_mut(index) {
            seen.left = Some(Instant::now());
        }
    }
}

/// A request's stay in the server, which ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Visit {
    ledger: Arc<Ledger>,
    index: usize,
}

impl Drop for Visit {
    fn drop(&mut self) {
        self.ledger.leave(self.index);
    }
}
