//! Keeps a versioned memory as events in a log: texts that are known, their replacements with
//! times, and texts that are no longer valid. This is a plugin: see examples/plugins/README.md.

use std::io::{self, BufRead, Read as _, Write};
use std::process::ExitCode;

use command::{Command, USAGE};
use kept::{Failure, Kept};
use serde_json::{Value, json};

mod answer;
mod command;
mod event;
mod kept;
mod memory;

#[allow(clippy::all, clippy::restriction, unsafe_code, unreachable_pub, reason = "generated")]
mod bindings {
    wit_bindgen::generate!({ path: "../../../wit", world: "plugin", generate_all });
}

/// The most bytes of a line of stdin: a text of 64 KiB, up to six times as long in JSON, and its
/// words.
const LINE_BYTES_MAX: u64 = 512 * 1024;

fn main() -> ExitCode {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let ended = if words.is_empty() { run_lines(io::stdin().lock()) } else { run_words(words) };
    match ended {
        Ok(code) => code,
        Err(reason) => {
            eprintln!("error: {reason}");
            ExitCode::FAILURE
        }
    }
}

/// Runs the command of the command line.
fn run_words(words: Vec<String>) -> Result<ExitCode, String> {
    let command = match Command::parse(words) {
        Ok(command) => command,
        Err(reason) => {
            eprintln!("error: {reason}\n{USAGE}");
            return Ok(ExitCode::FAILURE);
        }
    };
    let mut kept = open()?;
    match run(&mut kept, command) {
        Ok(answers) => print(&answers).map(|()| ExitCode::SUCCESS),
        Err(failure) => Err(failure.reason()),
    }
}

/// Runs the command of each line. A refused command prints `{"error":…}`, and the next one runs.
fn run_lines(mut input: impl BufRead) -> Result<ExitCode, String> {
    let mut kept = open()?;
    let mut refused = 0_u64;
    let mut line = Vec::new();
    while read_line(&mut input, &mut line).map_err(|error| format!("cannot read stdin: {error}"))? {
        let done = Command::parse_line(&line).map_err(Failure::Refused);
        let answers = match done.and_then(|command| run(&mut kept, command)) {
            Ok(answers) => answers,
            Err(Failure::Refused(reason)) => {
                refused = refused.saturating_add(1);
                vec![json!({ "error": reason })]
            }
            Err(Failure::Log(reason)) => return Err(reason),
        };
        print(&answers)?;
    }
    match refused {
        0 => Ok(ExitCode::SUCCESS),
        1 => Err("1 line was refused: its answer says why".to_owned()),
        _ => Err(format!("{refused} lines were refused: their answers say why")),
    }
}

fn open() -> Result<Kept, String> {
    let kept = Kept::open().map_err(Failure::reason)?;
    if let Some(foreign) = kept.foreign() {
        eprintln!("warning: {foreign}");
    }
    Ok(kept)
}

fn run(kept: &mut Kept, command: Command) -> Result<Vec<Value>, Failure> {
    let items = |items: Vec<&memory::Item>| items.into_iter().map(answer::item).collect();
    match command {
        Command::Change(change) => {
            let effect = kept.change(change)?;
            Ok(vec![answer::effect(&effect, kept.memory())])
        }
        Command::List => {
            kept.catch_up(None)?;
            Ok(items(kept.memory().live()))
        }
        Command::Find(words) => {
            kept.catch_up(None)?;
            Ok(items(kept.memory().look_up(&words)))
        }
        Command::History(id) => {
            kept.catch_up(None)?;
            kept.memory().history(&id).map(items).map_err(Failure::Refused)
        }
        Command::Compact => {
            let done = kept.compact()?;
            Ok(vec![json!({ "merged_files": done.merged_files, "events": done.events })])
        }
    }
}

/// Reads a line without its LF. False at the end.
fn read_line(input: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<bool> {
    line.clear();
    let bytes = input.take(LINE_BYTES_MAX).read_until(b'\n', line)?;
    if line.last() != Some(&b'\n') && u64::try_from(bytes).is_ok_and(|n| n >= LINE_BYTES_MAX) {
        let reason = format!("a line has more than {LINE_BYTES_MAX} bytes");
        return Err(io::Error::new(io::ErrorKind::InvalidData, reason));
    }
    Ok(bytes > 0)
}

fn print(answers: &[Value]) -> Result<(), String> {
    let mut stdout = io::stdout().lock();
    let mut write = || {
        answers.iter().try_for_each(|answer| writeln!(stdout, "{answer}"))?;
        stdout.flush()
    };
    write().map_err(|error| format!("cannot write to stdout: {error}"))
}
