//! Parses the start of `tail`, with the options of the `tail` for files.

use std::ffi::OsString;

use clap::Command;

/// The first event to print.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum TailStart {
    /// The last N events.
    Last(u64),
    /// The event of this number. Numbers count from 1, at the first event that is not trimmed.
    From(u64),
}

impl TailStart {
    /// Parses `5` or `-5`, and `+5`.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let (make, number): (fn(u64) -> Self, &str) = match text.strip_prefix('+') {
            Some(number) => (Self::From, number),
            None => (Self::Last, text.strip_prefix('-').unwrap_or(text)),
        };
        let is_number = number.bytes().all(|byte| byte.is_ascii_digit());
        number.parse().ok().filter(|_| is_number).map(make).ok_or_else(|| {
            "give a number of events as in 5, up to 18,446,744,073,709,551,615, or +5 to begin at \
             the fifth event"
                .to_owned()
        })
    }
}

/// Rewrites `tail -5` and `tail -5f`, which clap does not know, as `-n 5` and `-n 5 -f`.
pub(crate) fn spell_out(
    command: &Command,
    typed: impl IntoIterator<Item = OsString>,
) -> Vec<OsString> {
    let mut spelt = Vec::new();
    let mut state = State::Before;
    let mut takes_value = true; // As the program's name does: it is passed on.
    for argument in typed {
        let text = argument.to_str().unwrap_or_default();
        let is_value = std::mem::replace(&mut takes_value, false);
        if is_value || matches!(state, State::Over) {
            spelt.push(argument);
            continue;
        }
        if let (State::Tail, Some((number, follow))) = (&state, short_for_lines(text)) {
            spelt.extend([OsString::from("-n"), number.into()]);
            spelt.extend(follow.then(|| OsString::from("-f")));
            continue;
        }
        takes_value = wants_value(command, text);
        state = match state {
            State::Before if !text.starts_with('-') => match text {
                "tail" => State::Tail,
                _ => State::Over,
            },
            _ if text == "--" => State::Over,
            state => state,
        };
        spelt.push(argument);
    }
    spelt
}

enum State {
    /// Before the command.
    Before,
    /// After `tail`.
    Tail,
    /// After another command, or after the last option.
    Over,
}

/// Parses `-5` and `-5f`.
fn short_for_lines(text: &str) -> Option<(&str, bool)> {
    let short = text.strip_prefix('-')?;
    let number = short.strip_suffix('f').unwrap_or(short);
    let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    is_number.then_some((number, number.len() < short.len()))
}

/// Returns whether the next argument is the value of this one.
fn wants_value(command: &Command, text: &str) -> bool {
    let all = || {
        let tail = command.find_subcommand("tail");
        command.get_arguments().chain(tail.into_iter().flat_map(Command::get_arguments))
    };
    let takes = |argument: &clap::Arg| argument.get_action().takes_values();
    if let Some(long) = text.strip_prefix("--") {
        return all().any(|argument| argument.get_long() == Some(long) && takes(argument));
    }
    // Only the last of several combined short options can take a value.
    let short = text.strip_prefix('-').and_then(|shorts| shorts.chars().next_back());
    short.is_some_and(|short| {
        all().any(|argument| argument.get_short() == Some(short) && takes(argument))
    })
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;
    use crate::args::Arguments;

    #[test]
    fn numbers_are_those_of_the_tail_of_files() {
        let table = [
            ("0", Some(TailStart::Last(0))),
            ("5", Some(TailStart::Last(5))),
            ("-5", Some(TailStart::Last(5))),
            ("+5", Some(TailStart::From(5))),
            ("+0", Some(TailStart::From(0))),
            ("", None),
            ("+", None),
            ("+-5", None),
            ("-+5", None),
            ("--5", None),
            ("5k", None),
            ("18446744073709551616", None),
        ];
        for (text, start) in table {
            assert_eq!(TailStart::parse(text).ok(), start, "{text:?}");
        }
    }

    #[test]
    fn number_alone_is_spelt_out_where_it_is_an_option_of_tail() {
        let table = [
            ("tail -5 log", "tail -n 5 log"),
            ("tail log -15", "tail log -n 15"),
            ("tail -5f log", "tail -n 5 -f log"),
            ("--timeout 5s -v tail -f -5 log", "--timeout 5s -v tail -f -n 5 log"),
            ("tail -n -5 log", "tail -n -5 log"),
            ("tail -fn -5 log", "tail -fn -5 log"),
            ("tail --lines -5 log", "tail --lines -5 log"),
            ("tail --timeout -5 log", "tail --timeout -5 log"),
            ("tail -- -5", "tail -- -5"),
            ("--component tail read -5", "--component tail read -5"),
            ("read -5 tail", "read -5 tail"),
            ("append tail -5", "append tail -5"),
            ("tail -5x log", "tail -5x log"),
        ];
        for (typed, expected) in table {
            let typed = format!("stratalog {typed}");
            let spelt = spell_out(&Arguments::command(), typed.split(' ').map(OsString::from));
            let spelt: Vec<_> = spelt.iter().filter_map(|argument| argument.to_str()).collect();
            assert_eq!(spelt.join(" "), format!("stratalog {expected}"), "{typed}");
        }
    }
}
