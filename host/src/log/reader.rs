//! One reading pass, in an instance of its own, or parked.
//!
//! 1. The next call completes a call whose future was dropped: see [`Calls`]. The resulting page is
//!    kept until a caller asks for it, and the position stays before it.
//! 2. Between two calls a reader can be parked: it gives its instance back, and gets another one
//!    for the next call. It is parked if too many readers have an instance, and by a follower that
//!    has waited for long. See [`parking`].
//! 3. A reader that gets no instance stays parked. A later call tries again.

use std::fmt;
use std::time::Duration;

use futures::FutureExt as _;

use crate::clock::Clock;
use crate::error::{Error, Result};
use crate::numbers::to_u64;
use crate::page::Page;
use crate::read_options::ReadOptions;
use crate::sandbox::calls::Calls;
use crate::sandbox::engine::SharedEngine;
use crate::sandbox::instance::{CallError, Called, CountedPage, Handle};
use crate::sandbox::parked::ParkedReader;
use crate::sandbox::reader_seats::LiveReader;
use crate::store::Store;
use crate::telemetry;
use crate::types::Skipped;
use crate::types::interface as wit;

mod commits;
pub(super) mod parking;

use parking::{Park, outside_if_slow};

/// Reads a log: each event once, in order, whether or not the log is flushed, compacted or trimmed
/// meanwhile.
///
/// Every call is cancel safe: the next call returns the page that a dropped future of
/// [`Reader::next`] would have returned.
pub struct Reader {
    engine: SharedEngine,
    store: Store,
    name: Box<str>,
    place: Place,
    /// The result of a dropped call of `next`.
    kept: Option<Result<Option<CountedPage>>>,
    /// The reason why the pass ends permanently, if it does.
    pub(super) ends_with: Option<&'static str>,
    /// True for the reader of a follower.
    pub(super) is_followed: bool,
    /// The commits that were begun.
    commits: u64,
}

enum Place {
    Live(Box<Live>),
    Parked(Box<ParkedReader>),
}

struct Live {
    calls: Calls<Answer>,
    handle: Handle,
    /// Dropped after the instance.
    _counted: LiveReader,
}

/// The result of a call on the instance. Only a call for a page can return an error.
enum Answer {
    Page(Option<CountedPage>),
    Position { text: Option<String>, side: Side },
    Batches(Vec<wit::BatchEvents>),
    Positions(Option<String>),
    Skipped(Vec<Skipped>),
    Committed { number: u64, outcome: Result<()> },
    Parked(Option<Box<ParkedReader>>),
}

/// The side of the last page that a position is on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Before,
    Behind,
}

impl Reader {
    pub(crate) async fn open(
        engine: &SharedEngine,
        store: &Store,
        name: &str,
        position: Option<&str>,
        options: &wit::ReadOptions,
    ) -> Result<Self> {
        let ends_with = match options {
            wit::ReadOptions { limit: Some(_), .. } => Some("at its limit"),
            wit::ReadOptions { pending: Some(_), .. } => Some("with the events of a handle"),
            _ => None,
        };
        let mut seat = engine.reader_seats().take().await?;
        let mut instance = engine.instantiate(store).await?;
        let handle = match position {
            Some(position) => {
                let opened = instance.read_named(name, position, options);
                outside_if_slow(Some(&mut seat), opened).await?
            }
            None => instance.read(name, options).await?,
        };
        let mut reader = Self {
            place: Place::live(engine, instance, handle),
            engine: engine.clone(),
            store: store.clone(),
            name: name.into(),
            kept: None,
            ends_with,
            is_followed: false,
            commits: 0,
        };
        reader.park(Park::IfCrowded).await;
        Ok(reader)
    }

    /// As [`Reader::open`], with the options of the API.
    pub(crate) async fn open_with(
        engine: &SharedEngine,
        store: &Store,
        name: &str,
        position: Option<&str>,
        options: ReadOptions,
    ) -> Result<Self> {
        let skips_damaged = options.skips_damaged();
        let mut reader = Self::open(engine, store, name, position, &options.into_wit()).await?;
        if skips_damaged {
            reader.skip_damaged().await?;
        }
        Ok(reader)
    }

