//! What a plugin may use: every limit, its default with the reason, and what is said when it is hit.

use std::fmt;
use std::time::Duration;

const MIB: usize = 1024 * 1024;

/// What lowers the address space that a plugin needs.
pub(super) const OPTION: &str = "memory_bytes_max (--plugin-memory-max)";

/// Limits on one run of a plugin. The defaults are safe for a plugin that nobody has looked at and
/// enough for one that does an honest job.
///
/// A limit on what the plugin uses ends the run, with [`End::LimitReached`](super::End): memory,
/// stack, tables, instances, handles, bytes of a call, time, fuel. A limit on what it asks of a log
/// is an error of that call ([`Error::LimitReached`](crate::Error::LimitReached), `limit-reached`
/// in the WIT) and nothing was done: handles to logs, calls and bytes for each second, memory that the
/// call takes outside of the plugin. Log lines over
/// the limit are dropped, counted, and said to be. Each of them names the limit, its value and the
/// option that raises it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PluginLimits {
    /// Bytes of the component before it is compiled. Default 64 MiB: three times a component that
    /// carries a Python interpreter.
    pub component_bytes_max: usize,
    /// Time to compile the component. Default 2 min. The caller is let go then; the compiler's
    /// threads end when they are done.
    pub compile_time_max: Duration,
    /// Bytes of all that is held for the plugin. Default 256 MiB. It counts the plugin's linear
    /// memories; for each log, reader, verifier and other call on a log the linear memory of the log
    /// component's instance that serves it, from 1 MiB on; the events in its logs' buffers and those on
    /// their way to a store; what its readers have fetched; and the bytes that the host holds for a log
    /// component that the plugin carries.
    ///
    /// What the plugin holds itself ends the run when it is too much. A call on a log that would need
    /// more is refused and has done nothing, and a reader or a verifier that is refused is over. Events
    /// that were taken are never given up for it: to write them, a log may go beyond the limit by what it
    /// sends at one time. Not counted are the 128 KiB of each output stream, 8 MiB of buffers that are
    /// kept for use again, and what one call passes in or out.
    pub memory_bytes_max: usize,
    /// Bytes of the stack that the plugin's calls use. Default 1 MiB. A plugin engine is made
    /// for it: see [`PluginEngine`](super::PluginEngine).
    pub stack_bytes_max: usize,
    /// Elements of all tables together. Default 100,000: ten times the functions of a large program.
    pub table_elements_max: usize,
    /// Core instances, memories and tables, each counted on its own. Default 200: a component in
    /// Python has about 30.
    pub instances_max: usize,
    /// Handles to everything the host lends: files, streams, clocks, logs, bytes. Default 1,000.
    pub handles_max: usize,
    /// Handles to logs, readers and verifiers held at the same time. Each has an instance of the log's
    /// component. Default 64.
    pub log_handles_max: usize,
    /// Bytes that one call may pass to the host. Default 64 MiB: twice what `append-lines` takes.
    pub host_call_bytes_max: usize,
    /// Time that the plugin may compute in all; waiting for input, a log or the clock is free.
    /// Default 60 s.
    pub compute_max: Duration,
    /// Time from the start of the run to its end, waiting included; none for no limit. Default 1 h.
    pub time_max: Option<Duration>,
    /// Instructions the plugin may execute, about; none for no limit, which is the default: counting
    /// them costs speed, and `compute_max` bounds the same. A plugin engine is made for it.
    pub fuel: Option<u64>,
    /// Calls to one log in a second, in the mean; a second's worth may come at once. Default 1,000,000.
    pub calls_per_second: u32,
    /// Bytes appended to one log in a second, in the mean; a second's worth may come at once, and
    /// one call may be larger. Default 256 MiB.
    pub bytes_per_second: u64,
    /// Log messages (`wasi:logging`) in a second. Default 100. A message is cut at 1 KiB, and control
    /// characters are replaced.
    pub log_lines_per_second: u32,
}

impl Default for PluginLimits {
    fn default() -> Self {
        Self {
            component_bytes_max: 64 * MIB,
            compile_time_max: Duration::from_secs(120),
            memory_bytes_max: 256 * MIB,
            stack_bytes_max: MIB,
            table_elements_max: 100_000,
            instances_max: 200,
            handles_max: 1_000,
            log_handles_max: 64,
            host_call_bytes_max: 64 * MIB,
            compute_max: Duration::from_secs(60),
            time_max: Some(Duration::from_secs(3600)),
            fuel: None,
            calls_per_second: 1_000_000,
            bytes_per_second: 256 * 1024 * 1024,
            log_lines_per_second: 100,
        }
    }
}

/// Names a limit of [`PluginLimits`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Limit {
    ComponentBytes,
    CompileTime,
    Memory,
    Stack,
    TableElements,
    Instances,
    Handles,
    LogHandles,
    HostCallBytes,
    Compute,
    Time,
    Fuel,
    Calls,
    Bytes,
    LogLines,
}

/// A limit that was reached.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{limit} = {value} is reached: {option} raises it")]
pub struct LimitHit {
    /// The field of [`PluginLimits`].
    pub limit: &'static str,
    /// Its value.
    pub value: String,
    /// The option of `stratalog run` that raises it.
    pub option: &'static str,
}

impl PluginLimits {
    /// What is said when a limit is reached.
    pub(crate) fn hit(&self, limit: Limit) -> LimitHit {
        let text = |value: &dyn fmt::Display| value.to_string();
        let time = |value: Duration| format!("{value:?}");
        let (limit, value, option) = match limit {
            Limit::ComponentBytes => {
                ("component_bytes_max", text(&self.component_bytes_max), "--component-bytes-max")
            }
            Limit::CompileTime => {
                ("compile_time_max", time(self.compile_time_max), "--compile-time-max")
            }
            Limit::Memory => {
                ("memory_bytes_max", text(&self.memory_bytes_max), "--plugin-memory-max")
            }
            Limit::Stack => ("stack_bytes_max", text(&self.stack_bytes_max), "--stack-max"),
            Limit::TableElements => {
                ("table_elements_max", text(&self.table_elements_max), "--table-elements-max")
            }
            Limit::Instances => ("instances_max", text(&self.instances_max), "--instances-max"),
            Limit::Handles => ("handles_max", text(&self.handles_max), "--handles-max"),
            Limit::LogHandles => {
                ("log_handles_max", text(&self.log_handles_max), "--log-handles-max")
            }
            Limit::HostCallBytes => {
                ("host_call_bytes_max", text(&self.host_call_bytes_max), "--host-call-bytes-max")
            }
            Limit::Compute => ("compute_max", time(self.compute_max), "--compute-max"),
            Limit::Time => ("time_max", time(self.time_max.unwrap_or_default()), "--time-max"),
            Limit::Fuel => ("fuel", text(&self.fuel.unwrap_or_default()), "--fuel"),
            Limit::Calls => {
                ("calls_per_second", text(&self.calls_per_second), "--calls-per-second")
            }
            Limit::Bytes => {
                ("bytes_per_second", text(&self.bytes_per_second), "--bytes-per-second")
            }
            Limit::LogLines => {
                ("log_lines_per_second", text(&self.log_lines_per_second), "--log-lines-per-second")
            }
        };
        LimitHit { limit, value, option }
    }
}
