//! Drives a call in a task.

use crate::bucket::{Nap, Sleeper};
use crate::bulkhead::{Bulkhead, Place, Slot};
use crate::call::{Call, Delay, Step, Turn};
use crate::clock::{Alarm, Instant, now};
use crate::rejected::Rejected;
use crate::running::Running;
use crate::wishes;
use pin_project_lite::pin_project;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

pin_project! {
    /// One attempt: its turn, then the body under its time limit. Hand-written, because an `async fn` that takes the body's future
    /// would hold it twice (rust-lang/rust#62958).
    #[doc(hidden)]
    #[must_use = "futures do nothing unless polled"]
    pub struct Attempt<'c, 'p, F> {
        call: &'c mut Call<'p>,
        is_running: bool,
        extra: Extras<'p>,
        #[pin]
        body: F,
    }
}

type Extras<'p> = Option<Box<Extra<'p>>>;

/// What only an attempt pays for that has to wait: for its turn, or for a body that is pending under a time limit.
enum Extra<'p> {
    Turn(Turn<'p>, Wait<'p>),
    Limit(Limit),
}

struct Limit {
    ends: Instant,
    alarm: Alarm,
}

/// How a turn is waited for.
struct Wait<'p> {
    step: Step<'p>,
    place: Option<Place<'p>>,
    sleeper: Option<Sleeper<'p>>,
    alarm: Alarm,
}

impl<'p> Call<'p> {
    pub fn attempt<F: Future>(&mut self, body: F) -> Attempt<'_, 'p, F> {
        Attempt { call: self, is_running: false, extra: None, body }
    }

    /// The same, where every wait is unlimited and nothing can refuse.
    pub fn attempt_unrefused<F: Future>(&mut self, body: F) -> Unrefused<'_, 'p, F> {
        self.refuse_never();
        Unrefused { attempt: self.attempt(body) }
    }

    pub fn wait(&mut self, Delay(delay): Delay) -> Pause {
        let delay = if wishes::skips(delay) { 0 } else { delay };
        Pause::until(now().plus(delay))
    }
}

impl<F: Future> Future for Attempt<'_, '_, F> {
    type Output = Result<F::Output, Rejected>;

    #[inline]
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let attempt = self.project();
        let (call, extra) = (attempt.call, attempt.extra);
        if !*attempt.is_running {
            ready!(poll_turn(call, extra, context))?;
            *attempt.is_running = true;
        }
        let running = Running::start(call);
        let polled = attempt.body.poll(context);
        running.finish();
        match polled {
            Poll::Ready(outcome) => {
                call.body_ended();
                Poll::Ready(Ok(outcome))
            }
            Poll::Pending if call.has_limit() => poll_limit(call, extra, context).map(Err),
            Poll::Pending => Poll::Pending,
        }
    }
}

#[inline]
fn poll_turn<'p>(call: &mut Call<'p>, extra: &mut Extras<'p>, context: &mut Context<'_>) -> Poll<Result<(), Rejected>> {
    if extra.is_none() && call.starts_at_once() {
        return Poll::Ready(Ok(()));
    }
    poll_late_turn(call, extra, context)
}

#[cold]
fn poll_late_turn<'p>(call: &mut Call<'p>, extra: &mut Extras<'p>, context: &mut Context<'_>) -> Poll<Result<(), Rejected>> {
    if extra.is_none() {
        let start = now();
        let mut turn = call.turn(start);
        match call.advance(&mut turn, start) {
            Step::Run => return Poll::Ready(Ok(())),
            Step::Refuse(rejected) => return Poll::Ready(Err(rejected)),
            step => *extra = Some(Box::new(Extra::Turn(turn, Wait::of(step)))),
        }
    }
    let Some(Extra::Turn(turn, wait)) = extra.as_deref_mut() else { return Poll::Pending };
    let asked = ready!(poll_wait(call, turn, wait, context));
    *extra = None;
    Poll::Ready(asked)
}

