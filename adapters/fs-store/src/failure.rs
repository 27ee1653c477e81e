//! Failures in a folder: the step that failed, and the cause.
//!
//! Must not know: the meaning of the object that failed.
//!
//! 1. A failure up to the link, or of the link itself, leaves no object. Only a later failure
//!    leaves a doubt.
//! 2. An entry in an object's place that is not a regular file is named, with its kind.

use std::fmt;

use stratalog_store_exports::error::{StoreError, StoreErrorKind, WriteError};

/// The step of some work in a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Examining, reading or deleting.
    Looking,
    /// Writing the file under its temporary name.
    Staging,
    /// Giving the file its name, which did not happen.
    Linking,
    /// Making the name durable, or checking whether it was given.
    Publishing,
}

/// A failed step of some work in a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    pub step: Step,
    /// The verb of the step, and the path.
    pub doing: String,
    pub cause: Cause,
}

/// The cause of a failure.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Cause {
    #[error("{0}")]
    System(SystemError),
    #[error("{path} is {what}, not {wanted}; {}", wanted.cure())]
    InTheWay { path: String, what: What, wanted: Wanted },
}

/// An error of the host's file system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct SystemError {
    pub reason: Reason,
    /// The error in words.
    pub text: &'static str,
}

/// The reason of an error of the file system, as far as it determines a reaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    NotFound,
    Exists,
    /// The folder's permissions, or those that the host gave.
    Denied,
    /// The host does not permit this operation at all, or the file system has no such thing.
    NotPermitted,
    Full,
    /// The path cannot be that of the wanted file.
    Invalid,
    Unsupported,
    Other,
}

/// The kind of an entry of a folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    File,
    Folder,
    Link,
    Special,
}

/// The entry that a segment of a key needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    File,
    Folder,
}

impl Failure {
    /// Makes the failure of a step on a path.
    pub fn new(step: Step, verb: &str, path: &str, cause: impl Into<Cause>) -> Self {
        Self { step, doing: format!("cannot {verb} {path}"), cause: cause.into() }
    }

    /// Returns whether it is certain that the object was not written.
    pub fn left_nothing(&self) -> bool {
        matches!(self.step, Step::Staging | Step::Linking)
    }

    /// Returns whether the file system cannot give a file a second name.
    fn is_without_hard_links(&self) -> bool {
        let reasons = [Reason::NotPermitted, Reason::Unsupported];
        match &self.cause {
            Cause::System(error) => self.step == Step::Linking && reasons.contains(&error.reason),
            Cause::InTheWay { .. } => false,
        }
    }

    /// Returns the kind, which determines the caller's reaction.
    pub fn kind(&self) -> StoreErrorKind {
        let reason = match &self.cause {
            Cause::System(_) if self.is_without_hard_links() => return StoreErrorKind::Unsupported,
            Cause::System(error) => error.reason,
            Cause::InTheWay { wanted: Wanted::File, .. } => return StoreErrorKind::NotAnObject,
            Cause::InTheWay { wanted: Wanted::Folder, .. } => return StoreErrorKind::Invalid,
        };
        match reason {
            Reason::NotFound => StoreErrorKind::NotFound,
            Reason::Denied | Reason::NotPermitted => StoreErrorKind::PermissionDenied,
            Reason::Full => StoreErrorKind::Unavailable,
            Reason::Invalid => StoreErrorKind::Invalid,
            Reason::Unsupported => StoreErrorKind::Unsupported,
            Reason::Exists | Reason::Other => StoreErrorKind::Other,
        }
    }

