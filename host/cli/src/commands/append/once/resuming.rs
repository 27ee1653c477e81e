//! Continues the batches that an earlier run has recorded and that may be stored.
//!
//! 1. A batch that is not stored is made again, of the same lines and under the same name.
//! 2. If its lines are not there any more, it is reported. Those behind it stay hidden in the log,
//!    so their lines are appended in new batches. All of these are recorded in one step, in place
//!    of the earlier ones.

use stratalog::{Error, Feed, LogOptions, ResumedFeed, Written};

use super::outage::{Halt, Outage};
use super::sources::Sources;
use super::state::{SealedBatch, StateFile};
use crate::numbers::to_u64;
use crate::process::exit::{Code, Failure};
use crate::target::Target;
use crate::terminal::human::count;

/// Writes what is missing of the batches recorded, and records that. Returns what was written.
pub(super) async fn resume(
    target: &Target,
    sources: &mut Sources,
    state: &mut StateFile,
    outage: &mut Outage<'_>,
) -> Result<Written, Halt> {
    loop {
        let signals = outage.signals;
        match signals.or(resume_once(target, sources, state)).await {
            Ok(Ok(written)) => {
                outage.is_over();
                return written.map_err(Halt::Failed);
            }
            Ok(Err(code)) => return Err(Halt::Signal(code)),
            Err(error) => outage.pass(error).await?,
        }
    }
}

async fn resume_once(
    target: &Target,
    sources: &mut Sources,
    state: &mut StateFile,
) -> Result<Result<Written, Failure>, Error> {
    let Target { location, store, host } = target;
    let sealed = state.saved().sealed.clone();
    let mut written = Written { batches: 0, events: 0, bytes: 0 };
    if sealed.is_empty() {
        return Ok(Ok(written));
    }
    let names: Vec<_> = sealed.iter().map(|batch| batch.name.clone()).collect();
    let resumed = host.resume_feed(store, &location.name, options(), &names).await?;
    let ResumedFeed { mut feed, stored, may_be_trimmed, .. } = resumed;
    let open = sealed.get(stored..).unwrap_or_default();
    let recorded = count(to_u64(names.len()), "batch", "batches");
    tracing::info!("the last run may not have written {recorded}: {stored} of them are stored");
    let made = match may_be_trimmed {
        true => 0,
        false => make_again(&mut feed, open, sources, state).await?,
    };
    add(&mut written, feed.close().await?);
    let mut rest = open.get(made..).unwrap_or_default().iter();
    if let Some(lost) = rest.next() {
        report(lost, may_be_trimmed);
    }
    let mut feed = host.feed(store, &location.name, options()).await?;
    let mut renewed = Vec::new();
    for batch in rest {
        match sources.events_again(batch, state.saved()) {
            Some(events) => {
                let name = feed.seal(events).await?;
                renewed.push(SealedBatch { name, ..batch.clone() });
            }
            None => report(batch, false),
        }
    }
    for sealed in [renewed, Vec::new()] {
        let (records, next_number) = (sources.records(&sealed), sources.next_number);
        if let Err(error) = state.save(records, sealed, next_number) {
            return Ok(Err(state.unwritable(Code::Failed, &error)));
        }
        feed.start().await?;
        add(&mut written, feed.wait(feed.started()).await?);
    }
    Ok(Ok(written))
}

/// Makes batches again, and starts their creates. Returns the number of those whose lines are as
/// they were.
async fn make_again(
    feed: &mut Feed,
    batches: &[SealedBatch],
    sources: &Sources,
    state: &StateFile,
) -> Result<usize, Error> {
    for (made, batch) in batches.iter().enumerate() {
        let Some(events) = sources.events_again(batch, state.saved()) else { return Ok(made) };
        match feed.seal_again(events, &batch.name).await {
            Ok(()) => feed.start().await?,
            Err(error @ (Error::InvalidInput(_) | Error::InvalidEvent(_))) => {
                tracing::debug!("{error}");
                return Ok(made);
            }
            Err(error) => return Err(error),
        }
    }
    Ok(batches.len())
}

fn report(batch: &SealedBatch, may_be_trimmed: bool) {
    let (name, events) = (&batch.name, count(batch.events, "event", "events"));
    let why = match may_be_trimmed {
        true => "it may have been trimmed since",
        false => "its lines are not there any more as they were",
    };
    tracing::warn!(
        "{events} may be missing in the log: {name} was being written when the last run ended, and \
         {why}"
    );
}

/// Options that take any batch of an earlier run.
fn options() -> LogOptions {
    LogOptions::new()
        .event_bytes_max(LogOptions::EVENT_BYTES_MAX)
        .buffer_bytes_max(LogOptions::BUFFER_BYTES_MAX)
        .creates_max(LogOptions::CREATES_MAX)
}

fn add(sum: &mut Written, more: Written) {
    sum.batches += more.batches;
    sum.events += more.events;
    sum.bytes += more.bytes;
}
