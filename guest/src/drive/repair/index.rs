//! Repairs indexes that cannot be read: one is written again where its digest proves that the bytes
//! are the original ones.
//!
//! 1. The manifest records the digest of an index. The rest of its bytes, other indexes, the listed
//!    batches and objects set aside provide the names of its batches. The segment's bytes determine
//!    their places.
//! 2. An index is never invented. The name of a batch identifies it for a late create, and for a
//!    reader that has yielded it while it was live.
//! 3. The record of a trimmed segment is dropped from the next manifest if its index cannot be
//!    found again. A listed batch that may be one of its batches prevents that: it would be read
//!    again.

use super::content::SegmentBytes;
use super::doubt::{self, Extent};
use super::intruders::Intruders;
use super::{Action, Step, aside};
use crate::decide::lookup::Lookup;
use crate::drive::catalog::{Catalog, Scope};
use crate::drive::commit::Committer;
use crate::error::quantities::{self, grouped};
use crate::error::{Damage, Error};
use crate::format::byte_search::one_byte;
use crate::format::index::{Clues, Index, Rebuilt, rebuilt};
use crate::format::listed::{ListedOther, sizes};
use crate::format::manifest::{Manifest, SegmentRecord};
use crate::format::names::{BatchName, ObjectName, SegmentName};
use crate::format::numbers::to_u64;
use crate::format::ordered::Set;
use crate::ports::{Store, StoreErrorKind, System};

/// The actions on indexes.
#[derive(Default)]
pub(super) struct Indexes {
    pub(super) steps: Vec<Step>,
    /// Trimmed segments whose records are dropped.
    pub(super) forgotten: Vec<SegmentName>,
    /// Segments whose indexes cannot be read and stay as they are.
    pub(super) left: Set<SegmentName>,
}

/// Repairs the indexes of all segments that the current manifest names, trimmed ones included. None
/// if the log was compacted in the meantime.
pub(super) fn repair<S: Store, Y: System>(
    committer: &mut Committer<'_, S, Y>,
    intruders: &Intruders,
    dry_run: bool,
) -> Result<Option<Indexes>, Error> {
    let mut found = Indexes::default();
    let (manifest, others) = committer.catalog.current_manifest(Scope::Full)?;
    let Some(manifest) = manifest else { return Ok(Some(found)) };
    let trimmed = manifest.retired.iter().map(|retired| (true, retired.segment));
    let segments = manifest.segments.iter().map(|segment| (false, *segment)).chain(trimmed);
    let sizes = sizes(&others);
    for (is_trimmed, segment) in segments {
        let name = ObjectName::Index(segment.name.index());
        if intruders.contains_segment(segment.name) {
            found.left.insert(segment.name);
            continue;
        }
        let Some(damage) = damage_of(&mut committer.catalog, &segment)? else { continue };
        if committer.catalog.highest_generation()? > manifest.generation {
            return Ok(None);
        }
        if damage.is_absence() {
            let listed = sizes.get(&name).copied();
            let (base, catalog) = (manifest.generation, &mut committer.catalog);
            if !doubt::confirm(catalog, base, name, Extent::Gone, listed)? {
                return Ok(None);
            }
        } else if damage_of(&mut committer.catalog, &segment)?.as_ref() != Some(&damage) {
            return Err(doubt::read_differently(&committer.catalog, name));
        }
        let found_again = find_again(&mut committer.catalog, &manifest, &others, &segment)?;
        let action = match found_again {
            Rebuilt::Same(bytes) => {
                if !dry_run {
                    aside::replace(committer, &name, &bytes)?;
                }
                Action::Rebuild
            }
            failed if is_trimmed => {
                let doubt = perhaps_trimmed(&mut committer.catalog, &manifest, &segment)?;
                match doubt {
                    None => {
                        found.forgotten.push(segment.name);
                        Action::Forget
                    }
                    Some(batch) => Action::Nothing(format!(
                        "{}, and the segment may have {batch}; restore the index from a copy of \
                         the store, or move that batch out of the log if it was trimmed",
                        failed.why(&segment)
                    )),
                }
            }
            failed => Action::Nothing(format!(
                "{}; restore the index from a copy of the store, or start another log with the \
                 lines of {} and the output of `read --skip-damaged`",
                failed.why(&segment),
                segment.name
            )),
        };
        if matches!(action, Action::Nothing(_)) {
            found.left.insert(segment.name);
        }
        found.steps.push(Step { damage, action, events_lost: 0 });
    }
    Ok(Some(found))
}

