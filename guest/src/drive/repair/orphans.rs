//! Repairs a log whose newest manifests are gone. Segments that only they named have batches that
//! are nowhere else. Those are put back as live batches, and the log continues from the manifest
//! that is left.
//!
//! 1. A batch is put back only with the bytes that its own name and its line in the index prove.
//! 2. Nothing is deleted but segments of generations beyond the next, which would block every
//!    compaction. They are set aside first, and all their batches are elsewhere by then.
//! 3. Events that were trimmed since the manifest that is left may reappear.
//! 4. If nothing is to be put back, no manifest need be lost, but a segment that a killed commit
//!    has cut. It is repaired as any other, with what that commit has copied of it.

use super::{Action, Step, aside};
use crate::decide::agreement;
use crate::drive::batch_copy::BatchCopy;
use crate::drive::catalog::{Catalog, Scope};
use crate::drive::commit::Committer;
use crate::drive::existing;
use crate::drive::segment_writer::{landed, write_failed};
use crate::error::Error;
use crate::format::batch::BatchRecord;
use crate::format::index;
use crate::format::manifest::Manifest;
use crate::format::names::{BatchName, Generation, IndexName, ObjectName};
use crate::format::ordered::Set;
use crate::ports::{HostBytes, Store, System};

/// Puts back the batches that only lost manifests named. None if no manifest is lost.
pub(super) fn repair<S: Store, Y: System>(
    committer: &mut Committer<'_, S, Y>,
    dry_run: bool,
) -> Result<Option<Step>, Error> {
    // Without a contradiction, or with one that disappears, there is nothing to do.
    let damage = match committer.catalog.load(Scope::Full) {
        Err(Error::Damaged(damage)) => damage,
        Ok(_) | Err(Error::NoLog(_)) => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut batches = Set::new();
    committer.catalog.list_batch_names(|batch| _ = batches.insert(batch))?;
    let (manifest, others) = match committer.catalog.current_manifest(Scope::Full) {
        Ok(current) => current,
        // Damage of another kind.
        Err(Error::Damaged(_)) => return Ok(None),
        Err(error) => return Err(error),
    };
    if manifest.as_ref().is_some_and(|manifest| committer.catalog.is_index_of(manifest, &damage)) {
        return Ok(None);
    }
    let generation =
        manifest.as_ref().map_or(Generation::default(), |manifest| manifest.generation);
    let unnamed = others.iter().filter_map(|other| match other.name {
        ObjectName::Index(index) if index.0.generation > generation => Some(index),
        _ => None,
    });
    let unnamed: Vec<_> = unnamed.collect();
    let step = |action| Some(Step { damage: damage.clone(), action, events_lost: 0 });
    // Where manifests are missing, it may be part of the log.
    if let Some(segment) = agreement::without_index(&others, |later| later > generation) {
        let why = format!(
            "{segment} has no index, so its batches are unknown; restore the index, or the \
             manifests, from a copy of the store, or move the segment out of the log to continue \
             without its lines"
        );
        return Ok(step(Action::Nothing(why)));
    }
    // All are looked at before the first is created.
    let (mut put_back, mut known) = (false, Set::new());
    for creates in [false, true].into_iter().take(if dry_run { 1 } else { 2 }) {
        known.clone_from(&batches);
        for index in &unnamed {
            let catalog = &mut committer.catalog;
            let absent = match absent(catalog, manifest.as_deref(), *index, &known)? {
                Absent::Batches(absent) => absent,
                Absent::Unknown(why) => return Ok(step(Action::Nothing(why))),
            };
            for (batch, offset) in absent {
                let Some(bytes) = bytes_of(catalog, *index, &batch, offset)? else {
                    let why = format!(
                        "{} cannot be taken from {}; restore the manifest from a copy of the \
                         store",
                        batch.name, index.0
                    );
                    return Ok(step(Action::Nothing(why)));
                };
                if creates {
                    create(catalog, &batch.name, &bytes)?;
                }
                put_back |= known.insert(batch.name);
            }
        }
    }
    let beyond = others.iter().map(|other| other.name).filter(|name| match name {
        ObjectName::Segment(segment) => segment.generation.0 > generation.0 + 1,
        ObjectName::Index(index) => index.0.generation.0 > generation.0 + 1,
        _ => false,
    });
    let beyond: Vec<_> = beyond.collect();
    if !put_back && beyond.is_empty() {
        // A commit has cut a segment that is gone, and does not follow from what is left.
        committer.catalog.overlook_cuts(true);
        return Ok(None);
    }
    if !dry_run {
        for object in &beyond {
            aside::set_aside(&committer.catalog, object)?;
        }
        committer.delete(&beyond);
    }
    Ok(step(Action::StepBack))
}

/// The batches of an index that are nowhere else.
enum Absent {
    /// With their offsets in its segment.
    Batches(Vec<(BatchRecord, u64)>),
    /// The reason why they are unknown.
    Unknown(String),
}

fn absent<S: Store>(
    catalog: &mut Catalog<S>,
    manifest: Option<&Manifest>,
    name: IndexName,
    listed: &Set<BatchName>,
) -> Result<Absent, Error> {
    let Some(bytes) = catalog.get(name)? else { return Ok(Absent::Batches(Vec::new())) };
    let Some(records) = index::batches_of(&bytes) else {
        return Ok(Absent::Unknown(format!(
            "{name} is damaged, so the batches of its segment are unknown; restore the index, or \
             the manifests, from a copy of the store"
        )));
    };
    let mut offset = 0_u64;
    let mut absent = Vec::new();
    for record in records {
        if record.events > 0 && !listed.contains(&record.name) {
            absent.push((record, offset));
        }
        let Some(end) = offset.checked_add(record.bytes) else {
            return Ok(Absent::Unknown(format!(
                "{name} is damaged, too; restore the index, or the manifests, from a copy of the \
                 store"
            )));
        };
        offset = end;
    }
    let Some(manifest) = manifest else { return Ok(Absent::Batches(absent)) };
    let names = absent.iter().map(|(record, _)| record.name).collect::<Vec<_>>();
    let in_index = match catalog.absorbed_by(manifest, &names) {
        Err(Error::Damaged(_)) => None,
        in_index => in_index?,
    };
    let Some(in_index) = in_index else {
        let why = "an index that the previous manifest names is damaged or gone, too; restore \
                   the index from a copy of the store"
            .to_owned();
        return Ok(Absent::Unknown(why));
    };
    absent.retain(|(record, _)| !in_index.contains(&record.name));
    Ok(Absent::Batches(absent))
}

/// The whole bytes of a batch in a segment, if they exist and are proven.
fn bytes_of<S: Store>(
    catalog: &Catalog<S>,
    index: IndexName,
    batch: &BatchRecord,
    offset: u64,
) -> Result<Option<Vec<u8>>, Error> {
    if batch.lost || batch.trimmed > 0 {
        return Ok(None);
    }
    let range = Some(offset..offset + batch.bytes);
    let key = catalog.name.key(index.0);
    let copy = BatchCopy { key, range, trimmed: 0, position: None, record: *batch };
    Ok(copy.read(&catalog.store)?.map(|chunk| chunk.lines.read()))
}

fn create<S: Store>(catalog: &Catalog<S>, batch: &BatchName, bytes: &[u8]) -> Result<(), Error> {
    let (key, store) = (catalog.name.key(batch), &catalog.store);
    landed(store.create(&key, bytes), || existing::check_bytes(store, &key, bytes))
        .map_err(|error| write_failed(&key, error))
}
