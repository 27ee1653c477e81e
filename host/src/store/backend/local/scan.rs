//! Scanning a folder for its names.
//!
//! Must not know: the meaning of a name, or the use of the listing.
//!
//! 1. The folder is scanned once, however many pages are made of the names.
//! 2. A name that is no key (not UTF-8, a control character) is left out.

use std::io;

use stratalog_store_rules::folder::entry::What;
use stratalog_store_rules::folder::packed_names::{PackedNames, TooLarge};

use super::below::Folder;

/// The reason why a folder was not scanned.
pub(crate) enum NotScanned {
    Failed(io::Error),
    /// The names take more bytes than allowed.
    TooLarge,
}

impl From<io::Error> for NotScanned {
    fn from(error: io::Error) -> Self {
        Self::Failed(error)
    }
}

impl From<TooLarge> for NotScanned {
    fn from(_: TooLarge) -> Self {
        Self::TooLarge
    }
}

/// Scans a folder for the names that `is_wanted` selects, folders with their slash. The names take
/// at most `bytes_max` bytes.
pub(crate) fn scan(
    folder: &Folder,
    bytes_max: usize,
    is_wanted: impl Fn(&str) -> bool,
) -> Result<PackedNames, NotScanned> {
    let mut scan = PackedNames::default();
    for entry in folder.names()? {
        let (mut name, kind) = entry?;
        if name.chars().any(char::is_control) {
            continue;
        }
        let kind = match kind {
            Some(kind) => kind,
            // The file system does not say.
            None => match folder.inspect(&name) {
                Ok(entry) => entry.what,
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(error.into()),
            },
        };
        if kind == What::Folder {
            name.push('/');
        }
        if is_wanted(&name) {
            scan.push(&name, kind, bytes_max)?;
        }
    }
    scan.sort();
    Ok(scan)
}
