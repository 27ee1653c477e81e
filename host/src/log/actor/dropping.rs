//! The end of the component's handle.

use super::{WriterActor, unless_trapped};
use crate::error::{Error, Result};
use crate::numbers::count;
use crate::sandbox::instance::CallError;

impl WriterActor {
    /// Drops the component's handle, and logs the number of lost events: the component logs them in
    /// its next call, and there is none.
    pub(super) async fn drop_handle(&mut self) -> Result<()> {
        self.finish_flushes().await?;
        unless_trapped(self.drain().await)?;
        let polled = self.instance.poll_flush(self.handle).await;
        match self.checked(polled) {
            Ok(written) => self.publish(written),
            Err(CallError::Returned(Error::Closed)) => {}
            Err(CallError::Returned(error)) => {
                tracing::warn!("{error}");
                unless_trapped(self.publish_written().await)?;
            }
            Err(CallError::Trapped(error)) => return Err(error),
        }
        let appended = self.events_passed + self.events_here();
        let lost = appended.saturating_sub(self.written.events);
        if lost > 0 {
            tracing::warn!(
                "log {} was dropped without close: {} not flushed",
                self.name,
                count(lost, "event was", "events were")
            );
        }
        Ok(self.instance.drop_handle(self.handle).await?)
    }
}
