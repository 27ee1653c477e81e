//! One reading pass, in an instance of its own.
//!
//! 1. The next call completes a call whose future was dropped: see [`Calls`]. The resulting page is
//!    kept until a caller asks for it, and the position stays before it.

use std::fmt;

use futures::FutureExt as _;

use crate::error::{Error, Result};
use crate::page::Page;
use crate::read_options::ReadOptions;
use crate::sandbox::calls::Calls;
use crate::sandbox::engine::SharedEngine;
use crate::sandbox::instance::{CallError, Called, CountedPage, Handle};
use crate::store::Store;
use crate::types::Skipped;
use crate::types::interface as wit;

/// Reads a log: each event once, in order, whether or not the log is flushed, compacted or trimmed
/// meanwhile.
///
/// Every call is cancel safe: the next call returns the page that a dropped future of
/// [`Reader::next`] would have returned.
pub struct Reader {
    calls: Calls<Answer>,
    handle: Handle,
    /// The result of a dropped call of `next`.
    kept: Option<Result<Option<CountedPage>>>,
    /// The reason why the pass ends permanently, if it does.
    pub(super) ends_with: Option<&'static str>,
    /// The commits that were begun.
    commits: u64,
}

/// The result of a call on the instance. Only a call for a page can return an error.
enum Answer {
    Page(Option<CountedPage>),
    Position { text: Option<String>, side: Side },
    Batches(Vec<wit::BatchEvents>),
    Positions(Option<String>),
    Skipped(Vec<Skipped>),
    Committed { number: u64, outcome: Result<()> },
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
        let mut instance = engine.instantiate(store).await?;
        let handle = match position {
            Some(position) => instance.read_named(name, position, options).await?,
            None => instance.read(name, options).await?,
        };
        Ok(Self { calls: Calls::new(instance), handle, kept: None, ends_with, commits: 0 })
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
        Ok(self.next_counted().await?.map(|(page, _)| page))
    }

    /// Returns the next page as [`Reader::next`], with the count of its memory.
    pub(crate) async fn next_counted(&mut self) -> Result<Option<CountedPage>> {
        let handle = self.handle;
        loop {
            if let Some(kept) = self.kept.take() {
                return kept;
            }
            let next = self.calls.end_or_make(move |instance| {
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
        let handle = self.handle;
        let text = loop {
            let side = self.side();
            let position = self.calls.end_or_make(move |instance| {
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
        let handle = self.handle;
        loop {
            let batches = self.calls.end_or_make(move |instance| {
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
        let handle = self.handle;
        loop {
            let positions = self.calls.end_or_make(move |instance| {
                let positions = instance.positions(handle, first);
                async move { Ok(Answer::Positions(positions.await?)) }.boxed()
            });
            let called = positions.await;
            if let Some(Answer::Positions(positions)) = self.keep_page(called)? {
                return Ok(positions);
            }
        }
    }

    /// Commits the position behind the last page under the name that the reader was opened with:
    /// see [`Host::read_named`](crate::Host::read_named). Once it has succeeded, the next reader of
    /// that name begins there.
    ///
    /// A commit flushes nothing. Flush what you made of the events before.
    ///
    /// Not cancel safe: after a dropped call the position may be committed or not. Then commit
    /// again.
    ///
    /// # Errors
    /// - [`Error::Conflict`]: another reader has committed under the name since this one was
    ///   opened, or the name was forgotten. Open the log under the name again.
    /// - [`Error::WriteFailed`], [`Error::StoreFailed`]: the position may be committed. Call again.
    /// - [`Error::Damaged`]: the commit before cannot be read any more.
    /// - [`Error::InvalidInput`] for a reader without a name, and before the first page.
    /// - [`Error::Unsupported`]: the store has no create-if-absent.
    pub async fn commit(&mut self) -> Result<()> {
        // After a dropped call of `next` the component is behind a page that the caller has not.
        let position = self.position().await?;
        let is_behind = self.side() == Side::Behind;
        self.commit_text((!is_behind).then_some(position)).await
    }

    /// As [`Reader::commit`], at a given position of this log, such as that of an
    /// [`Event`](crate::Event).
    ///
    /// # Errors
    /// As [`Reader::commit`], and [`Error::InvalidInput`] for a text that is not a position, or is
    /// one of another log.
    pub async fn commit_at(&mut self, position: impl Into<String>) -> Result<()> {
        self.commit_text(Some(position.into())).await
    }

    pub(crate) async fn commit_text(&mut self, position: Option<String>) -> Result<()> {
        let handle = self.handle;
        self.commits += 1;
        let number = self.commits;
        loop {
            let position = position.clone();
            let commit = self.calls.end_or_make(move |instance| {
                async move {
                    let outcome = match instance.commit(handle, position.as_deref()).await {
                        Err(CallError::Returned(error)) => Err(error),
                        Err(trapped) => return Err(trapped),
                        Ok(()) => Ok(()),
                    };
                    Ok(Answer::Committed { number, outcome })
                }
                .boxed()
            });
            let called = commit.await;
            match self.keep_page(called)? {
                // An answer with another number is that of an earlier call.
                Some(Answer::Committed { number: of, outcome }) if of == number => return outcome,
                _ => {}
            }
        }
    }

    /// Skips damage from now on.
    async fn skip_damaged(&mut self) -> Result<()> {
        let handle = self.handle;
        let skips = self.calls.end_or_make(move |instance| {
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
        let handle = self.handle;
        loop {
            let skipped = self.calls.end_or_make(move |instance| {
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
