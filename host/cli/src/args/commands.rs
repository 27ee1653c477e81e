//! Defines the commands and their arguments.

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use clap::{Args, Subcommand, ValueHint};
use stratalog::{CompactOptions, LogOptions};

use super::common_options::{Grace, Json, SoleCompactor};
use super::component::{self, Component};
use super::copy::{self, Copy};
use super::durations::parse_interval;
use super::files::{self, Files};
use super::help_text;
use super::keep::{self, Keep};
use super::kit::{self, Plugin, Wit};
use super::ls::{self, Ls};
use super::man::{self, Completions, Man};
use super::positions::{self, Positions};
#[cfg(feature = "plugins")]
use super::run::Run;
use super::sizes::{number_within, size_within};
use super::tail_start::TailStart;
use super::telemetry::PricedTelemetry;
use super::times::{parse_position_name, parse_start, parse_time};
use super::trim::Trim;
use super::view::{self, View};

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Append the lines of files or of stdin, and flush them
    #[command(after_help = help_text::APPEND)]
    Append(Append),
    /// Print events in order, one per line
    #[command(after_help = help_text::READ)]
    Read(Read),
    /// Print the last events; with -f, also new ones
    #[command(after_help = help_text::TAIL)]
    Tail(Tail),
    /// Merge the log's small objects into large ones
    #[command(after_help = help_text::COMPACT)]
    Compact(Compact),
    /// Permanently remove the oldest events
    #[command(after_help = help_text::TRIM)]
    Trim(Trim),
    /// Copy a log to another store, while it is used
    #[command(after_help = copy::HELP)]
    Copy(Copy),
    /// Repair a log with damaged objects, or report what a repair would do
    #[command(after_help = help_text::REPAIR)]
    Repair(Repair),
    /// Check every object of the log
    #[command(after_help = help_text::VERIFY)]
    Verify(Verify),
    /// Count the log's events and objects without reading them
    #[command(after_help = help_text::STAT)]
    Stat(Stat),
    /// List the objects that have the log's events, for other tools
    #[command(after_help = files::HELP)]
    Files(Files),
    /// List the logs below a folder or a bucket, by the names of their objects
    #[command(after_help = ls::HELP)]
    Ls(Ls),
    /// Compact, trim and verify the logs below a folder or a bucket, by policies
    #[command(after_help = keep::HELP)]
    Keep(Box<Keep>),
    /// List the named positions of the log, or forget one
    #[command(after_help = positions::HELP)]
    Positions(Positions),
    /// Show the log in the browser: a page on this machine only
    #[command(after_help = view::HELP)]
    View(View),
    /// Run a plugin, a component that uses logs, in a sandbox
    #[cfg(feature = "plugins")]
    #[command(after_help = help_text::RUN)]
    Run(Box<Run>),
    /// Join a plugin with the log and a store, write the log, or inspect a component
    #[command(after_help = component::HELP, subcommand_required = true)]
    #[command(arg_required_else_help = true)]
    Component(Component),
    /// Begin a plugin: make a project that builds and runs
    #[command(after_help = kit::PLUGIN_HELP, subcommand_required = true)]
    #[command(arg_required_else_help = true)]
    Plugin(Plugin),
    /// Write the interface of the log (WIT) to a folder, with its documentation
    #[command(after_help = kit::WIT_HELP)]
    Wit(Wit),
    /// Check which guarantees a store provides for a log
    #[command(after_help = help_text::DOCTOR)]
    Doctor(Doctor),
    /// Print a completion script for a shell
    #[command(after_help = man::COMPLETIONS)]
    Completions(Completions),
    /// Write the manual pages, one for each command
    #[command(after_help = man::MAN)]
    Man(Man),
}

#[derive(Args)]
pub(crate) struct Append {
    /// The log: a path or a URL (see `stratalog --help`)
    pub(crate) log: String,

