//! A file of the cache that belongs to this user, and the two ways to its code.

use std::fs::File;
use std::io::{Read as _, Seek as _};
use std::path::PathBuf;

use super::entry::{self, Fault, Key};
use super::unusable::Unusable;

/// An open file of the cache. Its owner and its permissions were checked.
pub(super) struct Found {
    pub(super) file: File,
    pub(super) path: PathBuf,
    /// The number of bytes that it had when it was opened. Bytes that are added later are ignored.
    pub(super) bytes: u64,
}

impl Found {
    /// Checks that the content is what was written under the key.
    pub(super) fn check(&mut self, key: &Key) -> Result<(), Unusable> {
        let checked = entry::check(&mut self.file, self.bytes, key);
        checked.map(drop).map_err(|fault| self.unusable(fault))
    }

    /// Reads the code into memory, and checks that it is what was written under the key.
    pub(super) fn read(&mut self, key: &Key) -> Result<Vec<u8>, Unusable> {
        let mut content = Vec::with_capacity(usize::try_from(self.bytes).unwrap_or_default());
        let mut read = || {
            self.file.rewind()?;
            (&mut self.file).take(self.bytes).read_to_end(&mut content)
        };
        let read = read();
        read.map_err(|error| self.unusable(Fault::System(error)))?;
        let code_bytes =
            entry::check(&mut &*content, self.bytes, key).map_err(|fault| self.unusable(fault))?;
        content.truncate(usize::try_from(code_bytes).unwrap_or_default());
        Ok(content)
    }

    /// Returns a path that leads to this open file, whatever its name leads to now. Returns none if
    /// the system has no such path, and for a file that may not stay whole while it is mapped.
    #[cfg(target_os = "linux")]
    pub(super) fn path_to_map(&self) -> Option<PathBuf> {
        use std::os::fd::AsRawFd as _;

        /// File systems on which a removed file stays whole until it is closed: ext4, XFS, Btrfs,
        /// tmpfs, overlayfs, F2FS, ZFS and bcachefs. On a network, another machine can remove the
        /// content of a file that is mapped here.
        const LOCAL: [u32; 8] = [
            0xef53,
            0x5846_5342,
            0x9123_683e,
            0x0102_1994,
            0x794c_7630,
            0xf2f5_2010,
            0x2fc1_2fc1,
            0xca45_1a4e,
        ];

        let system = rustix::fs::fstatfs(&self.file).ok()?;
        let is_local = LOCAL.contains(&u32::try_from(system.f_type).ok()?);
        is_local.then(|| PathBuf::from(format!("/proc/self/fd/{}", self.file.as_raw_fd())))
    }

    #[cfg(not(target_os = "linux"))]
    pub(super) fn path_to_map(&self) -> Option<PathBuf> {
        None
    }

    /// Returns the reason for a fault of this file.
    pub(super) fn unusable(&self, fault: Fault) -> Unusable {
        match fault {
            Fault::Content(reason) => Unusable::damaged(&self.path, reason),
            Fault::System(error) => Unusable::system("read", &self.path, error),
        }
    }
}
