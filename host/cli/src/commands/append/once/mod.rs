//! `stratalog append --state`: appends each line of files once, across runs.
//!
//! 1. A batch is recorded in the state, with its name and the places of its events, before it is
//!    created. A run that ends anywhere is continued by the next one: see [`stratalog::Feed`].
//! 2. What the store or the disk of the state does not take waits in the files. A failure that may
//!    pass is reported, and tried again.
//! 3. After a signal, what was collected is written within the grace. What is not, the next run
//!    writes.

mod batch;
mod events_of;
mod fingerprint;
mod outage;
mod read_at;
mod resuming;
mod rotation;
mod source_file;
mod sources;
mod state;
mod tracked;

use std::collections::VecDeque;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use bytes::Bytes;
use stratalog::store::Location;
use stratalog::{Error, Feed, Written};

use batch::{Batch, Stop, Triggers};
use events_of::Rules;
use outage::{Halt, Outage};
use sources::{LOOK_INTERVAL, Sources};
use state::{FileRecord, SealedBatch, StateFile};

use super::inputs::is_stdin;
use super::{options, order};
use crate::args::Shared;
use crate::args::commands::Append;
use crate::numbers::to_u64;
use crate::process::exit::{Code, Failure};
use crate::process::signals::Signals;
use crate::progress::Progress;
use crate::report::{self, LeftOut};
use crate::target::Target;
use crate::terminal::human::{count, size};

/// The last words if the store has not answered within the grace.
const LAST_WORDS: &str = "ended without waiting for the store: the events that are not written are \
                          still in their files, and the next run with this state writes them";

/// The reason why the work ended.
enum Ended {
    Done,
    Signal(Code),
    Stopped(Failure),
}

/// A run of the command.
struct Run<'a> {
    feed: Feed,
    sources: Sources,
    state: StateFile,
    /// The records of the files when the last batch was sealed.
    files: Vec<FileRecord>,
    /// The batches that may not be stored yet, and the number of those before them.
    sealed: VecDeque<SealedBatch>,
    stored: u64,
    outage: Outage<'a>,
    progress: Progress,
    /// The result of a collection that was made while the state was saved.
    collected: Option<Result<bool, Stop>>,
}

/// Appends the lines of all files, until a signal if they are followed.
pub(super) async fn run(
    command: &Append,
    state: &Path,
    shared: &Shared,
    signals: &Signals,
) -> Result<Code, Failure> {
    let location = Location::parse(&command.log).map_err(Error::from)?;
    order::check(&command.log, &location, &command.files)?;
    let paths = paths(command)?;
    if location.root.is_memory() {
        return Err(Failure::usage(format!(
            "{location} is in memory and gone when this command ends, but --state would remember \
             its events; name another log"
        )));
    }
    let target = Target::open(&command.log, shared, command.sole.sole_compactor)?;
    let Target { location, store, host } = &target;
    let mut state = StateFile::open(state, &location.to_string())?;
    signals.give_grace(command.grace.grace, shared.quiet);
    signals.set_last_words(|| LAST_WORDS.to_owned());
    let mut sources = Sources::restore(&paths, state.saved());
    let mut outage = Outage::new(location, signals, command.follow);
    let opened = async {
        let resumed = resuming::resume(&target, &mut sources, &mut state, &mut outage).await?;
        loop {
            match signals.or(host.feed(store, &location.name, options(command))).await {
                Ok(Ok(feed)) => return Ok((resumed, feed)),
                Ok(Err(code)) => return Err(Halt::Signal(code)),
                Err(error) => outage.pass(error).await?,
            }
        }
    };
    let (resumed, feed) = match opened.await {
        Ok(opened) => opened,
        Err(Halt::Failed(failure)) => return Err(explained(&target, failure).await),
        Err(Halt::Signal(code)) => {
            let nothing = Written { batches: 0, events: 0, bytes: 0 };
            let left_out = LeftOut { blank_lines: 0, skipped: None };
            report::appended(shared, &nothing, left_out, &location.to_string())?;
            return Ok(code);
        }
    };
    let progress = Progress::of_events(shared, &format!("appending to {location}:"));
    let (sealed, stored, files) = (VecDeque::new(), 0, sources.records(&[]));
    let mut run =
        Run { feed, sources, state, files, sealed, stored, outage, progress, collected: None };
    let mut batch = Batch::new(rules(command), triggers(command));
    let ended = match run.append(&mut batch, command.follow).await {
        Ok(()) => Ended::Done,
        Err(Halt::Signal(code)) => Ended::Signal(code),
        Err(Halt::Failed(failure)) => Ended::Stopped(failure),
    };
    let left_out = LeftOut {
        blank_lines: batch.blank,
        skipped: command.skip_invalid.then_some(batch.skipped),
    };
    let (written, closed) = run.finish(batch, &ended).await;
    let all = Written {
        batches: resumed.batches + written.batches,
        events: resumed.events + written.events,
        bytes: resumed.bytes + written.bytes,
    };
    report::appended(shared, &all, left_out, &location.to_string())?;
    match (ended, closed) {
        (Ended::Stopped(failure), _) | (_, Err(failure)) => Err(explained(&target, failure).await),
        (Ended::Signal(code), Ok(())) => Ok(code),
        (Ended::Done, Ok(())) => Ok(Code::Done),
    }
}

