//! Keeps one instance ready, so that opening a log does not wait for instantiation.
//!
//! 1. No instance is made before a second one was requested, since most programs need one.
//! 2. The ready instance has no store until it is taken, and is taken once.

use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::sandbox::instance::Instance;

#[derive(Default)]
pub(crate) struct Spare(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    was_asked: bool,
    is_being_made: bool,
    ready: Option<Instance>,
}

impl Spare {
    /// Takes the ready instance, if there is one. Also returns true if another one must be made.
    pub(crate) fn take(&self) -> (Option<Instance>, bool) {
        let mut kept = self.lock();
        let ready = kept.ready.take();
        let is_due = kept.was_asked && !kept.is_being_made;
        kept.was_asked = true;
        kept.is_being_made |= is_due;
        (ready, is_due)
    }

    /// Keeps an instance ready.
    pub(super) fn put(&self, instance: Instance) {
        self.lock().ready = Some(instance);
    }

    /// Records that the making of an instance has ended, in any way. Another one can be made.
    pub(super) fn end_making(&self) {
        self.lock().is_being_made = false;
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        // Nothing panics while it holds the lock.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
