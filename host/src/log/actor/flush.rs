//! The flushes that wait. Several creates are in flight, so one flush does not wait for another.
//!
//! 1. A flush is done once the durable events include all that were appended before it.
//! 2. A create that ends first releases the flushes it completes. Their callers append again before
//!    the next batch is sealed, so that their events are in one batch and not in several.
//! 3. Who waits without a flush is released in the same way, and has nothing sealed.
//! 4. If the create of the oldest batch fails, every flush that waits fails. The next flush
//!    retries.

use tokio::sync::oneshot;
use tracing::{Span, field};

use super::waits::notified;
use super::{Notice, Reply, WriterActor, unless_trapped};
use crate::error::{Error, Result};
use crate::sandbox::instance::{CallError, Called};
use crate::telemetry::{self, OUTCOME, Timer};
use crate::types::Written;

/// A flush that waits.
pub(super) struct Flush {
    /// The number of events that must be durable.
    events: u64,
    reply: Reply<Written>,
    timer: Timer,
    /// Ends with the flush. A wait without a flush has none.
    span: Span,
}

impl Flush {
    fn new(events: u64, reply: Reply<Written>, span: Span) -> Self {
        Self { events, reply, timer: Timer::start(), span }
    }

    /// Records the outcome of a flush.
    fn ended(&self, outcome: &'static str) {
        telemetry::flush_ended(self.timer, outcome);
        self.span.record(OUTCOME, outcome);
    }
}

/// A seal that flushes wait for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum SealDue {
    No,
    Yes,
    /// First the creates that have failed start again.
    WithRetry,
}

impl WriterActor {
    /// Adds a flush of all that is appended now.
    pub(super) fn add_flush(&mut self, reply: Reply<Written>) {
        let events = self.events_passed + self.events_here();
        let span = tracing::info_span!(
            target: telemetry::SPANS,
            "flush",
            stratalog.log = self.writer.name(),
            stratalog.outcome = field::Empty,
        );
        self.flushes.push_back(Flush::new(events, reply, span));
        self.seal_due = SealDue::WithRetry;
    }

    /// Adds a wait for all that is appended now, without a flush.
    pub(super) fn add_wait(&mut self, reply: Reply<Written>) {
        let events = self.events_passed + self.events_here();
        self.waits.push_back(Flush::new(events, reply, Span::none()));
        self.release_flushes();
    }

    /// Returns true if someone wants to know when a create ends.
    pub(super) fn is_watched(&self) -> bool {
        !self.waits.is_empty() || self.notifier.is_heard()
    }

    /// Passes all that is packed to the component, and has it sealed if that is due.
    pub(super) async fn seal_if_due(&mut self) -> Result<()> {
        let due = std::mem::replace(&mut self.seal_due, SealDue::No);
        if due == SealDue::No {
            return Ok(());
        }
        match self.drain().await {
            Ok(()) => (),
            // The component takes no more, and the flushes have failed.
            Err(CallError::Returned(_)) => return Ok(()),
            Err(CallError::Trapped(error)) => return Err(error),
        }
        if self.writer.has_nothing() {
            self.release_flushes();
            return Ok(());
        }
        if !self.wake_or_wait().await? {
            return Ok(());
        }
        let retry = due == SealDue::WithRetry;
        let Some((instance, handle)) = self.writer.if_live() else { return Ok(()) };
        let started = instance.start_flush(handle, retry).await;
        self.settle(started).await
    }

    /// Returns true if flushes wait, and all have started. A new one first retries the creates that
    /// failed before: their failures are none of its own.
    pub(super) fn awaits_creates(&self) -> bool {
        !self.flushes.is_empty() && self.seal_due != SealDue::WithRetry
    }

    /// Releases the flushes that the creates that have ended complete.
    pub(super) async fn poll_flushes(&mut self) -> Result<()> {
        if !self.awaits_creates() {
            return Ok(());
        }
        self.poll().await?;
        if !self.flushes.is_empty() {
            self.seal_due = self.seal_due.max(SealDue::Yes);
        }
        Ok(())
    }

    /// Records which creates have ended.
    pub(super) async fn poll_creates(&mut self) -> Result<()> {
        self.end_hold();
        if self.awaits_creates() {
            return self.poll_flushes().await;
        }
        // Otherwise only the park waits for it: it asks itself, and logs failures.
        if self.is_watched() { self.poll().await } else { Ok(()) }
    }

    async fn poll(&mut self) -> Result<()> {
        // Nothing of a parked writer is in flight.
        let Some((instance, handle)) = self.writer.if_live() else { return Ok(()) };
        let polled = instance.poll_flush(handle).await;
        self.settle(polled).await
    }

    /// Flushes, and answers nothing else in the meantime.
    pub(super) async fn flush(&mut self) -> Called<Written> {
        let (reply, mut answer) = oneshot::channel();
        self.add_flush(reply);
        self.finish_flushes().await.map_err(CallError::Trapped)?;
        let answer = answer.try_recv().unwrap_or(Err(Error::Closed));
        answer.map_err(CallError::Returned)
    }

    /// Waits until no flush waits.
    pub(super) async fn finish_flushes(&mut self) -> Result<()> {
        loop {
            self.seal_if_due().await?;
            if self.flushes.is_empty() {
                return Ok(());
            }
            notified(self.writer.create_ended()).await;
            self.poll_flushes().await?;
        }
    }

    async fn settle(&mut self, called: Called<Written>) -> Result<()> {
        match self.checked(called) {
            Ok(written) => {
                self.publish(written);
                Ok(())
            }
            Err(CallError::Returned(error)) => {
                self.fail_flushes(&self.with_all_pending(error)).await
            }
            Err(CallError::Trapped(error)) => Err(error),
        }
    }

    /// Fails the flushes that are not complete.
    pub(super) async fn fail_flushes(&mut self, error: &Error) -> Result<()> {
        self.fail_flushes_alone(error).await?;
        // A failure that may pass ends no wait: the next tick tries again.
        if !error.is_transient() {
            for failed in self.waits.drain(..) {
                failed.reply.send(Err(error.clone())).ok();
            }
        }
        Ok(())
    }

    /// Fails the flushes that are not complete. All that waits for durability waits on.
    pub(super) async fn fail_flushes_alone(&mut self, error: &Error) -> Result<()> {
        unless_trapped(self.publish_written().await)?;
        for failed in self.flushes.drain(..) {
            failed.ended(error.kind_name());
            failed.reply.send(Err(error.clone())).ok();
        }
        if let Error::WriteFailed(failure) = error {
            self.notifier.send(Notice::WriteFailed(failure.clone()));
        }
        Ok(())
    }

    /// Releases the flushes that are complete.
    pub(super) fn release_flushes(&mut self) {
        for (is_flush, waiting) in [(true, &mut self.flushes), (false, &mut self.waits)] {
            while let Some(flush) =
                waiting.pop_front_if(|flush| flush.events <= self.written.events)
            {
                if is_flush {
                    flush.ended(telemetry::OK);
                }
                flush.reply.send(Ok(self.written)).ok();
            }
        }
    }
}
