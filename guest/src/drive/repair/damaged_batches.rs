//! Checks a segment's bytes batch by batch, and continues behind damage.

use super::doubt::Extent;
use crate::drive::catalog::Catalog;
use crate::error::quantities::size;
use crate::error::{Damage, Error};
use crate::format::batch::BatchRecord;
use crate::format::host_bytes;
use crate::format::index::Index;
use crate::format::manifest::SegmentRecord;
use crate::format::names::{BatchName, SegmentName};
use crate::format::ordered::Set;
use crate::format::oversized_batch::OversizedBatch;
use crate::limits::{BATCH_BYTES_WHOLE_MAX, CHUNK_BYTES_MAX, SUMMARIES_MAX};
use crate::ports::{HostBytes, ObjectRange, OrderedRead, Store, StoreErrorKind};

/// The batches of a segment whose bytes differ from the index.
pub(in crate::drive) struct DamagedBatches {
    pub(in crate::drive) batches: Set<BatchName>,
    /// The damage of the first of them.
    pub(super) first: Option<Damage>,
    /// The extent of the segment.
    pub(super) extent: Extent,
}

/// Reads a segment, in one request, and checks each batch separately.
pub(in crate::drive) fn damaged_batches<S: Store>(
    catalog: &Catalog<S>,
    segment: &SegmentRecord,
    index: &Index,
) -> Result<DamagedBatches, Error> {
    let key = catalog.name.key(segment.name);
    let read = catalog.store.read(&[ObjectRange { key: key.clone(), range: None }]);
    let batches: Vec<_> = index.batches.iter().filter(|batch| batch.bytes > 0).copied().collect();
    let mut checks = BatchChecks {
        segment: segment.name,
        batches: batches.into_iter(),
        oversized: None,
        damaged: Set::new(),
        first: None,
    };
    let mut incomplete: Option<S::Bytes> = None;
    let mut bytes = 0_u64;
    let extent = loop {
        match read.next(CHUNK_BYTES_MAX) {
            Ok(Some(chunk)) => {
                bytes += chunk.bytes.length();
                incomplete = checks.take(host_bytes::join(incomplete, chunk.bytes));
                if bytes > segment.bytes {
                    break Extent::Beyond(segment.bytes);
                }
            }
            Ok(None) => break Extent::Whole(bytes),
            Err(failure) if failure.error.kind == StoreErrorKind::NotFound => break Extent::Gone,
            Err(failure) => return Err(Error::store("read", &key, &failure.error)),
        }
    };
    Ok(checks.end(extent))
}

struct BatchChecks {
    segment: SegmentName,
    batches: std::vec::IntoIter<BatchRecord>,
    /// An oversized batch in progress, and true if it is known to be damaged.
    oversized: Option<(OversizedBatch, bool)>,
    damaged: Set<BatchName>,
    /// The damage of the first of them.
    first: Option<Damage>,
}

impl BatchChecks {
    fn found(&mut self, batch: BatchName, damage: Damage) {
        self.damaged.insert(batch);
        self.first.get_or_insert(damage);
    }

    /// Takes the next bytes. Returns those of an incomplete batch.
    fn take<B: HostBytes>(&mut self, bytes: B) -> Option<B> {
        let length = bytes.length();
        let mut at = 0;
        loop {
            let before = at;
            at = self.take_whole(&bytes, at);
            at = self.take_oversized(&bytes, at);
            if at == before {
                break;
            }
        }
        // Bytes behind the last batch are dropped.
        let is_end = self.batches.as_slice().is_empty() && self.oversized.is_none();
        (at < length && !is_end).then(|| if at == 0 { bytes } else { bytes.slice(at..length) })
    }

    /// Checks the complete batches. Returns the offset of their end.
    fn take_whole<B: HostBytes>(&mut self, bytes: &B, start: u64) -> u64 {
        if self.oversized.is_some() {
            return start;
        }
        let mut left = bytes.length() - start;
        let whole = self.batches.as_slice().iter().map_while(|batch| {
            left = left.checked_sub(batch.bytes)?;
            (batch.bytes <= BATCH_BYTES_WHOLE_MAX).then_some(*batch)
        });
        let whole: Vec<BatchRecord> = whole.collect();
        let mut at = start;
        for some in whole.chunks(SUMMARIES_MAX) {
            let lengths: Vec<u64> = some.iter().map(|batch| batch.bytes).collect();
            for (batch, summary) in some.iter().zip(bytes.summarize(at, &lengths)) {
                self.batches.next();
                if let Err(damage) = batch.check(self.segment, summary) {
                    self.found(batch.name, damage);
                }
            }
            at += lengths.iter().sum::<u64>();
        }
        at
    }

    /// Checks the bytes of an oversized batch. Returns the offset of their end.
    fn take_oversized<B: HostBytes>(&mut self, bytes: &B, at: u64) -> u64 {
        let next = self.batches.as_slice().first();
        if self.oversized.is_none() && next.is_some_and(|next| next.bytes > BATCH_BYTES_WHOLE_MAX) {
            self.oversized = self.batches.next().map(|batch| (OversizedBatch::new(batch), false));
        }
        let Some((oversized, is_damaged)) = &mut self.oversized else { return at };
        let end = at + oversized.bytes_left().min(bytes.length() - at);
        if at == end {
            return at;
        }
        let pushed = oversized.push(bytes.slice(at..end).read(), self.segment);
        let (batch, ended) = (oversized.batch.name, oversized.bytes_left() == 0);
        let was_damaged = std::mem::replace(is_damaged, *is_damaged || pushed.is_err());
        if ended {
            self.oversized = None;
        }
        if let Err(damage) = pushed
            && !was_damaged
        {
            self.found(batch, damage);
        }
        end
    }

    /// Records all batches as damaged whose bytes are incomplete.
    fn end(mut self, extent: Extent) -> DamagedBatches {
        let oversized = self.oversized.take().map(|(oversized, _)| oversized.batch);
        for batch in oversized.into_iter().chain(self.batches.as_slice().to_vec()) {
            let expected = format!("{} in {}", batch.name, size(batch.bytes));
            self.found(batch.name, Damage::new(self.segment, expected, "fewer bytes"));
        }
        DamagedBatches { batches: self.damaged, first: self.first, extent }
    }
}
