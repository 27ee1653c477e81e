//! Files and folders below the root, reached without following a link.
//!
//! Owns: the calls to `wasi:filesystem`, and the permitted entries at each segment of a key.
//! Must not know: the life of an object, or the caller.
//!
//! 1. The user names the root, so a link that leads to it is followed. Below the root no link is
//!    followed at any segment of a key. Each folder is opened within the one before.
//! 2. An entry is examined before it is opened, and only a regular file or a folder is opened. So
//!    opening does not wait for the writer of a pipe.
//! 3. A file is created only where nothing exists.

use std::time::Duration;

use stratalog_store_rules::folder::entry::{Wanted, What};
use stratalog_store_rules::folder::failure::Reason;

use crate::bindings::wasi::filesystem::types::{
    Descriptor, DescriptorFlags, DescriptorStat, DescriptorType, ErrorCode, OpenFlags, PathFlags,
};
use crate::failure::{Cause, SystemError};
use crate::root_path::Place;

/// The most bytes of one write. The host copies them.
const WRITE_BYTES_MAX: usize = 4 * 1024 * 1024;

/// A folder that is open, and its place for messages.
pub(crate) struct Folder {
    descriptor: Descriptor,
    place: Place,
}

/// The entry under a name.
pub(crate) struct Entry {
    pub(crate) what: What,
    /// In bytes.
    pub(crate) size: u64,
    /// The time of the last change, since 1970.
    pub(crate) modified: Option<Duration>,
}

/// Identifies the file under a name, as far as the host distinguishes files.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Identity(u64, u64);

/// A file that is open for writing, and the offset of its end.
pub(crate) struct WritableFile {
    descriptor: Descriptor,
    end: u64,
}

/// A regular file that is open for reading.
pub(crate) struct ReadableFile(Descriptor);

impl Folder {
    /// Opens the root below a folder that the host opened: a path, or nothing for that folder.
    pub(crate) fn root(
        opened: &Descriptor,
        below: &str,
        place: &Place,
    ) -> Result<Self, SystemError> {
        // Some hosts neither list nor sync the folders that they opened themselves.
        let below = if below.is_empty() { "." } else { below };
        if below != "." {
            let found = opened.stat_at(PathFlags::SYMLINK_FOLLOW, below).map_err(system_error)?;
            if found.type_ != DescriptorType::Directory {
                return Err(system_error(ErrorCode::NotDirectory));
            }
        }
        let (open, access) = (OpenFlags::DIRECTORY, DescriptorFlags::READ);
        let descriptor = opened.open_at(PathFlags::SYMLINK_FOLLOW, below, open, access);
        let descriptor = descriptor.map_err(system_error)?;
        Ok(Self { descriptor, place: place.clone() })
    }

    /// Opens a folder below this one: segments joined by `/`, or nothing for this one.
    pub(crate) fn open(self, folder: &str) -> Result<Self, Cause> {
        segments(folder).try_fold(self, |open, segment| open.step(segment))
    }

    /// Opens a folder below this one. Creates its missing parts, synced.
    pub(crate) fn make(self, folder: &str) -> Result<Self, Cause> {
        segments(folder).try_fold(self, |open, segment| match open.step(segment) {
            Err(cause) if cause.is_not_found() => open.make_step(segment),
            stepped => stepped,
        })
    }

    fn step(&self, segment: &str) -> Result<Self, Cause> {
        let entry = self.inspect(segment)?;
        if entry.what != What::Folder {
            return Err(self.in_the_way(segment, entry.what, Wanted::Folder));
        }
        let (open, access) = (OpenFlags::DIRECTORY, DescriptorFlags::READ);
        let opened = self.descriptor.open_at(PathFlags::empty(), segment, open, access);
        let explained = |code| self.explain(segment, system_error(code), Wanted::Folder);
        let descriptor = opened.map_err(explained)?;
        Ok(Self { descriptor, place: self.place_of(segment) })
    }

    fn make_step(&self, segment: &str) -> Result<Self, Cause> {
        match self.descriptor.create_directory_at(segment) {
            // Another process may have created it, and may not have synced it yet.
            Ok(()) | Err(ErrorCode::Exist) => self.sync()?,
            Err(code) => {
                let (folder, error) = (self.place_of(segment), system_error(code));
                return Err(Cause::NoFolder { folder, error });
            }
        }
        self.step(segment)
    }

