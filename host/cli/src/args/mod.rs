//! Defines the command line: its arguments and options. The texts here, in [`commands`] and in
//! [`help_text`] are the manual.

use std::ffi::OsString;
use std::io::{ErrorKind, Write as _};
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::Styles;
use clap::error::ErrorKind as UsageErrorKind;
use clap::{Arg, Args, CommandFactory as _, FromArgMatches as _, Parser, ValueHint};
use stratalog::Limits;
use stratalog::store::hide_secrets;

use self::commands::Command;
use self::component::component_file;
use self::durations::parse_timeout;
use self::sizes::{MIB, retries, size_within};
use crate::terminal::closed_stdout::check_stdout;
use crate::terminal::streams::{Stderr, Stdout};
use crate::terminal::wrapping;

pub(crate) mod commands;
mod common_options;
pub(crate) mod component;
pub(crate) mod copy;
pub(crate) mod durations;
pub(crate) mod files;
mod global_options;
mod help_text;
mod json;
pub(crate) mod keep;
pub(crate) mod kit;
pub(crate) mod ls;
pub(crate) mod man;
#[cfg(feature = "plugins")]
mod plugin_limits;
pub(crate) mod positions;
#[cfg(feature = "plugins")]
pub(crate) mod quota;
#[cfg(feature = "plugins")]
mod recording;
mod reporting;
#[cfg(feature = "plugins")]
pub(crate) mod run;
pub(crate) mod sizes;
pub(crate) mod tail_start;
mod telemetry;
mod times;
mod tips;
pub(crate) mod trim;
pub(crate) mod view;

/// With less memory than this, no component starts.
const MEMORY_BYTES_MIN: u64 = 4 * MIB;

/// A whole command line.
#[derive(Parser)]
#[command(name = "stratalog", version, about = "An append log on object storage")]
#[command(long_about = help_text::ABOUT, after_help = help_text::EXAMPLES_AND_CODES)]
#[command(styles = Styles::plain(), max_term_width = 100)]
#[command(subcommand_required = true, arg_required_else_help = true)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,
    #[command(flatten)]
    pub(crate) shared: Shared,
}

impl Arguments {
    /// Parses the arguments of this process. Prints help or a usage error and ends the process.
    pub(crate) fn of_process() -> Self {
        let typed = tail_start::spell_out(&Self::command(), std::env::args_os());
        let arguments = Self::parse_typed(&typed)
            .unwrap_or_else(|error| end_with(&tips::better(error, &typed)));
        // clap does not see a conflict of options on the two sides of the command's name.
        if arguments.shared.no_cache && arguments.shared.cache_dir.is_some() {
            let conflict = "the argument '--no-cache' cannot be used with '--cache-dir <DIR>'";
            end_with(&Self::command().error(UsageErrorKind::ArgumentConflict, conflict));
        }
        // clap's own check would show the value, which may be a secret.
        let is_pair =
            |text: &String| text.split_once('=').is_some_and(|(key, _)| !key.trim().is_empty());
        if let Some(index) = arguments.shared.store_options.iter().position(|text| !is_pair(text)) {
            let place = match arguments.shared.store_options.len() {
                1 => String::new(),
                _ => format!(" (number {})", index + 1),
            };
            let message = format!(
                "invalid value for '--store-option <KEY=VALUE>'{place}: write KEY=VALUE, as in \
                 aws_region=eu-central-1"
            );
            end_with(&Self::command().error(UsageErrorKind::ValueValidation, message));
        }
        arguments
    }
}

impl Arguments {
    /// Parses a command line, with the program's name first.
    pub(crate) fn parse_typed(typed: &[OsString]) -> Result<Self, clap::Error> {
        // A negative number is an invalid value, not another option.
        let takes_numbers = |argument: Arg| match argument.get_action().takes_values() {
            true if !argument.is_positional() => argument.allow_negative_numbers(true),
            _ => argument,
        };
        let with_numbers = |command: clap::Command| command.mut_args(takes_numbers);
        let mut command = with_numbers(Self::command()).mut_subcommands(with_numbers);
        command = global_options::shorten(command);
        let matches = command.try_get_matches_from_mut(typed)?;
        global_options::check(&mut command, &matches)?;
        let mut arguments =
            Self::from_arg_matches(&matches).map_err(|error| error.format(&mut command))?;
        arguments.shared.json = arguments.command.json();
        Ok(arguments)
    }
}

