//! A series of reading passes. A driver: the cursor decides which events to yield.

use std::collections::VecDeque;
use std::rc::Rc;

use crate::decide::cursor::{Cursor, Pending, Step, Times};
use crate::decide::page::Page;
use crate::decide::places::Places;
use crate::decide::source::{Request, Source, SourceObject};
use crate::drive::catalog::Catalog;
use crate::drive::interrupted::Interrupted;
use crate::drive::named::Named;
use crate::drive::source_reader::SourceReader;
use crate::error::Error;
use crate::format::index::Index;
use crate::format::lines;
use crate::format::manifest::SegmentRecord;
use crate::format::names::{BatchTime, LogName};
use crate::format::position::Position;
use crate::format::verified_chunk::VerifiedChunk;
use crate::limits::PAGE_BYTES_TARGET;
use crate::ports::{HostBytes, Store};

mod load;
mod named;
pub mod parked;
mod places;
mod skip;

pub use skip::Skipped;

/// The options of a read. Without any, all stored events.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReadOptions {
    /// A position that a reader returned.
    pub start: Option<String>,
    pub last: Option<u64>,
    pub limit: Option<u64>,
    /// Microseconds since 1970.
    pub since: Option<u64>,
    pub until: Option<u64>,
    pub pending: Option<Pending>,
}

/// Reads a log.
pub struct Reader<S: Store> {
    catalog: Catalog<S>,
    cursor: Cursor,
    /// Start at the last N events.
    last: Option<u64>,
    /// True if trimmed events do not count as missed, since no event was read before.
    fresh: bool,
    /// True if a log that does not exist is still to be reported.
    must_exist: bool,
    /// The pending events of a writer's snapshot that are left, after all stored events.
    tail: Option<Tail>,
    page: Page<S::Bytes>,
    /// True if the page ends before the next chunk.
    page_ends: bool,
    /// The position before the last page.
    before: Position,
    /// The events of the last page.
    places: Places,
    /// True once a load has placed the reader.
    is_placed: bool,
    /// The name under which the reader keeps its position.
    named: Option<Named>,
    stage: Stage<S>,
    /// An error to report after the events before it.
    failed: Option<Error>,
    missing: Missing,
    /// The polls since the last load.
    polls: usize,
    /// Damage that was skipped and not reported yet. None if damage is an error.
    skipped: Option<Vec<Skipped>>,
}

enum Stage<S: Store> {
    /// List what may be new, after all events of the last load were yielded.
    Poll,
    /// Load the log, again if necessary.
    Load,
    Steps(VecDeque<Step>),
    Sources(Box<Reading<S>>),
    Tail,
    /// All events of the last load were yielded.
    Done,
    /// And the caller has been informed.
    Ended,
}

/// The sources being read, and the steps after them.
struct Reading<S: Store> {
    sources: SourceReader<S>,
    /// The segment of the sources, if they are only a range of it.
    segment: Option<(SegmentRecord, Rc<Index>)>,
    later: VecDeque<Step>,
    /// A chunk that is a page of its own, and comes next.
    next: Option<VerifiedChunk<S::Bytes>>,
}

/// The pending events of a writer's snapshot: its sealed batches, each with its time, then its
/// buffer.
struct Tail(VecDeque<(usize, PendingLines)>);

/// Pending events, and the time of their batch, if they are sealed.
type PendingLines = (Option<BatchTime>, Vec<u8>);

impl Tail {
    fn new(pending: Pending) -> Self {
        let sealed = pending.sealed.into_iter().map(|(name, lines)| (Some(name.time), lines));
        Self(sealed.chain([(None, pending.lines)]).enumerate().collect())
    }

    /// Returns the next events that are not stored. The first `met` batches are.
    fn next(&mut self, met: usize) -> Option<PendingLines> {
        let mut left = std::iter::from_fn(|| self.0.pop_front());
        let is_left =
            |(place, (_, lines)): &(usize, PendingLines)| *place >= met && !lines.is_empty();
        left.find(is_left).map(|(_, left)| left)
    }
}

/// The object that was gone last time.
#[derive(Default)]
struct Missing {
    object: Option<SourceObject>,
    times: u32,
}

