//! `stratalog append`: appends lines.
//!
//! 1. Memory is bounded by blocks, the longest event and the log's own buffers, not by the input.
//! 2. The log decides when to write. Only `--flush-threshold` is enforced here, to the event.
//! 3. However the input ends, the lines before the end are flushed and counted in the summary. The
//!    only exception is a signal when the store does not answer within the grace. Then the events
//!    that may be missing are reported.
//! 4. Nothing is appended before all inputs are found and open.

mod appender;
mod decoder;
mod durability;
mod events;
mod input;
mod inputs;
mod line_splitter;
mod nature;
mod once;
mod order;

use std::io::{self, IsTerminal as _};
use std::path::PathBuf;
use std::sync::Arc;

use stratalog::store::Location;
use stratalog::{Error, LogOptions, WriteFailure, WriteFate, Written};

use appender::{Appender, Stop};
use decoder::BLOCK_BYTES;
use durability::Durability;
use input::Items;
use inputs::is_stdin;

use crate::args::Shared;
use crate::args::commands::Append;
use crate::neighbours;
use crate::process::exit::{Code, Failure};
use crate::process::signals::Signals;
use crate::progress::Progress;
use crate::report::{self, LeftOut};
use crate::target::Target;
use crate::terminal::human::{count, grouped};

/// Appends all lines, to any end of the input.
pub(crate) async fn run(
    command: Append,
    shared: &Shared,
    signals: &Signals,
) -> Result<Code, Failure> {
    if let Some(state) = &command.state {
        return once::run(&command, state, shared, signals).await;
    }
    let location = Location::parse(&command.log).map_err(Error::from)?;
    order::check(&command.log, &location, &command.files)?;
    let inputs = inputs::open(&command.files, command.binary)?;
    let sole_compactor = command.sole.sole_compactor;
    let target = Target::open(&command.log, shared, sole_compactor)?;
    let Target { location, store, host } = &target;
    let opening = async {
        let is_new = is_new(&target, shared).await;
        Ok::<_, Error>((is_new, host.open(store, &location.name, options(&command)).await?))
    };
    let cannot = format!("cannot append to {location}");
    let (is_new, log) = match signals.or(opening).await {
        Ok(Ok(opened)) => opened,
        // The input was not read.
        Ok(Err(code)) => {
            let left_out = LeftOut { blank_lines: 0, skipped: command.skip_invalid.then_some(0) };
            let nothing = Written { batches: 0, events: 0, bytes: 0 };
            report::appended(shared, &nothing, left_out, &location.to_string())?;
            return Ok(code);
        }
        Err(error) => return Err(target.explain("append to", error).await),
    };
    if location.root.is_memory() {
        tracing::warn!("{location} is in memory: the log is gone when this command ends");
    }
    let progress = progress(&command.files, shared, location);
    let durability = Arc::new(Durability::new(log.clone()));
    signals.give_grace(command.grace.grace, shared.quiet);
    let confirmed = durability.clone();
    signals.set_last_words(move || confirmed.last_words());
    let mut appender = Appender::new(&log, &command, durability.clone(), progress);
    let ended = appender.take_all(Items::start(inputs, command.binary)?, signals).await;
    let skipped = command.skip_invalid.then_some(appender.skipped);
    let left_out = LeftOut { blank_lines: appender.blank_lines, skipped };
    let taken = durability.taken();
    let flushed = match &ended {
        // The log has just reported that it cannot write.
        Err(Stop::Refused { error, events }) => Err((error.clone(), *events)),
        Ok(_) | Err(Stop::Input(_)) => log.close().await.map_err(|error| (error, 0)),
    };
    drop(appender);
    match (flushed, ended) {
        (Ok(written), ended) => {
            let new = match is_new && written.events > 0 {
                true => format!(", a new log{}", neighbours::shown(store, location).await),
                false => String::new(),
            };
            report::appended(shared, &written, left_out, &format!("{location}{new}"))?;
            ended.map_err(Failure::from)
        }
        (Err((error, refused)), ended) => {
            if let Err(Stop::Input(failure)) = ended {
                failure.print();
            }
            let missing = (taken + refused).saturating_sub(durability.durable());
            // Its warning would repeat the error.
            log.abandon();
            Err(lost(error, taken, refused, missing).context(cannot))
        }
    }
}

/// Returns whether the first batch will create the log, which a typing error does, too. For a store
/// on the network this takes requests, so it is checked only if people will see it.
async fn is_new(target: &Target, shared: &Shared) -> bool {
    let Target { location, store, .. } = target;
    if shared.quiet || shared.json || location.root.is_memory() {
        return false;
    }
    match location.root.as_folder() {
        Some(folder) => !folder.join(&location.name).exists(),
        None if !io::stderr().is_terminal() => false,
        None => matches!(neighbours::is_log(store, &location.name).await, Ok(false)),
    }
}

fn options(command: &Append) -> LogOptions {
    let options = LogOptions::new()
        .flush_threshold(command.flush_threshold)
        .flush_bytes(command.flush_bytes)
        .flush_interval(command.flush_interval)
        .event_bytes_max(command.event_bytes_max)
        .creates_max(command.creates_max)
        .buffer_bytes_max(buffer_bytes_max(command));
    match command.compact_after {
        Some(batches) => options.compact_after(batches),
        None => options,
    }
}

/// Returns room for one batch or one event, and for the block that completes it.
fn buffer_bytes_max(command: &Append) -> u32 {
    let block_bytes = u32::try_from(BLOCK_BYTES).unwrap_or(u32::MAX);
    let needed = command.flush_bytes.max(command.event_bytes_max).saturating_add(block_bytes);
    needed.clamp(LogOptions::BUFFER_BYTES_DEFAULT, LogOptions::BUFFER_BYTES_MAX)
}

/// Shows progress, unless the events are typed: then it would mix with the typed lines.
fn progress(files: &[PathBuf], shared: &Shared, location: &Location) -> Progress {
    let reads_stdin = files.is_empty() || files.iter().any(|file| is_stdin(file));
    let typed = reads_stdin && io::stdin().is_terminal();
    if !typed {
        return Progress::of_events(shared, &format!("appending to {location}:"));
    }
    report::print_line(shared.quiet, "reading events, one per line; press Ctrl-D to finish");
    Progress::none()
}

impl From<Stop> for Failure {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Input(failure) => failure,
            Stop::Refused { error, .. } => error.into(),
        }
    }
}

/// Reports the events that are not in the log. `refused` events were not even buffered.
fn lost(error: Error, taken: u64, refused: u64, missing: u64) -> Failure {
    let code = Code::of(&error);
    let Error::WriteFailed(WriteFailure { object, fate, message, .. }) = error else {
        let taken = count(taken, "event", "events");
        let what = format!("of {taken} read, those not written yet are lost");
        return Failure::from(error).context(what);
    };
    let all = count(taken + refused, "event", "events");
    let which = format!("the last {} of {all}", grouped(missing));
    // Not the library's own text: no event stays in memory when the process ends.
    let what = match fate {
        WriteFate::NotWritten => format!("the store does not have {which}: {message}"),
        WriteFate::Unknown | WriteFate::Durable => format!(
            "the store may not have {which}: {message}; {object} may be there, so read the log \
             before appending them again"
        ),
    };
    Failure::new(code, what)
}
