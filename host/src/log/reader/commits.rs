//! The position of a reader, kept under a name.

use futures::FutureExt as _;

use super::parking::{Park, outside_if_slow};
use super::{Answer, Live, Reader, Side};
use crate::error::Result;
use crate::sandbox::instance::CallError;

impl Reader {
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
    /// - [`Error::Conflict`](crate::Error::Conflict): another reader has committed under the name
    ///   since this one was opened, or the name was forgotten. Open the log under the name again.
    /// - [`Error::WriteFailed`](crate::Error::WriteFailed),
    ///   [`Error::StoreFailed`](crate::Error::StoreFailed): the position may be committed. Call
    ///   again.
    /// - [`Error::Damaged`](crate::Error::Damaged): the commit before cannot be read any more.
    /// - [`Error::InvalidInput`](crate::Error::InvalidInput) for a reader without a name, and
    ///   before the first page.
    /// - [`Error::Unsupported`](crate::Error::Unsupported): the store has no create-if-absent.
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
    /// As [`Reader::commit`], and [`Error::InvalidInput`](crate::Error::InvalidInput) for a text
    /// that is not a position, or is one of another log.
    pub async fn commit_at(&mut self, position: impl Into<String>) -> Result<()> {
        self.commit_text(Some(position.into())).await
    }

    pub(crate) async fn commit_text(&mut self, position: Option<String>) -> Result<()> {
        let mut seat = self.wake().await?;
        let committed = outside_if_slow(seat.as_mut(), self.commit_here(position)).await;
        if seat.is_some() {
            // It was parked before, so nothing needs the instance.
            self.park(Park::IfCrowded).await;
        }
        committed
    }

    async fn commit_here(&mut self, position: Option<String>) -> Result<()> {
        self.commits += 1;
        let number = self.commits;
        loop {
            let position = position.clone();
            let Live { calls, handle, .. } = self.live()?;
            let handle = *handle;
            let commit = calls.end_or_make(move |instance| {
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
}
