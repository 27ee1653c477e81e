//! A plugin that executes its arguments, one after the other, and prints the result of each.
//!
//! An argument is a word, or words joined by `=`. `open=LABEL` opens the log for the later words
//! without a label. With `open=LABEL=EVENTS`, this many events make a batch, and time makes none.

use std::process::abort;
use std::time::Duration;

#[allow(clippy::all, clippy::restriction, unsafe_code, unreachable_pub, reason = "generated")]
mod bindings {
    wit_bindgen::generate!({ path: "../../wit", world: "plugin", generate_all });
}

use bindings::stratalog::log::append_log::{
    Log, Reader, compact, forget_position, named_positions, plan_compaction, plan_trim, read,
    read_named, stat, trim, verify,
};
use bindings::stratalog::log::types::{
    CompactOptions, Error, Options, ReadOptions, TrimOptions, TrimPoint,
};

/// An event of a packet.
const EVENT: [u8; 200] = [b'x'; 200];
/// Events in a packet.
const PACKET: u64 = 1000;

fn main() {
    let mut log = None;
    for argument in std::env::args().skip(1) {
        let words: Vec<&str> = argument.split('=').collect();
        match perform(&words, &mut log) {
            Ok(Some(said)) => println!("{argument}: {said}"),
            Ok(None) => {}
            Err(error) => println!("{argument}: {}", refused(&error)),
        }
    }
}

/// Executes one argument. None: there is nothing to print.
fn perform(words: &[&str], log: &mut Option<Log>) -> Result<Option<String>, Error> {
    let opened = || log.as_ref().ok_or(Error::InvalidInput("nothing is open".to_owned()));
    Ok(Some(match words {
        ["open", label] => {
            *log = Some(Log::open(label, options(None))?);
            "done".to_owned()
        }
        ["open", label, threshold] => {
            *log = Some(Log::open(label, options(Some(number(threshold)?)))?);
            "done".to_owned()
        }
        ["append", event] => {
            opened()?.append(event.as_bytes())?;
            "done".to_owned()
        }
        ["append", event, count] => {
            let log = opened()?;
            for number in 0..number(count)? {
                log.append(format!("{event} {number}").as_bytes())?;
            }
            "done".to_owned()
        }
        ["append-packed", count] => {
            let log = opened()?;
            let packet = [&EVENT[..], b"\n"].concat().repeat(1000);
            for _ in 0..u64::from(number(count)?) / PACKET {
                log.append_lines(&packet)?;
            }
            return Ok(None);
        }
        ["flush"] => format!("{} events", opened()?.flush()?.events),
        ["tick"] => format!("pending {}", opened()?.tick()),
        ["file-count"] => format!("{} objects", opened()?.file_count()?),
        ["read-all"] => all(&opened()?.read_all()?)?,
        ["read", label] => all(&read(label, &whole())?)?,
        ["read-twice", label] => {
            let reader = read(label, &whole())?;
            format!("{}; {}", all(&reader)?, all(&reader)?)
        }
        ["pending", label] => {
            let pending = Some(opened()?.pending());
            all(&read(label, &ReadOptions { pending, ..whole() })?)?
        }
        ["resume", label, limit] => {
            let limit = Some(u64::from(number(limit)?));
            let first = read(label, &ReadOptions { limit, ..whole() })?;
            let events = count(&first)?.0;
            let start = first.position();
            format!("{events} and {}", all(&read(label, &ReadOptions { start, ..whole() })?)?)
        }
        ["places", label] => {
            let reader = read(label, &whole())?;
            let (mut of_batches, mut positions) = (0, 0);
            while let Some(page) = reader.next()? {
                of_batches += reader.batches().iter().map(|batch| batch.events).sum::<u64>();
                for event in 0..page.events {
                    let text = reader.positions(event).unwrap_or_default();
                    positions += u64::from(text.ends_with('\n'));
                }
            }
            format!("{of_batches} events of batches, {positions} positions")
        }
        ["read-named", label, name] => {
            let reader = read_named(label, name, &whole())?;
            all(&reader)?
        }
        // Commits behind this many events.
        ["commit", label, name, limit] => {
            let limit = Some(u64::from(number(limit)?));
            let reader = read_named(label, name, &ReadOptions { limit, ..whole() })?;
            let read = all(&reader)?;
            reader.commit(None)?;
            reader.commit(reader.position().as_deref())?;
            format!("{read}, committed")
        }
        ["derive", source, name, target] => format!("{} events", derive(source, name, target)?),
        ["names", label] => {
            let named = named_positions(label)?.into_iter();
            let named = named.map(|named| format!("{} {}", named.name, named.number));
            named.collect::<Vec<_>>().join(", ")
        }
        ["forget-name", label, name] => format!("{}", forget_position(label, name)?),
        ["plan-compaction", label] => {
            let plan = plan_compaction(label, compaction())?;
            format!("{} batches, {} segments", plan.batches, plan.segments)
        }
        ["compact"] => format!("{} files", opened()?.compact(compaction())?.merged_files),
        ["compact", label] => {
            let done = compact(label, compaction())?;
            format!("{} files into {:?}", done.merged_files, done.new_key.map(|_| "a segment"))
        }
        [word @ ("trim" | "plan-trim"), label, keep] => {
            let (until, options) = (
                TrimPoint::KeepEvents(u64::from(number(keep)?)),
                TrimOptions { lazy: false, keep_unread: false },
            );
            let trimmed = match *word {
                "trim" => trim(label, &until, options)?,
                _ => plan_trim(label, &until, options)?,
            };
            format!("{} events", trimmed.events)
        }
        ["stat", label] => format!("{} events", stat(label)?.events),
        ["verify", label] => {
            let verifier = verify(label)?;
            let (mut objects, mut findings) = (0, 0);
            while let Some(checked) = verifier.next()? {
                objects = checked.objects;
                findings += checked.findings.len();
            }
            format!("{objects} objects, {findings} findings")
        }
        ["close"] => format!("{} events", opened()?.close()?.events),
        ["forget"] => {
            *log = None;
            "done".to_owned()
        }
        ["leave"] => {
            std::mem::forget(log.take());
            "done".to_owned()
        }
        ["abort"] => abort(),
        ["exit", code] => std::process::exit(i32::try_from(number(code)?).unwrap_or(255)),
        ["spin"] => loop {
            std::hint::black_box(());
        },
        ["idle"] => loop {
            std::thread::sleep(Duration::from_secs(1));
        },
        _ => return Err(Error::InvalidInput("there is no such thing to do".to_owned())),
    }))
}

