//! What the macros emit for these functions and types is in `emitted.expanded`, so that a change is a decision. One of each shape.

#![expect(dead_code, reason = "they are read, not called")]

use resilient::{Classify, Context, Failure, Jitter, Rate, Rejected, Verdict, Window, resilient};
use std::cell::{Cell, RefCell};
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::time::Duration;

const WAIT: Duration = Duration::from_millis(1);
const RATE: Rate = Rate::per(10, Duration::from_secs(1));
const MOST: u32 = 1_000;
const HALF: f64 = 0.5;
const WINDOW: Window = Window::calls(7);

#[resilient(
    retries = 3,
    base_delay = "10ms",
    max_delay = "1m30s",
    backoff = fibonacci,
    jitter = 0.25,
    max_retry_after = "1.5s",
    retry_if = |error| error.kind() == io::ErrorKind::TimedOut,
    budget = 0.2,
    timeout = 250ms,
    deadline = 1h,
    breaker(name = "every key", failure_threshold = 3, recovery_timeout = "2s", max_recovery_timeout = 1min, half_open_calls = 2, success_threshold = 1),
    rate = "5000/h",
    burst = 20,
    bucket = "every key",
    max_wait = "0s",
    concurrency = 16,
    bulkhead = "every key",
    map_err = io::Error::other,
    name = "every_key::literals",
    crate = "resilient",
)]
async fn literals(name: &str) -> io::Result<usize> {
    Ok(name.len())
}

#[resilient(
    retries = MOST + 1,
    base_delay = WAIT,
    max_delay = WAIT * 10,
    jitter = resilient::Jitter::ratio(0.1),
    max_retry_after = limits.1,
    retry_if = is_temporary,
    budget = HALF,
    timeout = limits.0,
    deadline = limits.1 + WAIT,
    breaker = "expressions",
    rate = RATE,
    burst = MOST,
    max_wait = limits.0 * 2,
    concurrency = MOST,
    crate = resilient,
)]
async fn expressions(name: &str, limits: (Duration, Duration)) -> io::Result<usize> {
    Ok(name.len())
}

fn is_temporary(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::TimedOut
}

#[resilient(breaker(
    name = "ratios",
    failure_threshold = 10,
    failure_ratio = 1,
    slow_call_duration = "250ms",
    slow_call_ratio = 0.8,
    window = "1m30s",
    minimum_calls = 1_000,
    shadow = true,
))]
fn ratios() -> io::Result<u32> {
    Ok(1)
}

#[resilient(breaker(
    name = "constants",
    failure_ratio = HALF,
    slow_call_duration = WAIT,
    slow_call_ratio = HALF / 2.0,
    window = WINDOW,
    minimum_calls = MOST - 994,
    shadow = !true,
))]
fn constant_ratios() -> io::Result<u32> {
    Ok(1)
}

#[resilient(
    breaker(name = "groups", key = (tenant, host.to_owned()), max_keys = 10),
    bucket(name = "groups", rate = RATE, burst = 20, key = host, max_keys = MOST),
    bulkhead(name = "groups", concurrency = 16, key = tenant + 1, max_keys = 1_000),
)]
async fn groups(tenant: u64, host: &str) -> io::Result<u64> {
    Ok(tenant + host.len() as u64)
}

#[resilient(rate = 10, concurrency = 2, breaker = "keyed", key = tenant, max_keys = MOST)]
fn keyed<T: Clone + Eq + std::hash::Hash + Send + 'static>(tenant: T) -> io::Result<T> {
    Ok(tenant)
}

#[resilient(retries = 1, backoff = decorrelated, budget = "shared", classify = |outcome: &io::Result<u32>| {
    if outcome.is_ok() { Verdict::Success } else { Verdict::Permanent }
})]
fn classified() -> io::Result<u32> {
    Ok(1)
}

#[resilient(retries = 2, backoff = constant, jitter = none, budget = none, classify = verdict)]
fn plain_and_classified(calls: &mut u32) -> u32 {
    *calls += 1;
    *calls
}

