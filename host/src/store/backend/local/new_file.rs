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

use std::fs::File;
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use stratalog_store_rules::folder::entry::Wanted;
use stratalog_store_rules::folder::failure::Step;
use stratalog_store_rules::folder::link::{Found, Linked, after_failed_link};
use stratalog_store_rules::key;

use super::below::{Folder, Identity};
use super::failure::{Cause, Failure};
use super::folder_sync::FolderSyncs;

/// A log's writer is alone with its names. This many temporary files are an attack, or a defect.
const STAGED_MAX: u32 = 10_000;

/// A file that does not have its name yet. Dropping it removes the file.
pub(crate) struct NewFile {
    folder: Folder,
    name: String,
    path: PathBuf,
    aside: String,
    /// Absent when everything is written.
    file: Option<File>,
}

/// The outcome of giving the name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Published {
    Created,
    AlreadyExists,
}

impl NewFile {
    /// Begins a file, and creates its folder.
    pub(crate) fn begin(root: &Path, object: &str) -> Result<Self, Failure> {
        let (folder, name) = key::split(object);
        let path = root.join(object);
        let failed = |cause: Cause| Failure::new(Step::Staging, "create", &path, cause);
        let folder = Folder::make(root, folder).map_err(failed)?;
        for number in 1..=STAGED_MAX {
            let aside = format!("{name}#{number}");
            match folder.create_file(&aside) {
                Ok(file) => {
                    let (name, file) = (name.to_owned(), Some(file));
                    return Ok(Self { folder, name, path, aside, file });
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(failed(error.into())),
            }
        }
        let taken = format!("{STAGED_MAX} unfinished files {name}#NUMBER exist; remove them");
        Err(failed(io::Error::other(taken).into()))
    }

    /// Appends bytes.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        let written = self.open().and_then(|file| file.write_all(bytes));
        written.map_err(|error| self.failed(Step::Staging, "write", error))
    }

    /// Writes bytes at an offset from the beginning.
    pub(crate) fn write_at(&mut self, start: u64, bytes: &[u8]) -> Result<(), Failure> {
        let sought = self.open().and_then(|file| file.seek(SeekFrom::Start(start)));
        sought.map_err(|error| self.failed(Step::Staging, "write", error))?;
        self.write(bytes)
    }

    /// Makes the file durable under its name.
    pub(crate) fn publish(mut self, syncs: &FolderSyncs) -> Result<Published, Failure> {
        let synced = self.open().and_then(|file| {
            file.sync_all()?;
            Identity::of_file(file)
        });
        let identity = synced.map_err(|error| self.failed(Step::Staging, "sync", error))?;
        // Some file systems keep only files that were closed.
        self.file = None;
        let published = self.link(identity)?;
        // A process that finds the name taken may be faster than the sync of the process that took
        // it.
        let synced = syncs.sync(&self.folder);
        synced.map_err(|error| self.failed(Step::Publishing, "sync the folder of", error))?;
        Ok(published)
    }

    fn link(&self, identity: Option<Identity>) -> Result<Published, Failure> {
        let error = match self.folder.link(&self.aside, &self.name) {
            Ok(()) => return Ok(Published::Created),
            Err(error) => error,
        };
        let found = match self.folder.inspect(&self.name) {
            Ok(entry) if identity.is_some() && entry.identity == identity => Found::Itself,
            Ok(entry) => Found::Other(entry.what),
            Err(gone) if gone.kind() == io::ErrorKind::NotFound => Found::Nothing,
            Err(unseen) => Found::Unknown(unseen),
        };
        match after_failed_link(error.kind() == io::ErrorKind::AlreadyExists, found) {
            Linked::Created => Ok(Published::Created),
            Linked::AlreadyExists => Ok(Published::AlreadyExists),
            Linked::InTheWay(what) => {
                let (path, wanted) = (self.path.clone(), Wanted::File);
                Err(self.failed(Step::Linking, "name", Cause::InTheWay { path, what, wanted }))
            }
            Linked::NotLinked => Err(self.failed(Step::Linking, "name", error)),
            Linked::Unknown(unseen) => Err(self.failed(Step::Publishing, "inspect", unseen)),
        }
    }

    fn open(&mut self) -> io::Result<&mut File> {
        self.file.as_mut().ok_or_else(|| io::Error::other("the file is closed"))
    }

    fn failed(&self, step: Step, verb: &str, cause: impl Into<Cause>) -> Failure {
        Failure::new(step, verb, &self.path, cause)
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
                let aside = self.folder.path_of(&self.aside);
                tracing::info!("cannot remove {}: {cause}", aside.display());
            }
        }
    }
}
