//! Keeps a memory in the log with the label `memory`.
//!
//! 1. The memory is the log's content, in the log's order. A change is written durably, and counts
//!    only when the reader returns it.
//! 2. Events of other programs are skipped. Their number is reported, and the number and the fault
//!    of the first. Numbers count from 1, at the first event that is not trimmed.

use std::time::{SystemTime, UNIX_EPOCH};

use crate::bindings::stratalog::log::append_log::{self, Log, Reader};
use crate::bindings::stratalog::log::types::{
    CompactOptions, Compaction, Error, Options, Page, ReadOptions,
};
use crate::event::Event;
use crate::memory::{Change, Effect, Memory};

/// The label of the granted log.
const LABEL: &str = "memory";

/// The reason why a command was not done.
pub(crate) enum Failure {
    /// The command makes no sense. The next one may.
    Refused(String),
    /// The log failed. Nothing more can be done.
    Log(String),
}

impl Failure {
    pub(crate) fn reason(self) -> String {
        match self {
            Self::Refused(reason) | Self::Log(reason) => reason,
        }
    }
}

/// The memory and its log.
pub(crate) struct Kept {
    reader: Reader,
    /// Opened by the first change, so look-ups need no right to append.
    log: Option<Log>,
    memory: Memory,
    events: u64,
    foreign: u64,
    /// The number and the fault of the first skipped event.
    first_foreign: Option<(u64, String)>,
}

impl Kept {
    /// Reads the log from its beginning.
    pub(crate) fn open() -> Result<Self, Failure> {
        let all = ReadOptions {
            start: None,
            last: None,
            limit: None,
            since: None,
            until: None,
            pending: None,
        };
        let reader = append_log::read(LABEL, &all).map_err(failed_to("read"))?;
        let memory = Memory::default();
        let mut kept =
            Self { reader, log: None, memory, events: 0, foreign: 0, first_foreign: None };
        kept.catch_up(None)?;
        Ok(kept)
    }

    pub(crate) fn memory(&self) -> &Memory {
        &self.memory
    }

    /// Returns a message about events of other programs, if there are any.
    pub(crate) fn foreign(&self) -> Option<String> {
        let (number, fault) = self.first_foreign.as_ref()?;
        let count = self.foreign;
        Some(format!(
            "{count} events of the log are passed over; the first is number {number}: {fault}"
        ))
    }

    /// Applies the log's new events. Returns the effect of the wanted event, if it was among them.
    pub(crate) fn catch_up(&mut self, wanted: Option<&Event>) -> Result<Option<Effect>, Failure> {
        let mut found = None;
        while let Some(page) = self.next_page()? {
            if page.missed > 0 {
                let missed = page.missed;
                return Err(Failure::Log(format!(
                    "{missed} events were trimmed before they were read: start again"
                )));
            }
            for line in page.lines.split_inclusive(|byte| *byte == b'\n') {
                self.events = self.events.saturating_add(1);
                let event = Event::decode(line);
                let is_wanted = event.as_ref().ok() == wanted && wanted.is_some();
                match event.and_then(|event| self.memory.apply(event)) {
                    Ok(effect) if is_wanted => found = Some(effect),
                    Ok(_) => {}
                    Err(fault) => self.pass_over(fault),
                }
            }
        }
        Ok(found)
    }

    /// Returns the next events. A log without any change so far has none.
    fn next_page(&self) -> Result<Option<Page>, Failure> {
        match self.reader.next() {
            Err(Error::NoLog(_)) => Ok(None),
            page => page.map_err(failed_to("read")),
        }
    }

    fn pass_over(&mut self, fault: String) {
        self.foreign = self.foreign.saturating_add(1);
        self.first_foreign.get_or_insert((self.events, fault));
    }

    /// Makes a change and returns when it is durable.
    pub(crate) fn change(&mut self, change: Change) -> Result<Effect, Failure> {
        self.catch_up(None)?;
        let event = self.memory.plan(change, now_micros()).map_err(Failure::Refused)?;
        let line = event.encode().map_err(|error| Failure::Log(error.to_string()))?;
        let log = match &self.log {
            Some(log) => log,
            None => self.log.insert(open()?),
        };
        log.append(line.as_bytes()).map_err(failed_to("append to"))?;
        log.flush().map_err(failed_to("flush"))?;
        let unseen = || Failure::Log("what was written does not come back".to_owned());
        self.catch_up(Some(&event))?.ok_or_else(unseen)
    }

    /// Compacts the log and reads all of it again.
    pub(crate) fn compact(&mut self) -> Result<Compaction, Failure> {
        let defaults = CompactOptions {
            full: false,
            fan_in: None,
            segment_bytes_max: None,
            batches_max: None,
        };
        let compaction = append_log::compact(LABEL, defaults).map_err(failed_to("compact"))?;
        *self = Self::open()?;
        Ok(compaction)
    }
}

fn open() -> Result<Log, Failure> {
    let defaults = Options {
        flush_threshold: None,
        flush_bytes: None,
        flush_interval_ms: None,
        event_bytes_max: None,
        buffer_bytes_max: None,
        creates_max: None,
    };
    Log::open(LABEL, defaults).map_err(failed_to("open"))
}

fn now_micros() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_micros()).unwrap_or(u64::MAX)
}

fn failed_to(action: &str) -> impl Fn(Error) -> Failure {
    move |error| Failure::Log(format!("cannot {action} the log {LABEL}: {}", text(&error)))
}

/// Formats the case of an error and its payload.
fn text(error: &Error) -> String {
    match error {
        Error::InvalidInput(reason) => format!("invalid-input: {reason}"),
        // The limits of an event are far below those of the log.
        Error::InvalidEvent(invalid) => format!("invalid-event: {:?}", invalid.fault),
        Error::WriteFailed(failure) => {
            format!("write-failed: {}: {}", failure.object, failure.message)
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
