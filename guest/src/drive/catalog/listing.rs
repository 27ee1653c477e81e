//! The listings of a log.
//!
//! 1. The highest generation shown never goes back: a listing that shows a lower one than before,
//!    or none, is not believed.
//! 2. An entry under an object's name that is not an object is damage.

use super::{Catalog, Scope};
use crate::decide::list_pages::Pages;
use crate::decide::log_state::{self, HighWaterMarks};
use crate::error::{Damage, Error};
use crate::format::listed::{ListedBatch, ListedOther};
use crate::format::names::{
    self, BatchName, Generation, Marker, MirrorMark, ObjectName, PositionObject, SegmentName,
};
use crate::format::ordered::Map;
use crate::limits::{LIST_PAGE_OBJECTS, MISSING_TRIES};
use crate::mutants::{self, Mutant};
use crate::ports::{EntryKind, ListPage, Listing, Sizes, Store};

/// Manifests, and segments and indexes if the scope includes them, and the highest generation.
pub(crate) struct Listed {
    pub others: Vec<ListedOther>,
    pub highest: Option<Generation>,
}

/// The reason why no current listing was found.
pub(crate) enum NotListed {
    /// Every listing showed an older manifest than before, or none.
    WentBack(Error),
    Failed(Error),
}

impl From<Error> for NotListed {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

impl From<NotListed> for Error {
    fn from(reason: NotListed) -> Self {
        match reason {
            NotListed::WentBack(error) | NotListed::Failed(error) => error,
        }
    }
}

impl<S: Store> Catalog<S> {
    /// Lists the batches once, and passes the name of each to `show`.
    pub(crate) fn list_batch_names(
        &mut self,
        mut show: impl FnMut(BatchName),
    ) -> Result<(), Error> {
        self.list_batches(Sizes::Unused, |batch| show(batch.name))
    }

    /// Lists the batches once, and passes each to `show`.
    pub(crate) fn list_batches(
        &mut self,
        sizes: Sizes,
        mut show: impl FnMut(ListedBatch),
    ) -> Result<(), Error> {
        self.list(&self.name.batches(), None, sizes, |object, size| {
            if let ObjectName::Batch(name) = object {
                show(ListedBatch { name, size });
            }
        })
    }

    /// Lists the batches, in the order of their names. Once, unless the listing shows a batch
    /// without a number that is not known: of two listings, those returned are a prefix of what
    /// each writer wrote. A gap in numbers shows in one listing. Of two names of a batch, the one
    /// that waits for less is returned, and the other is a twin.
    pub(crate) fn list_settled(
        &mut self,
        known: &dyn Fn(&BatchName) -> bool,
    ) -> Result<Vec<ListedBatch>, Error> {
        self.unfinished.clear();
        let mut marks = HighWaterMarks::default();
        let mut batches = Vec::new();
        let mut all_known = true;
        let is_once = mutants::is(Mutant::ListOnce);
        self.list_batches(Sizes::Used, |batch| {
            if batch.name.id().is_none() {
                marks.observe(&batch.name);
                all_known &= known(&batch.name);
            }
            if all_known || is_once {
                batches.push(batch);
            }
        })?;
        if !all_known && !is_once {
            batches.clear();
            self.list_batches(Sizes::Used, |batch| {
                if batch.name.id().is_some() || marks.covers(&batch.name) {
                    batches.push(batch);
                }
            })?;
        }
        let waiting = |batch: &ListedBatch| batch.name.waiting();
        batches.sort_unstable_by(|one, other| {
            one.name.cmp(&other.name).then_with(|| waiting(one).cmp(&waiting(other)))
        });
        self.polled.record(&batches);
        self.twins.clear();
        batches.dedup_by(|other, one| {
            let is_twin = other.name == one.name;
            self.twins.extend(is_twin.then_some(*other));
            is_twin
        });
        Ok(batches)
    }

    /// The second objects of batches that were listed last under two names.
    pub(crate) fn twins(&self) -> &[ListedBatch] {
        &self.twins
    }

