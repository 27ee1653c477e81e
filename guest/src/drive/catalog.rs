//! Loads the state of a log: listings, manifest, indexes. A driver; the decisions are in
//! `log_state`.
//!
//! 1. Batches are listed before manifests: a batch that was absorbed and deleted before its listing
//!    is then certainly in the manifest found.
//! 2. Writes and deletes are decided on a state in which the listing agrees with the manifest; see
//!    `agreement`. One that does not agree is loaded again, and reported as an error in the end.

use std::cell::Cell;
use std::rc::Rc;

use crate::decide::agreement::{self, Disagreement};
use crate::decide::log_state::LogState;
use crate::decide::visibility::Doubts;
use crate::drive::interrupted::Interrupted;
use crate::error::{Damage, Error};
use crate::format::listed::{ListedBatch, ListedOther};
use crate::format::manifest::{Manifest, StandIn};
use crate::format::names::{
    BatchId, BatchName, Generation, LogName, ObjectName, PositionObject, SegmentName,
};
use crate::format::numbers;
use crate::format::ordered::{Map, Set};
use crate::limits::MISSING_TRIES;
use crate::mutants::{self, Mutant};
use crate::ports::{EntryKind, Store, StoreError, StoreErrorKind};

mod belonging;
mod contradiction;
mod indexes;
mod listing;
mod mirrored;
mod orphans;
mod polling;
mod readable;

use indexes::IndexCache;
pub(crate) use listing::NotListed;
use mirrored::Marks;
pub use polling::LastLoad;
use polling::Polled;

/// A log in a store, with the manifest and the indexes that were read last.
#[derive(Clone)]
pub struct Catalog<S> {
    pub store: S,
    pub name: LogName,
    manifest: Option<Rc<Manifest>>,
    /// The highest generation seen so far.
    seen: Generation,
    indexes: IndexCache,
    /// Confirmed batches that were not found.
    doubts: Doubts,
    /// The second objects of batches that were listed last under two names.
    twins: Vec<ListedBatch>,
    polled: Polled,
    /// Trimmed segments whose indexes are not read any more, because they cannot be.
    forgotten: Set<SegmentName>,
    /// True if a segment that is cut by one of the next generation does not show that a manifest is
    /// gone.
    overlooks_cuts: bool,
    /// Keys and bytes left by writes in progress, or by killed ones, as listed last.
    unfinished: Map<String, u64>,
    /// The objects of named positions, as listed last with the scope of all objects.
    positions: Map<PositionObject, (EntryKind, u64)>,
    /// Entries under names of objects that are not objects. None if each is an error instead of
    /// being collected.
    intruders: Option<Map<String, EntryKind>>,
    /// The mirror marks that were listed.
    marks: Marks,
    /// The object that was not found at the last search.
    gone: Cell<Option<ObjectName>>,
}

/// The objects that a load lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    /// Batches and manifests, as a read needs.
    Read,
    /// Segments and indexes too, which would show that the highest manifest is gone.
    Full,
    /// All objects, to decide about writes and deletes: the listing must be consistent.
    Consistent,
}

/// The contents of a manifest's name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum StoredManifest {
    Whole(Manifest),
    StandIn(StandIn),
    Gone,
}

impl<S: Store> Catalog<S> {
    pub fn new(store: S, name: LogName) -> Self {
        Self {
            store,
            name,
            manifest: None,
            seen: Generation::default(),
            indexes: IndexCache::default(),
            doubts: Doubts::default(),
            twins: Vec::new(),
            polled: Polled::default(),
            forgotten: Set::new(),
            overlooks_cuts: false,
            unfinished: Map::new(),
            positions: Map::new(),
            intruders: None,
            marks: Marks::default(),
            gone: Cell::new(None),
        }
    }

    /// The highest generation seen so far.
    pub(crate) fn seen(&self) -> Generation {
        self.seen
    }

    /// The error of a damaged object of this log.
    pub(crate) fn damaged(&self, damage: Damage) -> Error {
        damage.of(&self.name)
    }

    /// The sum of numbers that the store shows of the log.
    pub(crate) fn total(&self, numbers: impl IntoIterator<Item = u64>) -> Result<u64, Error> {
        numbers::sum(numbers).ok_or_else(|| {
            let expected = "sizes and counts whose sums fit in 64 bits";
            Error::Damaged(Damage::new(self.name.folder(), expected, "more"))
        })
    }

    /// Loads the log: batches, current manifest, live batches.
    pub(crate) fn load(&mut self, scope: Scope) -> Result<LogState, Error> {
        self.load_new(scope, &|_| false)
    }

    /// The damage of a batch that was confirmed and does not exist any more.
    pub(crate) fn gone_batch(&self, gone: BatchId) -> Damage {
        let key = self.name.key(gone);
        Damage::new(key, "a batch that the store had confirmed", "no such object")
    }

    /// Fails if a confirmed batch does not exist any more. Those behind it are hidden, so what the
    /// state shows is not the whole log.
    pub(crate) fn check_none_gone(&self, state: &LogState) -> Result<(), Error> {
        match state.gone.first() {
            Some(gone) if !mutants::is(Mutant::OverlookGone) => {
                Err(Error::Damaged(self.gone_batch(gone.batch)))
            }
            _ => Ok(()),
        }
    }

    /// Shows the batches behind one that is gone from now on.
    pub(crate) fn pass_gone(&mut self, gone: BatchId) {
        self.doubts.pass(gone);
    }

