//! Passes lines to the log, and knows the place of each line.
//!
//! 1. Whole lines are passed on as soon as they are read.
//! 2. Blank lines are not events, and in text a line with a NUL byte is not one either. The log
//!    checks all else. Only a line too long to be kept is refused here, by the same limit.
//! 3. At every `--flush-threshold` events it waits until they are written, so no batch has more.

use std::fmt::Write as _;
use std::sync::Arc;

use bytes::Bytes;
use stratalog::{Error, EventFault, InvalidEvent, Log};

use crate::args::commands::Append;
use crate::args::sizes::limit_size;
use crate::commands::append::decoder::Fault;
use crate::commands::append::durability::Durability;
use crate::commands::append::events::{Blank, Lines, first_with_nul, number_of};
use crate::commands::append::input::{Item, Items};
use crate::commands::append::line_splitter::LineSplitter;
use crate::numbers::{to_u64, to_usize};
use crate::process::exit::{Code, Failure};
use crate::process::signals::Signals;
use crate::progress::Progress;
use crate::terminal::human::count;

/// The number of skipped lines that are named by default.
const NAMED_MAX: u64 = 10;

/// The reason why reading stopped before the end of the input.
pub(crate) enum Stop {
    /// The input is invalid. The lines before it are in the log.
    Input(Failure),
    /// The log refused this many events.
    Refused { error: Error, events: u64 },
}

impl Stop {
    /// Adds the events of later lines to those that were refused.
    fn and_not(self, lines: &Bytes, blank: Blank) -> Self {
        match self {
            Self::Refused { error, events } => {
                let others = number_of(&Lines::of(lines.clone(), blank).events());
                Self::Refused { error, events: events + others }
            }
            input => input,
        }
    }
}

/// The place of a line, for messages.
#[derive(Default)]
struct Place {
    file: String,
    /// The number of lines before it.
    line: u64,
}

/// Passes lines to the log.
pub(crate) struct Appender<'a> {
    log: &'a Log,
    line_bytes_max: usize,
    skip_invalid: bool,
    binary: bool,
    blank: Blank,
    place: Place,
    splitter: LineSplitter,
    threshold: u64,
    /// The events appended since the last flush at the threshold.
    unflushed: u64,
    /// The events that the log has accepted.
    durability: Arc<Durability>,
    /// The number of skipped blank lines.
    pub(crate) blank_lines: u64,
    /// The number of skipped invalid lines.
    pub(crate) skipped: u64,
    progress: Progress,
}

impl<'a> Appender<'a> {
    pub(crate) fn new(
        log: &'a Log,
        command: &Append,
        durability: Arc<Durability>,
        progress: Progress,
    ) -> Self {
        Self {
            log,
            line_bytes_max: to_usize(command.event_bytes_max.into()),
            skip_invalid: command.skip_invalid,
            binary: command.binary,
            blank: if command.binary { Blank::Empty } else { Blank::White },
            place: Place::default(),
            splitter: LineSplitter::new(0),
            threshold: command.flush_threshold.into(),
            unflushed: 0,
            durability,
            blank_lines: 0,
            skipped: 0,
            progress,
        }
    }

    /// Appends lines until the input or a signal ends it. The code shows which.
    pub(crate) async fn take_all(
        &mut self,
        mut items: Items,
        signals: &Signals,
    ) -> Result<Code, Stop> {
        loop {
            let item = tokio::select! {
                biased;
                code = signals.wait() => {
                    self.take_rest(items).await?;
                    return Ok(code);
                }
                item = items.next() => item,
            };
            match item {
                Item::Finished => return Ok(Code::Done),
                item => self.take(item).await?,
            }
        }
    }

    /// Appends the data that had been read when the signal arrived.
    async fn take_rest(&mut self, mut items: Items) -> Result<(), Stop> {
        while let Some(item) = items.next_read().await {
            self.take(item).await?;
        }
        let open = self.splitter.open_bytes();
        if open > 0 {
            let Place { file, line } = &self.place;
            let line = line + 1;
            let bytes = count(to_u64(open), "byte", "bytes");
            tracing::warn!("{file}:{line}: discarded an incomplete last line ({bytes})");
        }
        Ok(())
    }

    async fn take(&mut self, item: Item) -> Result<(), Stop> {
        match item {
            Item::Begin(file) => {
                self.place = Place { file, line: 0 };
                self.splitter = LineSplitter::new(self.line_bytes_max);
                Ok(())
            }
            Item::Block(block) => {
                let cut = self.splitter.push(&block);
                drop(block);
                self.append(cut.lines).await?;
                if cut.then_too_long { self.next_is_invalid(&self.too_long()) } else { Ok(()) }
            }
            Item::End => {
                let last = self.splitter.finish();
                self.append(last).await
            }
            Item::Unreadable(fault) => Err(Stop::Input(self.unreadable(fault))),
            Item::Finished => Ok(()),
        }
    }

    /// Returns the failure for an input that cannot be read any further.
    fn unreadable(&self, fault: Fault) -> Failure {
        let Fault { code, mut message } = fault;
        if self.place.line > 0 {
            let lines = count(self.place.line, "whole line", "whole lines");
            // Some of them may be blank. Writing to a string does not fail.
            write!(message, "; the events of the {lines} before that are appended").ok();
        }
        Failure::new(code, message)
    }

