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

/// The cause comes first, since a narrow terminal has no room for all of it.
#[test]
fn wait_for_a_store_shows_its_cause_on_a_narrow_terminal() {
    let arguments = ["stat", "--timeout", "4s", "https://127.0.0.1:1/log"];
    let Some(lines) = on_terminal(60, &arguments) else { return };
    let cause = "s: Connection refused (os error 111); ";
    assert!(lines.iter().any(|line| line.contains(cause)), "{lines:#?}");
}

#[test]
fn logs_stand_in_a_table_on_a_terminal() {
    let (folder, log) = fresh();
    let root = folder.path().to_str().unwrap();
    let long = "a-name-that-is-too-long-for-its-column-but-not-for-the-line";
    ok(&["append", &log], "event\n");
    ok(&["append", &format!("{root}/{long}")], "event\n");
    let Some(lines) = on_terminal(80, &["ls", root]) else { return };
    assert!(lines.iter().all(|line| line.chars().count() <= 80), "{lines:#?}");
    assert!(lines[0].trim_start().starts_with("EVENTS"), "{lines:#?}");
    assert_eq!(lines[2].trim(), long);
    assert_eq!(lines[0].find("LOG"), lines[3].find("log"), "{lines:#?}");
}
