//! Whether the story is true, by the server's own record.

use crate::story::{CALLS_AT_ONCE, Outage};
use crate::timeline::Timeline;
use flaky_server::Record;
use std::time::Duration;

const SECOND: Duration = Duration::from_secs(1);
/// Ten calls at ten per second take 900 ms from first to last; a busy machine may start the first of them late.
const LEAST_TIME_OF_THE_CROWD: Duration = Duration::from_millis(600);

/// Prints what was found, and returns whether all of it is as it should be.
pub(crate) fn print(record: &Record, outage: &Outage, timeline: &Timeline) -> bool {
    Timeline::title("By the server's own record");
    let findings = [
        hiccups(&record.for_path("/hiccups")),
        unknown(&record.for_path("/unknown")),
        throttled("seconds", &record.for_path("/busy")),
        throttled("a date", &record.for_path("/evening")),
        while_open(record, outage, timeline),
        during_outage(&record.for_path("/outage"), outage),
        crowd(&record.for_path("/crowd")),
    ];
    for (is_true, text) in &findings {
        println!("{:>8}  {text}", if *is_true { "ok" } else { "WRONG" });
    }
    findings.iter().all(|(is_true, _)| *is_true)
}

type Finding = (bool, String);

fn hiccups(record: &Record) -> Finding {
    let is_true = record.statuses() == [Some(503), None, Some(200)];
    (is_true, format!("a call through two hiccups: {} requests", record.len()))
}

fn unknown(record: &Record) -> Finding {
    (record.len() == 1, format!("a call that got 404: {} request", record.len()))
}

fn throttled(form: &str, record: &Record) -> Finding {
    let wait = record.gaps().first().copied().unwrap_or_default();
    let is_true = record.statuses() == [Some(429), Some(200)] && wait >= SECOND;
    (is_true, format!("told by {form} to wait 1 s: the next request came after {:.2} s", wait.as_secs_f64()))
}

fn while_open(record: &Record, outage: &Outage, timeline: &Timeline) -> Finding {
    let (opened, half_open) = (timeline.first("circuit_opened"), timeline.first("circuit_half_open"));
    let (Some(opened), Some(half_open)) = (opened, half_open) else {
        return (false, "the circuit did not open and recover".to_owned());
    };
    let requests = record.arrivals().into_iter().filter(|&arrival| arrival > opened && arrival < half_open).count();
    let open_for = half_open.duration_since(opened).as_secs_f64();
    let text = format!(
        "circuit open for {open_for:.2} s: {} calls refused, the slowest in {:.0?}, and {requests} requests",
        outage.refused, outage.slowest_refusal
    );
    (requests == 0 && outage.refused > 0, text)
}

fn during_outage(record: &Record, outage: &Outage) -> Finding {
    let (failed, served) = (record.count_status(500), record.count_status(200));
    let text = format!("{} calls around the outage: {failed} requests failed, then {served} closed the circuit", outage.calls + 1);
    (failed == 3 && served == 2, text)
}

fn crowd(record: &Record) -> Finding {
    let gaps = record.gaps();
    let smallest = gaps.iter().min().copied().unwrap_or_default();
    let is_true = record.len() == CALLS_AT_ONCE && gaps.iter().sum::<Duration>() >= LEAST_TIME_OF_THE_CROWD;
    (is_true, format!("{} calls at once, ten a second: the smallest gap was {:.0?}", record.len(), smallest))
}
