//! What the acts must show.

use crate::contender::Contender;
use crate::figures::Figures;
use crate::storm::Played;
use std::time::Duration;

/// How long the circuit is open for the third time, which is when the outage ends.
const OPEN_PERIOD: Duration = Duration::from_secs(4);
const SOON_AFTER_THE_STALL: Duration = Duration::from_millis(1500);

pub(crate) struct Finding {
    pub(crate) is_true: bool,
    pub(crate) text: String,
}

/// Of the two acts in full length.
pub(crate) fn findings(outage: &Played, stall: &Played) -> Vec<Finding> {
    let of = |played: &Played, contender, judge: fn(&Figures) -> Finding| played.of(contender).map(judge);
    [
        of(outage, Contender::WithBudgetAndBreaker, |ours| Finding {
            is_true: ours.requests_per_call <= 0.05,
            text: format!("A: {:.3} requests per call reached the dead server (at most 0.05)", ours.requests_per_call),
        }),
        of(outage, Contender::NaiveLoop, |naive| Finding {
            is_true: naive.requests_per_call >= 3.5,
            text: format!("A: naive loop: {:.2} requests per call (almost 4)", naive.requests_per_call),
        }),
        of(outage, Contender::WithBudgetAndBreaker, |ours| Finding {
            is_true: ours.back_after.is_some_and(|after| after <= OPEN_PERIOD),
            text: format!("A: {} (within one open period, then 4 s)", back(ours)),
        }),
        of(stall, Contender::WithBudgetAndBreaker, |ours| Finding {
            is_true: ours.back_after.is_some_and(|after| after <= SOON_AFTER_THE_STALL),
            text: format!("B: {} (at most 1.5 s)", back(ours)),
        }),
        of(stall, Contender::NaiveLoop, |naive| Finding {
            is_true: naive.back_after.is_none(),
            text: format!("B: naive loop: {} (never, in 15 s)", back(naive)),
        }),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn back(figures: &Figures) -> String {
    let after = |after: Duration| format!("all calls went well again after {:.2} s", after.as_secs_f64());
    figures.back_after.map_or_else(|| "calls never went well again".to_owned(), after)
}
