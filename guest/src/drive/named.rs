//! Named positions: readers that keep their place in the log. A driver.
//!
//! 1. The highest number of a name is its position. A commit creates the next number, exclusively:
//!    of two readers that have seen the same, one does.
//! 2. A number may have been used before, and deleted since. So the commit counts only if the
//!    object before is still the one that its reader has seen. Before the first there is none: then
//!    a listing must show nothing later.
//! 3. Therefore the oldest are deleted in ascending order, each confirmed before the next.
//! 4. Each try has an attempt of its own, so no earlier try that lands late is taken for another.
//! 5. A damaged position is an error. No older one takes its place.

use std::collections::VecDeque;

use crate::drive::segment_writer::write_failed;
use crate::error::{Error, of_the_object};
use crate::format::named_position::NamedPosition;
use crate::format::names::{LogName, PositionAttempt, PositionName, PositionObject};
use crate::limits::{MISSING_TRIES, POSITION_TRIES, POSITIONS_KEPT};
use crate::mutants::{self, Mutant};
use crate::ports::{Store, System, WriteError};

mod names;
mod objects;

pub(crate) use names::kept;
pub use names::{Kept, forget, positions};
use objects::not_shown;
pub(crate) use objects::{get, list, newest};

/// A reader's part of a name.
#[derive(Clone, Debug)]
pub(crate) struct Named {
    name: PositionName,
    /// The number and the attempt of the commit seen last. 0 and none if there was none.
    number: u64,
    attempt: Option<PositionAttempt>,
    position: Option<String>,
    /// The time of that commit.
    time: u64,
    /// The numbers to delete.
    garbage: VecDeque<u64>,
    /// The lowest number that is kept. Those from here on may exist without being listed, and are
    /// deleted later, listed or not.
    oldest: u64,
    /// The attempts of this reader that may have created the next number.
    tries: Vec<PositionAttempt>,
}

/// A reader's part of a name while the reader is parked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParkedName {
    pub name: String,
    /// The number and the attempt of the commit seen last. 0 and none if there was none.
    pub number: u64,
    pub attempt: Option<u64>,
}

impl Named {
    /// Returns the part of a parked reader. None while a commit is in doubt, or while old ones are
    /// to be deleted.
    pub(crate) fn park(&self) -> Option<ParkedName> {
        let is_at_rest = self.tries.is_empty() && self.garbage.is_empty();
        is_at_rest.then(|| ParkedName {
            name: self.name.as_str().to_owned(),
            number: self.number,
            attempt: self.attempt.map(|attempt| attempt.0),
        })
    }

    /// Makes the part of a parked reader again.
    pub(crate) fn unpark(parked: ParkedName) -> Result<Self, Error> {
        let numbers = if parked.number == 0 { Vec::new() } else { vec![parked.number] };
        let named = Self::listed(PositionName::parse(&parked.name)?, numbers);
        Ok(Self { attempt: parked.attempt.map(PositionAttempt), ..named })
    }

    /// Gets the position of a name.
    ///
    /// # Errors
    /// [`Error::Damaged`] if the newest cannot be read, [`Error::Unsupported`] if it has a newer
    /// format, [`Error::StoreFailed`].
    pub(crate) fn open<S: Store>(
        store: &S,
        log: &LogName,
        name: PositionName,
    ) -> Result<Self, Error> {
        for _ in 0..MISSING_TRIES {
            let named = Self::list(store, log, name.clone())?;
            if named.number == 0 {
                return Ok(named);
            }
            if let Some(named) = named.with_newest(store, log)? {
                return Ok(named);
            }
        }
        let prefix = log.positions(Some(&name));
        let message = format!(
            "cannot read {prefix}*: the listing has the position, but {MISSING_TRIES} reads did \
             not find it; retry, and check the store if this repeats"
        );
        Err(Error::StoreFailed { message, transient: true })
    }

    /// As [`Named::open`], but does not get the newest object. It may be damaged: what is committed
    /// next does not depend on it.
    fn list<S: Store>(store: &S, log: &LogName, name: PositionName) -> Result<Self, Error> {
        let listed = list(store, log, Some(&name))?;
        Ok(Self::listed(name, listed.into_iter().map(|object| object.number).collect()))
    }

    /// The part of a reader that has listed the name, and these numbers in their order.
    fn listed(name: PositionName, numbers: Vec<u64>) -> Self {
        let number = numbers.last().copied().unwrap_or_default();
        let oldest = (number + 1).saturating_sub(POSITIONS_KEPT).max(1);
        let garbage = numbers.into_iter().filter(|number| *number < oldest).collect();
        Self {
            name,
            number,
            attempt: None,
            position: None,
            time: 0,
            garbage,
            oldest,
            tries: Vec::new(),
        }
    }

    /// Gets the newest object. None if it was deleted since: later ones exist.
    fn with_newest<S: Store>(self, store: &S, log: &LogName) -> Result<Option<Self>, Error> {
        let found = self.get(store, log, self.number)?;
        Ok(found.map(|NamedPosition { attempt, position, time, .. }| Self {
            attempt: Some(attempt),
            position,
            time,
            ..self
        }))
    }

    /// The position that was committed last, by this reader or before it. None if none was, or if
    /// the name was forgotten since.
    pub(crate) fn position(&self) -> Option<&str> {
        self.position.as_deref()
    }

