//! A writer of a source that can be read again. A driver.
//!
//! 1. The caller seals events, records the name of the batch durably, and starts the create only
//!    then. So after a crash it knows each batch that may be in the store.
//! 2. A later writer continues the batches recorded: those that are stored need nothing, and the
//!    others are created under the same names with the same bytes. So none is stored twice.
//! 3. Of a writer a gapless prefix is visible. So all batches up to the last one that is visible or
//!    absorbed are stored. One behind a gap counts as not stored.
//! 4. A batch that is not found, and is not newer than the horizon, may have been trimmed. It is
//!    not created again: nothing would show that its events were in the log before.

use super::sealed::{CreateState, Sealed};
use super::{Writer, Written};
use crate::decide::buffer::Buffer;
use crate::decide::options::OptionsInput;
use crate::decide::window::Window;
use crate::drive::catalog::{Catalog, Scope};
use crate::error::Error;
use crate::error::quantities::count;
use crate::format::batch;
use crate::format::names::{BatchName, BatchTime, LogName};
use crate::format::numbers::to_u64;
use crate::format::ordered::Set;
use crate::limits::MISSING_TRIES;
use crate::mutants::{self, Mutant};
use crate::ports::{HostBytes, Store, System};

/// A writer that continues the batches of an earlier one.
pub struct Resumed<S: Store, Y: System> {
    pub writer: Writer<S, Y>,
    /// The number of batches that are stored, from the first on.
    pub stored: usize,
    /// True if the first that is not stored may have been, and trimmed since.
    pub may_be_trimmed: bool,
}

impl<S: Store, Y: System> Writer<S, Y> {
    /// Seals events, in lines that were checked, as one batch. Its create is not started. With a
    /// name, an earlier writer has sealed the batch.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] if they cannot be a batch now, or are not that one.
    /// [`Error::Closed`].
    pub fn seal_lines(
        &mut self,
        lines: S::Bytes,
        sealed_before: Option<BatchName>,
    ) -> Result<BatchName, Error> {
        self.check_open()?;
        self.check_fits(lines.length())?;
        if !self.buffer.is_empty() {
            return Err(invalid("the handle has events that are in no batch; flush it first"));
        }
        if !self.sealed.has_room(lines.length(), &self.options) {
            let sealed = count(to_u64(self.sealed.iter().count()), "batch", "batches");
            return Err(invalid(&format!("{sealed} before it must be stored first; wait for one")));
        }
        let time = match sealed_before {
            Some(name) => Some(name.time).filter(|time| *time > self.last_time),
            None => self.last_time.next(self.system.now_micros()),
        };
        let Some(time) = time else {
            return Err(invalid("its time is not later than that of the batch before"));
        };
        let place = self.sealed.place(time);
        let name = batch::name_for(time, self.id, Some(place), &lines);
        let events = name.origin.map_or(0, |origin| origin.events);
        if events == 0 {
            return Err(invalid("there are no events"));
        }
        if let Some(before) = sealed_before
            && before != name
        {
            return Err(invalid(&format!(
                "the events are not those of {before}: their name would be {name}"
            )));
        }
        self.last_time = time;
        let create = CreateState::Held;
        self.sealed.push(Sealed { name, lines, events, create, in_doubt: false }, time);
        if mutants::is(Mutant::StartAtSeal) {
            self.start();
        }
        Ok(name)
    }

    /// Starts the creates of the batches that were sealed without one.
    pub fn start(&mut self) {
        let Self { sealed, catalog, last_time, .. } = self;
        sealed.start_held(|sealed, waiting| sealed.retry(catalog, waiting, last_time));
    }

    /// Makes a writer that continues batches that an earlier one has sealed, in order.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] for a name, an option or batches that do not follow each other;
    /// those of a load; [`Error::Unsupported`] for a mirror.
    pub fn resume(
        store: S,
        system: Y,
        name: &str,
        options: OptionsInput,
        batches: &[BatchName],
    ) -> Result<Resumed<S, Y>, Error> {
        let mut catalog = Catalog::new(store, LogName::parse(name)?);
        let options = options.check()?;
        let first = batches.first().and_then(BatchName::id);
        let are_in_a_row = |(before, after): (&BatchName, &BatchName)| {
            before.id().is_some() && after.predecessor() == before.id()
        };
        let in_a_row = batches.iter().zip(batches.iter().skip(1)).all(are_in_a_row);
        let (Some(first), true) = (first, in_a_row) else {
            return Err(Error::InvalidInput(format!(
                "cannot resume the log {name}: the batches do not follow each other; pass the \
                 names that were sealed last, all of one writer, in order"
            )));
        };
        let (stored, may_be_trimmed) = catalog.stored_of(batches)?;
        let last_stored = stored.checked_sub(1).and_then(|last| batches.get(last));
        let (next, last_time) = match last_stored.and_then(BatchName::id) {
            Some(last) => (last.number + 1, last.time),
            None => {
                let before = batches.first().and_then(BatchName::predecessor);
                (first.number, before.map_or_else(BatchTime::default, |before| before.time))
            }
        };
        let writer = Self {
            catalog,
            system,
            options,
            id: first.writer,
            last_time,
            buffer: Buffer::default(),
            sealed: Window::after(next, last_time),
            written: Written::default(),
            reported: None,
            closed: false,
        };
        Ok(Resumed { writer, stored, may_be_trimmed })
    }
}

impl<S: Store> Catalog<S> {
    /// Returns how many of the batches in a row of one writer are stored, and whether the first
    /// that is not may have been trimmed.
    fn stored_of(&mut self, batches: &[BatchName]) -> Result<(usize, bool), Error> {
        for _ in 0..MISSING_TRIES {
            let state = self.load(Scope::Read)?;
            self.check_writable("append to")?;
            let mut found: Set<_> = state.live.iter().map(|batch| batch.name).collect();
            if let Some(manifest) = &state.manifest
                && !mutants::is(Mutant::ResumeByListing)
            {
                let Some(absorbed) = self.absorbed_by(manifest, batches)? else { continue };
                found.extend(absorbed);
            }
            let last = batches.iter().rposition(|batch| found.contains(batch));
            let stored = last.map_or(0, |last| last + 1);
            let horizon = state.manifest.as_ref().and_then(|manifest| manifest.horizon);
            let may_be_trimmed = batches.get(stored).is_some_and(|next| Some(next.time) <= horizon);
            let decided = may_be_trimmed && !mutants::is(Mutant::ResumeBelowHorizon);
            return Ok((stored, decided));
        }
        let log = self.name.as_str();
        let message = format!(
            "cannot find out which batches of the log {log} are stored: {MISSING_TRIES} loads found \
             an index gone; retry, and check the store if this repeats"
        );
        Err(Error::StoreFailed { message, transient: true })
    }
}

/// Reads the name of a batch that a writer has sealed.
///
/// # Errors
/// [`Error::InvalidInput`].
pub fn batch_name(name: &str) -> Result<BatchName, Error> {
    BatchName::parse(name)
        .ok_or_else(|| Error::InvalidInput(format!("\"{name}\" is not the name of a batch")))
}

fn invalid(reason: &str) -> Error {
    Error::InvalidInput(format!("cannot seal a batch: {reason}"))
}
