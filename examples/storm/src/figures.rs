//! What came of an act for one contender.

use crate::act::Act;
use crate::contender::Contender;
use crate::load::Call;
use std::time::Duration;

/// So long everything must go well for the service to be back.
const UNDISTURBED: Duration = Duration::from_secs(1);
/// What one point of a curve stands for.
pub(crate) const SLICE: Duration = Duration::from_millis(100);

#[derive(Clone, Debug)]
pub(crate) struct Figures {
    pub(crate) contender: Contender,
    /// The share of calls that went well, from the beginning of the fault to the end of the act.
    pub(crate) success: f64,
    /// Of the same calls, well or not.
    pub(crate) median: Duration,
    pub(crate) p95: Duration,
    /// Requests that came to the server while it was down.
    pub(crate) requests_while_down: usize,
    /// The same for each call that began meanwhile.
    pub(crate) requests_per_call: f64,
    /// From the end of the fault until calls went well again, all of them; `None` if that never came.
    pub(crate) back_after: Option<Duration>,
    pub(crate) curve: Vec<Slice>,
}

/// A tenth of a second.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Slice {
    pub(crate) calls: u32,
    pub(crate) successes: u32,
    pub(crate) requests: u32,
}

impl Figures {
    pub(crate) fn new(contender: Contender, act: &Act, calls: &[Call], arrivals: &[Duration]) -> Self {
        let down = &act.fault.during;
        let since: Vec<Call> = calls.iter().filter(|call| call.began >= down.start).copied().collect();
        let meanwhile = calls.iter().filter(|call| down.contains(&call.began)).count();
        let requests_while_down = arrivals.iter().filter(|arrival| down.contains(arrival)).count();
        let mut times: Vec<Duration> = since.iter().map(|call| call.took).collect();
        times.sort_unstable();
        Self {
            contender,
            success: share(since.iter().filter(|call| call.is_ok).count(), since.len()),
            median: quantile(&times, 50),
            p95: quantile(&times, 95),
            requests_while_down,
            requests_per_call: share(requests_while_down, meanwhile),
            back_after: back_after(act, calls),
            curve: curve(act, calls, arrivals),
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "some thousands at most")]
fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

fn quantile(sorted: &[Duration], percent: usize) -> Duration {
    let last = sorted.len().saturating_sub(1);
    sorted.get(last * percent / 100).copied().unwrap_or_default()
}

fn back_after(act: &Act, calls: &[Call]) -> Option<Duration> {
    let end = act.fault.during.end;
    let mut back = end;
    for call in calls.iter().filter(|call| call.began >= end) {
        if !call.is_ok {
            back = call.began + Duration::from_secs(1) / crate::act::CALLS_PER_SECOND;
        } else if call.began >= back + UNDISTURBED {
            return back.checked_sub(end);
        }
    }
    None
}

fn curve(act: &Act, calls: &[Call], arrivals: &[Duration]) -> Vec<Slice> {
    let slice_of = |moment: &Duration| usize::try_from(moment.as_nanos() / SLICE.as_nanos()).unwrap_or(usize::MAX);
    let mut curve = vec![Slice::default(); slice_of(&act.length)];
    for call in calls {
        if let Some(slice) = curve.get_mut(slice_of(&call.began)) {
            slice.calls += 1;
            slice.successes += u32::from(call.is_ok);
        }
    }
    for arrival in arrivals {
        if let Some(slice) = curve.get_mut(slice_of(arrival)) {
            slice.requests += 1;
        }
    }
    curve
}
