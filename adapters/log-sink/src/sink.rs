//! The sink: appends records, decides when to flush, and counts what it drops.
//!
//! 1. A record after a quiet interval is flushed immediately. The others are sealed by ticks, of
//!    which there are four in an interval, as long as records come.
//! 2. After a failure the log rests, longer than the failed call took. Records that come while it
//!    rests are appended to its buffer; once the buffer has refused one, they are dropped.
//! 3. Dropping ends when a flush and the report of the dropped records have succeeded.
//! 4. At the end of the program, the log does not rest: it is flushed once more.
//! 5. A cause is reported once. The end of the program does not repeat it.

use std::time::Duration;

use stratalog_store_rules::log_level::Level;
use stratalog_store_rules::numbers::count;
use stratalog_store_rules::text::visible;

use crate::ports::{Failure, Log, System};
use crate::record::{self, Record};
use crate::settings::{LOG, LOG_DEFAULT, Settings, unusable};
use crate::timestamp::Timestamp;

#[cfg(test)]
mod tests;

/// The context of messages of the log itself.
const LOG_CONTEXT: &str = "stratalog";

/// The context of messages of the sink.
const CONTEXT: &str = "log sink";

/// Ticks in an interval. The log seals a buffer that is an interval old without one tick.
const TICKS: u32 = 4;

/// The shortest rest after a failure: an outage takes longer than a retry.
const REST_MIN: Duration = Duration::from_secs(1);

/// A rest is this many times longer than the failed call, so a caller waits about a fifth of the
/// time.
const REST_FACTOR: u32 = 4;

/// A sink over the log of a system.
pub struct Sink<S: System> {
    system: S,
    settings: Settings,
    log: Option<S::Log>,
    dropped: Option<Dropped>,
    /// The cause of the failed flush that was reported, until one succeeds.
    failing: Option<String>,
    rests_until: Duration,
    last_record: Option<Duration>,
    last_tick: Duration,
}

/// The records that were dropped since the log stopped working.
struct Dropped {
    records: u64,
    since: Timestamp,
    cause: String,
}

impl<S: System> Sink<S> {
    /// Makes a sink, and reports the settings that cannot be used. Opens nothing.
    pub fn new(system: S, variable: impl Fn(&str) -> Option<String>) -> Self {
        let (settings, reports) = Settings::read(variable);
        let mut sink = Self {
            system,
            settings,
            log: None,
            dropped: None,
            failing: None,
            rests_until: Duration::ZERO,
            last_record: None,
            last_tick: Duration::ZERO,
        };
        for report in reports {
            sink.say(Level::Warn, CONTEXT, &report);
        }
        sink
    }

    /// Records a message. It never fails.
    pub fn record(&mut self, level: Level, context: &str, message: &str) {
        if context == LOG_CONTEXT {
            self.say(level, context, message);
            return;
        }
        if self.settings.level.is_none_or(|from| level < from) {
            return;
        }
        let begun = self.system.elapsed();
        if self.dropped.is_some() && begun < self.rests_until {
            self.count_dropped(None);
            return;
        }
        let time = self.now();
        let event = Record { time, level, context, message }.event();
        match self.append(&event) {
            Ok(()) => self.maintain(level, begun),
            Err(failure) => {
                self.rest(begun);
                self.count_dropped(Some(failure));
            }
        }
    }

    fn append(&mut self, event: &str) -> Result<(), Failure> {
        if self.log.is_none() {
            self.log = Some(self.open()?);
        }
        self.report_dropped()?;
        let Some(log) = &mut self.log else { return Ok(()) };
        log.append(event.as_bytes())
    }

    /// Appends the number of the records that were dropped, if there are any.
    fn report_dropped(&mut self) -> Result<(), Failure> {
        let time = self.now();
        let Some(log) = &mut self.log else { return Ok(()) };
        let Some(Dropped { records, since, cause }) = &self.dropped else { return Ok(()) };
        log.flush()?;
        log.append(record::dropped(time, *records, *since, cause).as_bytes())?;
        let name = &self.settings.log;
        let report = format!("the log {name} works again; dropped records: {records}");
        self.warn(&report);
        self.dropped = None;
        self.failing = None;
        Ok(())
    }

