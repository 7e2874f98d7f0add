//! The gateway's book: every charge that it has made, and which key it was made for.

use crate::fault::Fault;
use crate::payment::{Payment, Receipt};
use std::collections::HashMap;

/// The key belongs to a payment that was another one.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct OtherPayment;

#[derive(Debug, Default)]
pub(crate) struct Ledger {
    charges: Vec<Payment>,
    by_key: HashMap<String, Receipt>,
    requests: HashMap<u32, u32>,
    faults: HashMap<Fault, usize>,
}

impl Ledger {
    /// How many requests for this order there have been, this one included.
    pub(crate) fn note_request(&mut self, order: u32) -> u32 {
        let requests = self.requests.entry(order).or_default();
        *requests += 1;
        *requests
    }

    pub(crate) fn note_fault(&mut self, fault: Fault) {
        *self.faults.entry(fault).or_default() += 1;
    }

    /// Charges once for each key, and every time where there is none.
    pub(crate) fn charge(&mut self, key: Option<String>, payment: Payment) -> Result<Receipt, OtherPayment> {
        let Some(key) = key else { return Ok(self.book(payment)) };
        if let Some(receipt) = self.by_key.get(&key) {
            return if self.charges.get(receipt.charge) == Some(&payment) { Ok(*receipt) } else { Err(OtherPayment) };
        }
        let receipt = self.book(payment);
        self.by_key.insert(key, receipt);
        Ok(receipt)
    }

    pub(crate) fn charges(&self) -> &[Payment] {
        &self.charges
    }

    pub(crate) fn requests(&self) -> u32 {
        self.requests.values().sum()
    }

    pub(crate) fn faults(&self, fault: Fault) -> usize {
        self.faults.get(&fault).copied().unwrap_or_default()
    }

    fn book(&mut self, payment: Payment) -> Receipt {
        self.charges.push(payment);
        Receipt { charge: self.charges.len() - 1, cents: payment.cents }
    }
}

#[cfg(test)]
mod tests {
    use super::{Ledger, OtherPayment};
    use crate::payment::Payment;

    #[test]
    fn a_key_is_charged_once_and_gets_the_same_receipt_again() {
        let (mut ledger, payment) = (Ledger::default(), Payment { order: 1, cents: 250 });
        let first = ledger.charge(Some("a".to_owned()), payment).unwrap();
        assert_eq!(ledger.charge(Some("a".to_owned()), payment), Ok(first));
        assert_eq!(ledger.charges(), [payment]);
    }

    #[test]
    fn a_key_is_refused_for_another_payment() {
        let mut ledger = Ledger::default();
        ledger.charge(Some("a".to_owned()), Payment { order: 1, cents: 250 }).unwrap();
        assert_eq!(ledger.charge(Some("a".to_owned()), Payment { order: 2, cents: 250 }), Err(OtherPayment));
        assert_eq!(ledger.charges().len(), 1);
    }

    #[test]
    fn without_a_key_every_request_is_a_charge() {
        let (mut ledger, payment) = (Ledger::default(), Payment { order: 1, cents: 250 });
        let [first, second] = [(); 2].map(|()| ledger.charge(None, payment).unwrap());
        assert_ne!(first, second);
        assert_eq!(ledger.charges(), [payment; 2]);
    }
}
