//! Finds the cause of a listing that contradicts the current manifest: damage, or a store whose
//! listings are incomplete.

use super::{Catalog, Disagreement};
use crate::drive::interrupted::Interrupted;
use crate::error::{Damage, Error};
use crate::format::manifest::Manifest;
use crate::format::names::{Generation, ObjectName};
use crate::limits::MANIFESTS_KEPT;
use crate::ports::{ObjectRange, OrderedRead, Store, StoreError, StoreErrorKind};

impl<S: Store> Catalog<S> {
    /// The error of loads that kept contradicting the manifest, after reading the objects.
    pub(crate) fn contradicted(
        &self,
        manifest: Option<&Manifest>,
        found: Disagreement,
    ) -> Result<Error, Error> {
        let generation = manifest.map_or(Generation::default(), |manifest| manifest.generation);
        let next = Generation(generation.0 + 1);
        // A generation is created only after the one before, so this one was not current.
        if self.is_there(ObjectName::Manifest(next), 1)? {
            return Ok(self
                .unreliable_listing(&format!("{} exists but is not listed", self.name.key(next))));
        }
        Ok(match found {
            Disagreement::LeftOut(object) => {
                let named = manifest.into_iter().flat_map(|manifest| &manifest.segments);
                let mut named = named.filter(|s| ObjectName::Segment(s.name) == object);
                if self.is_there(object, named.next().map_or(0, |segment| segment.bytes))? {
                    self.unreliable_listing(&format!(
                        "{} exists but is not listed",
                        self.name.key(object)
                    ))
                } else {
                    self.missing(object)
                }
            }
            Disagreement::Size { segment, expected, found } => {
                let expected = format!("{expected} bytes, as the manifest says");
                self.damaged(Damage::new(segment, expected, format!("{found} bytes listed")))
            }
            Disagreement::Orphan { object, batch } => {
                let expected =
                    format!("the manifest that names {object}, the only object with {batch}");
                self.damaged(Damage::new(next, expected, "no such object"))
            }
            Disagreement::Kept { object, segment } => {
                let expected =
                    format!("the manifest that names {object}, which has the rest of {segment}");
                self.damaged(Damage::new(next, expected, "no such object"))
            }
            Disagreement::Unreadable(index) => {
                let expected = "a whole index, since it is created in one piece";
                self.damaged(Damage::new(index, expected, "other lines"))
            }
            Disagreement::Alone(segment) => {
                let index = ObjectName::Index(segment.index());
                if self.is_there(index, 1)? {
                    let key = self.name.key(index);
                    return Ok(self.unreliable_listing(&format!("{key} exists but is not listed")));
                }
                let expected = format!("the index of {segment}, which was written before it");
                self.damaged(Damage::new(index, expected, "no such object"))
            }
            Disagreement::BeyondNext { object, generation } => {
                // Its base, or a later one.
                let base = generation.0 - 1;
                for later in (base..=base + MANIFESTS_KEPT).map(Generation) {
                    if self.is_there(ObjectName::Manifest(later), 1)? {
                        let key = self.name.key(later);
                        return Ok(
                            self.unreliable_listing(&format!("{key} exists but is not listed"))
                        );
                    }
                }
                let expected = format!("the manifest before that of {object}");
                self.damaged(Damage::new(next, expected, "no such object"))
            }
        })
    }

    /// Records an object that was requested and is gone, for `given_up`.
    pub(crate) fn record_gone(&self, interrupted: &Interrupted) {
        if let Interrupted::Gone(gone) = interrupted {
            self.gone.set(Some(gone.name));
        }
    }

    /// The error of an object that the log needs and that is not found: damage, or the fault of a
    /// store that lists it.
    pub(crate) fn absent(&self, object: ObjectName) -> Result<Error, Error> {
        Ok(match self.is_listed(object)? {
            true => self.lists_only(object),
            false => self.missing(object),
        })
    }

    /// The error of tries that came to nothing: that of the store, if the object that was not found
    /// last is listed.
    pub(crate) fn given_up(&self, error: Error) -> Result<Error, Error> {
        match self.gone.take() {
            Some(object) if self.is_listed(object)? => Ok(self.lists_only(object)),
            _ => Ok(error),
        }
    }

    fn lists_only(&self, object: ObjectName) -> Error {
        self.unreliable_listing(&format!("{} is listed but does not exist", self.name.key(object)))
    }

    /// Returns true if an object exists, by reading it, whatever the listing shows. `bytes` is the
    /// size of a segment.
    pub(crate) fn is_there(&self, object: ObjectName, bytes: u64) -> Result<bool, Error> {
        let key = self.name.key(object);
        let found = match object {
            ObjectName::Segment(_) => {
                let range = ObjectRange { key: key.clone(), range: Some(0..bytes.min(1)) };
                let read = self.store.read(&[range]).next(1);
                read.map(|_| ()).map_err(|failure| failure.error)
            }
            _ => self.store.get(&key).map(|_| ()),
        };
        match found {
            // An object too short for a range exists.
            Ok(()) | Err(StoreError { kind: StoreErrorKind::Invalid, .. }) => Ok(true),
            Err(StoreError { kind: StoreErrorKind::NotFound, .. }) => Ok(false),
            Err(error) => Err(Error::store("read", &key, &error)),
        }
    }

    /// The error of a listing that hides an object, or shows one that does not exist.
    pub(crate) fn unreliable_listing(&self, what: &str) -> Error {
        let folder = self.name.folder();
        let message = format!(
            "cannot rely on the listing of {folder}: {what}; nothing was changed; try again, and \
             check the store if this repeats"
        );
        Error::StoreFailed { message, transient: true }
    }
}
