mod calls;
mod server;

use crate::support::{Attempts, within};
use calls::{Channel, channel, hasty_channel, lazy_channel, unary};
use resilient::{Classify as _, Policy, Rate, State, Verdict, breaker, resilient};
use server::{Answer, Server};
use std::time::Duration;
use tonic::{Code, Status};

/// `{ code: 14, details: [RetryInfo { retry_delay: 0.3 s }] }`, as `protoc --encode` writes it.
const RETRY_INFO: &[u8] =
    b"\x08\x0e\x1a\x34\x0a\x28type.googleapis.com/google.rpc.RetryInfo\x12\x08\x0a\x06\x10\x80\xc6\x86\x8f\x01";
const HINT: Duration = Duration::from_millis(300);

#[resilient(retries = 2, base_delay = "1ms", budget = none)]
async fn stock(attempts: &Attempts, channel: &Channel) -> Result<(), Status> {
    attempts.begin();
    attempts.note(unary(channel).await)
}

#[resilient(retries = 2, base_delay = "1ms", budget = none)]
async fn untyped(channel: &Channel) -> anyhow::Result<()> {
    Ok(unary(channel).await?)
}

/// How many requests a function makes when all is well after this answer, and what it took the answer for.
async fn after(answer: Answer) -> (usize, Vec<Verdict>) {
    let server = Server::start([answer.clone()]).await;
    let attempts = Attempts::default();
    let outcome = stock(&attempts, &channel(server.port()).await).await;
    assert_eq!(outcome.is_ok(), attempts.get() == 2, "{outcome:?}");

    let same = Server::start([answer]).await;
    assert_eq!(untyped(&channel(same.port()).await).await.is_ok(), outcome.is_ok());
    assert_eq!(same.arrivals().len(), server.arrivals().len());
    (server.arrivals().len(), attempts.verdicts())
}

fn pushed_back(code: Code, pushback: &'static str) -> Answer {
    let mut status = Status::new(code, "pushed back");
    status.metadata_mut().insert("grpc-retry-pushback-ms", tonic::metadata::MetadataValue::from_static(pushback));
    Answer::Status(status)
}

#[tokio::test]
async fn codes_that_may_pass_are_asked_again() {
    within(async {
        for code in [Code::Unavailable, Code::DeadlineExceeded, Code::Cancelled, Code::Unknown, Code::Internal] {
            assert_eq!(after(Answer::of(code)).await, (2, vec![Verdict::TRANSIENT]), "{code}");
        }
        for code in [Code::ResourceExhausted, Code::Aborted] {
            assert_eq!(after(Answer::of(code)).await, (2, vec![Verdict::Throttled { retry_after: None }]), "{code}");
        }
    })
    .await;
}

