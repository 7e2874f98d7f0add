//! Both days for a person at a terminal, and whether they went as they must.

use crate::day::Day;
use std::time::Duration;

/// Prints what happened, and returns whether all of it is as it should be.
pub(crate) fn print(with_key: &Day, without_key: &Day, took: Duration) -> bool {
    table(with_key, without_key);
    let findings = findings(with_key, without_key);
    println!();
    for (is_true, text) in &findings {
        println!("{:>8}  {text}", if *is_true { "ok" } else { "WRONG" });
    }
    println!("\n{:.1} s", took.as_secs_f64());
    findings.iter().all(|(is_true, _)| *is_true)
}

fn table(with_key: &Day, without_key: &Day) {
    let row = |what: &str, of: &dyn Fn(&Day) -> String| println!("{what:<34}{:>10}{:>14}", of(with_key), of(without_key));
    println!("{:<34}{:>10}{:>14}", "", "with key", "without key");
    row("payments", &|day| day.payments.to_string());
    row("requests", &|day| day.requests.to_string());
    for (number, (fault, _)) in with_key.faults.iter().enumerate() {
        row(&format!("  {}", fault.name()), &|day| day.faults[number].1.to_string());
    }
    row("charges in the gateway's book", &|day| day.charges.to_string());
    row("payments with a receipt", &|day| day.audit.confirmed.to_string());
    row("payments charged more than once", &|day| day.audit.charged_again.to_string());
    row("charged too much", &|day| format!("{}.{:02}", day.audit.cents_too_much / 100, day.audit.cents_too_much % 100));
    for (error, count) in with_key.errors.iter().chain(&without_key.errors) {
        println!("{count} × {error}");
    }
}

fn findings(with_key: &Day, without_key: &Day) -> [(bool, String); 4] {
    let (good, bad) = (&with_key.audit, &without_key.audit);
    let unpaid = with_key.payments - good.confirmed;
    let twice = bad.charged_again;
    [
        (good.charged_again == 0, format!("with the key, {} payments were charged more than once", good.charged_again)),
        (good.false_receipts == 0, format!("with the key, {} receipts are not in the book", good.false_receipts)),
        (unpaid == 0, format!("with the key, {unpaid} payments got no receipt, {} of them charged", good.unknown)),
        (twice > 0, format!("without it, {twice} payments were charged more than once")),
    ]
}
