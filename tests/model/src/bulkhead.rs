//! The bulkhead: places, and a line of those who wait for one.

use crate::flaw::Flaw;

/// A bulkhead; whoever waits has a number.
#[derive(Clone, Debug)]
pub struct Bulkhead {
    limit: u32,
    flaw: Option<Flaw>,
    in_flight: u32,
    line: Vec<usize>,
    /// Who was given a place in line and has not come to take it.
    granted: Vec<usize>,
}

impl Bulkhead {
    /// An empty one.
    #[must_use]
    pub const fn new(limit: u32, flaw: Option<Flaw>) -> Self {
        Self { limit, flaw, in_flight: 0, line: Vec::new(), granted: Vec::new() }
    }

    /// Calls in flight at most.
    #[must_use]
    pub const fn limit(&self) -> u32 {
        self.limit
    }

    /// Calls in flight, those included that have not noticed yet.
    #[must_use]
    pub const fn in_flight(&self) -> u32 {
        self.in_flight
    }

    /// Calls in line.
    #[must_use]
    pub fn waiting(&self) -> u32 {
        u32::try_from(self.line.len()).unwrap_or(u32::MAX)
    }

    /// A place, if one is free and nobody waits.
    pub fn enter(&mut self) -> bool {
        let enters = self.line.is_empty() && self.in_flight < self.limit;
        self.in_flight += u32::from(enters);
        enters
    }

    /// The last place in line.
    pub fn stand_in_line(&mut self, who: usize) {
        self.line.push(who);
    }

    /// Whether it is this one's turn.
    #[must_use]
    pub fn is_granted(&self, who: usize) -> bool {
        self.granted.contains(&who)
    }

    /// This one's turn has come, and is taken.
    pub fn take_granted(&mut self, who: usize) -> bool {
        let was_granted = self.is_granted(who);
        self.granted.retain(|&other| other != who);
        was_granted
    }

    /// Leaves the line, or gives back the place that it led to.
    pub fn leave(&mut self, who: usize) {
        self.line.retain(|&other| other != who);
        if self.take_granted(who) && self.flaw != Some(Flaw::GrantedPlaceLost) {
            self.release();
        }
        self.hand_over();
    }

    /// A call has ended.
    pub fn release(&mut self) {
        self.in_flight -= 1;
        self.hand_over();
    }

    /// Takes another limit; calls in flight stay.
    pub fn change(&mut self, limit: u32) {
        self.limit = limit;
        if self.flaw != Some(Flaw::RaisedLimitIsNotHeard) {
            self.hand_over();
        }
    }

    fn hand_over(&mut self) {
        while !self.line.is_empty() && self.in_flight < self.limit {
            let place = if self.flaw == Some(Flaw::LastComesFirst) { self.line.len() - 1 } else { 0 };
            self.granted.push(self.line.remove(place));
            self.in_flight += 1;
        }
    }
}
