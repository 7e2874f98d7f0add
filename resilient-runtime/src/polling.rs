//! Drives a call in a task.

use crate::bucket::{Nap, Sleeper};
use crate::bulkhead::{Bulkhead, Place, Slot};
use crate::call::{Attempting, Call};
use crate::clock::{Alarm, Instant, Limit, now};
use crate::engine::{Engine, Step, Turn};
use crate::random;
use crate::refused::Refused;
use crate::rejected::Rejected;
#[cfg(feature = "testing")]
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
    pub struct Attempt<'c, 'e, 'p, F> {
        call: &'c mut Call<'e, 'p>,
        extra: Extras<'p>,
        #[pin]
        body: F,
    }
}

type Extras<'p> = Option<Pin<Box<Extra<'p>>>>;

pin_project! {
    /// What only an attempt pays for that has to wait: for its turn, or for a body that is pending under a time limit.
    #[project = ExtraProjection]
    enum Extra<'p> {
        Rest { until: Instant, alarm: Alarm },
        Turn { turn: Turn<'p>, wait: Wait<'p> },
        Limit { #[pin] limit: Limit },
    }
}

/// How a turn is waited for.
struct Wait<'p> {
    step: Step<'p>,
    place: Option<Place<'p>>,
    sleeper: Option<Sleeper<'p>>,
    alarm: Alarm,
}

impl<'e, 'p> Call<'e, 'p> {
    pub fn attempt<F: Future>(&mut self, body: F) -> Attempt<'_, 'e, 'p, F> {
        self.attempt = Attempting { is_running: false, may_be_refused: true };
        Attempt { call: self, extra: None, body }
    }

    /// An attempt of which nothing can tell that it was refused.
    pub(crate) fn attempt_anyhow<F: Future>(&mut self, body: F) -> Attempt<'_, 'e, 'p, F> {
        let attempt = self.attempt(body);
        attempt.call.attempt.may_be_refused = false;
        attempt
    }

    /// The same, where every wait is unlimited and nothing can refuse.
    pub fn attempt_unrefused<F: Future>(&mut self, body: F) -> Unrefused<'_, 'e, 'p, F> {
        Unrefused { attempt: self.attempt_anyhow(body) }
    }
}

impl<F: Future> Future for Attempt<'_, '_, '_, F> {
    type Output = Result<F::Output, Rejected>;

    #[inline]
    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let attempt = self.project();
        let (call, extra) = (attempt.call, attempt.extra);
        if call.attempt.is_running {
            call.enter_body();
        } else {
            if extra.is_some() || !call.starts_shortly() {
                ready!(poll_turn(call, extra, context))?;
                call.enter_body();
            }
            call.attempt.is_running = true;
        }
        let polled = attempt.body.poll(context);
        call.leave_body(polled.is_ready());
        match polled {
            Poll::Ready(outcome) => Poll::Ready(Ok(outcome)),
            Poll::Pending => poll_limit(call, extra, context).map(Err),
        }
    }
}

/// What takes over where an attempt is not started and over at once.
fn engine<'c, 'p>(call: &'c mut Call<'_, 'p>) -> &'c mut Engine<'p> {
    let may_be_refused = call.attempt.may_be_refused;
    let engine = call.engine();
    if !may_be_refused {
        engine.refuse_never();
    }
    engine
}

#[cold]
fn poll_turn<'p>(call: &mut Call<'_, 'p>, extra: &mut Extras<'p>, context: &mut Context<'_>) -> Poll<Result<(), Rejected>> {
    ready!(poll_rest(call, extra, context));
    if extra.is_none() {
        if call.attempt.may_be_refused
            && let Some(refused) = call.refusal()
        {
            return Poll::Ready(Err(call.told(refused)));
        }
        if call.starts_late() {
            return Poll::Ready(Ok(()));
        }
        let (start, engine) = (now(), engine(call));
        let mut turn = engine.turn(start);
        match engine.advance(&mut turn, start) {
            Step::Run => return Poll::Ready(Ok(())),
            Step::Refuse(refused) => return Poll::Ready(Err(call.told(refused))),
            step => *extra = Some(Box::pin(Extra::Turn { turn, wait: Wait::of(step) })),
        }
    }
    let Some(ExtraProjection::Turn { turn, wait }) = extra.as_mut().map(|extra| extra.as_mut().project()) else {
        return Poll::Pending;
    };
    let asked = ready!(poll_wait(call.engine(), turn, wait, context));
    *extra = None;
    Poll::Ready(asked.map_err(|refused| call.told(refused)))
}

/// The wait before an attempt that is not the first.
fn poll_rest(call: &mut Call<'_, '_>, extra: &mut Extras<'_>, context: &mut Context<'_>) -> Poll<()> {
    if let Some(until) = call.rest() {
        *extra = Some(Box::pin(Extra::Rest { until, alarm: Alarm::default() }));
    }
    if let Some(ExtraProjection::Rest { until, alarm }) = extra.as_mut().map(|extra| extra.as_mut().project()) {
        ready!(poll_pause(alarm, *until, context));
        *extra = None;
    }
    Poll::Ready(())
}

fn poll_wait<'p>(
    engine: &mut Engine<'p>,
    turn: &mut Turn<'p>,
    wait: &mut Wait<'p>,
    context: &mut Context<'_>,
) -> Poll<Result<(), Refused>> {
    loop {
        if let Some(slot) = ready!(wait.poll(context)) {
            turn.seat(slot);
        }
        match engine.advance(turn, now()) {
            Step::Run => return Poll::Ready(Ok(())),
            Step::Refuse(refused) => return Poll::Ready(Err(refused)),
            step => *wait = Wait::of(step),
        }
    }
}

/// The body is pending: only now is its timer worth having.
#[cold]
fn poll_limit<'p>(call: &mut Call<'_, 'p>, extra: &mut Extras<'p>, context: &mut Context<'_>) -> Poll<Rejected> {
    if extra.is_none() {
        let now = now();
        let ends = if call.is_short() { call.times_out(now) } else { engine(call).body_ends(now) };
        if ends == Instant::NEVER {
            return Poll::Pending;
        }
        *extra = Some(Box::pin(Extra::Limit { limit: Limit::new(ends, now) }));
    }
    let Some(ExtraProjection::Limit { limit }) = extra.as_mut().map(|extra| extra.as_mut().project()) else {
        return Poll::Pending;
    };
    ready!(limit.poll(context));
    let refused = engine(call).stop_body(now(), random::number());
    Poll::Ready(call.told(refused))
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
    pub struct Unrefused<'c, 'e, 'p, F> {
        #[pin]
        attempt: Attempt<'c, 'e, 'p, F>,
    }
}

impl<F: Future> Future for Unrefused<'_, '_, '_, F> {
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
