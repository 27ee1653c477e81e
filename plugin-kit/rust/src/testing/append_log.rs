//! The interface `append-log`, over the logic of the log itself.
//!
//! It has the functions that the bindings generate for a component, with the same signatures.

use std::rc::Rc;

use stratalog_guest::drive::reader::{self, ReadOptions as LogReadOptions};
use stratalog_guest::drive::verifier::Verifier as LogVerifier;
use stratalog_guest::drive::writer::Writer;
use stratalog_guest::drive::{compactor, named, stat as statistics, trimmer};
use stratalog_guest::error::Error as LogError;
use stratalog_guest::format::names::{LogName, PositionName};

use super::calls::{self, Call};
use super::grants::Grant;
use super::handles::{Handles, Opened};
use super::host::{Host, TestWriter};
use super::memory_store::MemoryStore;
use crate::wit::types::{
    BatchEvents, CompactOptions, Compaction, CompactionPlan, Error, NamedPosition, Options, Page,
    Pending, ReadOptions, Stats, TrimOptions, TrimPoint, TrimResult, VerifyProgress, Written,
};

type LogReader = reader::Reader<MemoryStore>;

/// One handle that appends to a log: a writer.
#[derive(Debug)]
pub struct Log(u64);

/// Reads a log.
#[derive(Debug)]
pub struct Reader(u64);

/// Checks a log, object by object.
#[derive(Debug)]
pub struct Verifier(u64);

/// A call on a handle that was admitted.
struct OnHandle<T> {
    host: Rc<Host>,
    grant: Grant,
    opened: Opened<T>,
}

impl Log {
    /// Opens a log.
    pub fn open(name: &str, options: Options) -> Result<Self, Error> {
        let (host, grant) = admitted(name, calls::OPEN)?;
        let (store, clock) = (host.store.clone(), host.clock.clone());
        let writer = Writer::open(store, clock, &grant.log, options.into());
        let writer = writer.map_err(|error| grant.refuse(error))?;
        Ok(Self(host.logs.add(name, writer)))
    }

    /// Appends one event, without an LF.
    pub fn append(&self, event: &[u8]) -> Result<(), Error> {
        self.admitted(calls::APPEND)?.run(|writer| writer.append(event))
    }

    /// Appends many events in one call, each ended by LF, and returns their number.
    pub fn append_lines(&self, lines: &[u8]) -> Result<u64, Error> {
        self.admitted(calls::APPEND_LINES)?.run(|writer| writer.append_lines(lines.to_vec()))
    }

    /// Makes all events appended so far durable.
    pub fn flush(&self) -> Result<Written, Error> {
        self.admitted(calls::FLUSH)?.run(|writer| writer.flush().map(Written::from))
    }

    /// Runs maintenance; returns true if anything is still pending.
    pub fn tick(&self) -> bool {
        self.admitted(calls::TICK).is_ok_and(|call| call.opened.state().tick())
    }

    /// Returns the events of this handle that may not be in the store yet.
    pub fn pending(&self) -> Pending {
        match self.admitted(calls::PENDING) {
            Ok(call) => call.opened.state().pending().into(),
            Err(_) => Pending { writer: 0, last_time: 0, sealed: Vec::new(), lines: Vec::new() },
        }
    }

    /// Reads everything: stored events in order, then the pending events of this handle.
    pub fn read_all(&self) -> Result<Reader, Error> {
        let call = self.admitted(calls::READ_ALL)?;
        let reader = call.run(|writer| writer.read_all())?;
        Ok(Reader(call.host.readers.add(&call.grant.label, reader)))
    }

    /// Compacts the stored batches of the log.
    pub fn compact(&self, options: CompactOptions) -> Result<Compaction, Error> {
        let call = self.admitted(calls::LOG_COMPACT)?;
        let done = call.run(|writer| {
            writer.check_open()?;
            let (store, name) = (call.host.store.clone(), writer.name().clone());
            compactor::compact_opened(store, &call.host.clock, name, options.into())
        })?;
        Ok(call.grant.compaction(done.into()))
    }

