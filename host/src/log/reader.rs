//! One reading pass, in an instance of its own.
//!
//! 1. A call that nobody waits for any more is ended by the next one: see [`Calls`]. The page that it
//!    came to is kept until it is asked for, and the position stays before it.

use std::fmt;

use futures::FutureExt as _;
use wasmtime::component::ResourceAny;

use crate::error::{Error, Result};
use crate::records::Page;
use crate::repairs::Skipped;
use crate::sandbox::bindings::exports::stratalog::log::append_log as wit;
use crate::sandbox::calls::Calls;
use crate::sandbox::engine::SharedEngine;
use crate::sandbox::instance::CountedPage;
use crate::store::Store;

/// Reads a log: each event once, in order, whatever is flushed, compacted or trimmed meanwhile.
///
/// Every call is cancel safe: a page that a dropped future of [`Reader::next`] would have returned is
/// returned by the next call.
pub struct Reader {
    calls: Calls<Answer>,
    handle: ResourceAny,
    /// What a call of `next` came to that nobody waited for any more.
    kept: Option<Result<Option<CountedPage>>>,
    /// What ends the pass for good, if something does.
    pub(super) ends_with: Option<&'static str>,
}

/// What a call on the instance came to.
enum Answer {
    Page(Result<Option<CountedPage>>),
    Position { text: Option<String>, side: Side },
    Skipped(Vec<Skipped>),
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
        options: &wit::ReadOptions,
    ) -> Result<Self> {
        let ends_with = match options {
            wit::ReadOptions { limit: Some(_), .. } => Some("with its limit"),
            wit::ReadOptions { pending: Some(_), .. } => Some("with what a handle held"),
            _ => None,
        };
        let mut instance = engine.instantiate(store).await?;
        let (guest, instances, time) = instance.begin();
        let handle = time.measure(guest.call_read(instances, name, options)).await;
        let handle = handle.map_err(|error| Error::trapped(&error))??;
        Ok(Self { calls: Calls::new(instance), handle, kept: None, ends_with })
    }

    /// The next events, or none at the end of what is stored now. Asked again, it looks again: see
    /// [`Reader::follow`]. A pass of [`Log::read_all`](crate::Log::read_all), and one that has
    /// reached its limit, has ended for good.
    ///
    /// Cancel safe, so it can stand under a timeout or in a `select!`: what a dropped call has begun,
    /// the next call on this reader ends, and no page is lost or repeated. Meanwhile nothing goes on.
    ///
    /// # Errors
    /// [`Error::NoLog`] when the first look finds nothing of the log, but for a pass of an open
    /// [`Log`](crate::Log). It is said once: call again, and it looks again.
    /// [`Error::StoreFailed`]: call again, and the pass goes on where it stood. [`Error::Damaged`]:
    /// everything before the damaged object has been returned.
    pub async fn next(&mut self) -> Result<Option<Page>> {
        Ok(self.next_counted().await?.map(|(page, _)| page))
    }

    /// As [`Reader::next`], with the count of the page's memory.
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
                return page;
            }
        }
    }

    /// Where the reader stands: right behind the last page that [`Reader::next`] returned. A text of
    /// digits, letters and `_ , + @`, about 50 bytes for each live batch already yielded. Stored, and
    /// given to [`ReadOptions::start`](crate::ReadOptions::start) by anybody at any time, it lets a
    /// pass go on without repeating or skipping an event. Once the log has been compacted, it carries the
    /// log's identity, and another log refuses it.
    ///
    /// Cancel safe. After a call of [`Reader::next`] that was dropped half way it first ends what
    /// that has begun, and the next call returns its page.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] for a pass of [`Log::read_all`](crate::Log::read_all), which has none,
    /// [`Error::Guest`].
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
            match position.await? {
                Answer::Page(page) => self.kept = Some(page),
                // Not one that was asked for when the reader stood elsewhere.
                Answer::Position { text, side } if side == self.side() => break text,
                Answer::Position { .. } | Answer::Skipped(_) => {}
            }
        };
        text.ok_or_else(|| {
            let message = "a pass over what a handle holds has no position: use Host::read";
            Error::InvalidInput(message.to_owned())
        })
    }

    /// Leaves out damage from now on.
    pub(crate) async fn skip_damaged(&mut self) -> Result<()> {
        let handle = self.handle;
        let skips = self.calls.end_or_make(move |instance| {
            let skips = instance.skip_damaged(handle);
            async move { Ok(Answer::Skipped(skips.await.map(|()| Vec::new())?)) }.boxed()
        });
        skips.await.map(|_| ())
    }

    /// The damage that this reader has left out since this was asked last: none, unless it was opened
    /// with [`ReadOptions::skip_damaged`](crate::ReadOptions::skip_damaged). Cancel safe in that no page
    /// is lost; what a dropped call would have returned is not returned again.
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
            match skipped.await? {
                Answer::Skipped(skipped) => return Ok(skipped),
                Answer::Page(page) => self.kept = Some(page),
                Answer::Position { .. } => {}
            }
        }
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
