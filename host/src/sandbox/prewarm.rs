//! Keeps one instance ready, so that opening a log does not wait for instantiation.
//!
//! 1. No instance is made before a second one was requested, since most programs need one.
//! 2. The ready instance has no store until it is taken, and is taken once.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::sandbox::instance::Instance;

#[derive(Default)]
pub(crate) struct Prewarmed(Mutex<Slot>);

#[derive(Default)]
struct Slot {
    was_asked: bool,
    is_warming_up: bool,
    ready: Option<Instance>,
}

impl Prewarmed {
    /// Takes the ready instance, if there is one. Also returns true if another one must be made.
    pub(crate) fn take(&self) -> (Option<Instance>, bool) {
        let mut slot = self.lock();
        let ready = slot.ready.take();
        let is_due = slot.was_asked && !slot.is_warming_up;
        slot.was_asked = true;
        slot.is_warming_up |= is_due;
        (ready, is_due)
    }

    /// Keeps an instance ready.
    pub(super) fn put(&self, instance: Instance) {
        self.lock().ready = Some(instance);
    }

    /// Records that a warm-up has ended, in any way. Another one can be made.
    pub(super) fn end_warmup(&self) {
        self.lock().is_warming_up = false;
    }

    fn lock(&self) -> MutexGuard<'_, Slot> {
        // Nothing panics while it holds the lock.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
