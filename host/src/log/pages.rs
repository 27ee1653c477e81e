//! A pass or a follower as a stream of pages.
//!
//! 1. The stream owns the call in progress, so a dropped `next` of the stream loses nothing.
//! 2. It continues after a failure that may pass, and ends after any other.

use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures::future::BoxFuture;
use futures::stream::FusedStream;
use futures::{FutureExt as _, Stream};

use crate::error::Result;
use crate::log::follow::Follow;
use crate::log::reader::Reader;
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
    pub(super) async fn next(&mut self) -> Result<Option<Page>> {
        match self {
            Self::Pass(reader) => reader.next().await,
            Self::Follow(follow) => follow.next().await.map(Some),
        }
    }

    pub(super) fn reader(&mut self) -> &mut Reader {
        match self {
            Self::Pass(reader) => reader,
            Self::Follow(follow) => follow.reader(),
        }
    }
}

/// A source, and the call in progress on it. The call takes the source with it.
pub(super) enum Fetched<T> {
    Idle(Box<Source>),
    InProgress(BoxFuture<'static, (Box<Source>, Result<T>)>),
    Ended,
}

impl<T: 'static> Fetched<T> {
    pub(super) fn new(source: Source) -> Self {
        Self::Idle(Box::new(source))
    }

    pub(super) fn is_ended(&self) -> bool {
        matches!(self, Self::Ended)
    }

    pub(super) fn end(&mut self) {
        *self = Self::Ended;
    }

    /// Completes the call in progress, or the one that `begin` makes. None if the stream has ended.
    pub(super) fn poll(
        &mut self,
        context: &mut Context<'_>,
        begin: impl FnOnce(Box<Source>) -> BoxFuture<'static, (Box<Source>, Result<T>)>,
    ) -> Poll<Option<Result<T>>> {
        let mut call = match std::mem::replace(self, Self::Ended) {
            Self::Idle(source) => begin(source),
            Self::InProgress(call) => call,
            Self::Ended => return Poll::Ready(None),
        };
        match call.poll_unpin(context) {
            Poll::Pending => {
                *self = Self::InProgress(call);
                Poll::Pending
            }
            Poll::Ready((source, fetched)) => {
                if fetched.as_ref().err().is_none_or(|error| error.is_transient()) {
                    *self = Self::Idle(source);
                }
                Poll::Ready(Some(fetched))
            }
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
        let fetched = ready!(self.pages.poll(context, |mut source| {
            async move {
                let page = source.next().await;
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
