//! The output of `keep` for each log and for a sweep.

use std::time::Duration;

use serde::Serialize;
use stratalog::Error;
use stratalog::keep::{Kept, Prices, Work};
use stratalog::store::{Location, Root};

use crate::process::exit::{Code, Failure, write_stdout};
use crate::terminal::human::{count, size, visible};
use crate::terminal::live_lines;

/// The settings of the output.
pub(super) struct Said<'a> {
    pub(super) root: &'a Root,
    pub(super) json: bool,
    pub(super) dry_run: bool,
    pub(super) prices: Prices,
}

/// A log in JSON. The numbers are absent where nothing was done.
#[derive(Serialize)]
struct Report {
    log: String,
    name: String,
    kept: bool,
    dry_run: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    merged_batches: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    merged_segments: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    merged_bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trimmed_events: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trimmed_bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    held_by: Option<String>,
    verified: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    verified_bytes: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
    dollars_per_month: f64,
}

/// The sums of a sweep.
#[derive(Default)]
pub(super) struct Totals {
    logs: u64,
    left_alone: u64,
    worked_on: u64,
    /// Logs and folders.
    pub(super) failed: u64,
    month: f64,
}

impl Totals {
    pub(super) fn add(&mut self, log: &Kept, month: f64) {
        self.logs += 1;
        self.left_alone += u64::from(log.policy.is_none());
        self.worked_on += u64::from(!log.done.is_empty());
        self.failed += u64::from(log.error.is_some());
        self.month += month;
    }

    /// Formats the sums in one line.
    pub(super) fn text(&self, root: &Root, dry_run: bool) -> String {
        let logs = count(self.logs, "log", "logs");
        let would = if dry_run { "to be worked on" } else { "worked on" };
        let mut text = format!("{logs} below {root}: {} {would}", self.worked_on);
        if self.left_alone > 0 {
            text.push_str(&format!(", {} without a policy", self.left_alone));
        }
        if self.failed > 0 {
            text.push_str(&format!(", {} failed", self.failed));
        }
        format!("{text}; about {} a month", dollars(self.month))
    }
}

impl Said<'_> {
    /// Estimates the cost of a log for a month, in dollars.
    pub(super) fn month(&self, log: &Kept, every: Duration) -> f64 {
        log.log.counts.as_ref().map_or(0.0, |counts| self.prices.month(counts, every))
    }

    /// Formats the failure of a log.
    pub(super) fn failure(&self, name: &str, error: &Error) -> String {
        format!("cannot keep {}: {error}", self.location(name))
    }

    fn location(&self, name: &str) -> Location {
        Location { root: self.root.clone(), name: name.to_owned() }
    }

    /// Prints a log: for people if there is something to say of it, as JSON each one. False: the
    /// reader has closed the output.
    pub(super) fn print(&self, log: &Kept, month: f64) -> Result<bool, Failure> {
        let line = if self.json {
            serde_json::to_string(&self.report(log, month)).map_err(|error| {
                Failure::new(Code::Failed, format!("cannot write JSON: {error}"))
            })?
        } else {
            match self.text(log, month) {
                Some(text) => text,
                None => return Ok(true),
            }
        };
        live_lines::suspend(|| write_stdout(format!("{line}\n").as_bytes()))
    }

    fn report(&self, log: &Kept, month: f64) -> Report {
        let mut report = Report {
            log: self.location(&log.log.name).to_string(),
            name: log.log.name.clone(),
            kept: log.policy.is_some(),
            dry_run: self.dry_run,
            merged_batches: None,
            merged_segments: None,
            merged_bytes: None,
            trimmed_events: None,
            trimmed_bytes: None,
            held_by: None,
            verified: false,
            verified_bytes: None,
            error: log.error.as_ref().map(ToString::to_string),
            dollars_per_month: (month * 1e6).round() / 1e6,
        };
        for work in &log.done {
            match work {
                Work::Compacted(done) => {
                    report.merged_batches = Some(done.batches);
                    report.merged_segments = Some(done.segments);
                    report.merged_bytes = Some(done.bytes);
                }
                Work::WouldCompact(plan) => {
                    report.merged_batches = Some(plan.batches);
                    report.merged_segments = Some(plan.segments);
                    report.merged_bytes = Some(plan.bytes);
                }
                Work::Trimmed(done) | Work::WouldTrim(done) => {
                    let sum = |sum: Option<u64>, more| Some(sum.unwrap_or(0) + more);
                    report.trimmed_events = sum(report.trimmed_events, done.events);
                    report.trimmed_bytes = sum(report.trimmed_bytes, done.bytes);
                    report.held_by = report.held_by.take().or_else(|| done.held_by.clone());
                }
                Work::Verified(checked) => {
                    (report.verified, report.verified_bytes) = (true, Some(checked.bytes));
                }
                Work::WouldVerify => report.verified = true,
                // The enum is non-exhaustive.
                _ => {}
            }
        }
        report
    }

    /// Formats a log in one line. A dry run has one for each.
    fn text(&self, log: &Kept, month: f64) -> Option<String> {
        let name = visible(&log.log.name);
        let cost = format!("about {} a month", dollars(month));
        let mut done: Vec<String> = log.done.iter().filter_map(text_of).collect();
        if log.policy.is_none() {
            done.push("no policy: left alone".to_owned());
        } else if done.is_empty() {
            let end = if log.error.is_some() { "failed" } else { "nothing to do" };
            done.push(end.to_owned());
        }
        match (self.dry_run, log.done.is_empty()) {
            (true, _) => Some(format!("{name}: {}; {cost}", done.join(", "))),
            (false, false) => Some(format!("{name}: {}", done.join(", "))),
            (false, true) => None,
        }
    }
}

fn text_of(work: &Work) -> Option<String> {
    let objects = |batches, segments| {
        let batches = (batches > 0).then(|| count(batches, "batch", "batches").to_string());
        let segments = (segments > 0).then(|| count(segments, "segment", "segments").to_string());
        let all: Vec<_> = batches.into_iter().chain(segments).collect();
        all.join(" and ")
    };
    Some(match work {
        Work::Compacted(done) => {
            format!("merged {} ({})", objects(done.batches, done.segments), size(done.bytes))
        }
        Work::WouldCompact(plan) if plan.batches + plan.segments == 0 => {
            let garbage = count(plan.garbage_objects, "garbage object", "garbage objects");
            format!("would delete {garbage}")
        }
        Work::WouldCompact(plan) => {
            format!("would merge {} ({})", objects(plan.batches, plan.segments), size(plan.bytes))
        }
        Work::Trimmed(done) => {
            format!("removed {} ({})", count(done.events, "event", "events"), size(done.bytes))
        }
        Work::WouldTrim(plan) => {
            let events = count(plan.events, "event", "events");
            format!("would remove {events} ({})", size(plan.bytes))
        }
        Work::Verified(checked) => format!("verified {}", size(checked.bytes)),
        Work::WouldVerify => "would verify it".to_owned(),
        // The enum is non-exhaustive.
        _ => return None,
    })
}

/// Formats an amount with the digits that matter.
fn dollars(amount: f64) -> String {
    match amount {
        ..0.000_05 => "$0".to_owned(),
        ..0.1 => format!("${amount:.4}"),
        _ => format!("${amount:.2}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dollars_have_the_digits_that_matter() {
        let table = [
            (0.0, "$0"),
            (0.000_01, "$0"),
            (0.001_23, "$0.0012"),
            (0.5, "$0.50"),
            (1234.5, "$1234.50"),
        ];
        for (amount, text) in table {
            assert_eq!(dollars(amount), text);
        }
    }
}
