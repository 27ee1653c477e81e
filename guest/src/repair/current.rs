//! A current manifest that cannot be read: the log may go on from the one before it.
//!
//! 1. That is done only where nothing is lost by it: the manifest before is whole, all that it names
//!    is there, and each batch that a segment of the damaged generation holds is listed still, or
//!    held by an index of the manifest before.
//! 2. Positions: none was given out for what only the damaged manifest named, if that was torn when
//!    it was written, i.e. is shorter than a manifest. One whose bytes were changed later is left.

use super::{Action, Step, aside};
use crate::commit::Committer;
use crate::error::Error;
use crate::index::batches_of;
use crate::manifest::Manifest;
use crate::names::{Generation, ObjectName};
use crate::ports::{Store, StoreErrorKind, System};
use crate::stored_log::Look;
use crate::view::ListedOther;

/// Repairs the current manifest, if it is damaged.
pub(super) fn repair<S: Store, Y: System>(
    committer: &mut Committer<'_, S, Y>,
    dry_run: bool,
) -> Result<Option<Step>, Error> {
    let others = committer.stored.list_others(Look::Everything)?;
    let manifests = others.iter().filter_map(|other| match other.name {
        ObjectName::Manifest(generation) => Some(generation),
        _ => None,
    });
    let Some(highest) = manifests.max() else { return Ok(None) };
    let damage = match committer.stored.manifest(highest) {
        Ok(_) => return Ok(None),
        Err(Error::Damaged(damage)) => damage,
        Err(error) => return Err(error),
    };
    let step = |action| Some(Step { damage: damage.clone(), action, events_lost: 0 });
    if let Err(why) = may_step_back(committer, highest, &others)? {
        return Ok(step(Action::Nothing(why)));
    }
    if !dry_run {
        let object = ObjectName::Manifest(highest);
        aside::set_aside(&committer.stored, &object)?;
        committer.delete(&[object.to_string()]);
    }
    Ok(step(Action::StepBack))
}

/// Whether the log is whole without its current manifest, or why it may not be.
fn may_step_back<S: Store, Y: System>(
    committer: &mut Committer<'_, S, Y>,
    damaged: Generation,
    others: &[ListedOther],
) -> Result<Result<(), String>, Error> {
    let stored = &mut committer.stored;
    let refuse = |why: &str| Ok(Err(why.to_owned()));
    let key = stored.name.key(damaged);
    let bytes = match stored.store.get(&key) {
        Ok(bytes) => bytes,
        Err(error) if error.kind == StoreErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(Error::store("read", &key, &error)),
    };
    if bytes.ends_with(b"}") {
        return refuse("it was whole once, so readers may keep positions that only it explains");
    }
    let before = Generation(damaged.0.saturating_sub(1));
    let before: Option<Manifest> = match before.0 {
        0 => None,
        _ => match stored.manifest(before) {
            Ok(Some(manifest)) => Some(manifest),
            Ok(None) => return refuse("the manifest before it is gone"),
            Err(Error::Damaged(_)) => return refuse("the manifest before it is damaged, too"),
            Err(error) => return Err(error),
        },
    };
    let listed = |name: ObjectName| others.iter().any(|other| other.name == name);
    for record in before.iter().flat_map(|manifest| &manifest.segments) {
        if !listed(ObjectName::Segment(record.name))
            || !listed(ObjectName::Index(record.name.index()))
        {
            return refuse("a segment that the manifest before it names is gone");
        }
    }
    let mut batches = std::collections::BTreeSet::new();
    stored.list_batches(|batch| _ = batches.insert(batch.name))?;
    for other in others {
        let ObjectName::Index(index) = other.name else { continue };
        if index.0.generation != damaged {
            continue;
        }
        let key = stored.name.key(index);
        let bytes = stored.store.get(&key).map_err(|error| Error::store("read", &key, &error))?;
        let Some(held) = batches_of(&bytes) else {
            return refuse("the index of a segment that only it names cannot be read");
        };
        let names = held.into_iter().map(|batch| batch.name);
        let absent = names.filter(|batch| !batches.contains(batch));
        let absent: Vec<_> = absent.collect();
        let count = absent.len();
        let known = match &before {
            Some(before) => match stored.held_by(before, absent.into_iter())? {
                Some(known) => known.len(),
                None => return refuse("an index that the manifest before it names is gone"),
            },
            None => 0,
        };
        if known < count {
            return refuse("batches that only it makes part of the log have been deleted since");
        }
    }
    Ok(Ok(()))
}
