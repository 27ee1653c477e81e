//! The kinds of entries of a folder: which there are, and which a key needs.

use std::fmt;

use crate::error::StoreErrorKind;
use crate::folder::names::is_unfinished;
use crate::objects::EntryKind;

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

impl What {
    /// Returns the kind that a listing gives an entry of this name.
    pub fn listed_as(self, name: &str) -> EntryKind {
        match self {
            Self::File if is_unfinished(name) => EntryKind::Unfinished,
            Self::File => EntryKind::Object,
            Self::Folder => EntryKind::Folder,
            Self::Link => EntryKind::Link,
            Self::Special => EntryKind::Special,
        }
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

    /// Returns the kind of the error if something else is in its place.
    pub fn error_kind(self) -> StoreErrorKind {
        match self {
            Self::File => StoreErrorKind::NotAnObject,
            Self::Folder => StoreErrorKind::Invalid,
        }
    }

    /// Returns the action to take if something else is in its place.
    pub fn cure(self) -> &'static str {
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

    #[test]
    fn entries_are_listed_by_kind_and_name() {
        let kinds = [What::File, What::Folder, What::Link, What::Special];
        assert_eq!(
            kinds.map(|what| what.listed_as("a")),
            [EntryKind::Object, EntryKind::Folder, EntryKind::Link, EntryKind::Special]
        );
        assert_eq!(What::File.listed_as("a#1"), EntryKind::Unfinished);
        assert_eq!(What::Link.listed_as("a#1"), EntryKind::Link);
        for what in kinds {
            assert_eq!(Wanted::File.is(what), what == What::File);
            assert_eq!(Wanted::Folder.is(what), what == What::Folder);
        }
    }
}
