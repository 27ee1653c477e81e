//! Hands lines to the log, and knows where each of them stands.
//!
//! 1. Whole lines go on as soon as they were read.
//! 2. What is a valid event is the log's to say. Only a line too long to be held is judged here,
//!    by the same limit.
//! 3. At every `--flush-threshold` events it waits until they are written, so no batch has more.

use std::sync::Arc;

use bytes::Bytes;
use stratalog::{Error, EventFault, Log};

use super::interruption::Interruption;
use super::ledger::Ledger;
use super::lines::LineCutter;
use super::source::{Item, Source};
use crate::cli::arguments::Append;
use crate::cli::exit::{Code, Failure};
use crate::cli::progress::Progress;

/// Why reading stopped before the end of the input.
pub(super) enum Stop {
    /// The input is bad, and what came before it is in the log.
    Input(Failure),
    /// The log did not take so many events.
    Refused { error: Error, events: u64 },
}

impl Stop {
    /// The lines after those were not taken either.
    fn and_not(self, lines: &[u8]) -> Self {
        match self {
            Self::Refused { error, events } => {
                Self::Refused { error, events: events.saturating_add(number_of(lines)) }
            }
            input => input,
        }
    }
}

/// Where a line stands, for messages.
#[derive(Default)]
struct Place {
    file: String,
    /// Lines before it.
    line: u64,
}

/// Hands lines to the log.
pub(super) struct Feed<'a> {
    log: &'a Log,
    line_bytes_max: usize,
    skip_invalid: bool,
    place: Place,
    cutter: LineCutter,
    threshold: u64,
    /// Events taken since the last flush at the threshold.
    unflushed: u64,
    /// What the log has taken.
    ledger: Arc<Ledger>,
    /// Lines left out.
    pub(super) skipped: u64,
    progress: Progress,
}

impl<'a> Feed<'a> {
    pub(super) fn new(
        log: &'a Log,
        command: &Append,
        ledger: Arc<Ledger>,
        progress: Progress,
    ) -> Self {
        Self {
            log,
            line_bytes_max: usize::try_from(command.event_bytes_max).unwrap_or(usize::MAX),
            skip_invalid: command.skip_invalid,
            place: Place::default(),
            cutter: LineCutter::new(0),
            threshold: command.flush_threshold.into(),
            unflushed: 0,
            ledger,
            skipped: 0,
            progress,
        }
    }

    /// Takes lines until the input or a signal ends it; the code tells which.
    pub(super) async fn take_all(
        &mut self,
        mut source: Source,
        interruption: &mut Interruption,
    ) -> Result<Code, Stop> {
        loop {
            let item = tokio::select! {
                biased;
                code = interruption.wait() => {
                    self.take_rest(source).await?;
                    return Ok(code);
                }
                item = source.next() => item,
            };
            match item {
                Some(item) => self.take(item).await?,
                None => return Ok(Code::Done),
            }
        }
    }

    /// Takes what had been read when the signal came.
    async fn take_rest(&mut self, mut source: Source) -> Result<(), Stop> {
        while let Some(item) = source.next_read().await {
            self.take(item).await?;
        }
        let open = self.cutter.open_bytes();
        if open > 0 {
            let Place { file, line } = &self.place;
            let line = line.saturating_add(1);
            tracing::warn!("{file}:{line}: left out {open} bytes of a line without its end");
        }
        Ok(())
    }

    async fn take(&mut self, item: Item) -> Result<(), Stop> {
        match item {
            Item::Begin(file) => {
                self.place = Place { file, line: 0 };
                self.cutter = LineCutter::new(self.line_bytes_max);
                Ok(())
            }
            Item::Block(block) => {
                let cut = self.cutter.push(&block);
                drop(block);
                self.append(cut.lines).await?;
                if cut.then_too_long { self.invalid(&self.too_long()) } else { Ok(()) }
            }
            Item::End => {
                let last = self.cutter.finish();
                self.append(last).await
            }
            Item::Unreadable(failure) => Err(Stop::Input(failure)),
        }
    }

