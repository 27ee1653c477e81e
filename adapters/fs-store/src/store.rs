//! The store: the calls of the contract on the files below the root.
//!
//! Owns: which folders were swept. Must not know: a step of a write, or the permitted entries of a
//! folder.
//!
//! 1. A create is always exclusive, so `exclusive` changes nothing and nothing is probed.
//! 2. A create has ended when it started: WASI 0.2 has no other way to wait for a sync.
//! 3. A delete is not synced: after a power cut an object may be back.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::ops::Range;
use std::rc::Rc;
use std::time::{SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use stratalog_store_exports::logging::log;
use stratalog_store_exports::store::{Ended, Store, Upload};
use stratalog_store_rules::error::{
    DeleteFailure, Outcome, StoreError, StoreErrorKind, WriteError,
};
use stratalog_store_rules::folder::failure::Step;
use stratalog_store_rules::key::{self, Prefix};
use stratalog_store_rules::log_level::Level;
use stratalog_store_rules::objects::ObjectRange;

use crate::failure::{Cause, Failure};
use crate::folder::Folder;
use crate::listing::FolderListing;
use crate::new_file::{NewFile, Published};
use crate::read::{self, FolderRead};
use crate::root::{NotOpened, OpenFolder, Root};
use crate::{names, stale_files};

thread_local! {
    static SHARED: Rc<FolderStore> = Rc::new(FolderStore::new());
}

/// The files below the root.
pub(crate) struct FolderStore {
    /// Found once; a failure is that of each call.
    root: Result<Rc<Root>, StoreError>,
    /// Folders from which stale files were removed.
    swept: RefCell<BTreeSet<String>>,
}

impl FolderStore {
    fn new() -> Self {
        Self { root: Root::find().map(Rc::new), swept: RefCell::default() }
    }

    fn root(&self) -> Result<&Rc<Root>, StoreError> {
        self.root.as_ref().map_err(Clone::clone)
    }

    /// Begins the file of an object.
    fn begin(&self, key: &str) -> Result<NewFile, WriteError> {
        names::check(key).map_err(WriteError::NotWritten)?;
        let root = self.root().map_err(WriteError::NotWritten)?;
        let open = root.make().map_err(WriteError::NotWritten)?;
        self.sweep_once(root, key);
        let begun = NewFile::begin(open, key);
        begun.map_err(|failure| fate_of(root, failure, "create", key))
    }

    fn fate(&self, key: &str, published: Result<Published, Failure>) -> Outcome {
        match published {
            Ok(Published::Created) => Ok(()),
            Ok(Published::AlreadyExists) => Err(WriteError::AlreadyExists),
            Err(failure) => {
                let root = self.root().map_err(WriteError::Unknown)?;
                Err(fate_of(root, failure, "create", key))
            }
        }
    }

    /// Removes the files that killed processes have left in the folder of `key`, unless that was
    /// done.
    fn sweep_once(&self, root: &Root, key: &str) {
        let folder = key::split(key).0;
        if !self.swept.borrow_mut().insert(folder.to_owned()) {
            return;
        }
        let path = root.place_of(folder);
        match sweep(root, folder) {
            Ok(0) => {}
            Ok(files) => {
                let message = format!("removed {files} files that killed processes left in {path}");
                log(Level::Info, "store", &message);
            }
            Err(reason) => {
                let message = format!("cannot remove abandoned files from {path}: {reason}");
                log(Level::Info, "store", &message);
            }
        }
    }
}

fn sweep(root: &Root, folder: &str) -> Result<usize, String> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    let open = root.open().map_err(|error| error.message)?;
    match open.open(folder) {
        Err(cause) if cause.is_not_found() => Ok(0),
        open => {
            let swept: Result<usize, Cause> = open.and_then(|open| stale_files::sweep(&open, now));
            swept.map_err(|cause| cause.to_string())
        }
    }
}

impl Store for FolderStore {
    type Create = Ended;
    type Listing = FolderListing;
    type Read = FolderRead;
    type Upload = FolderUpload;

