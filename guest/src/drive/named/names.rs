//! The names of a log: lists and forgets them.

use super::Named;
use super::objects::list;
use crate::drive::catalog::Catalog;
use crate::error::Error;
use crate::format::names::{LogName, PositionName, PositionObject};
use crate::limits::POSITION_TRIES;
use crate::ports::{Store, System};

/// The position of a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    pub name: PositionName,
    pub position: String,
    /// The number of the commit, from 1.
    pub number: u64,
    /// Microseconds since 1970, by the clock of the reader that committed it.
    pub time: u64,
}

/// Returns the positions of a log, by name.
///
/// # Errors
/// [`Error::NoLog`], [`Error::StoreFailed`], [`Error::Unsupported`], or [`Error::Damaged`] if one
/// cannot be read.
pub fn positions<S: Store>(store: &S, log: &LogName) -> Result<Vec<Kept>, Error> {
    let kept = kept(store, log)?;
    if kept.is_empty() {
        check_is_there(store, log)?;
    }
    Ok(kept)
}

fn check_is_there<S: Store>(store: &S, log: &LogName) -> Result<(), Error> {
    Catalog::new(store.clone(), log.clone()).check_is_there()
}

/// Returns the positions of a log that exists.
pub(crate) fn kept<S: Store>(store: &S, log: &LogName) -> Result<Vec<Kept>, Error> {
    let mut kept = Vec::new();
    for of_name in list(store, log, None)?.chunk_by(|one, other| one.name == other.name) {
        let Some(PositionObject { name, .. }) = of_name.first() else { continue };
        let numbers = of_name.iter().map(|object| object.number).collect();
        let Named { name, number, position, time, .. } =
            match Named::listed(name.clone(), numbers).with_newest(store, log)? {
                Some(named) => named,
                None => Named::open(store, log, name.clone())?,
            };
        kept.extend(position.map(|position| Kept { name, position, number, time }));
    }
    Ok(kept)
}

/// Forgets a name: a reader that has it open can commit no more, and the next one has no position.
/// Returns false if there is nothing to forget.
///
/// # Errors
/// [`Error::Conflict`] if readers keep committing, [`Error::NoLog`]; otherwise as a commit. The
/// position itself is not read, so a damaged one can be forgotten.
pub fn forget<S: Store, Y: System>(
    store: &S,
    system: &Y,
    log: &LogName,
    name: PositionName,
) -> Result<bool, Error> {
    for _ in 0..POSITION_TRIES {
        let mut named = match Named::open(store, log, name.clone()) {
            Err(Error::Damaged(_)) => Named::list(store, log, name.clone())?,
            named => named?,
        };
        if named.number == 0 {
            check_is_there(store, log)?;
        }
        if named.number == 0 || (named.position.is_none() && named.attempt.is_some()) {
            return Ok(false);
        }
        let mut catalog = Catalog::new(store.clone(), log.clone());
        catalog.list_writable("forget a position of")?;
        match named.commit(store, system, log, None) {
            Err(Error::Conflict(_)) => {}
            done => return done.map(|()| true),
        }
    }
    Err(Error::Conflict(format!(
        "readers have committed under the name {} of the log {} {POSITION_TRIES} times in a row; \
         stop them, and forget the name again",
        name.as_str(),
        log.as_str()
    )))
}
