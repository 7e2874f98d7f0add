//! Resilient calls inside resilient calls.

use crate::support::{Counter, ServiceError, millis, poll_once, ready};
use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use resilient::testing::TurnedClock;
use resilient::{Backoff, Jitter, Policy, Rejected, State, resilient};
use std::cell::Cell;
use std::future::pending;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::time::Duration;
use tokio::task::yield_now;
use tokio::time::{Instant, sleep};

const SECOND: Duration = Duration::from_secs(1);

/// What is left of the deadline around it; none of its own.
#[resilient(retries = 1, context = cx)]
fn left() -> io::Result<Option<Duration>> {
    Ok(cx.remaining())
}

#[resilient(retries = 1, context = cx)]
async fn left_async() -> io::Result<Option<Duration>> {
    yield_now().await;
    Ok(cx.remaining())
}

/// Hangs, and can be refused.
#[resilient(deadline = "10s")]
async fn hangs() -> Result<(), ServiceError> {
    pending().await
}

mod deadlines {
    use super::*;

    /// One that was alone when it began must leave what is handed down to others as it finds it, at each poll.
    #[tokio::test(start_paused = true)]
    async fn a_call_that_began_elsewhere_takes_nothing_from_the_one_that_polls_it() {
        #[resilient(retries = 1)]
        async fn begun() -> io::Result<()> {
            yield_now().await;
            Ok(())
        }
        #[resilient(deadline = "10s")]
        async fn outer(begun: Pin<Box<dyn Future<Output = io::Result<()>> + Send>>) -> io::Result<Option<Duration>> {
            begun.await?;
            left()
        }
        let mut begun: Pin<Box<dyn Future<Output = _> + Send>> = Box::pin(begun());
        assert!(poll_once(begun.as_mut()).is_pending());
        assert_eq!(outer(begun).await.expect("in time"), Some(10 * SECOND));
    }

    #[tokio::test(start_paused = true)]
    async fn an_inner_call_is_stopped_when_the_outer_deadline_passes_and_says_so() {
        #[resilient(deadline = "1s")]
        async fn outer() -> Result<Rejected, ServiceError> {
            sleep(millis(400)).await;
            Ok(hangs().await.unwrap_err().rejected())
        }
        let start = Instant::now();
        let rejected = outer().await.unwrap();
        assert_eq!(start.elapsed(), SECOND);
        assert!(matches!(rejected, Rejected::DeadlineExceeded(_)));
        let said = rejected.to_string();
        assert!(said.ends_with("hangs` was stopped: the deadline of an enclosing call passed (1 attempt made)"), "{said}");
    }

    #[tokio::test(start_paused = true)]
    async fn an_inner_call_says_so_after_a_retry_too() {
        #[resilient(retries = 1, base_delay = "100ms", jitter = none, deadline = "10s")]
        async fn inner(attempts: &Counter) -> Result<(), ServiceError> {
            if attempts.count() == 1 {
                return Err(ServiceError::Reset);
            }
            pending().await
        }
        #[resilient(deadline = "1s")]
        async fn outer() -> Result<Rejected, ServiceError> {
            Ok(inner(&Counter::default()).await.unwrap_err().rejected())
        }
        let said = outer().await.unwrap().to_string();
        assert!(said.ends_with("the deadline of an enclosing call passed (2 attempts made)"), "{said}");
    }

    #[tokio::test(start_paused = true)]
    async fn of_two_deadlines_at_once_it_is_its_own() {
        #[resilient(deadline = "10s")]
        async fn outer() -> Result<Rejected, ServiceError> {
            Ok(hangs().await.unwrap_err().rejected())
        }
        let said = outer().await.unwrap().to_string();
        assert!(said.contains("took longer than its deadline of 10s"), "{said}");
    }

    #[tokio::test(start_paused = true)]
    async fn an_earlier_deadline_of_its_own_stays() {
        #[resilient(deadline = "1m")]
        async fn outer() -> Result<Rejected, ServiceError> {
            Ok(hangs().await.unwrap_err().rejected())
        }
        let start = Instant::now();
        let said = outer().await.unwrap().to_string();
        assert_eq!(start.elapsed(), 10 * SECOND);
        assert!(said.contains("took longer than its deadline of 10s"), "{said}");
    }

