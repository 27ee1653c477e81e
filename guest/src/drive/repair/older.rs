//! Repairs manifests below the current one that are damaged or gone.
//!
//! 1. The log needs nothing in them, but their generations must be in use and have no gaps.
//! 2. One is written again if digests prove it, its own and the one that the next manifest records.
//!    One byte was changed, or it has the same contents as the next, as after a repair of a damaged
//!    one.
//! 3. Any other is replaced by a stand-in, which has no segments. The current manifest never gets
//!    one.

use super::doubt::{self, Extent};
use super::intruders::Intruders;
use super::{Action, Step, aside};
use crate::decide::log_state;
use crate::decide::succession::out_of_order;
use crate::drive::catalog::{Catalog, Scope, StoredManifest};
use crate::drive::commit::Committer;
use crate::error::{Damage, Error};
use crate::format::listed::ListedOther;
use crate::format::manifest::{self, Manifest, StandIn};
use crate::format::names::{Digest, Generation, LogId, ObjectName};
use crate::ports::{Store, System};

/// The condition of a manifest.
enum Found {
    Whole(Option<Manifest>),
    Damaged(Damage),
    /// It has gone since it was listed: the log was compacted.
    Overtaken,
}

/// Repairs the manifests that are kept below the current one. None if the log was compacted in the
/// meantime.
pub(super) fn repair<S: Store, Y: System>(
    committer: &mut Committer<'_, S, Y>,
    intruders: &Intruders,
    dry_run: bool,
) -> Result<Option<Vec<Step>>, Error> {
    let (current, others) = committer.catalog.current_manifest(Scope::Full)?;
    let Some(current) = current else { return Ok(Some(Vec::new())) };
    let mut steps = Vec::new();
    // The next manifest, if it is known.
    let mut after = Some(Manifest::clone(&current));
    for generation in log_state::kept_below(current.generation, &others) {
        let name = ObjectName::Manifest(generation);
        let is_next = |after: &Manifest| after.generation.0 == generation.0 + 1;
        let next = after.take().filter(|after| is_next(after) || generation == Generation::FIRST);
        if intruders.contains(name) {
            continue;
        }
        let damage =
            match inspect(&mut committer.catalog, &current, next.as_ref(), generation, &others)? {
                Found::Whole(manifest) => {
                    after = manifest;
                    continue;
                }
                Found::Overtaken => return Ok(None),
                Found::Damaged(damage) => damage,
            };
        if committer.catalog.highest_generation()? > current.generation {
            return Ok(None);
        }
        match inspect(&mut committer.catalog, &current, next.as_ref(), generation, &others)? {
            Found::Damaged(again) if again == damage => {}
            Found::Overtaken => return Ok(None),
            Found::Damaged(_) | Found::Whole(_) => {
                return Err(doubt::read_differently(&committer.catalog, name));
            }
        }
        let next = next.filter(is_next);
        let found = found_again(&committer.catalog, generation, next.as_ref())?;
        let (bytes, action) = match found.filter(|(manifest, _)| manifest.log == current.log) {
            Some((manifest, bytes)) => {
                after = Some(manifest);
                (bytes, Action::Rebuild)
            }
            None => {
                let stand_in = StandIn { log: current.log, generation };
                let bytes = stand_in.encode();
                let bytes = bytes.map_err(|error| Error::Unsupported(error.to_string()))?;
                (bytes, Action::StandIn)
            }
        };
        if !dry_run {
            aside::replace(committer, &name, &bytes)?;
        }
        steps.push(Step { damage, action, events_lost: 0 });
    }
    steps.reverse();
    Ok(Some(steps))
}

fn inspect<S: Store>(
    catalog: &mut Catalog<S>,
    current: &Manifest,
    next: Option<&Manifest>,
    generation: Generation,
    others: &[ListedOther],
) -> Result<Found, Error> {
    let key = catalog.name.key(generation);
    let damage = |expected: &str, found: String| Damage::new(&key, expected, found);
    let is_of_log = |log: Option<LogId>| log.is_none() || log == current.log;
    let of_another = |log: Option<LogId>| {
        let found = log.map_or(String::new(), |log| log.to_string());
        Found::Damaged(damage("the identity of the current manifest", found))
    };
    Ok(match catalog.stored_manifest(generation) {
        Ok(StoredManifest::StandIn(stand_in)) if is_of_log(stand_in.log) => Found::Whole(None),
        Ok(StoredManifest::StandIn(stand_in)) => of_another(stand_in.log),
        Ok(StoredManifest::Whole(manifest)) if !is_of_log(manifest.log) => of_another(manifest.log),
        Ok(StoredManifest::Whole(manifest)) => {
            match next.and_then(|next| out_of_order(&manifest, next)) {
                Some(found) => Found::Damaged(Damage { object: key, ..found }),
                None => Found::Whole(Some(manifest)),
            }
        }
        Ok(StoredManifest::Gone) if log_state::may_be_deleted(generation, current.generation) => {
            Found::Whole(None)
        }
        Ok(StoredManifest::Gone) => {
            let name = ObjectName::Manifest(generation);
            let listed = others.iter().find(|other| other.name == name).map(|other| other.size);
            match doubt::confirm(catalog, current.generation, name, Extent::Gone, listed)? {
                true => Found::Damaged(damage("a manifest", "no such object".to_owned())),
                false => Found::Overtaken,
            }
        }
        Err(Error::Damaged(damage)) => Found::Damaged(damage),
        Err(error) => return Err(error),
    })
}

/// The original manifest, with its bytes, if the next one or its own digest proves it.
fn found_again<S: Store>(
    catalog: &Catalog<S>,
    generation: Generation,
    after: Option<&Manifest>,
) -> Result<Option<(Manifest, Vec<u8>)>, Error> {
    let expected = after.and_then(|after| after.previous);
    let is_it = |bytes: &Vec<u8>| expected.is_none_or(|expected| Digest::of(bytes) == expected);
    let left = catalog.get(generation)?;
    let mended = left.and_then(|left| manifest::mended(&left)).filter(is_it);
    let before = match Generation(generation.0 - 1) {
        Generation(0) => None,
        before => catalog.get(before)?,
    };
    // A repair of a damaged manifest has committed one with the same contents.
    let same = || {
        let previous = before.as_deref().map(Digest::of);
        let same = Manifest { generation, previous, ..after?.clone() };
        same.encode().ok().filter(|_| expected.is_some()).filter(is_it)
    };
    let bytes = mended.or_else(same);
    Ok(bytes.and_then(|bytes| Some((Manifest::decode(generation, &bytes).ok()?, bytes))))
}
