//! The limits on a plugin: each with its default, the reason, and the message when it is reached.

use crate::numbers::{grouped, size};
use std::fmt;
use std::time::Duration;

const MIB: usize = 1024 * 1024;

/// The option that lowers a plugin's need for address space.
pub(super) const OPTION: &str = "memory_bytes_max (--plugin-memory-max)";

/// Limits on one run of a plugin. The defaults are safe for an untrusted plugin that no one has
/// reviewed, and sufficient for one that does useful work.
///
/// A limit has one of three effects:
///
/// - A limit on the plugin's own usage ends the run, with
///   [`ExitReason::LimitReached`](super::ExitReason). These are memory, stack, tables, instances,
///   handles, bytes of a call, time and fuel.
/// - A limit on its requests to a log is an error of that call:
///   [`Error::LimitReached`](crate::Error::LimitReached), `limit-reached` in the WIT. The call has
///   done nothing. These are handles to logs, calls and bytes per second, and memory that the call
///   takes outside of the plugin.
/// - Log messages over the limit are dropped and counted, and a message reports their number.
///
/// Each message names the limit, its value and the option that raises it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct PluginLimits {
    /// Bytes of the component before it is compiled. Default 64 MiB: three times the size of a
    /// component that carries a Python interpreter.
    pub component_bytes_max: usize,
    /// Time to compile the component. Default 2 min. After that the caller gets an error; the
    /// compiler's threads end when they are done.
    pub compile_time_max: Duration,
    /// Bytes of all memory for the plugin. Default 256 MiB. It is the sum of:
    ///
    /// - the plugin's linear memories;
    /// - the linear memory, from 1 MiB on, of the log component's instance behind each log, reader,
    ///   verifier and other call on a log;
    /// - the events in its logs' buffers and those in flight to a store;
    /// - the data that its readers have fetched;
    /// - the host bytes of a log component that the plugin carries.
    ///
    /// The run ends when growth of the plugin's own memory exceeds the limit. A call on a log that
    /// would need more is refused and has done nothing. A reader or a verifier that is refused has
    /// ended. Events that were taken are never dropped for the limit. To write them, a log may
    /// exceed the limit by the bytes of one write. The limit does not count the 128 KiB of each
    /// output stream or the 8 MiB of the buffer pool. Nor does it count the values that one call
    /// passes in or out.
    pub memory_bytes_max: usize,
    /// Bytes of the stack that the plugin's calls use. Default 1 MiB. It is fixed when a plugin
    /// engine is created: see [`PluginEngine`](super::PluginEngine).
    pub stack_bytes_max: usize,
    /// Elements of all tables together. Default 100,000: ten times the functions of a large
    /// program.
    pub table_elements_max: usize,
    /// Core instances, memories and tables, each counted on its own. Default 200: a component in
    /// Python has about 30.
    pub instances_max: usize,
    /// Handles to everything that the host provides: files, streams, clocks, logs, bytes. Default
    /// 1,000.
    pub handles_max: usize,
    /// Handles to logs, readers and verifiers at a time. Each has an instance of the log's
    /// component. Default 64.
    pub log_handles_max: usize,
    /// Bytes that one call may pass to the host. Default 64 MiB: twice what `append-lines` takes.
    pub host_call_bytes_max: usize,
    /// Time that the plugin may compute in total. Waiting for input, a log or the clock is free.
    /// Default 60 s.
    pub compute_max: Duration,
    /// Time from the start of the run to its end, including waits; none for no limit. Default 1 h.
    pub time_max: Option<Duration>,
    /// Approximate number of instructions that the plugin may execute. None means no limit, and is
    /// the default, since counting costs speed and `compute_max` bounds the same. It is fixed when
    /// a plugin engine is created.
    pub fuel: Option<u64>,
    /// Calls to one log per second on average, with a burst of one second. Default 1,000,000.
    pub calls_per_second: u32,
    /// Bytes appended to one log per second on average, with a burst of one second. One call may be
    /// larger. Default 256 MiB.
    pub bytes_per_second: u64,
    /// Log messages (`wasi:logging`) per second. Default 100. A message is cut at 1 KiB, and
    /// control characters are replaced.
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

/// The name of a limit of [`PluginLimits`].
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

impl Limit {
    /// Every limit, in the order of their listing.
    pub(crate) const ALL: [Self; 15] = [
        Self::ComponentBytes,
        Self::CompileTime,
        Self::Memory,
        Self::Stack,
        Self::TableElements,
        Self::Instances,
        Self::Handles,
        Self::LogHandles,
        Self::HostCallBytes,
        Self::Compute,
        Self::Time,
        Self::Fuel,
        Self::Calls,
        Self::Bytes,
        Self::LogLines,
    ];

    /// Returns whether the limit has a value.
    pub(crate) fn is_set(self, limits: &PluginLimits) -> bool {
        match self {
            Self::Time => limits.time_max.is_some(),
            Self::Fuel => limits.fuel.is_some(),
            _ => true,
        }
    }
}

/// A limit that was reached.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{limit} = {} is reached; raise it with {option}", self.shown())]
pub struct LimitHit {
    /// The field of [`PluginLimits`].
    pub limit: &'static str,
    /// Its value: a number of bytes or of other things without a unit, or a time.
    pub value: String,
    /// The option of `stratalog run` that raises it.
    pub option: &'static str,
}

impl LimitHit {
    /// Formats the value for people.
    fn shown(&self) -> String {
        match self.value.parse() {
            Ok(bytes) if self.limit.contains("bytes") => size(bytes),
            Ok(number) => grouped(number),
            Err(_) => self.value.clone(),
        }
    }
}

impl PluginLimits {
    /// Returns the limit with its value, for the message when it is reached.
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
