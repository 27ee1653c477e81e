//! A pass or a follower as a stream of pages.
//!
//! 1. The stream owns the call in progress, so a dropped `next` of the stream loses nothing.
//! 2. It continues after a failure that may pass, and ends after any other.

use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use futures::future::BoxFuture;
use futures::stream::FusedStream;
use futures::{FutureExt as _, Stream};
use tokio::sync::Notify;

use crate::error::Result;
use crate::log::follow::Follow;
use crate::log::reader::Reader;
use crate::log::reader::parking::Park;
use crate::page::Page;

/// The pages of a pass, or of a follower, as a stream. Made by [`Reader::into_pages`] and
/// [`Follow::into_pages`].
///
/// `Send` and `'static`. It fetches a page when it is polled for one, and nothing in between.
///
/// After an error that [`is_transient`](crate::Error::is_transient), the stream continues with the
/// page that failed. After any other error, and after the end of the pass, it has ended.
#[must_use = "streams do nothing unless polled"]
pub struct Pages {
    pages: Fetched<Option<Page>>,
}

/// A source of pages.
pub(super) enum Source {
    Pass(Reader),
    Follow(Follow),
}

impl Source {
    /// Returns the next page. Says if the reader is parked after it.
    pub(super) async fn next(&mut self, after_page: Park) -> Result<Option<Page>> {
        match self {
            Self::Pass(reader) => reader.advance(after_page, Park::IfCrowded).await,
            Self::Follow(follow) => follow.wait_for(after_page).await.map(Some),
        }
    }

    pub(super) fn reader(&mut self) -> &mut Reader {
        match self {
            Self::Pass(reader) => reader,
            Self::Follow(follow) => follow.reader(),
        }
    }
}

/// A call on a source, which gives the source back.
type Call<T> = BoxFuture<'static, (Box<Source>, Result<T>)>;

/// A source, and the call in progress on it. The call takes the source with it.
pub(super) enum Fetched<T> {
    Idle(Box<Source>),
    /// With what asks the call to stop.
    InProgress(Call<T>, Arc<Notify>),
    /// The call was completed for another one, and its result was not taken yet.
    Done(Box<Source>, Result<T>),
    /// The stream has ended. None only while a call is made.
    Ended(Option<Box<Source>>),
}

impl<T: 'static> Fetched<T> {
    pub(super) fn new(source: Source) -> Self {
        Self::Idle(Box::new(source))
    }

    pub(super) fn is_ended(&self) -> bool {
        matches!(self, Self::Ended(_))
    }

    pub(super) fn end(&mut self) {
        *self = match self.take() {
            Self::Idle(source) | Self::Done(source, _) => Self::Ended(Some(source)),
            ended => ended,
        };
    }

    fn take(&mut self) -> Self {
        std::mem::replace(self, Self::Ended(None))
    }

    /// Completes the call in progress, or the one that `begin` makes. None if the stream has ended.
    pub(super) fn poll(
        &mut self,
        context: &mut Context<'_>,
        begin: impl FnOnce(Box<Source>, Arc<Notify>) -> Call<T>,
    ) -> Poll<Option<Result<T>>> {
        match self.take() {
            Self::Idle(source) => {
                let stop = Arc::new(Notify::new());
                *self = Self::InProgress(begin(source, stop.clone()), stop);
            }
            Self::Ended(source) => {
                *self = Self::Ended(source);
                return Poll::Ready(None);
            }
            other => *self = other,
        }
        ready!(self.poll_done(context));
        let Self::Done(source, fetched) = self.take() else { return Poll::Ready(None) };
        *self = match &fetched {
            Err(error) if !error.is_transient() => Self::Ended(Some(source)),
            _ => Self::Idle(source),
        };
        Poll::Ready(Some(fetched))
    }

    /// Completes the call in progress, if there is one.
    fn poll_done(&mut self, context: &mut Context<'_>) -> Poll<()> {
        if let Self::InProgress(call, _) = self {
            let (source, fetched) = ready!(call.poll_unpin(context));
            *self = Self::Done(source, fetched);
        }
        Poll::Ready(())
    }

    /// Returns the source, once the call in progress is complete. The call is asked to stop: a
    /// follower may wait without end. Cancel safe.
    pub(super) async fn source(&mut self) -> Option<&mut Source> {
        if let Self::InProgress(_, stop) = self {
            stop.notify_one();
        }
        poll_fn(|context| self.poll_done(context)).await;
        match self {
            Self::Idle(source) | Self::Done(source, _) => Some(source),
            Self::Ended(source) => source.as_deref_mut(),
            Self::InProgress(..) => None,
        }
    }
}

impl Pages {
    pub(super) fn new(source: Source) -> Self {
        Self { pages: Fetched::new(source) }
    }
}

impl Stream for Pages {
    type Item = Result<Page>;

    fn poll_next(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Page>>> {
        let fetched = ready!(self.pages.poll(context, |mut source, _| {
            async move {
                let page = source.next(Park::IfCrowded).await;
                (source, page)
            }
            .boxed()
        }));
        let page = fetched.and_then(Result::transpose);
        if page.is_none() {
            self.pages.end();
        }
        Poll::Ready(page)
    }
}

impl FusedStream for Pages {
    fn is_terminated(&self) -> bool {
        self.pages.is_ended()
    }
}

impl Reader {
    /// Returns this pass as a stream of pages. To have the positions between pages, use
    /// [`Reader::next`] and [`Reader::position`], or [`Reader::into_events`].
    pub fn into_pages(self) -> Pages {
        Pages::new(Source::Pass(self))
    }
}

impl Follow {
    /// Returns this follower as a stream of pages without end: see [`Reader::into_pages`].
    pub fn into_pages(self) -> Pages {
        Pages::new(Source::Follow(self))
    }
}

impl fmt::Debug for Pages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pages").finish_non_exhaustive()
    }
}
