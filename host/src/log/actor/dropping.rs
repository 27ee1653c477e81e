//! The end of the component's handle.

use super::{WriterActor, unless_trapped};
use crate::error::{Error, Result};
use crate::numbers::count;
use crate::sandbox::instance::CallError;

impl WriterActor {
    /// Flushes what the handles have left, and ends.
    pub(super) async fn flush_dropped(&mut self) -> Result<()> {
        // Before the flush, the ones that still wait end, with failures that are none of its own.
        self.finish_flushes().await?;
        if self.unflushed() > 0 {
            unless_trapped(self.flush().await)?;
        }
        self.drop_handle().await
    }

    /// Returns the number of events that are not known to be durable.
    pub(super) fn unflushed(&self) -> u64 {
        let appended = self.events_passed + self.events_here();
        appended.saturating_sub(self.written.events)
    }

    /// Drops the component's handle, and logs the number of lost events: the component logs them in
    /// its next call, and there is none.
    pub(super) async fn drop_handle(&mut self) -> Result<()> {
        self.finish_flushes().await?;
        unless_trapped(self.drain().await)?;
        let Some((instance, handle)) = self.writer.if_live() else {
            self.warn_of_loss("was dropped without close");
            return Ok(());
        };
        let polled = instance.poll_flush(handle).await;
        match self.checked(polled) {
            Ok(written) => self.publish(written),
            Err(CallError::Returned(Error::Closed)) => {}
            Err(CallError::Returned(error)) => {
                tracing::warn!("{error}");
                unless_trapped(self.publish_written().await)?;
            }
            Err(CallError::Trapped(error)) => return Err(error),
        }
        self.warn_of_loss("was dropped without close");
        let Some((instance, handle)) = self.writer.if_live() else { return Ok(()) };
        Ok(instance.drop_handle(handle).await?)
    }

    /// Reports the events that are lost now, once.
    pub(super) fn warn_of_loss(&mut self, why: &str) {
        let lost = self.unflushed();
        let is_known = self.has_warned || self.durable.is_loss_known();
        self.has_warned = true;
        if lost > 0 && !is_known {
            let lost = count(lost, "event was", "events were");
            tracing::warn!("the log {} {why}: {lost} not flushed", self.writer.name());
        }
    }
}