    /// Returns the place of an entry, for messages.
    pub(crate) fn place_of(&self, name: &str) -> Place {
        self.place.join(name)
    }

    /// Opens a regular file for reading, and returns its size in bytes.
    pub(crate) fn open_file(&self, name: &str) -> Result<(ReadableFile, u64), Cause> {
        let entry = self.inspect(name)?;
        if entry.what != What::File {
            return Err(self.in_the_way(name, entry.what, Wanted::File));
        }
        let (open, access) = (OpenFlags::empty(), DescriptorFlags::READ);
        match self.descriptor.open_at(PathFlags::empty(), name, open, access) {
            Ok(file) => Ok((ReadableFile(file), entry.size)),
            Err(code) => Err(self.explain(name, system_error(code), Wanted::File)),
        }
    }

    /// Creates a new file for writing.
    pub(crate) fn create_file(&self, name: &str) -> Result<WritableFile, SystemError> {
        let open = OpenFlags::CREATE | OpenFlags::EXCLUSIVE;
        let created =
            self.descriptor.open_at(PathFlags::empty(), name, open, DescriptorFlags::WRITE);
        let descriptor = created.map_err(system_error)?;
        Ok(WritableFile { descriptor, end: 0 })
    }

    /// Gives a file a second name, unless that name is taken.
    pub(crate) fn link(&self, from: &str, to: &str) -> Result<(), SystemError> {
        let folder = &self.descriptor;
        folder.link_at(PathFlags::empty(), from, folder, to).map_err(system_error)
    }

    /// Removes a name that is not a folder's.
    pub(crate) fn remove(&self, name: &str) -> Result<(), Cause> {
        let removed = self.descriptor.unlink_file_at(name);
        removed.map_err(|code| self.explain(name, system_error(code), Wanted::File))
    }

    /// Examines the entry under a name. A link is not followed.
    pub(crate) fn inspect(&self, name: &str) -> Result<Entry, SystemError> {
        let stat = self.descriptor.stat_at(PathFlags::empty(), name).map_err(system_error)?;
        Ok(Entry::of(&stat))
    }

    /// Returns the identity of the file under a name.
    pub(crate) fn identity(&self, name: &str) -> Result<Identity, SystemError> {
        let hash = self.descriptor.metadata_hash_at(PathFlags::empty(), name);
        hash.map(|hash| Identity(hash.lower, hash.upper)).map_err(system_error)
    }

    /// Passes each UTF-8 name in the folder to `visit`, with its kind if the host says it. Returns
    /// the first failure of the visits.
    pub(crate) fn each_name<E: From<SystemError>>(
        &self,
        mut visit: impl FnMut(String, Option<What>) -> Result<(), E>,
    ) -> Result<(), E> {
        let entries = self.descriptor.read_directory().map_err(system_error)?;
        loop {
            match entries.read_directory_entry() {
                Ok(Some(entry)) => visit(entry.name, kind_of(entry.type_))?,
                Ok(None) => return Ok(()),
                // A name that is not UTF-8, and a file that has vanished.
                Err(ErrorCode::IllegalByteSequence | ErrorCode::NoEntry) => {}
                Err(code) => return Err(system_error(code).into()),
            }
        }
    }

    /// Makes the names in the folder durable.
    ///
    /// Windows has no such operation. Hosts there deny it, or do not support it.
    pub(crate) fn sync(&self) -> Result<(), SystemError> {
        match self.descriptor.sync() {
            Ok(()) | Err(ErrorCode::Unsupported | ErrorCode::Access) => Ok(()),
            Err(code) => Err(system_error(code)),
        }
    }

    /// Names the obstacle, if that is why an entry could not be used.
    fn explain(&self, name: &str, error: SystemError, wanted: Wanted) -> Cause {
        match self.inspect(name) {
            Ok(Entry { what, .. }) if !wanted.is(what) => self.in_the_way(name, what, wanted),
            _ => Cause::System(error),
        }
    }

    fn in_the_way(&self, name: &str, what: What, wanted: Wanted) -> Cause {
        Cause::InTheWay { place: self.place_of(name), what, wanted }
    }
}

