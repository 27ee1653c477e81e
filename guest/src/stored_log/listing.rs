//! What the store lists of a log.
//!
//! 1. The highest generation that is shown never goes back: a listing that shows a lower one than was
//!    seen before, or none, is not believed.

use super::{Look, StoredLog};
use crate::error::Error;
use crate::limits::{LIST_PAGE_OBJECTS, MISSING_TRIES};
use crate::mutants::{self, Mutant};
use crate::names::{BatchName, Generation, ObjectName};
use crate::ports::Store;
use crate::view::{ListedBatch, ListedOther, Newest};

/// Manifests, and segments and indexes if they were asked for, and the highest generation of them.
pub(crate) struct Listed {
    pub others: Vec<ListedOther>,
    pub highest: Option<Generation>,
}

/// Every listing showed an older manifest than was seen before, or none.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WentBack {
    shown: Option<Generation>,
    seen: Generation,
}

impl<S: Store> StoredLog<S> {
    /// Lists the batches once, and shows them as the store does.
    pub(crate) fn list_batches(&self, mut show: impl FnMut(ListedBatch)) -> Result<(), Error> {
        self.list(&self.name.batches(), None, |object, size| {
            if let ObjectName::Batch(name) = object {
                show(ListedBatch { name, size });
            }
        })
    }

    /// Lists the batches twice: of each writer, what is returned is a prefix of what it wrote. Once,
    /// if the first listing shows only what is known.
    pub(crate) fn settled_batches(
        &self,
        known: &dyn Fn(&BatchName) -> bool,
    ) -> Result<Vec<ListedBatch>, Error> {
        let mut newest = Newest::default();
        let mut batches = Vec::new();
        let mut all_known = true;
        self.list_batches(|batch| {
            newest.see(batch.name);
            all_known &= known(&batch.name);
            if all_known || mutants::is(Mutant::ListOnce) {
                batches.push(batch);
            }
        })?;
        if !all_known && !mutants::is(Mutant::ListOnce) {
            batches.clear();
            self.list_batches(|batch| {
                if newest.covers(&batch.name) {
                    batches.push(batch);
                }
            })?;
        }
        batches.sort_unstable();
        batches.dedup_by_key(|batch| batch.name);
        Ok(batches)
    }

    /// Lists manifests, and segments and indexes if asked for, until what is shown has not gone back.
    pub(crate) fn list_current(&mut self, look: Look) -> Result<Result<Listed, WentBack>, Error> {
        let mut shown = None;
        for _ in 0..MISSING_TRIES {
            let others = self.list_others(look)?;
            let highest = highest(&others);
            if highest.unwrap_or_default() >= self.seen || mutants::is(Mutant::AcceptVanished) {
                self.saw(highest.unwrap_or_default());
                return Ok(Ok(Listed { others, highest }));
            }
            shown = highest;
        }
        Ok(Err(WentBack { shown, seen: self.seen }))
    }

    /// The generation in force, by the listing alone; 0 if there is none.
    pub(crate) fn highest_generation(&mut self) -> Result<Generation, Error> {
        let listed = self.list_current(Look::Reading)?;
        let listed = listed.map_err(|went_back| self.went_back(went_back))?;
        Ok(listed.highest.unwrap_or_default())
    }

    /// A manifest of this generation exists or has existed.
    pub(crate) fn saw(&mut self, generation: Generation) {
        self.seen = self.seen.max(generation);
    }

    pub(crate) fn went_back(&self, WentBack { shown, seen }: WentBack) -> Error {
        let shown = shown.map_or("no manifest".to_owned(), |shown| format!("none above {shown}"));
        let folder = self.name.folder();
        let message = format!(
            "cannot list {folder}: the listing shows {shown}, but {seen} was there before; repeat the \
             call, and check the store if this stays"
        );
        Error::StoreFailed { message, transient: true }
    }

    /// Lists manifests, and segments and indexes if asked for.
    pub(crate) fn list_others(&self, look: Look) -> Result<Vec<ListedOther>, Error> {
        let mut others = Vec::new();
        let (prefix, start_after) = match look {
            Look::Reading => (self.name.manifests(), None),
            Look::Everything | Look::Changing => (self.name.folder(), Some(self.name.manifests())),
        };
        self.list(&prefix, start_after, |name, size| others.push(ListedOther { name, size }))?;
        Ok(others)
    }

    /// Shows every listed object that follows the naming scheme, with its size.
    fn list(
        &self,
        prefix: &str,
        mut start_after: Option<String>,
        mut show: impl FnMut(ObjectName, u64),
    ) -> Result<(), Error> {
        loop {
            let page = self
                .store
                .list(prefix, start_after.as_deref(), LIST_PAGE_OBJECTS)
                .map_err(|error| Error::store("list", prefix, &error))?;
            for object in &page.objects {
                let name = self.name.object(&object.key).and_then(ObjectName::parse);
                if let Some(name) = name {
                    show(name, object.size);
                }
            }
            match page.objects.last() {
                Some(last) if page.more => start_after = Some(last.key.clone()),
                _ => return Ok(()),
            }
        }
    }
}

fn highest(objects: &[ListedOther]) -> Option<Generation> {
    let generations = objects.iter().filter_map(|object| match object.name {
        ObjectName::Manifest(generation) => Some(generation),
        _ => None,
    });
    generations.max()
}