impl<S: Store> Reader<S> {
    /// Starts a pass.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] for an invalid position, and for options that exclude each other.
    pub fn new(store: S, log: LogName, options: ReadOptions) -> Result<Self, Error> {
        let ReadOptions { start, last, limit, since, until, pending } = options;
        let only = |what: &str| Error::InvalidInput(format!("{what}: give one of them"));
        if start.is_some() && last.is_some() {
            return Err(only("cannot combine `start` with `last`"));
        }
        let bounded = start.is_some() || last.is_some() || limit.is_some();
        if pending.is_some() && (bounded || since.is_some() || until.is_some()) {
            return Err(only("cannot combine `pending` with other read options"));
        }
        let fresh = start.is_none();
        let start = start.as_deref().map(Position::decode).transpose()?.unwrap_or_default();
        let cursor = match &pending {
            Some(pending) => Cursor::of_writer(pending),
            None => Cursor::new(start, Times { since, until }, limit),
        };
        let must_exist = pending.is_none();
        let tail = pending.map(Tail::new);
        let catalog = Catalog::new(store, log);
        let stage = if cursor.is_full() { Stage::Done } else { Stage::Load };
        Ok(Self {
            catalog,
            cursor,
            last,
            fresh,
            must_exist,
            tail,
            page: Page::default(),
            page_ends: false,
            before: Position::default(),
            places: Places::default(),
            is_placed: false,
            named: None,
            stage,
            failed: None,
            missing: Missing::default(),
            polls: 0,
            skipped: None,
        })
    }

