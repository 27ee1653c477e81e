//! A reader between two pages, without its instance. A driver.
//!
//! 1. A reader is parked only with nothing left to report. So its state is its position, what is
//!    left of its options, and what its next poll needs of the last load.
//! 2. A reader that was parked yields what it would have yielded otherwise, each event once. Only
//!    the manifest and the indexes that it has read are lost, and it gets again what it needs of
//!    them. In the middle of a pass it loads the log again, so that pass also yields what is new.

use super::{Missing, Reader, Stage};
use crate::decide::cursor::{Cursor, Times};
use crate::decide::page::Page;
use crate::decide::places::Places;
use crate::drive::catalog::{Catalog, LastLoad};
use crate::drive::named::{Named, ParkedName};
use crate::error::Error;
use crate::format::names::{Generation, LogName, WriterId};
use crate::format::numbers::{to_u64, to_usize};
use crate::format::position::{Entry, Position};
use crate::mutants::{self, Mutant};
use crate::ports::Store;

/// The state of a parked reader.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParkedReader {
    pub position: String,
    /// The number of last events to start at, if no load has found the start yet.
    pub last: Option<u64>,
    /// The number of events that may still be yielded.
    pub left: Option<u64>,
    /// The times of the batches that it yields, in microseconds since 1970.
    pub since: Option<u64>,
    pub until: Option<u64>,
    /// True if it skips damage.
    pub skips_damaged: bool,
    /// True if trimmed events do not count as missed yet.
    pub is_fresh: bool,
    /// True if a log that does not exist is still to be reported.
    pub must_exist: bool,
    /// True once a load has placed it.
    pub is_placed: bool,
    pub next: Next,
    /// The highest generation that was seen.
    pub generation: u64,
    pub last_load: LastLoad,
    /// The polls since that load.
    pub polls: u64,
    /// The name that it keeps its position under.
    pub named: Option<ParkedName>,
}

/// The first step of the next call of [`Reader::next_page`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// It loads the log.
    Load,
    /// It returns none: all events of the last load were yielded.
    End,
    /// It polls: that was returned.
    Poll,
}

impl<S: Store> Reader<S> {
    /// Returns the state. None for the pass of a handle, and while the reader has an error or
    /// damage to report, a commit in doubt, or batches that it did not find.
    pub fn park(&self) -> Option<ParkedReader> {
        let is_at_rest = self.failed.is_none()
            && self.tail.is_none()
            && self.skipped.as_ref().is_none_or(Vec::is_empty)
            && !self.catalog.has_doubts()
            // A commit would not know that it is one.
            && !(self.named.is_some() && self.catalog.is_mirror());
        if !is_at_rest {
            return None;
        }
        let named = match &self.named {
            Some(named) => Some(named.park()?),
            None => None,
        };
        let Times { since, until } = self.cursor.times();
        Some(ParkedReader {
            position: self.cursor.position().encode(),
            last: self.last,
            left: self.cursor.left(),
            since,
            until,
            skips_damaged: self.skipped.is_some(),
            is_fresh: self.fresh,
            must_exist: self.must_exist,
            is_placed: self.is_placed,
            next: match self.stage {
                Stage::Ended => Next::Poll,
                Stage::Done => Next::End,
                Stage::Poll | Stage::Load | Stage::Steps(_) | Stage::Sources(_) | Stage::Tail => {
                    Next::Load
                }
            },
            generation: self.catalog.seen().0,
            last_load: self.catalog.last_load(),
            polls: to_u64(self.polls),
            named,
        })
    }

    /// Makes a reader of the state of a parked one.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] for a state that is of no reader.
    pub fn unpark(store: S, name: &str, parked: ParkedReader) -> Result<Self, Error> {
        let mut position = Position::decode(&parked.position)?;
        let parked = unless_lost(parked, &mut position);
        let ParkedReader { since, until, skips_damaged, generation, .. } = parked;
        let mut catalog = Catalog::new(store, LogName::parse(name)?);
        catalog.record_generation(Generation(generation));
        if !catalog.continue_from(parked.last_load) {
            return Err(Error::InvalidInput(format!(
                "cannot continue to read the log {name}: the state is of no parked reader; pass \
                 it as `park-reader` has returned it"
            )));
        }
        Ok(Self {
            catalog,
            before: position.clone(),
            cursor: Cursor::new(position, Times { since, until }, parked.left),
            last: parked.last,
            fresh: parked.is_fresh,
            must_exist: parked.must_exist,
            tail: None,
            page: Page::default(),
            page_ends: false,
            places: Places::default(),
            is_placed: parked.is_placed,
            named: parked.named.map(Named::unpark).transpose()?,
            stage: match parked.next {
                Next::Load => Stage::Load,
                Next::End => Stage::Done,
                Next::Poll => Stage::Ended,
            },
            failed: None,
            missing: Missing::default(),
            polls: to_usize(parked.polls),
            skipped: skips_damaged.then(Vec::new),
        })
    }
}

/// Loses one part of the state, if a test says so.
fn unless_lost(mut parked: ParkedReader, position: &mut Position) -> ParkedReader {
    if mutants::is(Mutant::ParkedReaderWithoutYielded) {
        *position = Position { log: position.log, next: position.next, ..Position::default() };
    }
    if mutants::is(Mutant::ParkedReaderAhead) {
        let ahead = |(writer, entry): (&WriterId, &Entry)| {
            (*writer, Entry { number: entry.number.saturating_add(1), ..*entry })
        };
        position.writers = position.writers.iter().map(ahead).collect();
    }
    if mutants::is(Mutant::ParkedReaderWithoutTimes) {
        (parked.since, parked.until) = (None, None);
    }
    if mutants::is(Mutant::ParkedReaderWithoutStart) {
        parked.last = None;
    }
    if mutants::is(Mutant::ParkedReaderWithoutLimit) {
        parked.left = None;
    }
    if mutants::is(Mutant::ParkedReaderFresh) {
        parked.is_fresh = true;
    }
    if mutants::is(Mutant::ParkedReaderOfAnyLog) {
        parked.must_exist = false;
    }
    if mutants::is(Mutant::ParkedReaderAtEnd) && parked.next == Next::Load {
        parked.next = Next::End;
    }
    if mutants::is(Mutant::ParkedReaderWithoutGeneration) {
        parked.generation = 0;
    }
    if mutants::is(Mutant::ParkedReaderWithoutCommit)
        && let Some(named) = &mut parked.named
    {
        (named.number, named.attempt) = (0, None);
    }
    parked
}
