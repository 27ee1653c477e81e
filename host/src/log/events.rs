//! A pass or a follower as a stream of events.
//!
//! 1. A page is fetched when its first event is asked for, and positions a few hundred at a time.
//! 2. The component knows the positions inside its last page only, so the next page is fetched when
//!    all positions of this one are here. Until then the reader keeps its instance.

use std::fmt;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::SystemTime;

use bytes::Bytes;
use futures::future::{Either, select};
use futures::stream::FusedStream;
use futures::{FutureExt as _, Stream};
use tokio::sync::Notify;

use crate::error::{Error, Result};
use crate::log::follow::Follow;
use crate::log::pages::{Fetched, Source};
use crate::log::reader::Reader;
use crate::log::reader::parking::Park;
use crate::numbers::to_u64;
use crate::page::Page;
use crate::times;
use crate::types::interface::BatchEvents;

/// An event of a log, with its place. Cheap to clone: it shares the memory of its page.
#[derive(Clone, PartialEq, Eq)]
pub struct Event {
    bytes: Bytes,
    time: Option<SystemTime>,
    position: Option<Line>,
    missed: u64,
}

impl Event {
    /// Returns the event's bytes, without an LF.
    pub fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// Returns the event's bytes, without an LF.
    pub fn into_bytes(self) -> Bytes {
        self.bytes
    }

    /// Returns the time of the event's batch: when it was sealed, by the clock of its writer. It is
    /// up to one flush interval after the append. None for an event of
    /// [`Log::read_all`](crate::Log::read_all) that is in no batch yet.
    pub fn time(&self) -> Option<SystemTime> {
        self.time
    }

    /// Returns the position right behind this event: a pass that
    /// [starts](crate::ReadOptions::start) there returns exactly the events behind it. Save it once
    /// the event is dealt with. See [`Reader::position`]. None for a pass of
    /// [`Log::read_all`](crate::Log::read_all).
    pub fn position(&self) -> Option<&str> {
        self.position.as_ref().map(Line::as_str)
    }

    /// Returns the number of events that were missed since the event before: see
    /// [`Page::missed`](crate::Page::missed).
    pub fn missed(&self) -> u64 {
        self.missed
    }
}

impl AsRef<[u8]> for Event {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Event")
            .field("bytes", &self.bytes)
            .field("time", &self.time)
            .field("position", &self.position())
            .field("missed", &self.missed)
            .finish()
    }
}

/// A line of a text that many share.
#[derive(Clone)]
struct Line {
    text: Arc<str>,
    start: usize,
    end: usize,
}

impl Line {
    fn as_str(&self) -> &str {
        self.text.get(self.start..self.end).unwrap_or_default()
    }
}

impl PartialEq for Line {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Line {}

/// The events of a pass, or of a follower, as a stream. Made by [`Reader::into_events`] and
/// [`Follow::into_events`].
///
/// `Send` and `'static`. Each event has its position, so a consumer can save its place behind any
/// of them. [`Reader::next`] is faster for callers that need only the bytes.
///
/// After an error that [`is_transient`](crate::Error::is_transient), the stream continues where it
/// failed. After any other error, and after the end of the pass, it has ended.
#[must_use = "streams do nothing unless polled"]
pub struct Events {
    answers: Fetched<Answer>,
    page: CurrentPage,
    missed: u64,
}

enum Answer {
    Page(Option<CurrentPage>),
    Positions(Positions),
    /// The call was asked to stop before there was a page.
    Stopped,
}

/// The events of a page that were not yielded yet.
#[derive(Default)]
struct CurrentPage {
    /// Each event ended by LF.
    lines: Bytes,
    /// The batches, last one first.
    batches: Vec<BatchEvents>,
    /// The number of events yielded, and of those that are left.
    yielded: u64,
    left: u64,
    /// Missed before the next event.
    missed: u64,
    positions: Positions,
}

/// Positions of the next events.
#[derive(Default)]
enum Positions {
    /// None are here.
    #[default]
    Unknown,
    Known {
        text: Arc<str>,
        at: usize,
    },
    /// The pass has none.
    Without,
}

impl Positions {
    /// Fetches those from an event of the current page on, of which this many are left.
    async fn fetch(reader: &mut Reader, first: u64, left: u64) -> Result<Self> {
        match reader.positions(first).await? {
            None => Ok(Self::Without),
            Some(text) if text.ends_with('\n') => {
                let lines = memchr::memchr_iter(b'\n', text.as_bytes()).count();
                if to_u64(lines) >= left {
                    reader.park(Park::IfCrowded).await;
                }
                Ok(Self::Known { text: text.into(), at: 0 })
            }
            Some(_) => {
                let message = format!("it has no position for event {first} of a page");
                Err(Error::Guest(message))
            }
        }
    }
}

impl Events {
    fn new(source: Source) -> Self {
        Self { answers: Fetched::new(source), page: CurrentPage::default(), missed: 0 }
    }

    /// Returns the number of events that the stream has missed so far, those behind the last event
    /// included: see [`Page::missed`](crate::Page::missed).
    pub fn missed(&self) -> u64 {
        self.missed
    }

