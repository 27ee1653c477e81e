//! Runs a plugin: in a wasmtime store of its own, under limits, to its end.
//!
//! 1. Whatever ends the plugin, what it appended is flushed before the run is over.
//! 2. Computing is measured while the plugin runs and not while it waits.
//! 3. A run has not ended before what the plugin wrote is passed on, unless a limit or its caller ends
//!    it.

use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::{Duration, Instant};

use wasmtime::Store;
use wasmtime::component::ResourceTable;
use wasmtime_wasi::{WasiCtx, WasiCtxBuilder};

use super::engine::Plugin;
use super::exit::End;
use super::handles::Unflushed;
use super::limits::{Limit, PluginLimits};
use super::logs::LogsCtx;
use super::messages::Messages;
use super::meter::PluginMeter;
use super::state::PluginState;
use super::stdio::{Input, Output};
use super::usage::Usage;
use crate::error::{Error, Result};
use crate::sandbox::imports::in_flight::ObjectWork;
use crate::sandbox::memory::Memory;

/// How long the reader of a plugin that was stopped has to take what the plugin wrote last.
const LAST_OUTPUT: Duration = Duration::from_millis(100);

/// What one run of a plugin is given.
pub struct Run {
    logs: LogsCtx,
    wasi: WasiCtxBuilder,
    outputs: Vec<Output>,
    /// That of them which is the plugin's stderr.
    stderr: Option<Output>,
    stop: Pin<Box<dyn Future<Output = ()> + Send>>,
}

/// What became of a run.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Outcome {
    /// How the plugin ended.
    pub end: End,
    /// What it used.
    pub usage: Usage,
    /// Events that it had appended and that could not be flushed: empty when all is well.
    pub unflushed: Vec<Unflushed>,
    /// Whether it wrote to the stderr that [`Run::inherit_stdio`] or [`Run::stderr`] gave it: a plugin that
    /// did not has not said why it failed.
    pub has_written_stderr: bool,
    /// Bytes that it had written to its [`Output`]s and that were not passed on, since their reader did
    /// not take them before a limit or the caller ended the run.
    pub output_bytes_dropped: u64,
}

impl Run {
    /// Lends these logs and nothing else: no arguments, no environment, no files, no network; input
    /// is empty, and output is thrown away.
    pub fn new(logs: LogsCtx) -> Self {
        let mut wasi = WasiCtxBuilder::new();
        wasi.allow_tcp(false).allow_udp(false).allow_ip_name_lookup(false);
        let stop = Box::pin(std::future::pending());
        Self { logs, wasi, outputs: Vec::new(), stderr: None, stop }
    }

    /// Gives the plugin this process's stdin, stdout and stderr.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] when the system gives no threads for them.
    pub fn inherit_stdio(&mut self) -> Result<&mut Self> {
        let open = || Ok((Input::stdin()?, Output::stdout()?, Output::stderr()?));
        let (stdin, stdout, stderr) = open().map_err(|error: std::io::Error| {
            Error::InvalidInput(format!("cannot start a thread for a standard stream: {error}"))
        })?;
        self.wasi.stdin(stdin);
        Ok(self.stdout(stdout).stderr(stderr))
    }

    /// Gives the plugin this stdout. The run ends when all that the plugin wrote is passed on.
    pub fn stdout(&mut self, output: Output) -> &mut Self {
        self.wasi.stdout(output.clone());
        self.outputs.push(output);
        self
    }

    /// Gives the plugin this stderr, as [`Run::stdout`].
    pub fn stderr(&mut self, output: Output) -> &mut Self {
        self.wasi.stderr(output.clone());
        self.stderr = Some(output.clone());
        self.outputs.push(output);
        self
    }

    /// What else the plugin is given: arguments, environment, folders, and other streams. Do not give
    /// it wasmtime's own forms of the process's streams: they block whoever runs the plugin, which no
    /// limit ends then.
    pub fn wasi(&mut self) -> &mut WasiCtxBuilder {
        &mut self.wasi
    }