    /// Returns the next events, or none at the end. A further call loads new events, unless the
    /// pass has ended: a writer's own, or one whose limit is reached.
    ///
    /// # Errors
    /// [`Error::NoLog`], once, if the first load finds no object of the log, unless the pass is a
    /// writer's own. After [`Error::StoreFailed`] the next call resumes the pass.
    /// [`Error::Damaged`] comes after all events before the damage.
    pub fn next_page(&mut self) -> Result<Option<Page<S::Bytes>>, Error> {
        if let Some(error) = self.failed.take() {
            return Err(error);
        }
        self.before.clone_from(self.cursor.position());
        self.places.clear();
        if matches!(self.stage, Stage::Ended) && self.tail.is_none() && !self.cursor.is_full() {
            self.stage = Stage::Poll;
        }
        self.page_ends = false;
        while self.page.bytes() < PAGE_BYTES_TARGET && !self.page_ends {
            // A load may find that events were trimmed: report that before the later events.
            if matches!(self.stage, Stage::Load) && self.page.events > 0 {
                break;
            }
            let advanced = self.advance();
            // They precede the position of this page, so it reports them.
            self.page.missed += self.cursor.take_lost();
            match advanced {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) => {
                    self.stage = Stage::Load;
                    if self.page.events == 0 && self.page.missed == 0 {
                        return Err(error);
                    }
                    self.failed = Some(error);
                    break;
                }
            }
        }
        let page = std::mem::take(&mut self.page);
        if page.events > 0 || page.missed > 0 {
            return Ok(Some(page));
        }
        self.stage = Stage::Ended;
        Ok(None)
    }

    /// The reader's position, directly behind the last page. None for a writer's own pass.
    pub fn position(&self) -> Option<String> {
        self.text_of(self.cursor.position())
    }

    /// The reader's position before the last page returned. None for a writer's own pass.
    pub fn position_before(&self) -> Option<String> {
        self.text_of(&self.before)
    }

    fn text_of(&self, position: &Position) -> Option<String> {
        self.tail.is_none().then(|| position.encode())
    }

    /// Does one step. Returns false when the pass is over.
    fn advance(&mut self) -> Result<bool, Error> {
        match std::mem::replace(&mut self.stage, Stage::Load) {
            Stage::Poll => {
                if !self.is_load_due()? {
                    self.stage = Stage::Done;
                }
            }
            Stage::Load => match self.load() {
                Err(Interrupted::Gone(gone)) => self.load_again(*gone)?,
                Err(Interrupted::Failed(error)) => return Err(error),
                Ok(()) => {}
            },
            Stage::Steps(steps) => self.begin_step(steps)?,
            Stage::Sources(reading) => self.read_on(reading)?,
            Stage::Tail => {
                self.stage = Stage::Tail;
                let met = self.cursor.met_sealed();
                match self.tail.as_mut().and_then(|tail| tail.next(met)) {
                    Some((time, lines)) => {
                        let events = lines::count(&lines);
                        self.places.pending(events, time);
                        self.page.push(S::Bytes::new(&lines), events);
                    }
                    None => self.stage = Stage::Done,
                }
            }
            Stage::Done | Stage::Ended => {
                self.stage = Stage::Done;
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn begin_step(&mut self, mut steps: VecDeque<Step>) -> Result<(), Error> {
        match steps.pop_front() {
            Some(Step::Read(source)) => {
                let more = steps.iter().take_while(|step| matches!(step, Step::Read(_)));
                let mut sources = Vec::with_capacity(more.count() + 1);
                sources.push(source);
                let is_read = |step: &mut Step| matches!(step, Step::Read(_));
                while let Some(Step::Read(source)) = steps.pop_front_if(is_read) {
                    sources.push(source);
                }
                self.read(sources, None, steps);
            }
            Some(Step::ReadSome(segment)) => {
                let index = match self.catalog.require_index(&segment) {
                    Ok(index) => index,
                    Err(Interrupted::Gone(gone)) => return self.load_again(*gone),
                    Err(Interrupted::Failed(error)) => {
                        return self.skip(error, Some(SourceObject::index(*segment)));
                    }
                };
                self.places.enter(&self.cursor, &segment, &index);
                match self.cursor.enter(&segment, &index) {
                    Some(range) => {
                        let sources = vec![Source::range(range)];
                        self.read(sources, Some((*segment, index)), steps);
                    }
                    None => {
                        self.leave(&segment, Some(&index));
                        self.stage = Stage::Steps(steps);
                    }
                }
            }
            Some(Step::Skip(segment)) => {
                self.leave(&segment, None);
                self.stage = Stage::Steps(steps);
            }
            Some(Step::Pass(batch)) => {
                self.places.pass(&self.cursor, batch);
                self.cursor.skip_live(batch, None);
                self.stage = Stage::Steps(steps);
            }
            Some(Step::Gone(batch)) => return self.skip_gone(batch),
            None => self.stage = if self.tail.is_some() { Stage::Tail } else { Stage::Done },
        }
        Ok(())
    }

    /// Passes the rest of a segment.
    fn leave(&mut self, segment: &SegmentRecord, index: Option<&Rc<Index>>) {
        self.places.leave(&self.cursor, segment, index);
        self.cursor.leave(segment, index.map(Rc::as_ref));
    }

    fn read(
        &mut self,
        sources: Vec<Source>,
        segment: Option<(SegmentRecord, Rc<Index>)>,
        later: VecDeque<Step>,
    ) {
        let sources = SourceReader::new(&self.catalog, sources, Request::Recorded);
        let reading = Reading { sources, segment, later, next: None };
        self.stage = Stage::Sources(Box::new(reading));
    }

    fn read_on(&mut self, mut reading: Box<Reading<S>>) -> Result<(), Error> {
        let next = match reading.next.take() {
            Some(chunk) => Ok(Some(chunk)),
            None => reading.sources.next(),
        };
        match next {
            // Joined to what the page has, it would be copied.
            Ok(Some(chunk))
                if self.page.bytes() > 0 && chunk.lines.length() >= PAGE_BYTES_TARGET =>
            {
                self.page_ends = true;
                reading.next = Some(chunk);
                self.stage = Stage::Sources(reading);
            }
            Ok(Some(chunk)) => {
                let VerifiedChunk { spans, lines } = chunk;
                self.places.begin(&self.cursor);
                let wanted: Vec<_> = spans.iter().map(|span| self.cursor.pass(span)).collect();
                self.page.take(lines, &spans, &wanted);
                self.places.spans(spans, wanted);
                if self.places.is_full() {
                    // Without an event, nothing needs the moves: the page continues.
                    match self.page.events {
                        0 => self.places.clear(),
                        _ => self.page_ends = true,
                    }
                }
                self.stage =
                    if self.cursor.is_full() { Stage::Done } else { Stage::Sources(reading) };
            }
            Ok(None) => {
                if let Some((segment, index)) = &reading.segment {
                    self.leave(segment, Some(index));
                }
                self.stage = Stage::Steps(reading.later);
            }
            Err(Interrupted::Failed(error)) => {
                return self.skip(error, reading.sources.current().cloned());
            }
            Err(Interrupted::Gone(gone)) => {
                if let Err(error) = self.load_again((*gone).clone()) {
                    return self.skip(error, Some(*gone));
                }
            }
        }
        Ok(())
    }
}
