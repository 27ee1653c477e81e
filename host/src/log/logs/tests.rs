use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use object_store::list::{PaginatedListOptions, PaginatedListResult, PaginatedListStore};
use object_store::path::Path;
use object_store::{Error as ObjectError, ListResult, ObjectMeta, Result as ObjectResult};

use super::{ListOptions, NameCounts, PAGE_ENTRIES};
use crate::error::Error;
use crate::host::Host;
use crate::limits::Limits;
use crate::store::Store;

/// A store that lists by pages of 1,000, and has logs of one manifest, one segment with its index,
/// and batches. No key exists before it is listed.
struct Synthetic {
    logs: usize,
    batches: usize,
    requests: AtomicUsize,
    /// The number of the request that fails; 0 for none.
    fails_at: usize,
}

impl Synthetic {
    fn objects(&self) -> usize {
        self.batches + 3
    }

    fn key(&self, at: usize) -> String {
        let (log, object) = (at / self.objects(), at % self.objects());
        let generation = format!("{:019}", 1);
        let name = match object.checked_sub(self.batches) {
            None => format!(
                "batch_{:019}_0123456789abcdef_{object}_{}_0_2_fedcba9876543210.jsonl",
                object + 1,
                usize::from(object > 0)
            ),
            Some(0) => format!("manifest_{generation}.json"),
            Some(1) => format!("segment_{generation}_0000000a_0000.index"),
            Some(_) => format!("segment_{generation}_0000000a_0000.jsonl"),
        };
        format!("tenant/log-{log:06}/{name}")
    }
}

#[async_trait]
impl PaginatedListStore for Synthetic {
    async fn list_paginated(
        &self,
        prefix: Option<&str>,
        options: PaginatedListOptions,
    ) -> ObjectResult<PaginatedListResult> {
        assert_eq!((prefix, options.delimiter), (Some(""), None));
        let request = self.requests.fetch_add(1, Ordering::SeqCst) + 1;
        if request == self.fails_at {
            return Err(ObjectError::Generic { store: "synthetic", source: "it failed".into() });
        }
        let all = self.logs * self.objects();
        let start = match (options.page_token, options.offset) {
            (Some(token), _) => token.parse().unwrap(),
            (None, None) => 0,
            (None, Some(after)) => (0..all).position(|at| self.key(at) > after).unwrap_or(all),
        };
        let end = all.min(start + options.max_keys.unwrap().min(1_000));
        let objects = (start..end).map(|at| ObjectMeta {
            location: Path::parse(self.key(at)).unwrap(),
            last_modified: chrono::DateTime::UNIX_EPOCH,
            size: 10,
            e_tag: None,
            version: None,
        });
        let result = ListResult {
            common_prefixes: Vec::new(),
            objects: objects.collect(),
            extensions: Default::default(),
        };
        Ok(PaginatedListResult { result, page_token: (end < all).then(|| end.to_string()) })
    }
}

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
