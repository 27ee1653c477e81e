//! The records as JSON events. `host/docs/records.md` describes each; a field is only ever added.

use std::iter::{once, repeat};
use std::time::SystemTime;

use stratalog_store_rules::text::cut;

use super::super::exit::ExitReason;
use super::super::limits::{Limit, LimitHit, PluginLimits};
use super::super::quota::Quota;
use super::super::rights::{Right, Rights};
use super::super::usage::Usage;
use super::budget::LeftOut;
use super::calls::{CallOutcome, Group};
use super::json::{Object, quoted};
use super::options::Record;
use super::outcome::Frame;
use super::outputs::Ready;
use super::redaction::Redaction;
use super::shared::Recorder;
use super::texts::TextKind;
use crate::numbers::to_u64;
use crate::sandbox::bindings::wasi::logging::logging::Level;

/// The version of the records.
const VERSION: u32 = 1;

/// The most characters of an argument, a name or a message.
const TEXT_CHARACTERS_MAX: usize = 1_024;

/// The most bytes of a piece of output.
const OUTPUT_BYTES_MAX: usize = 4 * 1_024;

/// The most bytes of a list of texts, so that a record stays below 1 MiB.
const LIST_BYTES_MAX: usize = 128 * 1_024;

/// The most bytes of the list of granted logs.
const LOGS_BYTES_MAX: usize = 512 * 1_024;

/// The most logs whose use of a quota is recorded.
const QUOTAS_MAX: usize = 1_000;

/// The logs and the limits of a plugin.
pub(in crate::plugin) struct Granted {
    pub(in crate::plugin) plugin: String,
    pub(in crate::plugin) sha256: String,
    pub(in crate::plugin) logs: Vec<GrantedLog>,
    pub(in crate::plugin) limits: PluginLimits,
}

/// A granted log.
pub(in crate::plugin) struct GrantedLog {
    pub(in crate::plugin) label: String,
    pub(in crate::plugin) log: String,
    pub(in crate::plugin) rights: Rights,
    pub(in crate::plugin) quota: Option<Quota>,
}

/// The end of a run.
pub(in crate::plugin) struct Ended {
    pub(in crate::plugin) end: ExitReason,
    pub(in crate::plugin) frames: Vec<Frame>,
    pub(in crate::plugin) usage: Usage,
    pub(in crate::plugin) unflushed: Vec<String>,
    pub(in crate::plugin) output_bytes_dropped: u64,
}

/// Writes the records of one run.
pub(super) struct Writer {
    pub(super) run: String,
    pub(super) recorder: Recorder,
    pub(super) redaction: Redaction,
}

impl Writer {
    fn begin(&self, record: &str, number: Option<u64>, time: SystemTime) -> Object {
        let mut object = Object::new();
        object.raw("v", VERSION).text("record", record).text("run", &self.run);
        object.time("time", time);
        if let Some(number) = number {
            object.raw("seq", number);
        }
        object
    }

    fn text(&self, text: &str) -> String {
        self.redaction.short(text, TEXT_CHARACTERS_MAX)
    }

