//! What can be typed. The texts here are the manual.

use std::path::PathBuf;
use std::time::Duration;

use clap::builder::Styles;
use clap::{Args, Parser, Subcommand, ValueHint};
use clap_complete::Shell;

use super::quantities::{parse_bytes, parse_duration};

const ABOUT: &str = "An append log on object storage.

A log is a sequence of events, each one line of bytes, usually JSON. Appended events become \
immutable objects in a folder or a bucket; any number of processes may append, read and compact \
one log at the same time.";

const EXAMPLES_AND_CODES: &str = "\
A LOG is a path or a URL, whose last segment is the log's name:
  logs/errors                 a folder, made by the first append
  file:///var/log/app/errors
  s3://BUCKET/errors          also gs://, az://, abfss://; http(s):// is WebDAV
  memory:errors               for trying out: gone when the command ends

Credentials come from the environment (AWS_*, GOOGLE_*, AZURE_*) or from --store-option.

Examples:
  echo '{\"error\":\"disk full\"}' | stratalog append logs/errors
  tail -F app.jsonl | stratalog append --flush-interval 5s s3://bucket/app
  stratalog read logs/errors | jq .error
  stratalog compact logs/errors
  stratalog stat --json s3://bucket/app

Exit codes:
  0    done; for read also: the reader of the output closed it
  1    failed for a reason not named below
  2    the command line is wrong
  3    the store cannot be reached or refuses
  4    damaged data: the message names the object, the expected and the found
  5    invalid input: an event, a file, a LOG, an option's value, a component
  130  interrupted by SIGINT (Ctrl-C); append has flushed what it had read
  143  ended by SIGTERM; append has flushed what it had read

Environment:
  STRATALOG_LOG  which messages go to stderr, instead of -v or -q,
                 e.g. `debug` or `stratalog=debug,object_store=info`";

const APPEND_EXAMPLES: &str = "\
SIZE is a number of bytes, or one with KiB or MiB, as in 64KiB.
DURATION is a number with ms, s, m or h, as in 500ms; or 0.

A signal (SIGINT, SIGTERM) ends it in good order: what was read is flushed and reported,
and the exit code is 130 or 143. A line cut by the signal is no event and is left out.
A second signal ends it at once, without waiting for the store.

