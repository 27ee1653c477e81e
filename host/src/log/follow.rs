//! Polls a log for new events.
//!
//! 1. It polls immediately after events, then less and less often until there are new ones.
//! 2. The reader completes a poll that was cancelled, so a caller that stops waiting loses nothing.
//! 3. The position is made only on request: it may be long.
//! 4. While it waits for long it has no instance of the component.

use std::fmt;
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use crate::error::{Error, Result};
use crate::limits::{FOLLOW_WAIT_MAX, FOLLOW_WAIT_MIN, PARK_AFTER};
use crate::log::reader::Reader;
use crate::log::reader::parking::Park;
use crate::page::Page;
use crate::telemetry;
use crate::types::Skipped;

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
    pub fn follow(mut self) -> Result<Follow> {
        if let Some(end) = self.ends_with {
            let message = format!(
                "cannot follow a reader that ends {end}: follow one of Host::read without a limit"
            );
            return Err(Error::InvalidInput(message));
        }
        self.is_followed = true;
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
    /// Once it waits for 5 s, it has no instance of the component, so a process can have many
    /// followers: see [`HostBuilder::live_logs_max`](crate::HostBuilder::live_logs_max).
    ///
    /// # Errors
    /// As [`Reader::next`]. After [`Error::StoreFailed`](crate::Error::StoreFailed) it may be
    /// called again. It then waits before the poll, as if nothing were new, and continues where it
    /// stopped.
    pub async fn next(&mut self) -> Result<Page> {
        self.wait_for(Park::IfCrowded).await
    }

    /// Returns the next events as [`Follow::next`]. Says if the reader is parked after them.
    pub(super) async fn wait_for(&mut self, after_page: Park) -> Result<Page> {
        loop {
            sleep_until(self.poll_at).await;
            let waits_long = longer(self.wait) >= PARK_AFTER;
            let otherwise = if waits_long { Park::Always } else { Park::IfCrowded };
            let polled = match self.reader.advance(after_page, otherwise).await {
                // The log may be created later.
                Err(Error::NoLog(_)) => Ok(None),
                polled => polled,
            };
            self.wait = match &polled {
                Ok(Some(_)) => Duration::ZERO,
                Ok(None) | Err(_) => longer(self.wait),
            };
            self.poll_at = Instant::now() + self.wait;
            telemetry::follower_polled(match &polled {
                Ok(Some(_)) => "events",
                Ok(None) => "nothing",
                Err(error) => error.kind_name(),
            });
            if let Some(page) = polled? {
                return Ok(page);
            }
        }
    }

    /// Returns the next events if there are some now. Costs one list if nothing is new. Cancel
    /// safe, as [`Follow::next`].
    ///
    /// # Errors
    /// As [`Reader::next`], also [`Error::NoLog`](crate::Error::NoLog) for a log that does not
    /// exist yet.
    pub async fn next_now(&mut self) -> Result<Option<Page>> {
        let page = self.reader.next().await?;
        if page.is_some() {
            (self.wait, self.poll_at) = (Duration::ZERO, Instant::now());
        }
        Ok(page)
    }

    /// Returns the damaged data that was skipped since the last call: see
    /// [`Reader::take_skipped`].
    ///
    /// # Errors
    /// As [`Reader::take_skipped`].
    pub async fn take_skipped(&mut self) -> Result<Vec<Skipped>> {
        self.reader.take_skipped().await
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

    /// Commits the position behind the last page under the name of the reader: see
    /// [`Reader::commit`]. [`Events::commit`](crate::Events::commit) commits behind any event.
    ///
    /// # Errors
    /// As [`Reader::commit`].
    pub async fn commit(&mut self) -> Result<()> {
        self.reader.commit().await
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
    use crate::host::Host;
    use crate::options::LogOptions;
    use crate::store::Store;

    #[tokio::test]
    async fn it_is_parked_once_it_waits_for_long() {
        let (host, store) = (Host::new().unwrap(), Store::memory());
        let log = host.open(&store, "log", LogOptions::new()).await.unwrap();
        let live = || host.engine().reader_seats().live();
        let reader = host.read(&store, "log").await.unwrap();
        let mut follow = reader.follow().unwrap();
        for (wait, left) in [(FOLLOW_WAIT_MIN, 1), (FOLLOW_WAIT_MAX / 2, 0)] {
            (follow.wait, follow.poll_at) = (wait, Instant::now());
            // It polls, and then it waits.
            let waits = tokio::time::timeout(FOLLOW_WAIT_MIN, follow.next()).await;
            assert!(waits.is_err(), "{waits:?}");
            assert_eq!(live(), left);
        }
        log.append("1").await.unwrap();
        log.flush().await.unwrap();
        follow.poll_at = Instant::now();
        assert_eq!(follow.next().await.unwrap().lines, "1\n");
        assert_eq!((follow.wait, live()), (Duration::ZERO, 1));
    }

    #[test]
    fn it_asks_soon_after_events_and_ever_more_rarely_then() {
        let waits = std::iter::successors(Some(longer(Duration::ZERO)), |wait| Some(longer(*wait)));
        let waits: Vec<u128> = waits.take(7).map(|wait| wait.as_millis()).collect();
        assert_eq!(waits, [200, 400, 800, 1_600, 3_200, 5_000, 5_000]);
    }
}
