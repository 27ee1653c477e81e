//! Failures in a folder: the step that failed, and the cause.
//!
//! Must not know: the meaning of the object that failed.
//!
//! 1. A failure up to the link, or of the link itself, leaves no object. Only a later failure
//!    leaves a doubt.
//! 2. An entry in an object's place that is not a regular file is named, with its kind.
//! 3. A cause has at most one action, which follows it behind a semicolon.

use std::fmt;

use stratalog_store_rules::error::{StoreError, StoreErrorKind, WriteError};

use crate::root_path;

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
    verb: String,
    path: String,
    pub cause: Cause,
    /// The action to take, if it is known.
    remedy: Option<String>,
}

/// The cause of a failure.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Cause {
    #[error("{0}")]
    System(SystemError),
    #[error("cannot create the folder {folder}: {error}")]
    NoFolder { folder: String, error: SystemError },
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
    /// The file system is mounted for reading only.
    ReadOnly,
    Full,
    /// The user has used up what the file system permits.
    Quota,
    /// The disk failed, or some hosts' word for a file system that is mounted for reading only.
    Device,
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
        let cause = cause.into();
        let access = match verb {
            "read" | "list" | "open the folder" => Access::Read,
            _ => Access::Write,
        };
        let remedy = match &cause {
            Cause::System(error) => error.reason.remedy(path, access),
            Cause::NoFolder { folder, error } => error.reason.remedy(folder, Access::Write),
            Cause::InTheWay { .. } => None,
        };
        Self { step, verb: verb.to_owned(), path: path.to_owned(), cause, remedy }
    }

    /// Adds the action to take, unless one is known.
    pub fn or_remedy(self, remedy: impl Into<String>) -> Self {
        Self { remedy: Some(self.remedy.unwrap_or_else(|| remedy.into())), ..self }
    }

    /// Returns whether it is certain that the object was not written.
    pub fn left_nothing(&self) -> bool {
        matches!(self.step, Step::Staging | Step::Linking)
    }

    /// Returns whether the file system cannot give a file a second name.
    fn is_without_hard_links(&self) -> bool {
        let reasons = [Reason::NotPermitted, Reason::Unsupported];
        let reason = self.cause.reason();
        self.step == Step::Linking && reason.is_some_and(|reason| reasons.contains(&reason))
    }

    /// Returns the kind, which determines the caller's reaction.
    pub fn kind(&self) -> StoreErrorKind {
        if self.is_without_hard_links() {
            return StoreErrorKind::Unsupported;
        }
        match self.cause.reason() {
            None => match self.cause {
                Cause::InTheWay { wanted: Wanted::File, .. } => StoreErrorKind::NotAnObject,
                _ => StoreErrorKind::Invalid,
            },
            Some(Reason::NotFound) => StoreErrorKind::NotFound,
            Some(Reason::Denied | Reason::NotPermitted | Reason::ReadOnly) => {
                StoreErrorKind::PermissionDenied
            }
            Some(Reason::Full | Reason::Quota) => StoreErrorKind::Unavailable,
            Some(Reason::Invalid) => StoreErrorKind::Invalid,
            Some(Reason::Unsupported) => StoreErrorKind::Unsupported,
            Some(Reason::Exists | Reason::Device | Reason::Other) => StoreErrorKind::Other,
        }
    }

    /// Returns the cause, and the action to take if it is known.
    fn reason(&self) -> String {
        match &self.remedy {
            Some(remedy) => format!("{}; {remedy}", self.cause),
            None => self.cause.to_string(),
        }
    }

    /// Returns the error of an action on an object of a store.
    pub fn into_error(self, action: &str, key: &str, store: &str) -> StoreError {
        let kind = self.kind();
        let reason = match kind {
            StoreErrorKind::NotFound if action == "read" => "no such object".to_owned(),
            StoreErrorKind::Unsupported if self.is_without_hard_links() => format!(
                "the file system has no hard links, which an atomic create needs: {}; use another \
                 file system",
                self.cause
            ),
            _ if self.verb == action => self.reason(),
            _ => self.to_string(),
        };
        error(kind, action, key, store, reason)
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
        write!(f, "cannot {} {}: {}", self.verb, self.path, self.reason())
    }
}

/// The access that a path needs.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Access {
    Read,
    Write,
}

