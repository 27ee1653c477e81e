//! Copies live batches: reads them ahead, checks each, and creates them in the order that
//! `copying` asks for.
//!
//! 1. When a step returns, with or without an error, no create of it is in flight.

use std::collections::VecDeque;

use super::new_object::{NewObject, copy_failed};
use super::{Copier, Done};
use crate::decide::copying::waits_for;
use crate::drive::existing;
use crate::drive::segment_writer::landed;
use crate::error::quantities::size;
use crate::error::{Damage, Error};
use crate::format::batch_reader::BatchReader;
use crate::format::host_bytes;
use crate::format::listed::ListedBatch;
use crate::format::names::{LogName, ObjectName};
use crate::format::numbers::to_usize;
use crate::limits::{BATCH_BYTES_WHOLE_MAX, CHUNK_BYTES_MAX, COPY_CREATES_MAX};
use crate::mutants::{self, Mutant};
use crate::ports::{
    HostBytes, ObjectRange, OrderedRead, PendingCreate, Store, StoreError, StoreErrorKind, System,
};

/// A batch whose create is in flight.
struct Creating<S: Store> {
    batch: ListedBatch,
    lines: S::Bytes,
    create: S::Create,
}

/// The creates in flight, the oldest first.
struct Creates<'a, S: Store> {
    store: &'a S,
    log: &'a LogName,
    in_flight: VecDeque<Creating<S>>,
    bytes: u64,
}

impl<S: Store> Creates<'_, S> {
    /// Starts the create of a batch that was checked, once it may be.
    fn add(&mut self, batch: ListedBatch, lines: S::Bytes) -> Result<(), Error> {
        let is_blocked = |earlier: &Creating<S>| {
            waits_for(&batch.name, &earlier.batch.name) && !mutants::is(Mutant::CopyUnordered)
        };
        while self.in_flight.iter().any(is_blocked)
            || self.in_flight.len() >= COPY_CREATES_MAX
            || (self.bytes > 0 && self.bytes + lines.length() > BATCH_BYTES_WHOLE_MAX)
        {
            self.settle()?;
        }
        let create = self.store.start_create(&self.log.key(batch.name), &lines);
        self.bytes += lines.length();
        self.in_flight.push_back(Creating { batch, lines, create });
        Ok(())
    }

    /// Waits for the oldest one.
    fn settle(&mut self) -> Result<(), Error> {
        let Some(Creating { batch, lines, create }) = self.in_flight.pop_front() else {
            return Ok(());
        };
        let name = batch.name;
        self.bytes -= lines.length();
        let (store, log, key) = (self.store, self.log, self.log.key(name));
        let check = || match name.origin {
            Some(_) => existing::check_batch(store, log, name, lines.length()),
            None => existing::check_bytes(store, &key, &lines.read()),
        };
        landed(create.wait(), check).map_err(|error| copy_failed(&key, error))
    }

    /// Waits for all.
    fn end(mut self, outcome: Result<Done, Error>) -> Result<Done, Error> {
        let mut settled = Ok(());
        while !self.in_flight.is_empty() {
            let one = self.settle();
            settled = settled.and(one);
        }
        outcome.and_then(|done| settled.map(|()| done))
    }
}

impl<S: Store, Y: System> Copier<S, Y> {
    /// Copies live batches, in the order of their names.
    pub(super) fn copy_batches(&mut self, batches: &[ListedBatch]) -> Result<Done, Error> {
        let (store, log) = (self.to.store.clone(), self.to.name.clone());
        let in_flight = VecDeque::new();
        let mut creates = Creates { store: &store, log: &log, in_flight, bytes: 0 };
        let outcome = self.read_batches(batches, &mut creates);
        creates.end(outcome)
    }

