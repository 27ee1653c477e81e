//! Reads a file at an offset, and identifies files, by the means of the system.

use std::fs::{File, Metadata};
use std::io::{self, ErrorKind};

use serde::{Deserialize, Serialize};

use crate::numbers::to_usize;

/// The identity of a file on this machine, by whatever name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct FileId {
    device: u64,
    inode: u64,
}

/// Reads up to this many bytes; fewer at the end of the file.
pub(super) fn read_at(file: &File, offset: u64, bytes: u64) -> io::Result<Vec<u8>> {
    let mut buffer = Vec::new();
    read_into(file, offset, bytes, &mut buffer)?;
    Ok(buffer)
}

/// Reads as [`read_at`], in place of what the buffer has.
pub(super) fn read_into(
    file: &File,
    offset: u64,
    bytes: u64,
    buffer: &mut Vec<u8>,
) -> io::Result<()> {
    buffer.resize(to_usize(bytes), 0);
    let mut read = 0;
    while let Some(rest) = buffer.get_mut(read..).filter(|rest| !rest.is_empty()) {
        let at = offset.saturating_add(u64::try_from(read).unwrap_or(u64::MAX));
        match system::read_at(file, rest, at) {
            Ok(0) => break,
            Ok(more) => read += more,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    buffer.truncate(read);
    Ok(())
}

impl FileId {
    pub(super) fn of(metadata: &Metadata) -> io::Result<Self> {
        system::id(metadata)
    }
}

#[cfg(unix)]
mod system {
    use std::fs::{File, Metadata};
    use std::io;
    use std::os::unix::fs::{FileExt as _, MetadataExt as _};

    use super::FileId;

    pub(super) fn read_at(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        file.read_at(buffer, offset)
    }

    pub(super) fn id(metadata: &Metadata) -> io::Result<FileId> {
        Ok(FileId { device: metadata.dev(), inode: metadata.ino() })
    }
}

#[cfg(not(unix))]
mod system {
    use std::fs::{File, Metadata};
    use std::io::{self, ErrorKind};

    use super::FileId;

    pub(super) fn read_at(_: &File, _: &mut [u8], _: u64) -> io::Result<usize> {
        Err(ErrorKind::Unsupported.into())
    }

    pub(super) fn id(_: &Metadata) -> io::Result<FileId> {
        let message = "files cannot be recognized after a rotation on this system";
        Err(io::Error::new(ErrorKind::Unsupported, message))
    }
}
