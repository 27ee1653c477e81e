//! The record of a plugin that the embedder runs in a world of its own.

use std::fmt;

use tokio::runtime::Handle;

use super::exit::ExitReason;
use super::handles::Unflushed;
use super::limits::PluginLimits;
use super::logs::LogsCtx;
use super::recorder::{
    Ended, Granted, Record, RecordOutcome, RecordTask, Recorder, Stream, frames,
};
use super::stdio::{Output, last_of};
use super::usage::Usage;
use crate::error::{Error, Result};
use crate::sandbox::bindings::wasi::logging::logging::Level;
use crate::sandbox::module_cache::sha256_of;

impl LogsCtx {
    /// Records the plugin's calls on these logs from now on, as [`Run::record`] does for a command.
    /// `name` and `component`, the bytes of the plugin, are in the first event of the record.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] if the record's log is a granted one, or above or below one, or
    /// outside of a tokio runtime.
    ///
    /// [`Run::record`]: crate::plugin::Run::record
    pub fn record(&mut self, record: Record, name: &str, component: &[u8]) -> Result<Recording> {
        self.check_apart(&record)?;
        if Handle::try_current().is_err() {
            let why = "cannot record a plugin outside of a tokio runtime";
            return Err(Error::InvalidInput(why.to_owned()));
        }
        let recorder = Recorder::new();
        self.record_to(recorder.clone());
        let limits = self.limits().clone();
        let granted = Granted {
            plugin: name.to_owned(),
            sha256: sha256_of(component),
            logs: self.recorded_logs(),
            limits: limits.clone(),
        };
        let task = RecordTask::begin(record, recorder.clone(), &granted);
        Ok(Recording { task, recorder, limits, outputs: Vec::new() })
    }
}

/// The record of a plugin that the embedder runs in a world of its own. Made by
/// [`LogsCtx::record`].
///
/// If it is dropped without [`Recording::end`], the record ends with `dropped`.
pub struct Recording {
    task: RecordTask,
    recorder: Recorder,
    limits: PluginLimits,
    outputs: Vec<Output>,
}

impl Recording {
    /// Returns an [`Output`] for the plugin's stdout: what the plugin writes to it is recorded and
    /// passed on to `output`.
    #[must_use]
    pub fn stdout(&mut self, output: &Output) -> Output {
        self.tapped(Stream::Stdout, output)
    }

    /// As [`Recording::stdout`], for the plugin's stderr.
    #[must_use]
    pub fn stderr(&mut self, output: &Output) -> Output {
        self.tapped(Stream::Stderr, output)
    }

    fn tapped(&mut self, stream: Stream, output: &Output) -> Output {
        self.outputs.push(output.clone());
        output.tapped(stream, std::sync::Arc::new(self.recorder.clone().into()))
    }

    /// Records a message of the plugin, which your world received.
    pub fn message(&self, level: tracing::Level, text: &str) {
        let level = match level {
            tracing::Level::TRACE => Level::Trace,
            tracing::Level::DEBUG => Level::Debug,
            tracing::Level::INFO => Level::Info,
            tracing::Level::WARN => Level::Warn,
            tracing::Level::ERROR => Level::Error,
        };
        self.recorder.message(level, text);
    }

    /// Ends the record, once the plugin's wasmtime store is dropped. `failure` is the error of its
    /// last call, if it trapped or was stopped. The usage is that of [`LogsCtx::usage`], and
    /// `unflushed` is the result of [`Closing::wait`](crate::plugin::Closing::wait).
    ///
    /// Waits for the rest of the plugin's output, and at most 30 seconds for the record's log.
    pub async fn end(
        self,
        failure: Option<&wasmtime::Error>,
        usage: &Usage,
        unflushed: &[Unflushed],
    ) -> RecordOutcome {
        let end = failure
            .map_or(ExitReason::Exited(0), |error| ExitReason::of_failure(error, &self.limits));
        let trapped_in = match (&end, failure) {
            (ExitReason::Exited(_), _) | (_, None) => Vec::new(),
            (_, Some(error)) => frames(error),
        };
        let ended = Ended {
            end,
            frames: trapped_in,
            usage: usage.clone(),
            unflushed: unflushed.iter().map(ToString::to_string).collect(),
            output_bytes_dropped: last_of(&self.outputs).await,
        };
        self.task.end(ended).await
    }
}

impl fmt::Debug for Recording {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Recording").finish_non_exhaustive()
    }
}