    fn read_batches(
        &mut self,
        batches: &[ListedBatch],
        creates: &mut Creates<'_, S>,
    ) -> Result<Done, Error> {
        let key = |batch: &ListedBatch| self.from.name.key(batch.name);
        let ranges = batches.iter().map(|batch| ObjectRange { key: key(batch), range: None });
        let read = self.from.store.read(&ranges.collect::<Vec<_>>());
        for (number, batch) in batches.iter().enumerate() {
            let mut pieces = Pieces::<S> { read: &read, number, ended: false };
            let copied = match batch.name.origin {
                Some(_) => self.copy_whole(*batch, &mut pieces, creates),
                None => self.copy_legacy(*batch, &mut pieces, creates),
            };
            match copied {
                Ok(()) => {}
                Err(Stopped::Failed(error)) => return Err(error),
                Err(Stopped::Read(error)) if error.kind == StoreErrorKind::NotFound => {
                    self.gone = Some(ObjectName::Batch(batch.name));
                    return Ok(Done::Overtaken);
                }
                Err(Stopped::Read(error)) => {
                    return Err(Error::store("read", &key(batch), &error));
                }
            }
        }
        Ok(Done::Whole)
    }

    fn copy_whole(
        &self,
        batch: ListedBatch,
        pieces: &mut Pieces<'_, S>,
        creates: &mut Creates<'_, S>,
    ) -> Result<(), Stopped> {
        let Some(origin) = batch.name.origin else { return Ok(()) };
        let damaged = |damage| Stopped::Failed(self.from.damaged(damage));
        let mut reader = BatchReader::new(batch.name, origin, batch.size).map_err(damaged)?;
        while let Some((bytes, last)) = pieces.next()? {
            if let Some(chunk) = reader.push(bytes, last).map_err(damaged)? {
                creates.add(batch, chunk.lines)?;
            }
        }
        Ok(())
    }

    /// Copies a batch whose name has no digest: as it is, if it has the listed size.
    fn copy_legacy(
        &self,
        batch: ListedBatch,
        pieces: &mut Pieces<'_, S>,
        creates: &mut Creates<'_, S>,
    ) -> Result<(), Stopped> {
        let is_large = batch.size > BATCH_BYTES_WHOLE_MAX;
        let (mut whole, mut found) = (None, 0_u64);
        let mut large = NewObject::new(&self.to.store, self.to.name.key(batch.name));
        while let Some((bytes, _)) = pieces.next()? {
            found = found.saturating_add(bytes.length());
            if found > batch.size {
                break;
            }
            match is_large {
                true => large.write(bytes)?,
                false => whole = Some(host_bytes::join(whole, bytes)),
            }
        }
        if found != batch.size {
            let expected = format!("{}, as listed", size(batch.size));
            let damage = Damage::new(batch.name, expected, size(found));
            return Err(Stopped::Failed(self.from.damaged(damage)));
        }
        if !is_large {
            return Ok(creates.add(batch, whole.unwrap_or_else(|| S::Bytes::new(&[])))?);
        }
        while !creates.in_flight.is_empty() {
            creates.settle()?;
        }
        // Nothing but its size is known of one that exists.
        Ok(large.finish(|| Ok(()))?)
    }
}

/// The reason why a batch was not copied.
enum Stopped {
    Read(StoreError),
    Failed(Error),
}

impl From<Error> for Stopped {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

/// The pieces of one object of an ordered read.
struct Pieces<'a, S: Store> {
    read: &'a S::Read,
    number: usize,
    ended: bool,
}

impl<S: Store> Pieces<'_, S> {
    /// Returns the next piece, with true for the last one. None after it.
    fn next(&mut self) -> Result<Option<(S::Bytes, bool)>, Stopped> {
        if self.ended {
            return Ok(None);
        }
        let chunk = self.read.next(CHUNK_BYTES_MAX).map_err(|failure| failure.error);
        match chunk.map_err(Stopped::Read)? {
            Some(chunk) if to_usize(chunk.number.into()) == self.number => {
                self.ended = chunk.last;
                Ok(Some((chunk.bytes, chunk.last)))
            }
            _ => {
                let message = "the host broke the contract of ordered reads: a chunk belongs to \
                               another range than the next; check the host";
                let (kind, message) = (StoreErrorKind::Other, message.to_owned());
                Err(Stopped::Read(StoreError { kind, message }))
            }
        }
    }
}
