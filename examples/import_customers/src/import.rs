use crate::api::{Api, BREAKER, Page};
use crate::customer::Customer;
use crate::error::ImportError;
use crate::progress::Progress;
use crate::store::{Entry, Position, Store};
use crate::summary::Summary;
use resilient::{Rejected, State};
use std::collections::HashSet;
use std::time::{Duration, Instant};

/// An API that names ever new pages with nothing on them would keep us for ever.
const MOST_EMPTY_PAGES: u32 = 100;

pub(crate) struct Import<'a> {
    api: &'a Api,
    store: Store,
    progress: &'a Progress,
    patience: Duration,
    cursors: HashSet<String>,
    empty_pages: u32,
    summary: Summary,
}

impl<'a> Import<'a> {
    pub(crate) fn new(api: &'a Api, store: Store, progress: &'a Progress, patience: Duration) -> Self {
        let (cursors, summary) = (HashSet::new(), Summary::default());
        Self { api, store, progress, patience, cursors, empty_pages: 0, summary }
    }

    pub(crate) async fn run(mut self) -> Result<Summary, ImportError> {
        let mut position = self.store.begin()?;
        if position.pages > 0 {
            self.progress.resumed(&position, self.store.met()?);
        }
        loop {
            let page = match self.page(&position).await {
                Err(error) if self.summary.pages == 0 && position.next.is_some() && error.is_about_the_position() => {
                    self.progress.forgotten(&error);
                    position = self.store.restart()?;
                    continue;
                }
                page => page?,
            };
            self.check(&position, &page)?;
            self.take(&mut position, page)?;
            if position.next.is_none() {
                break;
            }
        }
        self.summary.customers = self.store.customers()?;
        self.summary.refused = self.store.refused()?;
        Ok(self.summary)
    }

    /// A page, once the circuit lets us. An API that has never answered is not waited for.
    async fn page(&mut self, position: &Position) -> Result<Page, ImportError> {
        let patience = if self.summary.pages == 0 { Duration::ZERO } else { self.patience };
        let start = Instant::now();
        loop {
            let error = match self.api.page(position.next.as_deref()).await {
                Ok(page) => return Ok(page),
                Err(error) => error,
            };
            // What tripped the circuit comes as it is; only the next call is told when to come back.
            let wait = match &error {
                ImportError::Refused(rejected @ Rejected::CircuitOpen(_)) => rejected.retry_after(),
                _ => (resilient::breaker(BREAKER).state() == State::Open).then_some(Duration::ZERO),
            };
            let Some(wait) = wait.filter(|wait| start.elapsed() + *wait < patience) else { return Err(error) };
            if !wait.is_zero() {
                self.summary.circuit_waits += 1;
                self.summary.circuit_waited += wait;
                self.progress.waits(wait, &error);
                tokio::time::sleep(wait).await;
            }
        }
    }

    fn check(&mut self, position: &Position, page: &Page) -> Result<(), ImportError> {
        let malformed = |reason: String| {
            let at = format!("as page {}", position.pages + 1);
            Err(ImportError::Malformed { at, reason })
        };
        self.cursors.extend(position.next.clone());
        if let Some(next) = page.next.as_ref().filter(|next| self.cursors.contains(*next)) {
            return malformed(format!("its next page would be `{next}`, which was there before"));
        }
        self.empty_pages = if page.records.is_empty() { self.empty_pages + 1 } else { 0 };
        if self.empty_pages > MOST_EMPTY_PAGES && page.next.is_some() {
            return malformed(format!("after {MOST_EMPTY_PAGES} pages without customers there is still another"));
        }
        Ok(())
    }

    fn take(&mut self, position: &mut Position, page: Page) -> Result<(), ImportError> {
        let read = |record: Box<_>| {
            let customer = Customer::read(&record);
            (record, customer)
        };
        let entries: Vec<Entry> = page.records.into_iter().map(read).collect();
        self.summary.removed += self.store.save(position, &entries, page.next.as_deref())?;
        self.summary.pages += 1;
        self.summary.rows += entries.iter().filter(|(_, read)| read.is_ok()).count();
        self.summary.total = page.total.or(self.summary.total);
        self.progress.page(position, &entries, page.total);
        Ok(())
    }
}
