//! How a refusal is put into words.

use crate::call::Kind;
use crate::function::Function;
use std::time::Duration;

const UNITS: [(u64, &str); 4] = [(1, "ns"), (1_000, "µs"), (1_000_000, "ms"), (1_000_000_000, "s")];

/// To a tenth of its unit; up, as who comes back then is to be admitted.
fn rounded(nanos: u64, is_down: bool) -> String {
    let (unit, _) = UNITS.iter().copied().rfind(|(unit, _)| nanos >= *unit).unwrap_or(UNITS[0]);
    let tenth = (unit / 10).max(1);
    let nanos = if is_down { nanos / tenth } else { nanos.div_ceil(tenth) } * tenth;
    let (unit, name) = UNITS.iter().copied().rfind(|(unit, _)| nanos >= *unit).unwrap_or(UNITS[0]);
    format!("{}.{}{name}", nanos / unit, nanos % unit * 10 / unit)
}

pub(crate) fn of(
    kind: Kind,
    name: &str,
    resource: Option<&str>,
    attempts: u32,
    after: Option<u64>,
    function: &Function,
    is_rounded_down: bool,
) -> String {
    let named = |what: &str| resource.map_or_else(|| format!("its {what}"), |name| format!("{what} `{name}`"));
    let later = after.map_or_else(
        || "it admits nothing for now".to_owned(),
        |nanos| format!("try again in {}", rounded(nanos, is_rounded_down)),
    );
    let happened = match kind {
        Kind::CircuitOpen => format!("was refused: {} is open; {later}", named("circuit breaker")),
        Kind::RateLimited => format!("was refused: {} has no token in time; {later}", named("rate limit")),
        Kind::BulkheadFull => format!("was refused: {} is full", named("bulkhead")),
        Kind::Timeout => {
            format!("was stopped: attempt {attempts} took longer than its timeout of {:?}", Duration::from_nanos(function.timeout))
        }
        Kind::DeadlineExceeded => {
            format!("was stopped: the call took longer than its deadline of {:?}", Duration::from_nanos(function.deadline))
        }
    };
    let made = match attempts {
        0 => "not attempted".to_owned(),
        1 => "1 attempt made".to_owned(),
        _ => format!("{attempts} attempts made"),
    };
    format!("`{name}` {happened} ({made})")
}
