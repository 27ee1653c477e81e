//! Holds a trim at the named positions of the log: no event is removed that one has not passed.
//!
//! 1. The positions are read before the log is loaded. A later one has passed more, so what they
//!    hold is never too little. A name that is first committed during the trim does not hold it.

use super::TrimOptions;
use super::aim::{Aim, Point, To};
use crate::decide::log_state::LogState;
use crate::drive::catalog::Catalog;
use crate::drive::interrupted::Interrupted;
use crate::drive::named;
use crate::error::Error;
use crate::format::names::{LogName, PositionName};
use crate::format::position::Position;
use crate::mutants::{self, Mutant};
use crate::ports::Store;

/// The positions that hold a trim.
pub(super) struct Hold(Vec<(PositionName, Point)>);

impl Hold {
    /// Reads the named positions of the log, if the options say so.
    pub(super) fn new<S: Store>(
        store: &S,
        log: &LogName,
        options: TrimOptions,
    ) -> Result<Self, Error> {
        if !options.keep_unread || mutants::is(Mutant::TrimPastNames) {
            return Ok(Self(Vec::new()));
        }
        let kept = named::kept(store, log)?.into_iter();
        let points =
            kept.map(|kept| Ok((kept.name, Point::Position(Position::decode(&kept.position)?))));
        Ok(Self(points.collect::<Result<_, Error>>()?))
    }

    /// Returns the earliest of an aim and of what the positions have passed, and the name of the
    /// position that is earlier than the aim.
    pub(super) fn apply<S: Store>(
        &self,
        aim: Aim,
        catalog: &mut Catalog<S>,
        state: &LogState,
    ) -> Result<(Aim, Option<PositionName>), Interrupted> {
        let (mut least, mut holder) = (aim, None);
        for (name, point) in &self.0 {
            let passed = point.aim(catalog, state).map_err(|error| of_name(name, error))?;
            if is_before(&passed, &least) {
                least = passed;
                holder = Some(name.clone());
            }
        }
        Ok((least, holder))
    }
}

/// An aim in live batches is behind all events with positions.
fn is_before(one: &Aim, other: &Aim) -> bool {
    match (one.to, other.to) {
        (To::Position(one), To::Position(other)) => one < other,
        (To::Position(_), To::KeepOfAbsorbed(_)) => true,
        (To::KeepOfAbsorbed(_), To::Position(_)) => false,
        (To::KeepOfAbsorbed(kept), To::KeepOfAbsorbed(other_kept)) => {
            (one.batches, other_kept) < (other.batches, kept)
        }
    }
}

/// Says whose position is refused.
fn of_name(name: &PositionName, interrupted: Interrupted) -> Interrupted {
    match interrupted {
        Interrupted::Failed(Error::InvalidInput(why)) => {
            Interrupted::Failed(Error::InvalidInput(format!(
                "the position named {} does not fit the log: {why}; forget that name, or trim \
                 without keeping what is unread",
                name.as_str()
            )))
        }
        other => other,
    }
}
