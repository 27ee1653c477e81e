//! One handle that appends: a driver.
//!
//! 1. A sealed batch is immutable and stays until the store has confirmed it: it is tried again
//!    under the same name with the same bytes, so that a write that landed unseen counts once.
//! 2. One create is under way at a time, so a writer's batches appear in order. The next batch grows
//!    meanwhile.
//! 3. An object that exists already counts once it is seen to be that batch.
//! 4. Every event is in the buffer, in the sealed batch or confirmed, at every moment.

use crate::decide::buffer::Buffer;
use crate::decide::cursor::Pending;
use crate::decide::options::{Options, OptionsInput};
use crate::drive::catalog::{Catalog, Scope};
use crate::drive::existing;
use crate::drive::reader::{ReadOptions, Reader};
use crate::error::{Error, WriteFailure, WriteFate};
use crate::format::batch;
use crate::format::lines::{check_event, check_lines};
use crate::format::names::{BatchName, BatchTime, LogName, WriterId};
use crate::limits::{CLOCK_AHEAD_MICROS, RETRY_REST_MICROS};
use crate::mutants::{self, Mutant};
use crate::ports::{HostBytes, PendingCreate, Store, System, WriteError};

/// What a handle has made durable since it was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Written {
    pub batches: u64,
    pub events: u64,
    pub bytes: u64,
}

/// A batch that is not confirmed yet.
struct Sealed<S: Store> {
    name: BatchName,
    lines: S::Bytes,
    events: u64,
    create: CreateState<S::Create>,
    /// An earlier try may have landed, or may yet.
    in_doubt: bool,
}

enum CreateState<C> {
    InFlight(C),
    Failed { at: u64 },
}

/// A handle that appends to a log.
pub struct Writer<S: Store, Y: System> {
    catalog: Catalog<S>,
    system: Y,
    options: Options,
    id: WriterId,
    last_time: BatchTime,
    buffer: Buffer<S::Bytes>,
    sealed: Option<Sealed<S>>,
    written: Written,
    closed: bool,
}

impl<S: Store, Y: System> Writer<S, Y> {
    /// Opens a log: lists its batches once, creates nothing.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] or [`Error::StoreFailed`].
    pub fn open(store: S, system: Y, name: &str, options: OptionsInput) -> Result<Self, Error> {
        let mut catalog = Catalog::new(store, LogName::parse(name)?);
        let options = options.check()?;
        let mut newest = BatchTime::default();
        catalog.list_batches(|batch| newest = newest.max(batch.name.time))?;
        let now = system.now_micros();
        let last_time = if newest.micros() > now.saturating_add(CLOCK_AHEAD_MICROS) {
            system.warn(&format!(
                "the newest batch of log {name} is more than an hour ahead of the clock ({} to {now} \
                 microseconds): its time is ignored, and new events may sort before it",
                newest.micros()
            ));
            BatchTime::default()
        } else {
            newest
        };
        let id = WriterId(system.random_u32());
        Ok(Self {
            catalog,
            system,
            options,
            id,
            last_time,
            buffer: Buffer::default(),
            sealed: None,
            written: Written::default(),
            closed: false,
        })
    }

    /// Appends one event.
    ///
    /// # Errors
    /// [`Error::InvalidEvent`]; [`Error::WriteFailed`] when the buffer is full and the store does
    /// not take the batch under way; the event was not taken then. [`Error::Closed`].
    pub fn append(&mut self, event: &[u8]) -> Result<(), Error> {
        self.check_open()?;
        check_event(event, self.options.event_bytes_max)?;
        self.ensure_capacity(length(event).saturating_add(1))?;
        let system = &self.system;
        self.buffer.push(event, || system.now_micros());
        self.seal_if_due()
    }

    /// Appends packed lines, all or nothing; returns their number.
    ///
    /// # Errors
    /// As [`Writer::append`].
    pub fn append_lines(&mut self, lines: Vec<u8>) -> Result<u64, Error> {
        self.check_open()?;
        self.check_fits(length(&lines))?;
        let events = check_lines(&lines, self.options.event_bytes_max)?;
        self.ensure_capacity(length(&lines))?;
        let system = &self.system;
        self.buffer.push_lines(lines, events, || system.now_micros());
        self.seal_if_due()?;
        Ok(events)
    }

    /// Appends packed lines that the host holds and has checked, all or nothing.
    ///
    /// # Errors
    /// As [`Writer::append`].
    pub fn append_host_bytes(&mut self, lines: S::Bytes, events: u64) -> Result<(), Error> {
        self.check_open()?;
        self.check_fits(lines.length())?;
        self.ensure_capacity(lines.length())?;
        let system = &self.system;
        self.buffer.push_host_bytes(lines, events, || system.now_micros());
        self.seal_if_due()
    }

