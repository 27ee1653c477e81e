//! What can be typed. The texts here and in [`manual`] are the manual.

use std::ffi::OsString;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::builder::Styles;
use clap::error::ErrorKind;
use clap::{
    Arg, ArgGroup, Args, CommandFactory as _, FromArgMatches as _, Parser, Subcommand, ValueHint,
};
use clap_complete::Shell;
use stratalog::store::hide_secrets;

use super::manual;
use super::moments::{parse_position, parse_start, parse_time, parse_trim_time};
use super::plugin_limits::LimitArguments;
use super::quantities::{
    number_within, parse_duration, parse_interval, parse_timeout, size_within,
};
use super::streams::{Stderr, Stdout};
use super::tail_start::{self, TailStart};
use super::tips;
use super::wrapping;

const MIB: u64 = 1024 * 1024;

/// A whole command line.
#[derive(Parser)]
#[command(name = "stratalog", version, about = "An append log on object storage")]
#[command(long_about = manual::ABOUT, after_help = manual::EXAMPLES_AND_CODES, styles = Styles::plain())]
#[command(max_term_width = 100, subcommand_required = true, arg_required_else_help = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
    #[command(flatten)]
    pub(crate) shared: Shared,
}

impl Arguments {
    /// The arguments of this process; ends it with help, or with what is wrong with them.
    pub(crate) fn of_process() -> Self {
        let typed = tail_start::spell_out(&Self::command(), std::env::args_os());
        let arguments = Self::parse_typed(&typed)
            .unwrap_or_else(|error| end_with(&tips::better(error, &typed)));
        // The parser does not see a conflict across the command's name.
        if arguments.shared.no_cache && arguments.shared.cache_dir.is_some() {
            let conflict = "the argument '--no-cache' cannot be used with '--cache-dir <DIR>'";
            end_with(&Self::command().error(ErrorKind::ArgumentConflict, conflict));
        }
        // The parser's own check would show the value, which may be a secret.
        let is_pair =
            |text: &String| text.split_once('=').is_some_and(|(key, _)| !key.trim().is_empty());
        if let Some(index) = arguments.shared.store_options.iter().position(|text| !is_pair(text)) {
            let place = match arguments.shared.store_options.len() {
                1 => String::new(),
                _ => format!(" (number {})", index.saturating_add(1)),
            };
            let message = format!(
                "the value of '--store-option <KEY=VALUE>'{place} is no KEY=VALUE: write one as in \
                 aws_region=eu-central-1"
            );
            end_with(&Self::command().error(ErrorKind::ValueValidation, message));
        }
        arguments
    }
}

impl Arguments {
    /// Reads the words of a command line, the program's name first.
    pub(super) fn parse_typed(typed: &[OsString]) -> Result<Self, clap::Error> {
        // A negative number is a wrong value of its option, not another option.
        let takes_numbers = |argument: Arg| match argument.get_action().takes_values() {
            true if !argument.is_positional() => argument.allow_negative_numbers(true),
            _ => argument,
        };
        let with_numbers = |command: clap::Command| command.mut_args(takes_numbers);
        let mut command = with_numbers(Self::command()).mut_subcommands(with_numbers);
        let matches = command.try_get_matches_from_mut(typed)?;
        Self::from_arg_matches(&matches).map_err(|error| error.format(&mut command))
    }
}

