//! The names of named positions, and of the objects that have them.

use std::fmt;

use super::unfinished::collected;
use super::{JSON, decimal, hex, shown};
use crate::error::Error;
use crate::limits::POSITION_NAME_BYTES_MAX;

const POSITION: &str = "position_";
const DIGITS: usize = 19;

/// The name under which a reader keeps its position.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PositionName(String);

impl PositionName {
    /// Checks a name.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] that shows the name and the rule.
    pub fn parse(name: &str) -> Result<Self, Error> {
        Self::of(name).ok_or_else(|| {
            let shown = shown(name);
            Error::InvalidInput(format!(
                "invalid name of a position \"{shown}\": use 1 to {POSITION_NAME_BYTES_MAX} of the \
                 characters a-z, 0-9, `-` and `.`"
            ))
        })
    }

    fn of(name: &str) -> Option<Self> {
        let is_allowed = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.');
        let has_length = (1..=POSITION_NAME_BYTES_MAX).contains(&name.len());
        (has_length && name.bytes().all(is_allowed)).then(|| Self(name.to_owned()))
    }

    /// The name as given.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The object with this number. None if the number has more than 19 digits.
    pub fn object(&self, number: u64) -> Option<PositionObject> {
        let fits = (1..10_u64.pow(19)).contains(&number);
        fits.then(|| PositionObject { name: self.clone(), number })
    }

    /// The beginning of the names of its objects.
    pub(crate) fn objects(&self) -> String {
        format!("{POSITION}{}_", self.0)
    }
}

/// The beginning of the names of the objects of all names.
pub(crate) fn all() -> &'static str {
    POSITION
}

/// `position_{name}_{number:019}.json`: a commit under a name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PositionObject {
    pub name: PositionName,
    /// Counts from 1.
    pub number: u64,
}

impl PositionObject {
    /// Parses an object's own name.
    pub fn parse(object: &str) -> Option<Self> {
        let (name, number) = object.strip_prefix(POSITION)?.strip_suffix(JSON)?.split_once('_')?;
        PositionName::of(name)?.object(decimal(number.as_bytes(), DIGITS)?)
    }

    /// Parses the name of an unfinished write of such an object: `NAME#DIGITS`.
    pub(crate) fn parse_unfinished(object: &str) -> Option<Self> {
        Self::parse(collected(object)?)
    }
}

impl fmt::Display for PositionObject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{POSITION}{}_{:019}{JSON}", self.name.0, self.number)
    }
}

/// The random id of one try to commit a position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PositionAttempt(pub u64);

impl PositionAttempt {
    /// Reads the 16 hexadecimal digits.
    pub fn parse(text: &[u8]) -> Option<Self> {
        hex(text, 16).map(Self)
    }
}

impl fmt::Display for PositionAttempt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn position_object_is_parsed_as_it_is_printed_and_not_otherwise() {
        for name in ["a", "app-2.main", "-", &"z".repeat(64)] {
            let object = PositionName::parse(name).unwrap().object(7).unwrap();
            assert_eq!(PositionObject::parse(&object.to_string()), Some(object.clone()));
            assert!(PositionObject::parse_unfinished(&format!("{object}#12")).is_some());
            assert!(super::super::ObjectName::parse(&object.to_string()).is_none());
        }
        for name in ["", "A", "a_b", "a/b", "ä", "a b", &"z".repeat(65)] {
            let refused = PositionName::parse(name).unwrap_err().to_string();
            assert!(refused.contains("1 to 64 of the characters"), "{refused}");
        }
        for object in [
            "position_a_0000000000000000000.json",
            "position_a_1.json",
            "position__0000000000000000001.json",
            "position_a_b_0000000000000000001.json",
            "position_a_0000000000000000001.jsonl",
            "position_a_0000000000000000001",
        ] {
            assert_eq!(PositionObject::parse(object), None, "{object}");
        }
        assert_eq!(PositionName::parse("a").unwrap().object(10_u64.pow(19)), None);
    }
}
