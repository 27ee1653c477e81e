//! Compacts a log beside its writer, whenever the writer has written so many batches.
//!
//! 1. One compaction at a time, in an instance and a task of its own: appends and reads go on.
//! 2. It never fails the writer: what went wrong is logged, once in a row, and the next one tries again.

use std::sync::Arc;

use tokio::task::JoinHandle;

use crate::compact_options::CompactOptions;
use crate::error::Error;
use crate::sandbox::engine::SharedEngine;
use crate::store::Store;

pub(super) struct Background {
    engine: SharedEngine,
    store: Store,
    name: Arc<str>,
    /// So many batches after the last one began, the next one begins.
    every: u64,
    /// How many batches had been written when the last one began.
    begun_at: u64,
    under_way: Option<JoinHandle<Option<String>>>,
    /// The warning of the last one. The same is not repeated.
    warned: Option<String>,
}

impl Background {
    pub(super) fn new(engine: SharedEngine, store: Store, name: Arc<str>, every: u32) -> Self {
        Self {
            engine,
            store,
            name,
            every: every.into(),
            begun_at: 0,
            under_way: None,
            warned: None,
        }
    }

    /// Begins a compaction if it is time for one. `written` is how many batches the writer has
    /// written so far.
    pub(super) fn begin_if_due(&mut self, written: u64) {
        if self.under_way.is_some() || written.saturating_sub(self.begun_at) < self.every {
            return;
        }
        self.begun_at = written;
        let engine = self.engine.clone();
        let (store, name, warned) = (self.store.clone(), self.name.clone(), self.warned.clone());
        self.under_way = Some(tokio::spawn(async move {
            let warning = compact(&engine, &store, &name).await;
            if let Some(warning) = warning.as_ref().filter(|_| warning != warned) {
                tracing::warn!("{warning}");
            }
            warning
        }));
    }

    /// Waits for the end of the compaction under way; for ever, if there is none.
    pub(super) async fn ended(&mut self) {
        match &mut self.under_way {
            Some(task) => {
                // It has logged itself what went wrong.
                self.warned = task.await.unwrap_or_default();
                self.under_way = None;
            }
            None => std::future::pending().await,
        }
    }

    /// Waits until none is under way.
    pub(super) async fn finish(&mut self) {
        if self.under_way.is_some() {
            self.ended().await;
        }
    }
}

/// Returns what to warn of.
async fn compact(engine: &SharedEngine, store: &Store, name: &str) -> Option<String> {
    let compacted =
        async { engine.instantiate(store).await?.compact(name, &CompactOptions::new()).await };
    match compacted.await {
        Ok(done) => {
            tracing::debug!("compacted log {name}: {} objects merged", done.merged_files);
        }
        // Its batches may still be on their way.
        Err(Error::NoLog { .. }) => tracing::debug!("did not compact log {name}: it has nothing"),
        // Then others keep it compact.
        Err(Error::Conflict(message)) => tracing::debug!("did not compact log {name}: {message}"),
        Err(error) => return Some(format!("cannot compact log {name} in the background: {error}")),
    }
    None
}
