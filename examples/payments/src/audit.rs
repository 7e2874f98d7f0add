//! The gateway's book, compared with what the callers were told.

use crate::ledger::Ledger;
use crate::payment::{Payment, Receipt};
use std::collections::HashMap;

#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Audit {
    /// Payments that callers were given a receipt for.
    pub(crate) confirmed: usize,
    /// Receipts that the book does not have.
    pub(crate) false_receipts: usize,
    /// Payments that were charged, and whose callers do not know it.
    pub(crate) unknown: usize,
    /// Payments that were charged more than once.
    pub(crate) charged_again: usize,
    pub(crate) cents_too_much: u64,
}

impl Audit {
    pub(crate) fn new(ledger: &Ledger, told: &[(Payment, Option<Receipt>)]) -> Self {
        let mut charges: HashMap<u32, u64> = HashMap::new();
        for charge in ledger.charges() {
            *charges.entry(charge.order).or_default() += 1;
        }
        let mut audit = Self::default();
        for (payment, receipt) in told {
            audit.compare(ledger, *payment, *receipt, charges.get(&payment.order).copied().unwrap_or_default());
        }
        audit
    }

    fn compare(&mut self, ledger: &Ledger, payment: Payment, receipt: Option<Receipt>, charges: u64) {
        match receipt {
            Some(receipt) => {
                self.confirmed += 1;
                self.false_receipts += usize::from(ledger.charges().get(receipt.charge) != Some(&payment));
            }
            None => self.unknown += usize::from(charges > 0),
        }
        let too_often = charges.saturating_sub(1);
        self.charged_again += usize::from(too_often > 0);
        self.cents_too_much += too_often * payment.cents;
    }
}

#[cfg(test)]
mod tests {
    use super::Audit;
    use crate::ledger::Ledger;
    use crate::payment::{Payment, Receipt};

    #[test]
    fn what_was_charged_again_or_is_unknown_or_false_is_found() {
        let payments: [Payment; 4] = [1, 2, 3, 4].map(|order| Payment { order, cents: 100 * u64::from(order) });
        let mut ledger = Ledger::default();
        let [first, _, _, _, last] = [0, 1, 1, 1, 2].map(|payment| ledger.charge(None, payments[payment]).unwrap());
        let wrong = Receipt { charge: last.charge, cents: 400 };
        let told = [(payments[0], Some(first)), (payments[1], None), (payments[2], Some(last)), (payments[3], Some(wrong))];
        let expected = Audit { confirmed: 3, false_receipts: 1, unknown: 1, charged_again: 1, cents_too_much: 400 };
        assert_eq!(Audit::new(&ledger, &told), expected);
    }
}
