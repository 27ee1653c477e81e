//! Gives tips for words that belong to another command or stand in the wrong place. clap's own tip,
//! to put `--` in front, would make a log or a file of them.

use std::ffi::OsString;

use clap::error::{ContextKind, ContextValue, ErrorKind};

use crate::args::times::without_sign;

/// A command, words that people type with it, and the way to do that.
const TIPS: [(&str, &[&str], &str); 14] = [
    (
        "read",
        &["-n", "--lines", "--last"],
        "'tail -n N' prints the last N events, 'read --limit N' the first",
    ),
    ("tail", &["--limit"], "'tail -n N' prints the last N events, 'read --limit N' the first"),
    (
        "tail",
        &["--from", "--position-file", "--position-name", "--skip-damaged"],
        "'read' has this option, and with -f continues with new events",
    ),
    ("tail", &["--until"], "'read' has this option"),
    ("trim", &["--to", "--until", "--older-than"], "'trim --before TIME' drops older events"),
    ("trim", &["--keep", "--keep-last"], "'trim --keep-events N' keeps the last N events"),
    ("repair", &["--dry-run"], "'repair' alone reports what 'repair --yes' would do"),
    ("read", &["--json"], "'read' prints events as they are, and has no summary"),
    ("tail", &["--json"], "'tail' prints events as they are, and has no summary"),
    (
        "run",
        &["--json"],
        "'run --report' prints the resource usage as JSON; '-- --json' passes the word on",
    ),
    ("completions", &["--json"], "'completions' prints a script, and has no summary"),
    ("files", &["--json"], "'files --format json' prints JSON"),
    ("man", &["--json"], "'man' writes pages, and has no summary"),
    ("view", &["--json"], "'view' serves a page, and has no summary; 'stat --json' counts"),
];

/// Replaces clap's tip by a better one, or by none.
pub(crate) fn better(mut error: clap::Error, typed: &[OsString]) -> clap::Error {
    if error.kind() != ErrorKind::UnknownArgument {
        return error;
    }
    let Some(ContextValue::String(word)) = error.get(ContextKind::InvalidArg) else {
        return error;
    };
    let word = word.split('=').next().unwrap_or_default().to_owned();
    let typed: Vec<&str> = typed.iter().skip(1).filter_map(|word| word.to_str()).collect();
    if let Some(tip) = tip(&word, &typed) {
        let tip = ContextValue::StyledStrs(vec![tip.into()]);
        error.insert(ContextKind::Suggested, tip);
    } else if word.starts_with('-') && !typed.contains(&"run") {
        error.remove(ContextKind::Suggested);
    }
    error
}

/// Returns the tip for `word`.
fn tip(word: &str, typed: &[&str]) -> Option<String> {
    let is_of = |command: &str| typed.contains(&command);
    let known = TIPS.iter().find(|(command, words, _)| is_of(command) && words.contains(&word));
    if let Some((_, _, tip)) = known {
        return Some((*tip).to_owned());
    }
    if let Some(age) = signed_age(typed) {
        return Some(without_sign(age));
    }
    if word == "--json" {
        return Some(
            "write --json behind the command, as in 'stratalog stat --json LOG'".to_owned(),
        );
    }
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if is_of("read") && word.strip_prefix('-').is_some_and(is_number) {
        return Some(format!("'tail {word}' prints the last events"));
    }
    if is_of("run") && !word.starts_with('-') {
        return Some(format!("write the plugin's own arguments after '--', as in '-- {word}'"));
    }
    let mut numbers = typed.iter().filter(|word| word.strip_prefix('+').is_some_and(is_number));
    let number = numbers.next().filter(|_| is_of("tail"))?;
    Some(format!("'tail -n {number}' begins there"))
}

/// Returns the age without its sign, if one was typed with a sign behind an option for times.
fn signed_age<'a>(typed: &[&'a str]) -> Option<&'a str> {
    const OPTIONS: [&str; 4] = ["--since", "--until", "--before", "--older-than"];
    typed.iter().zip(typed.iter().skip(1)).find_map(|(option, value)| {
        let age = value.strip_prefix('-').filter(|_| OPTIONS.contains(option))?;
        age.starts_with(|c: char| c.is_ascii_digit()).then_some(age)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::args::Arguments;

    #[test]
    fn word_of_another_command_is_answered_by_the_right_one() {
        let table = [
            ("read -n 5 log", "'tail -n N'"),
            ("read -5 log", "'tail -5'"),
            ("tail --limit 5 log", "'tail -n N'"),
            ("tail --until=1h log", "'read' has this option"),
            ("tail +3 log", "'tail -n +3'"),
            ("run plugin.wasm ok", "as in '-- ok'"),
            ("run plugin.wasm --keep 5", "'-- --keep'"),
            ("trim --keep 5 log", "--keep-events"),
            ("repair --dry-run log", "'repair' alone reports"),
            ("read --json log", "has no summary"),
            ("tail --json log", "has no summary"),
            ("completions --json bash", "has no summary"),
            ("view --json log", "has no summary"),
            ("run --json plugin.wasm", "'run --report'"),
            ("--json stat log", "behind the command"),
            ("files --json log", "'files --format json'"),
            ("man --json dir", "has no summary"),
            ("read --since -1h log", "1h is that long ago"),
            ("tail --since -30m log", "30m is that long ago"),
            ("trim --before -7d log", "7d is that long ago"),
        ];
        for (typed, tip) in table {
            let shown = shown(typed);
            assert!(shown.contains(tip), "{typed}: {shown}");
        }
        for typed in ["stat -x log", "verify --fast log", "compact -n log"] {
            assert!(!shown(typed).contains("use '--"), "{typed}: {}", shown(typed));
        }
        for typed in ["trim --keep-events -5 log", "read --from -1 log", "read --limit -1 log"] {
            let shown = shown(typed);
            assert!(shown.contains("invalid value '-"), "{typed}: {shown}");
        }
    }

    fn shown(typed: &str) -> String {
        let typed: Vec<OsString> =
            std::iter::once("stratalog").chain(typed.split(' ')).map(OsString::from).collect();
        let error = Arguments::parse_typed(&typed).err().unwrap();
        better(error, &typed).render().to_string()
    }
}
