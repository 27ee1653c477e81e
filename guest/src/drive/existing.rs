//! Checks an object whose create was answered with "already exists". A driver.
//!
//! The names are random, so such an object is an earlier try that landed, but the answer may be
//! wrong. The object counts once it was read and has the expected bytes.

use crate::error::quantities::{count, size};
use crate::error::{Damage, of_the_object};
use crate::format::batch::BatchRecord;
use crate::format::batch_reader::BatchReader;
use crate::format::names::{BatchName, LogName, SegmentName};
use crate::format::numbers::to_u64;
use crate::format::segment::SegmentReader;
use crate::limits::CHUNK_BYTES_MAX;
use crate::mutants::{self, Mutant};
use crate::ports::{ObjectRange, OrderedRead, Store, StoreError, StoreErrorKind};

/// Passes if the object is the batch, of `bytes` bytes: its name has their digest.
pub(crate) fn check_batch<S: Store>(
    store: &S,
    log: &LogName,
    name: BatchName,
    bytes: u64,
) -> Result<(), StoreError> {
    let key = log.key(name);
    let Some(origin) = name.origin else {
        return Err(other(&Damage::new(name, "a name with a digest", "none")));
    };
    let mut reader = BatchReader::new(name, origin, bytes).map_err(|damage| other(&damage))?;
    check_whole(store, &key, |bytes, last| reader.push(bytes, last).map(drop))
}

/// Passes if the object is a segment of these batches.
pub(crate) fn check_segment<S: Store>(
    store: &S,
    log: &LogName,
    name: SegmentName,
    batches: &[BatchRecord],
) -> Result<(), StoreError> {
    let bytes = batches.iter().map(|batch| batch.bytes).sum();
    let mut reader = SegmentReader::of_batches(name, bytes, 0, batches.to_vec());
    let mut verified = Vec::new();
    check_whole(store, &log.key(name), |bytes, last| {
        verified.clear();
        reader.push(bytes, last, &mut verified)
    })
}

/// Passes if the object has these bytes.
pub(crate) fn check_bytes<S: Store>(store: &S, key: &str, bytes: &[u8]) -> Result<(), StoreError> {
    if mutants::is(Mutant::TrustExisting) {
        return Ok(());
    }
    let found = store.get(key).map_err(|error| not_shown(key, error))?;
    if found == bytes {
        return Ok(());
    }
    let expected = format!("these {}", size(to_u64(bytes.len())));
    let found = count(to_u64(found.len()), "other byte", "other bytes");
    Err(other(&Damage::new(key, expected, found)))
}

/// Reads an object, and passes each chunk to `push`, with true for the last one.
fn check_whole<S: Store>(
    store: &S,
    key: &str,
    mut push: impl FnMut(S::Bytes, bool) -> Result<(), Damage>,
) -> Result<(), StoreError> {
    if mutants::is(Mutant::TrustExisting) {
        return Ok(());
    }
    let read = store.read(&[ObjectRange { key: key.to_owned(), range: None }]);
    loop {
        match read.next(CHUNK_BYTES_MAX) {
            Ok(Some(chunk)) => {
                let last = chunk.last;
                push(chunk.bytes, last).map_err(|damage| other(&damage))?;
                if last {
                    return Ok(());
                }
            }
            Ok(None) => {
                let message = format!(
                    "the host broke the contract of ordered reads: the read of {key} ended \
                     early; check the host"
                );
                return Err(StoreError { kind: StoreErrorKind::Other, message });
            }
            Err(failure) => return Err(not_shown(key, failure.error)),
        }
    }
}

/// The object may still exist, or appear.
fn not_shown(key: &str, error: StoreError) -> StoreError {
    let StoreError { kind, message } = error;
    match kind {
        StoreErrorKind::NotFound => StoreError {
            kind: StoreErrorKind::Unavailable,
            message: "the store reports that the object already exists, but does not return the \
                      object; try again"
                .to_owned(),
        },
        kind => StoreError {
            kind,
            message: format!(
                "the store reports that the object already exists, but it cannot be read: {}",
                of_the_object(&message, key)
            ),
        },
    }
}

fn other(damage: &Damage) -> StoreError {
    let Damage { expected, found, .. } = damage;
    // A retry cannot help.
    StoreError {
        kind: StoreErrorKind::Invalid,
        message: format!(
            "the object already exists with another content: expected {expected}, found {found}; \
             remove the object"
        ),
    }
}