/// Prints help, or what is wrong with the arguments, and ends the process.
fn end_with(error: &clap::Error) -> ! {
    let text = error.render().to_string();
    let written = match error.use_stderr() {
        true => Stderr.write_all(wrapping::for_stderr(&hide_secrets(&text)).as_bytes()),
        false => Stdout.write_all(text.as_bytes()),
    };
    // Nobody is there to read why.
    written.ok();
    std::process::exit(error.exit_code())
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Append lines of files or of stdin, and flush them
    #[command(after_help = manual::APPEND)]
    Append(Append),
    /// Print events in order, one on a line
    #[command(after_help = manual::READ)]
    Read(Read),
    /// Print the last events, and with -f those to come
    #[command(after_help = manual::TAIL)]
    Tail(Tail),
    /// Merge the log's small objects into large ones
    #[command(after_help = manual::COMPACT)]
    Compact(Compact),
    /// Give up events at the beginning of the log, for good
    #[command(after_help = manual::TRIM)]
    Trim(Trim),
    /// Repair a log with damaged objects, or say what that would do
    #[command(after_help = manual::REPAIR)]
    Repair(Repair),
    /// Check every object of the log
    #[command(after_help = manual::VERIFY)]
    Verify(Verify),
    /// Count the log's events and objects without reading them
    #[command(after_help = manual::STAT)]
    Stat(Stat),
    /// Run a plugin, a component that keeps logs, in a sandbox
    #[command(after_help = manual::RUN)]
    Run(Box<Run>),
    /// Write the log's component to a file, or look into one
    #[command(after_help = manual::COMPONENT, subcommand_required = true)]
    #[command(arg_required_else_help = true)]
    Component(Component),
    /// Try what a store can do, and say what that means for a log
    #[command(after_help = manual::DOCTOR)]
    Doctor(Doctor),
    /// Print a completion script for a shell
    #[command(after_help = manual::COMPLETIONS)]
    Completions(Completions),
}

/// What every command takes. Has no `Debug`: a store option may be a secret.
#[derive(Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Shared {
    /// Print the summary as one JSON object on stdout; read, tail and run have none
    #[arg(long, global = true)]
    pub(crate) json: bool,

    /// Run the component in this file instead of the built-in one
    #[arg(long, global = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) component: Option<PathBuf>,

    /// Set an option of the store, e.g. aws_region=eu-central-1; may be repeated
    ///
    /// It beats the environment. Other users of the machine can see it: put secrets into the
    /// environment. For all stores on the network but WebDAV: instance_credentials (true or false,
    /// default false). An unknown option is an error that names similar ones; one whose value cannot
    /// be used, or that would have no effect, is an error that says what it needs.
    #[arg(long = "store-option", global = true, value_name = "KEY=VALUE")]
    pub(crate) store_options: Vec<String>,

    /// Send a failed request to the store again at most N times, 0 to 100 [default: until --timeout]
    ///
    /// With growing pauses, of 5 s at most. Every request is safe to repeat: no event is lost or
    /// written twice by it.
    #[arg(long, global = true, value_name = "N")]
    #[arg(value_parser = number_within::<usize>(0..=100))]
    pub(crate) retry_max: Option<usize>,

    /// Give up an operation of the store after this long in all: 1s to 4m [default: 60s]
    ///
    /// That is one write, one listing, or the next part of a read, its retries included. What is
    /// being waited for is reported on stderr after 2 seconds.
    #[arg(long, global = true, value_name = "DURATION", value_parser = parse_timeout)]
    pub(crate) timeout: Option<Duration>,

    /// Keep compiled components in this folder [default: the user's cache folder]
    ///
    /// They are native code: the folder and what is in it must belong to you and be writable by nobody
    /// else. What is not so, or is damaged, is not used, and a warning names it. At most 200 files and
    /// 1 GiB are kept.
    #[arg(long, global = true, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) cache_dir: Option<PathBuf>,

    /// Compile components anew, which takes a second and for large plugins longer, and keep nothing
    #[arg(long, global = true, conflicts_with = "cache_dir")]
    pub(crate) no_cache: bool,

    /// The most memory an instance of the component may use: 4MiB to 4095MiB
    ///
    /// Reading, compacting and verifying need less than 64MiB for a log of any size. Appending needs
    /// up to 128MiB while the store is slower than the input; with less it fails. Where the address
    /// space is limited (`ulimit -v`), an instance reserves no more than this of it.
    #[arg(long, global = true, value_name = "SIZE", default_value = "256MiB")]
    #[arg(value_parser = size_within::<u32>(4 * MIB..=4095 * MIB))]
    pub(crate) memory_max: u32,

    /// Say more on stderr: -v what is done, -vv everything
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,

    /// Print nothing but errors to stderr: no summary, no warnings, no progress
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
}

