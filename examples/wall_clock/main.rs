//! A service goes down and comes back while the clock on the wall may be turned, which changes nothing: `scripts/clocks` compares what
//! is printed. With the argument `turned` it fails where nobody turned the clock.

use resilient::{Rejected, resilient};
use std::io;
use std::process::ExitCode;
use std::thread::sleep;
use std::time::{Duration, Instant, SystemTime};

#[resilient(
    retries = 2,
    base_delay = "200ms",
    jitter = none,
    breaker(name = "service", failure_threshold = 3, recovery_timeout = "1s", success_threshold = 1)
)]
fn call(attempts: &mut u32, is_up: bool) -> io::Result<()> {
    *attempts += 1;
    if is_up { Ok(()) } else { Err(io::ErrorKind::ConnectionReset.into()) }
}

#[resilient(rate = "4/s", burst = 1, max_wait = none)]
fn paced() {}

fn main() -> ExitCode {
    let mut wall = Wall::new();
    let mut attempts = 0;
    println!("down: ok {}, {attempts} attempts, {:?}", call(&mut attempts, false).is_ok(), state());

    let opened = Instant::now();
    let mut refused = 0_u32;
    while let Err(error) = call(&mut attempts, true) {
        assert!(error.get_ref().and_then(|inner| inner.downcast_ref::<Rejected>()).is_some(), "{error}");
        refused += 1;
        wall.look();
        sleep(Duration::from_millis(20));
    }
    let open_for = opened.elapsed();
    let is_about_a_second = (Duration::from_millis(800)..Duration::from_secs(600)).contains(&open_for);
    println!("back: {attempts} attempts, {:?}, open for about 1 s: {is_about_a_second}, refused: {}", state(), refused > 0);

    let started = Instant::now();
    for _ in 0..9 {
        paced();
        wall.look();
    }
    let is_paced = (Duration::from_millis(1_900)..Duration::from_secs(600)).contains(&started.elapsed());
    println!("nine calls at four a second took about 2 s: {is_paced}");

    eprintln!("the wall clock went an hour ahead {} times, and back {} times", wall.ahead, wall.back);
    let is_turned = wall.ahead > 0 && wall.back > 0;
    if std::env::args().nth(1).as_deref() == Some("turned") && !is_turned {
        eprintln!("nobody turned it both ways");
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

fn state() -> resilient::State {
    resilient::breaker("service").state()
}

/// What the clock on the wall did beside the steady one.
struct Wall {
    shown: SystemTime,
    steady: Instant,
    ahead: u32,
    back: u32,
}

impl Wall {
    fn new() -> Self {
        Self { shown: SystemTime::now(), steady: Instant::now(), ahead: 0, back: 0 }
    }

    fn look(&mut self) {
        const MOST_OF_AN_HOUR: Duration = Duration::from_secs(3_000);
        let (wall, steady) = (SystemTime::now(), Instant::now());
        let expected = self.shown + steady.duration_since(self.steady);
        self.ahead += u32::from(wall > expected + MOST_OF_AN_HOUR);
        self.back += u32::from(wall + MOST_OF_AN_HOUR < expected);
        (self.shown, self.steady) = (wall, steady);
    }
}
