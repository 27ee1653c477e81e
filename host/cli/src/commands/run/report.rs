//! The report of a run: its resource usage as one JSON object.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use serde::Serialize;
use stratalog::plugin::{ExitReason, Outcome, Quota, QuotaUsage, Usage};

use crate::process::exit::{Code, Failure};
use crate::replaced_file;
use crate::report::print_line;

#[derive(Serialize)]
struct UsageReport<'a> {
    end: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    exit_code: Option<i32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    trap: Option<&'a str>,
    time_seconds: f64,
    computed_seconds: f64,
    memory_bytes_peak: usize,
    calls: &'a BTreeMap<&'static str, u64>,
    calls_denied: u64,
    events_appended: u64,
    bytes_appended: u64,
    events_read: u64,
    bytes_read: u64,
    log_lines: u64,
    log_lines_dropped: u64,
    quotas: BTreeMap<&'a str, QuotaReport>,
    limits_hit: Vec<LimitReport<'a>>,
    unflushed: Vec<String>,
}

#[derive(Serialize)]
struct QuotaReport {
    bytes: u64,
    objects: u64,
    bytes_max: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    objects_max: Option<u64>,
}

#[derive(Serialize)]
struct LimitReport<'a> {
    limit: &'a str,
    value: LimitValue<'a>,
    option: &'a str,
}

/// The value of a limit: a number, or a time as a text.
#[derive(Serialize)]
#[serde(untagged)]
enum LimitValue<'a> {
    Number(u64),
    Time(&'a str),
}

impl<'a> LimitValue<'a> {
    fn of(value: &'a str) -> Self {
        value.parse().map_or(Self::Time(value), Self::Number)
    }
}

fn of_quota(used: &QuotaUsage) -> QuotaReport {
    let (bytes, objects) = (used.bytes, used.objects);
    let Quota { bytes_max, objects_max, .. } = used.quota;
    QuotaReport { bytes, objects, bytes_max, objects_max }
}

/// Writes the resource usage of a run to a file, or without one to stderr.
pub(super) fn write(file: Option<&Path>, outcome: &Outcome) -> Result<(), Failure> {
    let trap = match &outcome.end {
        ExitReason::Trapped(trap) => Some(trap.as_str()),
        _ => None,
    };
    let Usage {
        time,
        computed,
        memory_bytes_peak,
        calls,
        calls_denied,
        events_appended,
        bytes_appended,
        events_read,
        bytes_read,
        log_lines,
        log_lines_dropped,
        quotas,
        limits_hit,
        ..
    } = &outcome.usage;
    let seconds = |time: &Duration| (time.as_secs_f64() * 1e6).round() / 1e6;
    let limits_hit = limits_hit
        .iter()
        .map(|hit| LimitReport {
            limit: hit.limit,
            value: LimitValue::of(&hit.value),
            option: hit.option,
        })
        .collect();
    let report = UsageReport {
        end: outcome.end.name(),
        exit_code: outcome.end.code(),
        trap,
        time_seconds: seconds(time),
        computed_seconds: seconds(computed),
        memory_bytes_peak: *memory_bytes_peak,
        calls,
        calls_denied: *calls_denied,
        events_appended: *events_appended,
        bytes_appended: *bytes_appended,
        events_read: *events_read,
        bytes_read: *bytes_read,
        log_lines: *log_lines,
        log_lines_dropped: *log_lines_dropped,
        quotas: quotas.iter().map(|(label, used)| (label.as_str(), of_quota(used))).collect(),
        limits_hit,
        unflushed: outcome.unflushed.iter().map(ToString::to_string).collect(),
    };
    let mut line = serde_json::to_string(&report)
        .map_err(|error| Failure::new(Code::Failed, format!("cannot write JSON: {error}")))?;
    let Some(file) = file else {
        print_line(false, &line);
        return Ok(());
    };
    line.push('\n');
    replaced_file::write(file, line.as_bytes()).map_err(|error| {
        let error = replaced_file::explained(&error);
        Failure::new(Code::Failed, format!("cannot write the report {}: {error}", file.display()))
    })
}
