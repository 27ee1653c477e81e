//! Logs that do not exist, and names that no log has.

use crate::bindings::stratalog::log::append_log::{
    Log, compact, plan_compaction, plan_trim, read, stat, trim,
};
use crate::bindings::stratalog::log::types::{Error, TrimOptions, TrimPoint};
use crate::logs::{
    Case, Outcome, by_hand, cases, holds, invalid, open, read_whole, refused, same, tiered,
    verified, whole,
};

pub(crate) const CASES: &[Case] = cases![
    read_of_a_missing_log_is_refused_once,
    reports_on_a_missing_log_are_refused,
    changes_of_a_missing_log_are_refused,
    names_that_no_log_has_are_refused,
];

fn read_of_a_missing_log_is_refused_once(log: &str) -> Outcome {
    let reader = read(log, &whole())?;
    let Error::NoLog(absent) = refused(reader.next())? else { return holds(false, "it is read") };
    same((absent.name.as_str(), absent.below.len()), (log, 0))?;
    same(reader.next()?.is_none(), true)?;
    let writer = open(log)?;
    writer.append(b"first")?;
    writer.close()?;
    same(reader.next()?.map(|page| page.lines), Some(b"first\n".to_vec()))
}

fn reports_on_a_missing_log_are_refused(log: &str) -> Outcome {
    holds(matches!(refused(stat(log))?, Error::NoLog(_)), "stat")?;
    holds(matches!(refused(plan_compaction(log, tiered()))?, Error::NoLog(_)), "plan")?;
    holds(verified(log).is_err_and(|failure| failure.0.contains("NoLog")), "verify")
}

fn changes_of_a_missing_log_are_refused(log: &str) -> Outcome {
    let (all, options) =
        (TrimPoint::KeepEvents(0), TrimOptions { lazy: false, keep_unread: false });
    holds(matches!(refused(compact(log, tiered()))?, Error::NoLog(_)), "compact")?;
    holds(matches!(refused(trim(log, &all, options))?, Error::NoLog(_)), "trim")?;
    holds(matches!(refused(plan_trim(log, &all, options))?, Error::NoLog(_)), "plan")?;
    // A handle is of a log that may come.
    same(open(log)?.compact(tiered())?.merged_files, 0)
}

fn names_that_no_log_has_are_refused(log: &str) -> Outcome {
    let long = "n".repeat(513);
    let object = format!("{log}/manifest_0000000000000000001.json");
    for wrong in ["", "a//b", "/a", "a/", "..", "a/../b", "a\\b", "a\nb", &long, &object] {
        invalid(Log::open(wrong, by_hand()), "")?;
        invalid(stat(wrong), "")?;
    }
    let writer = open(log)?;
    writer.append(b"a")?;
    writer.close()?;
    same(read_whole(log)?, ["a"])
}
