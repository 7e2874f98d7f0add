//! An answer as bytes, and when to send them: pure, the time comes in as an argument.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::answer::{Answer, Ending, RetryAfter};
use crate::request::Request;
use crate::valid;

const PIECES_OF_A_SLOW_BODY: usize = 10;

/// The last second of the year 9999, beyond which HTTP dates cannot be written.
const LAST_DATE: u64 = 253_402_300_799;

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Piece {
    /// How long to wait before sending it.
    pub(crate) pause: Duration,
    pub(crate) bytes: Vec<u8>,
}

pub(crate) fn pieces(answer: &Answer, request: &Request, now: SystemTime) -> Vec<Piece> {
    let head = head(answer, request.keeps_alive, now);
    let body = body(answer, &request.method);
    if answer.body_time.is_zero() || body.is_empty() {
        return vec![Piece { pause: Duration::ZERO, bytes: [&head, body].concat() }];
    }
    spread(head, body, answer.body_time)
}

fn spread(head: Vec<u8>, body: &[u8], time: Duration) -> Vec<Piece> {
    let chunks = body.chunks(body.len().div_ceil(PIECES_OF_A_SLOW_BODY));
    let count = u32::try_from(chunks.len()).unwrap_or(1);
    let pause = time.checked_div(count).unwrap_or(time);
    let head = Piece { pause: Duration::ZERO, bytes: head };
    let body = chunks.map(|chunk| Piece { pause, bytes: chunk.to_vec() });
    std::iter::once(head).chain(body).collect()
}

fn head(answer: &Answer, keeps_alive: bool, now: SystemTime) -> Vec<u8> {
    let mut lines = vec![format!("HTTP/1.1 {} ", answer.status), format!("Date: {}", present(now))];
    lines.extend(answer.headers.iter().map(|(name, value)| format!("{name}: {value}")));
    lines.extend(answer.retry_after.map(|wait| retry_after(wait, now)));
    lines.extend(content_length(answer));
    lines.extend((!keeps_alive).then(|| "Connection: close".to_owned()));
    (lines.join("\r\n") + "\r\n\r\n").into_bytes()
}

fn retry_after(wait: RetryAfter, now: SystemTime) -> String {
    match wait {
        RetryAfter::Seconds(wait) => format!("Retry-After: {}", whole_seconds(wait)),
        RetryAfter::Date(wait) => format!("Retry-After: {}", later(now, wait)),
    }
}

fn date(seconds_since_epoch: u64) -> String {
    let time = Duration::from_secs(seconds_since_epoch.min(LAST_DATE));
    httpdate::fmt_http_date(UNIX_EPOCH + time)
}

fn present(now: SystemTime) -> String {
    date(since_epoch(now).as_secs())
}

fn later(now: SystemTime, wait: Duration) -> String {
    date(whole_seconds(since_epoch(now).saturating_add(wait)))
}

fn since_epoch(now: SystemTime) -> Duration {
    now.duration_since(UNIX_EPOCH).unwrap_or_default()
}

fn whole_seconds(time: Duration) -> u64 {
    let begun = u64::from(time.subsec_nanos() > 0);
    time.as_secs().saturating_add(begun)
}

fn content_length(answer: &Answer) -> Option<String> {
    let announced = match answer.ending {
        Ending::CutMidBody => answer.body.len().max(1),
        _ => answer.body.len(),
    };
    valid::may_have_body(answer.status).then(|| format!("Content-Length: {announced}"))
}

fn body<'a>(answer: &'a Answer, method: &str) -> &'a [u8] {
    match answer.ending {
        _ if method == "HEAD" => &[],
        Ending::CutMidBody => &answer.body[..answer.body.len() / 2],
        _ => &answer.body,
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, UNIX_EPOCH};

    use super::{later, present, spread, whole_seconds};

    #[test]
    fn seconds_are_rounded_up() {
        assert_eq!(whole_seconds(Duration::ZERO), 0);
        assert_eq!(whole_seconds(Duration::from_nanos(1)), 1);
        assert_eq!(whole_seconds(Duration::from_secs(2)), 2);
        assert_eq!(whole_seconds(Duration::MAX), u64::MAX);
    }

    #[test]
    fn a_date_to_wait_for_is_rounded_up_and_the_present_down() {
        let now = UNIX_EPOCH + Duration::from_millis(1500);
        assert_eq!(present(now), "Thu, 01 Jan 1970 00:00:01 GMT");
        assert_eq!(later(now, Duration::ZERO), "Thu, 01 Jan 1970 00:00:02 GMT");
        assert_eq!(later(now, Duration::from_secs(1)), "Thu, 01 Jan 1970 00:00:03 GMT");
    }

    #[test]
    fn dates_end_with_the_year_9999() {
        assert_eq!(later(UNIX_EPOCH, Duration::MAX), "Fri, 31 Dec 9999 23:59:59 GMT");
    }

    #[test]
    fn a_clock_before_1970_reads_1970() {
        let now = UNIX_EPOCH - Duration::from_secs(1);
        assert_eq!(present(now), "Thu, 01 Jan 1970 00:00:00 GMT");
    }

    #[test]
    fn a_slow_body_is_whole_and_takes_its_time() {
        for length in 1..100 {
            let body = vec![7; length];
            let pieces = spread(Vec::new(), &body, Duration::from_secs(2520));
            let sent: Vec<u8> = pieces.iter().flat_map(|piece| piece.bytes.clone()).collect();
            let time: Duration = pieces.iter().map(|piece| piece.pause).sum();
            assert_eq!((sent, time), (body, Duration::from_secs(2520)));
            assert!(pieces.len() <= 11);
        }
    }
}
