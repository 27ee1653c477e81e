//! Probing whether the server honours create-if-absent.
//!
//! 1. The answer is "yes" only after a second create was refused and a race had no second winner.
//! 2. Doubt is an error, not an answer. Only answers are kept.
//! 3. The probe's objects have new random names, so it can destroy nothing.

use std::cell::Cell;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::rc::Rc;

use bytes::Bytes;
use stratalog_store_exports::logging::log;
use stratalog_store_exports::store::PendingCreate as _;
use stratalog_store_rules::error::{StoreError, StoreErrorKind, WriteError};
use stratalog_store_rules::key::Prefix;
use stratalog_store_rules::log_level::Level;

use crate::create::Create;
use crate::delete;
use crate::engine::Engine;
use crate::exchange::Transport;
use crate::failure::Doing;

/// The number of racing creates.
const RACERS: usize = 4;

/// The answer, once it is known.
#[derive(Default)]
pub struct Probe(Cell<Option<bool>>);

#[derive(Clone, Copy, PartialEq, Eq)]
enum Found {
    Created,
    Exists,
    NoSuchAbility,
}

impl Probe {
    /// Checks that exclusive creates of keys that begin with `prefix` are honoured.
    ///
    /// # Errors
    /// Kind `unsupported` if they are not.
    pub fn ensure<T: Transport>(
        &self,
        engine: &Rc<Engine<T>>,
        prefix: &str,
    ) -> Result<(), StoreError> {
        let near = Prefix::parse(prefix)?.folder_with_slash();
        let is_honoured = match self.0.get() {
            Some(known) => known,
            None if !engine.settings().has_conditional_create => false,
            None => honours(engine, &near)?,
        };
        self.0.set(Some(is_honoured));
        if is_honoured {
            return Ok(());
        }
        let doing = Doing { settings: engine.settings(), action: "create", key: prefix };
        let reason = "the server does not honour create-if-absent, which an exclusive create \
                      needs; use another server";
        Err(doing.error(StoreErrorKind::Unsupported, reason))
    }
}

fn honours<T: Transport>(engine: &Rc<Engine<T>>, near: &str) -> Result<bool, StoreError> {
    let [twice, raced] = [random_key(near), random_key(near)];
    let answer = probe(engine, &twice, &raced);
    for failure in delete::delete(engine, vec![twice, raced]) {
        let message = format!("cannot delete a probe object: {}", failure.error.message);
        log(Level::Warn, "store", &message);
    }
    answer
}

fn probe<T: Transport>(
    engine: &Rc<Engine<T>>,
    twice: &str,
    raced: &str,
) -> Result<bool, StoreError> {
    // A first "already exists" is the echo of this very create, which was sent again.
    if found(start(engine, twice, 0))? == Found::NoSuchAbility {
        return Ok(false);
    }
    if found(start(engine, twice, 1))? != Found::Exists {
        return Ok(false);
    }
    let racers: Vec<_> = (0..RACERS).map(|racer| start(engine, raced, racer)).collect();
    let results: Vec<_> = racers.into_iter().map(found).collect();
    if results.iter().filter(|result| matches!(result, Ok(Found::Created))).count() > 1 {
        return Ok(false);
    }
    results.into_iter().collect::<Result<Vec<_>, _>>().map(|_| true)
}

fn start<T: Transport>(engine: &Rc<Engine<T>>, key: &str, racer: usize) -> Create<T> {
    let content = Bytes::from(format!("probe {racer}\n"));
    Create::start(engine, key.to_owned(), vec![content])
}

fn found<T: Transport>(mut create: Create<T>) -> Result<Found, StoreError> {
    match create.wait() {
        Ok(()) => Ok(Found::Created),
        Err(WriteError::AlreadyExists) => Ok(Found::Exists),
        Err(WriteError::NotWritten(error) | WriteError::Unknown(error)) => match error.kind {
            StoreErrorKind::Unsupported => Ok(Found::NoSuchAbility),
            _ => Err(error),
        },
    }
}

fn random_key(near: &str) -> String {
    format!("{near}probe_{:016x}", RandomState::new().build_hasher().finish())
}
