//! Every contender of every case.

use crate::figures::{Figure, Figures};
use resilient_benches::contender::Role;
use std::fmt::Display;

const HEAD: &str = "\
| case | contender | ns | × limit | × ours | instructions | locked | allocations |
|---|---|--:|--:|--:|--:|--:|--:|
";

pub(crate) fn table(figures: &Figures) -> String {
    let mut before = "";
    let row = |figure| {
        let row = row(figure, figure.case != before);
        before = figure.case;
        row
    };
    let rows: String = figures.0.iter().map(row).collect();
    format!("{HEAD}{rows}")
}

fn row(figure: &Figure, is_first: bool) -> String {
    let case = if is_first { figure.case } else { "" };
    let name = if figure.role == Some(Role::Ours) { format!("**{}**", figure.name) } else { figure.name.clone() };
    let ratio = |ratio: f64| if ratio.is_nan() { "–".to_owned() } else { format!("{ratio:.2}") };
    format!(
        "| {case} | {name} | {} | {} | {} | {} | {} | {} |\n",
        nanos(figure.nanos),
        ratio(figure.to_limit),
        ratio(figure.to_ours),
        known(figure.counts.map(|counts| counts.instructions)),
        known(figure.counts.and_then(|counts| counts.locked)),
        known(figure.allocations),
    )
}

pub(crate) fn nanos(nanos: f64) -> String {
    if nanos < 100.0 { format!("{nanos:.1}") } else { format!("{nanos:.0}") }
}

fn known(number: Option<impl Display>) -> String {
    number.map_or_else(|| "–".to_owned(), |number| number.to_string())
}
