//! Replaces a file as a whole or not at all, by one process at a time. A process does so once at
//! the end of a command, or repeatedly while it keeps the file.
//!
//! Owns: the file, and two hidden files next to it. `.NAME.stratalog-lock` exists while a process
//! keeps the file, `.NAME.stratalog-new` while the file is being replaced.
//!
//! 1. The lock is the system's and ends with its process, in any case. A lock file that a killed
//!    process left locks nothing.
//! 2. A new file is written next to the old one, synced and renamed. It has the mode, the owner and
//!    the group of the old one. If this user may not give it the group, it keeps the group of new
//!    files, which gets no more rights than all others have, and a warning says so. It is never an
//!    existing file, nor the target of a link.
//! 3. A symbolic link stays one: its target is locked and replaced.

use std::ffi::OsString;
use std::fs::{self, File, Metadata, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf, is_separator};

use tempfile::{NamedTempFile, TempPath};

use crate::terminal::human;

/// The most links that are followed in a row, as on Linux.
const LINKS_MAX: usize = 40;

pub(crate) struct ReplacedFile {
    /// The file itself, after links, with the real path of its folder.
    path: PathBuf,
    _lock: Lock,
}

/// Checks that [`write`] can replace a file, before there is something to write.
pub(crate) fn check(path: &Path) -> io::Result<()> {
    if is_written_to(path) {
        return Ok(());
    }
    match ReplacedFile::keep(path) {
        Ok(file) => file.probe(),
        // The process that holds the lock can replace it. Writing waits for that process.
        Err(NotKept::Locked) => Ok(()),
        Err(NotKept::Error(error)) => Err(error),
    }
}

/// Replaces a file durably, as soon as no other process keeps it. If the path is not a file but,
/// say, a pipe or a terminal, the bytes are written to it.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if is_written_to(path) {
        return fs::write(path, bytes);
    }
    ReplacedFile::wait_for(path)?.replace(bytes)
}

/// Returns whether the path exists and cannot be replaced by a file.
fn is_written_to(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|found| !found.is_file() && !found.is_dir())
}

/// The reason why a file cannot be kept.
pub(crate) enum NotKept {
    /// Another process keeps it.
    Locked,
    Error(io::Error),
}

impl ReplacedFile {
    /// Locks the file for this process; it need not exist.
    pub(crate) fn keep(path: &Path) -> Result<Self, NotKept> {
        let path = follow_links(path).map_err(NotKept::Error)?;
        match Lock::take(sibling(&path, "lock"), File::try_lock) {
            Ok(Some(lock)) => Ok(Self { path, _lock: lock }),
            Ok(None) => Err(NotKept::Locked),
            Err(error) => Err(NotKept::Error(error)),
        }
    }

    /// Locks the file as soon as no other process keeps it.
    fn wait_for(path: &Path) -> io::Result<Self> {
        let path = follow_links(path)?;
        let wait = |file: &File| file.lock().map_err(TryLockError::Error);
        match Lock::take(sibling(&path, "lock"), wait)? {
            Some(lock) => Ok(Self { path, _lock: lock }),
            None => Err(ErrorKind::WouldBlock.into()),
        }
    }

    /// Opens the current file.
    pub(crate) fn open(&self) -> io::Result<File> {
        File::open(&self.path)
    }

    /// Checks that the file can be replaced, before there is something to write.
    pub(crate) fn probe(&self) -> io::Result<()> {
        self.stage()?.file.close()
    }

    /// Replaces the file, durably.
    pub(crate) fn replace(&self, bytes: &[u8]) -> io::Result<()> {
        let Staged { mut file, lost_group } = self.stage()?;
        file.as_file_mut().write_all(bytes)?;
        file.as_file().sync_all()?;
        file.persist(&self.path)?;
        if let Some(group) = lost_group {
            tracing::warn!(
                "{} no longer belongs to group {group}, of which this user is not a member; use \
                 `chgrp` to give it to a group",
                self.path.display()
            );
        }
        if cfg!(unix) {
            File::open(folder_of(&self.path))?.sync_all()?;
        }
        Ok(())
    }

