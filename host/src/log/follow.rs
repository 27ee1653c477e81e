//! Polls a log for new events.
//!
//! 1. It polls immediately after events, then less and less often until there are new ones.
//! 2. The reader completes a poll that was cancelled, so a caller that stops waiting loses nothing.
//! 3. The position is made only on request: it may be long.

use std::fmt;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use crate::error::{Error, Result};
use crate::limits::{FOLLOW_WAIT_MAX, FOLLOW_WAIT_MIN};
use crate::log::reader::Reader;
use crate::page::Page;

/// Follows a log: yields its events and then waits for new ones. Made by [`Reader::follow`].
pub struct Follow {
    reader: Reader,
    /// The time of the next poll, and the wait before it.
    poll_at: Instant,
    wait: Duration,
}

impl Reader {
    /// Continues this pass without end: see [`Follow`].
    ///
    /// # Errors
    /// [`Error::InvalidInput`] for a pass that ends permanently.
    pub fn follow(self) -> Result<Follow> {
        if let Some(end) = self.ends_with {
            let message = format!(
                "cannot follow a reader that ends {end}: follow one of Host::read without a limit"
            );
            return Err(Error::InvalidInput(message));
        }
        Ok(Follow { reader: self, poll_at: Instant::now(), wait: Duration::ZERO })
    }
}

impl Follow {
    /// Returns the next events as soon as there are some. For a log that does not exist yet, it
    /// waits for the first ones.
    ///
    /// If nothing is new, it polls again after 200 ms. Each further wait is twice as long, at most
    /// 5 s, until there are events. A poll that finds nothing costs one list. Cancel safe: the
    /// next call completes what a dropped call began.
    ///
    /// # Errors
    /// As [`Reader::next`]. After [`Error::StoreFailed`](crate::Error::StoreFailed) it may be
    /// called again. It then waits before the poll, as if nothing were new, and continues where it
    /// stopped.
    pub async fn next(&mut self) -> Result<Page> {
        loop {
            sleep_until(self.poll_at).await;
            let polled = match self.reader.next().await {
                // The log may be created later.
                Err(Error::NoLog(_)) => Ok(None),
                polled => polled,
            };
            self.wait = match &polled {
                Ok(Some(_)) => Duration::ZERO,
                Ok(None) | Err(_) => longer(self.wait),
            };
            self.poll_at = Instant::now() + self.wait;
            if let Some(page) = polled? {
                return Ok(page);
            }
        }
    }

    pub(super) fn reader(&mut self) -> &mut Reader {
        &mut self.reader
    }

    /// Returns the position after the last page that [`Follow::next`] returned. See
    /// [`Reader::position`].
    ///
    /// # Errors
    /// [`Error::Guest`].
    pub async fn position(&mut self) -> Result<String> {
        self.reader.position().await
    }
}

/// Returns the wait after a poll that found nothing, from the wait before it.
fn longer(wait: Duration) -> Duration {
    wait.saturating_mul(2).clamp(FOLLOW_WAIT_MIN, FOLLOW_WAIT_MAX)
}

impl fmt::Debug for Follow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Follow").field("wait", &self.wait).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_asks_soon_after_events_and_ever_more_rarely_then() {
        let waits = std::iter::successors(Some(longer(Duration::ZERO)), |wait| Some(longer(*wait)));
        let waits: Vec<u128> = waits.take(7).map(|wait| wait.as_millis()).collect();
        assert_eq!(waits, [200, 400, 800, 1_600, 3_200, 5_000, 5_000]);
    }
}
