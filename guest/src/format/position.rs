//! A position as text: the place of a reader in a log, from which any reader can resume.
//!
//! `[{log:016x}@]{position}[,{batch}[+{events}]]…`: the identity of the log, if it had one when the
//! reader loaded it; the next sequenced position; then, in the order of their names, the live
//! batches already yielded, each as its name without `batch_` and `.jsonl`; with `+N`, only its
//! first N events were yielded.
//!
//! 1. Names are exact: a new live batch may sort before one that was yielded.
//! 2. A position with the identity of a log is refused by any other log. One without it is of a log
//!    that has, or had, the batches that it names.
//! 3. Only text exactly as this file writes it is accepted.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use crate::error::Error;
use crate::format::batch_set::BatchSet;
use crate::format::manifest::SegmentRecord;
use crate::format::names::{BatchName, LogId, LogName};
use crate::limits::POSITION_BYTES_MAX;

/// The place of a reader in a log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Position {
    /// The log it is of. None before the first manifest, and for a log of format 1.
    pub log: Option<LogId>,
    /// The next sequenced position to yield.
    pub next: u64,
    /// Live batches that were yielded and not yet met in a segment.
    pub yielded: BatchSet,
    /// Live batches that were yielded in part, with the number of events yielded.
    pub partial: BTreeMap<BatchName, u64>,
}

impl Position {
    /// Returns true if the segment may contain a batch that was yielded while it was live.
    pub(crate) fn has_yielded_of(&self, segment: &SegmentRecord) -> bool {
        let from = BatchName { time: segment.first_time, origin: None };
        let covered = |batch: Option<BatchName>| batch.is_some_and(|b| segment.covers(b.time));
        covered(self.yielded.first_from(from))
            || covered(self.partial.range(from..).next().map(|(batch, _)| *batch))
    }

    /// Returns true if it names the batch.
    pub(crate) fn names(&self, batch: &BatchName) -> bool {
        self.yielded.contains(batch) || self.partial.contains_key(batch)
    }

    /// The batches that it names and that certainly had events. A log keeps those, live or
    /// absorbed, until they are trimmed. (A legacy batch may be empty, and then be deleted.)
    pub(crate) fn certain_batches(&self) -> impl Iterator<Item = BatchName> {
        let whole = self.yielded.iter().filter(|batch| batch.origin.is_some());
        whole.chain(self.partial.keys().copied())
    }

    pub(crate) fn encode(&self) -> String {
        let mut text = self.log.map_or_else(String::new, |log| format!("{log}@"));
        write!(text, "{}", self.next).ok();
        let mut partial = self.partial.iter().peekable();
        let is_earlier = |partial: &(&BatchName, &u64), batch: &BatchName| partial.0 < batch;
        for batch in self.yielded.iter() {
            while let Some((batch, events)) = partial.next_if(|next| is_earlier(next, &batch)) {
                write_batch(&mut text, batch, Some(*events));
            }
            write_batch(&mut text, &batch, None);
        }
        partial.for_each(|(batch, events)| write_batch(&mut text, batch, Some(*events)));
        text
    }

    /// # Errors
    /// [`Error::InvalidInput`] that shows the part of the text that is wrong.
    pub(crate) fn decode(text: &str) -> Result<Self, Error> {
        if text.len() > POSITION_BYTES_MAX {
            return Err(Error::InvalidInput(format!(
                "invalid position of {} bytes: a position has at most {POSITION_BYTES_MAX} \
                 bytes; pass a value that a reader returned",
                text.len()
            )));
        }
        let (start, batches) = match text.split_once(',') {
            Some((start, batches)) => (start, Some(batches)),
            None => (text, None),
        };
        let (log, next) = match start.split_once('@') {
            Some((log, next)) => (Some(LogId::parse(log).ok_or_else(|| refused(start))?), next),
            None => (None, start),
        };
        let next = number(next).ok_or_else(|| refused(start))?;
        let (mut whole, mut partial) = (Vec::new(), BTreeMap::new());
        for field in batches.into_iter().flat_map(|batches| batches.split(',')) {
            let (stem, events) = match field.split_once('+') {
                Some((stem, events)) => {
                    let events = number(events).filter(|events| *events > 0);
                    (stem, Some(events.ok_or_else(|| refused(field))?))
                }
                None => (field, None),
            };
            let batch = BatchName::parse_stem(stem).ok_or_else(|| refused(field))?;
            match events {
                Some(events) => _ = partial.insert(batch, events),
                None => whole.push(batch),
            }
        }
        let position = Self { log, next, yielded: whole.into_iter().collect(), partial };
        if position.encode() == text { Ok(position) } else { Err(refused(text)) }
    }