#[tokio::test]
async fn codes_that_would_come_again_are_final() {
    within(async {
        for code in [
            Code::InvalidArgument,
            Code::NotFound,
            Code::AlreadyExists,
            Code::PermissionDenied,
            Code::Unauthenticated,
            Code::FailedPrecondition,
            Code::OutOfRange,
            Code::Unimplemented,
            Code::DataLoss,
        ] {
            assert_eq!(after(Answer::of(code)).await, (1, vec![Verdict::Permanent]), "{code}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_stream_that_is_reset_is_asked_for_again() {
    within(async {
        for reason in [h2::Reason::CANCEL, h2::Reason::REFUSED_STREAM, h2::Reason::INTERNAL_ERROR, h2::Reason::NO_ERROR] {
            assert_eq!(after(Answer::Reset(reason)).await, (2, vec![Verdict::TRANSIENT]), "{reason:?}");
        }
        let calm = Verdict::Throttled { retry_after: None };
        assert_eq!(after(Answer::Reset(h2::Reason::ENHANCE_YOUR_CALM)).await, (2, vec![calm]));
    })
    .await;
}

#[tokio::test]
async fn an_answer_that_is_late_arrives_as_cancelled_and_is_asked_for_again() {
    within(async {
        let server = Server::start([Answer::Never]).await;
        let attempts = Attempts::default();
        stock(&attempts, &hasty_channel(server.port(), Duration::from_secs(2)).await).await.unwrap();
        assert_eq!((server.arrivals().len(), attempts.verdicts()), (2, vec![Verdict::TRANSIENT]));

        let late = Server::start([Answer::Never]).await;
        assert_eq!(unary(&hasty_channel(late.port(), Duration::from_millis(50)).await).await.unwrap_err().code(), Code::Cancelled);
    })
    .await;
}

#[tokio::test]
async fn a_hint_is_waited_for() {
    within(async {
        let details = Status::with_details(Code::Unavailable, "later", RETRY_INFO.into());
        for answer in [Answer::Status(details), pushed_back(Code::ResourceExhausted, "300")] {
            let server = Server::start([answer]).await;
            stock(&Attempts::default(), &channel(server.port()).await).await.unwrap();
            let arrivals = server.arrivals();
            assert!(arrivals.len() == 2 && arrivals[1] - arrivals[0] >= HINT, "{arrivals:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_pushback_that_is_negative_or_no_number_forbids_a_retry() {
    within(async {
        for pushback in ["-1", "soon", ""] {
            assert_eq!(after(pushed_back(Code::Unavailable, pushback)).await, (1, vec![Verdict::Ignored]), "{pushback}");
        }
        assert_eq!(after(pushed_back(Code::NotFound, "10")).await, (1, vec![Verdict::Permanent]));
    })
    .await;
}

#[tokio::test]
async fn a_server_that_is_not_there_is_unavailable() {
    within(async {
        // Bound and not listening, so that nobody else answers at this address.
        let nobody = tokio::net::TcpSocket::new_v4().unwrap();
        nobody.bind(([127, 0, 0, 1], 0).into()).unwrap();
        let attempts = Attempts::default();
        let status = stock(&attempts, &lazy_channel(nobody.local_addr().unwrap().port())).await.unwrap_err();
        assert_eq!((status.code(), attempts.get()), (Code::Unavailable, 3));
        assert_eq!(attempts.verdicts(), [Verdict::TRANSIENT; 3]);
    })
    .await;
}

#[tokio::test]
async fn a_service_that_refuses_tells_its_clients_when_to_come_back() {
    within(async {
        let policy = Policy::builder().rate(Rate::per_second(2)).max_wait(Duration::ZERO).build().unwrap();
        let server = Server::start([Answer::By(policy.clone()), Answer::By(policy)]).await;
        let (first, second) = (Attempts::default(), Attempts::default());
        let channel = channel(server.port()).await;
        stock(&first, &channel).await.unwrap();
        stock(&second, &channel).await.unwrap();
        let [Verdict::Throttled { retry_after: Some(wait) }] = second.verdicts()[..] else { panic!("{:?}", second.verdicts()) };
        assert!(wait <= Duration::from_millis(500), "{wait:?}");
    })
    .await;
}

#[tokio::test]
async fn an_open_circuit_refuses_with_a_status() {
    #[resilient(retries = 2, base_delay = "1ms", breaker(name = "tonic circuit", failure_threshold = 1))]
    async fn guarded(channel: &Channel) -> Result<(), Status> {
        unary(channel).await
    }

    #[resilient(retries = 2, base_delay = "1ms")]
    async fn around(attempts: &Attempts, channel: &Channel) -> Result<(), Status> {
        attempts.begin();
        guarded(channel).await
    }

    within(async {
        let server = Server::start([Answer::of(Code::Aborted), Answer::of(Code::NotFound), Answer::of(Code::Unavailable)]).await;
        let channel = channel(server.port()).await;
        guarded(&channel).await.unwrap_err();
        assert_eq!(breaker("tonic circuit").state(), State::Closed);
        guarded(&channel).await.unwrap_err();
        assert_eq!(breaker("tonic circuit").state(), State::Open);
        let (attempts, asked) = (Attempts::default(), server.arrivals().len());
        let refused = around(&attempts, &channel).await.unwrap_err();
        assert_eq!((refused.code(), refused.classify(), attempts.get()), (Code::Unavailable, Verdict::Ignored, 1));
        assert_eq!(server.arrivals().len(), asked);
    })
    .await;
}