    /// Appends whole lines, flushing at the threshold.
    async fn append(&mut self, lines: Vec<u8>) -> Result<(), Stop> {
        let mut lines = Bytes::from(lines);
        while !lines.is_empty() {
            let room = self.threshold.saturating_sub(self.unflushed);
            let batch = lines.split_to(bytes_of_lines(&lines, room.max(1)));
            self.append_at_once(batch).await.map_err(|stop| stop.and_not(&lines))?;
            if self.unflushed >= self.threshold {
                let flushed = self.log.flush().await;
                flushed.map_err(|error| Stop::Refused { error, events: number_of(&lines) })?;
                self.unflushed = 0;
            }
        }
        Ok(())
    }

    /// Appends whole lines at once, the fast way.
    async fn append_at_once(&mut self, lines: Bytes) -> Result<(), Stop> {
        self.ledger.offers(number_of(&lines));
        match self.log.append_lines(&lines).await {
            Ok(events) => {
                self.place.line = self.place.line.saturating_add(events);
                self.took(events, lines.len());
                tracing::debug!("took {events} events of {}", self.place.file);
                Ok(())
            }
            // None of them was taken.
            Err(Error::InvalidEvent { .. }) => self.append_one_by_one(&lines).await,
            Err(error) => Err(Stop::Refused { error, events: number_of(&lines) }),
        }
    }

    fn took(&mut self, events: u64, bytes: usize) {
        self.ledger.took(events, bytes);
        self.unflushed = self.unflushed.saturating_add(events);
        self.progress.add(events, bytes);
    }

    /// Appends lines of which at least one is not valid.
    async fn append_one_by_one(&mut self, mut lines: &[u8]) -> Result<(), Stop> {
        while let Some((line, rest)) = split_line(lines) {
            match self.log.append(line).await {
                Ok(()) => {
                    self.place.line = self.place.line.saturating_add(1);
                    self.took(1, line.len().saturating_add(1));
                }
                Err(Error::InvalidEvent { fault, .. }) => {
                    let reason = match fault {
                        EventFault::Empty => "the line is empty".to_owned(),
                        EventFault::TooLong { .. } => self.too_long(),
                        EventFault::LineFeed | EventFault::Unterminated => fault.to_string(),
                    };
                    self.invalid(&reason)?;
                }
                Err(error) => return Err(Stop::Refused { error, events: number_of(lines) }),
            }
            lines = rest;
        }
        Ok(())
    }

    fn too_long(&self) -> String {
        let bytes_max = self.line_bytes_max;
        format!("the line is longer than --event-bytes-max, {bytes_max} bytes")
    }

    /// The next line is no event: leaves it out, or stops.
    fn invalid(&mut self, reason: &str) -> Result<(), Stop> {
        self.place.line = self.place.line.saturating_add(1);
        let Place { file, line } = &self.place;
        if !self.skip_invalid {
            let message = format!("{file}:{line}: {reason} (--skip-invalid leaves such lines out)");
            return Err(Stop::Input(Failure::input(message)));
        }
        tracing::info!("left out {file}:{line}: {reason}");
        self.skipped = self.skipped.saturating_add(1);
        Ok(())
    }
}

fn split_line(lines: &[u8]) -> Option<(&[u8], &[u8])> {
    let (line, rest) = lines.split_at_checked(memchr::memchr(b'\n', lines)?)?;
    Some((line, rest.split_first()?.1))
}

/// The length of the first `count` lines, or of all if there are no more.
fn bytes_of_lines(lines: &[u8], count: u64) -> usize {
    // Fewer bytes than lines: no need to count.
    if u64::try_from(lines.len()).is_ok_and(|bytes| bytes <= count) {
        return lines.len();
    }
    let last = usize::try_from(count).unwrap_or(usize::MAX).saturating_sub(1);
    let end = memchr::memchr_iter(b'\n', lines).nth(last);
    end.map_or(lines.len(), |end| end.saturating_add(1))
}

fn number_of(lines: &[u8]) -> u64 {
    u64::try_from(memchr::memchr_iter(b'\n', lines).count()).unwrap_or(u64::MAX)
}
