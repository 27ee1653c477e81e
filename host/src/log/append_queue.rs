//! The append queue: packs events until the actor takes the pack.
//!
//! 1. A pack contains only events: 1 byte to the limit, no LF inside. So a pack is packed lines.
//! 2. A push that returned success is in the pack before any later one.

use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::sync::Notify;

use crate::error::{Error, Result};
use crate::limits::{LARGE_PACK_BYTES, PACKED_BYTES_MAX};
use crate::log::packed_lines::LineLimits;
use crate::options::HandleLimits;
use crate::sandbox::buffer_pool::{Buffer, BufferPool};
use crate::types::Written;

pub(super) struct AppendQueue {
    limits: LineLimits,
    /// A pack of at least this many bytes is large.
    large_bytes: usize,
    open: Mutex<Open>,
    pool: BufferPool,
    /// Notifies the actor of work.
    work: Notify,
    /// Notifies waiting appends of room, or of a refusal.
    room: Notify,
}

/// Events that are passed to the component in one call.
#[derive(Clone, Debug, Default)]
pub(super) struct Pack {
    /// Each event ended by LF.
    pub(super) lines: Bytes,
    pub(super) events: u64,
}

/// The pack that grows.
#[derive(Default)]
struct Open {
    lines: Buffer,
    events: u64,
    /// The reason why the component takes no more; appends that find no room fail with it.
    refused: Option<Error>,
    /// The reason why nothing is taken any more.
    ended: Option<Error>,
    /// The result of the close, until a caller has received it.
    closed: Option<Written>,
}

impl AppendQueue {
    pub(super) fn new(limits: &HandleLimits, pool: BufferPool) -> Self {
        let limits = LineLimits::of(limits);
        let (open, work, room) = (Mutex::default(), Notify::new(), Notify::new());
        // Otherwise an append that finds no room in a small pack would wait for `LINGER_TIME`.
        let large_bytes = LARGE_PACK_BYTES.min(limits.bytes_max / 2).max(1);
        Self { limits, large_bytes, open, pool, work, room }
    }

    /// Packs an event; waits for room.
    pub(super) async fn push(&self, event: &[u8]) -> Result<()> {
        self.limits.check_event(event)?;
        self.push_checked(&[event, b"\n"], 1).await
    }

    /// Packs an event if there is room now; returns none otherwise.
    pub(super) fn push_now(&self, event: &[u8]) -> Option<Result<()>> {
        match self.limits.check_event(event) {
            Ok(()) => self.try_push(&[event, b"\n"], 1),
            Err(error) => Some(Err(error)),
        }
    }

    /// Packs lines, all or nothing; waits for room. Returns their number.
    pub(super) async fn push_lines(&self, lines: &[u8]) -> Result<u64> {
        let events = self.limits.check_lines(lines)?;
        if events > 0 {
            self.push_checked(&[lines], events).await?;
        }
        Ok(events)
    }

    /// Packs lines, all or nothing, if there is room now; returns none otherwise.
    pub(super) fn push_lines_now(&self, lines: &[u8]) -> Option<Result<u64>> {
        match self.limits.check_lines(lines) {
            Ok(0) => Some(Ok(0)),
            Ok(events) => self.try_push(&[lines], events).map(|pushed| pushed.map(|()| events)),
            Err(error) => Some(Err(error)),
        }
    }

    async fn push_checked(&self, parts: &[&[u8]], events: u64) -> Result<()> {
        if let Some(done) = self.try_push(parts, events) {
            return done;
        }
        loop {
            let room = self.room.notified();
            tokio::pin!(room);
            // From here on no notification is missed.
            room.as_mut().enable();
            if let Some(done) = self.try_push(parts, events) {
                return done;
            }
            room.await;
        }
    }

