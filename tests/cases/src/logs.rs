//! Parts of cases: logs, events, and comparisons that name their line.

use std::fmt::Debug;
use std::panic::Location;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::bindings::stratalog::log::append_log::{Log, Reader, compact, read, verify};
use crate::bindings::stratalog::log::types::{
    CompactOptions, Compaction, Error, Finding, Options, ReadOptions, VerifyProgress,
};

/// The time after which a wait fails. Long enough to mean "never", even on a busy machine.
pub(crate) const NEVER: Duration = Duration::from_mins(5);

/// The reason why a case does not hold.
pub(crate) struct Failure(pub(crate) String);

pub(crate) type Outcome<T = ()> = Result<T, Failure>;

/// A case, and its part before the test changes objects.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) prepare: fn(&str) -> Outcome,
    pub(crate) holds: fn(&str) -> Outcome,
}

impl Case {
    /// Returns the name of its log, which no object of a log has.
    pub(crate) fn log(&self) -> String {
        self.name.replace('_', "-")
    }
}

/// Makes a list of cases from functions.
macro_rules! cases {
    ($($case:ident),* $(,)?) => {
        &[$(crate::logs::Case {
            name: stringify!($case),
            prepare: crate::logs::nothing,
            holds: $case,
        }),*]
    };
}
pub(crate) use cases;

pub(crate) fn nothing(_log: &str) -> Outcome {
    Ok(())
}

impl From<String> for Failure {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<Error> for Failure {
    #[track_caller]
    fn from(error: Error) -> Self {
        Self(format!("{error:?} at {}", Location::caller()))
    }
}

/// Fails unless both are equal.
#[track_caller]
pub(crate) fn same<A: Debug + PartialEq<B>, B: Debug>(found: A, expected: B) -> Outcome {
    if found == expected {
        return Ok(());
    }
    let found: String = format!("{found:?}").chars().take(300).collect();
    let expected: String = format!("{expected:?}").chars().take(300).collect();
    Err(Failure(format!("{found} is not {expected} at {}", Location::caller())))
}

/// Fails unless the condition holds.
#[track_caller]
pub(crate) fn holds(condition: bool, text: &str) -> Outcome {
    if condition { Ok(()) } else { Err(Failure(format!("{text} at {}", Location::caller()))) }
}

/// Returns the error of a call that must fail.
#[track_caller]
pub(crate) fn refused<T>(outcome: Result<T, Error>) -> Outcome<Error> {
    let at = Location::caller();
    outcome.err().ok_or_else(|| Failure(format!("a call did not fail at {at}")))
}

/// Fails unless the call fails with `invalid-input` and this word in its text.
#[track_caller]
pub(crate) fn invalid<T>(outcome: Result<T, Error>, word: &str) -> Outcome {
    let at = Location::caller();
    match outcome {
        Err(Error::InvalidInput(text)) if text.contains(word) => Ok(()),
        Err(other) => Err(Failure(format!("{other:?} without {word:?} at {at}"))),
        Ok(_) => Err(Failure(format!("a call did not fail at {at}"))),
    }
}

/// Returns options by which nothing but a flush seals a batch.
pub(crate) fn by_hand() -> Options {
    Options { flush_threshold: Some(1_000_000), flush_interval_ms: Some(0), ..defaults() }
}

pub(crate) fn defaults() -> Options {
    Options {
        flush_threshold: None,
        flush_bytes: None,
        flush_interval_ms: None,
        event_bytes_max: None,
        buffer_bytes_max: None,
        creates_max: None,
    }
}

pub(crate) fn whole() -> ReadOptions {
    ReadOptions { start: None, last: None, limit: None, since: None, until: None, pending: None }
}

pub(crate) fn tiered() -> CompactOptions {
    CompactOptions { full: false, fan_in: None, segment_bytes_max: None, batches_max: None }
}

pub(crate) fn open(log: &str) -> Outcome<Log> {
    Ok(Log::open(log, by_hand())?)
}

/// Appends events, and flushes.
pub(crate) fn batch(writer: &Log, events: &[String]) -> Outcome {
    for event in events {
        writer.append(event.as_bytes())?;
    }
    writer.flush()?;
    Ok(())
}

/// Writes a log of batches of this many events each, and returns its events.
pub(crate) fn log_of(log: &str, batches: &[usize]) -> Outcome<Vec<String>> {
    let writer = open(log)?;
    let all = numbered(batches.iter().sum());
    let mut rest = all.as_slice();
    for count in batches {
        let (events, others) = rest.split_at(*count);
        batch(&writer, events)?;
        rest = others;
    }
    writer.close()?;
    Ok(all)
}

/// Returns `event 0`, `event 1` and so on.
pub(crate) fn numbered(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("event {number}")).collect()
}

/// Returns the remaining events of a reader, and the number of missed ones.
pub(crate) fn rest(reader: &Reader) -> Outcome<(Vec<String>, u64)> {
    let (mut events, mut missed) = (Vec::new(), 0);
    while let Some(page) = reader.next()? {
        let lines = String::from_utf8(page.lines).map_err(|error| error.to_string())?;
        holds(lines.is_empty() || lines.ends_with('\n'), "a page ends with an LF")?;
        let before = events.len();
        events.extend(lines.lines().map(str::to_owned));
        same(u64::try_from(events.len() - before), Ok(page.events))?;
        missed += page.missed;
    }
    Ok((events, missed))
}

pub(crate) fn read_with(log: &str, options: ReadOptions) -> Outcome<Vec<String>> {
    Ok(rest(&read(log, &options)?)?.0)
}

pub(crate) fn read_whole(log: &str) -> Outcome<Vec<String>> {
    read_with(log, whole())
}

/// Returns the position behind the first events.
pub(crate) fn position_behind(log: &str, events: u64) -> Outcome<String> {
    let reader = read(log, &ReadOptions { limit: Some(events), ..whole() })?;
    let (found, _) = rest(&reader)?;
    same(u64::try_from(found.len()), Ok(events))?;
    reader.position().ok_or_else(|| Failure("a pass has no position".to_owned()))
}

pub(crate) fn from(position: &str) -> ReadOptions {
    ReadOptions { start: Some(position.to_owned()), ..whole() }
}

pub(crate) fn compacted(log: &str) -> Outcome<Compaction> {
    Ok(compact(log, CompactOptions { full: true, ..tiered() })?)
}

/// Returns the counts and the findings of a verification.
pub(crate) fn verified(log: &str) -> Outcome<(VerifyProgress, Vec<Finding>)> {
    let verifier = verify(log)?;
    let (mut counts, mut findings) = (None, Vec::new());
    while let Some(mut step) = verifier.next()? {
        findings.append(&mut step.findings);
        counts = Some(step);
    }
    let counts = counts.ok_or_else(|| Failure("a verification has no step".to_owned()))?;
    Ok((counts, findings))
}

/// Returns a time that is later than all before it, in microseconds since 1970.
pub(crate) fn later() -> Outcome<u64> {
    let now = || SystemTime::now().duration_since(UNIX_EPOCH).map(|time| time.as_micros());
    let before = now().map_err(|error| error.to_string())?;
    let begun = Instant::now();
    loop {
        holds(begun.elapsed() < NEVER, "the clock stands still")?;
        let after = now().map_err(|error| error.to_string())?;
        if after > before + 1 {
            return u64::try_from(after).map_err(|error| error.to_string().into());
        }
    }
}