    #[test]
    fn no_retry_is_waited_for_that_the_outer_deadline_forbids() {
        #[resilient(retries = 9, base_delay = "2s", jitter = none)]
        fn inner(attempts: &Counter) -> Result<(), ServiceError> {
            attempts.count();
            Err(ServiceError::Reset)
        }
        #[resilient(deadline = "5s")]
        fn outer(attempts: &Counter) -> Result<(), ServiceError> {
            inner(attempts)
        }
        let (clock, attempts) = (TurnedClock::start(), Counter::default());
        assert_eq!(outer(&attempts), Err(ServiceError::Reset));
        assert_eq!((clock.waits(), attempts.get()), (vec![2 * SECOND], 2));
    }

    #[test]
    fn after_the_deadline_what_can_be_refused_is_and_what_cannot_runs_once() {
        #[resilient(retries = 3, timeout = "1s", breaker = "after the deadline")]
        async fn can_be_refused(attempts: &Counter) -> Result<(), ServiceError> {
            attempts.count();
            Ok(())
        }
        #[resilient(retries = 3)]
        async fn cannot_be_refused(attempts: &Counter) -> Result<(), String> {
            attempts.count();
            Err("real".to_owned())
        }
        #[resilient(rate = 1, max_wait = none)]
        fn cannot_even_fail(attempts: &Counter) -> u32 {
            attempts.count()
        }
        #[resilient(deadline = "1s")]
        fn outer(clock: &TurnedClock, attempts: [&Counter; 3]) -> Result<Rejected, ServiceError> {
            clock.advance(2 * SECOND);
            assert_eq!(ready(cannot_be_refused(attempts[1])), Err("real".to_owned()));
            assert_eq!([cannot_even_fail(attempts[2]), cannot_even_fail(attempts[2])], [1, 2]);
            Ok(ready(can_be_refused(attempts[0])).unwrap_err().rejected())
        }
        let (clock, attempts) = (TurnedClock::start(), [(); 3].map(|()| Counter::default()));
        let rejected = outer(&clock, attempts.each_ref()).unwrap();
        assert_eq!((rejected.attempts(), attempts.map(|attempts| attempts.get())), (0, [0, 1, 2]));
        assert!(rejected.to_string().ends_with("the deadline of an enclosing call passed (not attempted)"), "{rejected}");
        assert_eq!(clock.waits(), [SECOND], "the second token was waited for");
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_cannot_be_refused_is_stopped_by_the_call_that_has_the_deadline() {
        #[resilient(retries = 3)]
        async fn cannot_be_refused() -> Result<(), String> {
            pending().await
        }
        #[resilient(deadline = "1s")]
        async fn outer() -> Result<(), ServiceError> {
            cannot_be_refused().await.map_err(|_| ServiceError::Reset)
        }
        let start = Instant::now();
        let rejected = outer().await.unwrap_err().rejected();
        assert_eq!(start.elapsed(), SECOND);
        assert!(rejected.function().ends_with("outer"));
    }

    #[test]
    fn a_token_that_is_due_after_the_outer_deadline_is_not_waited_for() {
        #[resilient(rate = "1/min")]
        fn inner() -> Result<(), ServiceError> {
            Ok(())
        }
        #[resilient(deadline = "1s")]
        fn outer() -> Result<(), ServiceError> {
            inner()
        }
        let clock = TurnedClock::start();
        inner().unwrap();
        clock.advance(58 * SECOND);
        assert!(matches!(outer().unwrap_err().rejected(), Rejected::RateLimited(_)));
        assert_eq!(inner(), Ok(()), "it waits, as nobody took the token");
        assert_eq!(clock.waits(), [2 * SECOND]);
    }

    #[test]
    fn a_fallback_runs_outside_the_deadline_and_inside_the_next() {
        #[resilient(deadline = "1s", fallback = |_| left())]
        fn inner(clock: &TurnedClock) -> io::Result<Option<Duration>> {
            assert_eq!(left().unwrap(), Some(SECOND));
            clock.advance(2 * SECOND);
            Err(io::ErrorKind::TimedOut.into())
        }
        #[resilient(deadline = "10s")]
        fn outer(clock: &TurnedClock) -> io::Result<Option<Duration>> {
            inner(clock)
        }
        let clock = TurnedClock::start();
        assert_eq!(inner(&clock).unwrap(), None);
        assert_eq!(outer(&clock).unwrap(), Some(8 * SECOND));
    }
}

mod breakers {
    use super::*;