    /// Creates the new file, with the mode and the owner of the old one. It is removed unless it
    /// replaces the old one.
    fn stage(&self) -> io::Result<Staged> {
        let staged = sibling(&self.path, "new");
        match fs::symlink_metadata(&staged) {
            // A killed process left it. While this process has the lock, no process uses it.
            Ok(left) if left.is_file() => fs::remove_file(&staged)?,
            Ok(_) => {
                let message = format!("{} is not a file; remove that entry", staged.display());
                return Err(io::Error::new(ErrorKind::AlreadyExists, message));
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        let old = match fs::metadata(&self.path) {
            Ok(old) => Some(old),
            Err(error) if error.kind() == ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        if old.is_some() {
            private(&mut options);
        }
        let file = options.open(&staged)?;
        let staged = NamedTempFile::from_parts(file, TempPath::try_from_path(staged)?);
        let lost_group = match old {
            Some(old) => take_after(staged.as_file(), &old)?,
            None => None,
        };
        Ok(Staged { file: staged, lost_group })
    }
}

/// A new file that does not replace the old one yet.
struct Staged {
    file: NamedTempFile,
    /// The group of the old file, if the new one cannot have it.
    lost_group: Option<u32>,
}

/// Describes an error at a file that is replaced, and the action to take.
pub(crate) fn explained(error: &io::Error) -> String {
    match error.kind() {
        ErrorKind::NotFound => "its folder does not exist; create the folder first".to_owned(),
        // Other errors than those of the system name their action.
        ErrorKind::PermissionDenied if error.raw_os_error().is_some() => {
            format!("{error}; allow this user to write in its folder, or name another file")
        }
        ErrorKind::ReadOnlyFilesystem => format!("{error}; name a file on another file system"),
        ErrorKind::StorageFull => format!("{error}; free some space"),
        _ => human::cause(error),
    }
}

/// A lock of the system on an empty file.
struct Lock {
    path: PathBuf,
    _file: File,
}

impl Lock {
    /// Takes the lock with the given function. None: another process has it.
    fn take(
        path: PathBuf,
        lock: impl Fn(&File) -> Result<(), TryLockError>,
    ) -> io::Result<Option<Self>> {
        Ok(Self::take_at(&path, lock)?.map(|file| Self { path, _file: file }))
    }

    fn take_at(
        path: &Path,
        lock: impl Fn(&File) -> Result<(), TryLockError>,
    ) -> io::Result<Option<File>> {
        let failed = |error| cannot_lock(path, &error);
        loop {
            let Some(file) = open_lock(path)? else { continue };
            match lock(&file) {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Ok(None),
                Err(TryLockError::Error(error)) => return Err(failed(error)),
            }
            // The previous owner may have removed the file after it was opened here. Then it locks
            // nothing.
            if is_still_at(&file, path).map_err(failed)? {
                return Ok(Some(file));
            }
        }
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        if cfg!(unix) {
            // Only while the lock is held. A file that stays locks nothing.
            fs::remove_file(&self.path).ok();
        }
    }
}

/// Opens or creates the lock file. None: another process created or removed it meanwhile.
fn open_lock(path: &Path) -> io::Result<Option<File>> {
    let mut existing = OpenOptions::new();
    // Reading is enough to lock, and the file may belong to another user.
    existing.read(true);
    follow_no_link(&mut existing);
    match existing.open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => create_lock(path),
        Ok(file) if file.metadata()?.is_file() => Ok(Some(file)),
        Ok(_) => {
            let message = "the entry is not a file; remove that entry";
            Err(cannot_lock(path, &io::Error::new(ErrorKind::InvalidInput, message)))
        }
        Err(error) => Err(cannot_lock(path, &error)),
    }
}

/// Creates the lock file. None: another process created it meanwhile. A failure is that of the
/// folder, which takes no file then.
fn create_lock(path: &Path) -> io::Result<Option<File>> {
    match OpenOptions::new().read(true).write(true).create_new(true).open(path) {
        Ok(file) => Ok(Some(file)),
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(None),
        // The folder exists: its real path is known.
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let message = "its folder takes no files; name a file in another folder";
            Err(io::Error::new(ErrorKind::Unsupported, message))
        }
        Err(error) => Err(error),
    }
}

/// Returns the error of a lock file that exists.
fn cannot_lock(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("cannot lock {}: {error}", path.display()))
}

