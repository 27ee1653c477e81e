//! Positions: a text that is accepted is written back, and any position is read as it was written.

use std::collections::{BTreeMap, BTreeSet};

use arbitrary::{Result, Unstructured};

use super::objects::segment_of;
use crate::error::Error;
use crate::format::batch::BatchRecord;
use crate::format::names::{
    BatchId, BatchName, BatchTime, Digest, LogId, LogName, Origin, Sequence, WriterId,
};
use crate::format::position::{Entry, Passed, Position};

/// Takes a position as text, and as numbers to build one of.
pub fn position(data: &[u8]) {
    if let Ok(text) = std::str::from_utf8(data) {
        check_text(text);
    }
    if let Ok(position) = build(&mut Unstructured::new(data)) {
        let text = position.encode();
        assert_eq!(Position::decode(&text).as_ref(), Ok(&position), "{text}");
        check_batches(&position);
        check_log(&position);
    }
}

fn check_text(text: &str) {
    match Position::decode(text) {
        Ok(position) => {
            assert_eq!(position.encode(), text);
            assert!(is_position(text), "{text:?}");
            check_batches(&position);
        }
        Err(Error::InvalidInput(message)) => {
            assert!(!message.chars().any(char::is_control), "{message:?}");
            assert!(!is_position(text), "{text:?}");
        }
        Err(other) => panic!("{other}"),
    }
}

/// The grammar, without the parsers of names.
fn is_position(text: &str) -> bool {
    let (log, rest) = text.split_once('@').map_or((None, text), |(log, rest)| (Some(log), rest));
    let mut fields = rest.split(',');
    let next = fields.next().unwrap();
    let mut before: Option<(u64, Option<[u64; 3]>)> = None;
    let mut writer_before: Option<u64> = None;
    log.is_none_or(|log| is_hex(log, 16))
        && is_number(next)
        && fields.all(|field| {
            let (stem, events) =
                field.split_once('+').map_or((field, None), |(stem, events)| (stem, Some(events)));
            let parts: Vec<&str> = stem.split('_').collect();
            let (time, origin) = match parts[..] {
                [time] => (time, None),
                [time, writer, events, digest]
                    if is_hex(writer, 8)
                        && is_number(events)
                        && events != "0"
                        && is_hex(digest, 16) =>
                {
                    let hex = |text| u64::from_str_radix(text, 16).unwrap();
                    (time, Some([hex(writer), events.parse().unwrap(), hex(digest)]))
                }
                [time, writer, number, counted] if is_hex(writer, 16) => {
                    let writer = Some(u64::from_str_radix(writer, 16).unwrap());
                    let ascends = writer_before < writer;
                    writer_before = writer;
                    let counted = Some(counted).filter(|counted| is_number(counted));
                    let counted = counted.and_then(|counted| counted.parse::<u64>().ok());
                    return ascends
                        && is_time(time)
                        && is_number(number)
                        && counted.is_some_and(|counted| {
                            counted > 0
                                && events.is_none_or(|events| {
                                    is_number(events)
                                        && (1..=counted).contains(&events.parse().unwrap())
                                })
                        });
                }
                _ => return false,
            };
            if !is_time(time) || events.is_some_and(|events| !is_number(events) || events == "0") {
                return false;
            }
            // Writers come last.
            if writer_before.is_some() {
                return false;
            }
            let name = Some((time.parse().unwrap(), origin));
            let ascends = before < name;
            before = name;
            ascends
        })
}