    fn texts<'a>(&self, object: &mut Object, name: &str, texts: impl Iterator<Item = &'a String>) {
        list(object, name, texts.map(|text| quoted(&self.text(text))), LIST_BYTES_MAX);
    }

    pub(super) fn granted(&self, granted: &Granted, record: &Record) -> String {
        let mut object = self.begin("granted", Some(0), SystemTime::now());
        object.text("plugin", &self.text(&granted.plugin)).text("sha256", &granted.sha256);
        self.texts(&mut object, "arguments", record.arguments.iter());
        self.texts(&mut object, "environment", record.environment.iter().map(|(name, _)| name));
        self.texts(&mut object, "folders", record.folders.iter().map(|(_, name)| name));
        list(&mut object, "logs", granted.logs.iter().map(|log| self.log(log)), LOGS_BYTES_MAX);
        object.object("limits", |limits| {
            for limit in Limit::ALL {
                let hit = granted.limits.hit(limit);
                if limit.is_set(&granted.limits) {
                    value(limits, hit.limit, &hit.value);
                }
            }
        });
        object.end()
    }

    fn log(&self, log: &GrantedLog) -> String {
        let mut object = Object::new();
        object.text("label", &self.text(&log.label)).text("log", &self.text(&log.log));
        let rights = Right::ALL.into_iter().filter(|right| log.rights.has(*right));
        object.list("rights", rights.map(|right| quoted(right.name())));
        if let Some(limits) = &log.quota {
            object.object("quota", |inner| quota(inner, limits));
        }
        object.end()
    }

    pub(super) fn call(&self, group: &Group) -> String {
        let (number, begun) = group.first;
        let mut object = self.begin("call", Some(number), self.recorder.time(begun));
        object.text("call", group.key.call.name()).text("label", &self.text(&group.key.label));
        if let Some(handle) = group.key.handle {
            object.raw("handle", handle);
        }
        object.text("outcome", group.key.outcome.name());
        if let CallOutcome::Failed(_, message) = &group.key.outcome {
            object.text("message", &self.text(message));
        }
        object.raw("count", group.count).raw("events", group.amount.events);
        object.raw("bytes", group.amount.bytes);
        object.raw("last_seq", group.last.0);
        object.time("last_time", self.recorder.time(group.last.1));
        object.end()
    }

    /// Returns the records of a text, each with the bytes of output that it is about: of long text
    /// one for each piece.
    pub(super) fn said(&self, said: &Ready) -> Vec<(String, u64)> {
        let (number, time) = said.at;
        let time = self.recorder.time(time);
        match said.kind {
            TextKind::Message(level) => {
                let mut object = self.begin("message", Some(number), time);
                let text = cut(&said.text, TEXT_CHARACTERS_MAX);
                object.text("level", level_name(level)).text("text", &text);
                vec![(object.end(), 0)]
            }
            TextKind::Output(stream) => {
                let pieces = pieces(&said.text).zip(once(said.bytes).chain(repeat(0)));
                let mut rest = said.bytes;
                let record = |(text, bytes): (&str, usize)| {
                    let mut object = self.begin("output", Some(number), time);
                    object.text("stream", stream.name()).text("text", text);
                    object.raw("bytes", bytes);
                    // A hidden secret has another length.
                    let part = text.len().min(rest);
                    rest -= part;
                    (object.end(), to_u64(part))
                };
                let mut records: Vec<_> = pieces.map(record).collect();
                if let Some((_, last)) = records.last_mut() {
                    *last += to_u64(rest);
                }
                records
            }
        }
    }

    /// Reports all that was left out so far.
    pub(super) fn dropped(&self, left_out: &LeftOut) -> String {
        let mut object = self.begin("dropped", None, SystemTime::now());
        add_left_out(&mut object, left_out);
        object.end()
    }

    /// Reports the end. None: the caller dropped the run.
    pub(super) fn end(&self, ended: Option<&Ended>, left_out: &LeftOut) -> String {
        let mut object = self.begin("end", None, SystemTime::now());
        let Some(ended) = ended else {
            object.text("end", "dropped");
            object.object("left_out", |inner| add_left_out(inner, left_out));
            return object.end();
        };
        object.text("end", ended.end.name());
        if let Some(code) = ended.end.code() {
            object.raw("exit_code", code);
        }
        match &ended.end {
            ExitReason::Trapped(trap) => {
                object.text("trap", &self.text(trap));
            }
            ExitReason::LimitReached(hit) => {
                object.raw("limit", limit(hit));
            }
            _ => {}
        }
        if !ended.frames.is_empty() {
            object.list("backtrace", ended.frames.iter().map(|frame| self.frame(frame)));
        }
        self.texts(&mut object, "unflushed", ended.unflushed.iter());
        object.raw("output_bytes_dropped", ended.output_bytes_dropped);
        object.object("usage", |inner| usage(inner, &ended.usage));
        object.object("left_out", |inner| add_left_out(inner, left_out));
        object.end()
    }

    fn frame(&self, frame: &Frame) -> String {
        let mut object = Object::new();
        if let Some(function) = &frame.function {
            object.text("function", &self.redaction.short(function, 200));
        }
        if let Some(module) = &frame.module {
            object.text("module", &self.redaction.short(module, 200));
        }
        object.raw("index", frame.index);
        if let Some(offset) = frame.offset {
            object.raw("offset", offset);
        }
        object.end()
    }
}

