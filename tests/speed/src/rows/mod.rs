//! The rows of the table.

mod append;
mod compact;
mod composed;
mod copied;
mod crossing;
pub(crate) mod crowd;
mod durable;
pub(crate) mod followers;
mod idle;
mod library;
mod listed;
mod live;
mod metrics;
mod once;
mod plan;
mod plugins;
mod position;
mod process;
mod read;
mod replay;
mod segments;
mod small;

use crate::lab::Lab;
use crate::table::Line;

/// A row, which may have several lines.
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) what: &'static str,
    pub(crate) measure: fn(&Lab) -> Vec<Line>,
}

/// All rows, in the order of the table.
pub(crate) const ROWS: &[Row] = &[
    Row {
        name: "durable-far",
        what: "append and wait, on a store with 20 ms a request",
        measure: durable::far,
    },
    Row {
        name: "durable-folder",
        what: "append and wait, in a folder with fsync",
        measure: durable::folder,
    },
    Row { name: "live", what: "whole processes on a folder of live batches", measure: live::live },
    Row { name: "plan", what: "plan of a compaction over many segments", measure: plan::plan },
    Row {
        name: "small",
        what: "whole processes that read and compact batches of one event",
        measure: small::small,
    },
    Row { name: "idle", what: "`tail -f` of a log in which nothing happens", measure: idle::idle },
    Row { name: "process", what: "one event appended by a process", measure: process::process },
    Row {
        name: "replay",
        what: "read of 256 MiB in segments, far away",
        measure: replay::segments,
    },
    Row { name: "replay-live", what: "read of live batches, far away", measure: replay::live },
    Row { name: "segments", what: "write of small segments", measure: segments::segments },
    Row {
        name: "position",
        what: "size of a position behind live batches",
        measure: position::position,
    },
    Row {
        name: "append",
        what: "append without a store, compared with a native loop",
        measure: append::append,
    },
    Row {
        name: "metrics",
        what: "append by a process, with metrics and without",
        measure: metrics::metrics,
    },
    Row { name: "once", what: "append of a file with a state", measure: once::once },
    Row {
        name: "plugin",
        what: "append and start of a plugin, without a store",
        measure: plugins::plugins,
    },
    Row { name: "record", what: "append by a recorded plugin", measure: plugins::record },
    Row { name: "read", what: "read of 64 MiB in live batches", measure: read::read },
    Row { name: "open", what: "another log opened by its path", measure: library::open },
    Row { name: "ls", what: "logs found by the names of their objects", measure: listed::listed },
    Row { name: "keep", what: "a sweep over logs for which nothing is due", measure: listed::kept },
    Row { name: "crowd", what: "many open logs in a process", measure: crowd::crowd },
    Row { name: "followers", what: "many followers in a process", measure: followers::followers },
    Row { name: "events", what: "read of 64 MiB, event by event", measure: library::events },
    Row { name: "compact", what: "compaction of 64 MiB", measure: compact::compact },
    Row { name: "copy", what: "copy of 64 MiB to another store", measure: copied::copied },
    Row {
        name: "composed",
        what: "a plugin joined with the log and a store, under plain wasmtime",
        measure: composed::composed,
    },
    Row {
        name: "run",
        what: "`stratalog run` of a plugin without a log",
        measure: plugins::process,
    },
];
