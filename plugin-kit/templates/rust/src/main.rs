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

#[cfg(test)]
mod tests {
    use stratalog_plugin::testing::World;

    use super::*;

    #[test]
    fn text_is_stored_once_though_the_reply_is_lost() {
        let world = World::new();
        world.grant(LABEL);
        world.lose_replies(1);
        let error = append(&["hello".to_owned()]).unwrap_err();
        assert!(error.to_string().contains("may be stored"), "{error}");
        // The host has flushed what the plugin left open.
        assert_eq!(world.events(LABEL), [r#"{"text":"hello"}"#]);
    }
}
