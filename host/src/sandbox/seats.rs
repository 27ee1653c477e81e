//! The instances of writers: how many there are, who waits for one, and who can do without. Those
//! of readers use the same seats, but never rest on one: see [`reader_seats`].
//!
//! [`reader_seats`]: crate::sandbox::reader_seats
//!
//! 1. Each instance of a writer has a seat. Seats are limited, and given in the order of requests.
//! 2. A writer that rests is asked to park when its seat is needed, the one that has rested longest
//!    first, but those without events before the others. A few seats are kept free.
//! 3. A writer whose events the store does not take cannot park. It gets a place outside of the
//!    seats, so that others do not wait for that store. These places are limited, too.
//! 4. A request fails only if no seat at all has become free for a long time.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, oneshot};
use tokio::time::timeout;

use crate::error::Error;
use crate::limits::{OUTSIDE_READERS_MAX, OUTSIDE_SEATS_MAX, SEAT_WAIT_MAX};

/// One in this many seats is kept free.
const FREE_SHARE: usize = 16;

/// The seats of all writers of a host, or of all readers.
pub(crate) struct Seats {
    holders: Holders,
    seats_max: usize,
    /// Seats that are kept free.
    free_min: usize,
    /// A request fails if no seat becomes free in this time.
    wait_max: Duration,
    state: Mutex<State>,
}

/// Those that the seats are for.
#[derive(Clone, Copy)]
pub(crate) enum Holders {
    Writers,
    Readers,
}

impl Holders {
    fn outside_max(self) -> usize {
        match self {
            Self::Writers => OUTSIDE_SEATS_MAX,
            Self::Readers => OUTSIDE_READERS_MAX,
        }
    }
}

#[derive(Default)]
struct State {
    free: usize,
    outside: usize,
    /// Those that wait, by the numbers of their requests.
    waiting: BTreeMap<u64, oneshot::Sender<Seat>>,
    /// Counts the requests that had to wait.
    requests: u64,
    /// Those that rest and were not asked, by whether they have events and since when.
    resting: BTreeMap<Since, Arc<Notify>>,
    /// The number of those that were asked and rest.
    asked: usize,
    /// Counts those that began to rest.
    rests: u64,
    /// Counts the seats that became free.
    releases: u64,
}

type Since = (bool, u64);

/// The right to have an instance, until it is dropped.
pub(crate) struct Seat {
    seats: Arc<Seats>,
    is_outside: bool,
}

/// A request for a seat, which waits until this is dropped.
struct Request<'a> {
    seats: &'a Seats,
    number: u64,
    answer: oneshot::Receiver<Seat>,
}

/// A writer that rests, until this is dropped.
pub(crate) struct Rest {
    seats: Arc<Seats>,
    since: Since,
    asked: Arc<Notify>,
}

impl Seats {
    pub(crate) fn new(seats_max: usize) -> Arc<Self> {
        Self::with_wait(Holders::Writers, seats_max, SEAT_WAIT_MAX)
    }

    pub(crate) fn with_wait(holders: Holders, seats_max: usize, wait_max: Duration) -> Arc<Self> {
        let state = Mutex::new(State { free: seats_max, ..State::default() });
        Arc::new(Self { holders, seats_max, free_min: seats_max / FREE_SHARE, wait_max, state })
    }

    /// Returns a seat; waits for one.
    ///
    /// # Errors
    /// [`Error::LimitReached`] if none becomes free.
    pub(crate) async fn take(self: &Arc<Self>) -> Result<Seat, Error> {
        let mut request = {
            let mut state = self.lock();
            if state.free > 0 {
                state.free -= 1;
                state.ask(self.free_min);
                return Ok(self.seat());
            }
            let (waiting, answer) = oneshot::channel();
            state.requests += 1;
            let number = state.requests;
            state.waiting.insert(number, waiting);
            state.ask(self.free_min);
            Request { seats: self, number, answer }
        };
        loop {
            let releases = self.lock().releases;
            match timeout(self.wait_max, &mut request.answer).await {
                Ok(Ok(seat)) => return Ok(seat),
                Err(_) if self.lock().releases != releases => {}
                Ok(Err(_)) | Err(_) => return Err(self.none_free()),
            }
        }
    }