fn verdict(value: &u32) -> Verdict {
    if *value > 1 { Verdict::Success } else { Verdict::Transient { retry_after: None } }
}

#[resilient(retries = 2, backoff = linear, jitter = equal, classify = verdict_of, retry_if = |_| true)]
fn both() -> Result<u32, String> {
    Ok(1)
}

fn verdict_of<E>(outcome: &Result<u32, E>) -> Verdict {
    if outcome.is_ok() { Verdict::Success } else { Verdict::Permanent }
}

#[resilient(rate = 10.5, max_wait = none)]
fn nothing() {}

#[resilient(concurrency = 4, max_wait = none)]
async fn plain(list: Vec<u32>) -> usize {
    list.len()
}

#[resilient(rate = 0.5, map_err = |rejected| format!("{name}: {rejected}"))]
fn refused(name: String) -> Result<usize, String> {
    Ok(name.len())
}

#[resilient(retries = 1, deadline = "1s", fallback = |failure: Failure<String>| {
    let prefix = prefix.await;
    Err(prefix + &failure.to_string())
})]
async fn awaited_fallback(prefix: impl Future<Output = String>) -> Result<u32, String> {
    Err("x".into())
}

#[resilient(fallback = async move |_| Err("async".to_owned()))]
async fn async_fallback() -> Result<u32, String> {
    Err("x".into())
}

#[resilient(timeout = "1s", breaker = "optional", fallback = |_| None)]
async fn optional(list: &[u32]) -> Option<u32> {
    list.first().copied()
}

#[resilient(timeout = "1s", fallback = zero)]
async fn by_path() -> io::Result<u32> {
    Ok(1)
}

fn zero(_: Failure<io::Error>) -> io::Result<u32> {
    Ok(0)
}

#[resilient(breaker = "known", fallback = last_known("10m"))]
fn known(place: u32) -> io::Result<u32> {
    Ok(place)
}

#[resilient(retries = 1, fallback = last_known("10m"), classify = verdict)]
fn known_plain() -> u32 {
    #[cfg(all())]
    {
        drop(known_plain as fn() -> u32);
    }
    1
}

#[resilient(retries = 1, fallback = last_known("10m"), key = place)]
fn known_by_key_alone(place: u32) -> io::Result<u32> {
    Ok(place)
}

#[resilient(retries = 1, fallback = last_known("10m"))]
fn known_without_refusals() -> io::Result<u32> {
    Ok(1)
}

#[resilient(breaker = "known", fallback = last_known("10m"), classify = verdict_of, retry_if = |_| false, retries = 1)]
fn known_and_judged() -> io::Result<u32> {
    Ok(1)
}

#[resilient(breaker = "known", fallback = last_known(WAIT), key = place)]
async fn known_by_key(place: u32) -> io::Result<u32> {
    Ok(place)
}

#[resilient(retries = 2, timeout = "1s", reuse(again), clone(order))]
async fn copies(mut list: Vec<u32>, (mut a, _b): (String, u32), mut again: u32, order: String, mut unique: &mut u32) -> io::Result<u32> {
    let mut other = 1;
    list.push(1);
    a.push('a');
    again += 1;
    drop(order);
    *unique += 1;
    unique = &mut other;
    Ok(again + *unique)
}

#[resilient(retries = 2, clone(order), fallback = |_| { drop(other); Ok(order.len()) })]
fn copies_and_gives_back(order: String, other: String, mut list: Vec<u32>) -> io::Result<usize> {
    drop(order);
    list.push(1);
    Ok(list.len())
}

#[resilient(timeout = "1s")]
async fn returns_unique(list: &mut Vec<u32>) -> io::Result<&mut u32> {
    list.last_mut().ok_or_else(|| io::Error::other("empty"))
}

