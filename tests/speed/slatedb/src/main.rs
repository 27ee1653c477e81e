//! Durable puts into SlateDB, which the benchmarks of stratalog compare with durable appends.
//!
//! `stratalog-speed-slatedb far|FOLDER TASKS SECONDS` prints the puts per second and the median
//! time of a put in milliseconds. `far` is a store in memory with 20 ms added to each request.

#[path = "../../src/far.rs"]
mod far;
#[path = "../../src/pace.rs"]
mod pace;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use object_store::ObjectStore;
use object_store::local::LocalFileSystem;
use object_store::memory::InMemory;
use slatedb::{Db, Settings};

/// Bytes of a value, as of an event.
const VALUE_BYTES: usize = 200;

/// SlateDB's shortest useful interval: a put waits for it and then for the store.
const FLUSH_INTERVAL: Duration = Duration::from_millis(1);

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [place, tasks, seconds] = words.as_slice() else {
        eprintln!("usage: far|FOLDER TASKS SECONDS");
        std::process::exit(2);
    };
    let store: Arc<dyn ObjectStore> = match place.as_str() {
        "far" => Arc::new(far::far(InMemory::new())),
        folder => {
            let files = LocalFileSystem::new_with_prefix(folder).expect("a folder");
            Arc::new(files.with_fsync(true))
        }
    };
    let tasks = tasks.parse().expect("a number of tasks");
    let time = Duration::from_secs_f64(seconds.parse().expect("seconds"));
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    let pace = runtime.block_on(puts(store, tasks, time));
    println!("{} {}", pace.per_second, pace.median_ms);
    // Nothing reads the database again, so its end is not awaited.
    std::process::exit(0);
}

async fn puts(store: Arc<dyn ObjectStore>, tasks: usize, time: Duration) -> pace::Pace {
    let settings = Settings { flush_interval: Some(FLUSH_INTERVAL), ..Settings::default() };
    let db = Db::builder("db", store).with_settings(settings).build().await.expect("a database");
    let db = Arc::new(db);
    let number = Arc::new(AtomicU64::new(0));
    pace::pace(tasks, time, move || {
        let (db, number) = (db.clone(), number.clone());
        async move {
            let key = number.fetch_add(1, Ordering::Relaxed).to_be_bytes();
            let put = db.put(key, [b'x'; VALUE_BYTES]).await.expect("a put");
            put.await_durable().await.expect("a durable put");
        }
    })
    .await
}
