//! The rest of a writer, and its end.
//!
//! 1. A writer that has nothing to do for a while is parked. It is parked earlier if its instance
//!    is needed by another log, also with events that wait for their flush interval.
//! 2. A parked writer gets an instance again before the next call that needs one.
//! 3. If there is none, no event is lost: it is as if the component refused the events for now.

use tokio::time::Instant;

use super::{SealDue, WriterActor, unless_trapped};
use crate::error::{Error, Result};
use crate::limits::{PARK_AFTER, STEP_OUTSIDE_AFTER};
use crate::log::writer::Due;
use crate::sandbox::instance::{CallError, Called};
use crate::sandbox::seats::Rest;

impl WriterActor {
    /// Returns true if all that was appended is durable.
    pub(super) fn is_all_durable(&self) -> bool {
        self.unflushed() == 0
    }

    /// Begins a rest, if nothing is to be done but to wait for time or for a create. None while
    /// the writer cannot be parked.
    pub(super) fn begin_rest(&self) -> Option<Rest> {
        let rests = self.flushes.is_empty()
            && self.seal_due == SealDue::No
            && self.refused.is_none()
            && self.linger_until.is_none()
            && !self.is_held;
        if rests { self.writer.rest(!self.is_all_durable()) } else { None }
    }

    /// Returns the time at which the writer has rested for long enough, if it rests.
    pub(super) fn parks_at(&self) -> Option<Instant> {
        let is_idle = self.writer.is_live() && self.is_all_durable() && !self.is_held;
        (is_idle && self.flushes.is_empty()).then(|| self.active_at + PARK_AFTER)
    }

    /// Parks the writer, if nothing of it is in flight.
    pub(super) async fn park(&mut self) -> Result<()> {
        if !self.is_all_durable() {
            // The creates that have ended are not known yet.
            self.maintain().await?;
        }
        if self.events_here() > 0 || self.seal_due != SealDue::No || !self.flushes.is_empty() {
            return Ok(());
        }
        let parked = self.writer.park().await;
        let parked = match self.checked(parked) {
            Ok(parked) => parked,
            Err(error) => return Err(Error::from(error)),
        };
        let Some((written, due)) = parked else {
            self.is_held = true;
            return Ok(());
        };
        self.publish(written);
        self.tick_at = match due {
            Due::Nothing | Due::Events(None) => None,
            Due::Events(Some(wait)) => Some(Instant::now() + wait),
        };
        self.queue.release_buffers();
        Ok(())
    }

    /// Records that an instance may be parked again, or that it has done something.
    pub(super) fn end_hold(&mut self) {
        self.is_held = false;
    }

    /// Leaves the seat to another log, if the store does not take the events.
    pub(super) fn step_outside_if_stuck(&mut self) {
        if self.progress_at.elapsed() >= STEP_OUTSIDE_AFTER {
            self.writer.step_outside();
        }
    }

    /// Gets an instance, if the writer is parked.
    ///
    /// # Errors
    /// [`CallError::Returned`]: there is none now. Appends and flushes have failed with the reason,
    /// and the next tick tries again.
    pub(super) async fn wake(&mut self) -> Called<()> {
        if self.writer.is_live() {
            return Ok(());
        }
        self.progress_at = Instant::now();
        let live = self.writer.live().await.map(|_| ());
        match self.checked(live) {
            Err(CallError::Returned(error)) => {
                if !self.is_refusing {
                    tracing::warn!("the log {} waits: {error}", self.writer.name());
                }
                self.is_refusing = true;
                self.queue.set_refused(Some(error.clone()));
                self.tick_at.get_or_insert_with(|| Instant::now() + self.tick);
                self.fail_flushes_alone(&error).await.map_err(CallError::Trapped)?;
                Err(CallError::Returned(error))
            }
            woken => woken,
        }
    }

    /// As [`WriterActor::wake`], for a call that can wait for the next tick. Returns true if there
    /// is an instance.
    pub(super) async fn wake_or_wait(&mut self) -> Result<bool> {
        let woken = self.wake().await;
        let is_live = woken.is_ok();
        unless_trapped(woken)?;
        Ok(is_live)
    }
}

#[cfg(test)]
mod tests;
