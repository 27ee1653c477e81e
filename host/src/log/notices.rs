//! Notices of the work that a writer's task does in the background.

use std::fmt;
use std::sync::{Arc, OnceLock, Weak};

use tokio::sync::broadcast;
use tokio::sync::broadcast::error::{RecvError, TryRecvError};

use crate::error::Error;
use crate::types::{Compaction, WriteFailure, Written};

/// The notices that are kept for a listener that does not take them.
const KEPT_MAX: usize = 256;

/// Something that happened in the background of a [`Log`](crate::Log).
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Notice {
    /// More is durable: all that this writer has made durable since it was opened.
    Durable(Written),
    /// A batch could not be created. Its events are kept, and it is tried again: by the first tick
    /// after a second, and by each flush. The number of events that are kept is in the failure.
    WriteFailed(WriteFailure),
    /// A compaction of [`LogOptions::compact_after`](crate::LogOptions::compact_after) has ended.
    Compacted(Compaction),
    /// Such a compaction has failed. The next one tries again.
    CompactionFailed(Error),
    /// The listener was too slow: this many notices were dropped here.
    Dropped(u64),
}

/// The notices of a log from one moment on. Made by [`Log::notices`](crate::Log::notices).
///
/// 256 notices are kept for a listener that does not take them. It never delays the log.
pub struct Notices(broadcast::Receiver<Notice>);

impl Notices {
    /// Returns the next notice, or none once the log is closed or dropped and all are taken. Cancel
    /// safe.
    pub async fn next(&mut self) -> Option<Notice> {
        match self.0.recv().await {
            Ok(notice) => Some(notice),
            Err(RecvError::Lagged(dropped)) => Some(Notice::Dropped(dropped)),
            Err(RecvError::Closed) => None,
        }
    }

    /// Returns the next notice if there is one now.
    pub fn try_next(&mut self) -> Option<Notice> {
        match self.0.try_recv() {
            Ok(notice) => Some(notice),
            Err(TryRecvError::Lagged(dropped)) => Some(Notice::Dropped(dropped)),
            Err(TryRecvError::Empty | TryRecvError::Closed) => None,
        }
    }
}

impl fmt::Debug for Notices {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Notices").finish_non_exhaustive()
    }
}

/// The sending side, of the writer's task. The room for notices is made for the first listener:
/// most logs have none.
#[derive(Clone)]
pub(super) struct Notifier(Arc<Lazy>);

type Lazy = OnceLock<broadcast::Sender<Notice>>;

impl Notifier {
    pub(super) fn new() -> Self {
        Self(Arc::default())
    }

    /// Returns a notifier for the handles: the notices end with the writer's task.
    pub(super) fn downgrade(&self) -> WeakNotifier {
        WeakNotifier(Arc::downgrade(&self.0))
    }

    /// Returns true if anyone listens.
    pub(super) fn is_heard(&self) -> bool {
        self.0.get().is_some_and(|sender| sender.receiver_count() > 0)
    }

    pub(super) fn send(&self, notice: Notice) {
        if let Some(sender) = self.0.get() {
            // An error means that nobody listens.
            sender.send(notice).ok();
        }
    }
}

/// A notifier that makes listeners. The notices end without it.
#[derive(Clone)]
pub(super) struct WeakNotifier(Weak<Lazy>);

impl WeakNotifier {
    /// Returns a listener of what happens from now on.
    pub(super) fn listen(&self) -> Notices {
        match self.0.upgrade() {
            Some(sender) => {
                let sender = sender.get_or_init(|| broadcast::Sender::new(KEPT_MAX));
                Notices(sender.subscribe())
            }
            // The log has ended.
            None => Notices(broadcast::channel(1).1),
        }
    }
}
