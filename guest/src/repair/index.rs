//! Indexes that cannot be read: one is written again where its digest proves that it is the same.
//!
//! What the manifest says of an index is its digest; what its segment says are the digests of the
//! batches. So of one line that was changed everything but the name's time and writer can be found
//! again, and the digest says whether it was.

use super::{Action, Step, aside};
use crate::commit::Committer;
use crate::error::Error;
use crate::index::{Index, mended};
use crate::manifest::SegmentRecord;
use crate::names::ObjectName;
use crate::ports::{Store, StoreErrorKind, System, WriteError};
use crate::segment_writer::write_failed;
use crate::stored_log::Look;

/// Repairs the indexes of all segments that the current manifest names, trimmed ones too.
pub(super) fn repair<S: Store, Y: System>(
    committer: &mut Committer<'_, S, Y>,
    dry_run: bool,
) -> Result<Vec<Step>, Error> {
    let (manifest, _) = committer.stored.manifest_in_force(Look::Reading)?;
    let records: Vec<SegmentRecord> = manifest.iter().flat_map(|m| m.records().copied()).collect();
    let mut steps = Vec::new();
    for segment in records {
        let damage = match committer.stored.index_of(&segment) {
            Ok(Some(_)) => continue,
            Ok(None) => match committer.stored.missing(segment.name.index()) {
                Error::Damaged(damage) => damage,
                error => return Err(error),
            },
            Err(Error::Damaged(damage)) => damage,
            Err(error) => return Err(error),
        };
        let action = match rebuilt(committer, &segment)? {
            Some(bytes) => {
                if !dry_run {
                    replace(committer, &segment, &bytes)?;
                }
                Action::Rebuild
            }
            None => Action::Nothing(
                "its lines cannot be found again: restore it from a copy of the store".to_owned(),
            ),
        };
        steps.push(Step { damage, action, events_lost: 0 });
    }
    Ok(steps)
}

/// The index's bytes as they were.
fn rebuilt<S: Store, Y: System>(
    committer: &Committer<'_, S, Y>,
    segment: &SegmentRecord,
) -> Result<Option<Vec<u8>>, Error> {
    let key = committer.stored.name.key(segment.name.index());
    let bytes = match committer.stored.store.get(&key) {
        Ok(bytes) => bytes,
        Err(error) if error.kind == StoreErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Error::store("read", &key, &error)),
    };
    Ok(mended(segment, &bytes).filter(|bytes| Index::decode(segment, bytes).is_ok()))
}

fn replace<S: Store, Y: System>(
    committer: &Committer<'_, S, Y>,
    segment: &SegmentRecord,
    bytes: &[u8],
) -> Result<(), Error> {
    let object = ObjectName::Index(segment.name.index());
    aside::set_aside(&committer.stored, &object)?;
    committer.delete(&[object.to_string()]);
    let key = committer.stored.name.key(object);
    match committer.stored.store.create(&key, bytes) {
        Ok(()) | Err(WriteError::AlreadyExists) => Ok(()),
        Err(error) => Err(write_failed(&key, error)),
    }
}
