//! What operators are told of a configuration.

use crate::{ShopError, Turn};
use resilient::{Overrides, configure, resilient};
use std::fmt::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Mutex, Once, PoisonError};
use std::task::{self, Wake, Waker};
use std::time::Duration;
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

#[resilient(retries = 2, breaker = "events-both")]
fn watched() -> Result<(), ShopError> {
    Ok(())
}

static LISTENER: Mutex<Option<Sender<String>>> = Mutex::new(None);

/// Whether whoever listens to a watching thread panics.
static PANICS: AtomicBool = AtomicBool::new(false);

struct Forward;

struct Text(String);

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn std::fmt::Debug) {
        write!(self.0, " {}={value:?}", field.name()).unwrap();
    }
}

impl<S: Subscriber> Layer<S> for Forward {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut text = Text(event.metadata().name().to_owned());
        event.record(&mut text);
        if let Some(listener) = &*LISTENER.lock().unwrap_or_else(PoisonError::into_inner)
            && text.0.starts_with("configuration_")
        {
            listener.send(text.0).ok();
        }
        let is_watching = std::thread::current().name() == Some("resilient-watch");
        assert!(!(is_watching && PANICS.load(Ordering::SeqCst)), "a listener that panics");
    }
}

/// A watcher's thread has no subscriber of its own, so this one is everybody's.
fn listen() -> Receiver<String> {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| tracing::subscriber::set_global_default(tracing_subscriber::registry().with(Forward)).unwrap());
    let (sender, receiver) = channel();
    *LISTENER.lock().unwrap_or_else(PoisonError::into_inner) = Some(sender);
    PANICS.store(false, Ordering::SeqCst);
    receiver
}

#[track_caller]
fn told(events: &Receiver<String>, parts: &[&str]) {
    let event = events.recv_timeout(Duration::from_secs(60)).unwrap();
    assert!(parts.iter().all(|part| event.contains(part)), "{event}");
}

#[test]
fn doubts_are_told_and_refused_only_when_they_are_serious() {
    let _turn = Turn::take();
    let events = listen();
    configure().breaker("a name like no other", resilient::CircuitBreaker::new()).install().unwrap();
    told(&events, &["configuration_warning", "nothing uses breaker `a name like no other`"]);
    let settings = resilient::CircuitBreaker::new;
    let both = |other: &str| configure().breaker("events-both", settings()).breaker(other, settings());
    assert!(
        both("events-bot").install().unwrap_err().to_string().contains("did you mean `events-both`, which is configured as well?")
    );
    both("event-both2").install().unwrap();
    told(&events, &["configuration_warning", "nothing uses breaker `event-both2`; did you mean `events-both`"]);
    let misspelt = || configure().function("configured::events::watchd", Overrides::new().retries(1));
    assert!(misspelt().install().unwrap_err().to_string().contains("did you mean `configured::events::watched`?"));
    misspelt().lenient().install().unwrap();
    told(&events, &["configuration_warning", "did you mean `configured::events::watched`?", "code"]);
    watched().unwrap();
}

#[test]
fn a_watching_thread_tells_what_it_took_and_what_it_refused() {
    let _turn = Turn::take();
    let path = std::env::temp_dir().join(format!("resilient-events-{}.toml", std::process::id()));
    // In one step, as careful programs do: looks that are a millisecond apart could both see a half-written file.
    let write = |text: &str| {
        let new = path.with_extension("new");
        std::fs::write(&new, text).unwrap();
        std::fs::rename(&new, &path).unwrap();
    };
    write("");
    let events = listen();
    configure().file(&path).watch(Duration::from_millis(1)).install().unwrap();
    write("[functions.\"configured::events::watched\"]\nretries = 5\n");
    told(&events, &["configuration_reloaded"]);
    write("[functions.\"configured::events::watched\"]\nretries = \"five\"\n");
    told(&events, &["configuration_refused", "`retries` takes a whole number", "problems=1"]);
    let listed =
        resilient::catalog().functions.into_iter().find(|function| function.name == "configured::events::watched").unwrap();
    assert_eq!(listed.settings.iter().find(|setting| setting.key == "retries").unwrap().value, "5");
    std::fs::remove_file(&path).unwrap();
    told(&events, &["configuration_refused", "cannot be read"]);
}

#[test]
fn a_listener_that_panics_ends_no_watch_and_hears_the_rest() {
    let _turn = Turn::take();
    let path = std::env::temp_dir().join(format!("resilient-panics-{}.toml", std::process::id()));
    let write = |text: &str| {
        let new = path.with_extension("new");
        std::fs::write(&new, text).unwrap();
        std::fs::rename(&new, &path).unwrap();
    };
    write("");
    let events = listen();
    configure().file(&path).watch(Duration::from_millis(1)).install().unwrap();
    PANICS.store(true, Ordering::SeqCst);
    write("[breakers.\"one like no other\"]\nfailure_threshold = 3\n[breakers.\"another like no other\"]\nfailure_threshold = 3\n");
    told(&events, &["configuration_reloaded"]);
    told(&events, &["configuration_warning", "like no other"]);
    told(&events, &["configuration_warning", "like no other"]);
    write("[breakers.\"one like no other\"]\nfailure_threshold = 0\n");
    told(&events, &["configuration_refused"]);
    write("[functions.\"configured::events::watched\"]\nretries = 7\n");
    told(&events, &["configuration_reloaded"]);
    std::fs::remove_file(&path).unwrap();
}

#[resilient(bulkhead = "events-crowded", concurrency = 1, max_wait = none)]
async fn crowded() -> Result<(), ShopError> {
    std::future::pending().await
}

#[test]
fn a_waker_that_panics_leaves_what_is_installed_watched() {
    struct Bomb;
    impl Wake for Bomb {
        fn wake(self: Arc<Self>) {
            panic!("a waker that panics");
        }
    }
    let _turn = Turn::take();
    let path = std::env::temp_dir().join(format!("resilient-wakers-{}.toml", std::process::id()));
    std::fs::write(&path, "[bulkheads.events-crowded]\nconcurrency = 2\n").unwrap();
    let events = listen();
    let bomb = Waker::from(Arc::new(Bomb));
    let (mut holds, mut waits) = (Box::pin(crowded()), Box::pin(crowded()));
    assert!(holds.as_mut().poll(&mut task::Context::from_waker(Waker::noop())).is_pending());
    assert!(waits.as_mut().poll(&mut task::Context::from_waker(&bomb)).is_pending());
    let configuration = configure().file(&path).watch(Duration::from_millis(1));
    assert!(catch_unwind(AssertUnwindSafe(|| configuration.install())).is_err());
    assert_eq!(resilient::bulkhead("events-crowded").limit(), 2);
    std::fs::remove_file(&path).unwrap();
    told(&events, &["configuration_refused", "cannot be read"]);
}

#[test]
fn nonsense_of_the_whole_is_refused() {
    let _turn = Turn::take();
    let told = |configuration: resilient::Configuration| configuration.install().unwrap_err().to_string();
    for prefix in ["", "SHOP__", "SHOP=x"] {
        assert!(told(configure().env(prefix)).contains("is no prefix of variables: write it without the `__`"), "{prefix}");
    }
    assert!(told(configure().watch(Duration::from_secs(1))).contains("`watch` needs a `file` to watch"));
    assert!(told(configure().file("a.toml").watch(Duration::ZERO)).contains("longer than zero"));
    configure().env("SHOP_2").install().unwrap();
}
