//! A local folder as a store: created by the first write, and made durable here.
//!
//! Owns: the root folder's life, and syncing it.
//! Must not know: the purpose of the files, or any other kind of store.
//!
//! 1. Only a write creates the root folder. A read of a missing one fails and says so.
//! 2. The root folder and its new parents are synced before anything is written below.
//! 3. A name that is no key (not UTF-8, a control character) is ignored.

pub(super) mod below;
mod deletes;
pub(super) mod failure;
mod folder_sync;
mod list;
mod new_file;
mod objects;
mod pace;
mod scan;

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::SystemTime;

use object_store::ObjectStore;
use stratalog_store_rules::folder::failure::{Access, Reason, Step};
use stratalog_store_rules::folder::names::{UNFINISHED_NAME, is_unfinished};
use stratalog_store_rules::key::split;

use crate::store::backend::stale_files;
use crate::store::error::{LOCAL, StoreError, StoreErrorKind};
use objects::FolderObjects;

use crate::numbers::{count, to_u64};
pub(crate) use below::{Folder, OpenFolder};
pub(crate) use failure::{Cause, Failure};
use failure::{reason_of, remedy, shown};
pub(crate) use list::FolderListing;
#[cfg(test)]
pub(crate) use list::Work;
pub(crate) use pace::{Pace, RUN_TIME};

/// A root folder and, once it exists, the store on it.
pub(crate) struct LocalFolder {
    root: PathBuf,
    opened: OnceLock<Arc<FolderObjects>>,
    /// Folders from which stale files were removed.
    swept: Mutex<BTreeSet<String>>,
}

impl LocalFolder {
    pub(crate) fn new(root: PathBuf) -> Self {
        Self { root, opened: OnceLock::new(), swept: Mutex::default() }
    }

    /// Returns the root folder, as an absolute path.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Returns whether the root folder exists now.
    pub(crate) async fn exists(&self) -> Result<bool, StoreError> {
        match tokio::fs::metadata(&self.root).await {
            Ok(metadata) if metadata.is_dir() => Ok(true),
            Ok(_) => Err(folder_error(&self.root, "use", &io::ErrorKind::NotADirectory.into())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(folder_error(&self.root, "inspect", &error)),
        }
    }

    /// Returns the store on the folder, which must exist.
    pub(crate) async fn for_read(&self) -> Result<Arc<dyn ObjectStore>, StoreError> {
        Ok(self.open(false).await?)
    }

    /// Returns the root folder, which must exist.
    pub(crate) async fn root_there(&self) -> Result<Arc<Path>, StoreError> {
        Ok(self.open(false).await?.root())
    }

    /// Returns the store on the folder, and creates a missing folder first.
    pub(crate) async fn for_write(&self) -> Result<Arc<dyn ObjectStore>, StoreError> {
        Ok(self.open(true).await?)
    }

    async fn open(&self, create: bool) -> Result<Arc<FolderObjects>, StoreError> {
        if let Some(store) = self.opened.get() {
            return Ok(Arc::clone(store));
        }
        let root = self.root.clone();
        blocking(move || {
            if create {
                create_synced(&root).map_err(|error| folder_error(&root, "create", &error))?;
            }
            let metadata =
                fs::metadata(&root).map_err(|error| folder_error(&root, "open", &error))?;
            if !metadata.is_dir() {
                let error = io::ErrorKind::NotADirectory.into();
                return Err(folder_error(&root, "open", &error));
            }
            Ok(())
        })
        .await?;
        let store = Arc::new(FolderObjects::new(self.root.clone()));
        Ok(Arc::clone(self.opened.get_or_init(|| store)))
    }

    /// Removes the files that killed processes have left in the folder of `key`, unless that was
    /// done.
    pub(crate) async fn sweep_once(&self, key: &str) {
        let folder = split(key).0.to_owned();
        let is_new = {
            // Nothing panics while it holds the lock.
            let mut swept = self.swept.lock().unwrap_or_else(PoisonError::into_inner);
            swept.insert(folder.clone())
        };
        if !is_new {
            return;
        }
        let root = self.root.clone();
        let swept = blocking(move || {
            let path = root.join(&folder);
            let swept = match Folder::open(&root, &folder) {
                Err(cause) if cause.is_not_found() => return Ok(()),
                open => open.and_then(|open| stale_files::sweep(&open, SystemTime::now())),
            };
            match swept {
                Ok(0) => Ok(()),
                Ok(files) => {
                    let folder = path.display();
                    tracing::info!(
                        "removed {} that killed processes left in {folder}",
                        count(to_u64(files), "file", "files")
                    );
                    Ok(())
                }
                Err(cause) => {
                    let verb = "remove abandoned files from";
                    let failure = Failure::new(Step::Looking, verb, &path, cause);
                    Err(StoreError::new(failure.kind(), failure.to_string()))
                }
            }
        });
        if let Err(error) = swept.await {
            tracing::info!("{error}");
        }
    }
}

/// Refuses the key of a file that cannot be an object: an unfinished file has such a name.
pub(crate) fn checked_key(key: &str) -> Result<&str, Cause> {
    if is_unfinished(split(key).1) {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, UNFINISHED_NAME).into());
    }
    Ok(key)
}

/// Returns whether a file of that name can be an object. A staging file (`name#1`) cannot.
fn is_object_name(name: &str) -> bool {
    !is_unfinished(name) && !name.chars().any(char::is_control)
}

/// Creates a folder and its parents, and syncs each folder that got a new entry.
fn create_synced(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    let existing = folder.ancestors().skip(1).find(|parent| parent.exists());
    fs::create_dir_all(folder)?;
    for changed in folder.ancestors().skip(1) {
        sync_folder(changed)?;
        if Some(changed) == existing {
            break;
        }
    }
    Ok(())
}

fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(unix) { fs::File::open(folder)?.sync_all() } else { Ok(()) }
}

/// Runs file system work where it may block.
pub(crate) async fn blocking<T, F>(work: F) -> Result<T, StoreError>
where
    T: Send + 'static,
    F: FnOnce() -> Result<T, StoreError> + Send + 'static,
{
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(_) => Err(StoreError::new(
            StoreErrorKind::Unavailable,
            "the file system call was stopped: the runtime is shutting down",
        )),
    }
}

fn folder_error(folder: &Path, action: &str, error: &io::Error) -> StoreError {
    let kind = match reason_of(error) {
        Reason::Exists => StoreErrorKind::Invalid,
        reason => reason.kind(Step::Looking),
    };
    let access = if action == "create" { Access::Write } else { Access::Read };
    let remedy = remedy(folder, access, error).map_or_else(String::new, |text| format!("; {text}"));
    let (folder, cause) = (folder.display(), shown(error));
    StoreError::new(kind, format!("cannot {action} the folder {folder}: {cause}{remedy}"))
}
