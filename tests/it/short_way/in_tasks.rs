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
        let policy = Policy::builder().retries(1).build().unwrap();
        let _no_waits = resilient::testing::without_waits();
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
    let is_alone = Policy::builder().retries(1).build().unwrap();
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
