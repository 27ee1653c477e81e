//! Runs a plugin: in a wasmtime store of its own, under limits, to its end.
//!
//! 1. However the plugin ends, its appended events are flushed before the run ends.
//! 2. Computing time is measured while the plugin runs, not while it waits.
//! 3. A run ends only after the plugin's output is passed on, unless a limit or the caller ends it.

use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::sync::{Arc, OnceLock};
use std::task::Poll;
use std::time::{Duration, Instant};

use tracing::{Instrument as _, field};
use wasmtime::Store;
use wasmtime::component::ResourceTable;
use wasmtime_wasi::{WasiCtx, WasiCtxBuilder};

use super::engine::Plugin;
use super::exit::ExitReason;
use super::handles::Unflushed;
use super::limits::{Limit, PluginLimits};
use super::logs::LogsCtx;
use super::messages::Messages;
use super::meter::PluginMeter;
use super::recorder::{
    Ended, Granted, Record, RecordOutcome, RecordTask, Recorder, Stream, frames,
};
use super::state::PluginState;
use super::stdio::{Input, Output, last_of};
use super::usage::Usage;
use crate::error::{Error, Result};
use crate::sandbox::imports::in_flight::InFlight;
use crate::sandbox::memory::Memory;
use crate::telemetry::{self, OUTCOME};

/// The logs, streams and other resources of one run of a plugin.
pub struct Run {
    logs: LogsCtx,
    wasi: WasiCtxBuilder,
    outputs: Vec<Output>,
    /// The one of the outputs that is the plugin's stderr.
    stderr: Option<Output>,
    stop: Pin<Box<dyn Future<Output = ()> + Send>>,
    record: Option<Record>,
    /// The recorder, once the run has begun.
    recorder: Arc<OnceLock<Recorder>>,
}

/// The outcome of a run.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Outcome {
    /// The way in which the plugin ended.
    pub end: ExitReason,
    /// The usage of the run.
    pub usage: Usage,
    /// Appended events that could not be flushed: empty if all is well.
    pub unflushed: Vec<Unflushed>,
    /// True if the plugin wrote to the stderr of [`Run::inherit_stdio`] or [`Run::stderr`].
    /// Otherwise it has not reported why it failed.
    pub has_written_stderr: bool,
    /// Bytes written to its [`Output`]s that were not passed on. Their reader did not take them
    /// before a limit or the caller ended the run.
    pub output_bytes_dropped: u64,
    /// The outcome of the record; none without [`Run::record`].
    pub record: Option<RecordOutcome>,
}

impl Run {
    /// Grants these logs and nothing else: no arguments, no environment, no files, no network. The
    /// input is empty, and the output is discarded.
    pub fn new(logs: LogsCtx) -> Self {
        let mut wasi = WasiCtxBuilder::new();
        wasi.allow_tcp(false).allow_udp(false).allow_ip_name_lookup(false);
        let stop = Box::pin(std::future::pending());
        let (record, recorder) = (None, Arc::default());
        Self { logs, wasi, outputs: Vec::new(), stderr: None, stop, record, recorder }
    }

    /// Connects the plugin to this process's stdin, stdout and stderr.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] if the system provides no threads for them.
    pub fn inherit_stdio(&mut self) -> Result<&mut Self> {
        let open = || Ok((Input::stdin()?, Output::stdout()?, Output::stderr()?));
        let (stdin, stdout, stderr) = open().map_err(|error: std::io::Error| {
            Error::InvalidInput(format!("cannot start a thread for a standard stream: {error}"))
        })?;
        self.wasi.stdin(stdin);
        Ok(self.stdout(stdout).stderr(stderr))
    }

    /// Sets the plugin's stdout. The run ends after all of the plugin's output is passed on.
    pub fn stdout(&mut self, output: Output) -> &mut Self {
        self.wasi.stdout(output.tapped(Stream::Stdout, self.recorder.clone()));
        self.outputs.push(output);
        self
    }

    /// Sets the plugin's stderr, as [`Run::stdout`] does for stdout.
    pub fn stderr(&mut self, output: Output) -> &mut Self {
        self.wasi.stderr(output.tapped(Stream::Stderr, self.recorder.clone()));
        self.stderr = Some(output.clone());
        self.outputs.push(output);
        self
    }

    /// Records the run in a log of the host's own. The output is recorded if [`Run::stdout`],
    /// [`Run::stderr`] or [`Run::inherit_stdio`] set it.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] if the record's log is a granted one, or above or below one.
    pub fn record(&mut self, record: Record) -> Result<&mut Self> {
        self.logs.check_apart(&record)?;
        self.record = Some(record);
        Ok(self)
    }

    /// Returns the builder of the plugin's other resources: arguments, environment, folders, and
    /// other streams. Do not use wasmtime's own forms of the process's streams. They block the
    /// thread that runs the plugin, and no limit ends that.
    pub fn wasi(&mut self) -> &mut WasiCtxBuilder {
        &mut self.wasi
    }

    /// Stops the plugin when this completes. Its appended events are flushed.
    #[must_use]
    pub fn stop_when(mut self, stop: impl Future<Output = ()> + Send + 'static) -> Self {
        self.stop = Box::pin(stop);
        self
    }
}