    /// Commits a position; none forgets the name.
    ///
    /// # Errors
    /// [`Error::Conflict`] if another reader has committed. After [`Error::WriteFailed`] or
    /// [`Error::StoreFailed`] the call can be repeated.
    pub(crate) fn commit<S: Store, Y: System>(
        &mut self,
        store: &S,
        system: &Y,
        log: &LogName,
        position: Option<String>,
    ) -> Result<(), Error> {
        for _ in 0..POSITION_TRIES {
            // An earlier try may have landed: then this commit comes after it.
            if !self.tries.is_empty() {
                self.confirm(store, system, log)?;
            }
            let object = self.object(log, self.number + 1)?;
            let attempt = {
                let [high, low] = [system.random_u32(), system.random_u32()].map(u64::from);
                PositionAttempt(high << 32 | low)
            };
            let named = NamedPosition {
                object: object.clone(),
                attempt,
                // Of a damaged one that is forgotten, the attempt is not known.
                previous: (self.number > 0).then(|| self.attempt.unwrap_or(PositionAttempt(0))),
                position: position.clone(),
                time: system.now_micros(),
            };
            let bytes = named.encode().map_err(|error| Error::Unsupported(error.to_string()))?;
            let key = log.key(&object);
            self.tries.push(attempt);
            let doubt = match store.create_exclusive(&key, &bytes) {
                Ok(()) => {
                    self.advance(store, system, log, named)?;
                    return Ok(());
                }
                Err(error @ WriteError::NotWritten(_)) => {
                    self.tries.pop();
                    return Err(write_failed(&key, error));
                }
                Err(doubt) => doubt,
            };
            match self.confirm(store, system, log)? {
                Some(found) if found == attempt => return Ok(()),
                Some(_) => {}
                None => {
                    return Err(match doubt {
                        WriteError::AlreadyExists => not_shown(&key),
                        doubt => write_failed(&key, doubt),
                    });
                }
            }
        }
        Err(self.conflict(log))
    }

    /// Gets the next number, which a try of this reader may have created, and advances to it. None
    /// if it does not exist.
    fn confirm<S: Store, Y: System>(
        &mut self,
        store: &S,
        system: &Y,
        log: &LogName,
    ) -> Result<Option<PositionAttempt>, Error> {
        let Some(mut found) = self.get(store, log, self.number + 1)? else { return Ok(None) };
        if !self.tries.contains(&found.attempt) {
            if !mutants::is(Mutant::ConflictIgnored) {
                return Err(self.conflict(log));
            }
            found.attempt = self.tries.last().copied().unwrap_or(found.attempt);
        }
        let attempt = found.attempt;
        self.advance(store, system, log, found)?;
        Ok(Some(attempt))
    }

    /// Checks that the number of a commit was not used before, and continues from it.
    fn advance<S: Store, Y: System>(
        &mut self,
        store: &S,
        system: &Y,
        log: &LogName,
        commit: NamedPosition,
    ) -> Result<(), Error> {
        let is_new = match (self.number, self.attempt) {
            (0, _) if mutants::is(Mutant::FirstUnchecked) => true,
            (0, _) => {
                let listed = list(store, log, Some(&self.name))?;
                listed.last().is_none_or(|last| last.number <= commit.object.number)
            }
            (_, Some(_)) if mutants::is(Mutant::PredecessorUnchecked) => true,
            (number, Some(attempt)) => {
                let before = self.get(store, log, number)?;
                before.is_some_and(|before| before.attempt == attempt)
            }
            // It is damaged: that it exists is enough.
            (number, None) => self.exists(store, log, number)?,
        };
        if !is_new {
            return Err(self.conflict(log));
        }
        let NamedPosition { object, attempt, position, time, .. } = commit;
        self.number = object.number;
        self.attempt = Some(attempt);
        self.position = position;
        self.time = time;
        self.tries.clear();
        self.collect(store, system, log);
        Ok(())
    }

    /// Deletes what is not kept, as far as the store confirms each delete.
    fn collect<S: Store, Y: System>(&mut self, store: &S, system: &Y, log: &LogName) {
        while self.oldest + POSITIONS_KEPT <= self.number {
            self.garbage.push_back(self.oldest);
            self.oldest += 1;
        }
        if mutants::is(Mutant::CollectUnordered) {
            self.garbage.make_contiguous().reverse();
        }
        while let Some(number) = self.garbage.front()
            && let Some(object) = self.name.object(*number)
        {
            let key = log.key(object);
            if let Some((_, error)) = store.delete(std::slice::from_ref(&key)).first() {
                let why = of_the_object(&error.message, &key);
                system.warn(&format!("cannot delete {key}: {why}; the next commit deletes it"));
                break;
            }
            self.garbage.pop_front();
        }
    }

    fn object(&self, log: &LogName, number: u64) -> Result<PositionObject, Error> {
        self.name.object(number).ok_or_else(|| {
            let log = log.as_str();
            let name = self.name.as_str();
            Error::Unsupported(format!(
                "cannot commit under the name {name} of the log {log}: {number} has more than 19 \
                 digits; use another name"
            ))
        })
    }

    fn get<S: Store>(
        &self,
        store: &S,
        log: &LogName,
        number: u64,
    ) -> Result<Option<NamedPosition>, Error> {
        let object = self.object(log, number)?;
        get(store, log, object)
    }

    fn exists<S: Store>(&self, store: &S, log: &LogName, number: u64) -> Result<bool, Error> {
        match self.get(store, log, number) {
            Err(Error::Damaged(_)) => Ok(true),
            got => Ok(got?.is_some()),
        }
    }

    fn conflict(&self, log: &LogName) -> Error {
        let (name, log) = (self.name.as_str(), log.as_str());
        Error::Conflict(format!(
            "another reader has committed under the name {name} of the log {log} since this one \
             was opened, or the name was forgotten; open the log under this name again"
        ))
    }
}
