//! Embeds the log in a program: eight tasks append to one journal, which is then read and
//! compacted.
//!
//! `cargo run --release --package stratalog --example embed [LOG]`, where LOG is a folder or a URL;
//! default: memory.

use stratalog::store::{Location, Store, StoreOptions};
use stratalog::{CompactOptions, Host, LogOptions};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let place = std::env::args().nth(1).unwrap_or_else(|| "memory:journal".to_owned());
    let location = Location::parse(&place)?;
    let store = Store::open(&location.root, &StoreOptions::new())?;
    let host = Host::new()?;

    let log = host.open(&store, &location.name, LogOptions::new().flush_threshold(1_000)).await?;
    let mut tasks = Vec::new();
    for task in 0..8 {
        let log = log.clone();
        tasks.push(tokio::spawn(async move {
            for number in 0..1_000 {
                log.append(format!(r#"{{"task":{task},"number":{number}}}"#)).await?;
            }
            // Durable when this returns. Concurrent flushes of all tasks are one write.
            log.flush().await
        }));
    }
    for task in tasks {
        task.await??;
    }

    let mut reader = log.read_all().await?;
    let mut events = 0;
    while let Some(page) = reader.next().await? {
        events += page.iter().count();
    }
    let written = log.close().await?;
    println!("{events} events read, {} batches written", written.batches);

    let done = host.compact(&store, &location.name, &CompactOptions::new()).await?;
    println!("{} batches compacted into {}", done.merged_files, done.new_key.unwrap_or_default());
    Ok(())
}
