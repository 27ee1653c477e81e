//! Defines the command `files`.

use std::time::SystemTime;

use clap::{Args, ValueEnum};

use super::times::parse_time;

pub(crate) const HELP: &str = "\
For tools that read the objects themselves. Their events are those that `stratalog read` prints, \
in its order: no trimmed events, no batch that a segment contains, and none that is not \
acknowledged. The list is of one state of the log. A compaction or a trim may delete an object of \
it afterwards: a tool that finds one missing starts again with a new list.

The formats:
  paths   a path or URL on each line. Fails if only a range of an object
          is listed, as after a lazy trim or with --since
  json    an object for each range, one on each line
  duckdb  a statement for DuckDB that reads all events as JSON, in their
          order. S3 and HTTP need its extension httpfs, Azure the extension
          azure, and both their own credentials

Only events in segments have positions. The names of legacy batches (batch_TIME.jsonl) do not \
contain the number of events: it is null.

Example:
  stratalog files --format json --since 1h logs/errors
      prints {\"path\":\"/srv/logs/errors/segment_….jsonl\",\"size\":51234,
              \"offset\":400,\"bytes\":50834,
              \"events_before\":3,\"events\":337,\"position\":3,
              \"first_time\":\"2025-01-31T12:00:00.000001Z\",\"last_time\":\"…\"}
  duckdb -c \"$(stratalog files --format duckdb logs/errors)\"";

#[derive(Args)]
pub(crate) struct Files {
    /// The log: a path or a URL (see `stratalog --help`)
    pub(crate) log: String,

    /// The form of the list
    #[arg(long, value_name = "FORMAT", default_value = "paths")]
    pub(crate) format: FilesFormat,

    /// List only events of this time and later
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    pub(crate) since: Option<SystemTime>,

    /// List only events from before this time
    #[arg(long, value_name = "TIME", value_parser = parse_time)]
    pub(crate) until: Option<SystemTime>,
}

/// The form of the list of files.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum FilesFormat {
    Paths,
    Json,
    Duckdb,
}
