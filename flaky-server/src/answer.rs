use std::time::Duration;

/// What the server does with one request.
///
/// Made by a constructor, refined by the methods that follow it:
///
/// ```
/// use flaky_server::Answer;
/// use std::time::Duration;
///
/// let busy = Answer::status(503).retry_after(Duration::from_secs(2));
/// let slow = Answer::json(200, r#"{"id":1}"#).after(Duration::from_millis(50));
/// let broken = Answer::json(500, r#"{"error":"out of memory"}"#).cut_mid_body();
/// ```
///
/// Mistakes, such as a status of 42, are reported when the answer is given to the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) retry_after: Option<RetryAfter>,
    pub(crate) body: Vec<u8>,
    pub(crate) delay: Duration,
    pub(crate) body_time: Duration,
    pub(crate) ending: Ending,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum RetryAfter {
    Seconds(Duration),
    Date(Duration),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ending {
    Whole,
    CutMidBody,
    DropBefore,
    ResetBefore,
    Never,
}

impl Answer {
    /// An answer with this status and no body.
    #[must_use]
    pub fn status(status: u16) -> Self {
        Self {
            status,
            headers: Vec::new(),
            retry_after: None,
            body: Vec::new(),
            delay: Duration::ZERO,
            body_time: Duration::ZERO,
            ending: Ending::Whole,
        }
    }

    /// An answer with this status and a body of type `application/json`, sent as given.
    #[must_use]
    pub fn json(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self::status(status).header("Content-Type", "application/json").body(body)
    }

    /// A web page with status 200: what a proxy or a login wall sends where JSON is due.
    #[must_use]
    pub fn html() -> Self {
        Self::status(200)
            .header("Content-Type", "text/html; charset=utf-8")
            .body("<!doctype html><title>Sign in</title><p>Please sign in to continue.")
    }

    /// 429 with `Retry-After` in seconds, rounded up.
    #[must_use]
    pub fn throttled(wait: Duration) -> Self {
        Self::status(429).retry_after(wait)
    }

    /// 429 with `Retry-After` as an HTTP date; see [`retry_after_date`](Self::retry_after_date).
    #[must_use]
    pub fn throttled_until_date(wait: Duration) -> Self {
        Self::status(429).retry_after_date(wait)
    }

    /// Reads the request, then closes the connection without a byte in reply.
    ///
    /// The client sees the end of the stream.
    #[must_use]
    pub fn drop_before() -> Self {
        Self::ending(Ending::DropBefore)
    }

    /// Reads the request, then resets the connection without a byte in reply.
    ///
    /// The client sees "connection reset by peer".
    #[must_use]
    pub fn reset_before() -> Self {
        Self::ending(Ending::ResetBefore)
    }

    /// Status 200, a JSON body of which only half is sent, then the connection is closed.
    ///
    /// To break off another answer, see [`cut_mid_body`](Self::cut_mid_body).
    #[must_use]
    pub fn drop_mid_body() -> Self {
        Self::default().cut_mid_body()
    }

    /// Reads the request and says nothing, until the client hangs up or the server is dropped.
    #[must_use]
    pub fn never() -> Self {
        Self::ending(Ending::Never)
    }

    /// Waits this long before doing anything else with the request.
    #[must_use]
    pub fn after(mut self, delay: Duration) -> Self {
        self.delay = delay;
        self
    }

    /// Sends the body in up to ten equal pieces, the last one this long after the head.
    #[must_use]
    pub fn body_over(mut self, time: Duration) -> Self {
        self.body_time = time;
        self
    }

    /// Announces the whole body, sends the first half, closes the connection.
    ///
    /// An empty body is announced as one byte, which never comes.
    #[must_use]
    pub fn cut_mid_body(mut self) -> Self {
        self.ending = Ending::CutMidBody;
        self
    }

    /// Adds `Retry-After` in seconds, rounded up.
    #[must_use]
    pub fn retry_after(mut self, wait: Duration) -> Self {
        self.retry_after = Some(RetryAfter::Seconds(wait));
        self
    }

    /// Adds `Retry-After` as an HTTP date, counted from the moment of answering.
    ///
    /// HTTP dates are whole seconds. This one is rounded up: up to a second later than asked, never earlier.
    #[must_use]
    pub fn retry_after_date(mut self, wait: Duration) -> Self {
        self.retry_after = Some(RetryAfter::Date(wait));
        self
    }

    /// Sets a header, in place of one of the same name.
    ///
    /// ```
    /// # use flaky_server::Answer;
    /// let puzzling = Answer::status(429).header("Retry-After", "soon");
    /// ```
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        let name = name.into();
        self.headers.retain(|(present, _)| !present.eq_ignore_ascii_case(&name));
        self.headers.push((name, value.into()));
        self
    }

    /// Sets the body, whose type is told by [`header`](Self::header).
    #[must_use]
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// The status that reaches the client, if any does.
    ///
    /// ```
    /// # use flaky_server::Answer;
    /// assert_eq!(Answer::drop_mid_body().status_sent(), Some(200));
    /// assert_eq!(Answer::drop_before().status_sent(), None);
    /// ```
    #[must_use]
    pub fn status_sent(&self) -> Option<u16> {
        match self.ending {
            Ending::Whole | Ending::CutMidBody => Some(self.status),
            Ending::DropBefore | Ending::ResetBefore | Ending::Never => None,
        }
    }

    fn ending(ending: Ending) -> Self {
        Self { ending, ..Self::status(200) }
    }
}

impl Default for Answer {
    /// `200 {"ok":true}`, which every path gives until told otherwise.
    fn default() -> Self {
        Self::json(200, r#"{"ok":true}"#)
    }
}
