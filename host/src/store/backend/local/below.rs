//! Files and folders below a root folder, reached without following a link.
//!
//! Owns: how a key's segments are walked, and the permitted entries at each.
//! Must not know: the life of an object, or the caller.
//!
//! 1. The user names the root, so a link that leads to it is followed. Below the root no link is
//!    followed at any segment of a key, even if folders are renamed in the meantime. Each folder is
//!    opened within the one before.
//! 2. Only regular files are opened, and opening never waits for another process.
//! 3. A file is created only where nothing exists.

use std::fs::{self, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use cap_fs_ext::{DirExt, FollowSymlinks, OpenOptionsFollowExt, OpenOptionsSyncExt};
use cap_std::ambient_authority;
use cap_std::fs::{Dir, FileType, OpenOptions};
use stratalog_store_rules::folder::entry::{Wanted, What};

use super::failure::Cause;

/// A folder that is open, and its path for messages.
pub(crate) struct Folder {
    dir: Dir,
    path: PathBuf,
}

/// The entry under a name.
pub(crate) struct Entry {
    pub(crate) what: What,
    /// In bytes.
    pub(crate) size: u64,
    pub(crate) modified: Option<SystemTime>,
    /// None where the system does not report it.
    pub(crate) identity: Option<Identity>,
}

/// Identifies a file, however many names it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Identity {
    device: u64,
    number: u64,
}

impl Folder {
    /// Opens the root itself.
    pub(crate) fn root(path: &Path) -> Result<Self, Cause> {
        let dir = Dir::open_ambient_dir(path, ambient_authority())?;
        Ok(Self { dir, path: path.to_owned() })
    }

    /// Opens a folder below the root: segments joined by `/`, or nothing for the root.
    pub(crate) fn open(root: &Path, folder: &str) -> Result<Self, Cause> {
        let mut open = Self::root(root)?;
        for segment in segments(folder) {
            open = open.step(segment)?;
        }
        Ok(open)
    }

    /// Opens a folder below an existing root. Creates its missing parts, synced.
    pub(crate) fn make(root: &Path, folder: &str) -> Result<Self, Cause> {
        let mut open = Self::root(root)?;
        for segment in segments(folder) {
            open = match open.step(segment) {
                Err(cause) if cause.is_not_found() => open.make_step(segment)?,
                stepped => stepped?,
            };
        }
        Ok(open)
    }

    fn step(&self, segment: &str) -> Result<Self, Cause> {
        match self.dir.open_dir_nofollow(segment) {
            Ok(dir) => Ok(Self { dir, path: self.path.join(segment) }),
            Err(error) => Err(self.explain(segment, error, Wanted::Folder)),
        }
    }

    fn make_step(&self, segment: &str) -> Result<Self, Cause> {
        match self.dir.create_dir(segment) {
            Ok(()) => self.sync()?,
            // Another process created it, and may not have synced it yet.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => self.sync()?,
            Err(error) => return Err(error.into()),
        }
        self.step(segment)
    }

    /// Returns the path of an entry, for messages.
    pub(crate) fn path_of(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Opens a regular file for reading.
    pub(crate) fn open_file(&self, name: &str) -> Result<(fs::File, Metadata), Cause> {
        let mut options = OpenOptions::new();
        // Without waiting: a pipe waits for its writer until it is known to be a pipe.
        options.read(true).follow(FollowSymlinks::No).nonblock(true);
        let file = match self.dir.open_with(name, &options) {
            Ok(file) => file.into_std(),
            Err(error) => return Err(self.explain(name, error, Wanted::File)),
        };
        let metadata = file.metadata()?;
        if metadata.is_file() {
            return Ok((file, metadata));
        }
        let what = if metadata.is_dir() { What::Folder } else { What::Special };
        Err(Cause::InTheWay { path: self.path_of(name), what, wanted: Wanted::File })
    }

    /// Creates a new file for writing.
    pub(crate) fn create_file(&self, name: &str) -> io::Result<fs::File> {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true).follow(FollowSymlinks::No);
        Ok(self.dir.open_with(name, &options)?.into_std())
    }

    /// Gives a file a second name, unless that name is taken.
    pub(crate) fn link(&self, from: &str, to: &str) -> io::Result<()> {
        self.dir.hard_link(from, &self.dir, to)
    }