    /// Files whose lines are the events, also .gz and .zst; `-` is stdin [default: -]
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) files: Vec<PathBuf>,

    /// Append each line once, across runs: keep in FILE how far each input was read
    ///
    /// A run that was killed, or could not write, is continued by the next one with the same FILE.
    /// The inputs are plain files, which may have been rotated since.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) state: Option<PathBuf>,

    /// Keep appending what is added to the files, also after rotations; with --state
    #[arg(short, long, requires = "state")]
    pub(crate) follow: bool,

    /// Write a batch at this many events, and wait until it is written: 1 to 1,000,000
    #[arg(long, value_name = "N", default_value = "1000000")]
    #[arg(value_parser = number_within::<u32>(1..=LogOptions::FLUSH_THRESHOLD_MAX.into()))]
    pub(crate) flush_threshold: u32,

    /// Write a batch at this many bytes: 1 to 32MiB
    ///
    /// While --creates-max batches are being written, the next one grows. It may become larger than
    /// this if the input is faster than the store.
    #[arg(long, value_name = "SIZE", default_value = "4MiB")]
    #[arg(value_parser = size_within::<u32>(1..=LogOptions::BUFFER_BYTES_MAX.into()))]
    pub(crate) flush_bytes: u32,

    /// Write a batch when its oldest event is this old: 1ms to 24h, or 0 for never
    #[arg(long, value_name = "DURATION", default_value = "1s", value_parser = parse_interval)]
    pub(crate) flush_interval: Duration,

    /// Write at most this many batches at the same time: 1 to 16
    ///
    /// With 1, each batch is started when the one before it is stored.
    #[arg(long, value_name = "N", default_value = "4")]
    #[arg(value_parser = number_within::<u32>(1..=LogOptions::CREATES_MAX.into()))]
    pub(crate) creates_max: u32,

    /// Refuse events of more than this many bytes, line feed excluded: 1 to 16MiB
    #[arg(long, value_name = "SIZE", default_value = "1MiB")]
    #[arg(value_parser = size_within::<u32>(1..=LogOptions::EVENT_BYTES_MAX.into()))]
    pub(crate) event_bytes_max: u32,

    /// Skip and report lines that are too long or contain a NUL byte, instead of stopping
    ///
    /// Without this option, the first such line ends the command with exit code 5 and its place as
    /// FILE:LINE. The lines before it are appended and flushed. The first ten skipped lines are
    /// named; with -v, all of them. An input with a NUL byte in its first 256 KiB is binary data:
    /// it is refused as a whole, with this option, too.
    #[arg(long)]
    pub(crate) skip_invalid: bool,

    /// Take all input bytes as they are: decompress nothing, refuse nothing for its bytes
    ///
    /// Lines still end with LF, and empty lines are left out.
    #[arg(long)]
    pub(crate) binary: bool,

    /// Compact the log in the background after every N batches written
    ///
    /// Appending continues meanwhile. A failed compaction is a warning, and the next one retries.
    /// At its end, the command waits for the compaction in progress.
    #[arg(long, value_name = "N", value_parser = number_within::<u32>(1..=u32::MAX.into()))]
    pub(crate) compact_after: Option<u32>,

    #[command(flatten)]
    pub(crate) json: Json,

    #[command(flatten)]
    pub(crate) grace: Grace,

    #[command(flatten)]
    pub(crate) sole: SoleCompactor,

    #[command(flatten)]
    pub(crate) telemetry: PricedTelemetry,
}

#[derive(Args)]
pub(crate) struct Read {
    /// The log: a path or a URL (see `stratalog --help`)
    pub(crate) log: String,

    /// Keep printing new events as they arrive; not with --limit or --until
    #[arg(short, long, conflicts_with_all = ["limit", "until"])]
    pub(crate) follow: bool,

    /// Start at this position instead of at the beginning; not with --position-file
    #[arg(long, value_name = "POSITION", value_parser = parse_start)]
    pub(crate) from: Option<String>,

    /// Stop after N events
    #[arg(long, value_name = "N", value_parser = number_within::<u64>(0..=u64::MAX))]
    pub(crate) limit: Option<u64>,

    /// Skip events from before this time
    ///
    /// With --position-file they count as read.
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    pub(crate) since: Option<SystemTime>,

    /// Stop at events of this time and later
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    pub(crate) until: Option<SystemTime>,

    /// Start at the position in this file, if it exists, and keep it up to date; not with --until
    ///
    /// The file is replaced as a whole, and only after the events before the position were written
    /// to stdout. However the command ends, the next run skips nothing. It repeats at most the page
    /// that was written last: 1 to 3 MiB or one batch. While one command uses the file, another one
    /// is refused. A symbolic link is kept. The file keeps its mode and owner, and also its group
    /// if you are a member of that.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    #[arg(conflicts_with_all = ["from", "until"])]
    pub(crate) position_file: Option<PathBuf>,

