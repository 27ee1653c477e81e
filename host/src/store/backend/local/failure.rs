//! Failures of a local folder: the step that failed, and the cause.
//!
//! Must not know: the object or the log that failed.
//!
//! 1. An entry in an object's place that is not a regular file is named, with its kind.
//! 2. A cause has at most one action, which follows it behind a semicolon.

use std::io;
use std::path::{Path, PathBuf};

use stratalog_store_rules::folder::entry::{Wanted, What};
use stratalog_store_rules::folder::failure::{Access, Reason, Step};

use crate::store::error::{LOCAL, StoreErrorKind};

/// The code of EPERM. Linking returns it where a file system has no hard links.
const EPERM: i32 = 1;

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
        self.step.left_nothing()
    }

    /// Returns whether the file system cannot give a file a second name.
    pub(crate) fn is_without_hard_links(&self) -> bool {
        match &self.cause {
            Cause::System(error) => reason_of(error).lacks_hard_links(self.step),
            Cause::InTheWay { .. } => false,
        }
    }

    /// Returns the kind, which determines the caller's reaction.
    pub(crate) fn kind(&self) -> StoreErrorKind {
        match &self.cause {
            Cause::System(error) => reason_of(error).kind(self.step),
            Cause::InTheWay { wanted, .. } => wanted.error_kind(),
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

/// Returns the reason of an error of the system.
pub(super) fn reason_of(error: &io::Error) -> Reason {
    use io::ErrorKind as K;
    match error.kind() {
        _ if error.raw_os_error() == Some(EPERM) => Reason::NotPermitted,
        K::NotFound => Reason::NotFound,
        K::AlreadyExists => Reason::Exists,
        K::PermissionDenied => Reason::Denied,
        K::ReadOnlyFilesystem => Reason::ReadOnly,
        K::StorageFull => Reason::Full,
        K::QuotaExceeded => Reason::Quota,
        K::NotADirectory | K::IsADirectory | K::InvalidFilename | K::InvalidInput => {
            Reason::Invalid
        }
        K::Unsupported => Reason::Unsupported,
        _ => Reason::Other,
    }
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
    // Behind a folder that may not be entered, nothing is found.
    let exists = |path: &&Path| path.symlink_metadata().is_ok();
    match reason_of(error) {
        // Permissions do not decide. A new file is not there yet: its folder refuses it.
        Reason::NotPermitted => {
            let visible = path.ancestors().find(exists).unwrap_or(path);
            Some(format!("check the owner and the attributes of {}", visible.display()))
        }
        Reason::Denied => {
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
        reason => reason.remedy().map(str::to_owned),
    }
}

impl Cause {
    pub(crate) fn is_not_found(&self) -> bool {
        matches!(self, Self::System(error) if error.kind() == io::ErrorKind::NotFound)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn remedy_names_what_exists() {
        let folder = tempfile::tempdir().unwrap();
        let log = folder.path().join("log");
        std::fs::create_dir(&log).unwrap();
        let file = log.join("batch");
        let not_permitted = io::Error::from_raw_os_error(EPERM);
        let about = |path: &Path| {
            let remedy = remedy(path, Access::Write, &not_permitted).unwrap();
            remedy.strip_prefix("check the owner and the attributes of ").unwrap().to_owned()
        };
        assert_eq!(about(&file), log.display().to_string());
        assert_eq!(about(&log.join("not/yet/batch")), log.display().to_string());
        std::fs::write(&file, "").unwrap();
        assert_eq!(about(&file), file.display().to_string());
    }
}
