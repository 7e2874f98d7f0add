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

mod in_tasks {
    use super::*;
    use futures_util::future::join_all;
    use std::pin::Pin;
    use std::rc::Rc;
    use tokio::time::{Instant, sleep, timeout};

    type AsyncCall = Box<dyn Fn(Rc<Task>) -> Pin<Box<dyn Future<Output = Result<usize, ServiceError>>>>>;

    /// A call among others.
    struct Task {
        name: &'static str,
        log: Log,
        start: Instant,
        number: u64,
        attempts: Vec<Attempt>,
        made: Cell<usize>,
        ends: Cell<End>,
        inner: Policy,
    }

    impl Task {
        fn say(&self, what: &dyn Debug) {
            let breaker = breaker(self.name);
            let (time, number, state) = (self.start.elapsed(), self.number, (breaker.state(), breaker.failures()));
            self.log.add(format!("{time:?} {number}: {what:?} {state:?} {:?}", breaker.counts()));
        }

        async fn body(&self) -> Result<usize, ServiceError> {
            let made = self.made.get();
            let attempt = &self.attempts[made];
            self.made.set(made + 1);
            self.ends.set(attempt.ends);
            self.say(&"body");
            let said = Said(self);
            if !attempt.takes.is_zero() {
                sleep(attempt.takes).await;
            }
            match attempt.meanwhile {
                Some(Operation::Reset) => breaker(self.name).reset(),
                Some(Operation::ForceOpen) => breaker(self.name).force_open(),
                Some(Operation::Shadow) => breaker(self.name).shadow(),
                _ => {}
            }
            if let Some(fails) = attempt.calls_further_in {
                let call = || async move {
                    sleep(millis(3)).await;
                    if fails { Err(ServiceError::Reset) } else { Ok(()) }
                };
                self.say(&self.inner.run_async(call).await);
            }
            drop(said);
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
            if matches!(self.ends.get(), End::PanicInClassify) {
                resume_unwind(Box::new(()));
            }
            match outcome {
                Ok(_) => Verdict::Success,
                Err(error) => resilient::Classify::classify(error),
            }
        }
    }

    /// Tells when a body is over, dropped or not, and calls further in even then.
    struct Said<'t>(&'t Task);

    impl Drop for Said<'_> {
        fn drop(&mut self) {
            self.0.say(&"over");
            let policy = Policy::builder().retries(1).base_delay(Duration::ZERO).build().unwrap();
            let _ = policy.run(|| Err::<(), _>(ServiceError::Reset));
        }
    }

    fn play(name: &'static str, call: &AsyncCall, seed: u64, tasks: u64) -> Vec<String> {
        let log = Log::default();
        let subscriber = tracing_subscriber::registry().with(log.clone());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        breaker(name).reset();
        let _seeded = seeded_jitter(seed);
        tracing::subscriber::with_default(subscriber, || {
            runtime.block_on(async {
                let inner = Policy::builder().name("inner").retries(1).base_delay(millis(2)).jitter(Jitter::None);
                let inner = inner.breaker(&format!("{name} inner")).timeout(millis(40)).build().unwrap();
                let (start, mut random) = (Instant::now(), Rng::with_seed(seed));
                let mut failing = 20;
                let mut calls = Vec::new();
                for number in 0..tasks {
                    if random.u32(..20) == 0 {
                        failing = [0, 10, 60][random.usize(..3)];
                    }
                    let attempts = (0..4).map(|_| attempt(&mut random, failing)).collect();
                    let (made, ends) = (Cell::new(0), Cell::new(End::Success));
                    let task = Task { name, log: log.clone(), start, number, attempts, made, ends, inner: inner.clone() };
                    let begins = millis(number * 61 + random.u64(..61));
                    let patience = if random.u32(..5) == 0 { millis(random.u64(..300)) } else { YEAR };
                    calls.push(run(call, Rc::new(task), begins, patience));
                }
                join_all(calls).await;
            });
        });
        let lines = std::mem::take(&mut *log.0.lock().unwrap());
        lines.into_iter().map(|line| line.replace(name, "W")).collect()
    }

    async fn run(call: &AsyncCall, task: Rc<Task>, begins: Duration, patience: Duration) {
        sleep(begins).await;
        if task.number.is_multiple_of(40) {
            breaker(task.name).reset();
        }
        let called = timeout(patience, call(Rc::clone(&task)));
        let outcome = futures_util::FutureExt::catch_unwind(AssertUnwindSafe(called)).await;
        task.say(&outcome.map_err(|_| "panic"));
        let is_alone = Policy::builder().retries(1).base_delay(Duration::ZERO).build().unwrap();
        let left = is_alone.run_with_context(|cx| Ok::<_, ServiceError>(cx.remaining()));
        assert_eq!(left, Ok(None), "nothing is left behind");
    }

    fn by_hand(policy: Policy) -> AsyncCall {
        Box::new(move |task| {
            let policy = policy.clone();
            Box::pin(async move { policy.run_async_with(|| task.body(), |outcome| task.classify(outcome)).await })
        })
    }

    #[test]
    fn policies_with_and_without_a_detour_do_the_same() {
        let mut said = Vec::new();
        // A window of time has its slices where the clock has them, and each runtime's clock begins elsewhere.
        for (kind, settings) in [BREAKERS[0], BREAKERS[1], BREAKERS[3]].into_iter().enumerate() {
            for seed in 0..4 {
                let worlds = DETOURS.map(|(detour, add)| {
                    let name = leaked(format!("short way of tasks, {kind}, {seed}, {detour}"));
                    let call = by_hand(add(policy(name, settings).timeout(millis(110))).build().unwrap());
                    (name.to_owned(), play(name, &call, seed, 600))
                });
                said.extend(assert_same(worlds.into()));
            }
        }
        assert_eventful(&said);
    }

    macro_rules! functions {
        ($($function:ident $name:literal $(, $key:ident = $value:literal)*;)*) => {
            $(
                #[resilient(
                    name = $name, retries = 2, base_delay = "7ms", jitter = none, timeout = "110ms",
                    breaker(name = $name, failure_threshold = 3, recovery_timeout = "500ms"), bucket = $name, rate = 20, burst = 5, max_wait = "40ms",
                    classify = |outcome| task.classify(outcome) $(, $key = $value)*
                )]
                async fn $function(task: Rc<Task>) -> Result<usize, ServiceError> {
                    task.body().await
                }
            )*
        };
    }

    functions! {
        short "short task";
        seated "task with a bulkhead", concurrency = 1_000;
        urgent "task with a deadline", deadline = "5000h";
    }

    #[test]
    fn functions_and_policies_with_and_without_a_detour_do_the_same() {
        let policy = policy("short task by hand", BREAKERS[0]).timeout(millis(110)).build().unwrap();
        let worlds: [(&str, AsyncCall); 4] = [
            ("short task", Box::new(|task| Box::pin(short(task)))),
            ("task with a bulkhead", Box::new(|task| Box::pin(seated(task)))),
            ("task with a deadline", Box::new(|task| Box::pin(urgent(task)))),
            ("short task by hand", by_hand(policy)),
        ];
        let logs = worlds.map(|(name, call)| (name.to_owned(), play(name, &call, 51, 1_000)));
        assert_eventful(&assert_same(logs.into()));
    }
}

