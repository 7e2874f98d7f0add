use std::collections::VecDeque;

use crate::answer::Answer;

/// What one path answers: its outage while there is one, else its script, else its default.
#[derive(Debug, Default)]
pub(crate) struct Script {
    pub(crate) outage: Option<Answer>,
    pub(crate) answers: VecDeque<Answer>,
    pub(crate) otherwise: Answer,
}

impl Script {
    pub(crate) fn next(&mut self) -> Answer {
        self.outage.clone().or_else(|| self.answers.pop_front()).unwrap_or_else(|| self.otherwise.clone())
    }
}
