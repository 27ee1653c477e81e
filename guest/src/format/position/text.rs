//! A position as text, from which any reader can resume.
//!
//! `[{log:016x}@]{position}[,{batch}[+{N}]]…[,{time:019}_{writer:016x}_{number}_{events}[+{N}]]…`:
//!
//! 1. the identity of the log, if it had one when the reader loaded it;
//! 2. the next sequenced position;
//! 3. in the order of their names, the live batches without a number already yielded, each as its
//!    name without `batch_` and `.jsonl`; with `+N`, only its first N events were yielded;
//! 4. for each writer of numbered ones, in the order of their ids, the newest batch yielded and the
//!    number of events yielded that have no position before the next; with `+N`, only the first N
//!    events of that batch were yielded.
//!
//! Only text exactly as this file writes it is accepted.

use super::{Entry, Position};
use crate::error::Error;
use crate::format::names::{BatchName, BatchTime, LogId, WriterId, decimal, fields, plain, shown};
use crate::format::numbers::{push_decimal, push_hex, push_padded};
use crate::limits::POSITION_BYTES_MAX;

impl Position {
    pub(crate) fn encode(&self) -> String {
        let mut text = String::new();
        self.append_to(&mut text);
        text
    }

    /// Appends it to a text. A page has a position for each event, so no formatter is used for the
    /// parts that most positions have.
    pub(crate) fn append_to(&self, text: &mut String) {
        if let Some(log) = self.log {
            push_hex(text, log.0);
            text.push('@');
        }
        push_decimal(text, self.next);
        let mut partial = self.partial.iter().peekable();
        let is_earlier = |partial: &(&BatchName, &u64), batch: &BatchName| partial.0 < batch;
        for batch in self.yielded.iter() {
            while let Some((batch, events)) = partial.next_if(|next| is_earlier(next, &batch)) {
                write_batch(text, batch, Some(*events));
            }
            write_batch(text, &batch, None);
        }
        partial.for_each(|(batch, events)| write_batch(text, batch, Some(*events)));
        for (writer, Entry { time, number, events, partial }) in self.writers.iter() {
            text.push(',');
            push_padded(text, time.micros());
            text.push('_');
            push_hex(text, writer.0);
            text.push('_');
            push_decimal(text, *number);
            text.push('_');
            push_decimal(text, *events);
            write_part(text, *partial);
        }
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
        let mut fields = text.split(',');
        let start = fields.next().unwrap_or_default();
        let (log, next) = match start.split_once('@') {
            Some((log, next)) => {
                (Some(LogId::parse(log.as_bytes()).ok_or_else(|| refused(start))?), next)
            }
            None => (None, start),
        };
        let next = plain(next.as_bytes()).ok_or_else(|| refused(start))?;
        let mut position = Self { log, next, ..Self::default() };
        let mut whole = Vec::new();
        for field in fields {
            position.take(field, &mut whole).ok_or_else(|| refused(field))?;
        }
        position.yielded = whole.into_iter().collect();
        if position.encode() == text { Ok(position) } else { Err(refused(text)) }
    }

    /// Takes the field of a batch or of a writer. None if it is neither. Batches yielded whole are
    /// added to `whole`.
    fn take(&mut self, field: &str, whole: &mut Vec<BatchName>) -> Option<()> {
        let (stem, passed) = match field.split_once('+') {
            Some((stem, events)) => {
                (stem, Some(plain(events.as_bytes()).filter(|events| *events > 0)?))
            }
            None => (field, None),
        };
        if let Some((writer, entry)) = entry(stem, passed) {
            self.writers.insert(writer, entry);
            return Some(());
        }
        let batch = BatchName::parse_stem(stem).filter(|batch| batch.id().is_none())?;
        match passed {
            Some(events) => _ = self.partial.insert(batch, events),
            None => whole.push(batch),
        }
        Some(())
    }
}

fn write_batch(text: &mut String, batch: &BatchName, events: Option<u64>) {
    text.push(',');
    // Writing to a string does not fail.
    batch.write_stem(text).ok();
    write_part(text, events);
}

fn write_part(text: &mut String, events: Option<u64>) {
    if let Some(events) = events {
        text.push('+');
        push_decimal(text, events);
    }
}

fn entry(stem: &str, partial: Option<u64>) -> Option<(WriterId, Entry)> {
    let mut fields = fields(stem);
    let time = BatchTime::new(decimal(fields.next()?, 19)?)?;
    let writer = WriterId::parse(fields.next()?)?;
    let (number, events) = (plain(fields.next()?)?, plain(fields.next()?)?);
    let is_entry = fields.next().is_none() && events > 0 && partial.is_none_or(|n| n <= events);
    is_entry.then_some((writer, Entry { time, number, events, partial }))
}

fn refused(text: &str) -> Error {
    Error::InvalidInput(format!(
        "invalid position \"{}\"; pass a value that a reader returned",
        shown(text)
    ))
}
