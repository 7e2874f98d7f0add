//! What an outcome of a service means.

use crate::verdict::{Classify, Verdict};

/// Judges an outcome of a service: [`ByType`], or a closure as [`PolicyLayer::classify`](super::PolicyLayer::classify) takes it.
#[diagnostic::on_unimplemented(
    message = "nobody says what `{Response}` or `{Error}` means as an outcome",
    label = "this service's outcomes have no verdict",
    note = "say it in the layer: `PolicyLayer::classify(|outcome: &Result<{Response}, {Error}>| …)`",
    note = "or by type, with `Classify` for both; resilient's feature `http` has it for responses"
)]
pub trait ClassifyOutcome<Response, Error> {
    /// The verdict on this outcome.
    fn classify_outcome(&self, outcome: &Result<Response, Error>) -> Verdict;
}

impl<Response, Error, F: Fn(&Result<Response, Error>) -> Verdict> ClassifyOutcome<Response, Error> for F {
    fn classify_outcome(&self, outcome: &Result<Response, Error>) -> Verdict {
        self(outcome)
    }
}

/// Responses and errors say themselves what they mean, by [`Classify`].
#[derive(Clone, Copy, Debug, Default)]
pub struct ByType;

#[diagnostic::do_not_recommend]
impl<Response: Classify, Error: Classify> ClassifyOutcome<Response, Error> for ByType {
    fn classify_outcome(&self, outcome: &Result<Response, Error>) -> Verdict {
        outcome.classify()
    }
}
