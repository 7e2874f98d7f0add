//! What goes wrong with a request, and how often.

use fastrand::Rng;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Fault {
    /// Charged, and then silence until the caller gives up.
    TimeoutAfterCharge,
    /// Charged, and then an answer that sounds as if it were not.
    UnavailableAfterCharge,
    /// Charged, and then the connection breaks.
    DropAfterCharge,
    UnavailableBeforeCharge,
    /// 429 with `Retry-After`.
    Throttled,
}

impl Fault {
    pub(crate) const ALL: [Self; 5] = [
        Self::TimeoutAfterCharge,
        Self::UnavailableAfterCharge,
        Self::DropAfterCharge,
        Self::UnavailableBeforeCharge,
        Self::Throttled,
    ];
    /// Of each kind, of a hundred requests.
    const PERCENT: usize = 3;

    /// What happens to the `request`-th request for an order: the same in every run with this seed, in whatever order requests come.
    pub(crate) fn of(seed: u64, order: u32, request: u32) -> Option<Self> {
        // The last round is there to mix: neighbouring seeds begin alike.
        let mut chance = [u64::from(order), u64::from(request), 0]
            .into_iter()
            .fold(Rng::with_seed(seed), |mut chance, number| Rng::with_seed(chance.u64(..) ^ number));
        Self::ALL.get(chance.usize(..100) / Self::PERCENT).copied()
    }

    pub(crate) fn has_charged(self) -> bool {
        !matches!(self, Self::UnavailableBeforeCharge | Self::Throttled)
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::TimeoutAfterCharge => "charged, then silence",
            Self::UnavailableAfterCharge => "charged, then 503",
            Self::DropAfterCharge => "charged, then connection lost",
            Self::UnavailableBeforeCharge => "503, not charged",
            Self::Throttled => "429, Retry-After: 1",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Fault;

    #[test]
    fn every_kind_comes_as_often_as_it_should_and_again_in_the_next_run() {
        let faults = || (1..=5_000).flat_map(|order| (1..=2).map(move |request| Fault::of(7, order, request)));
        for kind in Fault::ALL {
            let count = faults().filter(|fault| *fault == Some(kind)).count();
            assert!((230..=370).contains(&count), "{kind:?}: {count} of 10,000 requests");
        }
        assert!(faults().eq(faults()));
    }

    #[test]
    fn a_request_fares_as_if_the_one_before_it_had_not_been() {
        let both = (1..=5_000).filter(|order| Fault::of(7, *order, 1).is_some() && Fault::of(7, *order, 2).is_some()).count();
        assert!((75..=150).contains(&both), "{both} of 5,000, where 112 would be the mean");
    }
}
