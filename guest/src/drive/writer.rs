//! A handle that appends. A driver.
//!
//! 1. A sealed batch is immutable and stays until the store has confirmed it. It is retried under
//!    the same name with the same bytes, so a write that landed unnoticed counts once.
//! 2. One create is in flight at a time, so a writer's batches appear in order. The next batch
//!    grows in the meantime.
//! 3. An existing object counts once its bytes are checked to be that batch.
//! 4. Every event is in the buffer, in the sealed batch or confirmed, at every moment.

use crate::decide::buffer::Buffer;
use crate::decide::cursor::Pending;
use crate::decide::options::{Options, OptionsInput};
use crate::drive::catalog::{Catalog, Scope};
use crate::drive::existing;
use crate::drive::reader::{ReadOptions, Reader};
use crate::error::quantities::{count, size};
use crate::error::{Error, WriteFailure, WriteFate};
use crate::format::batch;
use crate::format::lines::{check_event, check_lines};
use crate::format::names::{BatchTime, LogName, WriterId};
use crate::format::numbers::to_u64;
use crate::limits::{CLOCK_AHEAD_MICROS, RETRY_REST_MICROS};
use crate::ports::{HostBytes, PendingCreate, Store, System, WriteError};
use sealed::{CreateState, Sealed};

mod sealed;

/// The durable writes of a handle since it was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Written {
    pub batches: u64,
    pub events: u64,
    pub bytes: u64,
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
    /// Opens a log: lists its batches once, creates no object.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] or [`Error::StoreFailed`].
    pub fn open(store: S, system: Y, name: &str, options: OptionsInput) -> Result<Self, Error> {
        let mut catalog = Catalog::new(store, LogName::parse(name)?);
        let options = options.check()?;
        let mut newest = BatchTime::default();
        catalog.list_batch_names(|batch| newest = newest.max(batch.time))?;
        let now = system.now_micros();
        let last_time = if newest.micros() > now.saturating_add(CLOCK_AHEAD_MICROS) {
            system.warn(&format!(
                "the newest batch of log {name} is more than an hour ahead of the clock (batch \
                 {} µs, clock {now} µs): new events may sort before that batch; check the clocks",
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

    /// The options, every default filled in.
    #[must_use]
    pub fn options(&self) -> Options {
        self.options
    }

    /// Appends one event.
    ///
    /// # Errors
    /// [`Error::InvalidEvent`]. [`Error::WriteFailed`] when the buffer is full and the store does
    /// not accept the sealed batch; then the event was not appended. [`Error::Closed`].
    pub fn append(&mut self, event: &[u8]) -> Result<(), Error> {
        self.check_open()?;
        check_event(event, self.options.event_bytes_max)?;
        self.ensure_capacity(to_u64(event.len()) + 1)?;
        let system = &self.system;
        self.buffer.push(event, || system.now_micros());
        self.seal_if_due()
    }

    /// Appends packed lines, all or nothing. Returns their number.
    ///
    /// # Errors
    /// As [`Writer::append`].
    pub fn append_lines(&mut self, lines: Vec<u8>) -> Result<u64, Error> {
        self.check_open()?;
        self.check_fits(to_u64(lines.len()))?;
        let events = check_lines(&lines, self.options.event_bytes_max)?;
        self.ensure_capacity(to_u64(lines.len()))?;
        let system = &self.system;
        self.buffer.push_lines(lines, events, || system.now_micros());
        self.seal_if_due()?;
        Ok(events)
    }

    /// Appends packed lines that the host has checked, all or nothing.
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
            "cannot append {} of lines in one call: buffer_bytes_max = {bytes_max}; append fewer per \
             call",
            size(bytes)
        )))
    }

    /// Makes everything appended so far durable.
    ///
    /// # Errors
    /// [`Error::WriteFailed`]: all events are kept, and the next flush retries.
    pub fn flush(&mut self) -> Result<Written, Error> {
        while !self.flush_step()? {}
        Ok(self.written)
    }

    /// Does one step of a flush: waits for at most one batch. Returns true if nothing is left to
    /// flush.
    ///
    /// # Errors
    /// As [`Writer::flush`].
    pub fn flush_step(&mut self) -> Result<bool, Error> {
        self.check_open()?;
        if self.sealed.is_none() && !self.buffer.is_empty() {
            self.seal()?;
        }
        self.wait_in_flight()?;
        Ok(self.buffer.is_empty())
    }

    /// Returns the durable writes of this handle.
    pub fn written(&self) -> Written {
        self.written
    }

    /// Confirms, retries or seals by age whatever is due. Does not wait for the store, except to
    /// check a batch that is reported to exist already. Returns true if any event is pending.
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

    /// The events of this handle that may not be in the store yet.
    pub fn pending(&self) -> Pending {
        let sealed = self.sealed.as_ref();
        Pending {
            writer: self.id.0,
            last_time: self.last_time.micros(),
            sealed: sealed.map(|sealed| (sealed.name, sealed.lines.read())),
            lines: self.buffer.read(),
        }
    }

    /// Reads everything: the stored events, then the pending ones of this handle.
    ///
    /// # Errors
    /// [`Error::Closed`].
    pub fn read_all(&self) -> Result<Reader<S>, Error> {
        self.check_open()?;
        let (store, name) = (self.catalog.store.clone(), self.catalog.name.clone());
        Reader::new(store, name, ReadOptions { pending: Some(self.pending()), ..<_>::default() })
    }

    /// The number of objects that hold the log's stored events. Waits for the create in flight.
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
        let files = state.segments().len() + state.live.len();
        Ok(to_u64(files))
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

    /// Events in memory: those of the sealed batch and of the open buffer.
    fn unconfirmed(&self) -> u64 {
        self.sealed.as_ref().map_or(0, |sealed| sealed.events) + self.buffer.events
    }

    /// Seals a buffer that is due. While a create is in flight, the buffer grows instead.
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

    /// Takes the buffer as a batch and starts its create. Called only without a sealed batch.
    fn seal(&mut self) -> Result<(), Error> {
        let now = self.system.now_micros();
        let time = self.last_time.next(now).ok_or_else(|| {
            Error::Unsupported(format!(
                "cannot name a batch: the clock reads {now} µs, which does not fit in a batch \
                 name; set the clock"
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

    /// Waits until the sealed batch is confirmed. Retries one that failed before.
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

    /// Processes the outcome of the create, if it is done.
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

    /// Records the outcome of the sealed batch's create.
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

impl<S: Store, Y: System> Drop for Writer<S, Y> {
    fn drop(&mut self) {
        let create = self.sealed.as_ref().map(|sealed| &sealed.create);
        let fate = match create {
            Some(CreateState::InFlight(create)) => create.poll(),
            _ => None,
        };
        // That needs a read, and no caller waits for it any more.
        if fate != Some(Err(WriteError::AlreadyExists)) {
            self.poll();
        }
        let unconfirmed = self.unconfirmed();
        if !self.closed && unconfirmed > 0 {
            self.system.warn(&format!(
                "log {} was dropped without close: {} not flushed",
                self.catalog.name.as_str(),
                count(unconfirmed, "event was", "events were")
            ));
        }
    }
}
