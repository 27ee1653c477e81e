//! `stratalog positions`: lists the named positions of a log, or forgets one.

use serde::Serialize;
use stratalog::NamedPosition;

use crate::args::Shared;
use crate::args::positions::Positions;
use crate::numbers::to_u64;
use crate::process::exit::{Code, Failure, write_stdout};
use crate::report::{print_json, print_line};
use crate::target::Target;
use crate::terminal::human::{count, time};

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
    for NamedPosition { name, position, number, time: committed } in &positions {
        let commits = count(*number, "commit", "commits");
        let at = committed.map_or_else(String::new, |at| format!(", last {}", time(at)));
        let position = shown_position(position);
        if !write_stdout(format!("{name}  {position}  {commits}{at}\n").as_bytes())? {
            return Ok(Code::Done);
        }
    }
    if positions.is_empty() {
        print_line(shared.quiet, &format!("{location} has no named positions"));
    }
    Ok(Code::Done)
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
