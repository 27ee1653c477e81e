//! Counts of what is created and deleted through a store.
//!
//! 1. A create counts from its begin. It no longer counts once it is certain to have written
//!    nothing.
//! 2. Probes do not count: the store deletes its own.

use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;

use crate::store::Store;
use crate::store::error::WriteError;

/// A number of objects, and their bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Space {
    pub(crate) objects: u64,
    pub(crate) bytes: u64,
}

impl Space {
    pub(crate) fn and(self, more: Self) -> Self {
        let objects = self.objects.saturating_add(more.objects);
        Self { objects, bytes: self.bytes.saturating_add(more.bytes) }
    }

    pub(crate) fn without(self, less: Self) -> Self {
        let objects = self.objects.saturating_sub(less.objects);
        Self { objects, bytes: self.bytes.saturating_sub(less.bytes) }
    }
}

/// The writes through one store and its clones: see [`Store::counting`].
#[derive(Debug, Default)]
pub(crate) struct WriteCount {
    writes: Mutex<Writes>,
    /// Notified when a create has ended.
    create_ended: Notify,
}

/// The writes so far.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Writes {
    /// Creates that have begun, but for those that are certain to have written nothing.
    pub(crate) begun: Space,
    /// Those of them that have ended.
    pub(crate) ended: Space,
    /// The bytes of creates that are in progress, or after which the object certainly exists. One
    /// in doubt is not among them: it is repeated, perhaps under another name.
    pub(crate) settled_bytes: u64,
    /// Calls that deleted objects.
    pub(crate) deletes: u64,
}

impl WriteCount {
    pub(crate) fn writes(&self) -> Writes {
        *self.lock()
    }

    /// Waits until no create is in progress.
    pub(crate) async fn wait_for_creates(&self) {
        loop {
            let mut ended = pin!(self.create_ended.notified());
            ended.as_mut().enable();
            let writes = self.writes();
            if writes.begun.objects <= writes.ended.objects {
                return;
            }
            ended.await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, Writes> {
        // Nothing panics while it holds the lock.
        self.writes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store {
    /// Returns this store with one more count of all that is written through it.
    pub(crate) fn counting(&self, count: &Arc<WriteCount>) -> Self {
        let mut inner = self.inner.as_ref().clone();
        inner.counts.push(count.clone());
        Self { inner: Arc::new(inner) }
    }

    /// Counts a call that has deleted objects.
    pub(super) fn count_delete(&self) {
        for count in &self.inner.counts {
            count.lock().deletes += 1;
        }
    }
}

/// A create that is counted, from its begin. One that is dropped before its end may have written.
pub(super) struct CountedCreate<'a> {
    counts: &'a [Arc<WriteCount>],
    space: Space,
    is_written: bool,
    exists: bool,
}

impl<'a> CountedCreate<'a> {
    pub(super) fn begin(counts: &'a [Arc<WriteCount>], bytes: u64) -> Self {
        let space = Space { objects: 1, bytes };
        for count in counts {
            let mut writes = count.lock();
            writes.begun = writes.begun.and(space);
            writes.settled_bytes = writes.settled_bytes.saturating_add(bytes);
        }
        Self { counts, space, is_written: true, exists: false }
    }

    /// Ends the create with its fate, which is returned.
    pub(super) fn end(mut self, fate: Result<(), WriteError>) -> Result<(), WriteError> {
        // An object that existed was counted by whatever created it.
        self.exists = matches!(fate, Ok(()) | Err(WriteError::AlreadyExists));
        self.is_written = matches!(fate, Ok(()) | Err(WriteError::Unknown(_)));
        fate
    }
}

impl Drop for CountedCreate<'_> {
    fn drop(&mut self) {
        for count in self.counts {
            let mut writes = count.lock();
            if !self.exists {
                writes.settled_bytes = writes.settled_bytes.saturating_sub(self.space.bytes);
            }
            if self.is_written {
                writes.ended = writes.ended.and(self.space);
            } else {
                writes.begun = writes.begun.without(self.space);
            }
            drop(writes);
            count.create_ended.notify_waiters();
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use futures::FutureExt as _;

    use super::*;
    use crate::store::error::{StoreError, StoreErrorKind};

    fn space(objects: u64, bytes: u64) -> Space {
        Space { objects, bytes }
    }

    #[tokio::test]
    async fn each_count_of_a_store_has_what_was_written_through_it() {
        let (all, one) = (Arc::<WriteCount>::default(), Arc::<WriteCount>::default());
        let store = Store::memory().counting(&all);
        let other = store.counting(&one);
        store.create("log/a", Bytes::from_static(b"abc"), false).await.unwrap();
        other.start_create("log/b", Bytes::from_static(b"de"), true).wait().await.unwrap();
        let mut upload = other.start_upload("log/c").await.unwrap();
        upload.write(Bytes::from_static(b"fghi")).await.unwrap();
        assert_eq!(one.writes().begun, space(1, 2));
        upload.finish().await.unwrap();
        for count in [&all, &one] {
            assert_eq!(count.writes().begun, count.writes().ended);
        }
        assert_eq!((all.writes().begun, one.writes().begun), (space(3, 9), space(2, 6)));
        store.delete(vec!["log/a".to_owned()]).await;
        assert_eq!((all.writes().deletes, one.writes().deletes), (1, 0));
    }

    #[tokio::test]
    async fn create_that_wrote_nothing_does_not_count() {
        let count = Arc::<WriteCount>::default();
        let store = Store::memory().counting(&count);
        for key in ["log/a", "log/a", "not//a key"] {
            store.create(key, Bytes::from_static(b"abc"), false).await.ok();
        }
        assert_eq!((count.writes().begun, count.writes().ended), (space(1, 3), space(1, 3)));
    }

    #[test]
    fn create_in_doubt_is_settled_by_the_one_that_repeats_it() {
        let count = Arc::<WriteCount>::default();
        let counts = [count.clone()];
        let create = |fate| {
            let create = CountedCreate::begin(&counts, 5);
            let begun = count.writes().settled_bytes;
            create.end(fate).ok();
            (begun, count.writes().settled_bytes)
        };
        let doubt =
            || Err(WriteError::Unknown(StoreError::new(StoreErrorKind::Unavailable, "no reply")));
        assert_eq!(create(doubt()), (5, 0));
        assert_eq!(create(doubt()), (5, 0));
        assert_eq!(create(Ok(())), (5, 5));
        assert_eq!(create(doubt()), (10, 5));
        assert_eq!(create(Err(WriteError::AlreadyExists)), (10, 10));
        assert_eq!(count.writes().begun, space(4, 20));
    }

    #[tokio::test]
    async fn wait_for_creates_ends_with_the_last_one() {
        let count = Arc::<WriteCount>::default();
        let counts = [count.clone()];
        assert!(count.wait_for_creates().now_or_never().is_some());
        let creates = [5, 6].map(|bytes| CountedCreate::begin(&counts, bytes));
        let mut wait = pin!(count.wait_for_creates());
        for create in creates {
            assert!(wait.as_mut().now_or_never().is_none());
            drop(create);
        }
        assert!(wait.now_or_never().is_some());
    }

    #[test]
    fn create_that_is_dropped_may_have_written() {
        let count = Arc::<WriteCount>::default();
        let counts = [count.clone()];
        let create = CountedCreate::begin(&counts, 5);
        assert_eq!((count.writes().begun, count.writes().ended), (space(1, 5), space(0, 0)));
        drop(create);
        assert_eq!((count.writes().begun, count.writes().ended), (space(1, 5), space(1, 5)));
    }
}
