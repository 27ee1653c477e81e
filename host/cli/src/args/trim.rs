//! Defines the command `trim`.

use std::time::SystemTime;

use clap::{ArgGroup, Args};

use super::common_options::{Json, SoleCompactor};
use super::sizes::number_within;
use super::times::{parse_position, parse_trim_time};

#[derive(Args)]
#[command(group = ArgGroup::new("point").required(true))]
#[command(override_usage = "stratalog trim [OPTIONS] --before <TIME> <LOG>
       stratalog trim [OPTIONS] --before-position <POSITION> <LOG>
       stratalog trim [OPTIONS] --keep-events <N> <LOG>")]
pub(crate) struct Trim {
    /// The log: a path or a URL (see `stratalog --help`)
    pub(crate) log: String,

    /// Trim everything before this time, day or age
    #[arg(long, value_name = "TIME", value_parser = parse_trim_time, group = "point")]
    pub(crate) before: Option<SystemTime>,

    /// Trim everything before this position
    #[arg(long, value_name = "POSITION", value_parser = parse_position, group = "point")]
    pub(crate) before_position: Option<String>,

    /// Trim all but the last N events
    #[arg(long, value_name = "N", group = "point")]
    #[arg(value_parser = number_within::<u64>(0..=u64::MAX))]
    pub(crate) keep_events: Option<u64>,

    /// Leave trimmed events in the boundary segment until the next compaction
    ///
    /// This saves rewriting the rest of the segment. Until then, stratalog does not return the
    /// trimmed events, but anyone who can read the store can still see them.
    #[arg(long)]
    pub(crate) lazy: bool,

    /// Trim no event that a named position has not passed
    ///
    /// The point is cut back to the first such event. `stratalog positions` lists the positions. A
    /// position that is damaged or of another log fails the command: forget it first.
    #[arg(long)]
    pub(crate) keep_unread: bool,

    /// Report what would be trimmed, and change nothing
    #[arg(long)]
    pub(crate) dry_run: bool,

    #[command(flatten)]
    pub(crate) json: Json,

    #[command(flatten)]
    pub(crate) sole: SoleCompactor,
}
