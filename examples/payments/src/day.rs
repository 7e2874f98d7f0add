//! A day of payments, all at once, at a gateway of its own.

use crate::audit::Audit;
use crate::client::{Gateway, PaymentError};
use crate::fault::Fault;
use crate::payment::{Payment, Receipt};
use crate::server::Server;
use std::collections::BTreeMap;
use tokio::task::JoinSet;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    WithKey,
    WithoutKey,
}

pub(crate) struct Day {
    pub(crate) payments: usize,
    pub(crate) requests: u32,
    pub(crate) faults: Vec<(Fault, usize)>,
    pub(crate) charges: usize,
    pub(crate) audit: Audit,
    /// What callers were told instead of a receipt, and how many of them.
    pub(crate) errors: BTreeMap<String, usize>,
}

pub(crate) async fn play(style: Style, payments: u32, seed: u64) -> anyhow::Result<Day> {
    let server = Server::new(seed);
    let gateway = Gateway::new(server.serve().await?)?;
    let told = pay_all(style, &gateway, payments).await;
    let ledger = server.ledger();
    let receipts: Vec<(Payment, Option<Receipt>)> =
        told.iter().map(|(payment, told)| (*payment, told.as_ref().ok().copied())).collect();
    Ok(Day {
        payments: told.len(),
        requests: ledger.requests(),
        faults: Fault::ALL.map(|fault| (fault, ledger.faults(fault))).to_vec(),
        charges: ledger.charges().len(),
        audit: Audit::new(&ledger, &receipts),
        errors: errors(&told),
    })
}

type Told = (Payment, Result<Receipt, PaymentError>);

async fn pay_all(style: Style, gateway: &Gateway, payments: u32) -> Vec<Told> {
    let mut calls = JoinSet::new();
    for order in 1..=payments {
        let (gateway, payment) = (gateway.clone(), Payment { order, cents: 100 + u64::from(order % 50) });
        calls.spawn(async move {
            let told = match style {
                Style::WithKey => gateway.charge(payment).await,
                Style::WithoutKey => gateway.charge_without_key(payment).await,
            };
            (payment, told)
        });
    }
    calls.join_all().await
}

fn errors(told: &[Told]) -> BTreeMap<String, usize> {
    let mut errors = BTreeMap::new();
    for error in told.iter().filter_map(|(_, told)| told.as_ref().err()) {
        *errors.entry(error.to_string()).or_default() += 1;
    }
    errors
}
