//! The root of a store: a folder, a bucket with a prefix, a WebDAV folder, or memory.
//!
//! Owns: the forms of a root and their text. Must not know: the text that a user types, or options.
//!
//! 1. A root holds no secret, so its text may appear in any message.

use std::fmt;
use std::path::{Path, PathBuf};

use url::Url;

/// A folder, a bucket with a prefix, a WebDAV folder or a memory on which a store is opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Root(pub(crate) RootKind);

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum RootKind {
    Memory,
    Folder(PathBuf),
    Bucket {
        service: Service,
        /// The scheme as typed, such as `abfss`.
        scheme: String,
        /// The bucket or container; for Azure perhaps `container@account.host`.
        authority: String,
        /// Empty, or segments each ended by a slash.
        prefix: String,
    },
    WebDav {
        /// Scheme, host and port, ended by a slash.
        base: Url,
        /// Empty, or segments each ended by a slash; decoded.
        prefix: String,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Service {
    S3,
    Google,
    Azure,
}

impl Root {
    /// Makes the root of a memory store. Every store opened on it is a new, empty one.
    pub fn memory() -> Self {
        Self(RootKind::Memory)
    }

    /// Makes the root of a local folder, which need not exist. A relative path is resolved against
    /// the current folder when the store is opened.
    pub fn folder(path: impl Into<PathBuf>) -> Self {
        Self(RootKind::Folder(path.into()))
    }

    /// Returns whether stores on this root live in memory only and end with the process.
    pub fn is_memory(&self) -> bool {
        matches!(self.0, RootKind::Memory)
    }

    /// Returns the folder, if the root is a local one.
    pub fn as_folder(&self) -> Option<&Path> {
        match &self.0 {
            RootKind::Folder(path) => Some(path),
            _ => None,
        }
    }
}

impl fmt::Display for Root {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            RootKind::Memory => f.write_str("memory:"),
            RootKind::Folder(path) => write!(f, "{}", path.display()),
            RootKind::Bucket { scheme, authority, prefix, .. } => {
                write!(f, "{}", format!("{scheme}://{authority}/{prefix}").trim_end_matches('/'))
            }
            RootKind::WebDav { base, prefix } => {
                write!(f, "{}", format!("{base}{prefix}").trim_end_matches('/'))
            }
        }
    }
}
