//! Defines the command `positions`.

use clap::Args;

use super::common_options::Json;
use super::times::parse_position_name;

pub(crate) const HELP: &str = "\
A named position is the place of a reader, kept in the log itself: `read --position-name NAME` and \
plugins with the right `commit` use one. The log lists each with the number of its commits and the \
time of the last one, in UTC. A position behind events that were not compacted names each writer \
of them, and may be long: their number stands for them here, and --json prints the whole text.

Example:
  stratalog positions --json logs/errors
      prints {\"positions\":[{\"name\":\"app\",
                             \"position\":\"08f66bb7b29e2c06@340\",
                             \"commits\":12,
                             \"time\":\"2025-01-31T12:00:00.000001Z\"}]}
  stratalog positions --forget app --json logs/errors
      prints {\"name\":\"app\",\"forgotten\":true}";

#[derive(Args)]
pub(crate) struct Positions {
    /// The log: a path or a URL (see `stratalog --help`)
    pub(crate) log: String,

    /// Forget the position of this name
    ///
    /// A reader that has it open can commit no more, and the next one has no position.
    #[arg(long, value_name = "NAME", value_parser = parse_position_name)]
    pub(crate) forget: Option<String>,

    #[command(flatten)]
    pub(crate) json: Json,
}