    fn check_fits(&self, bytes: u64) -> Result<(), Error> {
        let bytes_max = self.options.buffer_bytes_max;
        if bytes <= bytes_max {
            return Ok(());
        }
        Err(Error::InvalidInput(format!(
            "{bytes} bytes of lines at once are more than buffer_bytes_max = {bytes_max}: append fewer"
        )))
    }

    /// Makes everything appended so far durable.
    ///
    /// # Errors
    /// [`Error::WriteFailed`]: everything is kept, the next flush tries the same again.
    pub fn flush(&mut self) -> Result<Written, Error> {
        self.check_open()?;
        self.wait_in_flight()?;
        if !self.buffer.is_empty() {
            self.seal()?;
            self.wait_in_flight()?;
        }
        Ok(self.written)
    }

    /// Confirms, tries again or seals by age what is due, without waiting for the store, but for a look
    /// at a batch that is said to exist already. Returns whether anything is pending.
    pub fn tick(&mut self) -> bool {
        if self.closed {
            return false;
        }
        self.poll();
        let now = self.system.now_micros();
        if self.sealed.is_some() {
            self.retry_if_rested(now);
        } else if self.buffer.is_old(&self.options, now)
            && let Err(error) = self.seal()
        {
            self.system.warn(&error.to_string());
        }
        self.unconfirmed() > 0
    }

    /// What this handle holds that may not be in the store yet.
    pub fn pending(&self) -> Pending {
        let sealed = self.sealed.as_ref();
        Pending {
            writer: self.id.0,
            last_time: self.last_time.micros(),
            sealed: sealed.map(|sealed| (sealed.name, sealed.lines.read())),
            lines: self.buffer.read(),
        }
    }

    /// Reads everything: what is stored, then what this handle holds now.
    ///
    /// # Errors
    /// [`Error::Closed`].
    pub fn read_all(&self) -> Result<Reader<S>, Error> {
        self.check_open()?;
        let (store, name) = (self.catalog.store.clone(), self.catalog.name.clone());
        Reader::new(store, name, ReadOptions { pending: Some(self.pending()), ..<_>::default() })
    }

    /// The number of objects that hold the log's stored events. Waits for the create under way.
    ///
    /// # Errors
    /// [`Error::StoreFailed`], [`Error::Damaged`], [`Error::Closed`].
    pub fn file_count(&mut self) -> Result<u64, Error> {
        self.check_open()?;
        if let Some(Sealed { create: CreateState::InFlight(create), .. }) = &self.sealed {
            let outcome = create.wait();
            if let Err(error) = self.on_create_done(outcome) {
                self.system.warn(&error.to_string());
            }
        }
        let state = self.catalog.load(Scope::Read)?;
        let files = state.segments().len().saturating_add(state.live.len());
        Ok(u64::try_from(files).unwrap_or(u64::MAX))
    }

    /// Flushes and closes. A failed flush leaves the handle open.
    ///
    /// # Errors
    /// As [`Writer::flush`].
    pub fn close(&mut self) -> Result<Written, Error> {
        let written = self.flush()?;
        self.closed = true;
        Ok(written)
    }

    /// The name of the log.
    pub fn name(&self) -> &LogName {
        &self.catalog.name
    }

    /// # Errors
    /// [`Error::Closed`].
    pub fn check_open(&self) -> Result<(), Error> {
        if self.closed { Err(Error::Closed) } else { Ok(()) }
    }

    /// Events held in memory: sealed ones and those of the open buffer.
    fn unconfirmed(&self) -> u64 {
        self.sealed.as_ref().map_or(0, |sealed| sealed.events) + self.buffer.events
    }

    /// Seals a buffer that is due, unless a create is under way: then it grows.
    fn seal_if_due(&mut self) -> Result<(), Error> {
        if !self.buffer.is_due(&self.options) {
            return Ok(());
        }
        self.poll();
        match &self.sealed {
            None => self.seal(),
            Some(Sealed { create: CreateState::InFlight(_), .. }) => Ok(()),
            Some(Sealed { create: CreateState::Failed { .. }, .. }) => {
                self.retry_if_rested(self.system.now_micros());
                Ok(())
            }
        }
    }

    /// Waits for the store when the buffer would grow beyond its limit.
    fn ensure_capacity(&mut self, bytes: u64) -> Result<(), Error> {
        if self.buffer.is_full_for(bytes, &self.options) {
            self.wait_in_flight()?;
            self.seal()?;
        }
        Ok(())
    }

