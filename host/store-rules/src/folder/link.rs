//! The fate of a file whose link to its name failed.
//!
//! 1. A name that is taken is "already exists" only if a regular file has it.
//! 2. A network file system may repeat a link whose reply was lost. The name then belongs to this
//!    very file.

use crate::folder::entry::What;

/// The result of a look at a name after its link failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found<E> {
    /// This very file.
    Itself,
    /// Another entry.
    Other(What),
    Nothing,
    /// The look failed.
    Unknown(E),
}

/// The outcome of a failed link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Linked<E> {
    /// The file has its name.
    Created,
    AlreadyExists,
    /// An entry that is no object has the name.
    InTheWay(What),
    /// The file has no name, for certain.
    NotLinked,
    /// The file may have its name: the look failed.
    Unknown(E),
}

/// Returns the outcome of a failed link. `is_taken` means that the file system found the name
/// taken.
pub fn after_failed_link<E>(is_taken: bool, found: Found<E>) -> Linked<E> {
    match found {
        Found::Itself => Linked::Created,
        Found::Other(What::File) if is_taken => Linked::AlreadyExists,
        Found::Other(what) if is_taken => Linked::InTheWay(what),
        // Another process created and deleted it.
        Found::Nothing if is_taken => Linked::AlreadyExists,
        Found::Unknown(error) => Linked::Unknown(error),
        Found::Other(_) | Found::Nothing => Linked::NotLinked,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn name_that_belongs_to_the_file_was_given() {
        for is_taken in [true, false] {
            assert_eq!(after_failed_link::<()>(is_taken, Found::Itself), Linked::Created);
            assert_eq!(after_failed_link(is_taken, Found::Unknown(())), Linked::Unknown(()));
        }
    }

    #[test]
    fn taken_name_exists_only_as_a_regular_file() {
        let others: [Found<()>; 3] =
            [Found::Other(What::File), Found::Other(What::Link), Found::Nothing];
        let taken = others.map(|found| after_failed_link(true, found));
        let exists = Linked::AlreadyExists;
        assert_eq!(taken, [exists, Linked::InTheWay(What::Link), exists]);
        let free = others.map(|found| after_failed_link(false, found));
        assert_eq!(free, [Linked::NotLinked; 3]);
    }
}
