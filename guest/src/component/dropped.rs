//! State of dropped handles, which the next call of the component drops.
//!
//! 1. The destructor of a resource calls no import, nor does it drop a handle of the host. Some
//!    hosts cannot make a call from there: under jco its failure hides the error that the caller
//!    waits for. So a destructor only moves the state of its handle.
//! 2. Each call of an export first drops what was moved. This logs the warning of a writer that was
//!    not closed, and releases the handles of the host. Writers that are kept are flushed then.

use std::any::Any;
use std::cell::{RefCell, RefMut};
use std::rc::Rc;

use super::bindings::wasi::logging::logging;
use super::imports::{HostStore, HostSystem};
use crate::drive::open_writers::OpenWriters;
use crate::drive::writer::Writer;

thread_local! {
    static DROPPED: RefCell<Vec<Rc<dyn Any>>> = const { RefCell::new(Vec::new()) };
    static OPEN: RefCell<OpenWriters<HostStore, HostSystem>> = RefCell::default();
}

/// The state behind a handle that the component exports.
pub(super) struct Exported<T: 'static>(Rc<RefCell<T>>);

impl<T> Exported<T> {
    pub(super) fn new(state: T) -> Self {
        Self(Rc::new(RefCell::new(state)))
    }

    /// Returns the state, for a call of an export.
    pub(super) fn state(&self) -> RefMut<'_, T> {
        release();
        self.0.borrow_mut()
    }
}

impl<T> Drop for Exported<T> {
    fn drop(&mut self) {
        DROPPED.with_borrow_mut(|dropped| dropped.push(self.0.clone()));
    }
}

impl Exported<Writer<HostStore, HostSystem>> {
    /// Makes the state of a handle that is flushed at the end of a program, if that is wanted.
    pub(super) fn of_writer(writer: Writer<HostStore, HostSystem>) -> Self {
        let state = Self::new(writer);
        OPEN.with_borrow_mut(|open| open.add(&state.0));
        state
    }
}

/// Drops what handles have left. Each call of an export does this before anything else.
pub(super) fn release() {
    let dropped = DROPPED.take();
    if !dropped.is_empty() {
        drop(dropped);
        report(&OPEN.with_borrow_mut(OpenWriters::close_dropped));
    }
}

/// Keeps each writer that is opened from now on.
pub(super) fn keep() {
    OPEN.with_borrow_mut(OpenWriters::keep);
}

/// Flushes all writers that are kept. Returns true if no event is lost.
pub(super) fn flush_open() -> bool {
    drop(DROPPED.take());
    let (failures, is_all_flushed) = OPEN.with_borrow_mut(OpenWriters::end);
    report(&failures);
    is_all_flushed
}

fn report(failures: &[String]) {
    for failure in failures {
        logging::log(logging::Level::Error, "stratalog", failure);
    }
}
