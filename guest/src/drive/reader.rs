//! A series of reading passes. A driver: the cursor decides which events to yield.

use std::collections::VecDeque;
use std::rc::Rc;

use crate::decide::cursor::{Cursor, Pending, Step, Times};
use crate::decide::page::Page;
use crate::decide::source::Source;
use crate::drive::catalog::Catalog;
use crate::drive::source_reader::{Interrupted, SourceReader};
use crate::error::Error;
use crate::format::index::Index;
use crate::format::lines;
use crate::format::manifest::SegmentRecord;
use crate::format::names::LogName;
use crate::format::position::Position;
use crate::limits::PAGE_BYTES_TARGET;
use crate::ports::{HostBytes, Store};

mod load;
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
    tail: Option<VecDeque<Vec<u8>>>,
    page: Page<S::Bytes>,
    /// The position before the last page.
    before: Position,
    stage: Stage<S>,
    /// An error to report after the events before it.
    failed: Option<Error>,
    missing: Missing,
    /// Damage that was skipped and not reported yet. None if damage is an error.
    skipped: Option<Vec<Skipped>>,
}

enum Stage<S: Store> {
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
}

/// The source that was gone last time.
#[derive(Default)]
struct Missing {
    source: Option<Source>,
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
        let tail = pending.map(|pending| {
            let sealed = pending.sealed.map(|(_, lines)| lines).unwrap_or_default();
            VecDeque::from([sealed, pending.lines])
        });
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
            before: Position::default(),
            stage,
            failed: None,
            missing: Missing::default(),
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
        if matches!(self.stage, Stage::Ended) && self.tail.is_none() && !self.cursor.is_full() {
            self.stage = Stage::Load;
        }
        while self.page.bytes() < PAGE_BYTES_TARGET {
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
            Stage::Load => self.load()?,
            Stage::Steps(steps) => self.begin_step(steps)?,
            Stage::Sources(reading) => self.read_on(reading)?,
            Stage::Tail => {
                self.stage = Stage::Tail;
                let tail = self.tail.get_or_insert_default();
                if self.cursor.met_sealed() && tail.len() == 2 {
                    tail.pop_front();
                }
                match tail.pop_front() {
                    Some(lines) if lines.is_empty() => {}
                    Some(lines) => {
                        self.page.push(S::Bytes::new(&lines), lines::count(&lines));
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
        let mut sources = Vec::new();
        while let Some(step) = steps.front() {
            match step {
                Step::Whole(segment) => {
                    sources.extend([Source::Index(*segment), Source::Segment(*segment)]);
                }
                Step::Batch(batch) => sources.push(Source::Batch(*batch)),
                Step::Some(_) | Step::Skip(_) => break,
            }
            steps.pop_front();
        }
        let mut of = None;
        if sources.is_empty() {
            match steps.pop_front() {
                Some(Step::Some(segment)) => {
                    let index = match self.catalog.index_of(&segment) {
                        Ok(Some(index)) => index,
                        Ok(None) => return self.load_again(Source::Index(segment)),
                        Err(error) => return self.skip(error, Some(Source::Index(segment))),
                    };
                    match self.cursor.enter(&segment, &index) {
                        Some(range) => sources.push(Source::SegmentRange(range)),
                        None => self.cursor.leave(&segment, Some(&index)),
                    }
                    of = Some((segment, index));
                }
                Some(Step::Skip(segment)) => self.cursor.leave(&segment, None),
                Some(Step::Whole(_) | Step::Batch(_)) => {}
                None => {
                    self.stage = if self.tail.is_some() { Stage::Tail } else { Stage::Done };
                    return Ok(());
                }
            }
        }
        self.stage = if sources.is_empty() {
            Stage::Steps(steps)
        } else {
            let (store, log) = (self.catalog.store.clone(), self.catalog.name.clone());
            let sources = SourceReader::new(store, log, sources);
            Stage::Sources(Box::new(Reading { sources, segment: of, later: steps }))
        };
        Ok(())
    }

    fn read_on(&mut self, mut reading: Box<Reading<S>>) -> Result<(), Error> {
        match reading.sources.next() {
            Ok(Some(chunk)) => {
                let wanted: Vec<_> =
                    chunk.spans.iter().map(|span| self.cursor.pass(span)).collect();
                self.page.take(chunk, &wanted);
                self.stage =
                    if self.cursor.is_full() { Stage::Done } else { Stage::Sources(reading) };
            }
            Ok(None) => {
                if let Some((segment, index)) = &reading.segment {
                    self.cursor.leave(segment, Some(index));
                }
                self.stage = Stage::Steps(reading.later);
            }
            Err(Interrupted::Failed(error)) => {
                let source = reading.sources.current().cloned();
                return self.skip(error, source);
            }
            Err(Interrupted::Gone(source)) => {
                if let Err(error) = self.load_again((*source).clone()) {
                    return self.skip(error, Some(*source));
                }
            }
        }
        Ok(())
    }
}
