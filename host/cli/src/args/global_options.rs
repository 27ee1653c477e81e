//! Shortens the global options in the help of each command. The help of the program explains them.
//!
//! An option that has no effect on a command is not in the help of that, and is refused there.

use clap::error::ErrorKind;
use clap::parser::ValueSource;
use clap::{Arg, ArgMatches, Command};

use crate::args::default_of;
use crate::terminal::wrapping;

/// The width of the section, which is not wrapped again.
const WIDTH: usize = 80;

/// The options of stores and of instances of the log's component.
const OF_LOGS: [&str; 6] =
    ["store_options", "retry_max", "timeout", "cache_dir", "no_cache", "memory_max"];

/// Returns whether an option has an effect on a command of the program.
fn has_effect(command: &str, option: &str) -> bool {
    match command {
        // It has such options for each of its two stores.
        "copy" => option != "store_options",
        "component" => !OF_LOGS.contains(&option),
        "completions" | "plugin" | "wit" => !OF_LOGS.contains(&option) && option != "component",
        _ => true,
    }
}

/// Replaces the global options in the help of all commands by a section with one entry for each
/// that has an effect.
pub(crate) fn shorten(command: Command) -> Command {
    let globals: Vec<Arg> =
        command.get_arguments().filter(|argument| argument.is_global_set()).cloned().collect();
    command.mut_subcommands(|command| {
        let listed =
            globals.iter().filter(|it| has_effect(command.get_name(), it.get_id().as_str()));
        let section = section(listed);
        shorten_in(command, &globals, &section)
    })
}

/// Refuses the global options that have no effect on the command.
///
/// # Errors
/// The first of them that is typed.
pub(crate) fn check(command: &mut Command, matches: &ArgMatches) -> Result<(), clap::Error> {
    let Some(name) = matches.subcommand_name() else { return Ok(()) };
    let is_typed = |option: &Arg| {
        matches.value_source(option.get_id().as_str()) == Some(ValueSource::CommandLine)
    };
    let is_refused = |option: &&Arg| {
        option.is_global_set() && !has_effect(name, option.get_id().as_str()) && is_typed(option)
    };
    let Some(refused) = command.get_arguments().find(is_refused).map(ToString::to_string) else {
        return Ok(());
    };
    let why = match name {
        "copy" => "which uses two stores; give --from-option or --to-option",
        _ => "which uses no store and runs no component; leave it out",
    };
    let message = format!("the argument '{refused}' has no effect on 'stratalog {name}', {why}");
    Err(command.error(ErrorKind::ArgumentConflict, message))
}

fn shorten_in(command: Command, globals: &[Arg], section: &str) -> Command {
    // clap adds a global option only where there is none of its name.
    let hidden =
        globals.iter().cloned().map(|option| option.hide_short_help(true).hide_long_help(true));
    let text = match command.get_after_help() {
        Some(text) => format!("{section}\n{text}"),
        None => section.trim_end().to_owned(),
    };
    let command = command.mut_subcommands(|command| shorten_in(command, globals, section));
    command.args(hidden).after_help(text)
}

fn section<'a>(globals: impl Iterator<Item = &'a Arg>) -> String {
    let entries: Vec<(String, String)> = globals.map(entry).collect();
    let column = entries.iter().map(|(names, _)| names.chars().count()).max().unwrap_or(0) + 2;
    let mut section = "Global options, which `stratalog --help` explains:\n".to_owned();
    for (names, help) in entries {
        let names = format!("{names:<column$}");
        section.push_str(&wrapping::column(names, &help, WIDTH));
        section.push('\n');
    }
    section
}

/// Returns the names of an option with its value, and its short help.
fn entry(option: &Arg) -> (String, String) {
    let short = option.get_short().map_or("    ".to_owned(), |short| format!("-{short}, "));
    let long = option.get_long().unwrap_or_default();
    let value = option.get_value_names().and_then(<[_]>::first);
    let value = value.filter(|_| option.get_action().takes_values());
    let value = value.map_or_else(String::new, |value| format!(" <{value}>"));
    let mut help = option.get_help().map(ToString::to_string).unwrap_or_default();
    if let Some(default) = default_of(option).filter(|_| !help.contains("[default: ")) {
        help.push_str(&format!(" [default: {default}]"));
    }
    (format!("  {short}--{long}{value}"), help)
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use clap::CommandFactory as _;

    use super::*;
    use crate::args::Arguments;

    #[test]
    fn option_without_an_effect_is_neither_listed_nor_taken() {
        let mut command = shorten(Arguments::command());
        command.build();
        for (name, typed) in [
            ("component", "component export log.wasm"),
            ("component", "component join plugin.wasm -o app.wasm"),
            ("component", "component inspect"),
            ("completions", "completions bash"),
            ("plugin", "plugin new -l rust shop"),
            ("wit", "wit folder"),
        ] {
            let mut words = typed.split(' ');
            let mut listing = command.clone();
            while let Some(below) =
                words.next().and_then(|word| listing.find_subcommand(word)).cloned()
            {
                listing = below;
            }
            let help = listing.render_long_help().to_string();
            assert!(help.contains("-q, --quiet"), "{typed}: {help}");
            for option in [
                "--store-option=a=b",
                "--retry-max=1",
                "--timeout=1s",
                "--cache-dir=x",
                "--no-cache",
                "--memory-max=64MiB",
            ] {
                let long = option.split('=').next().unwrap();
                assert!(!help.contains(long), "{typed}: {help}");
                for typed in [format!("{option} {typed}"), format!("{typed} {option}")] {
                    let words = std::iter::once("stratalog").chain(typed.split(' '));
                    let words: Vec<OsString> = words.map(OsString::from).collect();
                    let error = Arguments::parse_typed(&words).err().unwrap();
                    let shown = error.render().to_string();
                    let expected = format!("has no effect on 'stratalog {name}'");
                    assert!(shown.contains(long) && shown.contains(&expected), "{shown}");
                    assert_eq!(error.exit_code(), 2, "{shown}");
                }
            }
        }
    }

    #[test]
    fn global_options_are_explained_once_and_listed_everywhere() {
        let mut command = shorten(Arguments::command());
        let whole = command.render_long_help().to_string();
        assert!(whole.contains("Global options:") && whole.contains("A store option overrides"));
        command.build();
        for name in ["append", "read", "trim"] {
            let mut command = command.clone();
            for word in name.split(' ') {
                command = command.find_subcommand(word).unwrap().clone();
            }
            for help in [command.render_help(), command.render_long_help()] {
                let help = help.to_string();
                for option in ["--store-option <KEY=VALUE>", "-q, --quiet", "[default: 256MiB]"] {
                    assert_eq!(help.matches(option).count(), 1, "{name}: {option}: {help}");
                }
                assert!(!help.contains("A store option overrides"), "{name}: {help}");
            }
        }
    }
}
