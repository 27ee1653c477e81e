//! `stratalog append`: lines in, batches out.
//!
//! 1. Memory is bounded by blocks, the longest event and the log's own buffers, not by the input.
//! 2. Whole lines go on as soon as they were read; the log decides when to write.
//! 3. What is a valid event is the log's to say. Only a line that does not fit into memory is judged
//!    here, by the same limit.
//! 4. However the input ends, what came before is flushed, and the summary counts it.

mod lines;
mod signals;
mod source;

use std::io::{self, IsTerminal as _};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use indicatif::HumanCount;
use stratalog::{Error, EventFault, Log, LogOptions, WriteFate, Written};

use lines::LineCutter;
use signals::Interruption;
use source::{BLOCK_BYTES, Item, Source};

use super::arguments::{Append, Shared};
use super::exit::{Code, Failure};
use super::progress::Progress;
use super::report::{self, count};
use super::session::{Must, Session};

/// The library's own default and maximum of `buffer_bytes_max`.
const BUFFER_BYTES_DEFAULT: u32 = 16 * 1024 * 1024;
const BUFFER_BYTES_MAX: u32 = 32 * 1024 * 1024;

/// Appends all lines, whatever ends them.
pub(super) async fn run(command: Append, shared: &Shared) -> Result<Code, Failure> {
    let session = Session::open(&command.log, shared, false, Must::Nothing)?;
    let Session { location, store, host } = &session;
    let mut interruption = Interruption::watch(shared)?;
    let opened = tokio::select! {
        code = interruption.wait() => return Ok(code),
        opened = host.open(store, &location.name, options(&command)) => opened,
    };
    let cannot = format!("cannot append to {location}");
    let log = opened.map_err(|error| Failure::from(error).context(cannot.clone()))?;
    if location.root.is_memory() {
        tracing::warn!("{location} is in memory: it is gone when this command ends");
    }
    let files = inputs(&command, shared);
    let mut feed = Feed {
        log: &log,
        line_bytes_max: usize::try_from(command.event_bytes_max).unwrap_or(usize::MAX),
        skip_invalid: command.skip_invalid,
        place: Place::default(),
        cutter: LineCutter::new(0),
        taken: 0,
        skipped: 0,
        progress: Progress::of_events(shared, &format!("appending to {location}:")),
    };
    let ended = feed.take_all(Source::start(files)?, &mut interruption).await;
    let (taken, skipped) = (feed.taken, command.skip_invalid.then_some(feed.skipped));
    let closed = close(&log, &ended).await;
    drop(feed);
    match closed {
        Ok(written) => report::appended(shared, &written, skipped, location)?,
        Err((error, refused)) => {
            if let Err(Stop::Input(failure)) = &ended {
                failure.print();
            }
            // It would warn of the loss that is reported here.
            std::mem::forget(log);
            return Err(lost(error, taken, refused).context(cannot));
        }
    }
    match ended {
        Ok(code) => Ok(code),
        Err(Stop::Input(failure)) => Err(failure),
        // Closing has answered with it.
        Err(Stop::Refused { error, .. }) => Err(error.into()),
    }
}

/// Flushes what the log holds, unless it has just said that it cannot; then the error comes with the
/// number of events it did not even take.
async fn close(log: &Log, ended: &Result<Code, Stop>) -> Result<Written, (Error, u64)> {
    match ended {
        Err(Stop::Refused { error, events }) => Err((error.clone(), *events)),
        Ok(_) | Err(Stop::Input(_)) => log.close().await.map_err(|error| (error, 0)),
    }
}

fn options(command: &Append) -> LogOptions {
    let block_bytes = u32::try_from(BLOCK_BYTES).unwrap_or(u32::MAX);
    // Room for what is to be one batch or one event, and for the block that completes it.
    let needed = command.flush_bytes.max(command.event_bytes_max).saturating_add(block_bytes);
    LogOptions::new()
        .flush_threshold(command.flush_threshold)
        .flush_bytes(command.flush_bytes)
        .flush_interval(command.flush_interval)
        .event_bytes_max(command.event_bytes_max)
        .buffer_bytes_max(needed.clamp(BUFFER_BYTES_DEFAULT, BUFFER_BYTES_MAX))
}

