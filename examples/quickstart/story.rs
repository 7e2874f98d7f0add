//! What the service does to us, scene by scene, and what the callers see.

use crate::payments::{BlockingInvoices, PaymentError, Payments, Receipt};
use crate::timeline::Timeline;
use flaky_server::{Answer, FlakyServer};
use futures_util::future::join_all;
use resilient::Rejected;
use std::time::{Duration, Instant};

const SECOND: Duration = Duration::from_secs(1);
/// Longer than the circuit stays open, so that the story ends whatever happens.
const MOST_CALLS_IN_THE_OUTAGE: usize = 20;
const CALLS_UNTIL_THE_SERVICE_IS_BACK: usize = 5;
const BETWEEN_CALLS: Duration = Duration::from_millis(200);
pub(crate) const CALLS_AT_ONCE: usize = 10;

pub(crate) struct Story<'s> {
    server: &'s FlakyServer,
    timeline: &'s Timeline,
    payments: Payments,
    invoices: BlockingInvoices,
}

/// What the callers saw of the outage.
#[derive(Default)]
pub(crate) struct Outage {
    pub(crate) calls: usize,
    pub(crate) refused: usize,
    pub(crate) slowest_refusal: Duration,
}

impl Outage {
    fn note(&mut self, outcome: &Result<Receipt, PaymentError>, time: Duration) {
        self.calls += 1;
        if let Err(PaymentError::Rejected(Rejected::CircuitOpen(_))) = outcome {
            self.refused += 1;
            self.slowest_refusal = self.slowest_refusal.max(time);
        }
    }
}

impl<'s> Story<'s> {
    pub(crate) fn new(server: &'s FlakyServer, timeline: &'s Timeline) -> reqwest::Result<Self> {
        let (payments, invoices) = (Payments::new(server.url(""))?, BlockingInvoices::new(server.url(""))?);
        Ok(Self { server, timeline, payments, invoices })
    }

    pub(crate) async fn hiccups(&self) -> anyhow::Result<()> {
        Timeline::title("The service hiccups: 503, then a dropped connection");
        self.script("/hiccups", [Answer::status(503), Answer::drop_before()])?;
        self.receipt("hiccups").await;

        Timeline::title("An order that does not exist: asking again would not help");
        self.script("/unknown", [Answer::status(404)])?;
        self.receipt("unknown").await;
        Ok(())
    }

    pub(crate) async fn throttled(&self) -> anyhow::Result<()> {
        Timeline::title("429, Retry-After: 1");
        self.script("/busy", [Answer::throttled(SECOND)])?;
        self.receipt("busy").await;
        Ok(())
    }

    /// In a plain thread: `reqwest::blocking` must not run inside an async runtime.
    pub(crate) fn throttled_until_date(&self) -> anyhow::Result<()> {
        Timeline::title("429, Retry-After: an HTTP date, and a synchronous caller");
        self.script("/evening", [Answer::throttled_until_date(Duration::from_millis(1))])?;
        self.saw("evening", &self.invoices.invoice("evening"));
        Ok(())
    }

    pub(crate) async fn outage(&self) -> anyhow::Result<Outage> {
        Timeline::title("The service is down, and orders keep coming");
        let mut outage = Outage::default();
        self.server.otherwise("/outage", receipt())?;
        self.server.outage("/outage", Answer::status(500))?;
        for _ in 0..MOST_CALLS_IN_THE_OUTAGE {
            let before = Instant::now();
            let outcome = self.payments.receipt("outage").await;
            outage.note(&outcome, before.elapsed());
            self.saw("outage", &outcome);
            if outcome.is_ok() {
                break;
            }
            if outage.calls == CALLS_UNTIL_THE_SERVICE_IS_BACK {
                self.timeline.line("service", "is back, which nobody knows");
                self.server.recover("/outage")?;
            }
            tokio::time::sleep(BETWEEN_CALLS).await;
        }
        self.receipt("outage").await;
        Ok(outage)
    }

    pub(crate) async fn crowd(&self) -> anyhow::Result<()> {
        Timeline::title("Ten orders at once, at ten calls per second");
        self.server.otherwise("/crowd", receipt())?;
        join_all((0..CALLS_AT_ONCE).map(|_| self.receipt("crowd"))).await;
        Ok(())
    }

    /// The service answers so, and then it is well.
    fn script(&self, path: &str, answers: impl IntoIterator<Item = Answer>) -> Result<(), flaky_server::Error> {
        self.server.otherwise(path, receipt())?;
        self.server.script(path, answers)
    }

    async fn receipt(&self, order: &str) {
        self.saw(order, &self.payments.receipt(order).await);
    }

    fn saw(&self, order: &str, outcome: &Result<Receipt, PaymentError>) {
        match outcome {
            Ok(receipt) => self.timeline.line("caller", format_args!("{order}: receipt {}", receipt.number)),
            Err(error) => self.timeline.line("caller", format_args!("{order}: {error}")),
        }
    }
}

fn receipt() -> Answer {
    Answer::json(200, r#"{"number":7}"#)
}
