//! The flight recorder: what a plugin was granted and did, as events in a log of the host's own.
//!
//! 1. The plugin cannot reach the record: its log is none of those granted, and neither above nor
//!    below one.
//! 2. Nothing is hidden. Equal calls of a stretch become one record with their number, and each
//!    other outcome is a record of its own. What is left out is counted.
//! 3. A frequent call costs a few counters and no lock; any other, a lock that nobody else wants.
//!    Everything else is done by a task, [`Interval`](task) by interval.
//! 4. Memory and bytes are bounded. A record that cannot be written neither stops nor slows the
//!    plugin.
//! 5. No secret of a store, and no value of the environment, is in a record.
//!
//! `host/docs/records.md` describes each record.

mod budget;
mod calls;
mod events;
mod frequent;
mod in_progress;
mod json;
mod options;
mod outcome;
mod outputs;
mod redaction;
mod shared;
mod streak;
mod task;
mod texts;

pub(super) use events::{Ended, Granted, GrantedLog};
pub(super) use frequent::Streak;
pub(super) use in_progress::{CallRecord, ObjectCall};
pub use options::Record;
pub use outcome::RecordOutcome;
pub(super) use outcome::frames;
pub(super) use shared::Recorder;
pub(super) use task::RecordTask;
pub(super) use texts::Stream;
