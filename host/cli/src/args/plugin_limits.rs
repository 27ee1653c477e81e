//! Defines the limits on a plugin as options of `run`.

use std::num::NonZero;
use std::ops::RangeInclusive;
use std::time::Duration;

use clap::Args;
use stratalog::plugin::PluginLimits;

use crate::args::durations::parse_duration;
use crate::args::sizes::{MIB, number_within, parse_size, size_within};

/// The largest count of 64 bits.
const MOST: u64 = u64::MAX;

/// The size of a stack. Less would not start a plugin; no system thread has more.
const STACK_BYTES: RangeInclusive<u64> = 64 * 1024..=64 * MIB;

/// One option per limit; the library sets the defaults.
#[derive(Args)]
#[command(next_help_heading = "Limits on the plugin")]
pub(crate) struct LimitArguments {
    /// Bytes kept for the plugin: its memories, log buffers, readers, read data and writes in
    /// flight [default: 256MiB]
    #[arg(long, value_name = "SIZE", value_parser = parse_count)]
    plugin_memory_max: Option<usize>,

    /// Bytes of stack for the plugin's calls: 64KiB to 64MiB [default: 1MiB]
    #[arg(long, value_name = "SIZE", value_parser = size_within::<usize>(STACK_BYTES))]
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
    usize::try_from(parse_size(text)?)
        .map_err(|_| "the size is more than this machine can address".to_owned())
}

#[cfg(test)]
mod tests {
    use clap::Parser as _;

    use super::*;
    use crate::args::commands::Command;
    use crate::args::sizes::shown_size;
    use crate::args::{Arguments, default_of};

    #[test]
    fn defaults_in_the_help_are_those_of_the_library() {
        let limits = LimitArguments::augment_args(clap::Command::new("limits"));
        let mut typed = ["stratalog", "run", "plugin.wasm"].map(str::to_owned).to_vec();
        for limit in limits.get_arguments() {
            let default = default_of(limit).unwrap_or_else(|| panic!("{limit:?}"));
            if default != "no limit" {
                typed.push(format!("--{}={default}", limit.get_long().unwrap()));
            }
        }
        assert_eq!(typed.len(), 3 + 14);
        let Command::Run(run) = Arguments::try_parse_from(typed).unwrap().command else {
            panic!("not run")
        };
        assert_eq!(run.limits.limits(), PluginLimits::default());
    }

    #[test]
    fn range_of_the_stack_stands_in_the_help() {
        let (least, most) = (shown_size(*STACK_BYTES.start()), shown_size(*STACK_BYTES.end()));
        let limits = LimitArguments::augment_args(clap::Command::new("limits"));
        let mut arguments = limits.get_arguments();
        let stack = arguments.find(|argument| argument.get_long() == Some("stack-max")).unwrap();
        assert!(stack.get_help().unwrap().to_string().contains(&format!("{least} to {most}")));
    }
}
