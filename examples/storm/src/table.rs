//! The figures as a Markdown table, which a terminal shows as well.

use crate::figures::Figures;
use crate::storm::Played;
use std::time::Duration;

const HEADINGS: [&str; 7] = ["", "success", "median", "p95", "requests while down", "per call", "all well again after"];

pub(crate) fn markdown(Played { act, figures }: &Played) -> String {
    let rows: Vec<[String; 7]> = std::iter::once(HEADINGS.map(str::to_owned)).chain(figures.iter().map(row)).collect();
    let widths: [usize; 7] = std::array::from_fn(|column| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0));
    let line = |row: &[String; 7]| {
        let cells: Vec<String> = (0..7).map(|column| cell(column, &row[column], widths[column])).collect();
        format!("| {} |\n", cells.join(" | "))
    };
    let rule = format!("|{}|\n", widths.map(|width| "-".repeat(width + 1) + ":").join("|").replacen(":|", "-|", 1));
    let mut lines = rows.iter().map(line);
    let head = lines.next().unwrap_or_default();
    format!("**{}**\n\n{head}{rule}{}", act.title, lines.collect::<String>())
}

/// Names to the left, numbers to the right.
fn cell(column: usize, text: &str, width: usize) -> String {
    if column == 0 { format!("{text:<width$}") } else { format!("{text:>width$}") }
}

fn row(figures: &Figures) -> [String; 7] {
    [
        figures.contender.name().to_owned(),
        format!("{:.1} %", 100.0 * figures.success),
        time(figures.median),
        time(figures.p95),
        figures.requests_while_down.to_string(),
        format!("{:.3}", figures.requests_per_call),
        figures.back_after.map_or_else(|| "never".to_owned(), |after| format!("{:.1} s", after.as_secs_f64())),
    ]
}

fn time(time: Duration) -> String {
    if time < Duration::from_millis(10) {
        return format!("{:.1} ms", time.as_secs_f64() * 1e3);
    }
    if time < Duration::from_secs(1) {
        return format!("{} ms", time.as_millis());
    }
    format!("{:.1} s", time.as_secs_f64())
}
