//! The command line, through the real binary, in temporary folders.

#![expect(clippy::unwrap_used, reason = "tests")]

#[path = "cli/address_space.rs"]
mod address_space;
#[path = "cli/binary.rs"]
mod binary;
#[path = "cli/bucket.rs"]
mod bucket;
#[path = "cli/cache.rs"]
mod cache;
#[path = "cli/disks.rs"]
mod disks;
#[path = "cli/doctor.rs"]
mod doctor;
#[path = "cli/endings.rs"]
mod endings;
#[path = "cli/events.rs"]
mod events;
#[path = "cli/following.rs"]
mod following;
#[path = "cli/inputs.rs"]
mod inputs;
#[path = "cli/lacks.rs"]
mod lacks;
#[path = "cli/mistakes.rs"]
mod mistakes;
#[path = "cli/options.rs"]
mod options;
#[path = "cli/positions.rs"]
mod positions;
#[path = "cli/refusals.rs"]
mod refusals;
#[path = "cli/repairs.rs"]
mod repairs;
#[path = "cli/replies.rs"]
mod replies;
#[path = "cli/secrets.rs"]
mod secrets;
#[path = "cli/signals.rs"]
mod signals;
#[path = "cli/strangers.rs"]
mod strangers;
#[path = "cli/streams.rs"]
mod streams;
#[path = "cli/summaries.rs"]
mod summaries;
#[path = "cli/terminal.rs"]
mod terminal;
#[path = "cli/upkeep.rs"]
mod upkeep;
#[path = "rig/waits.rs"]
#[allow(unreachable_pub, reason = "the rig uses it, too")]
mod waits;