impl Reason {
    /// Returns the action to take at a path.
    fn remedy(self, path: &str, access: Access) -> Option<String> {
        let remedy = match (self, access) {
            (Self::Denied, Access::Read) => format!("allow this user to read {path}"),
            (Self::Denied, Access::Write) => {
                format!("allow this user to write in {}", root_path::parent(path))
            }
            (Self::NotPermitted, Access::Read) => {
                "let the host open the folder for reading".to_owned()
            }
            (Self::NotPermitted, Access::Write) => format!(
                "let the host open the folder for writing, and check the owner and the attributes \
                 of {}",
                root_path::parent(path)
            ),
            (Self::ReadOnly, _) => "mount it for writing, or use another folder".to_owned(),
            (Self::Full, _) => "free some space".to_owned(),
            (Self::Quota, _) => "free some space, or raise the quota".to_owned(),
            (Self::Device, Access::Read) => "check the disk".to_owned(),
            (Self::Device, Access::Write) => {
                "check the disk, and whether it is mounted for writing".to_owned()
            }
            (Self::NotFound | Self::Exists | Self::Invalid, _)
            | (Self::Unsupported | Self::Other, _) => return None,
        };
        Some(remedy)
    }
}

impl Cause {
    /// Returns whether nothing is there.
    pub fn is_not_found(&self) -> bool {
        self.reason() == Some(Reason::NotFound)
    }

    /// Returns the reason of the file system's error, if there was one.
    fn reason(&self) -> Option<Reason> {
        match self {
            Self::System(error) | Self::NoFolder { error, .. } => Some(error.reason),
            Self::InTheWay { .. } => None,
        }
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
            "cannot create \"log/a\" in the folder /: cannot do it to /log/a: so it is; allow this \
             user to write in /log"
        );
        let (path, what) = ("/log/a".to_owned(), What::Link);
        let way = Cause::InTheWay { path, what, wanted: Wanted::File };
        let error = Failure::new(Step::Looking, "read", "/log/a", way);
        let error = error.into_error("read", "log/a", "the folder /");
        assert_eq!(error.kind, StoreErrorKind::NotAnObject);
        assert_eq!(
            error.message,
            "cannot read \"log/a\" in the folder /: /log/a is a symbolic link, not a regular file; \
             move it away"
        );
    }

    #[test]
    fn each_reason_of_a_user_has_its_action() {
        use StoreErrorKind::{Other, PermissionDenied, Unavailable};
        let mount = "mount it for writing, or use another folder";
        let write = "check the disk, and whether it is mounted for writing";
        let table = [
            ("read", Reason::Denied, PermissionDenied, "allow this user to read /log/a"),
            ("list", Reason::Denied, PermissionDenied, "allow this user to read /log/a"),
            ("write", Reason::Denied, PermissionDenied, "allow this user to write in /log"),
            ("read", Reason::NotPermitted, PermissionDenied, "open the folder for reading"),
            ("write", Reason::NotPermitted, PermissionDenied, "open the folder for writing"),
            ("write", Reason::ReadOnly, PermissionDenied, mount),
            ("sync", Reason::Full, Unavailable, "free some space"),
            ("write", Reason::Quota, Unavailable, "free some space, or raise the quota"),
            ("read", Reason::Device, Other, "check the disk"),
            ("create", Reason::Device, Other, write),
        ];
        for (verb, reason, kind, action) in table {
            let error = SystemError { reason, text: "so it is" };
            let failure = Failure::new(Step::Staging, verb, "/log/a", error);
            assert_eq!(failure.kind(), kind, "{verb} {reason:?}");
            let reason = failure.reason();
            let (_, found) = reason.split_once("so it is; ").unwrap();
            assert!(found.contains(action), "{verb} {reason:?}: {found}");
        }
    }

    #[test]
    fn folder_that_cannot_be_created_is_named_with_the_one_above() {
        let error = SystemError { reason: Reason::Denied, text: "so it is" };
        let cause = Cause::NoFolder { folder: "/new".to_owned(), error };
        let failure = Failure::new(Step::Staging, "create", "/new/log/a", cause);
        assert_eq!(
            failure.into_error("create", "new/log/a", "the folder /").message,
            "cannot create \"new/log/a\" in the folder /: cannot create the folder /new: so it is; \
             allow this user to write in /"
        );
    }
}
