use std::time::Duration;

/// What an import did. `refused` counts the whole import, the rest this run of it.
#[derive(Debug, Default)]
pub(crate) struct Summary {
    pub(crate) pages: usize,
    pub(crate) rows: usize,
    /// Records that are no customers.
    pub(crate) refused: i64,
    pub(crate) removed: usize,
    pub(crate) customers: i64,
    /// How many there should be, if the API says so.
    pub(crate) total: Option<i64>,
    /// How often the circuit was open, and how long that took.
    pub(crate) circuit_waits: u32,
    pub(crate) circuit_waited: Duration,
}

impl Summary {
    /// The API's word against ours; customers may come and go meanwhile, so this is no error.
    pub(crate) fn doubt(&self) -> Option<String> {
        let (total, found) = (self.total?, self.customers + self.refused);
        (total != found).then(|| format!("the API speaks of {total} customers, and {found} were found"))
    }
}
