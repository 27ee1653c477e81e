//! Prints what the functions for plugins do, one line each. Runs in a project of `plugin new`.

use std::process::ExitCode;

use stratalog_plugin::{Error, Events, Log, Reader, journal_panics, logging, tracing_layer};
use tracing_subscriber::layer::SubscriberExt as _;

fn main() -> ExitCode {
    let done = match std::env::args().nth(1).as_deref() {
        Some("panic") => journal_a_panic(),
        _ => check(),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

pub fn check() -> Result<(), Error> {
    let log = Log::options().flush_threshold(2).event_bytes_max(10).open("journal")?;
    log.append("one")?;
    println!("appended {}", log.append_lines("two\nthree\n")?);
    for bad in ["", "a\nb", "01234567890"] {
        println!("{}", log.append(bad).unwrap_err());
    }
    println!("unterminated: {}", log.append_lines("four\nfive").unwrap_err());
    let events = log.read()?.events().map(|event| event.map(|event| event.text().into_owned()));
    println!("with pending: {}", events.collect::<Result<Vec<_>, _>>()?.join(" "));
    println!("durable {}", log.flush()?.events);
    println!("closed {}", log.close()?.events);

    let mut events = Reader::open("journal")?.events();
    let second = events.nth(1).expect("an event")?;
    println!("second {} {}", second.text(), second.time.is_some());
    let position = events.position().expect("a position");
    println!("behind it {}", all(Reader::options().start(position).open("journal")?.events())?);
    println!("last {}", all(Reader::options().last(1).open("journal")?.events())?);

    logging::init(Log::open("journal")?, log::LevelFilter::Info).expect("no logger is set");
    log::debug!("not this");
    log::warn!(target: "shop", "low on \"tea\"");
    log::logger().flush();
    println!("logged {}", record()?);
    let layer = tracing_layer::Journal::new(Log::options().flush_threshold(1).open("journal")?);
    let subscriber = tracing_subscriber::registry().with(layer);
    tracing::subscriber::with_default(subscriber, || {
        tracing::error!(target: "shop", cups = 3, level = "low", "broken");
    });
    println!("traced {}", record()?);
    println!("{}", all(Reader::open("other")?.events()).unwrap_err());
    println!("{}", Reader::open("stranger").unwrap_err());
    println!("{}", Reader::options().open_named("journal", "billing")?.commit().unwrap_err());
    Ok(())
}

fn all(events: Events) -> Result<String, Error> {
    let texts = events.map(|event| event.map(|event| event.text().into_owned()));
    Ok(texts.collect::<Result<Vec<_>, _>>()?.join(" "))
}

/// Returns the last event of the log without its time.
fn record() -> Result<String, Error> {
    let event = Reader::options().last(1).open("journal")?.events().next().expect("an event")?;
    let mut record: serde_json::Map<String, serde_json::Value> = event.json().expect("JSON");
    assert!(record.remove("time").is_some());
    Ok(serde_json::Value::from(record).to_string())
}

fn journal_a_panic() -> Result<(), Error> {
    journal_panics(Log::open("journal")?);
    panic!("out of tea");
}