    /// Removes a name that is not a folder's.
    pub(crate) fn remove(&self, name: &str) -> Result<(), Cause> {
        match self.dir.remove_file(name) {
            Ok(()) => Ok(()),
            Err(error) => Err(self.explain(name, error, Wanted::File)),
        }
    }

    /// Examines the entry under a name. A link is not followed.
    pub(crate) fn inspect(&self, name: &str) -> io::Result<Entry> {
        self.dir.symlink_metadata(name).map(|metadata| Entry::of(&metadata))
    }

    /// Returns the UTF-8 names in the folder, each with its kind if the file system says it.
    pub(crate) fn names(
        &self,
    ) -> io::Result<impl Iterator<Item = io::Result<(String, Option<What>)>>> {
        let entries = self.dir.entries()?;
        Ok(entries.filter_map(|entry| {
            let entry = match entry {
                Ok(entry) => entry,
                Err(error) => return Some(Err(error)),
            };
            let name = entry.file_name().into_string().ok()?;
            Some(Ok((name, entry.file_type().ok().and_then(kind_of))))
        }))
    }

    /// Returns the identity of the folder itself.
    pub(crate) fn identity(&self) -> io::Result<Option<Identity>> {
        Ok(Identity::of_entry(&self.dir.dir_metadata()?))
    }

    /// Makes the names in the folder durable.
    pub(crate) fn sync(&self) -> io::Result<()> {
        if cfg!(unix) { self.dir.open(".")?.into_std().sync_all() } else { Ok(()) }
    }

    /// Names the obstacle, if that is why an entry could not be used.
    fn explain(&self, name: &str, error: io::Error, wanted: Wanted) -> Cause {
        match self.inspect(name) {
            Ok(Entry { what, .. }) if !wanted.is(what) => {
                Cause::InTheWay { path: self.path_of(name), what, wanted }
            }
            _ => Cause::System(error),
        }
    }
}

impl Entry {
    fn of(metadata: &cap_std::fs::Metadata) -> Self {
        let what = kind_of(metadata.file_type()).unwrap_or(What::Special);
        let modified = metadata.modified().ok().map(|time| time.into_std());
        Self { what, size: metadata.len(), modified, identity: Identity::of_entry(metadata) }
    }
}

/// Returns the kind of an entry, if it is known.
fn kind_of(kind: FileType) -> Option<What> {
    match kind {
        _ if kind.is_file() => Some(What::File),
        _ if kind.is_dir() => Some(What::Folder),
        _ if kind.is_symlink() => Some(What::Link),
        _ if kind == FileType::unknown() => None,
        _ => Some(What::Special),
    }
}

impl Identity {
    #[cfg(unix)]
    fn of_entry(metadata: &cap_std::fs::Metadata) -> Option<Self> {
        use cap_std::fs::MetadataExt as _;
        Some(Self { device: metadata.dev(), number: metadata.ino() })
    }

    #[cfg(unix)]
    pub(crate) fn of_file(file: &fs::File) -> io::Result<Option<Self>> {
        use std::os::unix::fs::MetadataExt as _;
        let metadata = file.metadata()?;
        Ok(Some(Self { device: metadata.dev(), number: metadata.ino() }))
    }

    #[cfg(not(unix))]
    fn of_entry(_: &cap_std::fs::Metadata) -> Option<Self> {
        None
    }

    #[cfg(not(unix))]
    pub(crate) fn of_file(_: &fs::File) -> io::Result<Option<Self>> {
        Ok(None)
    }
}

/// The folder that was used last, for the next file.
#[derive(Default)]
pub(crate) struct OpenFolder(Option<(String, Folder)>);

impl OpenFolder {
    /// Returns the folder, open.
    pub(crate) fn get(&mut self, root: &Path, folder: &str) -> Result<&Folder, Cause> {
        let open = match self.0.take() {
            Some(same) if same.0 == folder => same,
            _ => (folder.to_owned(), Folder::open(root, folder)?),
        };
        Ok(&self.0.insert(open).1)
    }
}

fn segments(folder: &str) -> impl Iterator<Item = &str> {
    folder.split('/').filter(|segment| !segment.is_empty())
}