    /// Start at the position of this name in the log, if there is one, and keep it up to date
    ///
    /// The name has 1 to 64 of the characters a-z, 0-9, `-` and `.`. The position is committed in
    /// the log's store, and only after the events before it were written to stdout. If there is
    /// none yet, the command starts at --from. If another reader commits under the name, the
    /// command ends with exit code 1.
    #[arg(long, value_name = "NAME", value_parser = parse_position_name)]
    #[arg(conflicts_with_all = ["until", "position_file"])]
    pub(crate) position_name: Option<String>,

    /// Skip damaged data, name it on stderr, and end with exit code 4
    ///
    /// A damaged batch is skipped alone. If a segment's index is damaged, the rest of the segment
    /// is skipped. With --position-file, skipped data counts as read. A damaged manifest still ends
    /// the command.
    #[arg(long)]
    pub(crate) skip_damaged: bool,

    #[command(flatten)]
    pub(crate) telemetry: PricedTelemetry,
}

#[derive(Args)]
pub(crate) struct Tail {
    /// The log: a path or a URL (see `stratalog --help`)
    pub(crate) log: String,

    /// Print the last N events; with +N, start at the Nth event that is not trimmed
    ///
    /// 0 prints none of them; with -f, only new events. `-5` is short for `-n 5`.
    #[arg(short = 'n', long, value_name = "[+]N", default_value = "10")]
    #[arg(allow_hyphen_values = true, value_parser = TailStart::parse)]
    pub(crate) lines: TailStart,

    /// Print the events of this time and later, not the last ones; not with -n
    #[arg(long, value_name = "TIME", value_parser = parse_time, conflicts_with = "lines")]
    pub(crate) since: Option<SystemTime>,

    /// Keep printing new events as they arrive
    #[arg(short, long)]
    pub(crate) follow: bool,

    #[command(flatten)]
    pub(crate) telemetry: PricedTelemetry,
}

#[derive(Args)]
pub(crate) struct Compact {
    /// The log: a path or a URL (see `stratalog --help`)
    pub(crate) log: String,

    /// Merge all segments up to --segment-bytes-max (may rewrite the whole log)
    #[arg(long)]
    pub(crate) full: bool,

    /// Merge N segments of about the same size into one: 2 to 64 [default: 8]
    #[arg(long, value_name = "N")]
    #[arg(value_parser = number_within::<u32>(
        CompactOptions::FAN_IN_MIN.into()..=CompactOptions::FAN_IN_MAX.into()
    ))]
    pub(crate) fan_in: Option<u32>,

    /// Make no segment larger than this: 1 to 4GiB [default: 128MiB]
    #[arg(long, value_name = "SIZE")]
    #[arg(value_parser = size_within::<u64>(1..=CompactOptions::SEGMENT_BYTES_MAX))]
    pub(crate) segment_bytes_max: Option<u64>,

    /// Report what would be done, and change nothing
    #[arg(long)]
    pub(crate) dry_run: bool,

    #[command(flatten)]
    pub(crate) json: Json,

    #[command(flatten)]
    pub(crate) sole: SoleCompactor,

    #[command(flatten)]
    pub(crate) telemetry: PricedTelemetry,
}

#[derive(Args)]
pub(crate) struct Verify {
    /// The log: a path or a URL (see `stratalog --help`)
    pub(crate) log: String,

    #[command(flatten)]
    pub(crate) json: Json,

    #[command(flatten)]
    pub(crate) telemetry: PricedTelemetry,
}

#[derive(Args)]
pub(crate) struct Repair {
    /// The log: a path or a URL (see `stratalog --help`)
    pub(crate) log: String,

    /// Repair the log; without this option nothing is changed
    #[arg(short, long)]
    pub(crate) yes: bool,

    #[command(flatten)]
    pub(crate) json: Json,

    #[command(flatten)]
    pub(crate) sole: SoleCompactor,
}

#[derive(Args)]
pub(crate) struct Stat {
    /// The log: a path or a URL (see `stratalog --help`)
    pub(crate) log: String,

    #[command(flatten)]
    pub(crate) json: Json,
}

#[derive(Args)]
pub(crate) struct Doctor {
    /// The log, which need not exist: a path or a URL (see `stratalog --help`)
    pub(crate) log: String,

    #[command(flatten)]
    pub(crate) json: Json,
}
