//! Manifests below the current one that are damaged or gone. Nothing is read by them any more, but what
//! is kept of them proves that no generation is missing.
//!
//! 1. One is written again where the manifest after it, which has its digest, proves it: one byte was
//!    changed, or it says the same as that, as where a repair has gone on from a damaged one.
//! 2. Else the log goes on by as many generations, all the same, as take it out of those that are
//!    kept. Of the first, which is kept for good, that does not help.

use super::current::bytes_of;
use super::{Action, Step, aside};
use crate::commit::Committer;
use crate::error::{Damage, Error};
use crate::limits::MANIFESTS_KEPT;
use crate::manifest::{self, Manifest};
use crate::names::{Digest, Generation, ObjectName};
use crate::ports::{Store, System};
use crate::stored_log::Look;

/// Repairs the manifests that are kept below the current one, which is whole. None if somebody has
/// compacted meanwhile.
pub(super) fn repair<S: Store, Y: System>(
    committer: &mut Committer<'_, S, Y>,
    dry_run: bool,
) -> Result<Option<Vec<Step>>, Error> {
    let mut steps = Vec::new();
    let (current, others) = committer.stored.manifest_in_force(Look::Everything)?;
    let Some(current) = current else { return Ok(Some(steps)) };
    let highest = current.generation;
    let lowest = highest.0.saturating_sub(MANIFESTS_KEPT).max(Generation::FIRST.0);
    let first = others.iter().any(|other| other.name == ObjectName::Manifest(Generation::FIRST));
    let first = (first && lowest > Generation::FIRST.0).then_some(Generation::FIRST);
    let mut next = Some((*current).clone());
    let (mut worst, mut forgotten) = (None, Vec::new());
    // Those of a group that is not deleted yet may be there or not.
    let may_go = others.iter().filter_map(|other| match other.name {
        ObjectName::Manifest(generation) => Some(generation),
        _ => None,
    });
    let may_go = may_go.filter(|g| *g > Generation::FIRST && g.0 < lowest);
    let mut may_go: Vec<_> = may_go.collect();
    may_go.sort_unstable_by(|one, other| other.cmp(one));
    for generation in (lowest..highest.0).rev().map(Generation).chain(may_go).chain(first) {
        let damage = match committer.stored.manifest(generation) {
            Ok(Some(manifest)) => {
                next = Some(manifest);
                continue;
            }
            Ok(None) if generation > Generation::FIRST && generation.0 < lowest => {
                next = None;
                continue;
            }
            Ok(None) => {
                let missing = Damage::new(generation, "a manifest that is kept", "no such object");
                missing.with_key(&committer.stored.name)
            }
            Err(Error::Damaged(damage)) => damage,
            Err(error) => return Err(error),
        };
        if committer.stored.highest_generation()? > highest {
            return Ok(None);
        }
        let after = next.take().filter(|next| next.generation.0 == generation.0.saturating_add(1));
        let object = ObjectName::Manifest(generation);
        let left = bytes_of(&committer.stored, object)?;
        let before = Generation(generation.0.saturating_sub(1));
        let before = match before.0 {
            0 => None,
            _ => bytes_of(&committer.stored, ObjectName::Manifest(before))?,
        };
        let found = found_again(generation, left, before.as_deref(), after.as_ref());
        let action = match found {
            Some((manifest, bytes)) => {
                if !dry_run {
                    aside::replace(committer, &object, &bytes)?;
                }
                next = Some(manifest);
                Action::Rebuild
            }
            None if Some(generation) == first || generation == Generation::FIRST => {
                Action::Nothing(
                    "nothing is read by it, but it is kept for good: restore it from a \
                                 copy of the store"
                        .to_owned(),
                )
            }
            None => {
                worst = worst.or(Some(generation).filter(|generation| generation.0 >= lowest));
                forgotten.push(generation);
                Action::Forget
            }
        };
        steps.push(Step { damage, action, events_lost: 0 });
    }
    if dry_run {
        return Ok(Some(steps));
    }
    let reached = match worst {
        Some(worst) => go_on(committer, &current, worst)?,
        None => highest,
    };
    forgotten.retain(|generation| generation.0.saturating_add(MANIFESTS_KEPT) < reached.0);
    for generation in &forgotten {
        aside::set_aside(&committer.stored, &ObjectName::Manifest(*generation))?;
    }
    committer.delete_manifests(&forgotten);
    Ok(Some(steps))
}

/// Commits generations that change nothing, until a manifest is no longer one of those that are kept.
/// The last of them.
fn go_on<S: Store, Y: System>(
    committer: &mut Committer<'_, S, Y>,
    current: &Manifest,
    worst: Generation,
) -> Result<Generation, Error> {
    let mut manifest = current.clone();
    while manifest.generation.0 <= worst.0.saturating_add(MANIFESTS_KEPT) {
        // If others have gone on, theirs do as well: the next repair sees to the rest.
        let Some(next) = committer.supersede(&manifest)? else { break };
        manifest = next;
    }
    Ok(manifest.generation)
}

/// A manifest as it was, with its bytes, if that is proven.
fn found_again(
    generation: Generation,
    left: Option<Vec<u8>>,
    before: Option<&[u8]>,
    after: Option<&Manifest>,
) -> Option<(Manifest, Vec<u8>)> {
    let expected = after.and_then(|after| after.previous);
    let is_it = |bytes: &Vec<u8>| expected.is_none_or(|expected| Digest::of(bytes) == expected);
    let mended = left.and_then(|left| manifest::mended(&left)).filter(is_it);
    let same = || {
        let previous = before.map(Digest::of);
        let same = Manifest { generation, previous, ..after?.clone() };
        same.encode().ok().filter(|_| expected.is_some()).filter(is_it)
    };
    let bytes = mended.or_else(same)?;
    Some((Manifest::decode(generation, &bytes).ok()?, bytes))
}
