//! A handle that appends. A driver.
//!
//! 1. A sealed batch is immutable and stays until it is acknowledged. It is retried as the same
//!    batch with the same bytes, so a write that landed unnoticed counts once.
//! 2. Several creates are in flight, and a batch is acknowledged once it and all before it are
//!    stored: see `window`. The next batch grows in the meantime.
//! 3. An existing object counts once its bytes are checked to be that batch.
//! 4. Every event is in the buffer, in a sealed batch or acknowledged, at every moment.
//! 5. A handle with no sealed batch can be parked: see [`parked`].
//! 6. A batch of a source that can be read again has its name before its create: see [`feed`].

use crate::decide::buffer::Buffer;
use crate::decide::cursor::Pending;
use crate::decide::options::{Options, OptionsInput};
use crate::decide::window::Window;
use crate::drive::catalog::{Catalog, Scope};
use crate::drive::reader::{ReadOptions, Reader};
use crate::error::quantities::{count, size};
use crate::error::{Error, WriteFailure};
use crate::format::batch;
use crate::format::lines::{check_event, check_lines};
use crate::format::names::{BatchTime, LogName, WriterId};
use crate::format::numbers::to_u64;
use crate::limits::CLOCK_AHEAD_MICROS;
use crate::ports::{HostBytes, PendingCreate, Store, System, WriteError};
use sealed::{CreateState, Sealed};

mod creates;
pub mod feed;
pub mod parked;
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
    sealed: Window<Sealed<S>>,
    written: Written,
    /// The failure of a create that was returned or logged last.
    reported: Option<WriteFailure>,
    closed: bool,
}

