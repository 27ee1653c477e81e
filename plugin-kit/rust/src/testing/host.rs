//! The host of a plugin: grants, handles, and the flush of what the plugin drops.
//!
//! 1. A log handle that is dropped is flushed and closed, as `stratalog run` does.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use stratalog_guest::drive::reader::Reader;
use stratalog_guest::drive::verifier::Verifier;
use stratalog_guest::drive::writer::Writer;
use stratalog_guest::error::Error;

use super::calls::Call;
use super::clock::Clock;
use super::grants::{Grant, Grants};
use super::handles::{Handles, Opened};
use super::memory_store::MemoryStore;
use crate::wit::types;

thread_local! {
    static CURRENT: RefCell<Option<Rc<Host>>> = const { RefCell::new(None) };
}

pub(super) type TestWriter = Writer<MemoryStore, Clock>;

/// The host of one plugin.
pub(super) struct Host {
    pub(super) store: MemoryStore,
    pub(super) clock: Clock,
    pub(super) grants: RefCell<Grants>,
    pub(super) logs: Handles<TestWriter>,
    pub(super) readers: Handles<Reader<MemoryStore>>,
    pub(super) verifiers: Handles<Verifier<MemoryStore>>,
    pub(super) calls_to_limit: Cell<u32>,
    /// The labels of the logs that could not be flushed when their handles were dropped.
    lost: RefCell<Vec<String>>,
}

impl Host {
    /// Makes a host, and makes it the current one of this thread.
    pub(super) fn install() -> Rc<Self> {
        let host = Rc::new(Self {
            store: MemoryStore::default(),
            clock: Clock::new(),
            grants: RefCell::default(),
            logs: Handles::default(),
            readers: Handles::default(),
            verifiers: Handles::default(),
            calls_to_limit: Cell::default(),
            lost: RefCell::default(),
        });
        CURRENT.set(Some(host.clone()));
        host
    }

    /// Removes this host if it is still the current one.
    pub(super) fn uninstall(self: &Rc<Self>) {
        CURRENT.with_borrow_mut(|current| {
            current.take_if(|current| Rc::ptr_eq(current, self));
        });
    }

    /// Returns the host of this thread.
    pub(super) fn current() -> Result<Rc<Self>, types::Error> {
        let current = CURRENT.try_with(|current| current.borrow().clone()).ok().flatten();
        current.ok_or_else(|| {
            let reason = "this thread has no world: make one first, with `World::new()`";
            types::Error::Denied(reason.to_owned())
        })
    }

    /// Admits a call on a label.
    pub(super) fn admit(&self, label: &str, call: Call) -> Result<Grant, types::Error> {
        let grant = self.grants.borrow().admit(label, call).map_err(types::Error::Denied)?;
        if let Some(left) = self.calls_to_limit.get().checked_sub(1) {
            self.calls_to_limit.set(left);
            let limit = "calls_per_second = 1,000,000 is reached; raise it with --calls-per-second";
            let Call(name, _) = call;
            return Err(types::Error::LimitReached(format!("{name} on the log {label}: {limit}")));
        }
        Ok(grant)
    }

    /// Flushes and closes the log of a handle that is dropped.
    pub(super) fn drop_log(&self, number: u64) {
        if let Some(opened) = self.logs.remove(number) {
            // A host closes the log as its handle is dropped and, if that fails, once more.
            if opened.state().close().is_err() {
                self.close(&opened);
            }
        }
    }

    /// Ticks each open log, as a host does by itself. Returns true if anything is pending.
    pub(super) fn tick(&self) -> bool {
        self.logs.all().iter().fold(false, |pending, opened| opened.state().tick() | pending)
    }

    /// Ends the plugin: flushes and closes what it has left open. Returns the labels of the logs
    /// whose events are lost.
    pub(super) fn end(&self) -> Vec<String> {
        self.logs.remove_all().iter().for_each(|opened| self.close(opened));
        self.readers.remove_all();
        self.verifiers.remove_all();
        self.lost.take()
    }

    /// Ends the plugin and its host, without a flush.
    pub(super) fn crash(&self) {
        self.logs.remove_all().iter().for_each(|opened| opened.state().give_up());
        self.readers.remove_all();
        self.verifiers.remove_all();
    }

    /// Flushes and closes a log. Events that this reports are lost.
    fn close(&self, opened: &Opened<TestWriter>) {
        let mut writer = opened.state();
        match writer.close() {
            Ok(_) | Err(Error::Closed) => {}
            Err(error) => {
                eprintln!("error: events of the log {} are lost: {error}", opened.label);
                self.lost.borrow_mut().push(opened.label.clone());
                writer.give_up();
            }
        }
    }
}
