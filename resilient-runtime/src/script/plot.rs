//! One script: for which function, what it gives, and what has happened.

use super::Cue;
use crate::sync::{Mutex, lock};
use std::collections::VecDeque;

#[derive(Debug)]
pub(crate) struct Plot {
    name: String,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    cues: VecDeque<(u32, Cue)>,
    forbids: bool,
    calls: u32,
    /// The function's full name, once it has been called.
    function: Option<&'static str>,
    /// Others that were called.
    others: Vec<&'static str>,
}

impl Plot {
    pub(crate) fn new(name: &str) -> Self {
        Self { name: name.to_owned(), state: Mutex::default() }
    }

    pub(crate) fn add(&self, attempts: u32, cue: Cue) {
        lock(&self.state).cues.push_back((attempts, cue));
    }

    pub(crate) fn forbid(&self) {
        lock(&self.state).forbids = true;
    }

    pub(crate) fn calls(&self) -> u32 {
        lock(&self.state).calls
    }

    /// Whether it is for this function.
    ///
    /// # Panics
    ///
    /// If it would be for two.
    pub(crate) fn concerns(&self, function: &'static str) -> bool {
        let mut state = lock(&self.state);
        if !is_tail(&self.name, function) {
            if !state.others.contains(&function) {
                state.others.push(function);
            }
            return false;
        }
        let first = *state.function.get_or_insert(function);
        drop(state);
        assert!(
            first == function,
            "`testing::script({:?})` is ambiguous: both `{first}` and `{function}` were called; give more of the path",
            self.name
        );
        true
    }

    /// What the next attempt gets, while there is something.
    pub(crate) fn next(&self) -> Option<Cue> {
        let mut state = lock(&self.state);
        while let Some((attempts, cue)) = state.cues.front_mut() {
            if *attempts > 0 {
                *attempts -= 1;
                let cue = cue.clone();
                state.calls = state.calls.saturating_add(1);
                return Some(cue);
            }
            state.cues.pop_front();
        }
        None
    }

    /// The script is used up.
    ///
    /// # Panics
    ///
    /// If nothing was to happen afterwards.
    pub(crate) fn allow(&self, function: &str) {
        let (forbids, calls) = {
            let state = lock(&self.state);
            (state.forbids, state.calls)
        };
        assert!(!forbids, "`{function}` made an attempt more than the {calls} that its script allows");
    }

    /// What is wrong if nobody called the function.
    pub(crate) fn mistake(&self) -> Option<String> {
        let state = lock(&self.state);
        if state.function.is_some() {
            return None;
        }
        let name = &self.name;
        let others: Vec<_> = state.others.iter().map(|other| format!("`{other}`")).collect();
        let called = if others.is_empty() { "none was".to_owned() } else { format!("called were {}", others.join(", ")) };
        Some(format!(
            "`testing::script({name:?})`: no attempt of a function of that name began on this thread (a call that is refused begins none); {called}. A name is \
             `module::path::function`, its end from some `::` on, or what the attribute says as `name`"
        ))
    }
}

/// Whether `name` is the function's, or its end from a `::` on.
fn is_tail(name: &str, function: &str) -> bool {
    function.strip_suffix(name).is_some_and(|front| front.is_empty() || front.ends_with("::"))
}
