//! The root folder: found once, created by the first write.
//!
//! Owns: the root's life, and the folder that was opened last.
//! Must not know: the purpose of the files.
//!
//! 1. Only a write creates the root. A read of a missing one fails and says so.
//! 2. The root and its new parents are synced before anything is written below.

use stratalog_store_rules::error::{StoreError, StoreErrorKind};
use stratalog_store_rules::folder::failure::{Reason, Step};
use stratalog_store_rules::key;

use crate::bindings::wasi::filesystem::preopens;
use crate::bindings::wasi::filesystem::types::{Descriptor, ErrorCode};
use crate::failure::{Cause, Failure, SystemError};
use crate::folder::Folder;
use crate::root_path::{self, Place, ROOT_VARIABLE, RootPath};

/// The root folder, which may not exist yet.
pub(crate) struct Root {
    opened: Descriptor,
    /// The place of that folder.
    opened_place: Place,
    path: RootPath,
    /// The store, in messages.
    description: String,
}

impl Root {
    /// Finds the root among the folders that the host opened.
    ///
    /// # Errors
    /// There is none, or the setting cannot be used.
    pub(crate) fn find() -> Result<Self, StoreError> {
        let mut opened = preopens::get_directories();
        let wanted = std::env::var(ROOT_VARIABLE).ok();
        let names: Vec<&str> = opened.iter().map(|(_, name)| name.as_str()).collect();
        let path = root_path::find(&names, wanted.as_deref())?;
        let (opened, name) = opened.swap_remove(path.opened);
        let description = format!("the folder {}", path.place);
        Ok(Self { opened, opened_place: Place::of_opened(&name), path, description })
    }

    /// Returns the name of the store for messages.
    pub(crate) fn description(&self) -> &str {
        &self.description
    }

    /// Returns the place of a key for messages.
    pub(crate) fn place_of(&self, key: &str) -> Place {
        self.path.place.join(key)
    }

    /// Opens the root, which must exist.
    pub(crate) fn open(&self) -> Result<Folder, StoreError> {
        self.open_it().map_err(|error| self.root_error("open", error.into()))
    }

    /// Opens the root; none if it does not exist.
    pub(crate) fn open_existing(&self) -> Result<Option<Folder>, StoreError> {
        match self.open() {
            Err(error) if error.kind == StoreErrorKind::NotFound => Ok(None),
            opened => opened.map(Some),
        }
    }

    /// Opens the root, and creates a missing one first.
    pub(crate) fn make(&self) -> Result<Folder, StoreError> {
        let made = match self.open_it().map_err(Cause::from) {
            Err(cause) if cause.is_not_found() => self.create(),
            opened => return opened.map_err(|cause| self.root_error("open", cause)),
        };
        made.map_err(|cause| self.root_error("create", cause))
    }

    /// Creates the missing folders on the way to the root. A link on the way is followed.
    fn create(&self) -> Result<Folder, Cause> {
        let mut open = Folder::root(&self.opened, "", &self.opened_place)?;
        let mut way = String::new();
        for segment in self.path.below.split('/') {
            if !way.is_empty() {
                way.push('/');
            }
            way.push_str(segment);
            open = match Folder::root(&self.opened, &way, &self.opened_place.join(&way)) {
                Err(error) if error.reason == Reason::NotFound => open.make(segment)?,
                opened => opened?,
            };
        }
        self.open_it().map_err(Cause::from)
    }

    fn open_it(&self) -> Result<Folder, SystemError> {
        Folder::root(&self.opened, &self.path.below, &self.path.place)
    }

    fn root_error(&self, verb: &str, cause: Cause) -> StoreError {
        let verb = format!("{verb} the folder");
        let failure = Failure::new(Step::Looking, &verb, &self.path.place, cause);
        let failure = match failure.kind() {
            StoreErrorKind::NotFound => failure.or_remedy(self.remedy_of_a_missing_folder()),
            StoreErrorKind::Invalid => failure.or_remedy(format!("correct {ROOT_VARIABLE}")),
            _ => failure,
        };
        StoreError::new(failure.kind(), failure.to_string())
    }

    /// Returns the action to take if a folder on the way to an object does not exist.
    pub(crate) fn remedy_of_a_missing_folder(&self) -> String {
        let is_removed = match self.opened.stat() {
            // Nothing names a folder that was removed.
            Ok(found) => found.link_count == 0,
            Err(code) => code == ErrorCode::NoEntry,
        };
        match (is_removed, self.path.below.as_str()) {
            (true, _) => format!(
                "{} was removed: create it, and start this program again",
                self.opened_place.for_the_user()
            ),
            (false, "") => "try again: a write creates it".to_owned(),
            (false, _) => format!("a write creates it, or correct {ROOT_VARIABLE}"),
        }
    }
}

/// The folder that was used last, for the next file.
#[derive(Default)]
pub(crate) struct OpenFolder(Option<(String, Folder)>);

impl OpenFolder {
    /// Returns the folder of a key, open, and the name in it.
    pub(crate) fn of<'k>(
        &mut self,
        root: &Root,
        verb: &str,
        object: &'k str,
    ) -> Result<(&Folder, &'k str), NotOpened> {
        let (folder, name) = key::split(object);
        let open = match self.0.take() {
            Some(same) if same.0 == folder => same,
            _ => {
                let opened = root.open().map_err(NotOpened::Root)?.open(folder);
                let failed =
                    |cause| Failure::new(Step::Looking, verb, &root.place_of(object), cause);
                (folder.to_owned(), opened.map_err(failed).map_err(NotOpened::Folder)?)
            }
        };
        Ok((&self.0.insert(open).1, name))
    }
}

/// The reason that the folder of a key was not opened.
pub(crate) enum NotOpened {
    Root(StoreError),
    Folder(Failure),
}
