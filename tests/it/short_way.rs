//! The same calls on the short way and through the engine: nobody can tell which way they went.
//!
//! A script of calls, operators and time is played to worlds that differ only in what sends a call to the engine. Each keeps a log of
//! everything that can be seen; the logs must be the same.

use crate::support::{ServiceError, millis};
use fastrand::Rng;
use resilient::testing::{TurnedClock, seeded_jitter};
use resilient::{Breaker, CircuitBreaker, Jitter, Policy, PolicyBuilder, Rate, Verdict, Window, breaker, bucket, resilient};
use std::cell::{Cell, RefCell};
use std::fmt::{self, Debug, Write as _};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

const YEAR: Duration = Duration::from_secs(365 * 86_400);

/// What one attempt does, in this order.
#[derive(Clone, Debug)]
struct Attempt {
    takes: Duration,
    meanwhile: Option<Operation>,
    calls_further_in: Option<bool>,
    ends: End,
}

#[derive(Clone, Copy, Debug)]
enum End {
    Success,
    Failure,
    SlowDown(u64),
    NotFound,
    BadQuestion,
    Panic,
    PanicInClassify,
    CallInClassify,
}

#[derive(Clone, Copy, Debug)]
enum Operation {
    ForceOpen,
    Disable,
    Shadow,
    Reset,
    Take(u32),
    GoBack(u64),
    Pass(u64),
}

#[derive(Clone, Debug)]
enum Step {
    Operation(Operation),
    Call(Vec<Attempt>),
}

fn operation(random: &mut Rng) -> Operation {
    match random.u32(..24) {
        0 => Operation::ForceOpen,
        1 => Operation::Disable,
        2 => Operation::Shadow,
        3..=6 => Operation::Reset,
        7 => Operation::Take(random.u32(1..=3)),
        8 => Operation::GoBack(random.u64(..50)),
        9..=12 => Operation::Pass(random.u64(5_000..20_000)),
        _ => Operation::Pass(random.u64(..300)),
    }
}

fn attempt(random: &mut Rng, failing: u32) -> Attempt {
    let ends = match random.u32(..100) {
        roll if roll < failing => End::Failure,
        90 => End::SlowDown(random.u64(..2_000)),
        91 => End::NotFound,
        92 => End::BadQuestion,
        93 => End::Panic,
        94 => End::PanicInClassify,
        95 => End::CallInClassify,
        _ => End::Success,
    };
    Attempt {
        takes: millis(if random.u32(..4) == 0 { random.u64(..200) } else { 0 }),
        meanwhile: (random.u32(..40) == 0).then(|| operation(random)),
        calls_further_in: (random.u32(..10) == 0).then(|| random.bool()),
        ends,
    }
}

fn script(seed: u64, steps: usize) -> Vec<Step> {
    let mut random = Rng::with_seed(seed);
    let mut failing = 20;
    let step = |_| {
        if random.u32(..30) == 0 {
            failing = [0, 5, 20, 60, 90][random.usize(..5)];
        }
        if random.u32(..4) == 0 {
            return Step::Operation(operation(&mut random));
        }
        Step::Call((0..4).map(|_| attempt(&mut random, failing)).collect())
    };
    (0..steps).map(step).collect()
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<String>>>);

impl Log {
    fn add(&self, line: String) {
        self.0.lock().unwrap().push(line);
    }
}

struct Text(String);

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        let _ = write!(self.0, " {field}={value:?}");
    }
}

impl<S: Subscriber> Layer<S> for Log {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        if event.metadata().target() == "resilient" {
            let mut text = Text(event.metadata().name().to_owned());
            event.record(&mut text);
            self.add(text.0);
        }
    }
}

/// One call's attempts, as its body plays them.
struct Played<'w> {
    world: &'w World,
    attempts: &'w [Attempt],
    made: Cell<usize>,
    ends: Cell<End>,
}

impl Played<'_> {
    fn body(&self) -> Result<usize, ServiceError> {
        let made = self.made.get();
        let attempt = &self.attempts[made];
        self.made.set(made + 1);
        self.ends.set(attempt.ends);
        self.world.clock.advance(attempt.takes);
        if let Some(operation) = attempt.meanwhile {
            self.world.operate(operation);
        }
        if let Some(fails) = attempt.calls_further_in {
            self.world.call_further_in(fails);
        }
        match attempt.ends {
            End::Success => Ok(made),
            End::SlowDown(wait) => Err(ServiceError::SlowDown { wait: Some(millis(wait)) }),
            End::NotFound => Err(ServiceError::NotFound),
            End::BadQuestion => Err(ServiceError::BadQuestion),
            End::Panic => resume_unwind(Box::new(())),
            End::Failure | End::PanicInClassify | End::CallInClassify => Err(ServiceError::Reset),
        }
    }

    fn classify(&self, outcome: &Result<usize, ServiceError>) -> Verdict {
        match self.ends.get() {
            End::PanicInClassify => resume_unwind(Box::new(())),
            End::CallInClassify => self.world.call_further_in(true),
            _ => {}
        }
        resilient::Classify::classify(match outcome {
            Ok(_) => return Verdict::Success,
            Err(error) => error,
        })
    }
}