/// Cuts a text into pieces of at most 4 KiB.
fn pieces(mut text: &str) -> impl Iterator<Item = &str> {
    std::iter::from_fn(move || {
        let (piece, rest) = text.split_at_checked(text.floor_char_boundary(OUTPUT_BYTES_MAX))?;
        text = rest;
        (!piece.is_empty()).then_some(piece)
    })
}

/// Adds as much of a list as fits into this many bytes, and the number of those left out.
fn list(object: &mut Object, name: &str, values: impl Iterator<Item = String>, bytes_max: usize) {
    let (mut kept, mut left_out, mut bytes) = (Vec::new(), 0_u64, 0_usize);
    for value in values {
        let with = bytes.saturating_add(value.len() + 1);
        if with > bytes_max {
            left_out += 1;
        } else {
            bytes = with;
            kept.push(value);
        }
    }
    object.list(name, kept);
    add_number_left_out(object, name, left_out);
}

fn add_number_left_out(object: &mut Object, name: &str, number: u64) {
    if number > 0 {
        object.raw(&format!("{name}_left_out"), number);
    }
}

fn add_left_out(object: &mut Object, left_out: &LeftOut) {
    object.raw("records", left_out.records).raw("calls", left_out.calls);
    object.raw("output_bytes", left_out.output_bytes);
}

fn usage(object: &mut Object, usage: &Usage) {
    object.raw("time_seconds", usage.time.as_secs_f64());
    object.raw("computed_seconds", usage.computed.as_secs_f64());
    object.raw("memory_bytes_peak", usage.memory_bytes_peak);
    object.object("calls", |calls| {
        for (call, count) in &usage.calls {
            calls.raw(call, count);
        }
    });
    object.raw("calls_denied", usage.calls_denied);
    object.raw("events_appended", usage.events_appended);
    object.raw("bytes_appended", usage.bytes_appended);
    object.raw("events_read", usage.events_read).raw("bytes_read", usage.bytes_read);
    object.raw("log_lines", usage.log_lines);
    object.raw("log_lines_dropped", usage.log_lines_dropped);
    object.object("quotas", |quotas| {
        for (label, used) in usage.quotas.iter().take(QUOTAS_MAX) {
            quotas.object(label, |inner| {
                inner.raw("bytes", used.bytes).raw("objects", used.objects);
                quota(inner, &used.quota);
            });
        }
    });
    let more = usage.quotas.len().saturating_sub(QUOTAS_MAX);
    add_number_left_out(object, "quotas", to_u64(more));
    object.list("limits_hit", usage.limits_hit.iter().map(limit));
}

fn quota(object: &mut Object, quota: &Quota) {
    object.raw("bytes_max", quota.bytes_max);
    if let Some(objects_max) = quota.objects_max {
        object.raw("objects_max", objects_max);
    }
}

fn limit(hit: &LimitHit) -> String {
    let mut object = Object::new();
    object.text("limit", hit.limit);
    value(&mut object, "value", &hit.value);
    object.text("option", hit.option);
    object.end()
}

/// Adds the value of a limit: a number, or a time as a text.
fn value(object: &mut Object, name: &str, value: &str) {
    match value.parse::<u64>() {
        Ok(number) => object.raw(name, number),
        Err(_) => object.text(name, value),
    };
}

fn level_name(level: Level) -> &'static str {
    match level {
        Level::Trace => "trace",
        Level::Debug => "debug",
        Level::Info => "info",
        Level::Warn => "warn",
        Level::Error => "error",
        Level::Critical => "critical",
    }
}

#[cfg(test)]
mod tests;