    /// Loads the log, of which some batches are known. That takes one list of batches, and another
    /// if some without a number are not known.
    pub(crate) fn load_new(
        &mut self,
        scope: Scope,
        known: &dyn Fn(&BatchName) -> bool,
    ) -> Result<LogState, Error> {
        let mut gone: Option<ObjectName> = None;
        let (mut disagreements, mut doubtful) = (0, 0);
        loop {
            let early = if scope == Scope::Read && mutants::is(Mutant::ManifestFirst) {
                Some(self.current_manifest(scope)?)
            } else {
                None
            };
            let batches = self.list_settled(known)?;
            if scope == Scope::Consistent {
                self.check_writable("change")?;
            }
            let new = batches.iter().map(|batch| batch.name).filter(|batch| !known(batch));
            if !self.indexes.contain_all(&new.collect::<Vec<_>>()) {
                // The new batches may be of another log that has replaced this one, with a manifest
                // of the same generation.
                self.manifest = None;
            }
            let (manifest, others) = match early {
                Some(early) => early,
                None => self.current_manifest(scope)?,
            };
            let contradiction = match scope {
                Scope::Read => None,
                Scope::Full => {
                    match self.missing_manifest(manifest.as_deref(), &batches, &others) {
                        // A damaged index is reported where it is needed.
                        Err(Error::Damaged(_)) => None,
                        found => found?,
                    }
                }
                Scope::Consistent => {
                    let found = agreement::disagreement(manifest.as_deref(), &others);
                    match self.missing_manifest(manifest.as_deref(), &batches, &others) {
                        Err(Error::Damaged(_)) if found.is_some() => found,
                        // It explains what else is missing.
                        missing => missing?.or(found),
                    }
                }
            };
            if let Some(found) = contradiction
                && !mutants::is(Mutant::TrustDisagreement)
            {
                disagreements += 1;
                if disagreements == MISSING_TRIES {
                    return Err(self.contradicted(manifest.as_deref(), found)?);
                }
                continue;
            }
            match self.sort_out(manifest, batches) {
                // Another load decides, as long as each doubts something else.
                Ok((_, true)) if doubtful + 1 < MISSING_TRIES => doubtful += 1,
                Ok((state, _)) => return Ok(LogState { others, ..state }),
                Err(Interrupted::Failed(error)) => return Err(error),
                Err(Interrupted::Gone(index)) => {
                    // A segment that was compacted away is not named again: this one is lost.
                    if gone == Some(index.name) {
                        return Err(self.absent(index.name)?);
                    }
                    gone = Some(index.name);
                }
            }
        }
    }

    /// Returns the bytes of an object. None if it is gone.
    pub(crate) fn get(&self, object: impl std::fmt::Display) -> Result<Option<Vec<u8>>, Error> {
        let key = self.name.key(object);
        match self.store.get(&key) {
            Ok(bytes) => Ok(Some(bytes)),
            Err(StoreError { kind: StoreErrorKind::NotFound, .. }) => Ok(None),
            Err(error) => Err(Error::store("read", &key, &error)),
        }
    }

    /// The error of an object that the current manifest names but that is gone.
    pub(crate) fn missing(&self, object: impl std::fmt::Display) -> Error {
        self.damaged(Damage::new(object, "an object that the manifest names", "no such object"))
    }

    /// Returns the current manifest, and the other objects listed with it.
    pub(crate) fn current_manifest(
        &mut self,
        scope: Scope,
    ) -> Result<(Option<Rc<Manifest>>, Vec<ListedOther>), Error> {
        let mut highest = None;
        for _ in 0..MISSING_TRIES {
            let listed = self.list_current(scope)?;
            let others = listed.others;
            highest = listed.highest;
            let Some(generation) = listed.highest else {
                return Ok((None, others));
            };
            let got = self.manifest.take().filter(|manifest| manifest.generation == generation);
            let got = match got {
                Some(manifest) => Some(manifest),
                None => self.manifest(generation)?.map(Rc::new),
            };
            if let Some(manifest) = got {
                self.indexes.retain_named(&manifest);
                self.manifest = Some(manifest.clone());
                return Ok((Some(manifest), others));
            }
        }
        if let Some(generation) = highest
            && let StoredManifest::StandIn(_) = self.stored_manifest(generation)?
        {
            return Err(self.ends_in_stand_in(generation));
        }
        let message = format!(
            "cannot read {}: the listing has the manifest, but {MISSING_TRIES} reads did not \
             find it; retry, and check the store if this repeats",
            self.name.key("manifest_*")
        );
        Err(Error::StoreFailed { message, transient: true })
    }

    /// Returns a manifest. None if it is gone or a stand-in has replaced it.
    pub(crate) fn manifest(&self, generation: Generation) -> Result<Option<Manifest>, Error> {
        Ok(match self.stored_manifest(generation)? {
            StoredManifest::Whole(manifest) => Some(manifest),
            StoredManifest::StandIn(_) | StoredManifest::Gone => None,
        })
    }

    /// Reads the contents of a manifest's name.
    pub(crate) fn stored_manifest(&self, generation: Generation) -> Result<StoredManifest, Error> {
        let Some(bytes) = self.get(generation)? else { return Ok(StoredManifest::Gone) };
        if let Some(stand_in) = StandIn::decode(generation, &bytes) {
            return Ok(StoredManifest::StandIn(stand_in));
        }
        let decoded = Manifest::decode(generation, &bytes);
        decoded.map(StoredManifest::Whole).map_err(|error| match error {
            Error::Damaged(damage) => self.damaged(damage),
            error => error,
        })
    }

    /// The error of a log whose highest manifest is a stand-in: the one above it is gone.
    pub(crate) fn ends_in_stand_in(&self, generation: Generation) -> Error {
        let expected = format!("a later manifest than {generation}, which is a stand-in");
        let next = Generation(generation.0 + 1);
        self.damaged(Damage::new(next, expected, "no such object"))
    }
}
