mod retry_info;

use crate::rejected::{Kind, Rejected, refusal_in};
use crate::verdict::{Classify, Verdict};
use std::error::Error as _;
use std::sync::Arc;
use std::time::Duration;
use tonic::{Code, Status};

/// How a server tells clients to wait, or with a negative number to stay away (gRFC A6).
const PUSHBACK: &str = "grpc-retry-pushback-ms";

impl Classify for Status {
    /// `UNAVAILABLE`, timeouts, resets and failures without a name of their own are transient, `RESOURCE_EXHAUSTED` and `ABORTED` are
    /// throttled, other codes are permanent. The hint is the longer of `google.rpc.RetryInfo` in the status's details and
    /// `grpc-retry-pushback-ms`; if that one is negative or no number, the server forbids a retry, and the status is ignored. The
    /// whole table is `resilient::verdicts`.
    fn classify(&self) -> Verdict {
        if let Some(refusal) = refusal_in(self.source()) {
            return refusal.verdict();
        }
        let verdict = of_code(self.code());
        if !verdict.is_retryable() {
            return verdict;
        }
        match pushback(self) {
            Pushback::Never => Verdict::Ignored,
            Pushback::None => hinted(verdict, retry_info::read(self.details())),
            Pushback::After(wait) => hinted(verdict, retry_info::read(self.details()).max(Some(wait))),
        }
    }
}

fn of_code(code: Code) -> Verdict {
    match code {
        Code::Ok => Verdict::Success,
        // A caller that gives up hears nothing, so what is heard as `Cancelled` is a timeout or a reset.
        Code::Cancelled | Code::DeadlineExceeded | Code::Unavailable | Code::Unknown | Code::Internal => Verdict::TRANSIENT,
        Code::ResourceExhausted | Code::Aborted => Verdict::Throttled { retry_after: None },
        Code::InvalidArgument
        | Code::NotFound
        | Code::AlreadyExists
        | Code::PermissionDenied
        | Code::FailedPrecondition
        | Code::OutOfRange
        | Code::Unimplemented
        | Code::DataLoss
        | Code::Unauthenticated => Verdict::Permanent,
    }
}

fn hinted(verdict: Verdict, retry_after: Option<Duration>) -> Verdict {
    match verdict {
        Verdict::Transient { .. } => Verdict::Transient { retry_after },
        Verdict::Throttled { .. } => Verdict::Throttled { retry_after },
        unhinted => unhinted,
    }
}

enum Pushback {
    None,
    After(Duration),
    Never,
}

fn pushback(status: &Status) -> Pushback {
    let Some(value) = status.metadata().get(PUSHBACK) else { return Pushback::None };
    match value.to_str().ok().and_then(|text| text.parse().ok()) {
        Some(millis) => Pushback::After(Duration::from_millis(millis)),
        None => Pushback::Never,
    }
}

/// `RESOURCE_EXHAUSTED` for a rate, `DEADLINE_EXCEEDED` for a time limit, `UNAVAILABLE` for an open circuit and a full bulkhead.
///
/// When it is known when to come back, the status says so as `google.rpc.RetryInfo` and as `grpc-retry-pushback-ms`, so that clients
/// in any language wait. The message is the refusal's, names of the function and of what it shares included: a service that keeps them
/// to itself makes its own status with `map_err`. In this process the refusal stays recognisable.
///
/// ```
/// # use resilient_runtime as resilient;
/// use resilient::{Policy, Rejected};
/// use tonic::{Code, Status};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let policy = Policy::builder().breaker("inventory").build()?;
/// resilient::breaker("inventory").force_open();
/// let refused: Result<(), Status> = policy.run(|| Ok(()));
/// assert_eq!(refused.unwrap_err().code(), Code::Unavailable);
/// # Ok(())
/// # }
/// ```
impl From<Rejected> for Status {
    fn from(rejected: Rejected) -> Self {
        let (code, message) = (code_of(rejected.kind()), rejected.to_string());
        let mut status = match rejected.retry_after() {
            Some(wait) => {
                let details = retry_info::write(code as i32, &message, wait);
                let mut status = Self::with_details(code, message, details.into());
                let millis = u64::try_from(wait.as_nanos().div_ceil(1_000_000)).unwrap_or(u64::MAX);
                status.metadata_mut().insert(PUSHBACK, millis.into());
                status
            }
            None => Self::new(code, message),
        };
        status.set_source(Arc::new(rejected));
        status
    }
}

