//! A plugin that has the cases of the matrix: what holds on every host and store.
//!
//! Its first argument is one of these words, and the others are names of logs or cases:
//!
//! - `list` prints the names of all cases; `list-changed` those whose objects the test changes.
//! - `run` performs all cases that need no change of objects.
//! - `prepare` writes the logs of the other cases. The test then changes their objects, and `check`
//!   performs these cases.
//! - `write LOG` writes a log with an object of each kind.
//! - `read LOG…` describes logs: their events, positions and numbers.
//!
//! Each case has a log of its own name. Each result is one line of JSON.

#![expect(clippy::indexing_slicing, reason = "the cases know their logs")]

mod append;
mod changed;
mod compact;
mod follow;
mod input;
mod logs;
mod names;
mod options;
mod positions;
mod reads;
mod tell;
mod transfer;
mod trim;
mod verify;
mod writers;

#[allow(clippy::all, clippy::restriction, unsafe_code, unreachable_pub, reason = "generated")]
mod bindings {
    wit_bindgen::generate!({ path: "../../wit", world: "plugin", generate_all });
}

use logs::{Case, Outcome};

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some((word, logs)) = arguments.split_first() else { return };
    match word.as_str() {
        "list" => plain().chain(changed::CASES).for_each(|case| println!("{}", case.log())),
        "list-changed" => changed::CASES.iter().for_each(|case| println!("{}", case.log())),
        "run" => plain().for_each(|case| perform(case, case.holds)),
        "prepare" => changed::CASES.iter().for_each(|case| perform(case, case.prepare)),
        "check" => changed::CASES.iter().for_each(|case| perform(case, case.holds)),
        "write" => logs.iter().for_each(|log| tell::failure(log, transfer::write(log))),
        "read" => logs.iter().for_each(|log| match transfer::describe(log) {
            Ok(described) => println!("{described}"),
            Err(failure) => tell::failure(log, Err(failure)),
        }),
        other => tell::failure(other, Err("there is no such word".to_owned().into())),
    }
}

/// Returns the cases that need no change of objects.
fn plain() -> impl Iterator<Item = &'static Case> {
    let lists = [
        append::CASES,
        input::CASES,
        options::CASES,
        names::CASES,
        reads::CASES,
        follow::CASES,
        positions::CASES,
        compact::CASES,
        trim::CASES,
        verify::CASES,
        writers::CASES,
    ];
    lists.into_iter().flatten()
}

fn perform(case: &Case, part: fn(&str) -> Outcome) {
    let log = case.log();
    tell::failure(&log, part(&log));
}
