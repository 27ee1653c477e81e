//! An instance that is kept ready, so that who opens a log need not wait until one is made.
//!
//! 1. None is made before a second instance was asked for: most programs need one.
//! 2. It has no store until it is taken, and is taken once.

use std::sync::{Mutex, MutexGuard, PoisonError, Weak};

use crate::sandbox::engine::{Instance, LogEngine};

#[derive(Default)]
pub(crate) struct Spare(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    was_asked: bool,
    is_being_made: bool,
    ready: Option<Instance>,
}

impl Spare {
    /// Takes the instance that is ready, if one is. True: another one is to be made.
    pub(crate) fn take(&self) -> (Option<Instance>, bool) {
        let mut kept = self.lock();
        let ready = kept.ready.take();
        let is_due = kept.was_asked && !kept.is_being_made;
        kept.was_asked = true;
        kept.is_being_made |= is_due;
        (ready, is_due)
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        // Nothing panics while it holds the lock.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The making of a spare instance: whatever becomes of it, another can be made.
pub(crate) struct Making(pub(crate) Weak<LogEngine>);

impl Making {
    pub(crate) async fn run(self) {
        let Some(engine) = self.0.upgrade() else { return };
        match engine.make().await {
            Ok(instance) => engine.spare.lock().ready = Some(instance),
            // Who asks for an instance next is told.
            Err(error) => tracing::debug!("no instance is kept ready: {error}"),
        }
    }
}

impl Drop for Making {
    fn drop(&mut self) {
        if let Some(engine) = self.0.upgrade() {
            engine.spare.lock().is_being_made = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::host::Host;

    #[tokio::test]
    async fn one_is_made_after_the_second_that_was_asked_for_and_only_one_at_a_time() {
        let host = Host::new().unwrap();
        let spare = &host.engine().engine().spare;
        let take = || {
            let (ready, is_next_due) = spare.take();
            (ready.is_some(), is_next_due)
        };
        assert_eq!(take(), (false, false));
        assert_eq!(take(), (false, true));
        assert_eq!(take(), (false, false), "one is being made");
        Making(Arc::downgrade(host.engine().engine())).run().await;
        assert_eq!(take(), (true, true));
        // A making that is given up does not keep others from being made.
        drop(Making(Arc::downgrade(host.engine().engine())));
        assert_eq!(take(), (false, true));
    }
}
