//! A store of any number of logs, for tests.

use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use object_store::list::{PaginatedListOptions, PaginatedListResult, PaginatedListStore};
use object_store::path::Path;
use object_store::{Error as ObjectError, ListResult, ObjectMeta, Result as ObjectResult};

/// A store that lists by pages of 1,000, and has logs of one manifest, one segment with its index,
/// and batches. No key exists before it is listed.
pub(crate) struct Synthetic {
    pub(crate) logs: usize,
    pub(crate) batches: usize,
    pub(crate) requests: AtomicUsize,
    /// The number of the request that fails; 0 for none.
    pub(crate) fails_at: usize,
}

impl Synthetic {
    pub(crate) fn objects(&self) -> usize {
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