fn poll_wait<'p>(
    call: &mut Call<'p>,
    turn: &mut Turn<'p>,
    wait: &mut Wait<'p>,
    context: &mut Context<'_>,
) -> Poll<Result<(), Rejected>> {
    loop {
        if let Some(slot) = ready!(wait.poll(context)) {
            turn.seat(slot);
        }
        match call.advance(turn, now()) {
            Step::Run => return Poll::Ready(Ok(())),
            Step::Refuse(rejected) => return Poll::Ready(Err(rejected)),
            step => *wait = Wait::of(step),
        }
    }
}

/// The body is pending: only now is its timer worth having.
#[cold]
fn poll_limit<'p>(call: &mut Call<'p>, extra: &mut Extras<'p>, context: &mut Context<'_>) -> Poll<Rejected> {
    let limit = extra.get_or_insert_with(|| {
        let ends = call.body_ends(now());
        Box::new(Extra::Limit(Limit { ends, alarm: Alarm::default() }))
    });
    let Extra::Limit(limit) = &mut **limit else { return Poll::Pending };
    ready!(limit.alarm.poll(limit.ends, context));
    Poll::Ready(call.stop_body(now(), fastrand::u64(..)))
}

impl<'p> Wait<'p> {
    fn of(step: Step<'p>) -> Self {
        Self { step, place: None, sleeper: None, alarm: Alarm::default() }
    }

    /// Ready when it is time to ask again, with a slot if one was handed over.
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Option<Slot<'p>>> {
        match self.step {
            Step::Sleep(nap) => self.poll_nap(nap, context).map(|()| None),
            Step::Queue(bulkhead, until) => self.poll_place(bulkhead, until, context),
            Step::Run | Step::Refuse(_) => Poll::Ready(None),
        }
    }

    fn poll_nap(&mut self, nap: Nap<'p>, context: &mut Context<'_>) -> Poll<()> {
        match &self.sleeper {
            Some(sleeper) => sleeper.wake(context.waker()),
            None => self.sleeper = Some(nap.sleep(context.waker().clone())),
        }
        if nap.is_disturbed() {
            return Poll::Ready(());
        }
        poll_pause(&mut self.alarm, nap.until, context)
    }

    fn poll_place(&mut self, bulkhead: &'p Bulkhead, until: Instant, context: &mut Context<'_>) -> Poll<Option<Slot<'p>>> {
        let place = match self.place.take() {
            Some(place) => place,
            None => match bulkhead.enqueue(context.waker().clone()) {
                Ok(slot) => return Poll::Ready(Some(slot)),
                Err(place) => place,
            },
        };
        place.wake(context.waker());
        match place.take() {
            Ok(slot) => return Poll::Ready(Some(slot)),
            Err(place) => self.place = Some(place),
        }
        if until == Instant::NEVER {
            return Poll::Pending;
        }
        ready!(poll_pause(&mut self.alarm, until, context));
        Poll::Ready(self.place.take().and_then(|place| place.take().ok()))
    }
}

/// A wait between attempts.
#[doc(hidden)]
#[must_use = "futures do nothing unless polled"]
#[derive(Debug)]
pub struct Pause {
    pub(crate) until: Instant,
    alarm: Alarm,
}

impl Pause {
    pub(crate) fn until(until: Instant) -> Self {
        Self { until, alarm: Alarm::default() }
    }
}

impl Future for Pause {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let until = self.until;
        poll_pause(&mut self.alarm, until, context)
    }
}

fn poll_pause(alarm: &mut Alarm, until: Instant, context: &mut Context<'_>) -> Poll<()> {
    #[cfg(feature = "testing")]
    if until > now() && wishes::turn(until.since(now())) {
        return Poll::Ready(());
    }
    alarm.poll(until, context)
}

pin_project! {
    #[doc(hidden)]
    #[must_use = "futures do nothing unless polled"]
    pub struct Unrefused<'c, 'p, F> {
        #[pin]
        attempt: Attempt<'c, 'p, F>,
    }
}

impl<F: Future> Future for Unrefused<'_, '_, F> {
    type Output = F::Output;

    #[inline]
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut attempt = self.project().attempt;
        loop {
            if let Ok(outcome) = ready!(attempt.as_mut().poll(context)) {
                return Poll::Ready(outcome);
            }
        }
    }
}
