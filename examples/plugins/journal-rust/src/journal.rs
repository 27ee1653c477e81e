//! Opens the log with the label `errors` and runs the job: appends errors and reads the log back.

use std::io::{self, BufRead, Read as _};

use serde_json::json;

use crate::access_line::{self, Access};
use crate::bindings::stratalog::log::append_log::Log;
use crate::bindings::stratalog::log::types::{Error, EventFault, InvalidEvent, Options, WriteFate};
use crate::summary::Summary;

/// The label of the granted log.
const LABEL: &str = "errors";
/// A longer line is not understood. This bounds memory.
const LINE_BYTES_MAX: u64 = 64 * 1024;

/// The reason why the job failed, in one line.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct Failure(String);

/// Journals the errors among the lines, then counts all errors in the log.
pub(crate) fn run(mut input: impl BufRead) -> Result<Summary, Failure> {
    let mut summary = Summary::default();
    let defaults = Options {
        flush_threshold: None,
        flush_bytes: None,
        flush_interval_ms: None,
        event_bytes_max: None,
        buffer_bytes_max: None,
        creates_max: None,
    };
    let log = Log::open(LABEL, defaults).map_err(failed_to("open"))?;
    let mut line = Vec::new();
    while read_line(&mut input, &mut line)
        .map_err(|e| Failure(format!("cannot read stdin: {e}")))?
    {
        summary.lines += 1;
        match understood(&line) {
            Some(access) if access.status >= 500 => {
                log.append(event(&access).as_bytes()).map_err(failed_to("append to"))?;
                summary.journalled += 1;
            }
            Some(_) => {}
            None => summary.not_understood += 1,
        }
    }
    log.flush().map_err(failed_to("flush"))?;

    let reader = log.read_all().map_err(failed_to("read"))?;
    while let Some(page) = reader.next().map_err(failed_to("read"))? {
        summary.count(&page.lines);
    }
    log.close().map_err(failed_to("close"))?;
    Ok(summary)
}

/// Reads a line without its LF, or the beginning of one that is too long. False at the end.
fn read_line(input: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<bool> {
    line.clear();
    input.take(LINE_BYTES_MAX + 1).read_until(b'\n', line)?;
    if line.is_empty() {
        return Ok(false);
    }
    if line.last() == Some(&b'\n') {
        line.pop();
    } else if is_too_long(line) {
        input.skip_until(b'\n')?;
    }
    Ok(true)
}

fn is_too_long(line: &[u8]) -> bool {
    u64::try_from(line.len()).is_ok_and(|bytes| bytes > LINE_BYTES_MAX)
}

fn understood(line: &[u8]) -> Option<Access<'_>> {
    if is_too_long(line) {
        return None;
    }
    access_line::parse(line.strip_suffix(b"\r").unwrap_or(line))
}

fn event(access: &Access<'_>) -> String {
    // Built by hand, so that the fields have the same order in every language.
    let Access { time, host, method, path, status } = access;
    let [time, host, method, path] = [json!(time), json!(host), json!(method), json!(path)];
    format!(r#"{{"time":{time},"host":{host},"method":{method},"path":{path},"status":{status}}}"#)
}

fn failed_to(action: &str) -> impl Fn(Error) -> Failure {
    move |error| Failure(format!("cannot {action} the log {LABEL}: {}", text(&error)))
}

/// Formats the case of an error and its payload.
fn text(error: &Error) -> String {
    match error {
        Error::InvalidInput(reason) => format!("invalid-input: {reason}"),
        Error::InvalidEvent(InvalidEvent { line, fault }) => {
            let fault = match fault {
                EventFault::Empty => "empty".to_owned(),
                EventFault::LineFeed => "line-feed".to_owned(),
                EventFault::TooLong(by) => format!("{} bytes, at most {}", by.bytes, by.bytes_max),
                EventFault::Unterminated => "unterminated".to_owned(),
            };
            format!("invalid-event: line {line}: {fault}")
        }
        Error::WriteFailed(failure) => {
            let fate = match failure.fate {
                WriteFate::Durable => "durable",
                WriteFate::NotWritten => "not-written",
                WriteFate::Unknown => "unknown",
            };
            let (object, message, pending) =
                (&failure.object, &failure.message, failure.events_pending);
            format!("write-failed: {object} ({fate}, {pending} events pending): {message}")
        }
        Error::StoreFailed(failure) => format!("store-failed: {}", failure.message),
        Error::Damaged(damage) => format!(
            "damaged: {}: expected {}, found {}",
            damage.object, damage.expected, damage.found
        ),
        Error::NoLog(absent) => format!("no-log: {}", absent.name),
        Error::Conflict(reason) => format!("conflict: {reason}"),
        Error::Unsupported(reason) => format!("unsupported: {reason}"),
        Error::Denied(reason) => format!("denied: {reason}"),
        Error::LimitReached(reason) => format!("limit-reached: {reason}"),
        Error::Closed => "closed".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(input: &[u8]) -> Vec<usize> {
        let mut input = io::BufReader::with_capacity(7, input);
        let (mut line, mut lengths) = (Vec::new(), Vec::new());
        while read_line(&mut input, &mut line).unwrap() {
            lengths.push(line.len());
        }
        lengths
    }

    #[test]
    fn line_is_kept_up_to_its_limit() {
        assert!(lines(b"").is_empty());
        assert_eq!(lines(b"a\n\nbc"), [1, 0, 2]);
        let max = usize::try_from(LINE_BYTES_MAX).unwrap();
        let line = |bytes| [b"x".repeat(bytes), b"\ny\n".to_vec()].concat();
        assert_eq!(lines(&line(max)), [max, 1]);
        assert_eq!(lines(&line(max + 1)), [max + 1, 1]);
        assert_eq!(lines(&line(3 * max)), [max + 1, 1]);
        assert_eq!(lines(&b"x".repeat(3 * max)), [max + 1]);
    }

    #[test]
    fn event_is_one_line_of_json_whatever_it_holds() {
        let access = Access {
            time: "2000-10-10T13:55:36-07:00".to_owned(),
            host: "::1",
            method: "GET",
            path: "/a\\\"é\u{2028}",
            status: 500,
        };
        let expected = "{\"time\":\"2000-10-10T13:55:36-07:00\",\"host\":\"::1\",\
            \"method\":\"GET\",\"path\":\"/a\\\\\\\"é\u{2028}\",\"status\":500}";
        assert_eq!(event(&access), expected);
    }
}
