//! The rights of a plugin on a log that it was granted.

use std::fmt;
use std::str::FromStr;

/// One right that can be granted on a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Right {
    /// Open the log and append to it.
    Append,
    /// Read, count and verify it.
    Read,
    /// Compact it.
    Compact,
    /// Permanently remove its oldest events.
    Trim,
    /// Commit and forget named positions.
    Commit,
}

impl Right {
    /// Every right, in the order in which they are listed.
    pub const ALL: [Self; 5] = [Self::Append, Self::Read, Self::Compact, Self::Trim, Self::Commit];

    /// Returns the right's name, as in `--grant`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Append => "append",
            Self::Read => "read",
            Self::Compact => "compact",
            Self::Trim => "trim",
            Self::Commit => "commit",
        }
    }

    fn bit(self) -> u8 {
        match self {
            Self::Append => 1,
            Self::Read => 2,
            Self::Compact => 4,
            Self::Trim => 8,
            Self::Commit => 16,
        }
    }
}

/// A set of rights on one log. The default is to append and to read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Rights(u8);

impl Rights {
    /// Returns no rights: the log is known, and every call on it is denied.
    pub fn none() -> Self {
        Self(0)
    }

    /// Returns all rights.
    pub fn all() -> Self {
        Right::ALL.into_iter().fold(Self::none(), Self::and)
    }

    /// Returns these rights and one more.
    #[must_use]
    pub fn and(self, right: Right) -> Self {
        Self(self.0 | right.bit())
    }

    /// Returns true if the right is among them.
    pub fn has(self, right: Right) -> bool {
        self.0 & right.bit() != 0
    }
}

impl Default for Rights {
    fn default() -> Self {
        Self::none().and(Right::Append).and(Right::Read)
    }
}

impl fmt::Display for Rights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if *self == Self::none() {
            return f.write_str("nothing");
        }
        let granted = Right::ALL.into_iter().filter(|right| self.has(*right));
        for (number, right) in granted.enumerate() {
            if number > 0 {
                f.write_str(",")?;
            }
            f.write_str(right.name())?;
        }
        Ok(())
    }
}

impl fmt::Debug for Rights {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Rights({self})")
    }
}

/// The word that is not a right.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a right: give append, read, compact, trim or commit, joined by commas")]
pub struct RightsError(String);

impl FromStr for Rights {
    type Err = RightsError;

    /// Parses a list such as `append,read`.
    fn from_str(text: &str) -> Result<Self, RightsError> {
        text.split(',').try_fold(Self::none(), |rights, word| {
            let right = Right::ALL.into_iter().find(|right| right.name() == word.trim());
            right.map(|right| rights.and(right)).ok_or_else(|| RightsError(word.to_owned()))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rights_are_read_as_they_are_written() {
        assert_eq!(Rights::default().to_string(), "append,read");
        for text in ["append", "read,compact", "append,read,compact,trim,commit"] {
            assert_eq!(text.parse::<Rights>().unwrap().to_string(), text);
        }
        assert_eq!("trim, append".parse::<Rights>().unwrap().to_string(), "append,trim");
        for wrong in ["", "write", "append,", "append;read"] {
            assert!(wrong.parse::<Rights>().is_err(), "{wrong:?}");
        }
        assert!(!Rights::none().has(Right::Read) && Rights::all().has(Right::Trim));
    }
}