    /// Commits the position behind an event of this stream under the name that its reader was
    /// opened with: see [`Host::read_named`](crate::Host::read_named). Once it has succeeded, the
    /// next reader of that name begins there. The stream continues as before, and a commit after
    /// its end is possible.
    ///
    /// A commit costs a few requests, so commit after every thousand events rather than after each.
    /// It flushes nothing. Flush what you made of the events before.
    ///
    /// Not cancel safe: after a dropped call the position may be committed or not. Then commit
    /// again.
    ///
    /// # Errors
    /// As [`Reader::commit`], and [`Error::InvalidInput`] for an event without a position.
    pub async fn commit(&mut self, event: &Event) -> Result<()> {
        let Some(position) = event.position() else {
            let message = "cannot commit behind an event that has no position: it is one of \
                           Log::read_all; commit events of Host::read_named";
            return Err(Error::InvalidInput(message.to_owned()));
        };
        let position = position.to_owned();
        match self.answers.source().await {
            Some(source) => source.reader().commit_at(position).await,
            None => Err(Error::Guest("the stream has no reader any more".to_owned())),
        }
    }
}

impl CurrentPage {
    /// Returns the next event; none if the page is over, or if its position is not here.
    fn next(&mut self) -> Option<Event> {
        let end = memchr::memchr(b'\n', &self.lines)?;
        let position = match &mut self.positions {
            Positions::Unknown => return None,
            Positions::Without => None,
            Positions::Known { text, at } => {
                let length = memchr::memchr(b'\n', text.as_bytes().get(*at..)?)?;
                let start = *at;
                *at += length + 1;
                Some(Line { text: text.clone(), start, end: start + length })
            }
        };
        let mut bytes = self.lines.split_to(end + 1);
        bytes.truncate(end);
        self.yielded += 1;
        self.left = self.left.saturating_sub(1);
        let time = self.time();
        Some(Event { bytes, time, position, missed: std::mem::take(&mut self.missed) })
    }

    /// Returns the time of the next event, and counts it.
    fn time(&mut self) -> Option<SystemTime> {
        let batch = self.batches.last_mut()?;
        let time = batch.time.and_then(times::of_micros);
        batch.events = batch.events.saturating_sub(1);
        if batch.events == 0 {
            self.batches.pop();
        }
        time
    }
}

impl Stream for Events {
    type Item = Result<Event>;

    fn poll_next(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Event>>> {
        let Self { answers, page, missed } = &mut *self;
        loop {
            if let Some(event) = page.next() {
                return Poll::Ready(Some(Ok(event)));
            }
            let left = (!page.lines.is_empty()).then_some((page.yielded, page.left));
            let answer = ready!(answers.poll(context, |mut source, stop| {
                async move {
                    let answer = answer(&mut source, left, &stop).await;
                    (source, answer)
                }
                .boxed()
            }));
            match answer.transpose()? {
                None => return Poll::Ready(None),
                Some(Answer::Stopped) => {}
                Some(Answer::Page(None)) => answers.end(),
                Some(Answer::Positions(positions)) => page.positions = positions,
                Some(Answer::Page(Some(next))) => {
                    *missed += next.missed;
                    let missed_before = page.missed;
                    *page = next;
                    page.missed += missed_before;
                }
            }
        }
    }
}

impl FusedStream for Events {
    fn is_terminated(&self) -> bool {
        self.answers.is_ended()
    }
}

/// Fetches the positions of the events that are left of a page, from this one on, of which there
/// are this many, or the next page.
async fn answer(source: &mut Source, left: Option<(u64, u64)>, stop: &Notify) -> Result<Answer> {
    if let Some((first, left)) = left {
        return Positions::fetch(source.reader(), first, left).await.map(Answer::Positions);
    }
    // A stopped `next` loses nothing: the next one completes it.
    let next = match select(pin!(source.next(Park::Never)), pin!(stop.notified())).await {
        Either::Left((next, _)) => next?,
        Either::Right(_) => return Ok(Answer::Stopped),
    };
    let Some(page) = next else { return Ok(Answer::Page(None)) };
    Ok(Answer::Page(Some(with_positions(page, source.reader()).await?)))
}

/// Returns a page with the positions of its first events.
async fn with_positions(page: Page, reader: &mut Reader) -> Result<CurrentPage> {
    let mut batches = reader.batches().await?;
    batches.reverse();
    let Page { lines, events: left, missed } = page;
    let positions = Positions::fetch(reader, 0, left).await?;
    Ok(CurrentPage { lines, batches, yielded: 0, left, missed, positions })
}

impl Reader {
    /// Returns this pass as a stream of events, each with its position and its time.
    ///
    /// ```
    /// # use futures::TryStreamExt as _;
    /// # use stratalog::{Host, LogOptions, ReadOptions, store::Store};
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), stratalog::Error> {
    /// # let (host, store) = (Host::new()?, Store::memory());
    /// # let log = host.open(&store, "errors", LogOptions::new()).await?;
    /// # log.append_lines("1\n2\n3\n").await?;
    /// # log.flush().await?;
    /// let mut events = host.read(&store, "errors").await?.into_events();
    /// let first = events.try_next().await?.expect("an event");
    /// assert_eq!(first.bytes(), "1");
    /// // Saved, this resumes behind the first event, in any process.
    /// let position = first.position().expect("a position").to_owned();
    ///
    /// let rest = ReadOptions::new().start(position);
    /// let rest: Vec<_> =
    ///     host.read_with(&store, "errors", rest).await?.into_events().try_collect().await?;
    /// assert_eq!(rest.len(), 2);
    /// # Ok(())
    /// # }
    /// ```
    pub fn into_events(self) -> Events {
        Events::new(Source::Pass(self))
    }
}

impl Follow {
    /// Returns this follower as a stream of events without end: see [`Reader::into_events`].
    pub fn into_events(self) -> Events {
        Events::new(Source::Follow(self))
    }
}

impl fmt::Debug for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Events").field("missed", &self.missed).finish_non_exhaustive()
    }
}
