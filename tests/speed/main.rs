//! The cost of the sandbox: the log compared with naive native code, in one run.
//!
//! `cargo bench --features speed` prints the ratios at the end. With the name of a group, such as
//! `append`, `read`, `compact`, `plugin`, `process` or `far`, only that group is measured.

mod append;
mod compact;
mod first_words;
mod forgetful;
mod plugins;
mod process;
mod read;

use std::time::Duration;

use bytes::Bytes;
use criterion::Criterion;
use object_store::ObjectStore;
use object_store::path::Path as Key;
use rig::tools::{cache_folder, target_folder};
use stratalog::store::Store;
use stratalog::{Host, LogOptions};

/// Bytes of an event without its LF, as in most journals.
const EVENT_BYTES: usize = 200;
const MIB: usize = 1024 * 1024;

fn main() {
    let mut criterion = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(3))
        .configure_from_args();
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("a runtime");
    append::append(&mut criterion, &runtime);
    plugins::append(&mut criterion, &runtime);
    plugins::start(&mut criterion, &runtime);
    read::read(&mut criterion, &runtime);
    compact::compacting(&mut criterion, &runtime);
    process::process(&mut criterion);
    plugins::process(&mut criterion);
    criterion.final_summary();
    let named = std::env::args().skip(1).find(|argument| !argument.starts_with('-'));
    if named.is_none_or(|name| name == "far") {
        read::far(&runtime);
    }
    ratios();
}

fn host() -> Host {
    Host::builder().cache_folder(cache_folder()).build().expect("a host")
}

fn event() -> Vec<u8> {
    vec![b'x'; EVENT_BYTES]
}

/// Fills the log `log` with batches of about this many bytes.
async fn fill(host: &Host, store: &Store, batches: usize, bytes: usize) {
    let log = host.open(store, "log", LogOptions::new()).await.expect("a log");
    let packet = Bytes::from([&event()[..], b"\n"].concat().repeat(bytes / (EVENT_BYTES + 1)));
    for _ in 0..batches {
        log.append_lines(packet.clone()).await.expect("an append");
        log.flush().await.expect("a flush");
    }
    log.close().await.expect("a close");
}

/// Returns the keys of its objects.
async fn keys(objects: &dyn ObjectStore) -> Vec<Key> {
    let listed = objects.list_with_delimiter(Some(&Key::from("log"))).await.expect("a list");
    let mut keys: Vec<_> = listed.objects.into_iter().map(|object| object.location).collect();
    keys.sort();
    keys
}

/// Prints the important ratios of criterion's measurements.
fn ratios() {
    let median = |name: &str| -> Option<f64> {
        let file = target_folder().join("criterion").join(name).join("new/estimates.json");
        let estimates: serde_json::Value =
            serde_json::from_slice(&std::fs::read(file).ok()?).ok()?;
        estimates["median"]["point_estimate"].as_f64()
    };
    println!("\nratios of median times, in this run:");
    for (name, baseline) in [
        ("append/Log__append/8", "append/native loop, flush every 32/8"),
        ("append/Log__append/8", "append/native loop, flush every 32/1"),
        ("append/Log__append_lines of 1000/1", "append/native loop, flush every 1000/1"),
        ("append/Log__append_lines of 1000/1", "append/native loop, flush every 32/1"),
        ("append/Log__append_lines of 1000/1", "append/native loop, flush every 100000/1"),
        ("append/a plugin, packets of 1000/1", "append/native loop, flush every 32/1"),
        ("append/a plugin, packets of 1000/1", "append/native loop, flush every 1000/1"),
        ("append/a plugin, one by one/1", "append/native loop, flush every 32/1"),
        ("append/a plugin, one by one/1", "append/native loop, flush every 1000/1"),
        ("process/stratalog run of a plugin without a log", "process/wasmtime run of it"),
        ("read/memory, read", "read/memory, fetched with object_store"),
        ("read/memory, read", "read/memory, fetched and copied out"),
        ("read/folder, read", "read/folder, fetched with object_store"),
        ("read/folder, read", "read/folder, fetched and copied out"),
        ("compact/memory, compacted", "compact/memory, copied with object_store"),
        ("compact/folder, compacted", "compact/folder, copied with object_store"),
    ] {
        match (median(name), median(baseline)) {
            (Some(time), Some(base)) => {
                println!("  {:8.2}  {name} / {baseline} ({time:.0} / {base:.0} ns)", time / base);
            }
            _ => println!("  not measured: {name} / {baseline}"),
        }
    }
}

/// Returns the path of the command line.
fn program() -> std::path::PathBuf {
    let bench = std::env::current_exe().expect("a program");
    bench
        .ancestors()
        .map(|folder| folder.join("stratalog"))
        .find(|program| program.is_file())
        .expect("stratalog is built: run `cargo build --release` first")
}
