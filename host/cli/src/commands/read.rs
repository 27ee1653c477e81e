//! `stratalog read`: prints events to stdout.
//!
//! 1. A position is saved only after the events before it were written to stdout. So a run after a
//!    crash repeats at most the last page and skips nothing.

use std::collections::BTreeSet;
use std::fs::File;
use std::time::SystemTime;

use stratalog::{Damage, Error, Page, ReadOptions, Skipped};

use crate::args::Shared;
use crate::args::commands::Read;
use crate::commands::pages::Pages;
use crate::numbers::to_u64;
use crate::position_file::PositionFile;
use crate::process::exit::{Code, Failure, write_stdout};
use crate::process::signals::Signals;
use crate::progress::Progress;
use crate::target::Target;
use crate::terminal::human::count;
use crate::terminal::streams::{stdout_as_file, stdout_closed};

pub(crate) async fn run(
    command: &Read,
    shared: &Shared,
    signals: &Signals,
) -> Result<Code, Failure> {
    check_times(command.since, command.until)?;
    let kept = command.position_file.as_deref().map(PositionFile::open).transpose()?;
    let target = Target::open(&command.log, shared, false)?;
    if let Some(position) = &command.from {
        target.check_position("--from", position).await?;
    }
    let printed = print(&target, command, shared, signals, kept);
    match ended_by_stdout(command.follow, printed).await {
        Ok(code) => Ok(code),
        Err(failure) => Err(target.explain("read", failure).await),
    }
}

/// Ends a command that follows a log when the reader of its output closes that.
pub(crate) async fn ended_by_stdout(
    is_followed: bool,
    printed: impl Future<Output = Result<Code, Failure>>,
) -> Result<Code, Failure> {
    if !is_followed {
        return printed.await;
    }
    tokio::select! {
        biased;
        () = stdout_closed() => Ok(Code::Done),
        done = printed => done,
    }
}

/// Refuses times between which there is no event.
pub(crate) fn check_times(
    since: Option<SystemTime>,
    until: Option<SystemTime>,
) -> Result<(), Failure> {
    match (since, until) {
        (Some(since), Some(until)) if since >= until => {
            Err(Failure::usage("--since is not before --until: no event is between them"))
        }
        _ => Ok(()),
    }
}

fn options(command: &Read, kept: Option<&PositionFile>) -> ReadOptions {
    let mut options = ReadOptions::new();
    if let Some(position) = kept.and_then(PositionFile::position).or(command.from.as_deref()) {
        options = options.start(position);
    }
    if let Some(events) = command.limit {
        options = options.limit(events);
    }
    if let Some(time) = command.since {
        options = options.since(time);
    }
    if let Some(time) = command.until {
        options = options.until(time);
    }
    options.skip_damaged(command.skip_damaged)
}

async fn print(
    target: &Target,
    command: &Read,
    shared: &Shared,
    signals: &Signals,
    mut kept: Option<PositionFile>,
) -> Result<Code, Failure> {
    let options = options(command, kept.as_ref());
    let Target { location, store, host } = target;
    let opening = async {
        match &command.position_name {
            Some(name) => host.read_named(store, &location.name, name, options).await,
            None => host.read_with(store, &location.name, options).await,
        }
    };
    let opened = signals.or(opening).await.map_err(|error| name_file(error, kept.as_ref()))?;
    let mut pages = match opened {
        Ok(reader) => Pages::new(reader, command.follow, location, shared)?,
        Err(code) => return Ok(code),
    };
    if let Some(kept) = &kept {
        kept.probe().map_err(|error| kept.unwritable(Code::Input, &error))?;
    }
    let file = stdout_as_file();
    // Only if the events go to a file: a terminal or a pager would show events and progress.
    let mut progress = match file {
        Some(_) => Progress::of_events(shared, &format!("reading {}:", target.location)),
        None => Progress::none(),
    };
    let mut committed = match command.position_name {
        Some(_) => Some(pages.position().await?),
        None => None,
    };
    let mut skipped = Skips::default();
    loop {
        // Interrupted only between pages, when the position after the written page is saved.
        let next = signals.or(pages.next()).await;
        let page = match next.map_err(|error| name_file(error, kept.as_ref()))? {
            Ok(page) => page,
            Err(code) => return Ok(code),
        };
        if command.skip_damaged {
            skipped.report(pages.take_skipped().await?);
        }
        if let Some(page) = &page {
            warn_of_missed(page);
            if !write_stdout(&page.lines)? {
                return Ok(Code::Done);
            }
            progress.add(page.events, page.lines.len());
        }
        keep(&mut pages, kept.as_mut(), file.as_ref()).await?;
        if let Some(committed) = &mut committed {
            let position = pages.position().await?;
            if *committed != position {
                if let Some(stdout) = &file {
                    sync(stdout)?;
                }
                pages.commit().await?;
                *committed = position;
            }
        }
        if page.is_none() {
            return skipped.end(target);
        }
    }
}

/// The damaged data that was skipped.
#[derive(Default)]
struct Skips {
    objects: BTreeSet<String>,
    events: u64,
    /// True if an unknown number of further events was skipped.
    uncounted: bool,
}

impl Skips {
    fn report(&mut self, skipped: Vec<Skipped>) {
        for Skipped { damage: Damage { object, expected, found }, events } in skipped {
            let missing = match events {
                Some(events) => count(events, "event is", "events are").to_string(),
                None => "an unknown number of events is".to_owned(),
            };
            tracing::warn!(
                "{object} is damaged: expected {expected}, found {found}; {missing} missing"
            );
            self.events = self.events.saturating_add(events.unwrap_or(0));
            self.uncounted |= events.is_none();
            self.objects.insert(object);
        }
    }

    fn end(self, target: &Target) -> Result<Code, Failure> {
        if self.objects.is_empty() {
            return Ok(Code::Done);
        }
        let objects = to_u64(self.objects.len());
        let objects = count(objects, "damaged object", "damaged objects");
        let at_least = if self.uncounted { "at least " } else { "" };
        let events = count(self.events, "event", "events");
        let message = format!("cannot read {at_least}{events} of {objects}");
        Err(Failure::new(Code::Damaged, message).with_hint(target.way_to_repair()))
    }
}

/// Warns of events that were appended and removed before they were read.
pub(crate) fn warn_of_missed(page: &Page) {
    if page.missed > 0 {
        let were = if page.missed == 1 { "was" } else { "were" };
        let events = count(page.missed, "event", "events");
        tracing::warn!("{events} {were} trimmed or lost before being read");
    }
}

/// Saves the reader's position, if that was asked for.
async fn keep(
    pages: &mut Pages<'_>,
    kept: Option<&mut PositionFile>,
    stdout: Option<&File>,
) -> Result<(), Failure> {
    let Some(kept) = kept else { return Ok(()) };
    let position = pages.position().await?;
    if let Some(stdout) = stdout {
        sync(stdout)?;
    }
    kept.save(position).map_err(|error| kept.unwritable(Code::Failed, &error))
}

/// A position becomes durable, so the events before it must be durable first.
fn sync(stdout: &File) -> Result<(), Failure> {
    stdout.sync_data().map_err(|error| Failure::system("cannot sync stdout", &error))
}

/// A position that the log refuses is an error in the position file.
fn name_file(error: Error, kept: Option<&PositionFile>) -> Failure {
    match (&error, kept) {
        (Error::InvalidInput(message), Some(kept)) if kept.position().is_some() => {
            kept.refused(message)
        }
        _ => error.into(),
    }
}
