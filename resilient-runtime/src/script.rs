//! Outcomes that tests put in the place of a body's own.
//!
//! A script's values are of the function's types, which the engine does not know. The emitted code does, and finds out by autoref
//! whether they are [`Scripted`]; nothing else is ever asked of them, so that borrowed types compile as before.

use std::any::{Any, type_name};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap, HashSet, VecDeque};
use std::error::Error;
use std::hash::{BuildHasher, Hash};
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

/// A type whose values a script may put in place of a body's: the error of a function, or its value.
///
/// The types of the standard library are, and errors that derive [`Classify`](crate::Classify) and have no parameters. For others of
/// yours one line says so, in the tests as well as beside the type:
///
/// ```
/// # #[cfg(feature = "testing")]
/// # {
/// # use resilient_runtime as resilient;
/// struct Receipt(u32);
///
/// impl resilient::testing::Scripted for Receipt {}
/// # }
/// ```
#[diagnostic::on_unimplemented(
    message = "a script cannot give a `{Self}`",
    label = "this type is not `Scripted`",
    note = "say that it may: `impl resilient::testing::Scripted for {Self} {{}}`, or derive `Classify` for an error"
)]
pub trait Scripted: Sized + 'static {}

/// What is done instead of running the body.
#[derive(Clone, Debug)]
#[cfg_attr(not(feature = "testing"), expect(dead_code, reason = "only tests make one"))]
pub(crate) enum Cue {
    Play(Ticket),
    TimeOut,
}

/// An outcome that an attempt is given instead of running its body.
#[doc(hidden)]
#[derive(Clone, Debug)]
pub struct Ticket {
    outcome: Arc<dyn Any + Send + Sync>,
    is_error: bool,
    ty: &'static str,
}

pub(crate) struct Make<T>(pub(crate) Box<dyn Fn() -> T + Send + Sync>);

thread_local! {
    /// From the engine to the emitted code, which takes it up at once. There is none any more when a thread's last values are dropped.
    static TICKET: RefCell<Option<Ticket>> = const { RefCell::new(None) };
}

#[cfg_attr(not(feature = "testing"), expect(dead_code, reason = "only tests make one"))]
impl Ticket {
    pub(crate) fn new<T: 'static>(make: Make<T>, is_error: bool) -> Self {
        Self { outcome: Arc::new(make), is_error, ty: type_name::<T>() }
    }

    pub(crate) fn hand_over(self) {
        TICKET.set(Some(self));
    }
}

impl Ticket {
    pub(crate) fn is_handed_over() -> bool {
        TICKET.try_with(|ticket| ticket.borrow().is_some()).unwrap_or(false)
    }

    pub(crate) fn take_up() -> Option<Self> {
        TICKET.try_with(RefCell::take).ok().flatten()
    }

    fn make<T: Scripted>(&self, is_error: bool) -> Option<T> {
        let make = self.outcome.downcast_ref::<Make<T>>().filter(|_| self.is_error == is_error);
        make.map(|make| make.0())
    }
}

/// Finds out, by autoref, what of a return type is [`Scripted`].
#[doc(hidden)]
#[derive(Debug)]
pub struct Stage<R>(PhantomData<fn() -> R>);

impl<R> Stage<R> {
    #[must_use]
    pub const fn new() -> Self {
        Self(PhantomData)
    }
}

impl<R> Default for Stage<R> {
    fn default() -> Self {
        Self::new()
    }
}

/// The attempt's outcome, from whichever part of the return type the script speaks of.
///
/// # Panics
///
/// If the function returns something else than the script gives, or nobody can know whether it does.
#[doc(hidden)]
#[must_use]
pub fn played<R>(ticket: &Ticket, error: Option<R>, value: Option<R>) -> R {
    error.or(value).unwrap_or_else(|| {
        let (returned, ty) = (type_name::<R>(), ticket.ty);
        let what = if ticket.is_error { "fail with" } else { "succeed with" };
        panic!(
            "a script cannot make this function {what} `{ty}`: it returns `{returned}`. It must be exactly the type that stands there, \
             and `Scripted`, which errors are that derive `Classify`, and others by `impl resilient::testing::Scripted for …`"
        )
    })
}

#[doc(hidden)]
pub trait PlayError<R> {
    fn resilient_play_error(&self, ticket: &Ticket) -> Option<R>;
}

impl<T, E: Scripted> PlayError<Result<T, E>> for &Stage<Result<T, E>> {
    fn resilient_play_error(&self, ticket: &Ticket) -> Option<Result<T, E>> {
        ticket.make(true).map(Err)
    }
}