/// Follows links to the end. The target is a regular file or missing.
fn follow_links(path: &Path) -> io::Result<PathBuf> {
    let mut path = path.to_owned();
    for _ in 0..LINKS_MAX {
        match fs::symlink_metadata(&path) {
            Ok(found) if found.is_symlink() => {
                path = folder_of(&path).join(fs::read_link(&path)?);
                continue;
            }
            Ok(found) if found.is_dir() => return Err(ErrorKind::IsADirectory.into()),
            Ok(found) if !found.is_file() => {
                return Err(io::Error::new(
                    ErrorKind::InvalidInput,
                    "the path is not a regular file; name one",
                ));
            }
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        // The library drops the end of such a path, and would name a file.
        if is_of_a_folder(&path) {
            return Err(io::Error::new(
                ErrorKind::InvalidInput,
                "the path is that of a folder; name a file in it",
            ));
        }
        let name = path.file_name().ok_or(ErrorKind::InvalidInput)?;
        return Ok(folder_of(&path).canonicalize()?.join(name));
    }
    Err(io::Error::new(ErrorKind::InvalidInput, "the links lead in a circle; name the file itself"))
}

/// Returns whether a path ends as that of a folder: with a separator, or a dot behind one.
fn is_of_a_folder(path: &Path) -> bool {
    let bytes = path.as_os_str().as_encoded_bytes();
    let last = bytes.rsplit(|byte| is_separator(char::from(*byte))).next();
    matches!(last, Some(b"" | b"." | b".."))
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Returns the path of a hidden file next to this one.
fn sibling(path: &Path, role: &str) -> PathBuf {
    let mut name = OsString::from(".");
    // The links were followed, so the path has a name.
    name.push(path.file_name().unwrap_or_default());
    name.push(format!(".stratalog-{role}"));
    path.with_file_name(name)
}

#[cfg(unix)]
fn private(options: &mut OpenOptions) {
    use std::os::unix::fs::OpenOptionsExt as _;

    // Private until it has the mode of the old file.
    options.mode(0o600);
}

#[cfg(not(unix))]
fn private(_: &mut OpenOptions) {}

#[cfg(unix)]
fn follow_no_link(options: &mut OpenOptions) {
    use std::os::unix::fs::OpenOptionsExt as _;

    // Opening something other than a file must not block, either.
    options.custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK);
}

#[cfg(not(unix))]
fn follow_no_link(_: &mut OpenOptions) {}

/// Gives a new file the owner, the group and the mode of the old one. Returns the group if it
/// cannot be given.
#[cfg(unix)]
fn take_after(new: &File, old: &Metadata) -> io::Result<Option<u32>> {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, fchown};

    let fresh = new.metadata()?;
    if fresh.uid() != old.uid() {
        fchown(new, Some(old.uid()), None).map_err(|error| {
            let user = old.uid();
            let message = format!("the file belongs to user {user} ({error}); run as that user");
            io::Error::new(error.kind(), message)
        })?;
    }
    // A user gives files only to groups of which the user is a member.
    let is_kept = fresh.gid() == old.gid() || fchown(new, None, Some(old.gid())).is_ok();
    let mode = if is_kept { old.mode() } else { mode_for_another_group(old.mode()) };
    new.set_permissions(fs::Permissions::from_mode(mode))?;
    Ok((!is_kept).then(|| old.gid()))
}

#[cfg(not(unix))]
fn take_after(_: &File, _: &Metadata) -> io::Result<Option<u32>> {
    Ok(None)
}

/// Returns the mode without rights that only the old group had. Nor does the new group get a right
/// that all others do not have.
#[cfg(unix)]
fn mode_for_another_group(mode: u32) -> u32 {
    const GROUP: u32 = 0o070;
    const SET_GROUP_ID: u32 = 0o2000;
    let of_all = (mode & 0o007) << 3;
    (mode & !(GROUP | SET_GROUP_ID)) | (mode & GROUP & of_all)
}

#[cfg(unix)]
fn is_still_at(file: &File, path: &Path) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt as _;

    let ours = file.metadata()?;
    match fs::symlink_metadata(path) {
        Ok(there) => Ok((there.dev(), there.ino()) == (ours.dev(), ours.ino())),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(error),
    }
}

/// Returns true: the lock file is never removed on this system.
#[cfg(not(unix))]
fn is_still_at(_: &File, _: &Path) -> io::Result<bool> {
    Ok(true)
}

#[cfg(test)]
mod tests;
