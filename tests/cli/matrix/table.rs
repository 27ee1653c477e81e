//! The table, printed and compared with the one that `tests/matrix/README.md` has.

use std::collections::BTreeMap;
use std::fs;

use rig::backends::say;
use rig::tools::workspace;

use super::rows::{ROWS, Row};

const HEAD: &str = "| host and store | cases | not done | logs of others read |";

/// Prints the table, and compares it with the page. With `STRATALOG_BLESS=1`, it is written there.
pub(super) fn check(rows: &[Row], cases: &[String], held: &[usize], read: &[usize], digest: &str) {
    let writers = rows.iter().filter(|row| row.writes()).count();
    let mut table = format!("{HEAD}\n|---|---|---|---|\n");
    let mut reasons: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for ((row, held), read) in rows.iter().zip(held).zip(read) {
        let lacks = row.lacks(cases);
        let number = if lacks.is_empty() { String::new() } else { lacks.len().to_string() };
        let others = writers - usize::from(row.writes());
        let all = cases.len();
        table += &format!("| {} | {held} of {all} | {number} | {read} of {others} |\n", row.name);
        for (case, why) in lacks {
            let with_reason = reasons.entry(why).or_default();
            if !with_reason.contains(&case) {
                with_reason.push(case);
            }
        }
    }
    let lacks: String = reasons.iter().map(|(why, lacks)| not_done(why, lacks, cases)).collect();
    let printed = format!("{table}\nNot done:\n\n{lacks}");
    printed.lines().for_each(say);
    say(&format!("sha256 of the log's component in all rows: {digest}"));

    if rows.len() < ROWS {
        return say("SKIPPED the comparison with tests/matrix/README.md: rows are missing");
    }
    let page = workspace().join("tests/matrix/README.md");
    let text = fs::read_to_string(&page).unwrap();
    let (before, rest) = text.split_once(HEAD).unwrap();
    let (_, after) = rest.split_once("\n\n## ").unwrap();
    let expected = format!("{before}{printed}\n## {after}");
    if std::env::var_os("STRATALOG_BLESS").is_some() {
        fs::write(&page, expected).unwrap();
    } else {
        assert_eq!(text, expected, "write the page again: STRATALOG_BLESS=1 tests/matrix/run");
    }
}

/// Returns the cases that are not done for a reason: if they are many, by those that are done.
fn not_done(why: &str, lacks: &[&str], cases: &[String]) -> String {
    let is_most = lacks.len() > cases.len() / 2;
    let named = cases.iter().filter(|case| lacks.contains(&case.as_str()) != is_most);
    let named: String = named.map(|case| format!("  - `{case}`\n")).collect();
    let which = if is_most { "all cases but these" } else { "these cases" };
    format!("- {why}: {which}\n{named}")
}
