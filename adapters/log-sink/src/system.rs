//! The clocks and stderr of WASI, and the imported log.

use std::io::Write as _;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::bindings::stratalog::log::append_log;
use crate::bindings::stratalog::log::types::{Error, EventFault, Options};
use crate::ports::{Failure, Log, System};
use crate::record::EVENT_BYTES_MAX;

/// Records of a batch, at most: few objects, and little is lost with a program that ends.
const BATCH_EVENTS: u32 = 1_000;
const BATCH_BYTES: u32 = 1024 * 1024;

/// The buffer of the log: enough for seconds of an outage. The log takes at most twice this.
const BUFFER_BYTES: u32 = 4 * 1024 * 1024;

/// The system that the component runs on.
pub(crate) struct Wasi {
    begun: Instant,
}

impl Wasi {
    pub(crate) fn new() -> Self {
        Self { begun: Instant::now() }
    }
}

impl System for Wasi {
    type Log = append_log::Log;

    fn open(&mut self, name: &str, age_ms: u32) -> Result<Self::Log, Failure> {
        let options = Options {
            flush_threshold: Some(BATCH_EVENTS),
            flush_bytes: Some(BATCH_BYTES),
            flush_interval_ms: Some(age_ms),
            event_bytes_max: Some(EVENT_BYTES_MAX),
            buffer_bytes_max: Some(BUFFER_BYTES),
            creates_max: None,
        };
        append_log::Log::open(name, options).map_err(failure)
    }

    fn unix_micros(&self) -> u64 {
        let time = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        u64::try_from(time.as_micros()).unwrap_or(u64::MAX)
    }

    fn elapsed(&self) -> Duration {
        self.begun.elapsed()
    }

    fn say(&mut self, line: &str) {
        say(line);
    }
}

/// Writes a line to stderr. One that cannot be written is lost.
pub(crate) fn say(line: &str) {
    writeln!(std::io::stderr(), "{line}").ok();
}

impl Log for append_log::Log {
    fn append(&mut self, event: &[u8]) -> Result<(), Failure> {
        append_log::Log::append(self, event).map_err(failure)
    }

    fn flush(&mut self) -> Result<(), Failure> {
        append_log::Log::flush(self).map(drop).map_err(failure)
    }

    fn tick(&mut self) {
        append_log::Log::tick(self);
    }

    fn pending(&self) -> u64 {
        let pending = append_log::Log::pending(self);
        let sealed = pending.sealed.iter().map(|batch| batch.lines.as_slice());
        let lines = sealed.chain([pending.lines.as_slice()]).flatten();
        lines.filter(|byte| **byte == b'\n').fold(0, |lines, _| lines.saturating_add(1))
    }
}

fn failure(error: Error) -> Failure {
    let is_of_input = matches!(error, Error::InvalidInput(_));
    let message = match error {
        Error::InvalidInput(text)
        | Error::Conflict(text)
        | Error::Unsupported(text)
        | Error::Denied(text)
        | Error::LimitReached(text) => text,
        Error::WriteFailed(failure) => failure.message,
        Error::StoreFailed(failure) => failure.message,
        Error::Damaged(damage) => format!("{} is damaged", damage.object),
        Error::NoLog(absent) => format!("there is no log {}", absent.name),
        Error::Closed => "the log is closed".to_owned(),
        Error::InvalidEvent(event) => match event.fault {
            EventFault::TooLong(long) => {
                format!("an event of {} bytes exceeds {}", long.bytes, long.bytes_max)
            }
            _ => "the event is not a line".to_owned(),
        },
    };
    Failure { is_of_input, message }
}
