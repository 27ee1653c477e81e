//! The folder of the cache's files: the owners it trusts, and the replacement of a file.

use std::fs::{self, DirBuilder, File, Metadata, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use tempfile::Builder;

use super::entry::{self, Key};
use super::found::Found;
use super::surplus::{self, CacheFile, UNFINISHED_SUFFIX};
use super::unusable::Unusable;
use crate::limits::CACHED_BYTES_MAX;

/// The folder below the cache folder. The cache does not own other entries there.
const NAME: &str = "compiled";

/// The time of the last use is set again if it is older than this.
const USE_IS_NOTED_AFTER: Duration = Duration::from_secs(3_600);

/// A folder that belongs to this user, as its files must.
pub(super) struct Folder(PathBuf);

impl Folder {
    /// Opens the folder below the cache folder `cache`; creates both if they do not exist.
    pub(super) fn open(cache: &Path) -> Result<Self, Unusable> {
        // A user who links a cache folder to another place wants it there. Below it no link is
        // needed.
        make(cache, true)?;
        let metadata = cache.metadata().map_err(|e| Unusable::system("inspect", cache, e))?;
        check_folder(cache, &metadata)?;
        let folder = cache.join(NAME);
        make(&folder, false)?;
        let metadata =
            folder.symlink_metadata().map_err(|e| Unusable::system("inspect", &folder, e))?;
        check_folder(&folder, &metadata)?;
        Ok(Self(folder))
    }

    pub(super) fn path_of(&self, key: &Key) -> PathBuf {
        self.0.join(key.file_name())
    }

    /// Opens the file of a key, if there is one.
    pub(super) fn find(&self, key: &Key) -> Result<Option<Found>, Unusable> {
        let path = self.path_of(key);
        let file = match open_no_link(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(_) if path.is_symlink() => {
                return Err(Unusable::untrusted(&path, "is a link, which is not followed"));
            }
            Err(error) => return Err(Unusable::system("open", &path, error)),
        };
        let metadata = file.metadata().map_err(|e| Unusable::system("inspect", &path, e))?;
        if !metadata.is_file() {
            return Err(Unusable::untrusted(&path, "is not a file"));
        }
        check_owner(&path, &metadata)?;
        if metadata.len() > CACHED_BYTES_MAX {
            return Err(Unusable::untrusted(&path, "is larger than the cache permits"));
        }
        note_use(&file, &metadata);
        Ok(Some(Found { file, path, bytes: metadata.len() }))
    }

    /// Keeps code under a key, and replaces any file of that name.
    pub(super) fn keep(&self, key: &Key, code: &[u8]) -> Result<(), Unusable> {
        let path = self.path_of(key);
        let replace = || -> io::Result<()> {
            // If it fails, the file is removed now or later, with other unfinished files.
            let mut file = Builder::new()
                .prefix(&key.file_name())
                .suffix(UNFINISHED_SUFFIX)
                .make_in(&self.0, create_private)?;
            file.as_file_mut().write_all(code)?;
            file.as_file_mut().write_all(&entry::tail_of(key, code))?;
            file.persist(&path)?;
            Ok(())
        };
        replace().map_err(|error| Unusable::system("write", &path, error))
    }

    /// Removes files beyond the bounds and unfinished files of ended processes. Keeps the file of
    /// `key`.
    pub(super) fn remove_surplus(&self, key: &Key) -> Result<(), Unusable> {
        let list = || -> io::Result<Vec<CacheFile>> {
            let mut found = Vec::new();
            for file in fs::read_dir(&self.0)? {
                let file = file?;
                let (Ok(name), Ok(metadata)) = (file.file_name().into_string(), file.metadata())
                else {
                    continue;
                };
                let used = metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH);
                found.push(CacheFile { name, bytes: metadata.len(), used });
            }
            Ok(found)
        };
        let found = list().map_err(|error| Unusable::system("list", &self.0, error))?;
        for name in surplus::surplus(found, &key.file_name(), SystemTime::now()) {
            // Another process may have removed it, or may keep it open: the next one tries again.
            fs::remove_file(self.0.join(name)).ok();
        }
        Ok(())
    }
}

/// Makes a folder that only this user can enter, with any umask.
fn make(folder: &Path, with_parents: bool) -> Result<(), Unusable> {
    let mut builder = DirBuilder::new();
    builder.recursive(with_parents);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    match builder.create(folder) {
        Ok(()) => Ok(()),
        // The caller checks the existing entry.
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(Unusable::system("create the folder", folder, error)),
    }
}

fn check_folder(path: &Path, metadata: &Metadata) -> Result<(), Unusable> {
    if metadata.is_symlink() {
        return Err(Unusable::untrusted(path, "is a link, which is not followed"));
    }
    if !metadata.is_dir() {
        return Err(Unusable::untrusted(path, "is not a folder"));
    }
    check_owner(path, metadata)
}

/// Refuses a path that another user owns or may write to.
#[cfg(unix)]
fn check_owner(path: &Path, metadata: &Metadata) -> Result<(), Unusable> {
    use std::os::unix::fs::MetadataExt as _;

    /// Write permission of the group and of others.
    const OTHERS_WRITE: u32 = 0o022;

    let (owner, user) = (metadata.uid(), rustix::process::geteuid().as_raw());
    if owner != user {
        return Err(Unusable::untrusted(
            path,
            format!(
                "belongs to the user {owner}, and this process runs as the user {user}: give \
                 this process its own cache folder, or none"
            ),
        ));
    }
    if metadata.mode() & OTHERS_WRITE != 0 {
        let mode = metadata.mode() & 0o7777;
        return Err(Unusable::untrusted(
            path,
            format!("can be written by others (its mode is {mode:04o}): run `chmod go-w` on it"),
        ));
    }
    Ok(())
}

/// On other systems, the system closes the folder of the user's profile to others.
#[cfg(not(unix))]
fn check_owner(_: &Path, _: &Metadata) -> Result<(), Unusable> {
    Ok(())
}

/// Opens a file for reading; refuses a link, and does not wait for a pipe.
fn open_no_link(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    {
        use rustix::fs::OFlags;

        let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK;
        std::os::unix::fs::OpenOptionsExt::custom_flags(&mut options, flags.bits().cast_signed());
    }
    options.open(path)
}

/// Creates a file that only this user can read.
fn create_private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Sets the time of the last use, which decides the files to remove.
fn note_use(file: &File, metadata: &Metadata) {
    let now = SystemTime::now();
    let is_due = metadata
        .modified()
        .map_or(true, |used| now.duration_since(used).is_ok_and(|age| age > USE_IS_NOTED_AFTER));
    if is_due {
        // On a read-only disk the time stays as it was.
        file.set_modified(now).ok();
    }
}