#[resilient(concurrency = 4)]
fn returns_unique_sync(list: &mut Vec<u32>) -> io::Result<&mut u32> {
    list.last_mut().ok_or_else(|| io::Error::other("empty"))
}

#[resilient(rate = 10, max_wait = none)]
async fn makes_a_future() -> impl Future<Output = u32> {
    async { 1 }
}

#[resilient(retries = 2)]
fn returns_implied(up_to: u32) -> io::Result<impl Iterator<Item = u32> + Clone> {
    Ok(0..up_to)
}

#[resilient(retries = 3, context = cx, clone(order), deadline = "1s")]
async fn submit(order: String) -> io::Result<String> {
    drop(order);
    Ok(header(cx))
}

#[resilient(breaker = "once", context = cx)]
fn once() -> io::Result<String> {
    Ok(header(cx))
}

fn header<E>(cx: &Context<E>) -> String {
    cx.idempotency_key().to_string()
}

#[resilient(retries = 2, base_delay = "1ms")]
fn returns_a_future(name: String, mut list: Vec<u32>) -> impl Future<Output = io::Result<usize>> {
    let name = name + "!";
    list.push(1);
    async move { Ok(list.len() + name.len()) }
}

#[resilient(timeout = "1s", map_err = |rejected| io::Error::other(format!("{whole}: {rejected}")))]
fn declares_what_is_handled(name: String) -> impl Future<Output = io::Result<usize>> {
    let (whole, _) = (name + "!", 1);
    async move { Ok(whole.len()) }
}

#[resilient(retries = 2, timeout = "1s")]
fn returns_a_box(name: &str) -> Pin<Box<dyn Future<Output = io::Result<usize>> + Send + '_>> {
    Box::pin(async move { Ok(name.len()) })
}

struct Point {
    x: u32,
    y: u32,
}

struct Meters(u32);

#[resilient(retries = 2, timeout = 1.5s)]
async fn lends<T: Clone, U1: Clone, LONG: Clone, Said: Clone + Sync>(
    cell: RefCell<u32>,
    generic: T,
    other: U1,
    long: LONG,
    said: Said,
    object: Box<dyn Fn() -> u32 + Send>,
    #[cfg(all())] configured: Cell<u32>,
    (a, ref b, &c): (Cell<u32>, String, &u32),
    [first, ..]: [Cell<u32>; 3],
    Point { x: mut x, y: up }: Point,
    ((inner, _), _): ((Cell<u32>, u32), u32),
    (front, .., back): (u32, u32, u32, Cell<u32>),
    (only, ..): (u32, Cell<u32>),
    &(mut copied): &u32,
    shared_cell: &Cell<u32>,
    Meters(mut m): Meters,
    whole @ (_, _): (u8, u8),
    &d: &u32,
    (e): Cell<u32>,
    ref mut owned: String,
    N: Cell<u32>,
    mut plain: u32,
    unique: &mut u32,
    shared: &u32,
) -> io::Result<u32> {
    x += inner.get() + shared_cell.get();
    copied += 1;
    let _ = (copied, generic.clone(), other.clone(), long.clone(), said.clone(), whole, b.len(), N.get(), front, back.get(), only);
    owned.push('a');
    plain += 1;
    m += 1;
    *unique += a.get() + first.get() + configured.get();
    Ok(*cell.borrow() + object() + c + x + up + m + d + e.get() + plain + shared)
}

#[resilient(timeout = "1s", fallback = |_| Ok(order.len()))]
async fn keeps(order: String, mut list: Vec<u32>, cell: Cell<u32>, mut unique: &mut u32) -> io::Result<usize> {
    list.push(cell.get());
    *unique += 1;
    unique = Box::leak(Box::new(1));
    Ok(list.len() + *unique as usize)
}

#[resilient(retries = 1, clone(order, other), retry_if = |_| order.is_empty() || seen.is_empty())]
async fn looks(order: String, other: String, seen: String) -> io::Result<usize> {
    drop(other);
    Ok(order.into_bytes().len() + seen.len())
}