    /// Lists the other objects of the scope until the highest manifest has not gone back.
    pub(crate) fn list_current(&mut self, scope: Scope) -> Result<Listed, NotListed> {
        let mut shown = None;
        for _ in 0..MISSING_TRIES {
            let others = self.list_others(scope)?;
            let highest = log_state::manifests(&others).max();
            if highest.unwrap_or_default() >= self.seen || mutants::is(Mutant::AcceptVanished) {
                self.record_generation(highest.unwrap_or_default());
                return Ok(Listed { others, highest });
            }
            shown = highest;
        }
        Err(NotListed::WentBack(self.went_back(shown)))
    }

    /// The current generation, by the listing alone. 0 if there is none.
    pub(crate) fn highest_generation(&mut self) -> Result<Generation, Error> {
        Ok(self.list_current(Scope::Read)?.highest.unwrap_or_default())
    }

    /// Records that a manifest of this generation exists or has existed.
    pub(crate) fn record_generation(&mut self, generation: Generation) {
        self.seen = self.seen.max(generation);
    }

    /// Returns the marker of a generation's group, if it exists. Then the generation was passed so
    /// long ago that its manifest may have been deleted and the number used again.
    pub(crate) fn marker(&self, generation: Generation) -> Result<Option<Marker>, Error> {
        let marker = generation.marker();
        Ok(self.get(marker)?.map(|_| marker))
    }

    /// The error of listings that show nothing later than a generation that was passed.
    pub(crate) fn used_before(&self, generation: Generation, marker: Marker) -> Error {
        let folder = self.name.folder();
        let message = format!(
            "cannot rely on the listing of {folder}: {marker} exists, so manifests later than \
             {generation} were committed, but none is listed; nothing was deleted; check the \
             store"
        );
        Error::StoreFailed { message, transient: true }
    }

    fn went_back(&self, shown: Option<Generation>) -> Error {
        let seen = self.seen;
        let shown =
            shown.map_or("no manifest".to_owned(), |shown| format!("no manifest after {shown}"));
        let folder = self.name.folder();
        let message = format!(
            "cannot rely on the listing of {folder}: the listing has {shown}, but {seen} existed \
             before; try again, and check the store if this repeats"
        );
        Error::StoreFailed { message, transient: true }
    }

    /// The objects of named positions in the last listing of all other objects.
    pub(crate) fn positions(&self) -> &Map<PositionObject, (EntryKind, u64)> {
        &self.positions
    }

    /// Lists manifests, and segments and indexes if the scope includes them.
    pub(crate) fn list_others(&mut self, scope: Scope) -> Result<Vec<ListedOther>, Error> {
        let mut others = Vec::new();
        self.positions.clear();
        let (prefix, start_after) = match scope {
            Scope::Read => (self.name.manifests(), None),
            Scope::Full | Scope::Consistent => (self.name.folder(), Some(self.name.manifests())),
        };
        let show = |name, size| others.push(ListedOther { name, size });
        self.list(&prefix, start_after, Sizes::Used, show)?;
        Ok(others)
    }

    /// Lists the segments and indexes of the commit that made a segment, with their sizes.
    pub(crate) fn list_commit(&self, segment: SegmentName) -> Result<Map<ObjectName, u64>, Error> {
        let mut kept = Map::new();
        let prefix = self.name.key(segment.of_commit());
        let keep = |name, size| _ = kept.insert(name, size);
        self.clone().list(&prefix, None, Sizes::Used, keep)?;
        Ok(kept)
    }

    /// The error of a batch that is listed repeatedly but does not exist.
    pub(crate) fn phantom_batch(&self, batch: BatchName) -> Error {
        let (folder, key) = (self.name.folder(), self.name.key(batch));
        let message = format!(
            "cannot rely on the listing of {folder}: {key} is listed but does not exist; nothing \
             was changed; check the store"
        );
        Error::StoreFailed { message, transient: true }
    }