    /// Appends whole lines, some of which may not be events.
    async fn append(&mut self, lines: Vec<u8>) -> Result<(), Stop> {
        let mut lines = Bytes::from(lines);
        while let Some((before, bytes)) = self.first_with_nul(&lines) {
            let before = lines.split_to(before);
            self.append_text(before).await.map_err(|stop| stop.and_not(&lines, self.blank))?;
            drop(lines.split_to(bytes));
            self.next_is_invalid("the line has a NUL byte")?;
        }
        self.append_text(lines).await
    }

    fn first_with_nul(&self, lines: &[u8]) -> Option<(usize, usize)> {
        if self.binary { None } else { first_with_nul(lines) }
    }

    /// Appends whole lines without NUL bytes, flushing at the threshold.
    async fn append_text(&mut self, lines: Bytes) -> Result<(), Stop> {
        let lines = Lines::of(lines, self.blank);
        let mut events = lines.events();
        let mut done = 0;
        while !events.is_empty() {
            let room = self.threshold.saturating_sub(self.unflushed);
            let batch = events.split_to(bytes_of_lines(&events, room.max(1)));
            let taken = self.append_batch(batch, &lines, done).await;
            done = taken.map_err(|stop| stop.and_not(&events, self.blank))?;
            if self.unflushed >= self.threshold {
                let flushed = self.log.flush().await;
                flushed.map_err(|error| Stop::Refused { error, events: number_of(&events) })?;
                self.unflushed = 0;
            }
        }
        self.place.line += lines.count();
        self.blank_lines += lines.blank();
        Ok(())
    }

    /// Appends events of these lines in one call, after the first `done` events. Returns the new
    /// number of processed events.
    async fn append_batch(&mut self, events: Bytes, lines: &Lines, done: u64) -> Result<u64, Stop> {
        let offered = number_of(&events);
        self.durability.offers(offered);
        match self.log.append_lines(&events).await {
            Ok(taken) => {
                self.took(taken, events.len());
                tracing::debug!("took {} of {}", count(taken, "event", "events"), self.place.file);
            }
            // The log accepted none of them.
            Err(Error::InvalidEvent(_)) => {
                self.append_one_by_one(lines, done, offered).await?;
            }
            Err(error) => return Err(Stop::Refused { error, events: offered }),
        }
        Ok(done + offered)
    }

    fn took(&mut self, events: u64, bytes: usize) {
        self.durability.took(events);
        self.unflushed += events;
        self.progress.add(events, bytes);
    }

    /// Appends events of these lines one by one, since at least one of them is invalid.
    async fn append_one_by_one(
        &mut self,
        lines: &Lines,
        done: u64,
        offered: u64,
    ) -> Result<(), Stop> {
        let skipped = to_usize(done);
        let behind = (done..done + offered).zip(lines.numbered().skip(skipped));
        for (before, (number, event)) in behind {
            match self.log.append(event).await {
                Ok(()) => self.took(1, event.len() + 1),
                Err(Error::InvalidEvent(InvalidEvent { fault, .. })) => {
                    let reason = match fault {
                        EventFault::TooLong(_) => self.too_long(),
                        EventFault::Empty | EventFault::LineFeed | EventFault::Unterminated => {
                            fault.to_string()
                        }
                    };
                    let line = self.place.line + number;
                    let invalid = self.invalid(line, &reason);
                    if invalid.is_err() {
                        // The lines after it are not checked, so these are the blank ones.
                        let blank_lines = number - before - 1;
                        self.blank_lines += blank_lines;
                    }
                    invalid?;
                }
                Err(error) => {
                    let events = done + offered - before;
                    return Err(Stop::Refused { error, events });
                }
            }
        }
        Ok(())
    }

    fn too_long(&self) -> String {
        let bytes_max = limit_size(to_u64(self.line_bytes_max));
        format!("the line is longer than --event-bytes-max, {bytes_max}")
    }

    /// Skips the next line as invalid, or stops.
    fn next_is_invalid(&mut self, reason: &str) -> Result<(), Stop> {
        self.place.line += 1;
        self.invalid(self.place.line, reason)
    }

    /// Skips a line as invalid, or stops.
    fn invalid(&mut self, line: u64, reason: &str) -> Result<(), Stop> {
        let file = &self.place.file;
        if !self.skip_invalid {
            let message = format!(
                "cannot append {file}:{line}: {reason}; --skip-invalid leaves such lines out"
            );
            return Err(Stop::Input(Failure::input(message)));
        }
        self.skipped += 1;
        match self.skipped {
            0..=NAMED_MAX => tracing::warn!("left out {file}:{line}: {reason}"),
            _ => tracing::info!("left out {file}:{line}: {reason}"),
        }
        Ok(())
    }
}

/// Returns the length of the first `count` lines, or of all lines if there are fewer.
fn bytes_of_lines(lines: &[u8], count: u64) -> usize {
    // There are fewer bytes than lines, so counting is not needed.
    if u64::try_from(lines.len()).is_ok_and(|bytes| bytes <= count) {
        return lines.len();
    }
    let last = to_usize(count) - 1;
    let end = memchr::memchr_iter(b'\n', lines).nth(last);
    end.map_or(lines.len(), |end| end + 1)
}