#[resilient(retries = 1, retry_if = |_| *seen > 1)]
fn looks_at_a_copy(mut seen: Box<u32>, mut N: u32, other: u32) -> io::Result<u32> {
    *seen += 1;
    N += other;
    Ok(N)
}

#[resilient(retries = 2, jitter = spread, max_wait = *patience, concurrency = 2)]
fn tuned(spread: Jitter, patience: &Duration) -> io::Result<u32> {
    Ok(1)
}

#[resilient(breaker(name = "the longest window", failure_ratio = 0.5, window = "24h"))]
fn longest_window() -> io::Result<u32> {
    Ok(1)
}

#[resilient(breaker(name = "a whole window", failure_ratio = 0.5, window = 20, minimum_calls = 20))]
fn whole_window() -> io::Result<u32> {
    Ok(1)
}

#[resilient(retries = 1)]
fn objects() -> io::Result<Box<dyn Fn() -> u32>> {
    Ok(Box::new(|| 1))
}

#[resilient(retries = 1)]
fn borrowing_objects<'a>(number: &'a u32) -> io::Result<Box<dyn Fn() -> u32 + 'a>> {
    Ok(Box::new(|| *number))
}

#[resilient(retries = 1)]
fn borrows<'a>(name: &'a str) -> io::Result<&'a str> {
    Ok(name)
}

#[resilient(retries = 3, context = cx)]
fn looks_back() -> io::Result<String> {
    Ok(format!("{:?}", cx.previous_error()))
}

#[resilient(timeout = "1s")]
#[rustfmt::skip]
fn pins_without_move(cell: Cell<u32>) -> Pin<Box<dyn Future<Output = io::Result<u32>> + Send>> {
    drop(cell);
    Box::pin(async { Ok(1) },)
}

struct Client {
    name: String,
    timeout: Duration,
}

impl Client {
    #[resilient(retries = 2, timeout = self.timeout, fallback = |_| Ok(self.name.clone()))]
    async fn shared(&self, path: &str) -> io::Result<String> {
        #![allow(clippy::useless_format)]
        Ok(format!("{}{path}", self.name))
    }

    #[resilient(retries = 2, reuse(self))]
    fn reused(mut self) -> io::Result<String> {
        self.name.push('a');
        Ok(self.name.clone())
    }

    #[resilient(retries = 2, timeout = "1s", reuse(self))]
    async fn pinned(mut self: Pin<&mut Self>) -> io::Result<usize> {
        self.as_mut().name.push('a');
        Ok(self.name.len())
    }

    #[resilient(retries = 2, timeout = "1s")]
    async fn unique(&mut self) -> io::Result<usize> {
        self.name.push('a');
        Ok(self.name.len())
    }

    #[resilient(retries = 2, timeout = "1s")]
    async fn spelled_out(self: &mut Self) -> io::Result<usize> {
        self.name.push('a');
        Ok(self.name.len())
    }

    #[resilient(retries = 2, timeout = "1s")]
    async fn boxed(self: Box<Self>) -> io::Result<usize> {
        Ok(self.name.len())
    }

    #[resilient(retries = 2, timeout = "1s")]
    async fn untouched(&mut self) -> io::Result<usize> {
        Ok(1)
    }

    #[resilient(timeout = "1s")]
    async fn once(&mut self) -> io::Result<usize> {
        Ok(self.name.len())
    }

    fn failed(&self, rejected: &Rejected) -> io::Error {
        io::Error::other(format!("{}: {rejected}", self.name))
    }

    #[resilient(timeout = "1s", map_err = |rejected| self.failed(&rejected))]
    async fn handled(&mut self, path: &str, #[cfg(all())] cell: Cell<u32>, unique: &mut u32) -> io::Result<usize> {
        self.name.push('a');
        *unique += cell.get();
        Ok(path.len())
    }

