//! The command line, through the real binary, in temporary folders.

#![expect(clippy::unwrap_used, reason = "tests")]

#[path = "cli/binary.rs"]
mod binary;
#[path = "cli/endings.rs"]
mod endings;
#[path = "cli/events.rs"]
mod events;
#[path = "cli/refusals.rs"]
mod refusals;
#[path = "cli/summaries.rs"]
mod summaries;
