use crate::arguments::Arguments;
use crate::error::FetchError;
use crate::fetch::{Answer, Fetcher};
use crate::journal::{Entry, Journal, Progress, on_one_line};
use crate::output::Output;
use crate::page::Page;
use crate::paging::Style;
use crate::status::Status;
use reqwest::Url;
use std::collections::HashSet;

pub(crate) struct Download<'a> {
    arguments: &'a Arguments,
    status: Status,
    fetcher: Fetcher,
    output: Output,
    journal: Journal,
    progress: Progress,
    asked: HashSet<Url>,
    previous: Option<String>,
}

impl<'a> Download<'a> {
    /// All that can go wrong before a page is fetched.
    pub(crate) fn prepare(arguments: &'a Arguments, status: Status) -> Result<Self, FetchError> {
        let format = arguments.format().map_err(FetchError::Usage)?;
        let fetcher = Fetcher::new(arguments)?;
        let output = Output::new(&arguments.out, format)?;
        let mut journal = output.journal()?;
        let progress = match (arguments.resume, journal.is_begun()) {
            (true, true) => journal.resume(&arguments.url)?,
            (is_wanted, is_begun) => {
                if is_wanted != is_begun {
                    status.line(if is_wanted {
                        "nothing to resume; starting"
                    } else {
                        "starting over; --resume would have gone on"
                    });
                }
                journal.restart(&arguments.url)?
            }
        };
        if progress.pages > 0 {
            status.line(&format!("going on after page {}", progress.pages));
        }
        Ok(Self { arguments, status, fetcher, output, journal, progress, asked: HashSet::new(), previous: None })
    }

    /// Whether there are more than were asked for.
    pub(crate) async fn fetch_pages(&mut self) -> Result<bool, FetchError> {
        while let Some(url) = self.next_url() {
            if self.progress.pages >= self.arguments.max_pages {
                return Ok(true);
            }
            let answer = self.fetcher.page(&url).await?;
            let page = self.progress.pages + 1;
            let entry = self.read(url, &answer).map_err(|reason| FetchError::Malformed { page, reason })?;
            self.journal.add(&entry)?;
            self.status.progress(page, entry.records.len());
            self.progress.pages = page;
            self.progress.records += entry.records.len() as u64;
            self.progress.last = Some((entry.style, entry.next));
            self.previous = Some(answer.body);
        }
        Ok(false)
    }

    pub(crate) fn finish(self) -> Result<Progress, FetchError> {
        self.output.write(&self.journal)?;
        self.journal.remove()?;
        Ok(self.progress)
    }

    fn next_url(&self) -> Option<Url> {
        match &self.progress.last {
            None => Some(self.arguments.url.clone()),
            Some((_, next)) => next.as_deref().and_then(|next| Url::parse(next).ok()),
        }
    }

    fn read(&mut self, url: Url, answer: &Answer) -> Result<Entry, String> {
        let Answer { body, kind, .. } = answer;
        let page = Page::read(body).map_err(|reason| format!("{reason} ({} bytes of {kind})", body.len()))?;
        let records = page.records(self.arguments.items.as_deref())?;
        let style = self.progress.last.as_ref().map_or_else(|| Style::of(self.arguments, answer, &page), |(style, _)| *style);
        if style == Style::Page && !records.is_empty() && self.previous.as_ref() == Some(body) {
            return Err(format!("it is the same as the page before; does the API know `{}`?", self.arguments.page_param));
        }
        let next = style.next(self.arguments, &url, answer, &page, records.len())?;
        self.asked.insert(url);
        if let Some(next) = &next {
            self.check(next)?;
        }
        Ok(Entry { style, next: next.map(String::from), records: records.into_iter().map(on_one_line).collect() })
    }

    fn check(&self, next: &Url) -> Result<(), String> {
        if self.asked.contains(next) {
            return Err("it leads back to a page that was there before".to_owned());
        }
        if !self.fetcher.may_ask(next, &self.arguments.url) {
            return Err(format!(
                "its next page is at another place ({}), which shall not get the token",
                next.origin().ascii_serialization()
            ));
        }
        Ok(())
    }
}
