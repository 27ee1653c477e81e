//! The steps of a scenario that a plugin does, in a test kit and in a host.

use std::time::Duration;

use serde_json::{Value, json};
use stratalog_plugin::wit::append_log;
use stratalog_plugin::wit::types::{self, CompactOptions, Finding, TrimOptions, TrimPoint};
use stratalog_plugin::{Error, Log, Reader};

/// The result of a step: the value that it returns, or the case of its error.
pub type Outcome = Result<Value, String>;

/// A plugin that follows a scenario.
#[derive(Default)]
pub struct Steps {
    log: Option<Log>,
}

impl Steps {
    /// Does a step. None if it is not one of a plugin.
    pub fn step(&mut self, step: &Value) -> Option<Outcome> {
        // The names are sorted: the first one may be that of an option.
        let mut words = step.as_object()?.iter();
        words.find_map(|(action, value)| self.act(action, value.as_str().unwrap_or(""), step))
    }

    fn act(&mut self, action: &str, text: &str, step: &Value) -> Option<Outcome> {
        let none = |()| Value::Null;
        Some(match action {
            "open" => self.open(text, &step["options"]).map(none),
            "append" => self.log().append(text).map(none).map_err(case),
            "append-lines" => self.log().append_lines(text).map(Value::from).map_err(case),
            "flush" => self.log().flush().map(|written| written.events.into()).map_err(case),
            "close" => {
                let written = self.log.take().expect("an open log").close();
                written.map(|written| written.events.into()).map_err(case)
            }
            "drop" | "crash" => {
                self.log = None;
                Ok(Value::Null)
            }
            "read" => read(text, step["start-after"].as_u64()),
            "read-named" => read_named(text, step),
            "compact" => compact(text).map(none),
            "trim" => trim(text, step["keep-events"].as_u64()).map(none),
            "verify" => verify(text),
            _ => return None,
        })
    }

    fn open(&mut self, label: &str, wanted: &Value) -> Result<(), String> {
        let mut options = Log::options();
        for (name, value) in wanted.as_object().into_iter().flatten() {
            let value = u32::try_from(value.as_u64().expect("a valid step")).expect("a valid step");
            options = match name.as_str() {
                "flush-threshold" => options.flush_threshold(value),
                "flush-interval-ms" => options.flush_interval(Duration::from_millis(value.into())),
                "event-bytes-max" => options.event_bytes_max(value),
                name => panic!("no option {name:?}"),
            };
        }
        self.log = Some(options.open(label).map_err(case)?);
        Ok(())
    }

    fn log(&self) -> &Log {
        self.log.as_ref().expect("an open log")
    }
}

fn read(label: &str, start_after: Option<u64>) -> Outcome {
    let mut position = None;
    if let Some(events) = start_after {
        let mut before = Reader::open(label).map_err(case)?.events();
        for _ in 0..events {
            before.next().expect("an event").map_err(case)?;
        }
        position = before.position();
    }
    let events = Reader::options().start(position).open(label).map_err(case)?.events();
    let texts = events.map(|event| event.map(|event| event.text().into_owned()));
    Ok(json!(texts.collect::<Result<Vec<String>, _>>().map_err(case)?))
}

fn read_named(label: &str, step: &Value) -> Outcome {
    let name = step["name"].as_str().expect("a valid step");
    let mut events = Reader::options().open_named(label, name).map_err(case)?.events();
    let mut texts = Vec::new();
    for _ in 0..step["events"].as_u64().expect("a valid step") {
        let Some(event) = events.next() else { break };
        texts.push(event.map_err(case)?.text().into_owned());
    }
    if step["commit"] == true {
        events.commit().map_err(case)?;
    }
    Ok(json!(texts))
}

fn compact(label: &str) -> Result<(), String> {
    let options =
        CompactOptions { full: false, fan_in: None, segment_bytes_max: None, batches_max: None };
    append_log::compact(label, options).map(drop).map_err(|error| case_of(&error))
}

fn trim(label: &str, keep_events: Option<u64>) -> Result<(), String> {
    let until = TrimPoint::KeepEvents(keep_events.expect("a number of events"));
    let options = TrimOptions { lazy: false, keep_unread: false };
    append_log::trim(label, &until, options).map(drop).map_err(|error| case_of(&error))
}

fn verify(label: &str) -> Outcome {
    let failed = |error| case_of(&error);
    let verifier = append_log::verify(label).map_err(failed)?;
    let mut damaged = 0;
    while let Some(checked) = verifier.next().map_err(failed)? {
        let found = checked.findings.iter();
        damaged += found.filter(|finding| matches!(finding, Finding::Damaged(_))).count();
    }
    Ok(json!(damaged))
}

fn case(error: Error) -> String {
    case_of(error.cause())
}

/// Returns the case of an error as the WIT spells it.
fn case_of(error: &types::Error) -> String {
    let case = match error {
        types::Error::InvalidInput(_) => "invalid-input",
        types::Error::InvalidEvent(_) => "invalid-event",
        types::Error::WriteFailed(_) => "write-failed",
        types::Error::StoreFailed(_) => "store-failed",
        types::Error::Damaged(_) => "damaged",
        types::Error::NoLog(_) => "no-log",
        types::Error::Conflict(_) => "conflict",
        types::Error::Unsupported(_) => "unsupported",
        types::Error::Denied(_) => "denied",
        types::Error::LimitReached(_) => "limit-reached",
        types::Error::Closed => "closed",
    };
    case.to_owned()
}