impl Run<'_> {
    /// Appends what the files have, and what is added to them if they are followed.
    async fn append(&mut self, batch: &mut Batch, follow: bool) -> Result<(), Halt> {
        // What was found of the files, before any of it is read.
        self.save().await?;
        loop {
            if let Some(code) = self.outage.signals.came() {
                return Err(Halt::Signal(code));
            }
            let collected = match self.collected.take() {
                Some(collected) => collected,
                None => tokio::task::block_in_place(|| self.sources.collect(batch)),
            };
            let (has_more, stop) = match collected {
                Ok(has_more) => (has_more, None),
                Err(Stop(failure)) => (false, Some(failure)),
            };
            let is_due = batch.due_in().is_some_and(|due| due.is_zero());
            if batch.is_full() || is_due || stop.is_some() || (!has_more && !follow) {
                self.seal(batch).await?;
            }
            match stop {
                Some(failure) => return Err(Halt::Failed(failure)),
                None if has_more => {}
                None if follow => self.rest(batch).await?,
                None => return Ok(()),
            }
        }
    }

    /// Seals a batch, records it, and starts its create.
    async fn seal(&mut self, batch: &mut Batch) -> Result<(), Halt> {
        if batch.is_empty() {
            return Ok(());
        }
        // The next batch will be about as large.
        let next = Vec::with_capacity(batch.lines.len());
        let lines = Bytes::from(std::mem::replace(&mut batch.lines, next));
        let name = loop {
            match self.outage.signals.or(self.feed.seal(lines.clone())).await {
                Ok(Ok(name)) => break name,
                Ok(Err(code)) => return Err(Halt::Signal(code)),
                Err(error) => self.outage.pass(error).await?,
            }
        };
        self.outage.is_over();
        self.sealed_as(batch, name);
        self.progress.add(batch.events, lines.len());
        batch.clear();
        if tokio::task::block_in_place(|| self.record_and_collect(batch)).is_err() {
            // It is reported, if it fails again.
            self.save().await?;
        }
        self.feed.start().await.map_err(|error| Halt::Failed(error.into()))
    }

    /// Saves the state, and collects the next batch in the meantime. The state saved has nothing of
    /// that batch.
    fn record_and_collect(&mut self, batch: &mut Batch) -> io::Result<()> {
        self.forget_stored();
        let Self { state, files, sealed, sources, .. } = self;
        let (files, sealed, next_number) =
            (files.clone(), sealed.iter().cloned().collect(), sources.next_number);
        let (saved, collected) = std::thread::scope(|scope| {
            let saving = scope.spawn(move || state.save(files, sealed, next_number));
            let collected = sources.collect(batch);
            (saving.join(), collected)
        });
        self.collected = Some(collected);
        saved.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    }

    /// Adds a batch, of all lines collected so far, to what is to be recorded.
    fn sealed_as(&mut self, batch: &Batch, name: String) {
        self.sealed.push_back(batch.sealed(name));
        self.files = self.sources.records(self.sealed.make_contiguous());
    }

    /// Waits for more lines, and for the store in the meantime.
    async fn rest(&mut self, batch: &Batch) -> Result<(), Halt> {
        let rest = batch.due_in().unwrap_or(LOOK_INTERVAL).min(LOOK_INTERVAL);
        let started = self.stored + to_u64(self.sealed.len());
        if self.feed.written().batches < started {
            let stored = async {
                tokio::select! {
                    stored = self.feed.wait(started) => stored.map(drop),
                    () = tokio::time::sleep(rest) => Ok(()),
                }
            };
            return match self.outage.signals.or(stored).await {
                Ok(Ok(())) => {
                    self.outage.is_over();
                    Ok(())
                }
                Ok(Err(code)) => Err(Halt::Signal(code)),
                Err(error) => self.outage.pass(error).await,
            };
        }
        if batch.is_empty() {
            // So that the next run has nothing to find out.
            self.files = self.sources.records(&[]);
            self.save().await?;
        }
        let sleeping = async {
            tokio::time::sleep(rest).await;
            Ok::<(), Halt>(())
        };
        match self.outage.signals.or(sleeping).await? {
            Ok(()) => Ok(()),
            Err(code) => Err(Halt::Signal(code)),
        }
    }

    /// Saves the state, as soon as the disk takes it.
    async fn save(&mut self) -> Result<(), Halt> {
        loop {
            match tokio::task::block_in_place(|| self.record()) {
                Ok(()) => return Ok(()),
                Err(error) => {
                    let failure = self.state.unwritable(Code::Failed, &error);
                    self.outage.pass_failure(failure).await?;
                }
            }
        }
    }

    /// Forgets the batches that are stored.
    fn forget_stored(&mut self) {
        while self.stored < self.feed.written().batches && self.sealed.pop_front().is_some() {
            self.stored += 1;
        }
    }

    fn record(&mut self) -> io::Result<()> {
        self.forget_stored();
        let sealed = self.sealed.iter().cloned().collect();
        self.state.save(self.files.clone(), sealed, self.sources.next_number)
    }

    /// Writes what was collected, unless the work has failed, and waits for the store.
    async fn finish(mut self, mut batch: Batch, ended: &Ended) -> (Written, Result<(), Failure>) {
        let is_store_up = !self.outage.is_on();
        if is_store_up && !matches!(ended, Ended::Stopped(_)) {
            // A signal has come, so that none is waited for.
            let lines = std::mem::take(&mut batch.lines);
            if !lines.is_empty()
                && let Ok(name) = self.feed.seal(lines).await
            {
                self.sealed_as(&batch, name);
                if self.record().is_ok() {
                    self.feed.start().await.ok();
                }
            }
        }
        let started = self.feed.started();
        let waited = self.feed.wait(started).await;
        let written = self.feed.written();
        // The lines of what was not sealed are read again.
        for (path, bytes) in self.sources.incomplete() {
            let (path, bytes) = (path.display(), size(bytes));
            tracing::info!(
                "{path} ends with an incomplete line ({bytes}), which is not appended yet"
            );
        }
        let recorded = self.record();
        let closed = match waited {
            Ok(_) => recorded.map_err(|error| self.state.unwritable(Code::Failed, &error)),
            Err(error) => {
                let left: u64 = self.sealed.iter().map(|batch| batch.events).sum();
                let left = count(left, "event is", "events are");
                Err(Failure::from(error).with_hint(format!(
                    "{left} not known to be written; the next run with this state continues"
                )))
            }
        };
        self.feed.close().await.ok();
        (written, closed)
    }
}

