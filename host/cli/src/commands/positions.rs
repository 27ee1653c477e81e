//! `stratalog positions`: lists the named positions of a log, or forgets one.

use std::io::{self, IsTerminal as _};

use serde::Serialize;
use stratalog::NamedPosition;

use crate::args::Shared;
use crate::args::positions::Positions;
use crate::numbers::to_u64;
use crate::process::exit::{Code, Failure, write_stdout};
use crate::report::{print_json, print_line};
use crate::target::Target;
use crate::terminal::human::{count, time};

/// The characters of a line on a terminal.
const COLUMNS: usize = 80;

#[derive(Serialize)]
struct PositionsReport {
    positions: Vec<PositionReport>,
}

#[derive(Serialize)]
struct PositionReport {
    name: String,
    position: String,
    commits: u64,
    time: Option<String>,
}

#[derive(Serialize)]
struct ForgottenReport {
    name: String,
    forgotten: bool,
}

/// Runs the command. It may be interrupted anywhere.
pub(crate) async fn run(command: &Positions, shared: &Shared) -> Result<Code, Failure> {
    let target = Target::open(&command.log, shared, false)?;
    let Target { location, store, host } = &target;
    if let Some(name) = &command.forget {
        let forgotten = match host.forget_position(store, &location.name, name).await {
            Ok(forgotten) => forgotten,
            Err(error) => return Err(target.explain("change", error).await),
        };
        if shared.json {
            let name = name.clone();
            return print_json(&ForgottenReport { name, forgotten }).map(|()| Code::Done);
        }
        let said = if forgotten {
            format!("forgot position {name} of {location}")
        } else {
            let others = match host.named_positions(store, &location.name).await {
                Ok(others) => others,
                Err(error) => return Err(target.explain("read", error).await),
            };
            let names: Vec<_> = others.into_iter().map(|position| position.name).collect();
            let names = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
            format!("there is no position {name} of {location}; it has {names}")
        };
        print_line(shared.quiet, &said);
        return Ok(Code::Done);
    }
    let positions = match host.named_positions(store, &location.name).await {
        Ok(positions) => positions,
        Err(error) => return Err(target.explain("read", error).await),
    };
    if shared.json {
        let positions = positions.into_iter().map(PositionReport::from).collect();
        return print_json(&PositionsReport { positions }).map(|()| Code::Done);
    }
    let is_terminal = io::stdout().is_terminal();
    for NamedPosition { name, position, number, time: committed } in &positions {
        let commits = count(*number, "commit", "commits");
        let at = committed.map_or_else(String::new, |at| format!(", last {}", time(at)));
        let line = line(name, &shown_position(position), &format!("{commits}{at}"), is_terminal);
        if !write_stdout(line.as_bytes())? {
            return Ok(Code::Done);
        }
    }
    if positions.is_empty() {
        print_line(shared.quiet, &format!("{location} has no named positions"));
    }
    Ok(Code::Done)
}

/// Formats one line for a position. On a terminal, a long one is two lines.
fn line(name: &str, position: &str, commits: &str, is_terminal: bool) -> String {
    let line = format!("{name}  {position}  {commits}\n");
    match is_terminal && line.chars().count() > COLUMNS {
        true => format!("{name}  {position}\n  {commits}\n"),
        false => line,
    }
}

/// Formats a position for people: behind the number it has a part for each writer, of 40 characters
/// or more.
fn shown_position(position: &str) -> String {
    let mut parts = position.split(',');
    let compacted = parts.next().unwrap_or_default();
    match to_u64(parts.count()) {
        0 => compacted.to_owned(),
        writers => format!("{compacted} and batches of {}", count(writers, "writer", "writers")),
    }
}

impl From<NamedPosition> for PositionReport {
    fn from(named: NamedPosition) -> Self {
        let NamedPosition { name, position, number, time: committed } = named;
        Self { name, position, commits: number, time: committed.map(time) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn line_fits_a_terminal_and_is_whole_for_a_program() {
        let (name, position) = ("billing", "0123456789abcdef@1234567 and batches of 12 writers");
        let commits = "7 commits, last 2026-01-31T12:00:00.000001Z";
        let shown = line(name, position, commits, true);
        assert!(shown.lines().all(|line| line.chars().count() <= COLUMNS), "{shown}");
        assert_eq!(shown.lines().count(), 2);
        assert_eq!(line(name, position, commits, false).lines().count(), 1);
        assert_eq!(line(name, "340", commits, true).lines().count(), 1);
    }
}