mod with_keys {
    use super::*;

    macro_rules! functions {
        ($($function:ident $(, $key:ident = $value:expr)*;)*) => {
            $(
                #[resilient(
                    name = "W", bucket(key = key, rate = 10, burst = 3, max_keys = 6), max_wait = "150ms",
                    classify = |outcome| if matches!(end, End::PanicInClassify) { panics() } else { judge(outcome) }
                    $(, $key = $value)*
                )]
                fn $function(key: u32, end: End, bodies: &Cell<u32>) -> Result<u32, ServiceError> {
                    bodies.set(bodies.get() + 1);
                    match end {
                        End::Success | End::CallInClassify => Ok(key),
                        End::SlowDown(wait) => Err(ServiceError::SlowDown { wait: Some(millis(wait)) }),
                        End::Panic => panics(),
                        _ => Err(ServiceError::Reset),
                    }
                }
            )*
        };
    }

    fn panics<T>() -> T {
        resume_unwind(Box::new(()))
    }

    fn judge(outcome: &Result<u32, ServiceError>) -> Verdict {
        outcome.as_ref().map_or_else(resilient::Classify::classify, |_| Verdict::Success)
    }

    functions! {
        paid;
        urgent, deadline = "5000h";
        held, retries = 1, retry_if = |_| false;
        seated, concurrency = 100;
    }

    fn play(call: fn(u32, End, &Cell<u32>) -> Result<u32, ServiceError>, seed: u64) -> Vec<String> {
        let (clock, mut random, bodies) = (TurnedClock::start(), Rng::with_seed(seed), Cell::new(0));
        // Far behind everything that a round before has left.
        clock.advance(Duration::from_secs(seed * 86_400));
        let step = |number| {
            let Attempt { ends, .. } = attempt(&mut random, 10);
            let key = random.u32(..8) * random.u32(..2);
            clock.advance(millis(random.u64(..60)));
            if random.u32(..200) == 0 {
                clock.advance(Duration::from_secs(random.u64(..20)));
            }
            let _seeded = seeded_jitter(number);
            let outcome = catch_unwind(AssertUnwindSafe(|| call(key, ends, &bodies))).map_err(|_| "panic");
            format!("{number}: {key} {ends:?} {outcome:?} {} {:?} {:?}", bodies.get(), clock.elapsed(), clock.waits().len())
        };
        (0..8_000).map(step).collect()
    }

    #[test]
    fn a_key_pays_the_same_on_every_way() {
        for seed in 1..5 {
            let ways: [(&str, fn(u32, End, &Cell<u32>) -> _); 4] =
                [("paid", paid), ("urgent", urgent), ("held", held), ("seated", seated)];
            let said = assert_same(ways.map(|(name, call)| (name.to_owned(), play(call, seed))).into());
            assert!(said.iter().any(|line| line.contains("RateLimited")) && said.iter().any(|line| line.contains("panic")));
        }
    }
}