fn is_time(text: &str) -> bool {
    text.len() == 19 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// A number of 64 bits without leading zeros.
fn is_number(text: &str) -> bool {
    text.parse::<u64>().is_ok_and(|number| number.to_string() == text)
}

fn is_hex(text: &str, digits: usize) -> bool {
    text.len() == digits && text.chars().all(|digit| "0123456789abcdef".contains(digit))
}

fn build(u: &mut Unstructured<'_>) -> Result<Position> {
    let log = u.arbitrary::<Option<u64>>()?.map(LogId);
    let mut position = Position { log, next: u.arbitrary()?, ..Position::default() };
    let mut names = BTreeSet::new();
    while !u.is_empty() && names.len() < 8 {
        let time = BatchTime::new(u.int_in_range(0..=3)?).unwrap();
        let time = if u.ratio(1, 8)? { BatchTime::MAX } else { time };
        let origin = match u.ratio(3, 4)? {
            true => Some(Origin {
                writer: WriterId(u.int_in_range(0..=1)?),
                sequence: None,
                events: u.int_in_range(1..=12)?,
                digest: Digest(u.arbitrary::<u8>()?.into()),
            }),
            false => None,
        };
        let name = BatchName { time, origin };
        if !names.insert(name) {
            continue;
        }
        match u.int_in_range(0..=2)? {
            0 => _ = position.partial.insert(name, u.int_in_range(1..=u64::MAX)?),
            _ => position.yielded.insert(name),
        }
    }
    for _ in 0..u.int_in_range(0..=3)? {
        let events = u.int_in_range(1..=u64::MAX)?;
        let partial = if u.ratio(1, 2)? { Some(u.int_in_range(1..=events)?) } else { None };
        let time = BatchTime::new(u.int_in_range(0..=3)?).unwrap();
        let entry = Entry { time, number: u.int_in_range(0..=3)?, events, partial };
        position.writers.insert(WriterId(u.int_in_range(0..=2)?), entry);
    }
    Ok(position)
}

/// Names of this batch, with any number of events.
fn names_of(batch: BatchId, events: u64) -> BatchName {
    let gap = if batch.number == 0 { 0 } else { batch.time.micros() };
    let sequence = Some(Sequence { number: batch.number, gap, waiting: 0 });
    let origin = Origin { writer: batch.writer, sequence, events, digest: Digest(0) };
    BatchName { time: batch.time, origin: Some(origin) }
}

fn check_batches(position: &Position) {
    let whole = position.yielded.iter().map(|name| (name, None));
    let partial = position.partial.iter().map(|(name, events)| (*name, Some(*events)));
    let all: BTreeMap<BatchName, Option<u64>> = whole.chain(partial).collect();
    assert_eq!(all.len(), position.yielded.len() + position.partial.len());
    assert!(all.keys().all(|name| position.names(name)));
    let mut certain = all.iter().filter(|(name, events)| name.origin.is_some() || events.is_some());
    let is_certain = certain.next().is_some() || !position.writers.is_empty();
    assert_eq!(position.names_certain_batches(), is_certain);
    for (writer, entry) in position.writers.iter() {
        let Entry { time, number, partial, .. } = *entry;
        let newest = names_of(BatchId { time, writer: *writer, number }, 9);
        assert!(position.names(&newest));
        assert_eq!(position.passed(&newest), partial.map_or(Passed::All, Passed::Some));
        let later = names_of(BatchId { time, writer: *writer, number: number + 1 }, 9);
        assert!(!position.names(&later));
        assert_eq!(position.passed(&later), Passed::None);
        let record = BatchRecord::whole(newest, 9, 18, Digest(0));
        assert!(position.has_yielded_of(&segment_of(&[record], 0)), "{newest}");
    }
    // A segment of which it names a batch may hold one that was yielded.
    for name in all.keys() {
        let record = BatchRecord::whole(*name, 1, 2, Digest(0));
        assert!(position.has_yielded_of(&segment_of(&[record], 0)), "{name}");
    }
}

fn check_log(position: &Position) {
    let name = LogName::parse("app/log").unwrap();
    position.check_log(&name, position.log).unwrap();
    assert_eq!(position.check_log(&name, None).is_err(), position.log.is_some());
    let other = position.log.map(|log| LogId(!log.0));
    assert_eq!(position.check_log(&name, other).is_err(), position.log.is_some());
}