/// Events that are appended between two commits.
const DERIVED: usize = 3;

/// Derives an event in one log from each of another, exactly once, however often it is killed.
///
/// A derived event is `FROM TO EVENT`: the position that was committed last before it, and the one
/// right behind its source. So an event whose FROM is still the named position was appended after
/// that commit, and the work continues at TO.
fn derive(source: &str, name: &str, target: &str) -> Result<usize, Error> {
    let reader = read_named(source, name, &whole())?;
    let mut from = reader.position().unwrap_or_default();
    if let Some(last) = last_event(target)? {
        let mut words = last.split(' ');
        if words.next() == Some(&*from) {
            from = words.next().unwrap_or_default().to_owned();
        }
    }
    // A commit that a killed run has left in progress can land no more from here on.
    reader.commit(Some(&from))?;
    let reader = read_named(source, name, &whole())?;
    let log = Log::open(target, options(None))?;
    let mut derived = 0;
    while let Some(page) = reader.next()? {
        let (mut positions, mut known) = (Vec::new(), 0);
        while known < page.events {
            for position in reader.positions(known).unwrap_or_default().lines() {
                positions.push(position.to_owned());
                known += 1;
            }
        }
        let lines = String::from_utf8_lossy(&page.lines).into_owned();
        let events: Vec<_> = lines.lines().zip(positions).collect();
        for some in events.chunks(DERIVED) {
            for (event, to) in some {
                log.append(format!("{from} {to} {event}").as_bytes())?;
            }
            log.flush()?;
            if let Some((_, to)) = some.last() {
                reader.commit(Some(to))?;
                from.clone_from(to);
            }
            derived += some.len();
        }
    }
    Ok(derived)
}

fn last_event(label: &str) -> Result<Option<String>, Error> {
    let last = read(label, &ReadOptions { last: Some(1), ..whole() })?;
    match last.next() {
        Ok(page) => Ok(page.map(|page| String::from_utf8_lossy(&page.lines).trim_end().to_owned())),
        Err(Error::NoLog(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Reads to the end and describes the events.
fn all(reader: &Reader) -> Result<String, Error> {
    let (events, missed) = count(reader)?;
    Ok(format!("{events} events, {missed} missed"))
}

/// Reads to the end. Returns the numbers of events and of missed ones.
fn count(reader: &Reader) -> Result<(u64, u64), Error> {
    let (mut events, mut missed) = (0, 0);
    while let Some(page) = reader.next()? {
        events += page.events;
        missed += page.missed;
    }
    Ok((events, missed))
}

fn number(text: &str) -> Result<u32, Error> {
    text.parse().map_err(|_| Error::InvalidInput(format!("{text} is not a number")))
}

fn options(flush_threshold: Option<u32>) -> Options {
    Options {
        flush_threshold,
        flush_bytes: None,
        // With a threshold, time makes no batch: only the threshold does.
        flush_interval_ms: flush_threshold.map(|_| 0),
        event_bytes_max: None,
        buffer_bytes_max: None,
        creates_max: None,
    }
}

fn whole() -> ReadOptions {
    ReadOptions { start: None, last: None, limit: None, since: None, until: None, pending: None }
}

fn compaction() -> CompactOptions {
    CompactOptions { full: false, fan_in: None, segment_bytes_max: None, batches_max: None }
}

/// Formats the case of an error, and its text if it has one.
fn refused(error: &Error) -> String {
    match error {
        Error::InvalidInput(text) => format!("invalid-input: {text}"),
        Error::InvalidEvent(event) => format!("invalid-event: line {}", event.line),
        Error::WriteFailed(failure) => format!("write-failed: {}", failure.message),
        Error::StoreFailed(failure) => format!("store-failed: {}", failure.message),
        Error::Damaged(damage) => format!("damaged: {}", damage.object),
        Error::NoLog(absent) => format!("no-log: {}, below it {:?}", absent.name, absent.below),
        Error::Conflict(text) => format!("conflict: {text}"),
        Error::Unsupported(text) => format!("unsupported: {text}"),
        Error::Denied(text) => format!("denied: {text}"),
        Error::LimitReached(text) => format!("limit-reached: {text}"),
        Error::Closed => "closed".to_owned(),
    }
}