    #[resilient(timeout = "1s", map_err = |rejected| self.failed(&rejected))]
    async fn handled_by_value(mut self) -> io::Result<usize> {
        self.name.push('a');
        Ok(self.name.len())
    }

    #[resilient(timeout = "1s", map_err = |rejected| io::Error::other(format!("{path}: {rejected}")))]
    async fn handled_aside(self, path: String) -> io::Result<usize> {
        Ok(self.name.len() + path.len())
    }

    #[resilient(timeout = "1s", map_err = |rejected| io::Error::other(format!("{path}: {}", self.failed(&rejected))))]
    async fn handled_with_a_copy(&self, path: &str) -> io::Result<usize> {
        Ok(self.name.len() + path.len())
    }

    /// As `#[async_trait]` writes it.
    #[resilient(retries = 2, timeout = self.timeout, reuse(again))]
    fn in_a_trait<'life0, 'life1, 'async_trait>(
        &'life0 mut self,
        path: &'life1 str,
        mut again: u32,
        list: Vec<u32>,
        plain: Vec<u32>,
        __arg5: (String, u32),
        __arg6: (Cell<u32>, u32),
    ) -> Pin<Box<dyn Future<Output = io::Result<usize>> + Send + 'async_trait>>
    where
        'life0: 'async_trait,
        'life1: 'async_trait,
        Self: 'async_trait,
    {
        Box::pin(async move {
            if let Some(__ret) = None::<io::Result<usize>> {
                #[allow(unreachable_code)]
                return __ret;
            }
            let __self = self;
            let path = path;
            let mut again = again;
            #[cfg(all())]
            let mut list = list;
            let plain = plain;
            let (name, _) = {
                let __arg5 = __arg5;
                __arg5
            };
            let (cell, count) = {
                let __arg6 = __arg6;
                __arg6
            };
            let __ret: io::Result<usize> = {
                again += 1;
                list.push(again + cell.get() + count);
                __self.name.push('a');
                Ok(path.len() + list.len() + plain.len() + name.len())
            };
            #[allow(unreachable_code)]
            __ret
        })
    }

    #[resilient(rate = 10, max_wait = none)]
    fn in_a_trait_for_nothing<'async_trait>(list: Vec<u32>) -> Pin<Box<dyn Future<Output = ()> + Send + 'async_trait>> {
        Box::pin(async move {
            let list = list;
            let _: () = {
                drop(list);
            };
        })
    }

    #[resilient(timeout = "1s")]
    async fn into_name(mut self) -> io::Result<String> {
        self.name.push('a');
        Ok(self.name)
    }
}

/// # Safety
/// None needed.
#[resilient(retries = 2)]
#[must_use]
pub(crate) unsafe extern "C" fn not_safe<'a, T: Clone>(value: &'a T) -> Result<T, Rejected>
where
    T: Send,
{
    Ok(value.clone())
}

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
enum Of<T> {
    #[permanent]
    A(T),
}

#[derive(Classify)]
enum Where
where
    u8: Copy,
{
    #[permanent]
    A,
}

fn by_another(word: &'static str) -> impl Fn(Failure<io::Error>) -> io::Result<u32> {
    move |_| Err(io::Error::other(word))
}

#[resilient(breaker = "known", fallback = by_another(["made", "here"][0]))]
fn fallback_that_is_made() -> io::Result<u32> {
    Ok(1)
}

#[resilient(breaker = "known", retries = (MOST), base_delay = WAIT)]
#[rustfmt::skip]
#[expect(unused_parens, reason = "that is what it is about")]
fn in_parentheses() -> (io::Result<u32>) {
    Ok(1)
}

struct Holder<T>(T);

impl<T: std::fmt::Display> Holder<T> {
    #[resilient(retries = 2, timeout = "1s")]
    #[expect(clippy::use_self, reason = "that is what it is about")]
    async fn spelled(self: Holder<T>) -> io::Result<String> {
        Ok(self.0.to_string())
    }
}

#[derive(Classify)]
enum Nothing {}

fn main() {}
