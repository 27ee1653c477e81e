//! Names of unfinished writes, and of objects that were set aside.

use super::{Digest, ObjectName, decimal};

/// The prefix of the names of objects that were set aside.
pub(crate) const SET_ASIDE: &str = "set-aside_";

/// The object that was set aside under a name: `set-aside_NAME` or `set-aside_DIGEST_NAME`.
pub(crate) fn set_aside(name: &str) -> Option<ObjectName> {
    let name = name.strip_prefix(SET_ASIDE)?;
    ObjectName::parse(name).or_else(|| {
        let (digest, name) = name.split_once('_')?;
        Digest::parse(digest.as_bytes()).and_then(|_| ObjectName::parse(name))
    })
}

/// The object that an unfinished write collects under `NAME#DIGITS`, or a copy of which it sets
/// aside.
pub fn unfinished(name: &str) -> Option<ObjectName> {
    let name = collected(name)?;
    ObjectName::parse(name).or_else(|| set_aside(name))
}

/// `NAME`, if an unfinished write has the name `NAME#DIGITS`.
pub(super) fn collected(name: &str) -> Option<&str> {
    let (name, number) = name.split_once('#')?;
    decimal(number.as_bytes(), number.len())?;
    Some(name)
}
