//! The instances of readers: how many work at a time, and how many rest.
//!
//! 1. A reader without an instance takes a seat before it makes one, and holds it until its call
//!    has ended. These seats are not those of writers: neither waits for the other.
//! 2. A call ends without an instance if more readers than there are seats have one. So at most as
//!    many rest with an instance, and any number without.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::error::Error;
use crate::limits::SEAT_WAIT_MAX;
use crate::sandbox::seats::{Holders, Seat, Seats};

/// The seats of all readers of a host.
pub(crate) struct ReaderSeats {
    seats: Arc<Seats>,
    live_max: usize,
    live: Arc<AtomicUsize>,
}

/// A reader with an instance, until it is dropped.
pub(crate) struct LiveReader(Arc<AtomicUsize>);

impl ReaderSeats {
    pub(crate) fn new(live_max: usize) -> Self {
        Self::with_wait(live_max, SEAT_WAIT_MAX)
    }

    pub(crate) fn with_wait(live_max: usize, wait_max: Duration) -> Self {
        let seats = Seats::with_wait(Holders::Readers, live_max, wait_max);
        Self { seats, live_max, live: Arc::default() }
    }

    /// Returns a seat; waits for one.
    ///
    /// # Errors
    /// [`Error::LimitReached`] if none becomes free.
    pub(crate) async fn take(&self) -> Result<Seat, Error> {
        self.seats.take().await
    }

    /// Counts a reader that has an instance.
    pub(crate) fn count(&self) -> LiveReader {
        self.live.fetch_add(1, Ordering::Relaxed);
        LiveReader(self.live.clone())
    }

    /// Returns true if a reader should end its call without its instance.
    pub(crate) fn are_crowded(&self) -> bool {
        self.live.load(Ordering::Relaxed) > self.live_max
    }

    /// Returns the number of readers with an instance.
    #[cfg(test)]
    pub(crate) fn live(&self) -> usize {
        self.live.load(Ordering::Relaxed)
    }
}

impl Drop for LiveReader {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