    /// Returns the next events, or none at the end of the events stored now. A later call lists the
    /// log again: see [`Reader::follow`]. A pass of [`Log::read_all`](crate::Log::read_all), and a
    /// pass that has reached its limit, has ended permanently.
    ///
    /// Cancel safe, so it can be used under a timeout or in a `select!`. The next call on this
    /// reader completes what a dropped call began, and no page is lost or repeated. Between these
    /// calls nothing proceeds.
    ///
    /// # Errors
    /// - [`Error::NoLog`]: the first load finds nothing of the log. A pass of an open
    ///   [`Log`](crate::Log) does not return it. It is returned once: a further call loads the log
    ///   again.
    /// - [`Error::StoreFailed`]: a further call continues the pass where it stopped.
    /// - [`Error::Damaged`]: everything before the damaged object has been returned.
    pub async fn next(&mut self) -> Result<Option<Page>> {
        self.advance(Park::IfCrowded, Park::IfCrowded).await
    }

    /// Returns the next page as [`Reader::next`]. Says if the reader is parked after a page, and
    /// otherwise.
    pub(super) async fn advance(
        &mut self,
        after_page: Park,
        otherwise: Park,
    ) -> Result<Option<Page>> {
        Ok(self.advance_counted(after_page, otherwise).await?.map(|(page, _)| page))
    }

    /// Returns the next page as [`Reader::next`], with the count of its memory. Keeps the instance
    /// for the places of its events.
    pub(crate) async fn next_counted(&mut self) -> Result<Option<CountedPage>> {
        self.advance_counted(Park::Never, Park::IfCrowded).await
    }

    async fn advance_counted(
        &mut self,
        after_page: Park,
        otherwise: Park,
    ) -> Result<Option<CountedPage>> {
        let mut seat = self.wake().await?;
        let next = outside_if_slow(seat.as_mut(), self.fetch()).await;
        let park = if let Ok(Some(_)) = next { after_page } else { otherwise };
        if let Ok(Some((page, _))) = &next {
            telemetry::page_read(page.events, to_u64(page.lines.len()));
        }
        let lags = self.is_followed && telemetry::is_on() && matches!(next, Ok(Some(_)));
        // If this future is dropped meanwhile, the next call returns it.
        self.kept = Some(next);
        if lags {
            self.measure_lag().await;
        }
        self.park(park).await;
        self.kept.take().unwrap_or(Ok(None))
    }

    /// Records the age of the newest events of the last page. A failure shows in the next call.
    async fn measure_lag(&mut self) {
        let batches = self.batches().await.unwrap_or_default();
        if let Some(newest) = batches.iter().filter_map(|batch| batch.time).max() {
            let now = Clock::system().since_1970();
            telemetry::follower_lags(now.saturating_sub(Duration::from_micros(newest)));
        }
    }

    fn live(&mut self) -> Result<&mut Live> {
        match &mut self.place {
            Place::Live(live) => Ok(live),
            Place::Parked(_) => Err(Error::Closed),
        }
    }

    /// Returns the next page of the reader's instance.
    async fn fetch(&mut self) -> Result<Option<CountedPage>> {
        loop {
            if let Some(kept) = self.kept.take() {
                return kept;
            }
            let Live { calls, handle, .. } = self.live()?;
            let handle = *handle;
            let next = calls.end_or_make(move |instance| {
                async move { Ok(Answer::Page(instance.next_page(handle).await?)) }.boxed()
            });
            if let Answer::Page(page) = next.await? {
                return Ok(page);
            }
        }
    }

    /// Returns the position after the last page that [`Reader::next`] returned. It is a text of
    /// digits, letters and `_ , + @`, with about 50 bytes for each live batch already yielded. Any
    /// process can pass it to [`ReadOptions::start`](crate::ReadOptions::start) at any time: the
    /// new pass repeats and skips no event. Once the log has been compacted, the position contains
    /// the log's identity, and another log refuses it.
    ///
    /// Cancel safe. After a dropped call of [`Reader::next`] it first completes that call, whose
    /// page the next call returns.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] for a pass of [`Log::read_all`](crate::Log::read_all), which has no
    /// position, [`Error::Guest`].
    pub async fn position(&mut self) -> Result<String> {
        if let Place::Parked(parked) = &self.place {
            return Ok(parked.position().to_owned());
        }
        let text = loop {
            let side = self.side();
            let Live { calls, handle, .. } = self.live()?;
            let handle = *handle;
            let position = calls.end_or_make(move |instance| {
                let text = async move {
                    match side {
                        Side::Behind => instance.position(handle).await,
                        Side::Before => instance.position_before(handle).await,
                    }
                };
                async move { Ok(Answer::Position { text: text.await?, side }) }.boxed()
            });
            let called = position.await;
            match self.keep_page(called)? {
                // An answer for another side is from an earlier call.
                Some(Answer::Position { text, side }) if side == self.side() => break text,
                _ => {}
            }
        };
        text.ok_or_else(|| {
            let message = "a reader of a handle's events has no position: use Host::read";
            Error::InvalidInput(message.to_owned())
        })
    }