impl<S: Store, Y: System> Writer<S, Y> {
    /// Opens a log: lists its batches once, creates no object.
    ///
    /// # Errors
    /// [`Error::InvalidInput`], [`Error::StoreFailed`], or [`Error::Unsupported`] for a mirror.
    pub fn open(store: S, system: Y, name: &str, options: OptionsInput) -> Result<Self, Error> {
        let mut catalog = Catalog::new(store, LogName::parse(name)?);
        let options = options.check()?;
        let mut newest = BatchTime::default();
        catalog.list_batch_names(|batch| newest = newest.max(batch.time))?;
        catalog.check_writable("append to")?;
        let now = system.now_micros();
        let last_time = if newest.micros() > now.saturating_add(CLOCK_AHEAD_MICROS) {
            system.warn(&format!(
                "the newest batch of the log {name} is more than an hour ahead of the clock (batch \
                 {} µs, clock {now} µs): new events may sort before that batch; check the clocks",
                newest.micros()
            ));
            BatchTime::default()
        } else {
            newest
        };
        let id = WriterId(u64::from(system.random_u32()) << 32 | u64::from(system.random_u32()));
        Ok(Self {
            catalog,
            system,
            options,
            id,
            last_time,
            buffer: Buffer::default(),
            sealed: Window::default(),
            written: Written::default(),
            reported: None,
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
    /// not accept the oldest sealed batch; then the event was not appended. [`Error::Closed`].
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
        self.check_open()?;
        self.start();
        loop {
            self.retry_failed();
            self.seal_on_demand()?;
            self.wait_oldest()?;
            if self.sealed.is_empty() && self.buffer.is_empty() {
                return Ok(self.written);
            }
        }
    }

    /// Starts a flush: seals the buffer if another create may start. With `retry`, first starts
    /// the creates that have failed again. Does not wait for the store, except to check a batch
    /// that is reported to exist already.
    ///
    /// # Errors
    /// As [`Writer::poll_flush`].
    pub fn start_flush(&mut self, retry: bool) -> Result<Written, Error> {
        self.check_open()?;
        if retry {
            self.retry_failed();
        }
        self.poll();
        self.seal_on_demand()?;
        self.poll_flush()
    }

    /// Records which creates have ended. Waits as [`Writer::start_flush`] does.
    ///
    /// # Errors
    /// [`Error::WriteFailed`] if the create of the oldest batch has failed, once for each failure;
    /// all events are kept. [`Error::Closed`].
    pub fn poll_flush(&mut self) -> Result<Written, Error> {
        self.check_open()?;
        self.poll();
        self.report_oldest()?;
        Ok(self.written)
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
        self.poll_and_warn();
        let now = self.system.now_micros();
        self.retry_rested(now);
        if self.buffer.is_old(&self.options, now)
            && self.may_seal()
            && let Err(error) = self.seal()
        {
            self.system.warn(&error.to_string());
        }
        self.unacknowledged() > 0
    }

    /// The events of this handle that may not be in the store yet.
    pub fn pending(&self) -> Pending {
        let sealed = self.sealed.iter();
        Pending {
            writer: self.id.0,
            last_time: self.last_time.micros(),
            sealed: sealed.map(|sealed| (sealed.name, sealed.lines.read())).collect(),
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

    /// The number of objects that hold the log's stored events. Waits for the creates in flight.
    ///
    /// # Errors
    /// [`Error::StoreFailed`], [`Error::Damaged`], [`Error::Closed`].
    pub fn file_count(&mut self) -> Result<u64, Error> {
        self.check_open()?;
        let failures = self.finish(|create| Some(create.wait()));
        self.warn_of(&failures);
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

    /// Returns the failure of a create that was returned or logged last.
    pub fn reported(&self) -> Option<&WriteFailure> {
        self.reported.as_ref()
    }

    /// Closes without another flush: the caller reports the events that are lost.
    pub fn give_up(&mut self) {
        self.closed = true;
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

    /// Events in memory: those of the sealed batches and of the open buffer.
    fn unacknowledged(&self) -> u64 {
        self.sealed.events() + self.buffer.events
    }

    /// Returns true if the buffer may be sealed without a caller that waits for it. Otherwise it
    /// grows.
    fn may_seal(&self) -> bool {
        !self.sealed.has_failed() && self.sealed.has_room(self.buffer.bytes(), &self.options)
    }

    /// Seals the buffer for a caller that waits for it.
    fn seal_on_demand(&mut self) -> Result<(), Error> {
        if !self.buffer.is_empty() && self.sealed.has_room(self.buffer.bytes(), &self.options) {
            self.seal()?;
        }
        Ok(())
    }

    /// Seals a buffer that is due.
    fn seal_if_due(&mut self) -> Result<(), Error> {
        if !self.buffer.is_due(&self.options) {
            return Ok(());
        }
        self.poll_and_warn();
        self.retry_rested(self.system.now_micros());
        if self.may_seal() { self.seal() } else { Ok(()) }
    }

    /// Waits for the store when the buffer would grow beyond its limit.
    fn ensure_capacity(&mut self, bytes: u64) -> Result<(), Error> {
        if self.buffer.is_full_for(bytes, &self.options) {
            while !self.may_seal() {
                self.retry_failed();
                self.wait_oldest()?;
            }
            self.seal()?;
        }
        Ok(())
    }

    /// Takes the buffer as a batch and starts its create.
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
        let name = batch::name_for(time, self.id, Some(self.sealed.place(time)), &lines);
        let create = self.catalog.store.start_create(&self.catalog.name.key(name), &lines);
        let create = CreateState::InFlight(create);
        self.sealed.push(Sealed { name, lines, events, create, in_doubt: false }, time);
        Ok(())
    }
}

impl<S: Store, Y: System> Drop for Writer<S, Y> {
    fn drop(&mut self) {
        // The check of one that exists already is a read, and no caller waits for it any more.
        let is_checked = |outcome: &_| *outcome != Err(WriteError::AlreadyExists);
        let failures = self.finish(|create| create.poll().filter(is_checked));
        self.warn_of(&failures);
        let unconfirmed = self.unacknowledged();
        if !self.closed && unconfirmed > 0 {
            self.system.warn(&format!(
                "the log {} was dropped without close: {} not flushed",
                self.catalog.name.as_str(),
                count(unconfirmed, "event was", "events were")
            ));
        }
    }
}