#[derive(Args)]
pub(crate) struct Append {
    /// The log: a path or a URL (see `stratalog --help`)
    pub(crate) log: String,

    /// Files whose lines are the events, .gz and .zst too; `-` is stdin [default: -]
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) files: Vec<PathBuf>,

    /// Write a batch at this many events, and wait until it is written: 1 to 1,000,000
    #[arg(long, value_name = "N", default_value = "1000000")]
    #[arg(value_parser = number_within::<u32>(1..=1_000_000))]
    pub(crate) flush_threshold: u32,

    /// Write a batch at this many bytes: 1 to 32MiB
    ///
    /// While a batch is being written the next one grows, so it may be larger where the input is
    /// faster than the store.
    #[arg(long, value_name = "SIZE", default_value = "4MiB")]
    #[arg(value_parser = size_within::<u32>(1..=32 * MIB))]
    pub(crate) flush_bytes: u32,

    /// Write a batch when its oldest event is this old: 1ms to 24h, or 0 for never
    #[arg(long, value_name = "DURATION", default_value = "1s", value_parser = parse_interval)]
    pub(crate) flush_interval: Duration,

    /// Refuse events of more bytes than this, the line feed not counted: 1 to 16MiB
    #[arg(long, value_name = "SIZE", default_value = "1MiB")]
    #[arg(value_parser = size_within::<u32>(1..=16 * MIB))]
    pub(crate) event_bytes_max: u32,

    /// Leave out lines that are too long or have a NUL byte, and report them, instead of stopping
    ///
    /// Without it the first such line stops with its place as FILE:LINE and exit code 5; what
    /// stands before it is appended and flushed. The first ten that are left out are named, with -v
    /// all of them.
    #[arg(long)]
    pub(crate) skip_invalid: bool,

    /// Take the bytes of every input as they are: decompress nothing, refuse nothing for its bytes
    ///
    /// Lines still end with LF, and empty ones are left out.
    #[arg(long)]
    pub(crate) binary: bool,

    /// Compact the log in the background after every N batches written, while appending goes on
    ///
    /// A compaction that fails is a warning; the next one tries again. The command waits for the one
    /// under way at its end.
    #[arg(long, value_name = "N", value_parser = number_within::<u32>(1..=u32::MAX.into()))]
    pub(crate) compact_after: Option<u32>,

    #[command(flatten)]
    pub(crate) grace: Grace,

    #[command(flatten)]
    pub(crate) sole: SoleCompactor,
}

#[derive(Args)]
pub(crate) struct Read {
    /// The log: a path or a URL (see `stratalog --help`)
    pub(crate) log: String,

    /// Begin at this position instead of at the beginning
    #[arg(long, value_name = "POSITION", value_parser = parse_start)]
    pub(crate) from: Option<String>,

    /// End after N events
    #[arg(long, value_name = "N", value_parser = number_within::<u64>(0..=u64::MAX))]
    pub(crate) limit: Option<u64>,

    /// Leave out events from before this time
    ///
    /// With --position-file they count as read.
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    pub(crate) since: Option<u64>,

    /// Leave out events of this time and later
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    pub(crate) until: Option<u64>,

    /// Begin at the position in this file, if it is there, and keep it up to date
    ///
    /// The file is replaced as a whole, and only after the events before the position have been
    /// written to stdout: whatever ends the command, the next one repeats at most the page that was
    /// written last, of 1 to 3 MiB or one batch, and skips nothing. While one command uses the file,
    /// another one is refused. A symbolic link stays one, and the file's mode and owner are kept.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    #[arg(conflicts_with_all = ["from", "until"])]
    pub(crate) position_file: Option<PathBuf>,

    /// Leave out what is damaged, name it on stderr, and end with exit code 4
    ///
    /// A damaged batch is left out alone; where a segment's index is damaged, what is left of the
    /// segment is. With --position-file it counts as read. A damaged manifest still ends the command.
    #[arg(long)]
    pub(crate) skip_damaged: bool,
}

