//! Keeps many logs: compacts them when that is worth it, removes old events where a policy says so,
//! and verifies a share of them.
//!
//! 1. A sweep lists the logs below a folder once. A log whose names decide that nothing is due, and
//!    are the same as in the sweep before, costs nothing else.
//! 2. A log without a policy is left alone. No event is removed unless a retention is set.
//! 3. Any number of keepers may sweep the same logs: what one has done, another finds done.

mod cost;
mod due;
mod one;
mod policy;
mod sweep;

pub use policy::Policy;
pub use sweep::{Keeper, Sweep, SweepOptions};

use crate::error::Error;
use crate::log::ListedLog;
#[doc(inline)]
pub use crate::prices::Prices;
use crate::types::{Compaction, CompactionPlan, TrimResult, VerifyProgress};

/// The result of a sweep for a log.
#[derive(Debug)]
#[non_exhaustive]
pub struct Kept {
    /// The log, as the names of its objects showed it before.
    pub log: ListedLog,
    /// Its policy; none: it was left alone.
    pub policy: Option<Policy>,
    /// The work that was done, in this order. Empty if nothing was due.
    pub done: Vec<Work>,
    /// The error that ended it. Damage that a verification finds is one, too.
    pub error: Option<Error>,
}

/// A piece of work for a log.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Work {
    /// It was compacted.
    Compacted(Compaction),
    /// It would be compacted.
    WouldCompact(CompactionPlan),
    /// Events were removed.
    Trimmed(TrimResult),
    /// Events would be removed.
    WouldTrim(TrimResult),
    /// It was verified, and is not damaged.
    Verified(VerifyProgress),
    /// It would be verified.
    WouldVerify,
}

impl Work {
    /// Returns the name of work that was done, for metrics.
    pub(crate) fn name(&self) -> Option<&'static str> {
        match self {
            Self::Compacted(_) => Some("compacted"),
            Self::Trimmed(_) => Some("trimmed"),
            Self::Verified(_) => Some("verified"),
            Self::WouldCompact(_) | Self::WouldTrim(_) | Self::WouldVerify => None,
        }
    }

    /// Returns whether the log was changed.
    pub(crate) fn is_change(&self) -> bool {
        matches!(self, Self::Compacted(_) | Self::Trimmed(_))
    }
}
