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