impl Rebuilt {
    /// Explains why an index was not found again.
    fn why(&self, segment: &SegmentRecord) -> String {
        match self {
            Self::Unknown(count) => {
                let all = quantities::count(segment.batches, "batch", "batches");
                format!("no other object has the names of {} of its {all}", grouped(to_u64(*count)))
            }
            Self::Same(_) | Self::Different if segment.index.is_none() => {
                "a manifest of format 1 has no digest that proves a rebuilt index".to_owned()
            }
            Self::Same(_) | Self::Different => {
                "the lines that are left do not give its digest".to_owned()
            }
        }
    }
}

fn damage_of<S: Store>(
    catalog: &mut Catalog<S>,
    segment: &SegmentRecord,
) -> Result<Option<Damage>, Error> {
    let error = match catalog.index_of(segment) {
        Ok(Some(_)) => return Ok(None),
        Ok(None) => catalog.missing(segment.name.index()),
        Err(error) => error,
    };
    match error {
        Error::Damaged(damage) => Ok(Some(damage)),
        error => Err(error),
    }
}

/// Finds the original bytes of the index, if the digest proves them.
fn find_again<S: Store>(
    catalog: &mut Catalog<S>,
    manifest: &Manifest,
    others: &[ListedOther],
    segment: &SegmentRecord,
) -> Result<Rebuilt, Error> {
    let own = ObjectName::Index(segment.name.index());
    let text = get(catalog, &catalog.name.key(own))?;
    let mut clues = Clues::of_index(text.as_deref().unwrap_or_default());
    catalog.list_batch_names(|batch| clues.add_batch(batch))?;
    let indexes = others.iter().map(|other| (other.name, catalog.name.key(other.name)));
    let indexes = indexes.filter(|(name, _)| *name != own);
    let set_aside = aside::listed(catalog)?;
    for (name, key) in indexes.chain(set_aside).collect::<Vec<_>>() {
        match name {
            ObjectName::Batch(batch) => clues.add_batch(batch),
            ObjectName::Index(_) => {
                clues.add_index(get(catalog, &key)?.as_deref().unwrap_or_default());
            }
            ObjectName::Manifest(_) | ObjectName::Segment(_) => {}
        }
    }
    for other in manifest.segments.iter().filter(|other| other.name != segment.name) {
        if damage_of(catalog, other)?.is_none()
            && let Some(index) = catalog.index_of(other)?
        {
            index.batches.iter().for_each(|batch| clues.remove_batch(&batch.name));
        }
    }
    let is_segment = |other: &&ListedOther| other.name == ObjectName::Segment(segment.name);
    let size = others.iter().find(is_segment).map_or(segment.bytes, |other| other.size);
    let key = catalog.name.key(segment.name);
    let mut content = SegmentBytes::new(catalog.store.clone(), key, size);
    let is_good = |bytes: &Vec<u8>| Index::decode(segment, bytes).is_ok();
    let failed = match rebuilt(segment, &clues, &mut content)? {
        Rebuilt::Same(bytes) if is_good(&bytes) => return Ok(Rebuilt::Same(bytes)),
        Rebuilt::Same(_) => Rebuilt::Different,
        failed => failed,
    };
    let mended = segment.index.zip(text).and_then(|(expected, text)| one_byte(&text, expected));
    Ok(mended.filter(is_good).map_or(failed, Rebuilt::Same))
}

fn get<S: Store>(catalog: &Catalog<S>, key: &str) -> Result<Option<Vec<u8>>, Error> {
    match catalog.store.get(key) {
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if error.kind == StoreErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::store("read", key, &error)),
    }
}

/// Returns a listed batch that may have been in a trimmed segment, by the times and the other
/// indexes.
fn perhaps_trimmed<S: Store>(
    catalog: &mut Catalog<S>,
    manifest: &Manifest,
    segment: &SegmentRecord,
) -> Result<Option<BatchName>, Error> {
    let mut covered = Vec::new();
    catalog.list_batch_names(|batch| {
        if segment.covers(batch.time) {
            covered.push(batch);
        }
    })?;
    let batches = covered.iter().copied();
    let mut lookup = Lookup::new(Some(manifest), batches, &Set::new());
    for batch in covered {
        while let Some(needed) = lookup.next(&batch) {
            let index = match damage_of(catalog, needed.segment)? {
                None => catalog.index_of(needed.segment)?,
                Some(_) => None,
            };
            lookup.take(needed, index.as_deref());
        }
        if !lookup.has_found(&batch) {
            return Ok(Some(batch));
        }
    }
    Ok(None)
}
