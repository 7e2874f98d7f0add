//! What the expansion must not do to a function; each was wrong once.

use crate::support::{Counter, ServiceError, ready};
use resilient::testing::TurnedClock;
use resilient::{Rejected, Verdict, resilient};
use std::sync::Arc;

#[test]
fn a_handler_may_look_at_a_parameter_without_retries_too() {
    #[resilient(breaker = "handlers look", map_err = |rejected| format!("{name}: {rejected}"))]
    async fn refused(name: String) -> Result<usize, String> {
        Ok(name.len())
    }
    #[resilient(breaker = "handlers judge", classify = |_| if *seen > 0 { Verdict::Success } else { Verdict::Permanent })]
    fn judged(seen: &mut u8) -> Result<u8, Rejected> {
        *seen += 1;
        Ok(*seen)
    }
    resilient::breaker("handlers look").force_open();
    assert!(ready(refused("who".to_owned())).unwrap_err().starts_with("who: "));
    assert_eq!(judged(&mut 0), Ok(1));
}

struct Client {
    name: &'static str,
    calls: u32,
}

impl Client {
    fn named(name: &'static str) -> Self {
        Self { name, calls: 0 }
    }

    fn explain(&self, rejected: &Rejected) -> String {
        format!("{} after {}: {rejected}", self.name, self.calls)
    }

    fn verdict(&self) -> Verdict {
        if self.calls > 1 { Verdict::TRANSIENT } else { Verdict::Success }
    }

    #[resilient(breaker = "handlers see self", map_err = |rejected| self.explain(&rejected))]
    async fn unique(&mut self) -> Result<u32, String> {
        self.calls += 1;
        Ok(self.calls)
    }

    #[resilient(breaker(name = "handlers judge self", failure_threshold = 1), classify = |_| self.verdict())]
    fn judged(&mut self) -> Result<u32, Rejected> {
        self.calls += 1;
        Ok(self.calls)
    }

    #[resilient(breaker = "handlers see self", map_err = |rejected| self.explain(&rejected))]
    async fn by_value(self) -> Result<u32, String> {
        Ok(self.calls)
    }

    #[resilient(breaker = "handlers see self", map_err = |rejected| self.explain(&rejected))]
    fn counted(self: Arc<Self>) -> Result<u32, String> {
        Ok(self.calls)
    }
}

#[test]
fn a_handler_may_look_at_self_without_retries_too() {
    let mut client = Client::named("client");
    assert_eq!((ready(client.unique()), client.calls), (Ok(1), 1));
    resilient::breaker("handlers see self").force_open();
    assert!(ready(client.unique()).unwrap_err().starts_with("client after 1: "));
    assert!(ready(Client::named("moved").by_value()).unwrap_err().starts_with("moved after 0: "));
    assert!(Arc::new(Client::named("counted")).counted().unwrap_err().starts_with("counted after 0: "));

    let _clock = TurnedClock::start();
    let mut client = Client::named("judged");
    assert_eq!((client.judged(), client.judged()), (Ok(1), Ok(2)));
    assert!(client.judged().is_err());
}

#[test]
fn a_handler_may_look_at_what_stands_in_front_of_a_returned_future() {
    #[resilient(breaker = "handlers see locals", map_err = |rejected| format!("{url}: {rejected}"))]
    fn load(host: &str) -> impl Future<Output = Result<usize, String>> {
        let url = format!("http://{host}");
        async move { Ok(url.len()) }
    }
    assert_eq!(ready(load("a")), Ok(8));
    resilient::breaker("handlers see locals").force_open();
    assert!(ready(load("a")).unwrap_err().starts_with("http://a: "));
}

#[async_trait::async_trait]
trait Load {
    async fn load(&mut self, parts: (String, u32)) -> Result<usize, String>;
}

#[async_trait::async_trait]
impl Load for Client {
    #[resilient(breaker = "handlers see parts", map_err = |rejected| format!("{host}, {}", self.explain(&rejected)))]
    async fn load(&mut self, (host, port): (String, u32)) -> Result<usize, String> {
        self.calls += port;
        Ok(host.len())
    }
}

#[test]
fn a_handler_may_look_at_the_parts_of_an_argument_under_async_trait() {
    let mut client = Client::named("client");
    assert_eq!(ready(client.load(("a".to_owned(), 80))), Ok(1));
    resilient::breaker("handlers see parts").force_open();
    assert!(ready(client.load(("a".to_owned(), 80))).unwrap_err().starts_with("a, client after 80: "));
}

#[test]
fn a_handler_may_look_at_what_each_attempt_consumes() {
    #[resilient(retries = 2, base_delay = "1ms", clone(order), retry_if = |_| order.len() > 1)]
    fn submit(order: Vec<u8>, attempts: &Counter) -> Result<Box<[u8]>, ServiceError> {
        let order = order.into_boxed_slice();
        if attempts.count() < 3 { Err(ServiceError::NotFound) } else { Ok(order) }
    }
    let _clock = TurnedClock::start();
    assert_eq!(submit(vec![1, 2], &Counter::default()), Ok(Box::from([1, 2])));
}

#[test]
fn an_upper_case_parameter_is_a_parameter() {
    #[allow(non_snake_case, reason = "it is what is tried")]
    #[resilient(retries = 2, base_delay = "1ms")]
    fn call(mut N: Vec<u32>, attempts: &Counter) -> Result<usize, ServiceError> {
        N.push(1);
        if attempts.count() < 3 { Err(ServiceError::Reset) } else { Ok(N.len()) }
    }
    let _clock = TurnedClock::start();
    assert_eq!(call(vec![], &Counter::default()), Ok(1));
}

#[test]
fn an_ignored_failure_that_is_not_send_does_not_keep_the_future_from_being_sent() {
    #[derive(Debug)]
    struct Local(#[expect(dead_code, reason = "only its type matters")] std::rc::Rc<u8>);

    #[resilient(fallback = |_| Ok(std::future::ready(7).await))]
    async fn call() -> Result<u8, Local> {
        Err(Local(std::rc::Rc::new(7)))
    }
    fn is_send<T: Send>(value: T) -> T {
        value
    }
    assert_eq!(ready(is_send(call())).unwrap(), 7);
}

#[test]
fn a_blanket_trait_of_the_users_is_not_called() {
    #[expect(dead_code, reason = "the point is that nobody calls it")]
    trait Nosy {
        fn kind(&self) {}
        fn judge_error(&self) {}
        fn judge_value(&self) {}
        fn parts(&self) {}
        fn split(&self) {}
    }
    impl<T> Nosy for T {}

    #[resilient(breaker = "nosy trait", fallback = |_failure| 1)]
    fn plain() -> u32 {
        2
    }
    #[resilient(retries = 1)]
    fn fallible() -> Result<u32, ServiceError> {
        Ok(2)
    }
    assert_eq!((plain(), fallible()), (2, Ok(2)));
    resilient::breaker("nosy trait").force_open();
    assert_eq!(plain(), 1);
}
