//! Named positions of a log.

use std::time::SystemTime;

use crate::times;
use crate::types::interface as wit;

/// A named position of a log: where the reader of that name has committed last. Returned by
/// [`Host::named_positions`](crate::Host::named_positions).
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct NamedPosition {
    /// The name.
    pub name: String,
    /// The position, as [`Reader::position`](crate::Reader::position) returns it.
    pub position: String,
    /// The number of the commit. It counts the commits under the name, from 1.
    pub number: u64,
    /// The time of the commit, by the clock of the reader. None if it is beyond what a time can be.
    pub time: Option<SystemTime>,
}

impl From<wit::NamedPosition> for NamedPosition {
    fn from(named: wit::NamedPosition) -> Self {
        let wit::NamedPosition { name, position, number, time } = named;
        Self { name, position, number, time: times::of_micros(time) }
    }
}
