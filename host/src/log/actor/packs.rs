//! Packs on their way from the queue to the component.

use tokio::time::Instant;

use super::{Pack, WriterActor, unless_trapped};
use crate::error::{Error, Result};
use crate::limits::LINGER_TIME;
use crate::numbers::to_u64;
use crate::sandbox::instance::{CallError, Called};
use crate::telemetry;

impl WriterActor {
    /// Passes the pack to the component, if it is large or has waited long enough.
    pub(super) async fn linger(&mut self) -> Result<()> {
        let now = Instant::now();
        let is_time = self.linger_until.is_some_and(|at| at <= now);
        if is_time || self.queue.is_large() {
            unless_trapped(self.drain().await)?;
            self.poll_flushes().await?;
        } else {
            self.linger_until.get_or_insert(now + LINGER_TIME);
        }
        Ok(())
    }

    /// Passes all that is packed now to the component, and no more, since others may pack without
    /// end.
    pub(super) async fn drain(&mut self) -> Called<()> {
        self.linger_until = None;
        if self.events_here() == 0 {
            return Ok(());
        }
        self.wake().await?;
        if let Some(pack) = self.refused.take() {
            self.send(pack).await?;
        }
        if std::mem::take(&mut self.is_refusing) {
            self.queue.set_refused(None);
        }
        match self.queue.take() {
            Some(pack) => self.send(pack).await,
            None => Ok(()),
        }
    }

    /// Passes a pack to the component.
    async fn send(&mut self, pack: Pack) -> Called<()> {
        let (instance, handle) = self.writer.live().await?;
        if self.tick_at.is_none() {
            let now = Instant::now();
            (self.tick_at, self.progress_at) = (Some(now + self.tick), now);
        }
        self.events_passed += pack.events;
        self.pending_events.taken(self.events_passed);
        match instance.append_host_bytes(handle, pack.lines.clone(), pack.events).await {
            Ok(written) => {
                telemetry::events_appended(pack.events, to_u64(pack.lines.len()));
                self.publish(written);
                Ok(())
            }
            Err(CallError::Returned(error @ Error::WriteFailed(_))) => {
                self.events_passed -= pack.events;
                self.refused = Some(pack);
                self.is_refusing = true;
                let error = self.with_all_pending(error);
                self.queue.set_refused(Some(error.clone()));
                self.fail_flushes(&error).await.map_err(CallError::Trapped)?;
                Err(CallError::Returned(error))
            }
            // Each event of the pack is within the limits of the options, and its append has
            // returned success.
            Err(error) => {
                let error = match Error::from(error) {
                    error @ Error::Guest(_) => error,
                    error => Error::Guest(format!(
                        "the component refused an event within its limits: {error}"
                    )),
                };
                self.checked(Err(CallError::Trapped(error)))
            }
        }
    }
}
