//! The writers of a program, which are flushed when the program drops them or ends. A driver.
//!
//! 1. A writer that the program drops without closing it is flushed soon after. One that is open at
//!    the end is flushed then.
//! 2. They are flushed in the order in which they were opened.
//! 3. Events that cannot be flushed are lost, and the end of the program is a failure.

use std::cell::RefCell;
use std::rc::Rc;

use crate::drive::writer::Writer;
use crate::error::quantities::count;
use crate::error::{Error, WriteFailure};
use crate::ports::{Store, System};

/// A writer behind a handle.
type Shared<S, Y> = Rc<RefCell<Writer<S, Y>>>;

/// The writers that are not closed, in the order in which they were opened.
pub struct OpenWriters<S: Store, Y: System> {
    /// False if a handle that is dropped loses its events.
    are_kept: bool,
    writers: Vec<Shared<S, Y>>,
    has_lost: bool,
}

impl<S: Store, Y: System> Default for OpenWriters<S, Y> {
    fn default() -> Self {
        Self { are_kept: false, writers: Vec::new(), has_lost: false }
    }
}

impl<S: Store, Y: System> OpenWriters<S, Y> {
    /// Keeps each writer that is opened from now on.
    pub fn keep(&mut self) {
        self.are_kept = true;
    }

    /// Adds a writer, if writers are kept.
    pub fn add(&mut self, writer: &Shared<S, Y>) {
        if self.are_kept {
            self.writers.push(writer.clone());
        }
    }

    /// Flushes and removes the writers whose handles were dropped. Returns the failures.
    pub fn close_dropped(&mut self) -> Vec<String> {
        let is_dropped = |writer: &mut Shared<S, Y>| Rc::strong_count(writer) == 1;
        let dropped: Vec<_> = self.writers.extract_if(.., is_dropped).collect();
        let mut failures = Vec::new();
        for writer in dropped {
            let mut writer = writer.borrow_mut();
            failures.extend(flush(&mut writer, "after its handle was dropped"));
            writer.give_up();
        }
        self.has_lost |= !failures.is_empty();
        failures
    }

    /// Flushes all writers at the end of the program. Returns the failures, and whether no event is
    /// lost, earlier ones included.
    pub fn end(&mut self) -> (Vec<String>, bool) {
        let mut failures = Vec::new();
        for writer in &self.writers {
            failures.extend(flush(&mut writer.borrow_mut(), "at the end of the program"));
        }
        self.writers.retain(|writer| {
            let is_open = Rc::strong_count(writer) > 1;
            if !is_open {
                writer.borrow_mut().give_up();
            }
            is_open
        });
        let has_lost = std::mem::take(&mut self.has_lost) || !failures.is_empty();
        (failures, !has_lost)
    }
}

/// Flushes a writer that is not closed. Returns the failure, without its cause if that was reported
/// before.
fn flush<S: Store, Y: System>(writer: &mut Writer<S, Y>, when: &str) -> Option<String> {
    let reported = writer.reported().cloned();
    // The first failure may be that of a create long before.
    let flushed = writer.flush().or_else(|_| writer.flush());
    let error = match flushed {
        Ok(_) | Err(Error::Closed) => return None,
        Err(error) => error,
    };
    let (cause, lost) = match error {
        Error::WriteFailed(failure) => {
            let lost = count(failure.events_pending, "event is lost", "events are lost");
            let cause = match reported.is_some_and(|reported| failure.repeats(&reported)) {
                true => "the write that failed before failed again".to_owned(),
                false => WriteFailure { events_pending: 0, ..failure }.to_string(),
            };
            (cause, format!("; {lost}"))
        }
        error => (error.to_string(), String::new()),
    };
    let log = writer.name().as_str();
    Some(format!("cannot flush the log {log} {when}: {cause}{lost}"))
}
