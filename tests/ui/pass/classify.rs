//! `#[derive(Classify)]` in every form.

use resilient::{Classify, Rejected, Verdict};
use std::io;
use std::time::Duration;

#[derive(Debug, Classify)]
enum Failed {
    #[transient]
    Once,
    #[transient(retry_after = after)]
    Later { after: Option<Duration>, message: String },
    #[throttled]
    Slower,
    #[throttled(retry_after = 1)]
    Busy(String, Duration),
    #[permanent]
    Never(u32),
    #[ignored]
    Ours { r#type: u32 },
    #[classify(transparent)]
    Io(io::Error),
    #[classify(transparent)]
    Boxed { source: Box<dyn std::error::Error + Send + Sync> },
    Refused(Rejected),
    Other,
}

#[derive(Classify)]
#[classify(default = permanent, crate = "resilient")]
enum Strict {
    #[transient]
    Again,
    Rest(u8),
}

#[derive(Classify)]
#[throttled(retry_after = wait)]
struct Paused {
    wait: Duration,
}

#[derive(Classify)]
#[classify(transparent)]
struct Wrapper<T: std::fmt::Debug>(T);

#[derive(Classify)]
enum Generic<'a, E, const N: usize>
where
    E: Sized,
{
    #[classify(transparent)]
    Inner(E),
    #[permanent]
    Name(&'a [u8; N]),
}

#[derive(Classify)]
enum Nothing {}

#[derive(Classify)]
struct Unmarked;

fn main() {
    let hint = Some(Duration::from_secs(1));
    let later = Failed::Later { after: hint, message: String::new() };
    assert_eq!(Failed::Once.classify(), Verdict::Transient { retry_after: None });
    assert_eq!(later.classify(), Verdict::Transient { retry_after: hint });
    assert_eq!(Failed::Slower.classify(), Verdict::Throttled { retry_after: None });
    assert_eq!(Failed::Busy(String::new(), Duration::from_secs(1)).classify(), Verdict::Throttled { retry_after: hint });
    assert_eq!(Failed::Never(1).classify(), Verdict::Permanent);
    assert_eq!(Failed::Ours { r#type: 1 }.classify(), Verdict::Ignored);
    assert_eq!(Failed::Other.classify(), Verdict::Transient { retry_after: None });
    assert_eq!(Strict::Again.classify(), Verdict::Transient { retry_after: None });
    assert_eq!(Strict::Rest(1).classify(), Verdict::Permanent);
    assert_eq!(Paused { wait: Duration::from_secs(1) }.classify(), Verdict::Throttled { retry_after: hint });
    assert_eq!(Wrapper(Box::new(Failed::Slower)).classify(), Verdict::Throttled { retry_after: None });
    assert_eq!(Generic::<Failed, 1>::Inner(Failed::Slower).classify(), Verdict::Throttled { retry_after: None });
    assert_eq!(Generic::<Failed, 1>::Name(&[1]).classify(), Verdict::Permanent);
    assert_eq!(Unmarked.classify(), Verdict::Transient { retry_after: None });
    let io = Failed::Io(io::ErrorKind::TimedOut.into());
    assert!(matches!(io.classify(), Verdict::Transient { .. }));
    let boxed = Failed::Boxed { source: Box::new(io::Error::from(io::ErrorKind::TimedOut)) };
    let _ = (boxed.classify(), |never: Nothing| never.classify(), Failed::Refused);
}