    /// Returns the error of an action on an object of a store.
    pub fn into_error(self, action: &str, key: &str, store: &str) -> StoreError {
        let kind = self.kind();
        let (cause, remedy) = match kind {
            StoreErrorKind::NotFound if action == "create" => {
                ("no such folder", "create the folder first")
            }
            StoreErrorKind::NotFound if action == "read" => ("no such object", ""),
            StoreErrorKind::PermissionDenied => (
                "no permission for this folder",
                "check the folder's permissions, and whether the host opened it for writing",
            ),
            StoreErrorKind::Unsupported if self.is_without_hard_links() => (
                "the file system has no hard links, which an atomic create needs",
                "use another file system",
            ),
            _ => ("", ""),
        };
        let cause = if cause.is_empty() { String::new() } else { format!("{cause}: ") };
        let remedy = if remedy.is_empty() { String::new() } else { format!("; {remedy}") };
        error(kind, action, key, store, format_args!("{cause}{self}{remedy}"))
    }

    /// Returns the fate of an object whose write failed.
    pub fn into_fate(self, action: &str, key: &str, store: &str) -> WriteError {
        let is_certain = self.left_nothing();
        let error = self.into_error(action, key, store);
        if is_certain { WriteError::NotWritten(error) } else { WriteError::Unknown(error) }
    }
}

/// Makes an error that names the action, the object and the store.
pub fn error(
    kind: StoreErrorKind,
    action: &str,
    key: &str,
    store: &str,
    reason: impl fmt::Display,
) -> StoreError {
    StoreError::new(kind, format!("cannot {action} {key:?} in {store}: {reason}"))
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.doing, self.cause)
    }
}

impl Cause {
    /// Returns whether nothing is there.
    pub fn is_not_found(&self) -> bool {
        matches!(self, Self::System(error) if error.reason == Reason::NotFound)
    }
}

impl From<SystemError> for Cause {
    fn from(error: SystemError) -> Self {
        Self::System(error)
    }
}

impl Wanted {
    /// Returns whether an entry of this kind is the wanted one.
    pub fn is(self, what: What) -> bool {
        match self {
            Self::File => what == What::File,
            Self::Folder => what == What::Folder,
        }
    }

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

#[cfg(test)]
mod tests {
    use super::*;

    fn failure(step: Step, reason: Reason) -> Failure {
        Failure::new(step, "do it to", "/log/a", SystemError { reason, text: "so it is" })
    }

    #[test]
    fn failure_leaves_a_doubt_only_after_the_link() {
        for (step, certain) in [(Step::Staging, true), (Step::Linking, true)]
            .into_iter()
            .chain([(Step::Publishing, false)])
        {
            let fate = failure(step, Reason::Full).into_fate("create", "log/a", "the folder /");
            assert_eq!(matches!(fate, WriteError::NotWritten(_)), certain, "{step:?}");
        }
    }

    #[test]
    fn refused_link_is_a_lack_of_hard_links() {
        let kinds = [Step::Staging, Step::Linking].map(|step| {
            [Reason::NotPermitted, Reason::Unsupported, Reason::Denied]
                .map(|reason| failure(step, reason).kind())
        });
        use StoreErrorKind::{PermissionDenied, Unsupported};
        assert_eq!(
            kinds,
            [
                [PermissionDenied, Unsupported, PermissionDenied],
                [Unsupported, Unsupported, PermissionDenied]
            ]
        );
    }

    #[test]
    fn error_names_action_object_store_cause_and_remedy() {
        let denied = failure(Step::Staging, Reason::Denied);
        assert_eq!(
            denied.into_error("create", "log/a", "the folder /").message,
            "cannot create \"log/a\" in the folder /: no permission for this folder: cannot do it \
             to /log/a: so it is; check the folder's permissions, and whether the host opened it \
             for writing"
        );
        let (path, what) = ("/log/a".to_owned(), What::Link);
        let way = Cause::InTheWay { path, what, wanted: Wanted::File };
        let error = Failure::new(Step::Looking, "read", "/log/a", way);
        let error = error.into_error("read", "log/a", "the folder /");
        assert_eq!(error.kind, StoreErrorKind::NotAnObject);
        assert_eq!(
            error.message,
            "cannot read \"log/a\" in the folder /: cannot read /log/a: /log/a is a symbolic link, \
             not a regular file; move it away"
        );
    }
}
