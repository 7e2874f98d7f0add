//! What an SQLSTATE means, the five characters of ISO 9075 by which databases name an error.

use super::connection::BUSY;
use crate::verdict::Verdict;

/// The verdict on what a database answered. The message is asked only where the code leaves open who is to blame.
pub(super) fn of_sqlstate(code: &str, message: &str) -> Verdict {
    match code {
        // Conflicts with other transactions, locks that others hold, and places that others have.
        "40000" | "40001" | "40P01" | "55006" | "55P03" | "53300" => BUSY,
        "40002" | "53400" | "57P04" | "58P01" | "58P02" | "58P03" | "XX001" | "XX002" => Verdict::Permanent,
        "57014" | "70100" => of_cancellation(message),
        "25006" | "25P03" | "25P04" | "HV00N" | "HY000" => Verdict::TRANSIENT,
        _ => of_class(code.get(..2).unwrap_or_default()),
    }
}

fn of_class(class: &str) -> Verdict {
    match class {
        "08" | "40" | "53" | "57" | "58" | "72" | "XX" => Verdict::TRANSIENT,
        _ => Verdict::Permanent,
    }
}

/// Whether a statement ran out of time, which is the server's, or somebody asked to stop it, which is ours. Databases that speak other
/// languages leave it open; a time limit is the likelier.
fn of_cancellation(message: &str) -> Verdict {
    if message.contains("user request") { Verdict::Ignored } else { Verdict::TRANSIENT }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The rows of the table of SQLSTATEs: the codes or classes, and the verdict.
    fn rows() -> Vec<(&'static str, &'static str)> {
        let (_, section) = include_str!("../../../docs/verdicts.md").split_once("## SQLSTATE\n").unwrap();
        let section = section.split("\n## ").next().unwrap();
        let row = |line: &'static str| {
            let mut cells = line.strip_prefix("| `")?.split('|');
            Some((cells.next()?, cells.nth(1)?.trim()))
        };
        section.lines().filter_map(row).collect()
    }

    #[test]
    fn the_table_says_what_the_code_does() {
        let rows = rows();
        assert!(rows.len() > 15);
        for (codes, verdict) in rows {
            for code in codes.split('`').filter(|code| code.chars().all(|c| c.is_ascii_alphanumeric()) && !code.is_empty()) {
                // A class of its own stands for any of its codes that has no row.
                let code = format!("{code:9<5}");
                assert_eq!(of_sqlstate(&code, "").word(), verdict, "{code}");
            }
        }
    }

    #[test]
    fn who_cancels_a_statement_decides() {
        assert_eq!(of_sqlstate("57014", "canceling statement due to statement timeout"), Verdict::TRANSIENT);
        assert_eq!(of_sqlstate("57014", "canceling statement due to user request"), Verdict::Ignored);
        assert_eq!(of_sqlstate("57014", "storniere Anfrage wegen Zeitüberschreitung der Anfrage"), Verdict::TRANSIENT);
    }

    #[test]
    fn what_is_no_sqlstate_is_an_answer() {
        for code in ["", "4", "é", "ZZ999"] {
            assert_eq!(of_sqlstate(code, ""), Verdict::Permanent, "{code}");
        }
    }
}
