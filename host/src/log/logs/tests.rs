use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::synthetic::Synthetic;
use super::{ListOptions, NameCounts, PAGE_ENTRIES};
use crate::error::Error;
use crate::host::Host;
use crate::limits::Limits;
use crate::store::Store;

/// A host whose instances have little memory.
fn small_host() -> Host {
    let limits = Limits { memory_bytes_max: 8 * 1024 * 1024, ..Limits::default() };
    Host::builder().limits(limits).build().unwrap()
}

async fn check(logs: usize, batches: usize, fails_at: usize) {
    let synthetic = Synthetic { logs, batches, requests: AtomicUsize::new(0), fails_at };
    let synthetic = Arc::new(synthetic);
    let store = Store::of_pages(synthetic.clone());
    let mut found = small_host().logs(&store, "", ListOptions::new()).await.unwrap();
    let (mut count, mut failures) = (0, 0);
    loop {
        let log = match found.next().await {
            Ok(Some(log)) => log,
            Ok(None) => break,
            Err(Error::StoreFailed(_)) => {
                failures += 1;
                continue;
            }
            Err(error) => panic!("{error}"),
        };
        assert_eq!(log.name, format!("tenant/log-{count:06}"));
        let NameCounts { events, batches: listed, batch_events, segments, .. } =
            log.counts.unwrap();
        let batches = u64::try_from(batches).unwrap();
        assert_eq!((events, listed, batch_events, segments), (None, batches, 2 * batches, 1));
        assert!(found.found.len() < PAGE_ENTRIES);
        count += 1;
    }
    assert_eq!((count, failures), (logs, usize::from(fails_at > 0)));
    // One list for each 1,000 objects, and nothing else: the store has no objects to get.
    let requests = synthetic.requests.load(Ordering::SeqCst);
    assert_eq!(requests, (logs * (batches + 3)).div_ceil(1_000) + failures);
}

#[tokio::test]
async fn logs_by_the_hundred_thousand_cost_a_list_per_1000_objects() {
    check(100_000, 1, 0).await;
}

#[tokio::test]
async fn log_of_a_million_objects_is_counted_in_little_memory() {
    check(1, 1_000_000, 0).await;
}

#[tokio::test]
async fn search_continues_after_a_failed_list() {
    check(1_000, 5, 4).await;
}