impl WritableFile {
    /// Appends bytes.
    pub(crate) fn append(&mut self, bytes: &[u8]) -> Result<(), SystemError> {
        let mut rest = bytes;
        while !rest.is_empty() {
            let next = rest.get(..WRITE_BYTES_MAX).unwrap_or(rest);
            let written = self.descriptor.write(next, self.end).map_err(system_error)?;
            let behind = usize::try_from(written).ok().and_then(|written| rest.get(written..));
            match behind {
                Some(behind) if written > 0 => rest = behind,
                _ => return Err(WROTE_NOTHING),
            }
            self.end += written;
        }
        Ok(())
    }

    /// Makes the content durable.
    pub(crate) fn sync(&self) -> Result<(), SystemError> {
        self.descriptor.sync().map_err(system_error)
    }
}

impl ReadableFile {
    /// Reads bytes from an offset: at most `length`, and fewer only at the end of the file.
    pub(crate) fn read(&self, start: u64, length: usize) -> Result<Vec<u8>, SystemError> {
        let mut bytes = Vec::new();
        while bytes.len() < length {
            let done = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
            let wanted = u64::try_from(length - bytes.len()).unwrap_or(u64::MAX);
            let (more, _) = self.0.read(wanted, start + done).map_err(system_error)?;
            if more.is_empty() {
                break;
            }
            if bytes.is_empty() && more.len() == length {
                return Ok(more);
            }
            bytes.reserve_exact(length - bytes.len());
            bytes.extend_from_slice(&more);
        }
        Ok(bytes)
    }
}

impl Entry {
    fn of(stat: &DescriptorStat) -> Self {
        let modified = stat.data_modification_timestamp;
        let modified = modified.map(|time| Duration::new(time.seconds, time.nanoseconds));
        Self { what: kind_of(stat.type_).unwrap_or(What::Special), size: stat.size, modified }
    }
}

/// Returns the kind of an entry, if it is known.
fn kind_of(kind: DescriptorType) -> Option<What> {
    match kind {
        DescriptorType::RegularFile => Some(What::File),
        DescriptorType::Directory => Some(What::Folder),
        DescriptorType::SymbolicLink => Some(What::Link),
        DescriptorType::Unknown => None,
        DescriptorType::BlockDevice
        | DescriptorType::CharacterDevice
        | DescriptorType::Fifo
        | DescriptorType::Socket => Some(What::Special),
    }
}

fn segments(folder: &str) -> impl Iterator<Item = &str> {
    folder.split('/').filter(|segment| !segment.is_empty())
}

const WROTE_NOTHING: SystemError =
    SystemError { reason: Reason::Other, text: "the host wrote nothing" };

/// Returns the error of a code: the reason, and the words of other systems for it.
fn system_error(code: ErrorCode) -> SystemError {
    let (reason, text) = match code {
        ErrorCode::NoEntry => (Reason::NotFound, "no such file or folder"),
        ErrorCode::Exist => (Reason::Exists, "it exists already"),
        ErrorCode::Access => (Reason::Denied, "permission denied"),
        ErrorCode::NotPermitted => (Reason::NotPermitted, "operation not permitted"),
        ErrorCode::ReadOnly => (Reason::ReadOnly, "read-only file system"),
        ErrorCode::InsufficientSpace => (Reason::Full, "no space left on the device"),
        ErrorCode::Quota => (Reason::Quota, "disk quota exceeded"),
        ErrorCode::NotDirectory => (Reason::Invalid, "not a folder"),
        ErrorCode::IsDirectory => (Reason::Invalid, "it is a folder"),
        ErrorCode::NameTooLong => (Reason::Invalid, "the name is too long"),
        ErrorCode::IllegalByteSequence => (Reason::Invalid, "a name is not UTF-8"),
        ErrorCode::Invalid => (Reason::Invalid, "invalid argument"),
        ErrorCode::Unsupported => (Reason::Unsupported, "not supported by the host"),
        ErrorCode::Loop => (Reason::Other, "it is a symbolic link"),
        ErrorCode::TooManyLinks => (Reason::Other, "too many links"),
        // Wasmtime has no other code for a file system that is mounted read-only.
        ErrorCode::Io => (Reason::Device, "input/output error"),
        code => (Reason::Other, code.name()),
    };
    SystemError { reason, text }
}