    /// Returns the number of objects with stored events: segments and live batches.
    pub fn file_count(&self) -> Result<u64, Error> {
        self.admitted(calls::FILE_COUNT)?.run(Writer::file_count)
    }

    /// Flushes and closes: every later call fails with `closed`.
    pub fn close(&self) -> Result<Written, Error> {
        self.admitted(calls::CLOSE)?.run(|writer| writer.close().map(Written::from))
    }

    fn admitted(&self, call: Call) -> Result<OnHandle<TestWriter>, Error> {
        OnHandle::admitted(self.0, |host| &host.logs, call)
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        if let Ok(host) = Host::current() {
            host.drop_log(self.0);
        }
    }
}

impl Reader {
    /// Returns the next events, or none at the end of the log as currently stored.
    pub fn next(&self) -> Result<Option<Page>, Error> {
        let page = self.admitted(calls::READER_NEXT)?.run(LogReader::next_page)?;
        Ok(page.map(Page::from))
    }

    /// Returns the position right behind the last page that `next` returned.
    pub fn position(&self) -> Option<String> {
        self.admitted(calls::READER_POSITION).ok()?.opened.state().position()
    }

    /// Returns the batches of the events of the last page that `next` returned, in order.
    pub fn batches(&self) -> Vec<BatchEvents> {
        let Ok(call) = self.admitted(calls::READER_BATCHES) else { return Vec::new() };
        call.opened.state().batches().into_iter().map(BatchEvents::from).collect()
    }

    /// Returns the positions right behind single events of the last page that `next` returned.
    pub fn positions(&self, first: u64) -> Option<String> {
        self.admitted(calls::READER_POSITIONS).ok()?.opened.state().positions(first)
    }

    /// Commits a position under the name that the reader was opened with.
    pub fn commit(&self, position: Option<&str>) -> Result<(), Error> {
        let OnHandle { host, grant, opened } = self.admitted(calls::READER_COMMIT)?;
        let committed = opened.state().commit(&host.clock, position);
        committed.map_err(|error| grant.refuse_commit(error))
    }

    fn admitted(&self, call: Call) -> Result<OnHandle<LogReader>, Error> {
        OnHandle::admitted(self.0, |host| &host.readers, call)
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        if let Ok(host) = Host::current() {
            host.readers.remove(self.0);
        }
    }
}

impl Verifier {
    /// Does one step of the verification; returns none when all is checked.
    pub fn next(&self) -> Result<Option<VerifyProgress>, Error> {
        let call = OnHandle::admitted(self.0, |host| &host.verifiers, calls::VERIFIER_NEXT)?;
        let checked = call.run(LogVerifier::step)?;
        Ok(checked.map(|checked| call.grant.checked(checked.into())))
    }
}

impl Drop for Verifier {
    fn drop(&mut self) {
        if let Ok(host) = Host::current() {
            host.verifiers.remove(self.0);
        }
    }
}

impl<T> OnHandle<T> {
    /// Admits a call on what a handle has opened.
    fn admitted(
        number: u64,
        handles: impl Fn(&Host) -> &Handles<T>,
        call: Call,
    ) -> Result<Self, Error> {
        let host = Host::current()?;
        let opened = handles(&host).get(number).ok_or_else(|| {
            let reason = "the handle is not of the current world of this thread, or its plugin has \
                          ended: open the log again";
            Error::Denied(reason.to_owned())
        })?;
        let grant = host.admit(&opened.label, call)?;
        Ok(Self { host, grant, opened })
    }

    /// Makes the call.
    fn run<R>(&self, run: impl FnOnce(&mut T) -> Result<R, LogError>) -> Result<R, Error> {
        run(&mut self.opened.state()).map_err(|error| self.grant.refuse(error))
    }
}

/// Reads a log from a named position, which the reader can commit.
pub fn read_named(name: &str, position: &str, options: &ReadOptions) -> Result<Reader, Error> {
    let (host, grant) = admitted(name, calls::READ_NAMED)?;
    let reader = grant.run(|log| {
        let options = LogReadOptions::try_from(options.clone())?;
        LogReader::named(host.store.clone(), log, position, options)
    })?;
    Ok(Reader(host.readers.add(name, reader)))
}