type Call = Box<dyn Fn(&Played<'_>) -> Result<usize, ServiceError>>;

struct World {
    name: &'static str,
    clock: TurnedClock,
    call: Call,
    inner: Policy,
    log: Log,
    further_in: RefCell<u32>,
}

impl fmt::Debug for World {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.name)
    }
}

impl World {
    /// What can be seen while that script is played, without the world's name.
    fn play(name: &'static str, call: Call, script: &[Step]) -> Vec<String> {
        let log = Log::default();
        let subscriber = tracing_subscriber::registry().with(log.clone());
        tracing::subscriber::with_default(subscriber, || {
            let inner = Policy::builder().name("inner").retries(1).base_delay(millis(1)).rate(Rate::per_second(50).burst(20));
            let inner = inner.breaker(&format!("{name} inner")).max_wait(Duration::ZERO).build().unwrap();
            let world = Self { name, clock: TurnedClock::start(), call, inner, log: log.clone(), further_in: RefCell::default() };
            breaker(name).reset();
            for (number, step) in script.iter().enumerate() {
                let _seeded = seeded_jitter(number as u64);
                world.step(step);
                world.look(number);
            }
        });
        let lines = std::mem::take(&mut *log.0.lock().unwrap());
        lines.into_iter().map(|line| line.replace(name, "W")).collect()
    }

    fn step(&self, step: &Step) {
        match step {
            Step::Operation(operation) => self.operate(*operation),
            Step::Call(attempts) => {
                let played = Played { world: self, attempts, made: Cell::new(0), ends: Cell::new(End::Success) };
                let outcome = catch_unwind(AssertUnwindSafe(|| (self.call)(&played)));
                let said = match outcome {
                    Ok(outcome) => format!("{outcome:?}"),
                    Err(_) => "panic".to_owned(),
                };
                self.log.add(format!("call: {said}, {} bodies", played.made.get()));
            }
        }
    }

    fn operate(&self, operation: Operation) {
        let breaker: &Breaker = breaker(self.name);
        match operation {
            Operation::ForceOpen => breaker.force_open(),
            Operation::Disable => breaker.disable(),
            Operation::Shadow => breaker.shadow(),
            Operation::Reset => breaker.reset(),
            Operation::Take(tokens) => self.log.add(format!("{:?}", bucket(self.name).try_acquire(tokens))),
            Operation::GoBack(time) => self.clock.turn_back(millis(time)),
            Operation::Pass(time) => self.clock.advance(millis(time)),
        }
    }

    fn call_further_in(&self, fails: bool) {
        let calls = self.further_in.replace_with(|calls| *calls + 1);
        let outcome = self.inner.run(|| if fails && !calls.is_multiple_of(3) { Err(ServiceError::Reset) } else { Ok(calls) });
        self.log.add(format!("further in: {outcome:?}"));
    }

    fn look(&self, number: usize) {
        let (breaker, bucket) = (breaker(self.name), bucket(self.name));
        let (state, failures, counts) = (breaker.state(), breaker.failures(), breaker.counts());
        let (elapsed, waits) = (self.clock.elapsed(), self.clock.waits().len());
        self.log.add(format!("{number}: {state:?} {failures} {counts:?} {:?} {elapsed:?} {waits}", bucket.rate()));
    }
}

/// A script in which little happens would show little.
fn assert_eventful(lines: &[String]) {
    let words = ["Ok(0)", "Ok(2)", "Err(Reset)", "panic", "CircuitOpen", "RateLimited", "circuit_opened", "circuit_half_open"];
    for word in words.into_iter().chain(["circuit_closed", "exhausted", "retry", "rejected"]) {
        let count = lines.iter().filter(|line| line.contains(word)).count();
        assert!(count > 0, "`{word}` {count} times");
    }
}

/// What all of them say.
fn assert_same(mut logs: Vec<(String, Vec<String>)>) -> Vec<String> {
    let (name, first) = &logs[0];
    for (other, log) in &logs[1..] {
        let different = first.iter().zip(log).position(|(left, right)| left != right);
        if let Some(line) = different {
            let from = line.saturating_sub(12);
            panic!("{name}: {:#?}\n{other}: {:#?}", &first[from..=line], &log[from..=line]);
        }
        assert_eq!(first.len(), log.len(), "{name}, {other}");
    }
    logs.swap_remove(0).1
}

