//! The open logs, readers and verifiers of a plugin, by number.
//!
//! A handle is a number, as it is in WebAssembly: it can be sent to another thread, and what it
//! opened stays with its world.

use std::cell::{RefCell, RefMut};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::atomic::{AtomicU64, Ordering};

/// The number of the next handle of any thread.
static NEXT: AtomicU64 = AtomicU64::new(0);

/// The state of the handles of one kind.
pub(super) struct Handles<T>(RefCell<BTreeMap<u64, Opened<T>>>);

/// The state of a handle, and the label of the log.
pub(super) struct Opened<T> {
    pub(super) label: String,
    state: Rc<RefCell<T>>,
}

impl<T> Clone for Opened<T> {
    fn clone(&self) -> Self {
        Self { label: self.label.clone(), state: self.state.clone() }
    }
}

impl<T> Opened<T> {
    pub(super) fn state(&self) -> RefMut<'_, T> {
        self.state.borrow_mut()
    }
}

impl<T> Default for Handles<T> {
    fn default() -> Self {
        Self(RefCell::default())
    }
}

impl<T> Handles<T> {
    /// Adds what a handle has opened, and returns its number.
    pub(super) fn add(&self, label: &str, state: T) -> u64 {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let opened = Opened { label: label.to_owned(), state: Rc::new(RefCell::new(state)) };
        self.0.borrow_mut().insert(number, opened);
        number
    }

    pub(super) fn get(&self, number: u64) -> Option<Opened<T>> {
        self.0.borrow().get(&number).cloned()
    }

    pub(super) fn remove(&self, number: u64) -> Option<Opened<T>> {
        self.0.borrow_mut().remove(&number)
    }

    /// Returns all, in the order in which they were opened.
    pub(super) fn all(&self) -> Vec<Opened<T>> {
        self.0.borrow().values().cloned().collect()
    }

    /// Removes all, in the order in which they were opened.
    pub(super) fn remove_all(&self) -> Vec<Opened<T>> {
        self.0.take().into_values().collect()
    }
}