    async fn within<T>(deadline: Duration, body: impl AsyncFn() -> T) -> T {
        #[resilient(deadline = deadline)]
        async fn outer<T>(deadline: Duration, body: impl AsyncFn() -> T) -> Result<T, ServiceError> {
            Ok(body().await)
        }
        outer(deadline, body).await.unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn an_attempt_that_an_inherited_deadline_cut_says_nothing() {
        #[resilient(deadline = "10s", breaker(name = "cut", failure_threshold = 1))]
        async fn by_deadline() -> Result<(), ServiceError> {
            pending().await
        }
        #[resilient(timeout = "10s", breaker(name = "cut", failure_threshold = 1))]
        async fn by_timeout() -> Result<(), ServiceError> {
            pending().await
        }
        within(millis(4_999), async || by_deadline().await.unwrap_err()).await;
        within(millis(9_999), async || by_timeout().await.unwrap_err()).await;
        assert_eq!(resilient::breaker("cut").state(), State::Closed);
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_had_its_timeout_or_half_of_its_deadline_failed() {
        #[resilient(deadline = "10s", breaker(name = "half", failure_threshold = 1))]
        async fn by_deadline() -> Result<(), ServiceError> {
            pending().await
        }
        #[resilient(timeout = "10s", breaker(name = "full", failure_threshold = 1))]
        async fn by_timeout() -> Result<(), ServiceError> {
            pending().await
        }
        within(millis(5_001), async || by_deadline().await.unwrap_err()).await;
        assert_eq!(resilient::breaker("half").state(), State::Open);
        within(millis(10_001), async || by_timeout().await.unwrap_err()).await;
        assert_eq!(resilient::breaker("full").state(), State::Open);
    }

    #[tokio::test(start_paused = true)]
    async fn the_call_that_has_the_deadline_learns_that_it_passed_though_an_inner_call_came_first() {
        #[resilient(deadline = "1s", breaker(name = "has the deadline", failure_threshold = 1))]
        async fn outer() -> Result<(), ServiceError> {
            hangs().await
        }
        assert!(outer().await.unwrap_err().rejected().function().ends_with("hangs"));
        assert_eq!(resilient::breaker("has the deadline").state(), State::Open);
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_further_in_before_the_deadline_still_says_nothing() {
        #[resilient(rate = "1/day", max_wait = "0s")]
        async fn inner() -> Result<(), ServiceError> {
            Ok(())
        }
        #[resilient(deadline = "1s", breaker(name = "refused further in", failure_threshold = 1))]
        async fn outer() -> Result<(), ServiceError> {
            sleep(millis(999)).await;
            inner().await
        }
        assert_eq!(outer().await, Ok(()));
        assert!(outer().await.is_err());
        assert_eq!(resilient::breaker("refused further in").state(), State::Closed);
    }
}

mod inheritance {
    use super::*;

    #[resilient(deadline = deadline)]
    async fn within<T>(deadline: Duration, body: impl AsyncFn() -> T) -> Result<T, ServiceError> {
        Ok(body().await)
    }

    #[resilient(deadline = deadline)]
    fn within_sync<T>(deadline: Duration, body: impl Fn() -> T) -> Result<T, ServiceError> {
        Ok(body())
    }

    async fn of(seconds: u32) -> Option<Duration> {
        within(seconds * SECOND, async || left_async().await.unwrap()).await.unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn join_and_select_hand_down_to_each_branch_its_own() {
        let outcome = within(9 * SECOND, async || {
            let joined = tokio::join!(of(3), left_async(), of(5), of(20));
            let selected = tokio::select! {
                biased;
                four = async { of(4).await.min(of(4).await) } => four,
                two = of(2) => two,
            };
            (joined.0, joined.1.unwrap(), joined.2, joined.3, selected, left().unwrap())
        });
        let [two, three, five, nine] = [2, 3, 5, 9].map(|seconds| Some(seconds * SECOND));
        assert_eq!(outcome.await.unwrap(), (three, nine, five, nine, two, nine));
        assert_eq!(left().unwrap(), None);
    }

    #[tokio::test(start_paused = true)]
    async fn so_do_streams_of_futures() {
        let outcome = within(90 * SECOND, async || {
            let all: FuturesUnordered<_> = (1..100).map(|seconds| async move { (of(seconds).await, seconds) }).collect();
            all.collect::<Vec<_>>().await
        });
        let outcome = outcome.await.unwrap();
        assert_eq!(outcome.len(), 99);
        assert!(outcome.into_iter().all(|(left, seconds)| left == Some(seconds.min(90) * SECOND)));
    }

    #[test]
    fn a_call_that_moves_to_another_thread_hands_down_there() {
        #[resilient(deadline = "9s")]
        async fn outer() -> Result<Vec<Option<Duration>>, ServiceError> {
            let mut seen = Vec::new();
            for _ in 0..8 {
                seen.push(left().unwrap());
                yield_now().await;
            }
            Ok(seen)
        }
        let clock = TurnedClock::start();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let mut future = Box::pin(outer());
        let handle = clock.handle();
        let outcome = loop {
            let polled = std::thread::scope(|threads| {
                let poll = || {
                    let (_clock, _timers) = (TurnedClock::enter(handle), runtime.enter());
                    let polled = poll_once(future.as_mut());
                    assert_eq!(left().unwrap(), None);
                    polled
                };
                threads.spawn(poll).join().unwrap()
            });
            if let std::task::Poll::Ready(outcome) = polled {
                break outcome.unwrap();
            }
        };
        assert_eq!(outcome, [Some(9 * SECOND); 8]);
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn tasks_that_share_threads_do_not_mix_what_they_hand_down() {
        let task = |number: u32| async move {
            let seconds = 1_000 * (1 + number % 3);
            for _ in 0..50 {
                let (in_call, outside) = (of(seconds).await.unwrap(), left_async().await.unwrap());
                assert!(outside.is_none() && in_call <= seconds * SECOND && in_call > (seconds - 900) * SECOND);
            }
        };
        let tasks: Vec<_> = (0..64).map(|number| tokio::spawn(task(number))).collect();
        for task in tasks {
            task.await.unwrap();
        }
    }

    #[tokio::test]
    async fn spawned_tasks_and_threads_inherit_nothing() {
        let outcome = within(SECOND, async || {
            let task = tokio::spawn(left_async()).await.unwrap().unwrap();
            let blocking = tokio::task::spawn_blocking(left).await.unwrap().unwrap();
            let thread = std::thread::spawn(left).join().unwrap().unwrap();
            [task, blocking, thread]
        });
        assert_eq!(outcome.await.unwrap(), [None; 3]);
    }

    #[tokio::test]
    async fn a_future_that_is_made_inside_and_polled_elsewhere_has_no_parent() {
        let made = within(SECOND, async || left_async()).await.unwrap();
        assert_eq!(made.await.unwrap(), None);
    }

    #[test]
    fn a_panic_puts_back_what_was_there() {
        let _clock = TurnedClock::start();
        let panics = || within_sync(SECOND, || panic!("as meant"));
        let panics_async = || ready(within(SECOND, async || panic!("as meant")));
        let outcome = within_sync(3 * SECOND, || {
            assert!(catch_unwind(AssertUnwindSafe(panics)).is_err());
            assert!(catch_unwind(AssertUnwindSafe(panics_async)).is_err());
            left().unwrap()
        });
        assert_eq!((outcome, left().unwrap()), (Ok(Some(3 * SECOND)), None));
    }

    #[test]
    fn sync_and_async_calls_nest_in_each_other() {
        let _clock = TurnedClock::start();
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let [one, two] = [SECOND, 2 * SECOND];
        let doubly = within_sync(two, || within_sync(one, || left().unwrap()).unwrap());
        let async_inside = within_sync(two, || runtime.block_on(left_async()).unwrap());
        let in_async = runtime.block_on(within(two, async || within_sync(one, || left().unwrap())));
        assert_eq!((doubly.unwrap(), async_inside.unwrap()), (Some(one), Some(two)));
        assert_eq!(in_async.unwrap().unwrap(), Some(one));
    }

    #[test]
    fn policies_and_attributes_nest_in_each_other() {
        let _clock = TurnedClock::start();
        let policy = Policy::builder().retries(1).deadline(2 * SECOND).build().unwrap();
        let outer = policy.run(|| io::Result::Ok(left().unwrap()));
        assert_eq!(outer.unwrap(), Some(2 * SECOND));
        let inner = within_sync(SECOND, || policy.run_with_context(|cx| io::Result::Ok(cx.remaining())));
        assert_eq!(inner.unwrap().unwrap(), Some(SECOND));
        let outer_async = policy.run_async(|| async { io::Result::Ok(left().unwrap()) });
        assert_eq!(ready(outer_async).unwrap(), Some(2 * SECOND));
    }

    #[test]
    fn recursion_keeps_the_first_deadline_however_deep() {
        #[resilient(retries = 1, deadline = "9s", breaker = "recursion", concurrency = 1_000)]
        fn recurse(clock: &TurnedClock, depth: u32) -> Result<Option<Duration>, ServiceError> {
            clock.advance(millis(1));
            if depth == 0 { Ok(left().unwrap()) } else { recurse(clock, depth - 1) }
        }
        let clock = TurnedClock::start();
        assert_eq!(recurse(&clock, 300), Ok(Some(millis(9_000 - 301))));
    }

    #[tokio::test(start_paused = true)]
    async fn and_so_does_async_recursion() {
        #[resilient(retries = 1, deadline = "9s")]
        async fn recurse(depth: u32) -> Result<Option<Duration>, ServiceError> {
            sleep(millis(1)).await;
            let inner: Pin<Box<dyn Future<Output = _>>> = Box::pin(recurse(depth.saturating_sub(1)));
            if depth == 0 { Ok(left().unwrap()) } else { inner.await }
        }
        assert_eq!(recurse(99).await, Ok(Some(millis(9_000 - 100))));
    }
}

mod budgets {
    use super::*;

    fn policy(budget: &str, retries: u32) -> Policy {
        let builder = Policy::builder().retries(retries).shared_budget(budget).base_delay(Duration::from_nanos(1));
        builder.backoff(Backoff::Constant).jitter(Jitter::None).build().unwrap()
    }

    /// The retries that a pool has left; it is empty afterwards.
    fn left_in(budget: &str) -> u32 {
        let attempts = Counter::default();
        drop(policy(budget, 1_000).run(|| {
            attempts.count();
            Err::<(), _>(ServiceError::Reset)
        }));
        attempts.get() - 1
    }

    #[test]
    fn in_an_outage_nested_retries_add_no_more_than_the_outer_pool() {
        #[resilient(retries = 3, base_delay = "1ns", backoff = constant, jitter = none)]
        fn inner(requests: &Counter) -> Result<(), ServiceError> {
            requests.count();
            Err(ServiceError::Reset)
        }
        #[resilient(retries = 3, base_delay = "1ns", backoff = constant, jitter = none)]
        fn outer(requests: &Counter) -> Result<(), ServiceError> {
            inner(requests)
        }
        let (_clock, requests) = (TurnedClock::start(), Counter::default());
        assert_eq!(outer(&requests), Err(ServiceError::Reset));
        assert_eq!(requests.get(), 4 * 4, "all of them while the pool has it");
        (1..1_000).for_each(|_| drop(outer(&requests)));
        assert_eq!(requests.get(), 1_000 + 100);
    }

    #[test]
    fn each_of_three_levels_pays_for_a_retry_of_the_innermost() {
        let _clock = TurnedClock::start();
        let names = ["three levels: outer", "three levels: middle", "three levels: inner"];
        let [outer, middle, inner] = [policy(names[0], 1), policy(names[1], 1), policy(names[2], 7)];
        let fails = Cell::new(7_u32);
        let failing = || {
            inner.run(|| {
                let left = fails.get();
                fails.set(left.saturating_sub(1));
                if left == 0 { Err(ServiceError::NotFound) } else { Err(ServiceError::Reset) }
            })
        };
        let outcome: Result<(), _> = ready(outer.run_async(|| async { middle.run(failing) }));
        assert_eq!(outcome, Err(ServiceError::NotFound));
        assert_eq!(names.map(left_in), [93, 93, 93]);
    }

    #[test]
    fn a_pool_that_is_shared_with_the_outer_call_pays_once() {
        let _clock = TurnedClock::start();
        let both = policy("shared with the outer", 1);
        drop(both.run(|| both.run(|| Err::<(), _>(ServiceError::Reset))));
        assert_eq!(left_in("shared with the outer"), 100 - 3);
    }

    #[test]
    fn an_empty_outer_pool_ends_an_inner_call_with_its_error_and_spares_its_pool() {
        let _clock = TurnedClock::start();
        assert_eq!(left_in("empty outer"), 100);
        let attempts = Counter::default();
        let (outer, inner) = (policy("empty outer", 1), policy("spared inner", 5));
        let outcome = outer.run(|| {
            inner.run(|| {
                attempts.count();
                Err::<(), _>(ServiceError::Reset)
            })
        });
        assert_eq!((outcome, attempts.get()), (Err(ServiceError::Reset), 1));
        assert_eq!(left_in("spared inner"), 100);
    }

    #[test]
    fn only_the_outermost_success_earns() {
        let _clock = TurnedClock::start();
        let names = ["earns: outer", "earns: inner"];
        let [outer, inner] = names.map(|name| policy(name, 1));
        assert_eq!(names.map(left_in), [100, 100]);
        let succeed = || inner.run(|| Ok::<_, ServiceError>(()));
        (0..10).for_each(|_| outer.run(|| succeed().and_then(|()| succeed())).unwrap());
        assert_eq!(names.map(left_in), [2, 0]);
        (0..10).for_each(|_| succeed().unwrap());
        assert_eq!(names.map(left_in), [0, 2]);
    }

    #[test]
    fn a_call_around_it_that_never_retries_changes_nothing() {
        #[resilient(deadline = "9s", breaker = "never retries")]
        fn outer(body: impl Fn() -> Result<(), ServiceError>) -> Result<(), ServiceError> {
            body()
        }
        let _clock = TurnedClock::start();
        let inner = policy("inside one that never retries", 1);
        assert_eq!(left_in("inside one that never retries"), 100);
        (0..5).for_each(|_| outer(|| inner.run(|| Ok(()))).unwrap());
        assert_eq!(left_in("inside one that never retries"), 1);
    }

    #[test]
    fn the_pool_of_a_dropped_policy_is_full_again_for_the_next() {
        let _clock = TurnedClock::start();
        let retries = || {
            let policy = Policy::builder().retries(1_000).base_delay(Duration::from_nanos(1)).jitter(Jitter::None);
            let (policy, attempts) = (policy.backoff(Backoff::Constant).build().unwrap(), Counter::default());
            drop(policy.run(|| {
                attempts.count();
                Err::<(), _>(ServiceError::Reset)
            }));
            attempts.get() - 1
        };
        assert_eq!([(); 3].map(|()| retries()), [100; 3]);
    }
}
