//! What was to be reached, and whether it is.

use crate::figures::Figures;
use resilient_benches::contender::Role;

const TOGETHER: &str = "breaker + bucket + retry, sync";
const CONTENDED: &str = "breaker + bucket + retry, sync, two threads";
const READY: &str = "breaker + bucket + retry + timeout, async, ready";
const PENDING: &str = "breaker + bucket + retry + timeout, async, pending once";
const OPEN: &str = "open circuit, refused";
const CONSECUTIVE: &str = "breaker, consecutive";
const CONSECUTIVE_CONTENDED: &str = "breaker, consecutive, two threads";
const RATIO: &str = "breaker, ratio over 100";
const RATIO_CONTENDED: &str = "breaker, ratio over 100, two threads";
const NUMBERS: &str = "keyed bucket, 10⁶ `u64`";
const TEXTS: &str = "keyed bucket, 10⁶ texts";

const HEAD: &str = "\
| what | target | measured | |
|---|---|---|---|
";

struct Goal {
    what: String,
    target: String,
    measured: String,
    is_reached: bool,
}

pub(crate) fn table(figures: &Figures) -> String {
    let rows: String = targets(figures).into_iter().flatten().map(row).collect();
    format!("{HEAD}{rows}")
}

fn row(Goal { what, target, measured, is_reached }: Goal) -> String {
    format!("| {what} | {target} | {measured} | {} |\n", if is_reached { "reached" } else { "**missed**" })
}

fn targets(figures: &Figures) -> Vec<Option<Goal>> {
    vec![
        to_limit(figures, TOGETHER, 1.3),
        more_instructions(figures, TOGETHER, 30),
        locked(figures, TOGETHER, 1),
        to_best_peer(figures, TOGETHER, 3.0),
        to_limit(figures, READY, 1.4),
        to_best_peer(figures, READY, 4.0),
        to_peer(figures, READY, "tower-resilience", 25.0),
        to_limit(figures, PENDING, 1.1),
        to_best_peer(figures, PENDING, 1.5),
        to_limit(figures, CONTENDED, 1.3),
        to_best_peer(figures, CONTENDED, 3.0),
        to_limit(figures, OPEN, 1.5),
        to_best_peer(figures, OPEN, 2.5),
        locked(figures, CONSECUTIVE, 0),
        locked(figures, RATIO, 0),
        flat(figures, CONSECUTIVE, CONSECUTIVE_CONTENDED),
        flat(figures, RATIO, RATIO_CONTENDED),
        to_best_peer(figures, CONSECUTIVE, 3.0),
        to_best_peer(figures, RATIO, 3.0),
        to_peer(figures, RATIO_CONTENDED, "recloser", 30.0),
        to_best_peer(figures, NUMBERS, 2.0),
        to_best_peer(figures, TEXTS, 2.0),
        bytes_a_key(figures, NUMBERS),
        bytes_a_key(figures, TEXTS),
        Some(allocations(figures)),
    ]
}

fn to_limit(figures: &Figures, case: &str, most: f64) -> Option<Goal> {
    let ratio = figures.ours(case)?.to_limit;
    Some(Goal {
        what: format!("{case}: time"),
        target: format!("≤ {most} × limit"),
        measured: format!("{ratio:.2} ×"),
        is_reached: ratio <= most,
    })
}

fn to_best_peer(figures: &Figures, case: &str, least: f64) -> Option<Goal> {
    let name = figures.best_peer(case)?.name.clone();
    to_peer(figures, case, &name, least)
}

fn to_peer(figures: &Figures, case: &str, peer: &str, least: f64) -> Option<Goal> {
    let ratio = figures.of(case).find(|figure| figure.name == peer)?.to_ours;
    Some(Goal {
        what: format!("{case}: {peer}"),
        target: format!("≥ {least} × slower"),
        measured: format!("{ratio:.2} ×"),
        is_reached: ratio >= least,
    })
}

fn more_instructions(figures: &Figures, case: &str, most: u64) -> Option<Goal> {
    let instructions = figures.ours(case)?.counts?.instructions;
    let more = instructions.saturating_sub(figures.limit(case)?.counts?.instructions);
    Some(Goal {
        what: format!("{case}: instructions"),
        target: format!("≤ {most} more than the limit"),
        measured: format!("{more} more"),
        is_reached: more <= most,
    })
}

fn locked(figures: &Figures, case: &str, most: u64) -> Option<Goal> {
    let locked = figures.ours(case)?.counts?.locked?;
    let what = format!("{case}: locked operations");
    Some(Goal { what, target: format!("{most}"), measured: format!("{locked}"), is_reached: locked <= most })
}

/// Two threads are no slower than one, beside a bare function that has the same two threads.
fn flat(figures: &Figures, one: &str, two: &str) -> Option<Goal> {
    let to_bare = |case| {
        let bare = figures.of(case).find(|figure| figure.role == Some(Role::Bare))?;
        Some(1.0 / bare.to_ours)
    };
    let ratio = to_bare(two)? / to_bare(one)?;
    Some(Goal {
        what: format!("{one}: two threads"),
        target: "flat (within a tenth)".to_owned(),
        measured: format!("{ratio:.2} × one thread"),
        is_reached: ratio <= 1.1,
    })
}

fn bytes_a_key(figures: &Figures, case: &str) -> Option<Goal> {
    let (ours, theirs) = (figures.ours(case)?.bytes_a_key?, figures.best_peer(case)?.bytes_a_key?);
    Some(Goal {
        what: format!("{case}: bytes a key"),
        target: format!("≤ governor's {theirs}"),
        measured: format!("{ours}"),
        is_reached: ours <= theirs,
    })
}

/// A pending timeout may allocate.
fn allocations(figures: &Figures) -> Goal {
    let ours = figures.0.iter().filter(|figure| figure.role == Some(Role::Ours) && figure.case != PENDING);
    let most = ours.filter_map(|figure| figure.allocations).max().unwrap_or(0);
    Goal {
        what: "every case but pending once: allocations".to_owned(),
        target: "0".to_owned(),
        measured: format!("{most}"),
        is_reached: most == 0,
    }
}
