//! A file that becomes an object: written under a temporary name, then given its name if that is
//! free.
//!
//! Owns: the steps that lead to a durable name, and the fate at each.
//! Must not know: the content that is written.
//!
//! 1. The name appears in one step, on a file that is whole and synced, or not at all.
//! 2. Until then the file is in the same folder, as `NAME#1` or with another number.
//! 3. A failure up to the link is certain. So is a failed link: a check shows whether the name
//!    nevertheless belongs to this very file. A failure after the link leaves a doubt.
//! 4. A name that is taken is "already exists" only if a regular file has it.

use stratalog_store_exports::logging::log;
use stratalog_store_rules::folder::entry::{Wanted, What};
use stratalog_store_rules::folder::failure::{Reason, Step};
use stratalog_store_rules::folder::link::{Found, Linked, after_failed_link};
use stratalog_store_rules::key;
use stratalog_store_rules::log_level::Level;

use crate::failure::{Cause, Failure, SystemError};
use crate::folder::{Entry, Folder, WritableFile};
use crate::root_path::Place;

/// A log's writer is alone with its names. This many temporary files are an attack, or a defect.
const STAGED_MAX: u32 = 10_000;

/// A file that does not have its name yet. Dropping it removes the file.
pub(crate) struct NewFile {
    folder: Folder,
    name: String,
    place: Place,
    aside: String,
    /// None when everything is written.
    file: Option<WritableFile>,
}

/// The outcome of giving the name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Published {
    Created,
    AlreadyExists,
}

impl NewFile {
    /// Begins a file below the root, and creates its folder.
    pub(crate) fn begin(root: Folder, object: &str) -> Result<Self, Failure> {
        let (folder, name) = key::split(object);
        let place = root.place_of(object);
        let failed = |cause: Cause| Failure::new(Step::Staging, "create", &place, cause);
        let folder = root.make(folder).map_err(failed)?;
        for number in 1..=STAGED_MAX {
            let aside = format!("{name}#{number}");
            match folder.create_file(&aside) {
                Ok(file) => {
                    let (name, file) = (name.to_owned(), Some(file));
                    return Ok(Self { folder, name, place, aside, file });
                }
                Err(error) if error.reason == Reason::Exists => {}
                Err(error) => return Err(failed(error.into())),
            }
        }
        let text = "10,000 unfinished files of this name exist; remove them";
        Err(failed(SystemError { reason: Reason::Other, text }.into()))
    }

    /// Appends bytes.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        let written = self.open().and_then(|file| file.append(bytes));
        written.map_err(|error| self.failed(Step::Staging, "write", error))
    }

    /// Makes the file durable under its name.
    pub(crate) fn publish(mut self) -> Result<Published, Failure> {
        let synced = self.open().and_then(|file| file.sync());
        synced.map_err(|error| self.failed(Step::Staging, "sync", error))?;
        // Some file systems keep only files that were closed.
        self.file = None;
        let published = self.link()?;
        // A process that finds the name taken may be faster than the sync of the process that took
        // it.
        let synced = self.folder.sync();
        synced.map_err(|error| self.failed(Step::Publishing, "sync the folder of", error))?;
        Ok(published)
    }

    fn link(&self) -> Result<Published, Failure> {
        let error = match self.folder.link(&self.aside, &self.name) {
            Ok(()) => return Ok(Published::Created),
            Err(error) => error,
        };
        let found = match self.folder.inspect(&self.name) {
            Ok(Entry { what: What::File, .. }) if self.has_its_name() => Found::Itself,
            Ok(entry) => Found::Other(entry.what),
            Err(gone) if gone.reason == Reason::NotFound => Found::Nothing,
            Err(unseen) => Found::Unknown(unseen),
        };
        match after_failed_link(error.reason == Reason::Exists, found) {
            Linked::Created => Ok(Published::Created),
            Linked::AlreadyExists => Ok(Published::AlreadyExists),
            Linked::InTheWay(what) => {
                let (place, wanted) = (self.place.clone(), Wanted::File);
                Err(self.failed(Step::Linking, "name", Cause::InTheWay { place, what, wanted }))
            }
            Linked::NotLinked => Err(self.failed(Step::Linking, "name", error)),
            Linked::Unknown(unseen) => Err(self.failed(Step::Publishing, "inspect", unseen)),
        }
    }

    /// Returns whether the name belongs to this very file.
    fn has_its_name(&self) -> bool {
        let identities = [&self.aside, &self.name].map(|name| self.folder.identity(name));
        matches!(identities, [Ok(aside), Ok(named)] if aside == named)
    }

    fn open(&mut self) -> Result<&mut WritableFile, SystemError> {
        let closed = SystemError { reason: Reason::Other, text: "the file is closed" };
        self.file.as_mut().ok_or(closed)
    }

    fn failed(&self, step: Step, verb: &str, cause: impl Into<Cause>) -> Failure {
        Failure::new(step, verb, &self.place, cause)
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        self.file = None;
        match self.folder.remove(&self.aside) {
            Ok(()) => {}
            // Another process removed it as stale.
            Err(cause) if cause.is_not_found() => {}
            Err(cause) => {
                let aside = self.folder.place_of(&self.aside);
                log(Level::Info, "store", &format!("cannot remove {aside}: {cause}"));
            }
        }
    }
}