    /// Takes the buffer as a batch and starts its create. Only without a sealed batch.
    fn seal(&mut self) -> Result<(), Error> {
        let now = self.system.now_micros();
        let time = self.last_time.next(now).ok_or_else(|| {
            Error::Unsupported(format!(
                "the clock says {now} microseconds: no name has room for it"
            ))
        })?;
        let events = self.buffer.events;
        let Some(lines) = self.buffer.take() else { return Ok(()) };
        self.last_time = time;
        let name = batch::name_for(time, self.id, &lines);
        let create = self.catalog.store.start_create(&self.catalog.name.key(name), &lines);
        self.sealed = Some(Sealed {
            name,
            lines,
            events,
            create: CreateState::InFlight(create),
            in_doubt: false,
        });
        Ok(())
    }

    /// Waits until the sealed batch is confirmed, trying again one that failed before.
    fn wait_in_flight(&mut self) -> Result<(), Error> {
        let Some(sealed) = &mut self.sealed else { return Ok(()) };
        if let CreateState::Failed { .. } = sealed.create {
            sealed.retry(&self.catalog, &mut self.last_time);
        }
        let outcome = match &sealed.create {
            CreateState::InFlight(create) => create.wait(),
            CreateState::Failed { .. } => return Ok(()),
        };
        self.on_create_done(outcome)
    }

    /// Takes note of a create that is done, if it is.
    fn poll(&mut self) {
        let Some(Sealed { create: CreateState::InFlight(create), .. }) = &self.sealed else {
            return;
        };
        if let Some(outcome) = create.poll()
            && let Err(error) = self.on_create_done(outcome)
        {
            self.system.warn(&error.to_string());
        }
    }

    /// The create of the sealed batch has ended.
    fn on_create_done(&mut self, outcome: Result<(), WriteError>) -> Result<(), Error> {
        let unconfirmed = self.unconfirmed();
        let Some(mut sealed) = self.sealed.take() else { return Ok(()) };
        let (store, log) = (&self.catalog.store, &self.catalog.name);
        let outcome = match outcome {
            Ok(()) => Ok(()),
            // The name is this batch's alone: an object of that name is an earlier try that landed.
            Err(WriteError::AlreadyExists) => {
                existing::check_batch(store, log, sealed.name, sealed.lines.length())
                    .map_err(|error| (WriteFate::Unknown, error))
            }
            Err(WriteError::NotWritten(error)) if !sealed.in_doubt => {
                Err((WriteFate::NotWritten, error))
            }
            Err(WriteError::NotWritten(error) | WriteError::Unknown(error)) => {
                Err((WriteFate::Unknown, error))
            }
        };
        let Err((fate, error)) = outcome else {
            self.written.batches += 1;
            self.written.events += sealed.events;
            self.written.bytes += sealed.lines.length();
            return Ok(());
        };
        sealed.in_doubt |= fate == WriteFate::Unknown;
        let object = self.catalog.name.key(sealed.name);
        sealed.create = CreateState::Failed { at: self.system.now_micros() };
        self.sealed = Some(sealed);
        Err(Error::WriteFailed(WriteFailure::new(&object, fate, &error, unconfirmed)))
    }

    fn retry_if_rested(&mut self, now: u64) {
        if let Some(sealed) = &mut self.sealed
            && let CreateState::Failed { at } = sealed.create
            && now.abs_diff(at) >= RETRY_REST_MICROS
        {
            sealed.retry(&self.catalog, &mut self.last_time);
        }
    }
}

impl<S: Store> Sealed<S> {
    fn retry(&mut self, catalog: &Catalog<S>, last: &mut BatchTime) {
        if mutants::is(Mutant::RenameOnRetry)
            && let Some(time) = last.next(0)
        {
            (*last, self.name.time) = (time, time);
        }
        let create = catalog.store.start_create(&catalog.name.key(self.name), &self.lines);
        self.create = CreateState::InFlight(create);
    }
}

fn length(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

impl<S: Store, Y: System> Drop for Writer<S, Y> {
    fn drop(&mut self) {
        let create = self.sealed.as_ref().map(|sealed| &sealed.create);
        let fate = match create {
            Some(CreateState::InFlight(create)) => create.poll(),
            _ => None,
        };
        // That needs a look, and nobody waits for one any more.
        if fate != Some(Err(WriteError::AlreadyExists)) {
            self.poll();
        }
        let unconfirmed = self.unconfirmed();
        if !self.closed && unconfirmed > 0 {
            self.system.warn(&format!(
                "log {} was dropped without close: {unconfirmed} events were not flushed",
                self.catalog.name.as_str()
            ));
        }
    }
}