/// What sends a call to the engine and should change nothing else.
const DETOURS: [(&str, fn(PolicyBuilder) -> PolicyBuilder); 4] = [
    ("none", |policy| policy),
    ("a wide bulkhead", |policy| policy.concurrency(1_000)),
    ("a distant deadline", |policy| policy.deadline(YEAR)),
    ("both", |policy| policy.concurrency(1_000).deadline(YEAR)),
];

fn leaked(name: String) -> &'static str {
    Box::leak(name.into_boxed_str())
}

fn policy(name: &str, settings: CircuitBreaker) -> PolicyBuilder {
    let rate = Rate::per_second(20).burst(5);
    let policy = Policy::builder().name(name).retries(2).base_delay(millis(7)).jitter(Jitter::None);
    policy.breaker_with(name, settings.recovery_timeout(millis(500))).bucket(name).rate(rate).max_wait(millis(40))
}

const BREAKERS: [CircuitBreaker; 4] = [
    CircuitBreaker::new().failure_threshold(3),
    CircuitBreaker::new().failure_threshold(9).failure_ratio(0.4).minimum_calls(8).window(Window::calls(10)),
    CircuitBreaker::new().failure_threshold(9).failure_ratio(0.5).minimum_calls(4).window(Window::time(Duration::from_secs(1))),
    CircuitBreaker::new()
        .slow_call_duration(Duration::from_millis(80))
        .slow_call_ratio(0.5)
        .minimum_calls(5)
        .window(Window::calls(8)),
];

#[test]
fn policies_with_and_without_a_detour_do_the_same() {
    let mut said = Vec::new();
    for (kind, settings) in BREAKERS.into_iter().enumerate() {
        for seed in 0..4 {
            let script = script(seed, 1_500);
            let play = |(detour, add): &(&str, fn(PolicyBuilder) -> PolicyBuilder)| {
                let name = leaked(format!("short way, {kind}, {seed}, {detour}"));
                let policy = add(policy(name, settings)).build().unwrap();
                let call = move |played: &Played<'_>| policy.run_with(|| played.body(), |outcome| played.classify(outcome));
                (name.to_owned(), World::play(name, Box::new(call), &script))
            };
            said.extend(assert_same(DETOURS.iter().map(play).collect()));
        }
    }
    assert_eventful(&said);
}

#[test]
fn a_call_inside_another_does_the_same_as_alone() {
    let mut said = Vec::new();
    for seed in 10..14 {
        let script = script(seed, 1_500);
        let play = |is_inside: bool| {
            let name = leaked(format!("inside, {seed}, {is_inside}"));
            let policy = policy(name, BREAKERS[0]).build().unwrap();
            let outer = Policy::builder().deadline(YEAR).build().unwrap();
            let call = move |played: &Played<'_>| {
                let run = || policy.run_with(|| played.body(), |outcome| played.classify(outcome));
                if !is_inside {
                    return run();
                }
                outer.run_with(run, |_| Verdict::Success)
            };
            (name.to_owned(), World::play(name, Box::new(call), &script))
        };
        said.extend(assert_same([false, true].map(play).into()));
    }
    assert_eventful(&said);
}

macro_rules! functions {
    ($($function:ident $name:literal $(, $key:ident = $value:literal)*;)*) => {
        mod functions {
            use super::*;

            $(
                #[resilient(
                    name = $name, retries = 2, base_delay = "7ms", jitter = none,
                    breaker(name = $name, failure_threshold = 3, recovery_timeout = "500ms"), bucket = $name, rate = 20, burst = 5, max_wait = "40ms",
                    classify = |outcome| played.classify(outcome) $(, $key = $value)*
                )]
                pub(super) fn $function(played: &Played<'_>) -> Result<usize, ServiceError> {
                    played.body()
                }
            )*
        }
    };
}

functions! {
    short "short function";
    seated "function with a bulkhead", concurrency = 1_000;
    urgent "function with a deadline", deadline = "5000h";
}

#[test]
fn functions_and_policies_with_and_without_a_detour_do_the_same() {
    let script = script(99, 6_000);
    let by_hand = policy("short by hand", BREAKERS[0]).build().unwrap();
    let worlds: [(&str, Call); 4] = [
        ("short function", Box::new(functions::short)),
        ("function with a bulkhead", Box::new(functions::seated)),
        ("function with a deadline", Box::new(functions::urgent)),
        ("short by hand", Box::new(move |played| by_hand.run_with(|| played.body(), |outcome| played.classify(outcome)))),
    ];
    let logs = worlds.map(|(name, call)| (name.to_owned(), World::play(name, call, &script)));
    assert_eventful(&assert_same(logs.into()));
}

mod in_tasks;

mod with_keys;