/// Prints help or a usage error, and ends the process.
fn end_with(error: &clap::Error) -> ! {
    let text = error.render().to_string();
    let written = match error.use_stderr() {
        true => Stderr.write_all(wrapping::for_stderr(&hide_secrets(&text)).as_bytes()),
        false => check_stdout().and_then(|()| Stdout.write_all(text.as_bytes())),
    };
    let code = match written {
        Err(cause) if !error.use_stderr() && cause.kind() != ErrorKind::BrokenPipe => {
            let text = format!("error: cannot write to stdout: {cause}\n");
            Stderr.write_all(wrapping::for_stderr(&text).as_bytes()).ok();
            1
        }
        // No reader is left who could see the reason.
        _ => error.exit_code(),
    };
    std::process::exit(code)
}

/// The options of every command. They have no `Debug`: a store option may be a secret.
#[derive(Args)]
#[command(next_help_heading = "Global options")]
pub(crate) struct Shared {
    /// The option --json of the command, if it has one.
    #[arg(skip)]
    pub(crate) json: bool,

    /// Run the component in this file instead of the built-in one
    #[arg(long, global = true, value_name = "FILE", value_hint = ValueHint::FilePath)]
    #[arg(value_parser = component_file())]
    pub(crate) component: Option<PathBuf>,

    /// Set a store option, e.g. aws_region=eu-central-1 (repeatable)
    ///
    /// A store option overrides the environment. Other users of the machine can see it: put secrets
    /// into the environment. All network stores except WebDAV accept instance_credentials (true or
    /// false, default false). An unknown option is an error that names similar options. An option
    /// whose value is invalid, or that would have no effect, is an error that names what it needs.
    #[arg(long = "store-option", global = true, value_name = "KEY=VALUE")]
    pub(crate) store_options: Vec<String>,

    /// Retry a failed store request at most N times, 0 to 100 [default: until --timeout]
    ///
    /// The pauses grow, up to 5 s. Every request is safe to repeat: a retry neither loses an event
    /// nor writes it twice.
    #[arg(long, global = true, value_name = "N")]
    #[arg(value_parser = retries())]
    pub(crate) retry_max: Option<usize>,

    /// Give up on a store operation, retries included, after 1s to 4m [default: 60s]
    ///
    /// An operation is one write, one listing, or the next part of a read. A command makes many, so
    /// it may take longer as a whole. After 2 seconds, stderr shows what it is waiting for.
    #[arg(long, global = true, value_name = "DURATION", value_parser = parse_timeout)]
    pub(crate) timeout: Option<Duration>,

    /// Keep compiled components in this folder [default: the user's cache folder]
    ///
    /// Compiled components are native code: the folder and its files must belong to you, and no
    /// other user may be able to write to them. A folder or file that breaks this rule, or a
    /// damaged file, is not used, and a warning names it. The folder keeps at most 200 files and 1
    /// GiB.
    #[arg(long, global = true, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) cache_dir: Option<PathBuf>,

    /// Compile components on every run and keep nothing: a second, longer for large plugins
    #[arg(long, global = true, conflicts_with = "cache_dir")]
    pub(crate) no_cache: bool,

    /// Limit the memory of each component instance: 4MiB to 4095MiB
    ///
    /// Reading, compacting and verifying need less than 64MiB for a log of any size. Appending
    /// needs up to 128MiB while the store is slower than the input, and fails with less. If the
    /// address space is limited (`ulimit -v`), an instance reserves no more of it than this.
    #[arg(long, global = true, value_name = "SIZE", default_value = "256MiB")]
    #[arg(value_parser = size_within::<u32>(MEMORY_BYTES_MIN..=Limits::MEMORY_BYTES_MAX.into()))]
    pub(crate) memory_max: u32,

    /// Log more to stderr (-v: info, -vv: debug)
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub(crate) verbose: u8,

    /// Print nothing but errors to stderr: no summary, no warnings, no progress
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub(crate) quiet: bool,
}

