//! Defines the options of `run` for the flight recorder.

use std::ops::RangeInclusive;

use clap::Args;

use crate::args::sizes::size_within;

/// The bytes of a record: fewer would leave out nearly everything.
const RECORD_BYTES: RangeInclusive<u64> = 1024..=1 << 40;

#[derive(Args)]
pub(crate) struct RecordArguments {
    /// Record what the plugin was granted, calls and prints, and its end, in another log
    ///
    /// The host writes the record, as JSON events. The plugin cannot reach it: LOG must be no log
    /// of --log, nor above or below one, nor in a folder of --dir. A kill of the plugin or of this
    /// process loses at most the last second. If LOG fails, the run continues, and a warning at
    /// the end says that the record is incomplete.
    #[arg(long, value_name = "LOG")]
    pub(crate) record: Option<String>,

    /// Bytes of the record per second; more is left out and counted: 1KiB to 1TiB
    #[arg(long, value_name = "SIZE", default_value = "256KiB", requires = "record")]
    #[arg(value_parser = size_within::<u64>(RECORD_BYTES))]
    pub(crate) record_bytes_per_second: u64,

    /// Bytes of the record in all; more is left out and counted: 1KiB to 1TiB
    #[arg(long, value_name = "SIZE", default_value = "64MiB", requires = "record")]
    #[arg(value_parser = size_within::<u64>(RECORD_BYTES))]
    pub(crate) record_bytes_max: u64,
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;
    use stratalog::plugin::Record;

    use crate::args::Arguments;
    use crate::args::commands::Command;

    #[test]
    fn defaults_of_a_record_are_those_of_the_library() {
        let typed = ["stratalog", "run", "plugin.wasm", "--record", "memory:x"];
        let Command::Run(run) = Arguments::try_parse_from(typed).unwrap().command else {
            panic!("not run")
        };
        let record = &run.record;
        assert_eq!(record.record_bytes_per_second, Record::BYTES_PER_SECOND_DEFAULT);
        assert_eq!(record.record_bytes_max, Record::BYTES_MAX_DEFAULT);
    }
}
