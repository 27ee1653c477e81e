//! A log much larger than the memory of an instance can be read, compacted and verified within 64
//! MiB. `tests/large_log.sh` does the same with 4 GiB and measures the whole process.

use std::sync::Arc;

use bytes::Bytes;
use object_store::memory::InMemory;
use stratalog::store::{ConditionalCreate, Store};
use stratalog::{CompactOptions, Host, Limits, LogOptions};
use tokio::runtime::Runtime;

const MIB: usize = 1024 * 1024;

fn runtime() -> Runtime {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap()
}

fn host() -> Host {
    let mut limits = Limits::default();
    limits.memory_bytes_max = 64 * MIB;
    Host::builder().limits(limits).build().unwrap()
}

fn store() -> Store {
    Store::from_object_store(Arc::new(InMemory::new()), "memory", ConditionalCreate::Honoured)
}

/// Reads everything; returns the number of events and of bytes.
async fn read(host: &Host, store: &Store) -> (u64, usize) {
    let mut reader = host.read(store, "log").await.unwrap();
    let mut total = (0, 0);
    while let Some(page) = reader.next().await.unwrap() {
        total = (total.0 + page.events, total.1 + page.lines.len());
    }
    total
}

/// Verifies everything; returns the number of events.
async fn verify(host: &Host, store: &Store) -> u64 {
    let mut verifier = host.verify(store, "log").await.unwrap();
    let mut events = 0;
    while let Some(checked) = verifier.next().await.unwrap() {
        assert!(checked.findings.is_empty(), "{:?}", checked.findings);
        events = checked.events;
    }
    events
}

async fn check(host: &Host, store: &Store, expected: (u64, usize), options: &[CompactOptions]) {
    assert_eq!(read(host, store).await, expected);
    for options in options {
        host.compact(store, "log", options).await.unwrap();
        assert_eq!(read(host, store).await, expected);
        assert_eq!(verify(host, store).await, expected.0);
    }
}

#[test]
fn batches_of_15_mib_are_handled_one_by_one() {
    runtime().block_on(async {
        let (host, store) = (host(), store());
        let log = host.open(&store, "log", LogOptions::new()).await.unwrap();
        let lines = Bytes::from(b"0123456789abcde\n".repeat(15 * MIB / 16));
        for _ in 0..20 {
            log.append_lines(lines.clone()).await.unwrap();
            log.flush().await.unwrap();
        }
        log.close().await.unwrap();
        let expected = (u64::try_from(300 * MIB / 16).unwrap(), 300 * MIB);
        let small = CompactOptions::new().segment_bytes_max(64 * 1024 * 1024);
        check(&host, &store, expected, &[small, CompactOptions::new().full(true)]).await;
    });
}

#[test]
fn indexes_of_many_small_batches_stay_within_the_memory_limit() {
    runtime().block_on(async {
        let (host, store) = (host(), store());
        let log = host.open(&store, "log", LogOptions::new()).await.unwrap();
        for number in 0..70_000 {
            log.append(format!("{number}").as_bytes()).await.unwrap();
            log.flush().await.unwrap();
        }
        log.close().await.unwrap();
        let expected = read(&host, &store).await;
        assert_eq!(expected.0, 70_000);
        let full = CompactOptions::new().full(true);
        check(&host, &store, expected, &[CompactOptions::new(), full]).await;
        assert_eq!(host.stat(&store, "log").await.unwrap().segments, 3);
    });
}
