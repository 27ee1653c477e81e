//! Appends each argument to the log `journal` as an event, or prints the events if there is none.

use std::env;
use std::process::ExitCode;

use stratalog_plugin::{Error, Log, Reader};

/// The label that the operator grants a log under.
const LABEL: &str = "journal";

fn main() -> ExitCode {
    let texts: Vec<String> = env::args().skip(1).collect();
    let done = if texts.is_empty() { print_all() } else { append(&texts) };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn append(texts: &[String]) -> Result<(), Error> {
    let log = Log::open(LABEL)?;
    for text in texts {
        log.append_json(&serde_json::json!({ "text": text }))?;
    }
    let written = log.close()?;
    println!("stored events: {}", written.events);
    Ok(())
}

fn print_all() -> Result<(), Error> {
    for event in Reader::open(LABEL)?.events() {
        println!("{}", event?.text());
    }
    Ok(())
}
