use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;

use crate::answer::Answer;
use crate::request::Request;
use crate::valid;

/// What one path answers: its outage while there is one, else its script, else its default.
#[derive(Debug, Default)]
pub(crate) struct Script {
    pub(crate) outage: Option<Answer>,
    pub(crate) answers: VecDeque<Answer>,
    pub(crate) otherwise: Reply,
}

/// An answer, or who makes one.
#[derive(Clone)]
pub(crate) enum Reply {
    Answer(Answer),
    Responder(Arc<Responder>),
}

pub(crate) type Responder = dyn Fn(&Request) -> Answer + Send + Sync;

impl Script {
    pub(crate) fn next(&mut self) -> Reply {
        let scripted = self.outage.clone().or_else(|| self.answers.pop_front());
        scripted.map_or_else(|| self.otherwise.clone(), Reply::Answer)
    }
}

impl Reply {
    /// An answer that cannot be sent becomes a 500 that says why.
    pub(crate) fn to(self, request: &Request) -> Answer {
        match self {
            Self::Answer(answer) => answer,
            Self::Responder(respond) => {
                let answer = respond(request);
                let refused = |error: crate::Error| Answer::status(500).body(format!("this answer cannot be sent: {error}"));
                valid::answer(&answer).map_or_else(refused, |()| answer)
            }
        }
    }
}

impl Default for Reply {
    fn default() -> Self {
        Self::Answer(Answer::default())
    }
}

impl fmt::Debug for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Answer(answer) => answer.fmt(f),
            Self::Responder(_) => f.write_str("Responder"),
        }
    }
}