Examples:
  stratalog append logs/errors monday.jsonl tuesday.jsonl
  journalctl -f -o json | stratalog append --flush-interval 5s s3://bucket/journal
  stratalog append --json --skip-invalid logs/errors <dump.jsonl
      prints {\"events\":990,\"batches\":1,\"bytes\":51234,\"skipped\":10}";

const READ_EXAMPLES: &str = "\
Examples:
  stratalog read logs/errors | tail -n 3
  stratalog read s3://bucket/app >app.jsonl";

const COMPACT_EXAMPLES: &str = "\
With fewer than two batches there is nothing to do, which is no failure.
Interrupting it is safe: the next run removes what is left over.

Example:
  stratalog compact --json logs/errors
      prints {\"merged_files\":12,\"events\":340,\"new_key\":\"errors/segment_….jsonl\"}";

const STAT_EXAMPLES: &str = "\
Times are those of the oldest and the newest batch, in UTC.
Batches of the old naming scheme (batch_TIME.jsonl) do not tell their number of events:
they are counted as uncounted batches.

Example:
  stratalog stat --json logs/errors
      prints {\"events\":340,\"batches\":0,\"segments\":1,\"bytes\":51234,\"objects\":3,
              \"generation\":1,\"uncounted_batches\":0,
              \"first_time\":\"2025-01-31T12:00:00.000001Z\",\"last_time\":\"…\"}";

const COMPLETIONS_EXAMPLES: &str = "\
Example:
  stratalog completions bash >~/.local/share/bash-completion/completions/stratalog";

/// A whole command line.
#[derive(Parser)]
#[command(name = "stratalog", version, about = "An append log on object storage")]
#[command(long_about = ABOUT, after_help = EXAMPLES_AND_CODES, styles = Styles::plain())]
#[command(max_term_width = 100, subcommand_required = true, arg_required_else_help = true)]
#[command(disable_help_subcommand = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
    #[command(flatten)]
    pub(crate) shared: Shared,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Append lines of files or of stdin, and flush them
    #[command(after_help = APPEND_EXAMPLES)]
    Append(Append),
    /// Print all events in order, one on a line
    #[command(after_help = READ_EXAMPLES)]
    Read(Read),
    /// Merge the log's small objects into a large one
    #[command(after_help = COMPACT_EXAMPLES)]
    Compact(Compact),
    /// Count the log's events and objects without reading them
    #[command(after_help = STAT_EXAMPLES)]
    Stat(Stat),
    /// Print a completion script for a shell
    #[command(after_help = COMPLETIONS_EXAMPLES)]
    Completions(Completions),
}

/// What every command takes. Has no `Debug`: a store option may be a secret.
#[derive(Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Shared {
    /// Print the summary as one JSON object on stdout; read prints events only and has none
    #[arg(long, global = true)]
    pub(crate) json: bool,

    /// Run the component in this file instead of the built-in one
    #[arg(long, global = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) component: Option<PathBuf>,

    /// Set an option of the store, e.g. aws_region=eu-central-1 or retry_max=3; may be repeated
    ///
    /// It beats the environment. Other users of the machine can see it: put secrets into the
    /// environment. For all stores on the network: retry_max (0 to 100, default 10), retry_timeout
    /// (1 to 240 seconds, default 60), instance_credentials (true or false, default false). An
    /// unknown option is an error that names similar ones.
    #[arg(long = "store-option", global = true, value_name = "KEY=VALUE")]
    pub(crate) store_options: Vec<String>,

    /// Keep the compiled component in this folder [default: the user's cache folder]
    #[arg(long, global = true, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) cache_dir: Option<PathBuf>,

    /// Compile the component anew, which takes up to a second, and keep nothing
    #[arg(long, global = true, conflicts_with = "cache_dir")]
    pub(crate) no_cache: bool,

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

    /// Files whose lines are the events; `-` is stdin [default: -]
    #[arg(value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) files: Vec<PathBuf>,

    /// Write a batch at this many events, and wait until it is written: 1 to 1,000,000
    #[arg(long, value_name = "N", default_value_t = 1_000_000)]
    pub(crate) flush_threshold: u32,

    /// Write a batch at this many bytes: 1 to 32MiB
    ///
    /// While a batch is being written the next one grows, so it may be larger where the input is
    /// faster than the store.
    #[arg(long, value_name = "SIZE", default_value = "4MiB", value_parser = parse_bytes)]
    pub(crate) flush_bytes: u32,

    /// Write a batch when its oldest event is this old: 1ms to 24h, or 0 for never
    #[arg(long, value_name = "DURATION", default_value = "1s", value_parser = parse_duration)]
    pub(crate) flush_interval: Duration,

    /// Refuse events of more bytes than this, the line feed not counted: 1 to 16MiB
    #[arg(long, value_name = "SIZE", default_value = "1MiB", value_parser = parse_bytes)]
    pub(crate) event_bytes_max: u32,

    /// Leave out empty and too long lines and report their number, instead of stopping there
    ///
    /// Without it the first such line stops with its place as FILE:LINE and exit code 5; what
    /// stands before it is appended and flushed. With -v each line left out is named.
    #[arg(long)]
    pub(crate) skip_invalid: bool,
}

#[derive(Args)]
pub(crate) struct Read {
    /// The log: a path or a URL (see `stratalog --help`)
    pub(crate) log: String,
}

#[derive(Args)]
pub(crate) struct Compact {
    /// The log: a path or a URL (see `stratalog --help`)
    pub(crate) log: String,

    /// Declare that no other compactor runs on this log, on any machine
    ///
    /// Needed on stores that cannot create an object only if it is absent, such as WebDAV. If
    /// another one runs after all, events may be lost.
    #[arg(long)]
    pub(crate) sole_compactor: bool,
}

#[derive(Args)]
pub(crate) struct Stat {
    /// The log: a path or a URL (see `stratalog --help`)
    pub(crate) log: String,
}

#[derive(Args)]
pub(crate) struct Completions {
    /// The shell
    pub(crate) shell: Shell,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Arguments::command().debug_assert();
    }
}