impl Plugin {
    /// Runs the plugin to its end, then flushes and closes the logs that it left open. A run that
    /// is dropped midway does the same, in the background.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] if a wasmtime store for the plugin cannot be created. Faults of the
    /// plugin are an [`Outcome`].
    pub async fn run(&self, run: Run) -> Result<Outcome> {
        let limits = self.engine.limits();
        let Run { mut logs, mut wasi, outputs, stderr, stop, record, recorder } = run;
        let recording = record.map(|record| {
            let recorder = recorder.get_or_init(Recorder::new).clone();
            logs.record_to(recorder.clone());
            let granted = Granted {
                plugin: self.origin.to_string(),
                sha256: self.sha256.to_string(),
                logs: logs.recorded_logs(),
                limits: limits.clone(),
            };
            RecordTask::begin(record, recorder, &granted)
        });
        let closing = logs.closing();
        let mut store = self.store(logs, wasi.build())?;
        let begun = Instant::now();
        let mut computed = Duration::ZERO;
        let call = async {
            let command = self.command.instantiate_async(&mut store).await?;
            let returned = command.wasi_cli_run().call_run(&mut store).await;
            for output in &outputs {
                output.written().await;
            }
            returned
        };
        let mut trapped_in = Vec::new();
        let span = tracing::info_span!(
            target: telemetry::SPANS,
            "plugin",
            stratalog.outcome = field::Empty,
        );
        let end = match bounded(call, stop, limits, &mut computed).instrument(span.clone()).await {
            Ok(Ok(Ok(()))) => ExitReason::Exited(0),
            Ok(Ok(Err(()))) => ExitReason::Failed,
            Ok(Err(error)) => {
                tracing::debug!("the plugin failed: {error:?}");
                let end = ExitReason::of_failure(&error, limits);
                // An exit is a call of the plugin's own.
                if !matches!(end, ExitReason::Exited(_)) {
                    trapped_in = frames(&error);
                }
                end
            }
            Err(end) => end,
        };
        let time = begun.elapsed();
        let state = store.into_data();
        let mut usage = state.usage();
        (usage.time, usage.computed) = (time, computed);
        if let ExitReason::LimitReached(hit) = &end {
            usage.hit(hit);
        }
        drop(state);
        let output_bytes_dropped = last_of(&outputs).await;
        let unflushed = closing.wait().await;
        let has_written_stderr = stderr.is_some_and(|stderr| stderr.is_used());
        telemetry::plugin_ended(end.name());
        span.record(OUTCOME, end.name());
        usage.limits_hit.iter().for_each(|hit| telemetry::plugin_limited(hit.limit));
        let record = match recording {
            None => None,
            Some(recording) => {
                let ended = Ended {
                    end: end.clone(),
                    frames: trapped_in,
                    usage: usage.clone(),
                    unflushed: unflushed.iter().map(ToString::to_string).collect(),
                    output_bytes_dropped,
                };
                Some(recording.end(ended).await)
            }
        };
        Ok(Outcome { end, usage, unflushed, has_written_stderr, output_bytes_dropped, record })
    }

    fn store(&self, mut logs: LogsCtx, wasi: WasiCtx) -> Result<Store<PluginState>> {
        let limits = self.engine.limits();
        let mut table = ResourceTable::new();
        table.set_max_capacity(limits.handles_max);
        let memory = Memory::of_plugin(limits.memory_bytes_max);
        logs.charge(&memory, limits);
        let meter = PluginMeter::new(limits.clone(), memory.clone());
        let messages = Messages::new(limits.clone());
        let in_flight = InFlight::new(memory);
        let state = PluginState { logs, messages, meter, in_flight, table, wasi };
        let mut store = Store::new(self.engine.engine(), state);
        store.limiter(|state| &mut state.meter);
        store.set_hostcall_fuel(limits.host_call_bytes_max);
        // At each tick of the epoch the plugin yields, and its time is checked.
        store.epoch_deadline_async_yield_and_update(1);
        if let Some(fuel) = limits.fuel {
            store.set_fuel(fuel).map_err(|error| {
                Error::InvalidInput(format!("cannot set the fuel of a plugin: {error}"))
            })?;
        }
        Ok(store)
    }
}

/// Runs `call` until it ends, its time is up, or it is stopped. Adds up the time that it computes.
async fn bounded<T>(
    call: impl Future<Output = T>,
    mut stop: Pin<Box<dyn Future<Output = ()> + Send>>,
    limits: &PluginLimits,
    computed: &mut Duration,
) -> Result<T, ExitReason> {
    let mut call = pin!(call);
    let mut time_up = pin!(async {
        match limits.time_max {
            Some(time_max) => tokio::time::sleep(time_max).await,
            None => std::future::pending().await,
        }
    });
    poll_fn(|context| {
        if stop.as_mut().poll(context).is_ready() {
            return Poll::Ready(Err(ExitReason::Stopped));
        }
        let begun = Instant::now();
        let polled = call.as_mut().poll(context);
        *computed = computed.saturating_add(begun.elapsed());
        if let Poll::Ready(ended) = polled {
            return Poll::Ready(Ok(ended));
        }
        let limit = if *computed > limits.compute_max {
            Limit::Compute
        } else if time_up.as_mut().poll(context).is_ready() {
            Limit::Time
        } else {
            return Poll::Pending;
        };
        Poll::Ready(Err(ExitReason::LimitReached(limits.hit(limit))))
    })
    .await
}

impl fmt::Debug for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Run").field("logs", &self.logs).finish_non_exhaustive()
    }
}
