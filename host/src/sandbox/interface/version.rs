//! Versions in the names of interfaces.

use std::fmt;

use super::INTERFACE_VERSION;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Version {
    pub(super) major: u64,
    pub(super) minor: u64,
    pub(super) patch: u64,
    /// True if a suffix follows a `-`: such a version precedes the one without.
    pub(super) is_draft: bool,
}

impl Version {
    pub(super) const fn new(major: u64, minor: u64, patch: u64) -> Self {
        Self { major, minor, patch, is_draft: false }
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        let text = text.split('+').next()?;
        let (numbers, draft) = match text.split_once('-') {
            Some((numbers, draft)) => (numbers, Some(draft)),
            None => (text, None),
        };
        let mut numbers = numbers.split('.').map(str::parse);
        let mut next = || numbers.next()?.ok();
        let (major, minor, patch) = (next()?, next()?, next()?);
        Some(Self { major, minor, patch, is_draft: draft.is_some() })
    }

    /// Returns true if a host with version `self` serves a component made for `other`. By semantic
    /// versioning, the first number that is not zero decides compatibility.
    pub(super) fn serves(self, other: Self) -> bool {
        self.major == other.major && (self.major > 0 || self.minor == other.minor)
    }
}

/// The version of the interface that this crate has.
pub(super) fn ours() -> Version {
    // The build script has checked it.
    Version::parse(INTERFACE_VERSION).unwrap_or(Version::new(0, 0, 0))
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_number_that_is_not_zero_decides_compatibility() {
        let ours = Version::new(0, 1, 0);
        let table = [("0.1.0", true), ("0.1.7", true), ("0.2.0", false), ("1.0.0", false)];
        for (version, served) in table {
            assert_eq!(ours.serves(Version::parse(version).unwrap()), served, "{version}");
        }
        assert!(Version::new(1, 2, 0).serves(Version::new(1, 7, 3)));
    }

    #[test]
    fn our_version_is_read_whole() {
        assert_eq!(ours().to_string(), INTERFACE_VERSION);
    }

    #[test]
    fn version_has_three_numbers() {
        for text in ["1", "0.2", "0.2.x", ""] {
            assert_eq!(Version::parse(text), None, "{text}");
        }
        assert_eq!(
            Version::parse("0.2.0-rc-2023-11-10").map(|version| version.is_draft),
            Some(true)
        );
        assert_eq!(Version::parse("0.2.0+build-5"), Some(Version::new(0, 2, 0)));
        assert_eq!(Version::new(0, 1, 0).to_string(), "0.1.0");
    }
}
