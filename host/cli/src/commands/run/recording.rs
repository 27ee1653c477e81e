//! The flight recorder of `stratalog run`.

use stratalog::Host;
use stratalog::plugin::{Record, RecordOutcome};
use stratalog::store::Location;

use crate::args::Shared;
use crate::args::run::Run;
use crate::process::exit::Failure;
use crate::target::{self, open_store};
use crate::terminal::human::count;

/// Returns the record that the command line asks for.
pub(super) fn record(
    command: &Run,
    shared: &Shared,
    host: Option<&Host>,
    environment: Vec<(&str, String)>,
) -> Result<Option<Record>, Failure> {
    let options = &command.record;
    let Some(log) = &options.record else { return Ok(None) };
    let location =
        Location::parse(log).map_err(|error| Failure::usage(format!("--record: {error}")))?;
    if location.root.is_memory() {
        let message = "a record in memory ends with this command: give a path or a URL";
        return Err(Failure::usage(format!("--record {log}: {message}")));
    }
    let store = open_store(&location.root, shared, command.sole.sole_compactor)
        .map_err(|failure| failure.context(format!("--record {log}")))?;
    let host = match host {
        Some(host) => host.clone(),
        None => target::host(shared)?,
    };
    let mut record = Record::new(&host, &store, &location.name)
        .arguments(&command.arguments)
        .bytes_per_second(options.record_bytes_per_second)
        .bytes_max(options.record_bytes_max);
    for (name, value) in environment {
        record = record.environment(name, value);
    }
    for dir in &command.dirs {
        let (folder, name) = super::folder(dir);
        record = record.folder(folder, name);
    }
    Ok(Some(record))
}

/// Warns of a record that is not complete.
pub(super) fn warn(log: &str, outcome: &RecordOutcome) {
    if let Some(error) = &outcome.error {
        tracing::warn!("the record in {log} is incomplete: {error}");
    }
    let mut left_out = Vec::new();
    if outcome.records_left_out > 0 {
        left_out.push(count(outcome.records_left_out, "record", "records").to_string());
    }
    if outcome.output_bytes_left_out > 0 {
        let bytes = count(outcome.output_bytes_left_out, "byte", "bytes");
        left_out.push(format!("{bytes} of output"));
    }
    if !left_out.is_empty() {
        let left_out = left_out.join(" and ");
        tracing::warn!(
            "the record in {log} leaves out {left_out}: see --record-bytes-per-second and \
             --record-bytes-max"
        );
    }
}