    fn shared() -> Rc<Self> {
        SHARED.with(Rc::clone)
    }

    fn create(&self, key: &str, pieces: &[Bytes], _exclusive: bool) -> Outcome {
        let mut file = self.begin(key)?;
        let written = pieces.iter().try_for_each(|bytes| file.write(bytes));
        self.fate(key, written.and_then(|()| file.publish()))
    }

    fn start_create(self: Rc<Self>, key: String, pieces: Vec<Bytes>, exclusive: bool) -> Ended {
        Ended(self.create(&key, &pieces, exclusive))
    }

    fn ensure_exclusive(&self, prefix: &str) -> Result<(), StoreError> {
        Prefix::parse(prefix)?;
        self.root().map(drop)
    }

    fn get(&self, key: &str, range: Option<Range<u64>>) -> Result<Vec<u8>, StoreError> {
        read::get(self.root()?, key, range)
    }

    fn list(
        self: Rc<Self>,
        prefix: String,
        start_after: Option<String>,
        with_sizes: bool,
    ) -> FolderListing {
        FolderListing::new(self.root.clone(), prefix, start_after, with_sizes)
    }

    fn delete(&self, keys: Vec<String>) -> Vec<DeleteFailure> {
        let mut folders = OpenFolder::default();
        let opened = self.root().and_then(|root| Ok((root, root.open_existing()?)));
        let failures = keys.into_iter().filter_map(|key| {
            let deleted = names::check(&key).and_then(|()| match &opened {
                Err(error) => Err(error.clone()),
                Ok((_, None)) => Ok(()),
                Ok((root, Some(_))) => delete_one(root, &mut folders, &key),
            });
            deleted.err().map(|error| DeleteFailure { key, error })
        });
        failures.collect()
    }

    fn read(self: Rc<Self>, ranges: Vec<ObjectRange>) -> FolderRead {
        FolderRead::new(self.root.clone(), ranges)
    }

    fn start_upload(self: Rc<Self>, key: String) -> Result<FolderUpload, WriteError> {
        let file = self.begin(&key)?;
        Ok(FolderUpload { store: self, key, file })
    }
}

/// Returns the fate of an object whose write failed. A folder on the way may have vanished.
fn fate_of(root: &Root, failure: Failure, action: &str, key: &str) -> WriteError {
    let failure = match failure.kind() {
        StoreErrorKind::NotFound => failure.or_remedy(root.remedy_of_a_missing_folder()),
        _ => failure,
    };
    failure.into_fate(action, key, root.description())
}

/// Removes the file of an object. A missing one counts as removed.
fn delete_one(root: &Root, folders: &mut OpenFolder, key: &str) -> Result<(), StoreError> {
    let opened = folders.of(root, "delete", key);
    let removed = opened.and_then(|(folder, name)| remove(root, folder, key, name));
    match removed {
        Ok(()) => Ok(()),
        Err(NotOpened::Root(error)) => Err(error),
        Err(NotOpened::Folder(failure)) if failure.cause.is_not_found() => Ok(()),
        Err(NotOpened::Folder(failure)) => {
            Err(failure.into_error("delete", key, root.description()))
        }
    }
}

fn remove(root: &Root, folder: &Folder, key: &str, name: &str) -> Result<(), NotOpened> {
    let failed = |cause| Failure::new(Step::Looking, "delete", &root.place_of(key), cause);
    folder.remove(name).map_err(|cause| NotOpened::Folder(failed(cause)))
}

/// An object that is written piece by piece, into its unfinished file.
pub(crate) struct FolderUpload {
    store: Rc<FolderStore>,
    key: String,
    file: NewFile,
}

impl Upload for FolderUpload {
    fn write(&mut self, bytes: Bytes) -> Outcome {
        let written = self.file.write(&bytes);
        written.map_err(|failure| match self.store.root() {
            Ok(root) => fate_of(root, failure, "write", &self.key),
            Err(error) => WriteError::NotWritten(error),
        })
    }

    fn finish(self) -> Outcome {
        let published = self.file.publish();
        self.store.fate(&self.key, published)
    }
}
