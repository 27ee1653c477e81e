//! Embeds the log in a program: four tasks append to one journal, and a consumer follows it from
//! the position that its last run committed.
//!
//! `cargo run --release --package stratalog --example embed [LOG]`, where LOG is a folder or a URL;
//! default: memory.

use futures::TryStreamExt as _;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let url = std::env::args().nth(1).unwrap_or_else(|| "memory:journal".to_owned());
    let journal = stratalog::at(&url).await?;
    let log = journal.open().await?;
    let mut tasks = tokio::task::JoinSet::new();
    for task in 0..4 {
        let log = log.clone();
        tasks.spawn(async move {
            log.append_lines(format!("{{\"task\":{task}}}\n").repeat(1_000)).await?;
            log.flush().await // Durable when it returns. Concurrent flushes share batches.
        });
    }
    tasks.join_all().await.into_iter().collect::<Result<Vec<_>, _>>()?;
    let written = log.close().await?.events;
    let mut events = journal.read_named("mail", Default::default()).await?.follow()?.into_events();
    for handled in 1..=written {
        let event = events.try_next().await?.ok_or("a follower has no end")?;
        if handled % 1_000 == 0 {
            events.commit(&event).await?; // The next run begins behind this event.
        }
    }
    println!("{written} events written and handled");
    Ok(())
}
