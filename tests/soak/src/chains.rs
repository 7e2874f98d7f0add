//! What breakers tell of their states, and whether it fits together.
//!
//! A change is told after it was made and when no lock is held, but changes of one breaker are told in the order in which they were made,
//! by whomever: each must begin where the one before has ended. Breakers of one family have one name, and their keys are not told. So of
//! them all together: at any time, no more circuits have become half open than had opened, and no more have closed or opened again than
//! had become half open. In the end every circuit is closed, so of these none is left over, except where somebody interfered.

use crate::bug::Bug;
use crate::violations::{check, found, lock};
use resilient::State;
use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use tracing::field::{Field, Visit};
use tracing::{Event, Metadata, Subscriber};
use tracing_subscriber::layer::{Context, Filter, Layer, SubscriberExt as _};

/// The breaker that has one caller at a time.
pub(crate) const ALONE: &str = "alone";

/// Names that many breakers have, one for each key.
const FAMILIES: [&str; 3] = ["partner", "tenants", "strangers"];

/// What breakers of one name have told.
#[derive(Debug)]
struct Flow {
    /// Of one that has no keys.
    last: State,
    opened: u64,
    opened_again: u64,
    half_open: u64,
    closed: u64,
    by_hand: u64,
}

static FLOWS: Mutex<BTreeMap<String, Flow>> = Mutex::new(BTreeMap::new());
static EVENTS: Mutex<BTreeMap<&'static str, u64>> = Mutex::new(BTreeMap::new());

pub(crate) fn listen() -> anyhow::Result<()> {
    let listener = tracing_subscriber::registry().with(Listener.with_filter(Ours));
    Ok(tracing::subscriber::set_global_default(listener)?)
}

pub(crate) fn events() -> BTreeMap<&'static str, u64> {
    lock(&EVENTS).clone()
}

struct Ours;

impl<S> Filter<S> for Ours {
    fn enabled(&self, metadata: &Metadata<'_>, _: &Context<'_, S>) -> bool {
        metadata.target() == "resilient"
    }
}

struct Listener;

#[derive(Default)]
struct Told {
    breaker: String,
    reason: String,
}

impl Visit for Told {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "breaker" => value.clone_into(&mut self.breaker),
            "reason" => value.clone_into(&mut self.reason),
            _ => {}
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn std::fmt::Debug) {}
}

impl<S: Subscriber> Layer<S> for Listener {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let name = event.metadata().name();
        *lock(&EVENTS).entry(name).or_default() += 1;
        if !name.starts_with("circuit_") {
            return;
        }
        if Bug::LostEvent.is_seeded() && NUMBER.fetch_add(1, Ordering::Relaxed).is_multiple_of(10) {
            return;
        }
        let mut told = Told::default();
        event.record(&mut told);
        let is_by_probe = told.reason.contains("probe");
        let mut flows = lock(&FLOWS);
        let flow = flows.entry(told.breaker.clone()).or_default();
        for (name, is_by_probe) in in_seeded_order(&told.breaker, name, is_by_probe) {
            flow.take(&told.breaker, name, is_by_probe);
        }
    }
}

/// What to take now: this change, unless it is to come after the next one.
fn in_seeded_order(breaker: &str, name: &'static str, is_by_probe: bool) -> Vec<(&'static str, bool)> {
    static HELD_BACK: Mutex<Vec<(String, bool)>> = Mutex::new(Vec::new());
    let bug = if FAMILIES.contains(&breaker) { Bug::SwappedEventsOfKeys } else { Bug::SwappedEvents };
    if !bug.is_seeded() {
        return vec![(name, is_by_probe)];
    }
    let mut held_back = lock(&HELD_BACK);
    if name == "circuit_opened" {
        held_back.push((breaker.to_owned(), is_by_probe));
        return Vec::new();
    }
    let late = held_back.extract_if(.., |(of, _)| of == breaker).map(|(_, is_by_probe)| ("circuit_opened", is_by_probe));
    std::iter::once((name, is_by_probe)).chain(late).collect()
}

impl Default for Flow {
    fn default() -> Self {
        Self { last: State::Closed, opened: 0, opened_again: 0, half_open: 0, closed: 0, by_hand: 0 }
    }
}

impl Flow {
    fn take(&mut self, breaker: &str, name: &str, is_by_probe: bool) {
        if !FAMILIES.contains(&breaker) {
            self.follow(breaker, name, is_by_probe);
        }
        match name {
            "circuit_opened" if is_by_probe => self.opened_again += 1,
            "circuit_opened" => self.opened += 1,
            "circuit_half_open" => self.half_open += 1,
            "circuit_closed" => self.closed += 1,
            _ => self.by_hand += 1,
        }
        let Self { opened, opened_again, half_open, closed, .. } = *self;
        let is_in_order = half_open <= opened + opened_again && closed + opened_again <= half_open;
        check(is_in_order, || format!("breakers `{breaker}`: {name} before what it follows from: {self:?}"));
    }

    /// Takes a change of a breaker that has its name for itself.
    fn follow(&mut self, breaker: &str, name: &str, is_by_probe: bool) {
        let last = self.last;
        let (from, to): (&[State], State) = match name {
            "circuit_opened" if is_by_probe => (&[State::HalfOpen], State::Open),
            "circuit_opened" => (&[State::Closed], State::Open),
            "circuit_half_open" => (&[State::Open], State::HalfOpen),
            "circuit_closed" => (&[State::HalfOpen], State::Closed),
            "circuit_forced_open" => (&[State::Closed, State::Open, State::HalfOpen, State::Disabled], State::ForcedOpen),
            "circuit_disabled" => (&[State::Closed, State::Open, State::HalfOpen, State::ForcedOpen], State::Disabled),
            "circuit_shadowed" if matches!(last, State::ForcedOpen | State::Disabled) => (&[last], State::Closed),
            "circuit_shadowed" => (&[last], last),
            "circuit_reset" => (&[last], State::Closed),
            other => return found(format!("a new event of breakers: {other}")),
        };
        check(from.contains(&last), || format!("breaker `{breaker}`: {name} from {last:?}"));
        self.last = to;
    }

    /// Once all circuits of that name are closed.
    fn check(&self, breaker: &str) {
        let Self { opened, opened_again, half_open, closed, by_hand, .. } = self;
        let is_left_as_often = |entered: u64, left: u64| (left..=left + by_hand).contains(&entered);
        let fits = is_left_as_often(opened + opened_again, *half_open) && is_left_as_often(*half_open, closed + opened_again);
        check(fits, || format!("breaker `{breaker}`: what it told of its states does not fit together: {self:?}"));
        check(self.last == State::Closed, || format!("breaker `{breaker}`: it is closed, and told of {:?} last", self.last));
    }
}

/// To be asked when nobody calls that breaker: whether it is in the state of which it told last.
pub(crate) fn check_alone() {
    let told = lock(&FLOWS).get(ALONE).map_or(State::Closed, |flow| flow.last);
    let state = resilient::breaker(ALONE).state();
    // Time alone makes an open circuit one that may be probed, of which nothing is told before somebody does.
    let fits = told == state || (told, state) == (State::Open, State::HalfOpen);
    check(fits, || format!("breaker `{ALONE}`: it is {state:?}, and told of {told:?} last"));
}

/// To be asked when all circuits are closed.
pub(crate) fn check_all() {
    lock(&FLOWS).iter().for_each(|(breaker, flow)| flow.check(breaker));
}