#[doc(hidden)]
pub trait PlayNoError<R> {
    fn resilient_play_error(&self, ticket: &Ticket) -> Option<R>;
}

impl<R> PlayNoError<R> for Stage<R> {
    fn resilient_play_error(&self, _ticket: &Ticket) -> Option<R> {
        None
    }
}

#[doc(hidden)]
pub trait PlayOk<R> {
    fn resilient_play_value(&self, ticket: &Ticket) -> Option<R>;
}

impl<T: Scripted, E> PlayOk<Result<T, E>> for &&Stage<Result<T, E>> {
    fn resilient_play_value(&self, ticket: &Ticket) -> Option<Result<T, E>> {
        ticket.make(false).map(Ok)
    }
}

#[doc(hidden)]
pub trait PlayValue<R> {
    fn resilient_play_value(&self, ticket: &Ticket) -> Option<R>;
}

impl<R: Scripted> PlayValue<R> for &Stage<R> {
    fn resilient_play_value(&self, ticket: &Ticket) -> Option<R> {
        ticket.make(false)
    }
}

#[doc(hidden)]
pub trait PlayNoValue<R> {
    fn resilient_play_value(&self, ticket: &Ticket) -> Option<R>;
}

impl<R> PlayNoValue<R> for Stage<R> {
    fn resilient_play_value(&self, _ticket: &Ticket) -> Option<R> {
        None
    }
}

/// Only a script's ticket brings a call here that nothing can refuse.
#[doc(hidden)]
#[must_use]
pub fn never_refused<R>() -> R {
    unreachable!("every wait of this function is unlimited")
}

macro_rules! scripted {
    ($($type:ty),* $(,)?) => { $(impl Scripted for $type {})* };
}

scripted!(
    (),
    bool,
    char,
    i8,
    i16,
    i32,
    i64,
    i128,
    isize,
    u8,
    u16,
    u32,
    u64,
    u128,
    usize,
    f32,
    f64,
    String,
    Box<str>,
    Arc<str>,
    Duration,
    SystemTime,
    std::convert::Infallible,
    std::ffi::OsString,
    std::fmt::Error,
    std::io::Error,
    std::io::ErrorKind,
    std::net::IpAddr,
    std::net::SocketAddr,
    std::net::TcpStream,
    std::net::UdpSocket,
    std::num::ParseFloatError,
    std::num::ParseIntError,
    std::path::PathBuf,
    std::str::Utf8Error,
    std::string::FromUtf8Error,
    std::time::Instant,
    Box<dyn Error>,
    Box<dyn Error + Send>,
    Box<dyn Error + Send + Sync>,
    crate::Rejected,
);

#[cfg(feature = "anyhow")]
scripted!(anyhow::Error);
#[cfg(feature = "http")]
scripted!(http::StatusCode, http::HeaderMap, crate::StatusError);
#[cfg(feature = "reqwest")]
scripted!(reqwest::Error, reqwest::Response);
#[cfg(feature = "reqwest-blocking")]
scripted!(reqwest::blocking::Response);

impl<T: Scripted> Scripted for Option<T> {}
impl<T: Scripted> Scripted for Box<T> {}
impl<T: Scripted> Scripted for Arc<T> {}
impl<T: Scripted> Scripted for Vec<T> {}
impl<T: Scripted> Scripted for Box<[T]> {}
impl<T: Scripted> Scripted for VecDeque<T> {}
impl<T: Scripted + Ord> Scripted for BinaryHeap<T> {}
impl<T: Scripted + Ord> Scripted for BTreeSet<T> {}
impl<T: Scripted + Eq + Hash, S: BuildHasher + 'static> Scripted for HashSet<T, S> {}
impl<K: Scripted + Ord, V: Scripted> Scripted for BTreeMap<K, V> {}
impl<K: Scripted + Eq + Hash, V: Scripted, S: BuildHasher + Default + 'static> Scripted for HashMap<K, V, S> {}
impl<T: Scripted, const N: usize> Scripted for [T; N] {}
impl<A: Scripted, B: Scripted> Scripted for (A, B) {}
impl<A: Scripted, B: Scripted, C: Scripted> Scripted for (A, B, C) {}
#[cfg(feature = "http")]
impl<T: Scripted> Scripted for http::Response<T> {}

#[cfg(feature = "testing")]
pub(crate) use plot::Plot;

#[cfg(feature = "testing")]
mod plot;