/// The files to read; without any it is stdin, and who sits before it is told.
fn inputs(command: &Append, shared: &Shared) -> Vec<PathBuf> {
    let stdin = Path::new("-");
    let files = match command.files.as_slice() {
        [] => vec![stdin.to_owned()],
        files => files.to_vec(),
    };
    if files.iter().any(|file| file == stdin) && io::stdin().is_terminal() {
        let line = "reading events from the terminal, one a line; Ctrl-D ends";
        report::print_line(shared.quiet, line);
    }
    files
}

/// Why reading stopped before the end of the input.
enum Stop {
    /// The input is bad, and what came before it is in the log.
    Input(Failure),
    /// The log did not take so many events.
    Refused { error: Error, events: u64 },
}

/// Where a line stands, for messages.
#[derive(Default)]
struct Place {
    file: String,
    /// Lines before it.
    line: u64,
}

/// Hands lines to the log.
struct Feed<'a> {
    log: &'a Log,
    line_bytes_max: usize,
    skip_invalid: bool,
    place: Place,
    cutter: LineCutter,
    /// Events the log has taken.
    taken: u64,
    /// Lines left out.
    skipped: u64,
    progress: Progress,
}

impl Feed<'_> {
    /// Takes lines until the input or a signal ends it; the code tells which.
    async fn take_all(
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

    /// Appends whole lines at once, the fast way.
    async fn append(&mut self, lines: Vec<u8>) -> Result<(), Stop> {
        if lines.is_empty() {
            return Ok(());
        }
        let lines = Bytes::from(lines);
        match self.log.append_lines(lines.clone()).await {
            Ok(events) => {
                self.place.line = self.place.line.saturating_add(events);
                self.taken = self.taken.saturating_add(events);
                self.progress.add(events, lines.len());
                tracing::debug!("took {events} events of {}", self.place.file);
                Ok(())
            }
            // None of them was taken.
            Err(Error::InvalidEvent { .. }) => self.append_one_by_one(&lines).await,
            Err(error) => Err(Stop::Refused { error, events: number_of(&lines) }),
        }
    }

    /// Appends lines of which at least one is not valid.
    async fn append_one_by_one(&mut self, mut lines: &[u8]) -> Result<(), Stop> {
        while let Some((line, rest)) = split_line(lines) {
            match self.log.append(line).await {
                Ok(()) => {
                    self.place.line = self.place.line.saturating_add(1);
                    self.taken = self.taken.saturating_add(1);
                    self.progress.add(1, line.len().saturating_add(1));
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

fn number_of(lines: &[u8]) -> u64 {
    u64::try_from(memchr::memchr_iter(b'\n', lines).count()).unwrap_or(u64::MAX)
}

/// Says which events did not get into the log. `refused` were not even taken into memory.
fn lost(error: Error, taken: u64, refused: u64) -> Failure {
    let code = Code::of(&error);
    let Error::WriteFailed { object, fate, events_held, message, .. } = error else {
        let taken = count(taken, "event", "events");
        let what = format!("of {taken} read, those not written yet are lost");
        return Failure::from(error).context(what);
    };
    let all = taken.saturating_add(refused);
    let missing = HumanCount(events_held.saturating_add(refused).min(all));
    let which = format!("the last {missing} of {}", count(all, "event", "events"));
    let what = match fate {
        WriteFate::NotWritten => format!("not written: {which}"),
        WriteFate::Unknown | WriteFate::Durable => format!(
            "perhaps not written: {which}; whether {object} was is not known, so read the log \
             before appending them again"
        ),
    };
    // Not the library's own words, as nothing is kept in memory when the process ends.
    Failure::new(code, format!("{what}: {message}"))
}
