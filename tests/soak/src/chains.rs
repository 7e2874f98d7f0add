//! What breakers tell of their states, and whether it fits together.
//!
//! A change is told after it was made and no lock is held, so two of one breaker may be told in the other order. What holds in any order:
//! each state is left as often as it is entered. In the end every circuit is closed, so each opening was followed by a half-open circuit,
//! and each of those by a closed or another open one, except where somebody interfered. Where there is one caller at a time the order is
//! told right, and each change must begin where the one before has ended.

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

#[derive(Debug, Default)]
struct Flow {
    opened: u64,
    opened_again: u64,
    half_open: u64,
    closed: u64,
    by_hand: u64,
}

static FLOWS: Mutex<BTreeMap<String, Flow>> = Mutex::new(BTreeMap::new());
static LAST: Mutex<State> = Mutex::new(State::Closed);
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
        if told.breaker == ALONE {
            follow(name, is_by_probe);
        }
        lock(&FLOWS).entry(told.breaker).or_default().take(name, is_by_probe);
    }
}

impl Flow {
    fn take(&mut self, name: &str, is_by_probe: bool) {
        match name {
            "circuit_opened" if is_by_probe => self.opened_again += 1,
            "circuit_opened" => self.opened += 1,
            "circuit_half_open" => self.half_open += 1,
            "circuit_closed" => self.closed += 1,
            _ => self.by_hand += 1,
        }
    }

    /// Once all circuits of that name are closed.
    fn check(&self, breaker: &str) {
        let Self { opened, opened_again, half_open, closed, by_hand } = self;
        let is_left_as_often = |entered: u64, left: u64| (left..=left + by_hand).contains(&entered);
        let fits = is_left_as_often(opened + opened_again, *half_open) && is_left_as_often(*half_open, closed + opened_again);
        check(fits, || format!("breaker `{breaker}`: what it told of its states does not fit together: {self:?}"));
    }
}

fn follow(name: &str, is_by_probe: bool) {
    let mut last = lock(&LAST);
    let (from, to): (&[State], State) = match name {
        "circuit_opened" if is_by_probe => (&[State::HalfOpen], State::Open),
        "circuit_opened" => (&[State::Closed], State::Open),
        "circuit_half_open" => (&[State::Open], State::HalfOpen),
        "circuit_closed" => (&[State::HalfOpen], State::Closed),
        "circuit_forced_open" => (&[State::Closed, State::Open, State::HalfOpen, State::Disabled], State::ForcedOpen),
        "circuit_disabled" => (&[State::Closed, State::Open, State::HalfOpen, State::ForcedOpen], State::Disabled),
        "circuit_shadowed" if matches!(*last, State::ForcedOpen | State::Disabled) => (&[*last], State::Closed),
        "circuit_shadowed" => (&[*last], *last),
        "circuit_reset" => (&[*last], State::Closed),
        other => return found(format!("a new event of breakers: {other}")),
    };
    check(from.contains(&last), || format!("breaker `{ALONE}`: {name} from {last:?}"));
    *last = to;
}

/// To be asked when nobody calls that breaker: whether it is in the state of which it told last.
pub(crate) fn check_alone() {
    let (told, state) = (*lock(&LAST), resilient::breaker(ALONE).state());
    // Time alone makes an open circuit one that may be probed, of which nothing is told before somebody does.
    let fits = told == state || (told, state) == (State::Open, State::HalfOpen);
    check(fits, || format!("breaker `{ALONE}`: it is {state:?}, and told of {told:?} last"));
}

/// To be asked when all circuits are closed.
pub(crate) fn check_all() {
    lock(&FLOWS).iter().for_each(|(breaker, flow)| flow.check(breaker));
}