    /// Returns the batches of the events of the last page of the component. No call of
    /// [`Reader::next`] may have been dropped.
    pub(crate) async fn batches(&mut self) -> Result<Vec<wit::BatchEvents>> {
        if let Place::Parked(_) = self.place {
            // After a page, callers that need them keep the instance: `Park::Never`.
            return Ok(Vec::new());
        }
        loop {
            let Live { calls, handle, .. } = self.live()?;
            let handle = *handle;
            let batches = calls.end_or_make(move |instance| {
                let batches = instance.batches(handle);
                async move { Ok(Answer::Batches(batches.await?)) }.boxed()
            });
            let called = batches.await;
            if let Some(Answer::Batches(batches)) = self.keep_page(called)? {
                return Ok(batches);
            }
        }
    }

    /// Returns the positions behind events of that page, from the event with this number on, each
    /// ended by LF. None for a pass that has no positions.
    pub(crate) async fn positions(&mut self, first: u64) -> Result<Option<String>> {
        if let Place::Parked(_) = self.place {
            return Ok(Some(String::new()));
        }
        loop {
            let Live { calls, handle, .. } = self.live()?;
            let handle = *handle;
            let positions = calls.end_or_make(move |instance| {
                let positions = instance.positions(handle, first);
                async move { Ok(Answer::Positions(positions.await?)) }.boxed()
            });
            let called = positions.await;
            if let Some(Answer::Positions(positions)) = self.keep_page(called)? {
                return Ok(positions);
            }
        }
    }

    /// Skips damage from now on.
    async fn skip_damaged(&mut self) -> Result<()> {
        let _seat = self.wake().await?;
        let Live { calls, handle, .. } = self.live()?;
        let handle = *handle;
        let skips = calls.end_or_make(move |instance| {
            let skips = instance.skip_damaged(handle);
            async move { Ok(Answer::Skipped(skips.await.map(|()| Vec::new())?)) }.boxed()
        });
        Ok(skips.await.map(|_| ())?)
    }

    /// Returns the damage that this reader has skipped since the last call. There is none unless
    /// the reader was opened with [`ReadOptions::skip_damaged`](crate::ReadOptions::skip_damaged).
    /// Cancel safe in that no page is lost. The result of a dropped call is not returned again.
    ///
    /// # Errors
    /// [`Error::Guest`].
    pub async fn take_skipped(&mut self) -> Result<Vec<Skipped>> {
        if let Place::Parked(_) = self.place {
            // It was parked with nothing to report.
            return Ok(Vec::new());
        }
        loop {
            let Live { calls, handle, .. } = self.live()?;
            let handle = *handle;
            let skipped = calls.end_or_make(move |instance| {
                let skipped = instance.take_skipped(handle);
                async move { Ok(Answer::Skipped(skipped.await?)) }.boxed()
            });
            let called = skipped.await;
            if let Some(Answer::Skipped(skipped)) = self.keep_page(called)? {
                return Ok(skipped);
            }
        }
    }

    /// Keeps the page that a completed call has returned, or its error, for the next call of
    /// `next`. Returns every other answer.
    fn keep_page(&mut self, called: Called<Answer>) -> Result<Option<Answer>> {
        match called {
            Ok(Answer::Page(page)) => self.kept = Some(Ok(page)),
            Err(CallError::Returned(error)) => self.kept = Some(Err(error)),
            Err(CallError::Trapped(error)) => return Err(error),
            Ok(answer) => return Ok(Some(answer)),
        }
        Ok(None)
    }

    fn side(&self) -> Side {
        if let Some(Ok(Some(_))) = self.kept { Side::Before } else { Side::Behind }
    }
}

impl fmt::Debug for Reader {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reader").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