#[derive(Args)]
pub(crate) struct Tail {
    /// The log: a path or a URL (see `stratalog --help`)
    pub(crate) log: String,

    /// Print the last N events; with +N, begin at the Nth of those that are there
    ///
    /// 0 prints none; with -f, those to come. `-5` is short for `-n 5`.
    #[arg(short = 'n', long, value_name = "[+]N", default_value = "10")]
    #[arg(allow_hyphen_values = true, value_parser = TailStart::parse)]
    pub(crate) lines: TailStart,

    /// Go on with the events to come
    #[arg(short, long)]
    pub(crate) follow: bool,
}

#[derive(Args)]
pub(crate) struct Compact {
    /// The log: a path or a URL (see `stratalog --help`)
    pub(crate) log: String,

    /// Merge all segments as far as --segment-bytes-max lets: rewrites up to the whole log
    #[arg(long)]
    pub(crate) full: bool,

    /// Merge N segments of about one size into one: 2 to 64 [default: 8]
    #[arg(long, value_name = "N", value_parser = number_within::<u32>(2..=64))]
    pub(crate) fan_in: Option<u32>,

    /// Make no segment larger than this: 1 to 4GiB [default: 128MiB]
    #[arg(long, value_name = "SIZE", value_parser = size_within::<u64>(1..=4096 * MIB))]
    pub(crate) segment_bytes_max: Option<u64>,

    /// Say what would be done, and do nothing
    #[arg(long)]
    pub(crate) dry_run: bool,

    #[command(flatten)]
    pub(crate) sole: SoleCompactor,
}

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
    pub(crate) before: Option<u64>,

    /// Trim everything before this position
    #[arg(long, value_name = "POSITION", value_parser = parse_position, group = "point")]
    pub(crate) before_position: Option<String>,

    /// Trim all but the last N events
    #[arg(long, value_name = "N", group = "point")]
    #[arg(value_parser = number_within::<u64>(0..=u64::MAX))]
    pub(crate) keep_events: Option<u64>,

    /// Leave trimmed events in the segment at the boundary to the next compaction
    ///
    /// That saves writing what is left of the segment. Until then nobody reads the trimmed events
    /// with stratalog, but whoever can read the store can.
    #[arg(long)]
    pub(crate) lazy: bool,

    /// Report what would be trimmed, and change nothing
    #[arg(long)]
    pub(crate) dry_run: bool,

    #[command(flatten)]
    pub(crate) sole: SoleCompactor,
}

#[derive(Args)]
pub(crate) struct Verify {
    /// The log: a path or a URL (see `stratalog --help`)
    pub(crate) log: String,
}

#[derive(Args)]
pub(crate) struct Repair {
    /// The log: a path or a URL (see `stratalog --help`)
    pub(crate) log: String,

    /// Repair the log; without it nothing is changed
    #[arg(short, long)]
    pub(crate) yes: bool,

    #[command(flatten)]
    pub(crate) sole: SoleCompactor,
}

/// For the commands that commit.
#[derive(Args)]
pub(crate) struct SoleCompactor {
    /// Declare that nothing else compacts or trims this log meanwhile, on any machine
    ///
    /// Needed on stores that cannot create an object only if it is absent, such as WebDAV. If
    /// something else does after all, events may be lost.
    #[arg(long)]
    pub(crate) sole_compactor: bool,
}

/// For the commands that a signal leaves with events to write.
#[derive(Args)]
pub(crate) struct Grace {
    /// Wait this long after a signal for the store to take what was appended, then end without it
    ///
    /// Another signal ends it without waiting. What may be missing is reported.
    #[arg(long, value_name = "DURATION", default_value = "700ms", value_parser = parse_duration)]
    pub(crate) grace: Duration,
}

#[derive(Args)]
pub(crate) struct Stat {
    /// The log: a path or a URL (see `stratalog --help`)
    pub(crate) log: String,
}

#[derive(Args)]
pub(crate) struct Run {
    /// The plugin: a WebAssembly component that exports wasi:cli/run
    #[arg(value_name = "PLUGIN.wasm", value_hint = ValueHint::FilePath)]
    pub(crate) plugin: PathBuf,

