//! Failures in a folder: the step that failed, and the reason.
//!
//! 1. A failure up to the link, or of the link itself, leaves no object. Only a later failure
//!    leaves a doubt.

use crate::error::StoreErrorKind;

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

/// The access that a path needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    Read,
    Write,
}

impl Step {
    /// Returns whether a failure of the step makes certain that the object was not written.
    pub fn left_nothing(self) -> bool {
        matches!(self, Self::Staging | Self::Linking)
    }
}

impl Reason {
    /// Returns whether a step failed since the file system cannot give a file a second name.
    pub fn lacks_hard_links(self, step: Step) -> bool {
        step == Step::Linking && matches!(self, Self::NotPermitted | Self::Unsupported)
    }

    /// Returns the kind of the error of a step, which determines the caller's reaction.
    pub fn kind(self, step: Step) -> StoreErrorKind {
        match self {
            _ if self.lacks_hard_links(step) => StoreErrorKind::Unsupported,
            Self::NotFound => StoreErrorKind::NotFound,
            Self::Denied | Self::NotPermitted | Self::ReadOnly => StoreErrorKind::PermissionDenied,
            Self::Full | Self::Quota => StoreErrorKind::Unavailable,
            Self::Invalid => StoreErrorKind::Invalid,
            Self::Unsupported => StoreErrorKind::Unsupported,
            Self::Exists | Self::Device | Self::Other => StoreErrorKind::Other,
        }
    }

    /// Returns the action to take, if it does not depend on the path.
    pub fn remedy(self) -> Option<&'static str> {
        match self {
            Self::ReadOnly => Some("mount it for writing, or use another folder"),
            Self::Full => Some("free some space"),
            Self::Quota => Some("free some space, or raise the quota"),
            Self::NotFound | Self::Exists | Self::Denied | Self::NotPermitted => None,
            Self::Device | Self::Invalid | Self::Unsupported | Self::Other => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failure_leaves_a_doubt_only_after_the_link() {
        let steps = [Step::Staging, Step::Linking, Step::Publishing];
        assert_eq!(steps.map(Step::left_nothing), [true, true, false]);
    }

    #[test]
    fn refused_link_is_a_lack_of_hard_links() {
        use StoreErrorKind::{PermissionDenied, Unsupported};
        let reasons = [Reason::NotPermitted, Reason::Unsupported, Reason::Denied];
        let kinds = |step| reasons.map(|reason| reason.kind(step));
        assert_eq!(kinds(Step::Staging), [PermissionDenied, Unsupported, PermissionDenied]);
        assert_eq!(kinds(Step::Linking), [Unsupported, Unsupported, PermissionDenied]);
    }
}
