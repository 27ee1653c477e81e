//! Reads the file of a component.
//!
//! 1. No more than the limit is read, whatever the file claims: a device has no end.

use std::fs::File;
use std::io::{self, ErrorKind, Read as _};
use std::path::Path;

use crate::limits::COMPONENT_BYTES_MAX;
use crate::numbers::{size, to_u64};

/// Returns the bytes of a component's file, or the error in words.
pub(crate) fn read(file: &Path) -> Result<Vec<u8>, String> {
    let refused = |cause: String| format!("cannot read the component {}: {cause}", file.display());
    let bytes = read_to(file, COMPONENT_BYTES_MAX + 1).map_err(|error| refused(cause(&error)))?;
    if to_u64(bytes.len()) > COMPONENT_BYTES_MAX {
        let most = size(COMPONENT_BYTES_MAX);
        return Err(refused(format!("it has more than {most}; name the file of a component")));
    }
    Ok(bytes)
}

/// Reads the beginning of a file, at most this many bytes.
fn read_to(file: &Path, bytes_max: u64) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(file)?.take(bytes_max).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Returns the cause of a failed read, and the action to take if it is known.
fn cause(error: &io::Error) -> String {
    match error.kind() {
        ErrorKind::NotFound => format!("{error}; correct the path, or build the component first"),
        ErrorKind::PermissionDenied => format!("{error}; allow this user to read that file"),
        ErrorKind::NotADirectory => {
            "a part of the path is not a folder; correct the path".to_owned()
        }
        ErrorKind::IsADirectory => "it is a folder; name a file".to_owned(),
        _ => error.to_string(),
    }
}
