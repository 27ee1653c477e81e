//! A local folder as a store: made on the first write, listed and made durable here.
//!
//! Owns: the root folder's life, listing a folder, and syncing it.
//! Must not know: what the files are for, or any other kind of store.
//!
//! 1. Only a write makes the root folder; a read of a missing one says so.
//! 2. The root folder and its new parents are synced before anything is written below.
//! 3. A name that is no key (not UTF-8, a control character, a staging file) is passed over.
//! 4. Files that vanish while a folder is listed are left out, never an error.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::SystemTime;

use object_store::ObjectStore;
use object_store::local::LocalFileSystem;
use object_store::path::Path as ObjectPath;

use super::abandoned;
use super::error::{StoreError, StoreErrorKind};
use super::list::ListedObject;

/// A root folder and, once it exists, the library's store on it.
pub(super) struct LocalFolder {
    root: PathBuf,
    opened: OnceLock<Arc<LocalFileSystem>>,
    /// Folders that were rid of abandoned files.
    swept: Mutex<BTreeSet<PathBuf>>,
}

impl LocalFolder {
    pub(super) fn new(root: PathBuf) -> Self {
        Self { root, opened: OnceLock::new(), swept: Mutex::default() }
    }

    /// The root folder, absolute.
    pub(super) fn root(&self) -> &Path {
        &self.root
    }

    /// Says whether the root folder is there now.
    pub(super) async fn exists(&self) -> Result<bool, StoreError> {
        match tokio::fs::metadata(&self.root).await {
            Ok(metadata) if metadata.is_dir() => Ok(true),
            Ok(_) => Err(folder_error(&self.root, "use", &io::ErrorKind::NotADirectory.into())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(folder_error(&self.root, "look at", &error)),
        }
    }

    /// Returns the store on the folder, which must be there.
    pub(super) async fn for_read(&self) -> Result<Arc<dyn ObjectStore>, StoreError> {
        Ok(self.open(false).await?)
    }

    /// Returns the file of an object; the folder must be there.
    pub(super) async fn path_of(
        &self,
        object: &ObjectPath,
    ) -> Result<object_store::Result<PathBuf>, StoreError> {
        Ok(self.open(false).await?.path_to_filesystem(object))
    }

    /// Returns the store on the folder, which is made first if it is missing.
    pub(super) async fn for_write(&self) -> Result<Arc<dyn ObjectStore>, StoreError> {
        Ok(self.open(true).await?)
    }

    async fn open(&self, create: bool) -> Result<Arc<LocalFileSystem>, StoreError> {
        if let Some(store) = self.opened.get() {
            return Ok(Arc::clone(store));
        }
        let root = self.root.clone();
        let store = blocking(move || {
            if create {
                create_synced(&root).map_err(|error| folder_error(&root, "create", &error))?;
            }
            // Asked first, as the library's error for a missing folder is hard to tell apart.
            let metadata =
                fs::metadata(&root).map_err(|error| folder_error(&root, "open", &error))?;
            if !metadata.is_dir() {
                let error = io::ErrorKind::NotADirectory.into();
                return Err(folder_error(&root, "open", &error));
            }
            let store = LocalFileSystem::new_with_prefix(&root).map_err(|error| {
                let message = format!("cannot open the folder {}: {error}", root.display());
                StoreError::new(StoreErrorKind::Other, message)
            })?;
            Ok(Arc::new(store.with_fsync(true)))
        })
        .await?;
        Ok(Arc::clone(self.opened.get_or_init(|| store)))
    }

    /// Returns the files directly in `folder` (empty, or ending in `/`) whose name starts with
    /// `name_start` and whose key comes after `start_after`: the first `limit`, sorted, and
    /// whether there are more. A missing folder has none.
    pub(super) async fn list(
        &self,
        folder: String,
        name_start: String,
        start_after: Option<String>,
        limit: usize,
    ) -> Result<(Vec<ListedObject>, bool), StoreError> {
        let directory = self.root.join(&folder);
        blocking(move || {
            let mut keys = Vec::new();
            let entries = match fs::read_dir(&directory) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    return Ok((vec![], false));
                }
                entries => entries.map_err(|error| folder_error(&directory, "list", &error))?,
            };
            for entry in entries {
                let entry = entry.map_err(|error| folder_error(&directory, "list", &error))?;
                let name = entry.file_name();
                let Some(name) = name.to_str() else { continue };
                if !name.starts_with(&name_start) || !is_object_name(name) {
                    continue;
                }
                let key = format!("{folder}{name}");
                let is_next = start_after.as_deref().is_none_or(|after| key.as_str() > after);
                if is_next && entry.file_type().is_ok_and(|kind| !kind.is_dir()) {
                    keys.push(key);
                }
            }
            keys.sort_unstable();
            let more = keys.len() > limit;
            keys.truncate(limit);
            // Only what is returned is looked at: one call to the file system per object.
            let mut objects = Vec::with_capacity(keys.len());
            for key in keys {
                let name = key.strip_prefix(&folder).unwrap_or(&key);
                match fs::metadata(directory.join(name)) {
                    Ok(metadata) if metadata.is_file() => {
                        objects.push(ListedObject { size: metadata.len(), key })
                    }
                    Ok(_) => {}
                    Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                    Err(error) => return Err(folder_error(&directory, "list", &error)),
                }
            }
            Ok((objects, more))
        })
        .await
    }

    /// Removes what killed processes have left in the folder of `key`, unless that was done.
    pub(super) async fn sweep_once(&self, key: &str) {
        let path = self.root.join(key);
        let Some(folder) = path.parent().map(Path::to_owned) else { return };
        let is_new = {
            // Nothing panics while it holds the lock.
            let mut swept = self.swept.lock().unwrap_or_else(PoisonError::into_inner);
            swept.insert(folder.clone())
        };
        if !is_new {
            return;
        }
        let swept = blocking(move || match abandoned::sweep(&folder, SystemTime::now()) {
            Ok(0) => Ok(()),
            Ok(files) => {
                let folder = folder.display();
                tracing::info!("removed {files} files that killed processes left in {folder}");
                Ok(())
            }
            Err(error) => Err(folder_error(&folder, "remove abandoned files from", &error)),
        });
        if let Err(error) = swept.await {
            tracing::info!("{error}");
        }
    }

    /// Makes the name of an existing file durable.
    ///
    /// Who finds a name taken may be faster than the sync of the one who took it.
    pub(super) async fn sync_folder_of(&self, key: &str) -> Result<(), StoreError> {
        let path = self.root.join(key);
        blocking(move || {
            let Some(folder) = path.parent() else {
                return Ok(());
            };
            sync_folder(folder).map_err(|error| folder_error(folder, "sync", &error))
        })
        .await
    }
}

