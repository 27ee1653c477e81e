//! Compacts a log concurrently with its writer, each time the writer has written N batches.
//!
//! 1. One compaction runs at a time, in an instance and a task of its own: appends and reads
//!    continue.
//! 2. It never fails the writer. A failure is logged once, not each time it repeats. The next
//!    compaction tries again.

use std::sync::Arc;

use tokio::task::JoinHandle;

use crate::error::Error;
use crate::log::notices::{Notice, Notifier};
use crate::sandbox::engine::SharedEngine;
use crate::store::Store;
use crate::types::CompactOptions;

pub(super) struct Background {
    engine: SharedEngine,
    store: Store,
    name: Arc<str>,
    /// The next compaction begins this many batches after the last one began.
    every: u64,
    notifier: Notifier,
    /// The number of written batches when the last compaction began.
    begun_at: u64,
    in_progress: Option<JoinHandle<Option<String>>>,
    /// The warning of the last compaction. The same warning is not repeated.
    warned: Option<String>,
}

impl Background {
    pub(super) fn new(
        engine: SharedEngine,
        store: Store,
        name: Arc<str>,
        every: u32,
        notifier: Notifier,
    ) -> Self {
        Self {
            notifier,
            engine,
            store,
            name,
            every: every.into(),
            begun_at: 0,
            in_progress: None,
            warned: None,
        }
    }

    /// Begins a compaction if one is due. `written` is the number of batches that the writer has
    /// written.
    pub(super) fn begin_if_due(&mut self, written: u64) {
        if self.in_progress.is_some() || written.saturating_sub(self.begun_at) < self.every {
            return;
        }
        self.begun_at = written;
        let engine = self.engine.clone();
        let (store, name, warned) = (self.store.clone(), self.name.clone(), self.warned.clone());
        let notifier = self.notifier.clone();
        self.in_progress = Some(tokio::spawn(async move {
            let warning = compact(&engine, &store, &name, &notifier).await;
            if let Some(warning) = warning.as_ref().filter(|_| warning != warned) {
                tracing::warn!("{warning}");
            }
            warning
        }));
    }

    /// Waits for the end of the compaction in progress; forever, if there is none.
    pub(super) async fn ended(&mut self) {
        match &mut self.in_progress {
            Some(task) => {
                // The task has logged its failure itself.
                self.warned = task.await.unwrap_or_default();
                self.in_progress = None;
            }
            None => std::future::pending().await,
        }
    }

    /// Waits until no compaction is in progress.
    pub(super) async fn finish(&mut self) {
        if self.in_progress.is_some() {
            self.ended().await;
        }
    }
}

/// Compacts the log once; returns the warning, if there is one.
async fn compact(
    engine: &SharedEngine,
    store: &Store,
    name: &str,
    notifier: &Notifier,
) -> Option<String> {
    let compacted =
        async { Ok(engine.instantiate(store).await?.compact(name, &CompactOptions::new()).await?) };
    match compacted.await {
        Ok(done) => {
            tracing::debug!("compacted the log {name}: {} objects merged", done.merged_files);
            notifier.send(Notice::Compacted(done));
        }
        // Its batches may still be in flight.
        Err(Error::NoLog(_)) => {
            tracing::debug!("did not compact the log {name}: nothing is stored yet")
        }
        // Other compactors keep the log compact.
        Err(Error::Conflict(message)) => {
            tracing::debug!("did not compact the log {name}: {message}")
        }
        Err(error) => {
            let warning = format!("cannot compact the log {name} in the background: {error}");
            notifier.send(Notice::CompactionFailed(error));
            return Some(warning);
        }
    }
    None
}