/// Returns the default of an option, from its help if the library sets it.
fn default_of(argument: &Arg) -> Option<String> {
    if let Some(default) = argument.get_default_values().first() {
        return Some(default.to_str()?.to_owned());
    }
    let help = argument.get_help()?.to_string();
    let (_, default) = help.split_once("[default: ")?;
    Some(default.split_once(']')?.0.to_owned())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use clap::{Arg, Command, CommandFactory as _, Parser as _};
    use indicatif::HumanCount;
    use stratalog::store::{RETRY_MAX_LIMIT, TIMEOUT_DEFAULT, TIMEOUT_LIMIT, TIMEOUT_MIN};
    use stratalog::{CompactOptions, Limits, LogOptions};

    use super::durations::{parse_timeout, shown_duration};
    use super::sizes::{parse_size, shown_size};
    use super::{MEMORY_BYTES_MIN, default_of, global_options};
    use crate::Arguments;
    use crate::args::commands::Command as CommandArguments;

    #[test]
    fn command_line_is_well_formed() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn defaults_of_append_are_those_of_the_library() {
        let typed = Arguments::try_parse_from(["stratalog", "append", "log"]).unwrap();
        let CommandArguments::Append(append) = typed.command else { panic!("not append") };
        assert_eq!(append.flush_threshold, LogOptions::FLUSH_THRESHOLD_MAX);
        assert_eq!(append.flush_bytes, LogOptions::FLUSH_BYTES_DEFAULT);
        assert_eq!(append.flush_interval, LogOptions::FLUSH_INTERVAL_DEFAULT);
        assert_eq!(append.event_bytes_max, LogOptions::EVENT_BYTES_DEFAULT);
        assert_eq!(append.creates_max, LogOptions::CREATES_DEFAULT);
    }

    /// Returns an option of a command; without a command, a global one.
    fn option(command: &str, name: &str) -> Arg {
        let root = Arguments::command();
        let command = match command {
            "" => &root,
            command => root.find_subcommand(command).unwrap(),
        };
        let mut options = command.get_arguments();
        options.find(|option| option.get_long() == Some(name)).unwrap().clone()
    }

    #[test]
    fn ranges_in_the_help_are_those_that_are_accepted() {
        let sizes = |least: u64, most: u64| (shown_size(least), shown_size(most));
        let times = |least: Duration, most: Duration| (shown_duration(least), shown_duration(most));
        let counts = |least: u32, most: u32| {
            (HumanCount(least.into()).to_string(), HumanCount(most.into()).to_string())
        };
        let millisecond = Duration::from_millis(1);
        for (command, name, (least, most)) in [
            ("append", "flush-threshold", counts(1, LogOptions::FLUSH_THRESHOLD_MAX)),
            ("append", "flush-bytes", sizes(1, LogOptions::BUFFER_BYTES_MAX.into())),
            ("append", "flush-interval", times(millisecond, LogOptions::FLUSH_INTERVAL_MAX)),
            ("append", "event-bytes-max", sizes(1, LogOptions::EVENT_BYTES_MAX.into())),
            ("compact", "fan-in", counts(CompactOptions::FAN_IN_MIN, CompactOptions::FAN_IN_MAX)),
            ("compact", "segment-bytes-max", sizes(1, CompactOptions::SEGMENT_BYTES_MAX)),
            ("", "retry-max", counts(0, u32::try_from(RETRY_MAX_LIMIT).unwrap())),
            ("", "timeout", times(TIMEOUT_MIN, TIMEOUT_LIMIT)),
            ("", "memory-max", sizes(MEMORY_BYTES_MIN, Limits::MEMORY_BYTES_MAX.into())),
        ] {
            let help = option(command, name).get_help().unwrap().to_string();
            assert!(help.contains(&format!(" {least} to {most}")), "{least} to {most}: {help}");
        }
    }

    #[test]
    fn defaults_in_the_help_are_those_of_the_library() {
        let default = |command, name| default_of(&option(command, name)).unwrap();
        let segment_bytes = parse_size(&default("compact", "segment-bytes-max"));
        assert_eq!(segment_bytes, Ok(CompactOptions::SEGMENT_BYTES_DEFAULT));
        assert_eq!(default("compact", "fan-in"), CompactOptions::FAN_IN_DEFAULT.to_string());
        assert_eq!(parse_timeout(&default("", "timeout")), Ok(TIMEOUT_DEFAULT));
        let memory_bytes = u64::try_from(Limits::default().memory_bytes_max).unwrap();
        assert_eq!(parse_size(&default("", "memory-max")), Ok(memory_bytes));
    }

    /// Returns all commands, with their subcommands.
    fn all_commands(command: Command) -> Vec<Command> {
        let below = command.get_subcommands().cloned().flat_map(all_commands);
        let below = below.collect::<Vec<_>>();
        std::iter::once(command).chain(below).collect()
    }

    #[test]
    fn help_is_wrapped_once_and_by_the_width_of_the_terminal() {
        for command in all_commands(global_options::shorten(Arguments::command())) {
            let name = command.get_name().to_owned();
            let source = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            let lines: Vec<&str> = source.lines().collect();
            for pair in lines.windows(2) {
                let by_hand =
                    pair.iter().all(|line| line.starts_with(|c: char| !c.is_whitespace()));
                assert!(!by_hand, "{name}: a paragraph of two lines: {pair:#?}");
            }
            for line in &lines {
                let kept = line.starts_with(' ');
                assert!(!kept || line.chars().count() <= 80, "{name}: will be wrapped: {line}");
            }
            let help = command.clone().term_width(80).render_long_help().to_string();
            for line in help.lines() {
                assert!(line.chars().count() <= 80, "{name}: wider than 80 columns: {line}");
            }
        }
    }
}
