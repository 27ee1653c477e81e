//! The events that a writer has made durable, as its task publishes them for the handles.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::types::Written;

/// The numbers of a writer, and whether its user knows what is lost.
#[derive(Debug, Default)]
pub(super) struct Durable {
    events: AtomicU64,
    bytes: AtomicU64,
    is_loss_known: AtomicBool,
}

impl Durable {
    pub(super) fn publish(&self, written: Written) {
        self.events.store(written.events, Ordering::Relaxed);
        self.bytes.store(written.bytes, Ordering::Relaxed);
    }

    pub(super) fn events(&self) -> u64 {
        self.events.load(Ordering::Relaxed)
    }

    pub(super) fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// Records that the user knows that the rest of the events is lost.
    pub(super) fn set_loss_known(&self) {
        self.is_loss_known.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_loss_known(&self) -> bool {
        self.is_loss_known.load(Ordering::Relaxed)
    }
}