    /// Makes all records durable before the program ends. Reports those that are lost.
    pub fn end(&mut self) {
        let Err(failure) = self.try_end() else { return };
        let name = &self.settings.log;
        let kept = self.log.as_ref().map_or(0, Log::pending);
        let dropped = self.dropped.as_ref().map_or(0, |dropped| dropped.records);
        let reported = [&self.failing, &self.dropped.as_ref().map(|dropped| dropped.cause.clone())];
        let cause = match reported.contains(&&Some(failure.message.clone())) {
            true => "it fails as before".to_owned(),
            false => failure.message,
        };
        let lost = count(kept.saturating_add(dropped), "record is lost", "records are lost");
        let report =
            format!("cannot flush the log {name} at the end of the program: {cause}; {lost}");
        self.say(Level::Error, CONTEXT, &report);
    }

    fn try_end(&mut self) -> Result<(), Failure> {
        if self.dropped.is_some() && self.log.is_none() {
            self.log = Some(self.open()?);
        }
        self.report_dropped()?;
        self.flush_log()
    }

    /// Flushes the log, if it is open.
    fn flush_log(&mut self) -> Result<(), Failure> {
        let Some(log) = &mut self.log else { return Ok(()) };
        log.flush()?;
        if self.failing.take().is_some() {
            let name = &self.settings.log;
            let report = format!("the log {name} works again; all kept records are in it");
            self.warn(&report);
        }
        Ok(())
    }

    /// Opens the log of the settings, or the default one if its name cannot be used.
    fn open(&mut self) -> Result<S::Log, Failure> {
        let interval = self.settings.interval_ms;
        let age = (interval - interval / TICKS).max(1);
        let opened = self.system.open(&self.settings.log, age);
        match opened {
            Err(failure) if failure.is_of_input && self.settings.log != LOG_DEFAULT => {
                let report = unusable(LOG, &self.settings.log, &failure.message, LOG_DEFAULT);
                self.warn(&report);
                LOG_DEFAULT.clone_into(&mut self.settings.log);
                self.system.open(LOG_DEFAULT, age)
            }
            opened => opened,
        }
    }

    /// Flushes or ticks, if it is time.
    fn maintain(&mut self, level: Level, begun: Duration) {
        let interval = Duration::from_millis(self.settings.interval_ms.into());
        let is_after = |last: Duration, wait| begun.saturating_sub(last) >= wait;
        let was_quiet = self.last_record.is_none_or(|last| is_after(last, interval));
        self.last_record = Some(begun);
        let is_urgent = self.settings.flush_level.is_some_and(|from| level >= from);
        let is_due = is_urgent || was_quiet || self.failing.is_some();
        if is_due && begun >= self.rests_until {
            self.last_tick = begun;
            self.flush(begun);
        } else if is_after(self.last_tick, interval / TICKS) {
            self.last_tick = begun;
            if let Some(log) = &mut self.log {
                log.tick();
            }
        }
    }

    fn flush(&mut self, begun: Duration) {
        let Err(failure) = self.flush_log() else { return };
        if self.failing.is_none() {
            let name = &self.settings.log;
            let report = format!(
                "cannot flush the log {name}: {}; records are kept in memory, and lost if the \
                 program ends before the log works again",
                failure.message
            );
            self.warn(&report);
            self.failing = Some(failure.message);
        }
        self.rest(begun);
    }

    /// Lets the log rest after a call that has failed.
    fn rest(&mut self, begun: Duration) {
        let now = self.system.elapsed();
        let rest = now.saturating_sub(begun).saturating_mul(REST_FACTOR).max(REST_MIN);
        self.rests_until = now.saturating_add(rest);
    }

    /// Counts a dropped record, and reports the first one.
    fn count_dropped(&mut self, failure: Option<Failure>) {
        if let Some(dropped) = &mut self.dropped {
            dropped.records = dropped.records.saturating_add(1);
            return;
        }
        let cause = failure.map(|failure| failure.message).unwrap_or_default();
        let name = &self.settings.log;
        let report = format!(
            "cannot append to the log {name}: {cause}; records are dropped and counted until it \
             works again"
        );
        self.warn(&report);
        self.dropped = Some(Dropped { records: 1, since: self.now(), cause });
    }

    fn now(&self) -> Timestamp {
        Timestamp(self.system.unix_micros())
    }

    fn warn(&mut self, report: &str) {
        self.say(Level::Warn, CONTEXT, report);
    }

    /// Writes a message to stderr, if its level is shown.
    fn say(&mut self, level: Level, context: &str, message: &str) {
        if self.settings.shown_from.is_some_and(|from| level >= from) {
            self.system.say(&line(level, context, message));
        }
    }
}

/// Returns a message as a line that cannot look like another.
pub fn line(level: Level, context: &str, message: &str) -> String {
    visible(&format!("{}: {context}: {message}", level.label()))
}