fn code_of(kind: Kind) -> Code {
    match kind {
        Kind::CircuitOpen | Kind::BulkheadFull => Code::Unavailable,
        Kind::RateLimited => Code::ResourceExhausted,
        Kind::Timeout | Kind::DeadlineExceeded => Code::DeadlineExceeded,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::nanos;
    use crate::rejected::{Refusal, Time};
    use std::error::Error;

    const SECOND: Duration = Duration::from_secs(1);

    fn pushed_back(code: Code, pushback: &'static str) -> Status {
        let mut status = Status::new(code, "pushed back");
        status.metadata_mut().insert(PUSHBACK, tonic::metadata::MetadataValue::from_static(pushback));
        status
    }

    #[test]
    fn every_code_has_its_verdict() {
        let verdict = |code| Status::new(code, "a status").classify();
        assert_eq!(verdict(Code::Ok), Verdict::Success);
        for code in [Code::Cancelled, Code::DeadlineExceeded, Code::Unavailable, Code::Unknown, Code::Internal] {
            assert_eq!(verdict(code), Verdict::TRANSIENT, "{code}");
        }
        for code in [Code::ResourceExhausted, Code::Aborted] {
            assert_eq!(verdict(code), Verdict::Throttled { retry_after: None }, "{code}");
        }
        for code in [Code::InvalidArgument, Code::NotFound, Code::FailedPrecondition, Code::Unauthenticated, Code::DataLoss] {
            assert_eq!(verdict(code), Verdict::Permanent, "{code}");
        }
    }

    #[test]
    fn a_server_pushes_back_by_milliseconds() {
        assert_eq!(pushed_back(Code::Unavailable, "1000").classify(), Verdict::Transient { retry_after: Some(SECOND) });
        assert_eq!(pushed_back(Code::ResourceExhausted, "0").classify(), Verdict::Throttled { retry_after: Some(Duration::ZERO) });
        assert_eq!(pushed_back(Code::NotFound, "1000").classify(), Verdict::Permanent);
        for forbidden in ["-1", "", "soon", "1.5", "99999999999999999999"] {
            assert_eq!(pushed_back(Code::Unavailable, forbidden).classify(), Verdict::Ignored, "{forbidden}");
            assert_eq!(pushed_back(Code::NotFound, forbidden).classify(), Verdict::Permanent, "{forbidden}");
        }
    }

    #[test]
    fn the_longer_hint_counts() {
        let details = |wait| retry_info::write(14, "later", wait);
        let status = |wait| Status::with_details(Code::Unavailable, "later", details(wait).into());
        assert_eq!(status(SECOND).classify(), Verdict::Transient { retry_after: Some(SECOND) });
        let mut both = status(SECOND);
        both.metadata_mut().insert(PUSHBACK, 3_000.into());
        assert_eq!(both.classify(), Verdict::Transient { retry_after: Some(SECOND * 3) });
        both.metadata_mut().insert(PUSHBACK, 30.into());
        assert_eq!(both.classify(), Verdict::Transient { retry_after: Some(SECOND) });
    }

    #[test]
    fn a_refusal_tells_clients_when_to_come_back() {
        let wait = SECOND + Duration::from_nanos(1);
        let refusal = Refusal { function: "f", resource: Some("stock"), attempts: 0, time: Time::nanos(nanos(wait)) };
        let status = Status::from(Rejected::RateLimited(refusal));
        assert_eq!((status.code(), retry_info::read(status.details())), (Code::ResourceExhausted, Some(wait)));
        assert_eq!(status.metadata().get(PUSHBACK).and_then(|value| value.to_str().ok()), Some("1001"));
        assert!(status.message().contains("rate limit `stock`"), "{}", status.message());

        let told = |rejected: fn(Refusal) -> Rejected| {
            let status = Status::from(rejected(refusal));
            (status.code(), retry_info::read(status.details()))
        };
        assert_eq!(told(Rejected::CircuitOpen), (Code::Unavailable, Some(wait)));
        assert_eq!(told(Rejected::BulkheadFull), (Code::Unavailable, None));
        assert_eq!(told(Rejected::Timeout), (Code::DeadlineExceeded, None));
        assert_eq!(told(Rejected::DeadlineExceeded), (Code::DeadlineExceeded, None));
    }

    #[test]
    fn a_refusal_inside_stays_a_refusal() {
        let refusal = Refusal { function: "f", resource: None, attempts: 0, time: Time::NONE };
        assert_eq!(Status::from(Rejected::CircuitOpen(refusal)).classify(), Verdict::Ignored);
        assert_eq!(Status::from(Rejected::Timeout(refusal)).classify(), Verdict::TRANSIENT);
        let boxed: Box<dyn Error> = Status::from(Rejected::RateLimited(refusal)).into();
        assert_eq!(boxed.classify(), Verdict::Ignored);
    }

    #[test]
    fn a_boxed_status_is_recognised() {
        let boxed: Box<dyn Error + Send + Sync> = Status::not_found("no such thing").into();
        assert_eq!(boxed.classify(), Verdict::Permanent);
    }
}
