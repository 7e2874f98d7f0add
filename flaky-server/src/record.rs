use std::time::{Duration, Instant};

use crate::answer::Answer;

/// A request as the server saw it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Seen {
    /// When the whole request had been read.
    pub arrived: Instant,
    /// When the last of the answer was handed to the socket, or the connection was given up by either side.
    ///
    /// A client that has the whole answer finds this set.
    pub left: Option<Instant>,
    /// The method, such as `POST`.
    pub method: String,
    /// The path as sent, percent-encoding and all, without the query.
    pub path: String,
    /// What stood behind the `?`.
    pub query: Option<String>,
    /// All headers in the order sent.
    pub headers: Vec<(String, String)>,
    /// The body, unchunked. A request of more than 4 MiB is answered with 400 and not recorded.
    pub body: Vec<u8>,
    /// What the request was given.
    pub answer: Answer,
}

impl Seen {
    /// The first value of a header, whatever the case of its name.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(present, _)| present.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The status that was sent, or is about to be; none if the script breaks the connection or keeps silent.
    #[must_use]
    pub fn status(&self) -> Option<u16> {
        self.answer.status_sent()
    }
}

/// The requests seen so far, in order of arrival.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let server = flaky_server::FlakyServer::start()?;
/// reqwest::blocking::get(server.url("/a"))?;
/// reqwest::blocking::get(server.url("/b"))?;
///
/// let record = server.record();
/// assert_eq!(record.len(), 2);
/// assert_eq!(record.gaps().len(), 1);
/// assert_eq!(record.for_path("/b").requests[0].method, "GET");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default)]
pub struct Record {
    /// The requests themselves.
    pub requests: Vec<Seen>,
}

impl Record {
    /// The part of the record that concerns one path.
    #[must_use]
    pub fn for_path(&self, path: &str) -> Self {
        let of_path = |seen: &&Seen| seen.path == path;
        Self { requests: self.requests.iter().filter(of_path).cloned().collect() }
    }

    /// How many requests came.
    #[must_use]
    pub fn len(&self) -> usize {
        self.requests.len()
    }

    /// Whether none came.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.requests.is_empty()
    }

    /// When each request arrived.
    #[must_use]
    pub fn arrivals(&self) -> Vec<Instant> {
        self.requests.iter().map(|seen| seen.arrived).collect()
    }

    /// The time from each arrival to the next.
    #[must_use]
    pub fn gaps(&self) -> Vec<Duration> {
        self.requests.windows(2).map(|pair| pair[1].arrived.saturating_duration_since(pair[0].arrived)).collect()
    }

    /// The status of each answer; none where the script breaks the connection or keeps silent.
    #[must_use]
    pub fn statuses(&self) -> Vec<Option<u16>> {
        self.requests.iter().map(Seen::status).collect()
    }

    /// How many requests were answered with this status.
    #[must_use]
    pub fn count_status(&self, status: u16) -> usize {
        self.requests.iter().filter(|seen| seen.status() == Some(status)).count()
    }

    /// How many requests are still unanswered.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.requests.iter().filter(|seen| seen.left.is_none()).count()
    }

    /// The most requests that were ever in the server at one time.
    ///
    /// A client that hangs up counts until the server has noticed.
    #[must_use]
    pub fn peak_concurrency(&self) -> usize {
        let mut moments = self.comings_and_goings();
        moments.sort_unstable();
        let mut present = 0_usize;
        let mut peak = 0;
        for (_, moment) in moments {
            present = match moment {
                Moment::Arrival => present.saturating_add(1),
                Moment::Departure => present.saturating_sub(1),
            };
            peak = peak.max(present);
        }
        peak
    }

    fn comings_and_goings(&self) -> Vec<(Instant, Moment)> {
        let arrivals = self.requests.iter().map(|seen| (seen.arrived, Moment::Arrival));
        let departures = self.requests.iter().filter_map(|seen| Some((seen.left?, Moment::Departure)));
        arrivals.chain(departures).collect()
    }
}

/// Ordered: a request that leaves within the tick of its arrival has still been there.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Moment {
    Arrival,
    Departure,
}
