//! The checks of listings and of bulk deletes, all over the same objects.

use std::time::Instant;

use bytes::Bytes;
use futures::{StreamExt, stream};

use super::checks::{CheckOutcome, existing_is_fine, passed, text};
use super::{Doctor, Verdict};
use crate::numbers::{count, to_u64};

/// More than the 1,000 objects that services return for one request.
const PAGED_OBJECTS: usize = 1_100;

/// The number of concurrent creates while those objects are made.
const CREATES_MAX: usize = 32;

impl Doctor {
    pub(super) async fn list_paging(&mut self) -> CheckOutcome {
        let expected = self.paged_keys();
        let store = self.store.clone();
        let mut creates = stream::iter(expected.clone())
            .map(|key| {
                let store = store.clone();
                async move { store.create(&key, Bytes::from_static(b"x"), false).await }
            })
            .buffer_unordered(CREATES_MAX);
        while let Some(created) = creates.next().await {
            existing_is_fine(created)?;
        }
        let (prefix, objects) = (self.prefix("paged_"), shown_objects());
        if self.keys(&prefix, None, 10_000).await? != expected {
            return Err(format!("a listing of {objects} does not have all of them"));
        }
        let mut found: Vec<String> = Vec::new();
        loop {
            let after = found.last().cloned();
            let page = self.store.list(&prefix, after.as_deref(), 300).await.map_err(text)?;
            found.extend(page.objects.into_iter().map(|object| object.key));
            if !page.more || found.len() > expected.len() {
                break;
            }
        }
        match found == expected {
            true => passed(format!("{objects}, whole and by pages of 300")),
            false => {
                Err(format!("a listing of {objects} by pages of 300 does not have all of them"))
            }
        }
    }

    pub(super) async fn list_start_after(&mut self) -> CheckOutcome {
        let keys = self.paged_keys();
        let prefix = self.prefix("paged_");
        for start in [0, 549, 998, 999, 1_000, PAGED_OBJECTS - 1] {
            let (Some(after), expected) = (keys.get(start), keys.iter().skip(start).skip(1)) else {
                continue;
            };
            let found = self.keys(&prefix, Some(after.as_str()), 3).await?;
            if !found.iter().eq(expected.take(3)) {
                return Err(format!("a listing after {after:?} begins with {:?}", found.first()));
            }
        }
        passed("after any key, also at the ends of pages")
    }

    pub(super) async fn list_order(&mut self) -> CheckOutcome {
        let times = self.store.inner.written_times(&self.folder).await.map_err(text)?;
        match times.is_sorted_by(|(a, _), (b, _)| a < b) {
            true => passed("by key"),
            false => {
                let detail =
                    "none: each listing is fetched whole and sorted by the host".to_owned();
                Ok((Verdict::Limited, detail))
            }
        }
    }

    pub(super) async fn bulk_delete(&mut self) -> CheckOutcome {
        let keys = self.paged_keys();
        let (start, requests_before) = (Instant::now(), self.store.inner.operations.requests());
        self.delete(keys).await?;
        let seconds = start.elapsed().as_secs_f64();
        let requests = self.store.inner.operations.requests() - requests_before;
        if !self.keys(&self.prefix("paged_"), None, 10).await?.is_empty() {
            return Err("objects were listed after they were deleted".to_owned());
        }
        let requests = match requests {
            0 => String::new(),
            some => format!("{}, ", count(some, "request", "requests")),
        };
        passed(format!("{}: {requests}{seconds:.1} s", shown_objects()))
    }

    fn paged_keys(&mut self) -> Vec<String> {
        (0..PAGED_OBJECTS).map(|number| self.key(format_args!("paged_{number:05}"))).collect()
    }
}

fn shown_objects() -> String {
    count(to_u64(PAGED_OBJECTS), "object", "objects")
}