    /// Returns the number of free seats.
    #[cfg(test)]
    pub(crate) fn free(&self) -> usize {
        self.lock().free
    }

    fn none_free(&self) -> Error {
        let (seats_max, wait_max) = (self.seats_max, self.wait_max);
        let why = match self.holders {
            Holders::Writers => format!(
                "no instance is free for a log: live_logs_max = {seats_max}, and that many logs \
                 have had events that their stores do not take for {wait_max:?}"
            ),
            Holders::Readers => format!(
                "no instance is free for a reader: live_logs_max = {seats_max}, and that many \
                 readers have waited for their stores for {wait_max:?}"
            ),
        };
        Error::LimitReached(format!(
            "{why}; nothing was lost; try again when a store answers, or raise live_logs_max"
        ))
    }

    fn seat(self: &Arc<Self>) -> Seat {
        Seat { seats: self.clone(), is_outside: false }
    }

    /// Passes a seat on, or counts it as free.
    fn release(self: &Arc<Self>) {
        loop {
            let mut state = self.lock();
            let Some((_, waiting)) = state.waiting.pop_first() else {
                state.free += 1;
                state.releases += 1;
                return;
            };
            drop(state);
            match waiting.send(self.seat()) {
                Ok(()) => {
                    self.lock().releases += 1;
                    return;
                }
                // Nobody waits for it any more. It is the seat that is being released.
                Err(seat) => seat.forget(),
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it holds the lock.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// Asks those that rest for as many seats as are needed.
    fn ask(&mut self, free_min: usize) {
        let needed = self.waiting.len() + free_min.saturating_sub(self.free);
        while self.asked < needed
            && let Some((_, resting)) = self.resting.pop_first()
        {
            self.asked += 1;
            resting.notify_one();
        }
    }
}

impl Seat {
    /// Begins a rest. `has_events` is true if the writer has events that are not durable.
    pub(crate) fn rest(&self, has_events: bool) -> Rest {
        let asked = Arc::new(Notify::new());
        let mut state = self.seats.lock();
        state.rests += 1;
        let since = (has_events, state.rests);
        state.resting.insert(since, asked.clone());
        state.ask(self.seats.free_min);
        drop(state);
        Rest { seats: self.seats.clone(), since, asked }
    }

    /// Leaves the seat to another writer, if one waits, and keeps the instance.
    pub(crate) fn step_outside(&mut self) {
        let mut state = self.seats.lock();
        if self.is_outside
            || state.waiting.is_empty()
            || state.outside >= self.seats.holders.outside_max()
        {
            return;
        }
        state.outside += 1;
        drop(state);
        self.is_outside = true;
        self.seats.release();
    }

    /// Drops the seat without a release.
    fn forget(mut self) {
        self.seats.lock().outside += 1;
        self.is_outside = true;
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        if self.is_outside {
            let mut state = self.seats.lock();
            state.outside -= 1;
            state.releases += 1;
        } else {
            self.seats.release();
        }
    }
}

impl Drop for Request<'_> {
    fn drop(&mut self) {
        // One that has failed, or whose caller is gone, needs no seat any more.
        self.seats.lock().waiting.remove(&self.number);
    }
}

impl Rest {
    /// Waits until the seat is needed.
    pub(crate) async fn asked(&self) {
        self.asked.notified().await;
    }
}

impl Drop for Rest {
    fn drop(&mut self) {
        let mut state = self.seats.lock();
        if state.resting.remove(&self.since).is_none() {
            // It was asked. If it has not parked, another one is asked.
            state.asked -= 1;
            state.ask(self.seats.free_min);
        }
    }
}

impl fmt::Debug for Seats {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Seats").field("seats_max", &self.seats_max).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