    /// Refuses a position of another log than the one with this identity.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] that names both.
    pub(crate) fn check_log(&self, name: &LogName, log: Option<LogId>) -> Result<(), Error> {
        let Some(of) = self.log.filter(|of| Some(*of) != log) else { return Ok(()) };
        Err(another(&format!("the position belongs to log {of}"), name, log))
    }

    /// The error of a position with batches that the log with this identity does not have.
    pub(crate) fn of_another(&self, name: &LogName, log: Option<LogId>) -> Error {
        let batch =
            self.certain_batches().min().map_or_else(String::new, |first| format!(" {first}"));
        let of = format!(
            "the position belongs to a log with the batch{batch}, which this log does not have"
        );
        another(&of, name, log)
    }
}

fn write_batch(text: &mut String, batch: &BatchName, events: Option<u64>) {
    text.push(',');
    // Writing to a string does not fail.
    batch.write_stem(text).ok();
    if let Some(events) = events {
        write!(text, "+{events}").ok();
    }
}

fn another(of: &str, name: &LogName, log: Option<LogId>) -> Error {
    let is = match log {
        Some(log) => format!("has the identity {log}"),
        None => "has no identity, as before its first compaction".to_owned(),
    };
    Error::InvalidInput(format!(
        "{of}, and log {name} {is}; start without a position",
        name = name.as_str()
    ))
}

fn number(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

fn refused(text: &str) -> Error {
    // A hostile text may be long or hold terminal escapes: show it short and escaped.
    let shown: String = text.chars().take(80).flat_map(char::escape_debug).collect();
    Error::InvalidInput(format!(
        "invalid position \"{shown}\": pass a value that a reader returned"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::batch::name_for;
    use crate::format::names::{BatchTime, WriterId};

    #[test]
    fn position_decodes_to_what_was_encoded() {
        let name =
            |time| name_for(BatchTime::new(time).unwrap(), WriterId(10), &b"a\nb\nc\n".to_vec());
        let legacy = BatchName { time: BatchTime::new(7).unwrap(), origin: None };
        let position = Position {
            log: None,
            next: 42,
            yielded: [name(9), legacy].into(),
            partial: [(name(8), 2)].into(),
        };
        let text = position.encode();
        let digest = name(8).origin.unwrap().digest;
        let expected = format!(
            "42,0000000000000000007,0000000000000000008_0000000a_3_{digest}+2,\
             0000000000000000009_0000000a_3_{digest}"
        );
        assert_eq!(text, expected);
        assert_eq!(Position::decode(&text), Ok(position.clone()));
        assert_eq!(Position::decode("0"), Ok(Position::default()));
        let position = Position { log: Some(LogId(0xfe)), ..position };
        assert_eq!(position.encode(), format!("00000000000000fe@{expected}"));
        assert_eq!(Position::decode(&position.encode()), Ok(position));
    }

    #[test]
    fn position_of_another_log_is_refused_and_both_are_named() {
        let name = LogName::parse("app/log").unwrap();
        let of = |log| Position { log, ..Position::default() };
        let (one, other) = (Some(LogId(1)), Some(LogId(2)));
        for (position, log) in [(None, None), (None, one), (one, one)] {
            assert_eq!(of(position).check_log(&name, log), Ok(()));
        }
        for log in [other, None] {
            let Err(Error::InvalidInput(message)) = of(one).check_log(&name, log) else {
                panic!("taken by {log:?}");
            };
            let named = log.map_or("no identity".to_owned(), |log| log.to_string());
            for part in ["0000000000000001", "app/log", &named] {
                assert!(message.contains(part), "{message}");
            }
        }
    }

    #[test]
    fn text_that_is_no_position_is_refused_and_shown() {
        let batch = "0000000000000000009";
        for bad in [
            "",
            "-1",
            "01",
            "+1",
            "1,",
            "1,x",
            "18446744073709551616",
            &format!("1,{batch},{batch}"),
            &format!("1,{batch}+0"),
            &format!("1,{batch}+"),
            &format!("1,{batch}+1,{batch}"),
            "1,0000000000000000009,0000000000000000008",
            "7\u{1b}[2J",
            "@7",
            "1@7",
            "00000000000000FE@7",
            "00000000000000fe@",
            "00000000000000fe@00000000000000fe@7",
        ] {
            let Err(Error::InvalidInput(message)) = Position::decode(bad) else {
                panic!("{bad} was taken");
            };
            assert!(message.contains("position") && !message.contains('\u{1b}'), "{message}");
        }
    }
}
