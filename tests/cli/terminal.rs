//! Output that appears only on a terminal.

#![cfg(target_os = "linux")]

use std::process::Command;

use crate::binary::{fresh, ok, run_with, skipped, stratalog};

/// Runs a command on a terminal with this number of columns; returns its lines. Returns none where
/// no program can make one.
fn on_terminal(columns: u32, arguments: &[&str]) -> Option<Vec<String>> {
    let command = stratalog(arguments);
    let quoted = |text: &std::ffi::OsStr| format!("'{}'", text.to_str().unwrap());
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let words: Vec<String> = words.map(quoted).collect();
    let line = format!("stty rows 24 cols {columns}; {}", words.join(" "));
    let mut script = Command::new("script");
    script.args(["-q", "-e", "-c", &line, "/dev/null"]).env("TERM", "xterm");
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => script.env(name, value),
            None => script.env_remove(name),
        };
    }
    let output = script.stdin(std::process::Stdio::null()).output();
    let output = match output {
        Ok(output) => output,
        Err(error) => {
            skipped("a terminal", &format!("`script` cannot be run: {error}"));
            return None;
        }
    };
    let text = String::from_utf8(output.stdout).unwrap();
    Some(text.lines().map(|line| line.trim_matches('\r').to_owned()).collect())
}

#[test]
fn long_errors_are_wrapped_between_words_on_a_terminal_only() {
    let (_folder, log) = fresh();
    ok(&["append", &log], "event\n");
    let table: [&[&str]; 3] = [
        &["read", "--from", "a position that is none and that takes a while to say so", &log],
        &["read", "s3://bucket/log"],
        &["read", "--since", "tomorrow", &log],
    ];
    for arguments in table {
        let elsewhere = run_with(arguments, b"").stderr;
        let first = elsewhere.lines().next().unwrap();
        assert!(first.chars().count() > 100, "{first}");
        for (columns, most) in [(60, 60), (80, 80), (200, 100)] {
            let Some(lines) = on_terminal(columns, arguments) else { return };
            let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
            let widths = lines.iter().filter(|line| line.contains(' '));
            assert!(widths.map(|line| line.chars().count()).all(|w| w <= most), "{lines:#?}");
            let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
            assert_eq!(words(&lines.join(" ")), words(&elsewhere), "{columns}");
            assert!(lines.len() > elsewhere.lines().count(), "{columns}: {lines:#?}");
        }
    }
}
