//! The cases, row by row.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use serde_json::Value;

use super::changes::{change, changed};
use super::rows::Row;

/// The rows that work at a time.
const WORKERS: usize = 4;

/// Calls `work` on every row, several at a time. Returns the results in the order of the rows.
pub(super) fn on_all<T: Send>(rows: &[Row], work: impl Fn(&Row) -> T + Sync) -> Vec<T> {
    let next = AtomicUsize::new(0);
    let take = || {
        let mut done = Vec::new();
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let Some(row) = rows.get(number) else { return done };
            done.push((number, work(row)));
        }
    };
    let mut done: Vec<(usize, T)> = thread::scope(|scope| {
        let workers: Vec<_> = (0..WORKERS).map(|_| scope.spawn(take)).collect();
        workers.into_iter().flat_map(|worker| worker.join().unwrap()).collect()
    });
    done.sort_by_key(|(number, _)| *number);
    done.into_iter().map(|(_, result)| result).collect()
}

/// Returns the names of all cases.
pub(super) fn cases(row: &Row) -> Vec<String> {
    let cases = row.run(&["list"], &[]);
    let mut listed = row.run(&["list-changed"], &[]);
    let mut known = changed();
    known.sort_unstable();
    listed.sort_unstable();
    assert_eq!(listed, known, "each of these has a change in changes.rs");
    cases
}

/// Performs the cases on every row. Returns the number that each row holds.
///
/// # Panics
/// When a case fails that is not among those that the row cannot do, or one of these holds.
pub(super) fn hold(rows: &[Row], cases: &[String]) -> Vec<usize> {
    let results = on_all(rows, |row| {
        let mut logs = cases.to_vec();
        logs.extend(cases.iter().map(|case| format!("{case}.other")));
        let mut lines = if row.writes() { row.run(&["run"], &logs) } else { Vec::new() };
        let prepared = parsed(&row.prepare(&logs));
        assert!(prepared.iter().all(|(_, failure)| failure.is_none()), "{prepared:?}");
        changed().iter().for_each(|case| change(&row.objects, case));
        lines.extend(row.run(&["check"], &logs));
        parsed(&lines)
    });
    let mut wrong = Vec::new();
    let mut counts = Vec::new();
    for (row, results) in rows.iter().zip(results) {
        let lacks: BTreeSet<&str> = row.lacks(cases).into_iter().map(|(case, _)| case).collect();
        let held = results.iter().filter(|(_, failure)| failure.is_none());
        let held: BTreeSet<&str> = held.map(|(case, _)| case.as_str()).collect();
        for (case, failure) in &results {
            if let (Some(failure), false) = (failure, lacks.contains(case.as_str())) {
                wrong.push(format!("{}: {case}: {failure}", row.name));
            }
        }
        let due: BTreeSet<&str> = cases.iter().map(String::as_str).collect();
        let due: BTreeSet<&str> = due.difference(&lacks).copied().collect();
        let other: Vec<_> = due.symmetric_difference(&held).collect();
        if !other.is_empty() {
            wrong.push(format!("{}: other cases hold than it can do: {other:?}", row.name));
        }
        counts.push(held.len());
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    counts
}

/// Returns the results of cases: for those that failed, the reason.
fn parsed(lines: &[String]) -> Vec<(String, Option<String>)> {
    let parse = |line: &String| {
        let parsed: Value = serde_json::from_str(line).unwrap();
        let failure = parsed["failure"].as_str().map(str::to_owned);
        (parsed["name"].as_str().unwrap().to_owned(), failure)
    };
    lines.iter().map(parse).collect()
}