    /// Returns none if there is no room now.
    fn try_push(&self, parts: &[&[u8]], events: u64) -> Option<Result<()>> {
        let bytes: usize = parts.iter().map(|part| part.len()).sum();
        let mut pack = self.lock();
        if let Some(error) = &pack.ended {
            return Some(Err(error.clone()));
        }
        let before = pack.lines.bytes().len();
        let was_empty = before == 0;
        // The component takes a pack in one call, so it must not be larger than the component
        // allows.
        let most = PACKED_BYTES_MAX.min(self.limits.bytes_max);
        if !was_empty && before + bytes > most {
            return pack.refused.clone().map(Err);
        }
        // A pack that was taken is kept, so it needs room first.
        if let Err(exceeded) = self.pool.reserve(&mut pack.lines, bytes) {
            return Some(Err(exceeded.into()));
        }
        parts.iter().for_each(|part| pack.lines.extend(part));
        pack.events += events;
        let after = pack.lines.bytes().len();
        let becomes_large = before < self.large_bytes && after >= self.large_bytes;
        drop(pack);
        if was_empty || becomes_large {
            self.work.notify_one();
        }
        Some(Ok(()))
    }

    /// Waits until there is something to take, or until the pack is large.
    pub(super) async fn work(&self) {
        self.work.notified().await;
    }

    /// Returns true if the pack is worth a call of the component.
    pub(super) fn is_large(&self) -> bool {
        self.lock().lines.bytes().len() >= self.large_bytes
    }

    /// Takes the pack; none if there are no events.
    pub(super) fn take(&self) -> Option<Pack> {
        let mut open = self.lock();
        if open.lines.bytes().is_empty() {
            return None;
        }
        let lines = std::mem::replace(&mut open.lines, self.pool.take());
        let events = std::mem::take(&mut open.events);
        drop(open);
        self.room.notify_waiters();
        Some(Pack { lines: self.pool.freeze(lines), events })
    }

    /// Frees the buffers of a queue that rests.
    pub(super) fn release_buffers(&self) {
        let mut open = self.lock();
        if open.lines.bytes().is_empty() {
            open.lines = Buffer::default();
        }
        drop(open);
        self.pool.clear_own();
    }

    /// Records that the component takes packs again, or refuses them for now.
    pub(super) fn set_refused(&self, error: Option<Error>) {
        let notify = error.is_some();
        self.lock().refused = error;
        if notify {
            self.room.notify_waiters();
        }
    }

    /// Refuses all appends from now on. A failure of the component outweighs a close.
    pub(super) fn end(&self, error: Error) {
        let mut pack = self.lock();
        if !matches!(pack.ended, Some(Error::Guest(_))) {
            pack.ended = Some(error);
        }
        drop(pack);
        self.room.notify_waiters();
    }

    /// Refuses all appends from now on, unless they are refused already.
    pub(super) fn end_if_open(&self, error: Error) {
        self.lock().ended.get_or_insert(error);
        self.room.notify_waiters();
    }

    /// Takes appends again.
    pub(super) fn reopen(&self) {
        self.lock().ended = None;
    }

    /// Keeps the result of the close for the next caller of `close`: the first one may have stopped
    /// waiting.
    pub(super) fn keep_closed(&self, written: Written) {
        self.lock().closed = Some(written);
    }

    /// Takes the result of the close, unless a caller has received it.
    pub(super) fn take_closed(&self) -> Option<Written> {
        self.lock().closed.take()
    }

    /// Copies the packed events and leaves them in the pack.
    pub(super) fn copy_to(&self, lines: &mut Vec<u8>) {
        lines.extend_from_slice(self.lock().lines.bytes());
    }

    /// Returns the number of packed events.
    pub(super) fn events(&self) -> u64 {
        self.lock().events
    }

    /// Returns the reason why nothing is taken any more.
    pub(super) fn ended(&self) -> Option<Error> {
        self.lock().ended.clone()
    }

    fn lock(&self) -> MutexGuard<'_, Open> {
        // Nothing panics while it holds the lock, and a pack is whole between any two statements.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