/// Returns the named positions of a log, sorted by name.
pub fn named_positions(name: &str) -> Result<Vec<NamedPosition>, Error> {
    let (host, grant) = admitted(name, calls::NAMED_POSITIONS)?;
    let kept = grant.run(|log| named::positions(&host.store, &log))?;
    Ok(kept.into_iter().map(NamedPosition::from).collect())
}

/// Forgets a named position. Returns false if there is none.
pub fn forget_position(name: &str, position: &str) -> Result<bool, Error> {
    let (host, grant) = admitted(name, calls::FORGET_POSITION)?;
    let forgotten = LogName::parse(&grant.log).and_then(|log| {
        named::forget(&host.store, &host.clock, &log, PositionName::parse(position)?)
    });
    forgotten.map_err(|error| grant.refuse_commit(error))
}

/// Reads a log without opening it for appends.
pub fn read(name: &str, options: &ReadOptions) -> Result<Reader, Error> {
    let (host, grant) = admitted(name, calls::READ)?;
    let reader = grant.run(|log| {
        LogReader::new(host.store.clone(), log, LogReadOptions::try_from(options.clone())?)
    })?;
    Ok(Reader(host.readers.add(name, reader)))
}

/// Compacts a log: copies its live batches and small segments into larger segments.
pub fn compact(name: &str, options: CompactOptions) -> Result<Compaction, Error> {
    let (host, grant) = admitted(name, calls::COMPACT)?;
    let done = grant
        .run(|log| compactor::compact(host.store.clone(), &host.clock, log, options.into()))?;
    Ok(grant.compaction(done.into()))
}

/// Returns the work that `compact` would do now, and changes nothing.
pub fn plan_compaction(name: &str, options: CompactOptions) -> Result<CompactionPlan, Error> {
    let (host, grant) = admitted(name, calls::PLAN_COMPACTION)?;
    grant.run(|log| Ok(compactor::plan(host.store.clone(), log, options.into())?.into()))
}

/// Permanently removes the oldest events of a log.
pub fn trim(name: &str, until: &TrimPoint, options: TrimOptions) -> Result<TrimResult, Error> {
    let (host, grant) = admitted(name, calls::TRIM)?;
    let (until, options) = (until.clone().into(), options.into());
    grant.run(|log| Ok(trimmer::trim(host.store.clone(), &host.clock, log, until, options)?.into()))
}

/// Returns the work that `trim` would do now, and changes nothing.
pub fn plan_trim(name: &str, until: &TrimPoint, options: TrimOptions) -> Result<TrimResult, Error> {
    let (host, grant) = admitted(name, calls::PLAN_TRIM)?;
    let (until, options) = (until.clone().into(), options.into());
    grant.run(|log| Ok(trimmer::plan(host.store.clone(), log, until, options)?.into()))
}

/// Begins a verification of a log.
pub fn verify(name: &str) -> Result<Verifier, Error> {
    let (host, grant) = admitted(name, calls::VERIFY)?;
    let verifier = grant.run(|log| Ok(LogVerifier::new(host.store.clone(), log)))?;
    Ok(Verifier(host.verifiers.add(name, verifier)))
}

/// Returns the numbers of a log.
pub fn stat(name: &str) -> Result<Stats, Error> {
    let (host, grant) = admitted(name, calls::STAT)?;
    grant.run(|log| Ok(statistics::stat(host.store.clone(), log)?.into()))
}

/// Admits a call on a label, in the current world.
fn admitted(label: &str, call: Call) -> Result<(Rc<Host>, Grant), Error> {
    let host = Host::current()?;
    let grant = host.admit(label, call)?;
    Ok((host, grant))
}

impl Grant {
    /// Makes a call on the log of the grant.
    fn run<R>(&self, run: impl FnOnce(LogName) -> Result<R, LogError>) -> Result<R, Error> {
        LogName::parse(&self.log).and_then(run).map_err(|error| self.refuse(error))
    }
}
