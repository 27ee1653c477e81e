//! Defines the options that several commands have.

use std::time::Duration;

use clap::Args;

use super::durations::parse_duration;

/// The option of the commands that have a summary.
#[derive(Args)]
pub(crate) struct Json {
    /// Print the summary as one JSON object on stdout
    #[arg(long)]
    pub(crate) json: bool,
}

/// The option of the commands that commit.
#[derive(Args)]
pub(crate) struct SoleCompactor {
    /// Promise that no other process, on any machine, compacts or trims this log meanwhile
    ///
    /// Required on stores that cannot create an object only if it is absent, such as WebDAV. If
    /// another process compacts or trims the log after all, events may be lost.
    #[arg(long)]
    pub(crate) sole_compactor: bool,
}

/// The option of the commands that may have events to write after a signal.
#[derive(Args)]
pub(crate) struct Grace {
    /// After a signal, wait this long for the store to confirm appended events, then end
    ///
    /// Another signal ends the command without waiting. Events that may be missing are reported.
    #[arg(long, value_name = "DURATION", default_value = "700ms", value_parser = parse_duration)]
    pub(crate) grace: Duration,
}
