//! The log handles of a plugin, and their close after the plugin has ended.
//!
//! 1. A log handle that is dropped, for any reason, is flushed and closed.
//! 2. Nothing waits for a plugin, and the caller that ran it can wait until all is closed.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::runtime::Handle;
use tokio::sync::watch;

use crate::error::{Error, Result};
use crate::log::Log;
use crate::log::Verifier;
use crate::log::reader::Reader;
use crate::plugin::quota::{Accepted, WriterShare};
use crate::sandbox::imports::access::KeyScope;
use crate::types::Written;

/// Counts the handles that each have an instance of the log's component.
#[derive(Clone, Default)]
pub(crate) struct Handles(Arc<AtomicUsize>);

/// The count of one handle.
pub(crate) struct HandlePermit(Arc<AtomicUsize>);

impl Handles {
    /// Counts one more handle, if there are fewer than `most`.
    pub(crate) fn permit(&self, most: usize) -> Option<HandlePermit> {
        let more = |open: usize| (open < most).then(|| open + 1);
        let counted = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more);
        counted.is_ok().then(|| HandlePermit(self.0.clone()))
    }
}

impl Drop for HandlePermit {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A log opened by a plugin.
pub struct LogHandle {
    pub(super) opened: Arc<Opened>,
    closing: Closing,
    permit: Option<HandlePermit>,
    closed: bool,
}

/// A log, and the label under which it was opened.
pub(super) struct Opened {
    pub(super) log: Log,
    pub(super) label: KeyScope,
    /// The number of the call that opened it, in the record of the run.
    pub(super) number: u64,
    /// Its share of the log's quota, if there is one.
    pub(super) share: Option<Arc<WriterShare>>,
}

impl LogHandle {
    pub(super) fn new(
        (log, share): (Log, Option<Arc<WriterShare>>),
        (label, number): (KeyScope, u64),
        closing: Closing,
        permit: HandlePermit,
    ) -> Self {
        let opened = Arc::new(Opened { log, label, number, share });
        Self { opened, closing, permit: Some(permit), closed: false }
    }

    /// Flushes and closes. After a failure the log stays open and keeps every event.
    pub(super) async fn close(&mut self) -> Result<Written> {
        if self.closed {
            return Err(Error::Closed);
        }
        let written = self.opened.log.close().await;
        self.closed = matches!(written, Ok(_) | Err(Error::Closed));
        written
    }
}

impl Opened {
    /// Accepts bytes within the quota; none if the log must be listed first.
    pub(super) fn accept_now(&self, bytes: usize) -> Result<Option<Accepted>> {
        match &self.share {
            None => Ok(Some(Accepted::freely())),
            Some(share) => share.accept_now(bytes),
        }
    }

    /// Accepts bytes within the quota, and lists the log for that if it is due.
    pub(super) async fn accept(&self, bytes: usize) -> Result<Accepted> {
        match &self.share {
            None => Ok(Accepted::freely()),
            Some(share) => share.accept(bytes).await,
        }
    }
}

impl Drop for LogHandle {
    fn drop(&mut self) {
        if !self.closed {
            self.closing.close(self.opened.clone(), self.permit.take());
        }
    }
}

/// A reading pass of a plugin.
pub struct ReaderHandle {
    pub(super) reader: Reader,
    pub(super) label: KeyScope,
    /// As that of a log.
    pub(super) number: u64,
    pub(super) _permit: HandlePermit,
}

/// A verification by a plugin.
pub struct VerifierHandle {
    pub(super) verifier: Verifier,
    pub(super) label: KeyScope,
    /// As that of a log.
    pub(super) number: u64,
    pub(super) _permit: HandlePermit,
}

/// The events of a plugin that could not be flushed after it ended.
#[derive(Clone, Debug, thiserror::Error)]
#[error("the log {label}: {error}")]
pub struct Unflushed {
    /// The log's label.
    pub label: String,
    /// The reason, and the number of events: [`Error::WriteFailed`] reports whether they may be in
    /// the store.
    #[source]
    pub error: Error,
}

/// The logs that a plugin has left open, while they are flushed and closed. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Closing {
    in_progress: Arc<watch::Sender<usize>>,
    failed: Arc<Mutex<Vec<Unflushed>>>,
}

impl Closing {
    /// Waits until every handle that the plugin left open is flushed and closed. Returns the events
    /// that could not be flushed, which are lost. Cancel safe: the next call waits for the same
    /// handles.
    ///
    /// Call it after the plugin's wasmtime store is dropped: until then the store may have handles.
    pub async fn wait(&self) -> Vec<Unflushed> {
        let mut in_progress = self.in_progress.subscribe();
        // The sender is alive here, so this is the only end.
        in_progress.wait_for(|count| *count == 0).await.ok();
        std::mem::take(&mut *lock(&self.failed))
    }

    /// Closes a log in a task of its own, so that dropping a plugin need not wait.
    fn close(&self, opened: Arc<Opened>, permit: Option<HandlePermit>) {
        let Ok(runtime) = Handle::try_current() else {
            let label = &opened.label.name;
            tracing::error!(
                "the log {label} was left open outside of a tokio runtime: not flushed"
            );
            return;
        };
        let failed = self.failed.clone();
        let close = Close::begin(self.in_progress.clone(), &opened.label);
        runtime.spawn(async move {
            match opened.log.close().await {
                Ok(_) | Err(Error::Closed) => {}
                Err(error) => {
                    let label = opened.label.name.to_string();
                    lock(&failed).push(Unflushed { label, error });
                }
            }
            drop(permit);
            close.done();
        });
    }
}

/// The close of a log, counted until it ends in any way.
struct Close {
    in_progress: Arc<watch::Sender<usize>>,
    label: Arc<str>,
    is_done: bool,
}

impl Close {
    fn begin(in_progress: Arc<watch::Sender<usize>>, label: &KeyScope) -> Self {
        in_progress.send_modify(|count| *count += 1);
        Self { in_progress, label: label.name.clone(), is_done: false }
    }

    fn done(mut self) {
        self.is_done = true;
    }
}

impl Drop for Close {
    fn drop(&mut self) {
        if !self.is_done {
            let label = &self.label;
            tracing::error!("the log {label} that a plugin left open was not closed");
        }
        self.in_progress.send_modify(|count| *count -= 1);
    }
}

/// Nothing panics while it holds one of the locks.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;

    use super::*;

    #[tokio::test]
    async fn dropped_wait_can_be_repeated_and_misses_nothing() {
        let closing = Closing::default();
        let label = KeyScope { name: "errors".into(), log: "app/errors".into() };
        let close = Close::begin(closing.in_progress.clone(), &label);
        assert!(closing.wait().now_or_never().is_none());
        assert!(closing.wait().now_or_never().is_none(), "it is still in progress");
        let unflushed = Unflushed { label: "errors".to_owned(), error: Error::Closed };
        lock(&closing.failed).push(unflushed);
        close.done();
        assert_eq!(closing.wait().await.len(), 1);
        assert!(closing.wait().await.is_empty());
    }
}
