//! The commands of the binary, as its help lists them.

use crate::binary::ok;

/// A command and its required operands, as they stand in its usage: `LOG`, `FILE`.
pub(crate) struct Listed {
    /// Such as `component export`.
    pub(crate) name: String,
    pub(crate) operands: Vec<String>,
}

impl Listed {
    /// Returns the command line, with a value for each operand.
    pub(crate) fn with<'a>(&'a self, value: impl Fn(&str) -> &'a str) -> Vec<&'a str> {
        let required = if self.name == "plugin new" { &["-l", "rust"][..] } else { &[] };
        let operands = self.operands.iter().map(|operand| value(operand));
        self.name.split(' ').chain(required.iter().copied()).chain(operands).collect()
    }
}

/// Returns all commands that do something, in the order of the help.
pub(crate) fn commands() -> Vec<Listed> {
    below("")
}

/// Returns the command line of every command on a log, without the log, which comes last.
pub(crate) fn on_logs() -> Vec<Vec<String>> {
    let on_log = commands().into_iter().filter(|command| command.operands == ["LOG"]);
    let lines = on_log.map(|command| match command.name.as_str() {
        "trim" => ["trim", "--before-position", "1"].map(str::to_owned).into(),
        _ => vec![command.name],
    });
    lines.collect()
}

/// Returns the long help of a command; of the program for an empty name.
pub(crate) fn help_of(name: &str) -> String {
    ok(&["help"].into_iter().chain(name.split_whitespace()).collect::<Vec<_>>(), "")
}

fn below(name: &str) -> Vec<Listed> {
    let help = help_of(name);
    let lines = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let lines = lines.take_while(|line| line.starts_with("  "));
    let names: Vec<&str> = lines
        .filter(|line| !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next())
        .filter(|name| *name != "help")
        .collect();
    if names.is_empty() {
        return vec![Listed { name: name.to_owned(), operands: operands(&help) }];
    }
    names.iter().flat_map(|word| below(format!("{name} {word}").trim_start())).collect()
}

/// Returns the operands that a usage requires. An option before one takes it as its value.
fn operands(help: &str) -> Vec<String> {
    let usage = help.lines().find(|line| line.starts_with("Usage: ")).unwrap();
    let words = usage.split_whitespace();
    let pairs = words.clone().zip(words.skip(1)).filter(|(before, _)| !before.contains("--"));
    let operands = pairs
        .filter_map(|(_, word)| word.trim_end_matches("...").strip_prefix('<')?.strip_suffix('>'));
    operands.map(str::to_owned).collect()
}

#[test]
fn commands_are_listed_with_their_operands() {
    let listed = commands();
    let found = |name: &str| {
        let command = listed.iter().find(|command| command.name == name);
        command.unwrap_or_else(|| panic!("no {name}")).operands.join(" ")
    };
    assert_eq!(found("append"), "LOG");
    assert_eq!(found("trim"), "LOG");
    assert_eq!(found("component export"), "FILE");
    assert_eq!(found("component inspect"), "");
    assert_eq!(found("completions"), "SHELL");
}
