//! The names of the objects that make a log a mirror of another one, and end that.
//!
//! 1. They sort among the batches, so whatever lists the batches sees them.

use std::fmt;

use super::BATCH;

const BEGUN: &str = "mirror.json";
const ENDED: &str = "mirror_ended.json";

/// An object that says whether a log is a mirror.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MirrorMark {
    /// `batch_mirror.json`: only copies write this log.
    Begun,
    /// `batch_mirror_ended.json`: it is a log of its own now, permanently.
    Ended,
}

impl MirrorMark {
    /// Parses an object's own name.
    pub fn parse(name: &str) -> Option<Self> {
        match name.strip_prefix(BATCH)? {
            BEGUN => Some(Self::Begun),
            ENDED => Some(Self::Ended),
            _ => None,
        }
    }
}

impl fmt::Display for MirrorMark {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(BATCH)?;
        f.write_str(match self {
            Self::Begun => BEGUN,
            Self::Ended => ENDED,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::names::{LogName, ObjectName};

    #[test]
    fn mark_is_parsed_as_printed_and_is_no_object_of_events() {
        for mark in [MirrorMark::Begun, MirrorMark::Ended] {
            let name = mark.to_string();
            assert_eq!(MirrorMark::parse(&name), Some(mark));
            assert_eq!(ObjectName::parse(&name), None);
            assert!(LogName::parse(&name).is_err(), "{name}");
            assert_eq!(MirrorMark::parse(&format!("{name}x")), None);
        }
        assert_eq!(MirrorMark::parse("mirror.json"), None);
    }
}
