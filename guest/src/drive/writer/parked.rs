//! A writer that rests, without its instance. A driver.
//!
//! 1. A writer is parked only if each of its events is acknowledged or in the open buffer. So its
//!    state has no create, and is small but for these events.
//! 2. A writer that was parked does what it would have done otherwise. Its failures of earlier
//!    creates are not kept: each was that of a batch that is acknowledged now.

use super::{Writer, Written};
use crate::decide::buffer::{Buffer, OpenEvents};
use crate::decide::options::OptionsInput;
use crate::decide::window::Window;
use crate::drive::catalog::Catalog;
use crate::error::Error;
use crate::format::names::{BatchTime, Generation, LogName, WriterId};
use crate::mutants::{self, Mutant};
use crate::ports::{HostBytes, Store, System};

/// The state of a writer that rests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parked<B> {
    /// Every default filled in.
    pub options: OptionsInput,
    pub writer: u64,
    /// The time of the last sealed batch, or of the newest one at the open.
    pub last_time: u64,
    /// The number of sealed batches.
    pub batches: u64,
    pub written: Written,
    /// The highest generation that was seen.
    pub generation: u64,
    /// The events that are in no batch.
    pub open: Option<OpenEvents<B>>,
    /// The microseconds until these are due by their age, for the caller alone.
    pub due_in: Option<u64>,
}

impl<S: Store, Y: System> Writer<S, Y> {
    /// Returns the state, and closes the writer. None if a batch is not acknowledged, or if the
    /// writer is closed.
    pub fn park(&mut self) -> Option<Parked<S::Bytes>> {
        if self.closed || !self.sealed.is_empty() {
            return None;
        }
        self.closed = true;
        Some(Parked {
            options: self.options.into(),
            writer: self.id.0,
            last_time: self.last_time.micros(),
            batches: self.sealed.sealed(),
            written: self.written,
            generation: self.catalog.seen().0,
            due_in: self.buffer.due_in(&self.options, self.system.now_micros()),
            open: self.buffer.take_open(),
        })
    }

    /// Makes a writer of the state of a parked one.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] for a state that is of no writer.
    pub fn unpark(
        store: S,
        system: Y,
        name: &str,
        parked: Parked<S::Bytes>,
    ) -> Result<Self, Error> {
        let parked = unless_lost(parked, || system.now_micros());
        let mut catalog = Catalog::new(store, LogName::parse(name)?);
        catalog.record_generation(Generation(parked.generation));
        let options = parked.options.check()?;
        let (Some(last_time), true) =
            (BatchTime::new(parked.last_time), parked.open.as_ref().is_none_or(has_events))
        else {
            return Err(Error::InvalidInput(format!(
                "cannot continue the log {name}: the state is of no parked writer; pass it as \
                 `park` has returned it"
            )));
        };
        Ok(Self {
            catalog,
            system,
            options,
            id: WriterId(parked.writer),
            last_time,
            buffer: parked.open.map_or_else(Buffer::default, Buffer::from),
            sealed: Window::after(parked.batches, last_time),
            written: parked.written,
            reported: None,
            closed: false,
        })
    }
}

/// Loses one part of the state, if a test says so.
fn unless_lost<B>(mut parked: Parked<B>, now: impl FnOnce() -> u64) -> Parked<B> {
    if mutants::is(Mutant::ParkedWithoutWriter) {
        parked.writer = parked.writer.wrapping_add(1);
    }
    if mutants::is(Mutant::ParkedWithoutTime) {
        parked.last_time = 0;
    }
    if mutants::is(Mutant::ParkedWithoutNumber) {
        parked.batches = 0;
    }
    if mutants::is(Mutant::ParkedWithoutWritten) {
        parked.written = Written::default();
    }
    if mutants::is(Mutant::ParkedWithoutOptions) {
        parked.options = OptionsInput::default();
    }
    if mutants::is(Mutant::ParkedWithoutGeneration) {
        parked.generation = 0;
    }
    if mutants::is(Mutant::ParkedWithoutEvents) {
        parked.open = None;
    }
    if mutants::is(Mutant::ParkedWithoutAge)
        && let Some(open) = &mut parked.open
    {
        open.opened = now();
    }
    parked
}

fn has_events<B: HostBytes>(open: &OpenEvents<B>) -> bool {
    open.events > 0 && open.lines.length() > 0
}
