//! Embeds the log in a program: four tasks append to one journal, and a consumer follows it from
//! where its last run ended.
//!
//! `cargo run --release --package stratalog --example embed [LOG]`, where LOG is a folder or a URL;
//! default: memory. A file `embed.position` in the current folder keeps the place of the consumer,
//! unless the log is in memory.

use std::fs;

use futures::TryStreamExt as _;
use stratalog::ReadOptions;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let url = std::env::args().nth(1).unwrap_or_else(|| "memory:journal".to_owned());
    let journal = stratalog::at(&url).await?;

    let log = journal.open().await?;
    let tasks = (0..4).map(|task| {
        let log = log.clone();
        tokio::spawn(async move {
            for number in 0..1_000 {
                log.append(format!(r#"{{"task":{task},"number":{number}}}"#)).await?;
            }
            // Durable when this returns. Concurrent flushes of all tasks share batches.
            log.flush().await
        })
    });
    for task in tasks.collect::<Vec<_>>() {
        task.await??;
    }
    let written = log.close().await?;
    println!("{} events written in {} batches", written.events, written.batches);

    let is_kept = !url.starts_with("memory:");
    let kept = fs::read_to_string("embed.position").ok().filter(|_| is_kept);
    let start = kept.into_iter().fold(ReadOptions::new(), ReadOptions::start);
    let mut events = journal.read_with(start).await?.follow()?.into_events();
    for _ in 0..written.events {
        let Some(event) = events.try_next().await? else { break };
        // Here the event is dealt with. Then its position is saved, so that no run repeats it.
        if let Some(position) = event.position().filter(|_| is_kept) {
            fs::write("embed.position", position)?;
        }
    }
    println!("{} events handled", written.events);
    Ok(())
}
