//! The objects of an ordered read that are in flight: how many, and the bytes that they may hold.
//!
//! Owns: the limit of bytes ahead of the reader. Must not know: keys, bytes or the store.
//!
//! 1. An object may hold bytes once it is admitted. It is admitted if its bytes, with those of all
//!    objects before it, are within the limit. The first one always is.
//! 2. Until the size of an object is known, it counts as [`OBJECT_AHEAD_BYTES`].
//! 3. As many objects are requested as the store's latency needs: more, each time that the reader
//!    had to wait within a window of objects.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use crate::numbers::to_usize;

/// The most bytes that one object holds ahead of the reader.
pub(crate) const OBJECT_AHEAD_BYTES: usize = 4 * 1024 * 1024;

/// The objects of the first window.
pub(crate) const OBJECTS_AHEAD_FIRST: usize = 16;

/// The number of objects to request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Width {
    objects: usize,
    objects_max: usize,
    /// Objects taken since the width last changed.
    taken: usize,
}

impl Width {
    pub(crate) fn new(objects_max: usize) -> Self {
        let objects_max = objects_max.max(1);
        Self { objects: OBJECTS_AHEAD_FIRST.min(objects_max), objects_max, taken: 0 }
    }

    pub(crate) fn objects(self) -> usize {
        self.objects
    }

    /// Records that the reader took an object, and whether it had to wait.
    pub(crate) fn took(&mut self, waited: bool) {
        self.taken += 1;
        if waited && self.taken > self.objects {
            self.objects = (self.objects * 2).min(self.objects_max);
            self.taken = 0;
        }
    }
}

/// Admits objects to the bytes ahead of the reader. Clones are one.
#[derive(Clone, Debug)]
pub(crate) struct Admission(Arc<Mutex<Queue>>);

#[derive(Debug)]
struct Queue {
    bytes_max: usize,
    /// The number of the next place.
    next: usize,
    /// In the order of the objects.
    places: VecDeque<Place>,
}

/// An object in flight.
#[derive(Debug)]
struct Place {
    number: usize,
    /// The bytes that it may hold, if its size is known.
    bytes: Option<usize>,
    waiting: Option<oneshot::Sender<()>>,
}

impl Admission {
    pub(crate) fn new(bytes_max: usize) -> Self {
        Self(Arc::new(Mutex::new(Queue { bytes_max, next: 0, places: VecDeque::new() })))
    }

    /// Returns the most bytes that one object may hold.
    pub(crate) fn object_bytes_max(&self) -> usize {
        OBJECT_AHEAD_BYTES.min(self.lock().bytes_max)
    }

    /// Returns whether another object would be admitted if it were small.
    pub(crate) fn has_room(&self) -> bool {
        let queue = self.lock();
        queue.places.is_empty() || queue.held() < queue.bytes_max
    }

    /// Adds the next object, with its size if it is known. Returns its number.
    pub(crate) fn enter(&self, size: Option<u64>) -> usize {
        let mut queue = self.lock();
        let bytes = size.map(|size| queue.bytes_of(size));
        let number = queue.next;
        queue.next += 1;
        queue.places.push_back(Place { number, bytes, waiting: None });
        number
    }

    /// Records the size of an object, and waits until it is admitted.
    pub(crate) async fn admit(&self, number: usize, size: u64) {
        let admitted = {
            let mut queue = self.lock();
            let bytes = queue.bytes_of(size);
            let Some(place) = queue.place(number) else { return };
            let (sender, admitted) = oneshot::channel();
            (place.bytes, place.waiting) = (Some(bytes), Some(sender));
            queue.admit_waiting();
            admitted
        };
        // Without a reader nobody waits.
        let _ = admitted.await;
    }

    /// Removes the first object: the reader has taken all of it.
    pub(crate) fn leave(&self) {
        let mut queue = self.lock();
        queue.places.pop_front();
        queue.admit_waiting();
    }

    /// Removes the last object: it is fetched later.
    pub(crate) fn put_off(&self) {
        self.lock().places.pop_back();
    }

    /// Nothing panics while it holds the lock.
    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Queue {
    fn bytes_of(&self, size: u64) -> usize {
        to_usize(size).min(OBJECT_AHEAD_BYTES).min(self.bytes_max)
    }

    /// The known bytes of all objects.
    fn held(&self) -> usize {
        self.places.iter().filter_map(|place| place.bytes).sum()
    }

    fn place(&mut self, number: usize) -> Option<&mut Place> {
        self.places.iter_mut().find(|place| place.number == number)
    }

    fn admit_waiting(&mut self) {
        let unknown = OBJECT_AHEAD_BYTES.min(self.bytes_max);
        let mut before = 0;
        for place in &mut self.places {
            before += place.bytes.unwrap_or(unknown);
            if before > self.bytes_max {
                break;
            }
            if let Some(waiting) = place.waiting.take() {
                let _ = waiting.send(());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;

    use futures::FutureExt;

    use super::*;

    const MIB: u64 = 1024 * 1024;

    #[test]
    fn window_grows_only_while_the_reader_waits() {
        let mut width = Width::new(100);
        let mut grown = Vec::new();
        for object in 0..400 {
            width.took(object % 2 == 0);
            grown.push(width.objects());
        }
        grown.dedup();
        assert_eq!(grown, [16, 32, 64, 100]);
        let mut width = Width::new(100);
        (0..400).for_each(|_| width.took(false));
        assert_eq!((width.objects(), Width::new(0).objects()), (16, 1));
    }

    #[test]
    fn objects_are_admitted_in_order_and_within_the_limit() {
        let admission = Admission::new(to_usize(10 * MIB));
        for number in 0..4 {
            assert!(admission.has_room());
            assert_eq!(admission.enter(None), number);
        }
        // The second object is not known: it may have four.
        let mut third = pin!(admission.admit(2, 3 * MIB));
        let mut first = pin!(admission.admit(0, 90 * MIB));
        assert!(first.as_mut().now_or_never().is_some());
        assert!(third.as_mut().now_or_never().is_none());
        let mut fourth = pin!(admission.admit(3, 1));
        assert!(fourth.as_mut().now_or_never().is_none());
        assert!(pin!(admission.admit(1, 3 * MIB)).now_or_never().is_some());
        assert!(third.as_mut().now_or_never().is_some());
        assert!(fourth.as_mut().now_or_never().is_none() && !admission.has_room());
        admission.leave();
        assert!(fourth.as_mut().now_or_never().is_some() && admission.has_room());
        // A known size counts from the beginning.
        admission.enter(Some(5 * MIB));
        assert!(!admission.has_room());
        // An object that is fetched later gets a place of its own.
        admission.put_off();
        assert!(admission.has_room());
        let later = admission.enter(None);
        assert!(pin!(admission.admit(4, MIB)).now_or_never().is_some());
        assert!(pin!(admission.admit(later, MIB)).now_or_never().is_some());
        // What has left, or was never there, does not wait.
        assert!(pin!(admission.admit(0, MIB)).now_or_never().is_some());
        assert!(pin!(admission.admit(9, MIB)).now_or_never().is_some());
    }

    #[test]
    fn first_object_is_admitted_whatever_the_limit() {
        let admission = Admission::new(1000);
        admission.enter(None);
        assert!(pin!(admission.admit(0, MIB)).now_or_never().is_some());
        assert!(!admission.has_room());
    }
}