async fn explained(target: &Target, failure: Failure) -> Failure {
    match failure.cause() {
        Some(_) => target.explain("append to", failure).await,
        None => failure,
    }
}

/// Returns the absolute paths of the files. Without `--follow`, each must exist.
fn paths(command: &Append) -> Result<Vec<PathBuf>, Failure> {
    if command.files.is_empty() || command.files.iter().any(|file| is_stdin(file)) {
        return Err(Failure::usage(
            "--state takes files, which can be read again: stdin cannot; name the files".to_owned(),
        ));
    }
    let mut paths: Vec<PathBuf> = Vec::with_capacity(command.files.len());
    for file in &command.files {
        let name = file.display();
        let cannot = |error: io::Error| Failure::input(format!("cannot open {name}: {error}"));
        match fs::metadata(file) {
            Ok(metadata) if metadata.is_file() => {
                fs::File::open(file).map_err(cannot)?;
            }
            Ok(metadata) if metadata.is_dir() => {
                return Err(cannot(ErrorKind::IsADirectory.into()));
            }
            Ok(_) => {
                return Err(Failure::input(format!(
                    "cannot append {name} with --state: it is not a file, so it cannot be read \
                     again; append it without --state"
                )));
            }
            Err(error) if error.kind() == ErrorKind::NotFound && command.follow => {}
            Err(error) => return Err(cannot(error)),
        }
        let path = std::path::absolute(file).map_err(cannot)?;
        if paths.contains(&path) {
            return Err(Failure::usage(format!("{name} is given twice; name each file once")));
        }
        paths.push(path);
    }
    Ok(paths)
}

fn rules(command: &Append) -> Rules {
    let Append { event_bytes_max, binary, skip_invalid, .. } = *command;
    Rules { event_bytes_max: event_bytes_max.into(), binary, skip_invalid }
}

fn triggers(command: &Append) -> Triggers {
    Triggers {
        events: command.flush_threshold.into(),
        bytes: command.flush_bytes.into(),
        age: Some(command.flush_interval).filter(|interval| !interval.is_zero()),
        bytes_max: super::buffer_bytes_max(command).into(),
    }
}
