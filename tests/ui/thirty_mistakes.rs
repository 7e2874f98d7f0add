//! One build reports them all, each on its own token, and nothing else.

use resilient::{Classify, resilient};
use std::io;

#[resilient(retrys = 3)]
fn m01() -> io::Result<()> {
    Ok(())
}

#[resilient(max_attempts = 3)]
async fn m02() -> io::Result<()> {
    Ok(())
}

#[resilient(retries = 0)]
fn m03() -> io::Result<()> {
    Ok(())
}

#[resilient(retries = "3")]
fn m04() -> io::Result<()> {
    Ok(())
}

#[resilient(retries)]
fn m05() -> io::Result<()> {
    Ok(())
}

#[resilient(retries = 3, base_delay = "20s")]
fn m06() -> io::Result<()> {
    Ok(())
}

#[resilient(retries = 3, jitter = 2.5)]
fn m07() -> io::Result<()> {
    Ok(())
}

#[resilient(retries = 3, backoff = linaer)]
fn m08() -> io::Result<()> {
    Ok(())
}

#[resilient(retries = 3, budget = 11)]
fn m09() -> io::Result<()> {
    Ok(())
}

#[resilient(timeout = "5 secs")]
async fn m10() -> io::Result<()> {
    Ok(())
}

#[resilient(timeout = 2)]
async fn m11() -> io::Result<()> {
    Ok(())
}

#[resilient(timeout = "2s")]
fn m12() -> io::Result<()> {
    Ok(())
}

#[resilient(timeout = "2s", deadline = "1s")]
async fn m13() -> io::Result<()> {
    Ok(())
}

#[resilient(deadline = "1s", map_err = 3)]
fn m14() -> io::Result<()> {
    Ok(())
}

#[resilient(breaker(name = "payments", failure_treshold = 3))]
fn m15() -> io::Result<()> {
    Ok(())
}

#[resilient(breaker(failure_threshold = 3))]
fn m16() -> io::Result<()> {
    Ok(())
}

#[resilient(breaker = "")]
fn m17() -> io::Result<()> {
    Ok(())
}

#[resilient(rate = 0)]
fn m18() -> io::Result<()> {
    Ok(())
}

#[resilient(rate = "10/second")]
fn m19() -> io::Result<()> {
    Ok(())
}

#[resilient(deadline = "1s", burst = 3)]
fn m20() -> io::Result<()> {
    Ok(())
}

#[resilient(rate = limit)]
fn m21(limit: u32) -> io::Result<u32> {
    Ok(limit)
}

#[resilient(retries = 3, clone(ordr))]
fn m22(order: String) -> io::Result<usize> {
    Ok(order.len())
}

#[resilient(retries = 3, reuse(order))]
fn m23(order: String) -> io::Result<usize> {
    Ok(order.len())
}

#[resilient]
fn m24() -> io::Result<()> {
    Ok(())
}

#[resilient(retries = 3)]
const fn m25() -> io::Result<()> {
    Ok(())
}

#[resilient(retries = 3)]
struct M26;

trait M27 {
    #[resilient(retries = 3)]
    fn m27(&self) -> io::Result<()>;
}

struct M28(u32);

impl M28 {
    #[resilient(retries = 3)]
    fn m28(mut self) -> io::Result<u32> {
        self.0 += 1;
        Ok(self.0)
    }
}

#[derive(Classify)]
enum M29 {
    #[throttled(retry_after = wiat)]
    Busy { wait: std::time::Duration },
}

#[resilient(deadline = "1s", fallback = |_| Ok(()), map_err = io::Error::other)]
fn m30() -> io::Result<()> {
    Ok(())
}

impl M27 for M26 {
    fn m27(&self) -> io::Result<()> {
        Ok(())
    }
}

fn main() {
    let _ = (m01(), m02(), m03(), m04(), m05(), m06(), m07(), m08(), m09(), m10());
    let _ = (m11(), m12(), m13(), m14(), m15(), m16(), m17(), m18(), m19(), m20());
    let _ = (m21(1), m22(String::new()), m23(String::new()), m24(), m25(), M26.m27(), M28(1).m28());
    let _ = (M29::Busy { wait: std::time::Duration::ZERO }.classify(), m30());
}
