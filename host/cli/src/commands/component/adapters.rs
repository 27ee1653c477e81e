//! The adapters that are built with this program: stores, and the log sink.

use super::part::{Part, Parts, Role};
use crate::args::component::StoreKind;
use crate::process::exit::Failure;

/// The adapter of a folder.
static FS_STORE: &[u8] = include_bytes!(env!("STRATALOG_FS_STORE"));

/// The adapter of a bucket.
static S3_STORE: &[u8] = include_bytes!(env!("STRATALOG_S3_STORE"));

static LOG_SINK: &[u8] = include_bytes!(env!("STRATALOG_LOG_SINK"));

/// The small components around a program. Each is made of the file in the text format next to it.
static LOG_SINK_EXIT: &[u8] = include_bytes!(env!("STRATALOG_LOG_SINK_EXIT"));
static LOG_SINK_RUN: &[u8] = include_bytes!(env!("STRATALOG_LOG_SINK_RUN"));
static OPEN_LOGS_EXIT: &[u8] = include_bytes!(env!("STRATALOG_OPEN_LOGS_EXIT"));
static OPEN_LOGS_RUN: &[u8] = include_bytes!(env!("STRATALOG_OPEN_LOGS_RUN"));

/// The name of the small components of this program.
const BUILT_IN: &str = "the built-in component";

/// Returns the adapter of a store.
pub(super) fn store(parts: &mut Parts, kind: StoreKind) -> Result<Part<'static>, Failure> {
    match kind {
        StoreKind::Fs => parts.part(Role::Store, "the built-in store fs", FS_STORE),
        StoreKind::S3 => parts.part(Role::Store, "the built-in store s3", S3_STORE),
    }
}

/// Returns the part that flushes open logs before a program exits.
pub(super) fn open_logs_exit(parts: &mut Parts) -> Result<Part<'static>, Failure> {
    parts.part(Role::LogExit, BUILT_IN, OPEN_LOGS_EXIT)
}

/// Returns the part that runs a program, and flushes open logs when it returns.
pub(super) fn open_logs_run(parts: &mut Parts) -> Result<Part<'static>, Failure> {
    parts.part(Role::LogRun, BUILT_IN, OPEN_LOGS_RUN)
}

/// Returns the log sink, and the part that flushes it before a program exits.
pub(super) fn log_sink(parts: &mut Parts) -> Result<[Part<'static>; 2], Failure> {
    let origin = "the built-in log sink";
    Ok([
        parts.part(Role::Sink, origin, LOG_SINK)?,
        parts.part(Role::SinkExit, origin, LOG_SINK_EXIT)?,
    ])
}

/// Returns the part that runs a program, and flushes the log sink when it returns.
pub(super) fn log_sink_run(parts: &mut Parts) -> Result<Part<'static>, Failure> {
    parts.part(Role::SinkRun, "the built-in log sink", LOG_SINK_RUN)
}
