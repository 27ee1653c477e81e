//! Defines the limits on a plugin as options of `run`.

use std::num::NonZero;
use std::time::Duration;

use clap::Args;
use stratalog::plugin::PluginLimits;

use crate::args::durations::parse_duration;
use crate::args::sizes::{number_within, parse_size};

/// The largest count of 64 bits.
const MOST: u64 = u64::MAX;

/// One option per limit; the library sets the defaults.
#[derive(Args)]
#[command(next_help_heading = "Limits on the plugin")]
pub(crate) struct LimitArguments {
    /// Bytes kept for the plugin: its memories, log buffers, readers, read data and writes in
    /// flight [default: 256MiB]
    #[arg(long, value_name = "SIZE", value_parser = parse_count)]
    plugin_memory_max: Option<usize>,

    /// Bytes of stack for the plugin's calls: 64KiB to 64MiB [default: 1MiB]
    #[arg(long, value_name = "SIZE", value_parser = parse_stack)]
    stack_max: Option<usize>,

    /// Total computing time of the plugin; waiting does not count [default: 60s]
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    compute_max: Option<Duration>,

    /// Time until the plugin is stopped, waiting included; 0 for no limit [default: 1h]
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    time_max: Option<Duration>,

    /// Approximate number of instructions that the plugin may execute [default: no limit]
    #[arg(long, value_name = "N", value_parser = parse_fuel)]
    fuel: Option<NonZero<u64>>,

    /// Calls to each log per second [default: 1000000]
    #[arg(long, value_name = "N", value_parser = number_within::<u32>(0..=u32::MAX.into()))]
    calls_per_second: Option<u32>,

    /// Bytes appended to each log per second [default: 256MiB]
    #[arg(long, value_name = "SIZE", value_parser = parse_size)]
    bytes_per_second: Option<u64>,

    /// Messages (wasi:logging) per second; more are dropped and counted [default: 100]
    #[arg(long, value_name = "N", value_parser = number_within::<u32>(0..=u32::MAX.into()))]
    log_lines_per_second: Option<u32>,

    /// Open logs, readers and verifiers of the plugin, together [default: 64]
    #[arg(long, value_name = "N", value_parser = number_within::<usize>(0..=MOST))]
    log_handles_max: Option<usize>,

    /// Open handles of the plugin, of all kinds [default: 1000]
    #[arg(long, value_name = "N", value_parser = number_within::<usize>(0..=MOST))]
    handles_max: Option<usize>,

    /// Core instances, memories and tables of the plugin, each [default: 200]
    #[arg(long, value_name = "N", value_parser = number_within::<usize>(0..=MOST))]
    instances_max: Option<usize>,

    /// Elements of all tables of the plugin, together [default: 100000]
    #[arg(long, value_name = "N", value_parser = number_within::<usize>(0..=MOST))]
    table_elements_max: Option<usize>,

    /// Bytes that one call of the plugin may pass to the host [default: 64MiB]
    #[arg(long, value_name = "SIZE", value_parser = parse_count)]
    host_call_bytes_max: Option<usize>,

    /// Bytes of the plugin's file [default: 64MiB]
    #[arg(long, value_name = "SIZE", value_parser = parse_count)]
    component_bytes_max: Option<usize>,

    /// Time to compile the plugin [default: 2m]
    #[arg(long, value_name = "DURATION", value_parser = parse_duration)]
    compile_time_max: Option<Duration>,
}

impl LimitArguments {
    pub(crate) fn limits(&self) -> PluginLimits {
        let mut limits = PluginLimits::default();
        set(&mut limits.memory_bytes_max, self.plugin_memory_max);
        set(&mut limits.stack_bytes_max, self.stack_max);
        set(&mut limits.compute_max, self.compute_max);
        set(&mut limits.time_max, self.time_max.map(|max| (!max.is_zero()).then_some(max)));
        set(&mut limits.fuel, self.fuel.map(|fuel| Some(fuel.get())));
        set(&mut limits.calls_per_second, self.calls_per_second);
        set(&mut limits.bytes_per_second, self.bytes_per_second);
        set(&mut limits.log_lines_per_second, self.log_lines_per_second);
        set(&mut limits.log_handles_max, self.log_handles_max);
        set(&mut limits.handles_max, self.handles_max);
        set(&mut limits.instances_max, self.instances_max);
        set(&mut limits.table_elements_max, self.table_elements_max);
        set(&mut limits.host_call_bytes_max, self.host_call_bytes_max);
        set(&mut limits.component_bytes_max, self.component_bytes_max);
        set(&mut limits.compile_time_max, self.compile_time_max);
        limits
    }
}

fn set<T>(limit: &mut T, typed: Option<T>) {
    if let Some(typed) = typed {
        *limit = typed;
    }
}

fn parse_fuel(text: &str) -> Result<NonZero<u64>, String> {
    let number = number_within::<u64>(1..=MOST)(text)?;
    NonZero::new(number).ok_or_else(|| "give a number from 1".to_owned())
}

fn parse_count(text: &str) -> Result<usize, String> {
    usize::try_from(parse_size(text)?).map_err(|_| "it is more than this machine has".to_owned())
}

/// Parses a stack size. Less would not start a plugin; no system thread has more.
fn parse_stack(text: &str) -> Result<usize, String> {
    const LEAST: usize = 64 * 1024;
    const MOST: usize = 64 * 1024 * 1024;
    let bytes = parse_count(text)?;
    match bytes {
        LEAST..=MOST => Ok(bytes),
        _ => Err("it is not between 64KiB and 64MiB".to_owned()),
    }
}
