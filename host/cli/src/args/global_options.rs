//! Shortens the global options in the help of each command. The help of the program explains them.

use clap::{Arg, Command};

use crate::args::default_of;
use crate::terminal::wrapping;

/// The width of the section, which is not wrapped again.
const WIDTH: usize = 80;

/// Replaces the global options in the help of all commands by a section with one entry for each.
pub(crate) fn shorten(command: Command) -> Command {
    let globals: Vec<Arg> =
        command.get_arguments().filter(|argument| argument.is_global_set()).cloned().collect();
    let section = section(&globals);
    command.mut_subcommands(|command| shorten_in(command, &globals, &section))
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

fn section(globals: &[Arg]) -> String {
    let entries: Vec<(String, String)> = globals.iter().map(entry).collect();
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
    use clap::CommandFactory as _;

    use super::*;
    use crate::args::Arguments;

    #[test]
    fn global_options_are_explained_once_and_listed_everywhere() {
        let mut command = shorten(Arguments::command());
        let whole = command.render_long_help().to_string();
        assert!(whole.contains("Global options:") && whole.contains("A store option overrides"));
        command.build();
        for name in ["append", "read", "component export"] {
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
