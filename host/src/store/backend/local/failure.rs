//! Failures of a local folder: the step that failed, and the cause.
//!
//! Must not know: the object or the log that failed.
//!
//! 1. A failure up to the link, or of the link itself, leaves no object. Only a later failure
//!    leaves a doubt.
//! 2. An entry in an object's place that is not a regular file is named, with its kind.
//! 3. A cause has at most one action, which follows it behind a semicolon.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use crate::store::error::{LOCAL, StoreErrorKind};

/// The step of some work in a local folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// Examining, reading or deleting.
    Looking,
    /// Writing the file under its temporary name.
    Staging,
    /// Giving the file its name, which did not happen.
    Linking,
    /// Making the name durable, or checking whether it was given.
    Publishing,
}

/// A failed step of some work in a local folder.
#[derive(Debug, thiserror::Error)]
#[error("{doing}: {}", self.reason())]
pub(crate) struct Failure {
    pub(crate) step: Step,
    doing: String,
    #[source]
    cause: Cause,
    /// The action to take, if it is known.
    remedy: Option<String>,
}

/// The cause of a failure.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Cause {
    #[error(transparent)]
    System(#[from] io::Error),
    #[error("{} is {what}, not {wanted}; {}", path.display(), wanted.cure())]
    InTheWay { path: PathBuf, what: What, wanted: Wanted },
}

/// An entry of a folder that is not the kind that a key needs there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum What {
    File,
    Folder,
    Link,
    Special,
}

/// The entry that a segment of a key needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted {
    File,
    Folder,
}

impl Failure {
    pub(crate) fn new(step: Step, verb: &str, path: &Path, cause: impl Into<Cause>) -> Self {
        let (doing, cause) = (format!("cannot {verb} {}", path.display()), cause.into());
        let access = match verb {
            "read" | "list" => Access::Read,
            _ => Access::Write,
        };
        let remedy = match &cause {
            Cause::System(error) => remedy(path, access, error),
            Cause::InTheWay { .. } => None,
        };
        Self { step, doing, cause, remedy }
    }

    /// Returns the cause, and the action to take if it is known.
    pub(crate) fn reason(&self) -> String {
        let cause = match &self.cause {
            Cause::System(error) => shown(error),
            in_the_way => in_the_way.to_string(),
        };
        match &self.remedy {
            // The caller knows the action.
            Some(_) if self.is_without_hard_links() => cause,
            Some(remedy) => format!("{cause}; {remedy}"),
            None => cause,
        }
    }

    /// Returns whether it is certain that the object was not written.
    pub(crate) fn left_nothing(&self) -> bool {
        matches!(self.step, Step::Staging | Step::Linking)
    }

    /// Returns whether the file system cannot give a file a second name.
    pub(crate) fn is_without_hard_links(&self) -> bool {
        /// The code of EPERM, which linking returns where a file system has no hard links.
        const EPERM: i32 = 1;
        match &self.cause {
            Cause::System(error) if self.step == Step::Linking => {
                error.raw_os_error() == Some(EPERM) || error.kind() == io::ErrorKind::Unsupported
            }
            _ => false,
        }
    }

    /// Returns the kind, which determines the caller's reaction.
    pub(crate) fn kind(&self) -> StoreErrorKind {
        use io::ErrorKind as K;
        let error = match &self.cause {
            Cause::System(_) if self.is_without_hard_links() => return StoreErrorKind::Unsupported,
            Cause::System(error) => error,
            Cause::InTheWay { wanted: Wanted::File, .. } => return StoreErrorKind::NotAnObject,
            Cause::InTheWay { wanted: Wanted::Folder, .. } => return StoreErrorKind::Invalid,
        };
        match error.kind() {
            K::NotFound => StoreErrorKind::NotFound,
            K::PermissionDenied | K::ReadOnlyFilesystem => StoreErrorKind::PermissionDenied,
            K::StorageFull | K::QuotaExceeded => StoreErrorKind::Unavailable,
            K::NotADirectory | K::IsADirectory | K::InvalidFilename | K::InvalidInput => {
                StoreErrorKind::Invalid
            }
            _ => StoreErrorKind::Other,
        }
    }

    /// Converts the failure to the form of the library's traits.
    pub(crate) fn into_library(self) -> object_store::Error {
        match self.cause {
            Cause::System(source)
                if self.step == Step::Looking && source.kind() == io::ErrorKind::NotFound =>
            {
                object_store::Error::NotFound { path: self.doing, source: source.into() }
            }
            _ => object_store::Error::Generic { store: LOCAL, source: self.into() },
        }
    }
}

/// The access that a path needs.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Access {
    Read,
    Write,
}

/// Describes an error of the system in the words of this program.
pub(super) fn shown(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotADirectory => "a part of the path is not a folder".to_owned(),
        io::ErrorKind::IsADirectory => "the path is a folder".to_owned(),
        _ => error.to_string(),
    }
}

/// Returns the action to take on an error of the system at a path.
pub(super) fn remedy(path: &Path, access: Access, error: &io::Error) -> Option<String> {
    use io::ErrorKind as K;
    /// The code of EPERM: permissions do not decide.
    const EPERM: i32 = 1;
    match error.kind() {
        K::PermissionDenied if error.raw_os_error() == Some(EPERM) => {
            Some(format!("check the owner and the attributes of {}", path.display()))
        }
        K::PermissionDenied => {
            // Behind a folder that may not be entered, nothing is found.
            let exists = |path: &&Path| path.symlink_metadata().is_ok();
            let visible = match access {
                Access::Read => path.ancestors().find(exists),
                Access::Write => path.ancestors().skip(1).find(exists),
            };
            let (visible, to) = (
                visible.unwrap_or(path),
                match access {
                    Access::Read => "read",
                    Access::Write => "write in",
                },
            );
            Some(format!("allow this user to {to} {}", visible.display()))
        }
        K::ReadOnlyFilesystem => Some("mount it for writing, or use another folder".to_owned()),
        K::StorageFull => Some("free some space".to_owned()),
        K::QuotaExceeded => Some("free some space, or raise the quota".to_owned()),
        _ => None,
    }
}

impl Cause {
    pub(crate) fn is_not_found(&self) -> bool {
        matches!(self, Self::System(error) if error.kind() == io::ErrorKind::NotFound)
    }
}

impl Wanted {
    fn cure(self) -> &'static str {
        match self {
            Self::File => "move it away",
            Self::Folder => "name the folder that is meant, or remove it",
        }
    }
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::File => "a regular file",
            Self::Folder => "a folder",
            Self::Link => "a symbolic link",
            Self::Special => "a named pipe, a socket or a device",
        })
    }
}

impl fmt::Display for Wanted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::File => "a regular file",
            Self::Folder => "a folder",
        })
    }
}
