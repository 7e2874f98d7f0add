//! Puts the tables into the README, between its two marks.

use std::io;

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../README.md");
const START: &str = "<!-- scripts/compare readme: from here -->\n";
const END: &str = "<!-- scripts/compare readme: to here -->\n";

pub(crate) fn write(targets: &str, table: &str) -> io::Result<()> {
    let readme = std::fs::read_to_string(FILE)?;
    let cut = readme.split_once(START).and_then(|(before, rest)| Some((before, rest.split_once(END)?.1)));
    let (before, after) = cut.ok_or_else(|| io::Error::other("the README has lost a mark"))?;
    let text = format!(
        "{before}{START}\n{targets}\n<details>\n<summary>Every contender of every case</summary>\n\n{table}\n</details>\n\n{END}{after}"
    );
    std::fs::write(FILE, text)
}
