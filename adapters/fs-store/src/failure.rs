//! Failures in a folder: the step that failed, and the cause.
//!
//! Must not know: the meaning of the object that failed.
//!
//! 1. An entry in an object's place that is not a regular file is named, with its kind.
//! 2. A cause has at most one action, which follows it behind a semicolon.

use std::fmt;

use stratalog_store_rules::error::{StoreError, StoreErrorKind, WriteError};
use stratalog_store_rules::folder::entry::{Wanted, What};
use stratalog_store_rules::folder::failure::{Access, Reason, Step};

use crate::root_path::Place;

/// A failed step of some work in a folder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    pub step: Step,
    verb: String,
    place: Place,
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
    NoFolder { folder: Place, error: SystemError },
    #[error("{place} is {what}, not {wanted}; {}", wanted.cure())]
    InTheWay { place: Place, what: What, wanted: Wanted },
}

/// An error of the host's file system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{text}")]
pub struct SystemError {
    pub reason: Reason,
    /// The error in words.
    pub text: &'static str,
}

impl Failure {
    /// Makes the failure of a step at a place.
    pub fn new(step: Step, verb: &str, place: &Place, cause: impl Into<Cause>) -> Self {
        let cause = cause.into();
        let access = match verb {
            "read" | "list" | "open the folder" => Access::Read,
            _ => Access::Write,
        };
        let remedy = match &cause {
            Cause::System(error) => remedy(error.reason, place, access),
            Cause::NoFolder { folder, error } => remedy(error.reason, folder, Access::Write),
            Cause::InTheWay { .. } => None,
        };
        Self { step, verb: verb.to_owned(), place: place.clone(), cause, remedy }
    }

    /// Adds the action to take, unless one is known. What is in the way has its own.
    pub fn or_remedy(self, remedy: impl Into<String>) -> Self {
        match self.cause {
            Cause::InTheWay { .. } => self,
            _ => Self { remedy: Some(self.remedy.unwrap_or_else(|| remedy.into())), ..self },
        }
    }

    /// Returns whether the file system cannot give a file a second name.
    fn is_without_hard_links(&self) -> bool {
        self.cause.reason().is_some_and(|reason| reason.lacks_hard_links(self.step))
    }

    /// Returns the kind, which determines the caller's reaction.
    pub fn kind(&self) -> StoreErrorKind {
        match &self.cause {
            Cause::System(error) | Cause::NoFolder { error, .. } => error.reason.kind(self.step),
            Cause::InTheWay { wanted, .. } => wanted.error_kind(),
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
            // The key names the file.
            _ => format!("cannot {} the file: {}", self.verb, self.reason()),
        };
        error(kind, action, key, store, reason)
    }

    /// Returns the fate of an object whose write failed.
    pub fn into_fate(self, action: &str, key: &str, store: &str) -> WriteError {
        let is_certain = self.step.left_nothing();
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
        write!(f, "cannot {} {}: {}", self.verb, self.place, self.reason())
    }
}

/// Returns the action to take at a place.
fn remedy(reason: Reason, place: &Place, access: Access) -> Option<String> {
    let remedy = match (reason, access) {
        (Reason::Denied, Access::Read) => {
            format!("allow this user to read {}", place.for_the_user())
        }
        (Reason::Denied, Access::Write) => {
            format!("allow this user to write in {}", place.folder().for_the_user())
        }
        (Reason::NotPermitted, Access::Read) => {
            "let the host open the folder for reading".to_owned()
        }
        (Reason::NotPermitted, Access::Write) => format!(
            "let the host open the folder for writing, and check the owner and the attributes of {}",
            place.folder().for_the_user()
        ),
        (Reason::Device, Access::Read) => "check the disk".to_owned(),
        (Reason::Device, Access::Write) => {
            "check the disk, and whether it is mounted for writing".to_owned()
        }
        (reason, _) => reason.remedy()?.to_owned(),
    };
    Some(remedy)
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

#[cfg(test)]
mod tests {
    use super::*;

    fn place(key: &str) -> Place {
        Place::of_opened("/").join(key)
    }

    fn failure(step: Step, reason: Reason) -> Failure {
        Failure::new(step, "do it to", &place("log/a"), SystemError { reason, text: "so it is" })
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
    fn error_names_action_object_store_cause_and_remedy() {
        let denied = failure(Step::Staging, Reason::Denied);
        assert_eq!(
            denied.into_error("create", "log/a", "the folder /").message,
            "cannot create \"log/a\" in the folder /: cannot do it to the file: so it is; allow \
             this user to write in /log below the folder that the host opened as / (`--dir`)"
        );
        let (place, what) = (place("log/a"), What::Link);
        let way = Cause::InTheWay { place: place.clone(), what, wanted: Wanted::File };
        let error = Failure::new(Step::Looking, "read", &place, way);
        let error = error.into_error("read", "log/a", "the folder /");
        assert_eq!(error.kind, StoreErrorKind::NotAnObject);
        assert_eq!(
            error.message,
            "cannot read \"log/a\" in the folder /: /log/a is a symbolic link, not a regular file; \
             move it away"
        );
    }

    #[test]
    fn root_that_is_in_the_way_has_one_action() {
        let (data, what) = (place("data"), What::Link);
        let way = Cause::InTheWay { place: data.clone(), what, wanted: Wanted::Folder };
        let error = Failure::new(Step::Looking, "create the folder", &data, way);
        let shown = error.or_remedy("correct STRATALOG_ROOT").to_string();
        assert_eq!(shown.matches(';').count(), 1, "{shown}");
        assert!(shown.contains("/data is a symbolic link, not a folder; "), "{shown}");
        let missing = failure(Step::Looking, Reason::NotFound).or_remedy("correct it").to_string();
        assert!(missing.ends_with("so it is; correct it"), "{missing}");
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
            let failure = Failure::new(Step::Staging, verb, &place("log/a"), error);
            assert_eq!(failure.kind(), kind, "{verb} {reason:?}");
            let reason = failure.reason();
            let (_, found) = reason.split_once("so it is; ").unwrap();
            assert!(found.contains(action), "{verb} {reason:?}: {found}");
        }
    }

    #[test]
    fn folder_that_cannot_be_created_is_named_with_the_one_above() {
        let error = SystemError { reason: Reason::Denied, text: "so it is" };
        let cause = Cause::NoFolder { folder: place("new"), error };
        let failure = Failure::new(Step::Staging, "create", &place("new/log/a"), cause);
        assert_eq!(
            failure.into_error("create", "new/log/a", "the folder /").message,
            "cannot create \"new/log/a\" in the folder /: cannot create the folder /new: so it is; \
             allow this user to write in the folder that the host opened as / (`--dir`)"
        );
    }
}