    /// Lend a log, a path or a URL, under a label that the plugin opens; may be repeated
    #[arg(long = "log", value_name = "LABEL=LOG")]
    pub(crate) logs: Vec<String>,

    /// Say what the plugin may do with a log: append, read, compact, trim [default: append,read]
    #[arg(long = "grant", value_name = "LABEL=RIGHT,...")]
    pub(crate) grants: Vec<String>,

    /// Give the plugin a variable of the environment; without a value, the one it has here
    #[arg(long = "env", value_name = "NAME[=VALUE]")]
    pub(crate) env: Vec<String>,

    /// Give the plugin a folder, to read and to write, perhaps under another name
    #[arg(long = "dir", value_name = "DIR[::NAME]", value_hint = ValueHint::DirPath)]
    pub(crate) dirs: Vec<String>,

    /// Report what the plugin used as one JSON object, to stderr or to a file
    ///
    /// The file is replaced as a whole. A symbolic link stays one, and the file's mode and owner are
    /// kept.
    #[arg(long, value_name = "FILE", num_args = 0..=1, require_equals = true)]
    #[arg(default_missing_value = "-", value_hint = ValueHint::FilePath)]
    pub(crate) report: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) limits: LimitArguments,

    #[command(flatten)]
    pub(crate) grace: Grace,

    #[command(flatten)]
    pub(crate) sole: SoleCompactor,

    /// The plugin's own arguments
    #[arg(last = true, value_name = "ARGS")]
    pub(crate) arguments: Vec<String>,
}

impl Run {
    /// The file that the report goes to, if there is one and it does not go to stderr.
    pub(crate) fn report_file(&self) -> Option<&Path> {
        self.report.as_deref().filter(|file| *file != Path::new("-"))
    }
}

#[derive(Args)]
pub(crate) struct Component {
    #[command(subcommand)]
    pub(crate) command: ComponentCommand,
}

#[derive(Subcommand)]
pub(crate) enum ComponentCommand {
    /// Write the built-in component, or that of --component, to a file
    Export {
        /// The file, which is replaced as a whole; `-` is stdout
        #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
        file: PathBuf,
    },
    /// Print the digest, the imports, the exports and the interface (WIT) of a component
    Inspect {
        /// The component, a plugin perhaps [default: the built-in one, or that of --component]
        #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
        file: Option<PathBuf>,
    },
}

#[derive(Args)]
pub(crate) struct Doctor {
    /// A log, which need not exist: a path or a URL (see `stratalog --help`)
    pub(crate) log: String,
}

#[derive(Args)]
pub(crate) struct Completions {
    /// The shell
    pub(crate) shell: Shell,
}

#[cfg(test)]
mod tests {
    use clap::{Command, CommandFactory as _};

    use super::Arguments;

    #[test]
    fn the_command_line_is_well_formed() {
        Arguments::command().debug_assert();
    }

    /// All commands, those of commands too.
    fn all_commands(command: Command) -> Vec<Command> {
        let below = command.get_subcommands().cloned().flat_map(all_commands);
        let below = below.collect::<Vec<_>>();
        std::iter::once(command).chain(below).collect()
    }

    #[test]
    fn help_is_wrapped_once_and_by_the_width_of_the_terminal() {
        for command in all_commands(Arguments::command()) {
            let name = command.get_name().to_owned();
            let source = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            let lines: Vec<&str> = source.lines().collect();
            for pair in lines.windows(2) {
                let by_hand =
                    pair.iter().all(|line| line.starts_with(|c: char| !c.is_whitespace()));
                assert!(!by_hand, "{name}: a paragraph of two lines: {pair:#?}");
            }
            for line in &lines {
                let kept = line.starts_with(' ');
                assert!(!kept || line.chars().count() <= 80, "{name}: will be wrapped: {line}");
            }
            let help = command.clone().term_width(80).render_long_help().to_string();
            for line in help.lines() {
                assert!(line.chars().count() <= 80, "{name}: wider than 80 columns: {line}");
            }
        }
    }
}
