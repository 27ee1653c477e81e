//! State of dropped handles, which the next call of the component drops.
//!
//! 1. The destructor of a resource calls no import, nor does it drop a handle of the host. Some
//!    hosts cannot make a call from there: under jco its failure hides the error that the caller
//!    waits for. So a destructor only moves the state of its handle.
//! 2. Each call of an export first drops what was moved. This logs the warning of a writer that was
//!    not closed, and releases the handles of the host.

use std::any::Any;
use std::cell::{RefCell, RefMut};
use std::rc::Rc;

thread_local! {
    static DROPPED: RefCell<Vec<Rc<dyn Any>>> = const { RefCell::new(Vec::new()) };
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

/// Drops what handles have left. Each call of an export does this before anything else.
pub(super) fn release() {
    drop(DROPPED.take());
}
