//! Creating objects.
//!
//! Owns: the steps of a create. Must not know: how often a request is sent.
//!
//! 1. A create never overwrites. Where the server has create-if-absent, it is always used.
//! 2. "Already exists" means durable there. A mere conflict answer is checked first.
//! 3. A create that is dropped runs to its end.

use std::mem;
use std::rc::Rc;

use bytes::Bytes;
use stratalog_store_exports::store::PendingCreate;
use stratalog_store_rules::error::{Outcome, StoreErrorKind, WriteError};
use stratalog_store_rules::key;
use stratalog_store_rules::reply::document::error_in;

use crate::engine::{End, Engine, Flight};
use crate::exchange::{Answer, Transport};
use crate::failure::Doing;
use crate::reply;
use crate::request::{Method, Request};

/// A create in flight.
pub struct Create<T: Transport> {
    engine: Rc<Engine<T>>,
    key: String,
    step: Step<T>,
}

enum Step<T: Transport> {
    /// Looks for the object before an unconditional put.
    LookBefore(Flight<T>, Request),
    Put(Flight<T>),
    /// Looks for the object after a conflict.
    LookAfter(Flight<T>),
    Ended(Outcome),
}

impl<T: Transport> Create<T> {
    /// Starts to create an object.
    pub fn start(engine: &Rc<Engine<T>>, key: String, pieces: Vec<Bytes>) -> Self {
        if let Err(error) = key::check(&key) {
            return Self::ended(engine, Err(WriteError::NotWritten(error)));
        }
        let put = Request::object(Method::Put, &key).body(pieces).creating();
        let step = if engine.settings().has_conditional_create {
            Step::Put(engine.start(put.header("if-none-match", "*")))
        } else {
            Step::LookBefore(engine.start(Request::object(Method::Head, &key)), put)
        };
        Self { engine: Rc::clone(engine), key, step }
    }

    /// Makes a create that has ended.
    pub fn ended(engine: &Rc<Engine<T>>, outcome: Outcome) -> Self {
        Self { engine: Rc::clone(engine), key: String::new(), step: Step::Ended(outcome) }
    }

    fn outcome(&mut self, waits: bool) -> Option<Outcome> {
        loop {
            match &self.step {
                Step::Ended(outcome) => return Some(outcome.clone()),
                Step::LookBefore(flight, _) | Step::Put(flight) | Step::LookAfter(flight)
                    if !waits && !flight.has_ended() =>
                {
                    return None;
                }
                _ => {}
            }
            let lost = Step::Ended(Err(self.lost()));
            self.step = match mem::replace(&mut self.step, lost) {
                Step::LookBefore(flight, put) => self.after_look(flight.end(), put),
                Step::Put(flight) => self.after_put(flight.end()),
                Step::LookAfter(flight) => Step::Ended(self.after_conflict(&flight.end())),
                ended @ Step::Ended(_) => ended,
            };
        }
    }

    fn doing(&self) -> Doing<'_> {
        Doing { settings: self.engine.settings(), action: "create", key: &self.key }
    }

    /// Returns the outcome between two steps, which is never shown.
    fn lost(&self) -> WriteError {
        WriteError::Unknown(self.doing().error(StoreErrorKind::Other, "the create was lost"))
    }

    fn after_look(&self, end: End, put: Request) -> Step<T> {
        match is_there(&end) {
            Some(true) => Step::Ended(Err(WriteError::AlreadyExists)),
            Some(false) => Step::Put(self.engine.start(put)),
            None => Step::Ended(Err(WriteError::NotWritten(self.doing().failed(&end)))),
        }
    }

    fn after_put(&self, end: End) -> Step<T> {
        let doing = self.doing();
        let outcome = match &end.result {
            Ok(answer) if answer.is_success() => reply::check_bare("the result of a write", answer)
                .map_err(|wrong| WriteError::Unknown(doing.wrong(&wrong))),
            Ok(answer) if answer.status == 412 && has_error(answer) => {
                Err(WriteError::AlreadyExists)
            }
            // Also sent when requests collide. Any server may send a mere status.
            Ok(answer) if matches!(answer.status, 409 | 412) => {
                let look = Request::object(Method::Head, &self.key);
                return Step::LookAfter(self.engine.start(look));
            }
            _ => Err(doing.fate(&end)),
        };
        Step::Ended(outcome)
    }

    fn after_conflict(&self, end: &End) -> Outcome {
        let doing = self.doing();
        Err(match is_there(end) {
            Some(true) => WriteError::AlreadyExists,
            Some(false) => {
                let reason = "the server reported a conflict with an object that does not exist";
                WriteError::Unknown(doing.error(StoreErrorKind::Unavailable, reason))
            }
            None => WriteError::Unknown(doing.failed(end)),
        })
    }
}

impl<T: Transport> PendingCreate for Create<T> {
    fn poll(&mut self) -> Option<Outcome> {
        self.outcome(false)
    }

    fn wait(&mut self) -> Outcome {
        let outcome = self.outcome(true);
        outcome.unwrap_or_else(|| Err(self.lost()))
    }
}

impl<T: Transport> Drop for Create<T> {
    fn drop(&mut self) {
        if let Step::Put(flight) = mem::replace(&mut self.step, Step::Ended(Ok(()))) {
            flight.release();
        }
    }
}

/// Returns whether an object exists, by the end of a look for it; none if that is not known.
pub fn is_there(end: &End) -> Option<bool> {
    match &end.result {
        Ok(answer) if answer.status == 200 => Some(true),
        Ok(answer) if answer.status == 404 => Some(false),
        _ => None,
    }
}

fn has_error(answer: &Answer) -> bool {
    error_in(&answer.body).is_some()
}
