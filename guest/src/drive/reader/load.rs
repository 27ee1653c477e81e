//! Loads the log for a reading pass, and moves the pass to its start.

use super::{Missing, Reader, Skipped, Stage};
use crate::decide::log_state::LogState;
use crate::decide::overtaken::Overtaken;
use crate::decide::source::{Source, SourceObject};
use crate::drive::catalog::Scope;
use crate::drive::interrupted::Interrupted;
use crate::drive::source_reader;
use crate::error::Error;
use crate::format::names::ObjectName;
use crate::limits::MISSING_TRIES;
use crate::mutants::{self, Mutant};
use crate::ports::Store;

impl<S: Store> Reader<S> {
    /// Loads the log with the scope that shows if the newest manifest is gone.
    fn first_load(&mut self) -> Result<LogState, Error> {
        let damage = match self.catalog.load(Scope::Full) {
            Err(Error::Damaged(damage)) if self.skipped.is_some() => damage,
            loaded => return loaded,
        };
        // The state as far as the manifests can be read. If none can, that is the damage.
        let state = self.catalog.load(Scope::Read)?;
        self.skipped.get_or_insert_default().push(Skipped { damage, events: None });
        Ok(state)
    }

    /// Polls for new events. Returns true if a load is necessary to find them.
    pub(super) fn is_load_due(&mut self) -> Result<bool, Error> {
        self.polls += 1;
        let is_due = self.catalog.polls_before_load().is_some_and(|polls| self.polls >= polls);
        Ok((is_due && !mutants::is(Mutant::PollTheNewestOnly)) || self.catalog.has_news()?)
    }

    pub(super) fn load(&mut self) -> Result<(), Interrupted> {
        // No event is in the page.
        self.places.clear();
        let cursor = &self.cursor;
        let state = if self.must_exist {
            self.first_load()?
        } else {
            self.catalog.load_new(Scope::Read, &|batch| cursor.knows(batch))?
        };
        if self.must_exist {
            let exists = self.catalog.check_exists(&state);
            self.must_exist = matches!(exists, Err(Error::StoreFailed { .. }));
            exists?;
        }
        if !mutants::is(Mutant::SkipIdentity) {
            self.catalog.check_position(self.cursor.position(), &state)?;
        }
        let had_identity = self.cursor.position().log.is_some();
        self.cursor.set_log(state.log());
        let (next, end) = (self.cursor.position().next, state.next_position());
        if next > end {
            let log = self.catalog.name.as_str();
            // Its identity was checked, if it has one: then the log did have that position.
            let why = match had_identity {
                true => format!(
                    "position {next} is beyond the compacted events of the log {log}, which end at \
                     {end}: later manifests are gone, and a repair put their events back without \
                     positions; read from position {end}, and expect some events again"
                ),
                false => format!(
                    "position {next} is beyond the compacted events of the log {log}, which end at \
                     {end}; pass a position of this log, or compact it: only compacted events have \
                     numbers"
                ),
            };
            return Err(Error::InvalidInput(why).into());
        }
        if let Some(events) = self.last {
            self.begin_at_last(events, &state)?;
            self.last = None;
        }
        if state.first_position() > self.cursor.position().next {
            self.page.missed += self.skip_trimmed(&state)?;
        }
        self.fresh = false;
        self.is_placed = true;
        self.polls = 0;
        self.stage = Stage::Steps(self.cursor.plan(&state).into());
        Ok(())
    }

    /// Starts at the last events that can be read.
    fn begin_at_last(&mut self, events: u64, state: &LogState) -> Result<(), Interrupted> {
        let mut left = events;
        let mut earlier = &state.live[..];
        let mut cut = None;
        while left > 0
            && let Some((batch, before)) = earlier.split_last()
        {
            earlier = before;
            let events = match batch.name.origin {
                Some(origin) => origin.events,
                // Only the events of a legacy batch must be counted.
                None => {
                    let source = Source::Batch(*batch);
                    source_reader::count_first(&self.catalog, source, u64::MAX)?.0
                }
            };
            if events > left {
                cut = Some((batch.name, events - left));
            }
            left = left.saturating_sub(events);
        }
        let position = self.catalog.position_of_last(state, left)?;
        self.cursor.skip_all_live(earlier.iter().map(|batch| batch.name).collect());
        if let Some((batch, events)) = cut {
            self.cursor.skip_live(batch, Some(events));
        }
        self.cursor.skip_to(position.max(state.first_position()));
        Ok(())
    }

    /// Moves behind the trimmed events. Returns the number of them that were not yielded.
    fn skip_trimmed(&mut self, state: &LogState) -> Result<u64, Interrupted> {
        let live = state.live.iter().chain(&state.hidden);
        let position = self.cursor.position();
        let mut overtaken = Overtaken::new(position, state.first_position(), live);
        let left = state.segments().iter().map(|segment| (segment, false));
        let retired = state.retired().iter().map(|retired| (&retired.segment, true));
        for (segment, is_retired) in left.chain(retired) {
            if overtaken.needs(segment, is_retired) {
                let index = self.catalog.require_index(segment)?;
                overtaken.take(segment, &index, is_retired);
            }
        }
        let missed = self.cursor.overtaken(overtaken);
        Ok(if self.fresh { 0 } else { missed })
    }

    /// The log was compacted: the object's events are in a segment now. An error if the same object
    /// is gone again.
    pub(super) fn load_again(&mut self, gone: SourceObject) -> Result<(), Error> {
        self.stage = Stage::Load;
        let name = gone.name;
        if self.missing.object.as_ref() != Some(&gone) {
            self.missing = Missing { object: Some(gone), times: 1 };
            return Ok(());
        }
        self.missing.times += 1;
        match name {
            ObjectName::Batch(_) if self.missing.times < MISSING_TRIES => Ok(()),
            ObjectName::Batch(_) => Err(Error::StoreFailed {
                message: format!(
                    "cannot read {}: the batch is listed but does not exist; try again, and \
                     check the store if this repeats",
                    self.catalog.name.key(name)
                ),
                transient: true,
            }),
            _ => Err(self.catalog.absent(name)?),
        }
    }

    /// Makes polls cover this many batches.
    #[cfg(test)]
    pub(crate) fn poll_batches(&mut self, batches: usize) {
        self.catalog.poll_batches(batches);
    }
}