    /// The error of a segment that the store confirmed but does not list as written.
    pub(crate) fn not_kept(&self, segment: SegmentName, expected: u64, found: &str) -> Error {
        let key = self.name.key(segment);
        let message = format!(
            "cannot rely on the listing of the store: {key} and its index were confirmed with \
             {expected} bytes, but the listing has {found}; nothing was committed; try again, \
             and check the store if this repeats"
        );
        Error::StoreFailed { message, transient: true }
    }

    /// Returns whether a listing shows an object.
    pub(super) fn is_listed(&self, object: ObjectName) -> Result<bool, Error> {
        let mut is_listed = false;
        let key = self.name.key(object);
        self.clone().list(&key, None, Sizes::Unused, |name, _| is_listed |= name == object)?;
        Ok(is_listed)
    }

    /// Collects entries under names of objects that are not objects, instead of failing.
    pub(crate) fn collecting_intruders(self) -> Self {
        Self { intruders: Some(Map::new()), ..self }
    }

    /// Returns the entries that are not objects, as collected since the last call.
    pub(crate) fn take_intruders(&mut self) -> Vec<Damage> {
        let intruders = self.intruders.as_mut().map(std::mem::take).unwrap_or_default();
        intruders.into_iter().map(|(key, kind)| intrusion(key, kind)).collect()
    }

    /// Keys and bytes left by writes in progress, or by killed ones, as listed last.
    pub(crate) fn unfinished(&self) -> &Map<String, u64> {
        &self.unfinished
    }

    /// Passes each listed object with a name of the log to `show`, with its size.
    fn list(
        &mut self,
        prefix: &str,
        start_after: Option<String>,
        sizes: Sizes,
        mut show: impl FnMut(ObjectName, u64),
    ) -> Result<(), Error> {
        let listing = self.store.list(prefix, start_after.as_deref(), sizes);
        let mut pages = Pages::new(prefix, start_after);
        loop {
            let page = listing.next(LIST_PAGE_OBJECTS);
            let page = page.map_err(|error| Error::store("list", prefix, &error))?;
            let has_more = pages.take(&page)?;
            self.take_page(&page, &mut show)?;
            if !has_more {
                return Ok(());
            }
        }
    }

    /// Passes each object of a page with a name of the log to `show`, with its size.
    pub(super) fn take_page(
        &mut self,
        page: &ListPage,
        show: &mut dyn FnMut(ObjectName, u64),
    ) -> Result<(), Error> {
        for entry in &page.objects {
            let key = entry.key.strip_suffix('/').unwrap_or(&entry.key);
            let Some(own) = self.name.object(key) else { continue };
            match (entry.kind, ObjectName::parse(own)) {
                (EntryKind::Object, Some(name)) => show(name, entry.size),
                (EntryKind::Unfinished, _)
                    if names::unfinished(own).is_some()
                        || PositionObject::parse_unfinished(own).is_some() =>
                {
                    self.unfinished.insert(entry.key.clone(), entry.size);
                }
                (EntryKind::Unfinished, _) => {}
                (kind, None) => {
                    if let Some(object) = PositionObject::parse(own) {
                        self.positions.insert(object, (kind, entry.size));
                    } else if let Some(mark) = MirrorMark::parse(own) {
                        self.marks.record(mark);
                    }
                }
                (kind, Some(_)) => match &mut self.intruders {
                    Some(intruders) => drop(intruders.insert(key.to_owned(), kind)),
                    None => return Err(Error::Damaged(intrusion(key.to_owned(), kind))),
                },
            }
        }
        Ok(())
    }
}

/// The damage of an object whose key another kind of entry has.
fn intrusion(key: String, kind: EntryKind) -> Damage {
    let found = match kind {
        EntryKind::Object | EntryKind::Unfinished => "something else",
        EntryKind::Folder => "a folder",
        EntryKind::Link => "a symbolic link",
        EntryKind::Special => "a named pipe, a socket or a device",
    };
    // The data may have been moved into it, so nothing removes it.
    Damage::intruder(key, format!("{found}; move it away"))
}
