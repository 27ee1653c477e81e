//! Deleting objects, many per request where the store supports that.
//!
//! Owns: which failure belongs to which key. Must not know: the reason for the deletes.
//!
//! 1. A key without an object counts as deleted. One that no object can have is reported.
//! 2. Every key whose object may still exist is reported.
//! 3. A delete is not synced in a local folder: after a power cut an object may be back.

use std::collections::BTreeSet;

use futures::StreamExt;
use futures::stream;
use object_store::path::Path;

use crate::store::error::{DeleteFailure, StoreErrorKind};
use crate::store::outcome::Deleted;
use crate::store::{Backend, Inner, Store};

/// The number of keys that are deleted together: the limit of S3 for one request.
const BULK_KEYS_MAX: usize = 1000;

impl Store {
    /// Deletes objects and returns those that may still exist. A missing one counts as deleted.
    ///
    /// S3 and Azure take many per request. The others take one each, several concurrently.
    pub async fn delete(&self, keys: Vec<String>) -> Vec<DeleteFailure> {
        let failures = self.inner.delete(keys).await;
        self.count_delete();
        failures
    }
}

impl Inner {
    pub(crate) async fn delete(&self, keys: Vec<String>) -> Vec<DeleteFailure> {
        let mut failures = Vec::new();
        let mut wanted: Vec<(String, Path)> = Vec::with_capacity(keys.len());
        for key in keys {
            match self.path(&key) {
                Ok(path) => wanted.push((key, path)),
                Err(error) => failures.push(DeleteFailure { key, error }),
            }
        }
        if let Backend::Folder(folder) = self.backend.as_ref()
            && matches!(folder.exists().await, Ok(false))
        {
            return failures;
        }
        let store = match self.for_read().await {
            Ok(store) => store,
            Err(error) => {
                let unreached = wanted.into_iter();
                let unreached =
                    unreached.map(|(key, _)| DeleteFailure { key, error: error.clone() });
                failures.extend(unreached);
                return failures;
            }
        };
        for bulk in wanted.chunks(BULK_KEYS_MAX) {
            let paths: Vec<_> = bulk.iter().map(|(_, path)| Ok(path.clone())).collect();
            let first = bulk.first().map_or("", |(key, _)| key.as_str());
            // Results from before the time limit count.
            let mut results = Vec::with_capacity(bulk.len());
            let answers = async {
                let mut answers = store.delete_stream(stream::iter(paths).boxed());
                while let Some(answer) = answers.next().await {
                    results.push(answer);
                }
                let failed = |answer: &object_store::Result<Path>| {
                    answer
                        .as_ref()
                        .is_err_and(|error| !matches!(error, object_store::Error::NotFound { .. }))
                };
                Deleted { has_failed: results.iter().any(failed) }
            };
            let unsaid = match self.run_operation("delete", first, answers).await {
                Ok(_) => "the store did not report the outcome".to_owned(),
                Err(abandoned) => self.context.abandoned_reason(&abandoned),
            };
            self.judge(bulk, results, &unsaid, &mut failures);
        }
        failures
    }

    /// Determines for each key of a bulk whether it is gone.
    ///
    /// Results come in the order of the keys. One error may stand for many keys. Then the keys that
    /// were not confirmed share it.
    fn judge(
        &self,
        bulk: &[(String, Path)],
        results: Vec<object_store::Result<Path>>,
        unsaid: &str,
        failures: &mut Vec<DeleteFailure>,
    ) {
        use object_store::Error::NotFound;
        if results.len() == bulk.len() {
            for ((key, path), result) in bulk.iter().zip(results) {
                match result {
                    Ok(gone) if gone == *path => {}
                    Ok(_) => failures.push(self.failure(key, None, unsaid)),
                    Err(NotFound { .. }) => {}
                    Err(error) => failures.push(self.failure(key, Some(&error), unsaid)),
                }
            }
            return;
        }
        let mut gone = BTreeSet::new();
        let mut shared = None;
        for result in results {
            match result {
                Ok(path) => {
                    gone.insert(path);
                }
                Err(error) => shared = shared.or(Some(error)),
            }
        }
        for (key, path) in bulk {
            if !gone.contains(path) {
                failures.push(self.failure(key, shared.as_ref(), unsaid));
            }
        }
    }

    fn failure(
        &self,
        key: &str,
        error: Option<&object_store::Error>,
        unsaid: &str,
    ) -> DeleteFailure {
        let error = match error {
            Some(error) => self.context.read_error("delete", key, error),
            None => self.context.error(StoreErrorKind::Unavailable, "delete", key, unsaid),
        };
        DeleteFailure { key: key.to_owned(), error }
    }
}