/// Says whether a file of that name can be an object: a staging file (`name#1`) cannot.
fn is_object_name(name: &str) -> bool {
    !abandoned::is_under_way(name) && !name.chars().any(char::is_control)
}

/// Makes a folder and its parents, and syncs each folder that got a new entry.
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
pub(super) async fn blocking<T, F>(work: F) -> Result<T, StoreError>
where
    T: Send + 'static,
    F: FnOnce() -> Result<T, StoreError> + Send + 'static,
{
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(_) => Err(StoreError::new(
            StoreErrorKind::Unavailable,
            "the file system work was stopped: the runtime is shutting down",
        )),
    }
}

fn folder_error(folder: &Path, action: &str, error: &io::Error) -> StoreError {
    use io::ErrorKind as K;
    let kind = match error.kind() {
        K::NotFound => StoreErrorKind::NotFound,
        K::PermissionDenied | K::ReadOnlyFilesystem => StoreErrorKind::PermissionDenied,
        K::NotADirectory | K::AlreadyExists | K::InvalidFilename => StoreErrorKind::Invalid,
        K::StorageFull | K::QuotaExceeded => StoreErrorKind::Unavailable,
        _ => StoreErrorKind::Other,
    };
    let folder = folder.display();
    StoreError::new(kind, format!("cannot {action} the folder {folder}: {error}"))
}