    /// Stops the plugin when this completes. What it appended is flushed.
    #[must_use]
    pub fn stop_when(mut self, stop: impl Future<Output = ()> + Send + 'static) -> Self {
        self.stop = Box::pin(stop);
        self
    }
}

impl Plugin {
    /// Runs the plugin to its end, then flushes and closes what it left open. A run that is dropped
    /// midway does the same, in the background.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] when a store for the plugin cannot be made. What the plugin does wrong
    /// is an [`Outcome`].
    pub async fn run(&self, run: Run) -> Result<Outcome> {
        let limits = self.engine.limits();
        let Run { logs, mut wasi, outputs, stderr, stop } = run;
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
        let end = match bounded(call, stop, limits, &mut computed).await {
            Ok(Ok(Ok(()))) => End::Exited(0),
            Ok(Ok(Err(()))) => End::Failed,
            Ok(Err(error)) => {
                tracing::debug!("the plugin failed: {error:?}");
                End::of_failure(&error, limits)
            }
            Err(end) => end,
        };
        let time = begun.elapsed();
        let state = store.into_data();
        let mut usage = state.usage();
        (usage.time, usage.computed) = (time, computed);
        if let End::LimitReached(hit) = &end {
            usage.hit(hit);
        }
        drop(state);
        let output_bytes_dropped = last_of(&outputs).await;
        let unflushed = closing.wait().await;
        let has_written_stderr = stderr.is_some_and(|stderr| stderr.is_used());
        Ok(Outcome { end, usage, unflushed, has_written_stderr, output_bytes_dropped })
    }

    fn store(&self, mut logs: LogsCtx, wasi: WasiCtx) -> Result<Store<PluginState>> {
        let limits = self.engine.limits();
        let mut table = ResourceTable::new();
        table.set_max_capacity(limits.handles_max);
        let memory = Memory::of_plugin(limits.memory_bytes_max);
        logs.charge(&memory, limits);
        let meter = PluginMeter::new(limits.clone(), memory.clone());
        let messages = Messages::new(limits.clone());
        let work = ObjectWork::new(memory);
        let state = PluginState { logs, messages, meter, work, table, wasi };
        let mut store = Store::new(self.engine.engine(), state);
        store.limiter(|state| &mut state.meter);
        store.set_hostcall_fuel(limits.host_call_bytes_max);
        // At each tick of the epoch it steps aside, and its time is looked at.
        store.epoch_deadline_async_yield_and_update(1);
        if let Some(fuel) = limits.fuel {
            store.set_fuel(fuel).map_err(|error| Error::InvalidInput(format!("fuel: {error}")))?;
        }
        Ok(store)
    }
}

/// Passes on what a plugin wrote last, as far as somebody takes it right away; returns how many bytes
/// nobody took.
async fn last_of(outputs: &[Output]) -> u64 {
    let written = async {
        for output in outputs {
            output.written().await;
        }
    };
    // What is left when they are not done is counted.
    tokio::time::timeout(LAST_OUTPUT, written).await.ok();
    outputs.iter().map(Output::give_up).fold(0, u64::saturating_add)
}

/// Runs `call` until it ends, its time is up, or it is stopped. Adds up how long it computes.
async fn bounded<T>(
    call: impl Future<Output = T>,
    mut stop: Pin<Box<dyn Future<Output = ()> + Send>>,
    limits: &PluginLimits,
    computed: &mut Duration,
) -> Result<T, End> {
    let mut call = pin!(call);
    let mut time_up = pin!(async {
        match limits.time_max {
            Some(time_max) => tokio::time::sleep(time_max).await,
            None => std::future::pending().await,
        }
    });
    poll_fn(|context| {
        if stop.as_mut().poll(context).is_ready() {
            return Poll::Ready(Err(End::Stopped));
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
        Poll::Ready(Err(End::LimitReached(limits.hit(limit))))
    })
    .await
}

impl fmt::Debug for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Run").field("logs", &self.logs).finish_non_exhaustive()
    }
}
