//! Actors that read under one name and commit their positions, and the check of what is stored.
//!
//! 1. A commit that is stored behind all others of the name makes its position the current one. Its
//!    reader must have begun at the position that was current then: so of two readers of one place,
//!    one commits.
//! 2. A reader begins at a position that was current while it was opened.
//! 3. A commit that succeeds was stored.
//! 4. A trim that keeps what is unread removes nothing that the reader has not passed.

use std::collections::BTreeMap;

use stratalog_guest::drive::reader::ReadOptions;
use stratalog_guest::format::named_position::NamedPosition;
use stratalog_guest::format::names::PositionObject;

use crate::memory::log;
use crate::sim::actors::{Actor, unless_wrong};
use crate::sim::expectation::Expectation;
use crate::sim::logic::Pass;

const NAME: &str = "app";

/// The newest commits that are kept. A listing that takes longer than as many commits may miss all.
const KEPT: usize = 16;

/// The number of times that a reader repeats a commit of an unknown outcome.
const TRIES: u64 = 3;

/// A place in the log: a position, or none for the beginning.
type Place = Option<String>;

/// The position of the name.
#[derive(Default)]
pub struct Named {
    /// The positions that were current, in order.
    current: Vec<String>,
    highest: u64,
    /// True if anyone reads under the name in this run.
    pub is_read: bool,
    /// The commits that were tried: the place that the reader may have begun at, and the position.
    tried: Vec<(Place, String)>,
    /// The events shown up to each position that was tried.
    shown: BTreeMap<String, Expectation>,
}

impl Named {
    fn latest(&self) -> Place {
        self.current.last().cloned()
    }

    /// Returns the events shown up to the current position.
    pub fn passed(&self) -> Option<&Expectation> {
        self.shown.get(self.current.last()?)
    }

    /// Records that an object was stored, if it is a commit.
    pub fn landed(&mut self, key: &str, bytes: &[u8]) -> Result<(), String> {
        let Some(object) = log().object(key).and_then(PositionObject::parse) else { return Ok(()) };
        let number = object.number;
        if number <= self.highest {
            return Ok(());
        }
        let commit = NamedPosition::decode(object, bytes).map_err(|error| error.to_string())?;
        let position = commit.position.ok_or("nobody forgets the name")?;
        let step = (self.latest(), position);
        if !self.tried.contains(&step) {
            return Err(format!("{key} goes from {:?} to {}, as no reader did", step.0, step.1));
        }
        self.highest = number;
        self.current.push(step.1);
        Ok(())
    }

    /// Returns the place that a reader began at, and the events shown before, if it began at one
    /// that was current since this many commits. None if there were too many commits since.
    fn opened(&self, since: usize, start: &str) -> Result<Option<(Place, Expectation)>, String> {
        if self.current.len() >= since + KEPT {
            return Ok(None);
        }
        let from = since.saturating_sub(1);
        if self.current[from..].iter().any(|position| position == start) {
            return Ok(Some((Some(start.to_owned()), self.shown[start].clone())));
        }
        if since == 0 && start == "0" {
            return Ok(Some((None, Expectation::default())));
        }
        Err(format!("the reader begins at {start}, and not at {:?}", &self.current[from..]))
    }

    fn begin(&mut self, places: &[Place], position: &str, shown: &Expectation) {
        self.tried.extend(places.iter().map(|place| (place.clone(), position.to_owned())));
        self.shown.insert(position.to_owned(), shown.clone());
    }
}

impl<'y> Actor<'y> {
    /// Reads repeatedly under the name. May end between its work and the commit.
    pub fn read_under_name(&mut self, rounds: u64) -> Result<(), String> {
        for _ in 0..rounds {
            let steps = self.plan.below(80);
            self.view.pause(steps);
            let since = self.view.state().named.current.len();
            let opened = self.logic.read_named(NAME, ReadOptions::default());
            let Some(mut pass) = unless_wrong("read named", opened)? else { continue };
            let start = pass.position().ok_or("a named reader has no position")?;
            self.note("begins at", &start);
            let opened = self.view.state().named.opened(since, &start);
            if let Some((place, shown)) = opened? {
                self.read_and_commit(&mut *pass, place, shown)?;
            }
        }
        Ok(())
    }

    fn read_and_commit(
        &mut self,
        pass: &mut (dyn Pass + 'y),
        start: Place,
        mut shown: Expectation,
    ) -> Result<(), String> {
        let mut places = vec![start];
        shown.begin_pass(&self.view.state().history);
        for _ in 0..self.plan.up_to(5) {
            match unless_wrong("read", pass.next_page())? {
                Some(Some(page)) => self.show(&mut shown, &page, "read")?,
                Some(None) => return Ok(()),
                None => continue,
            }
            let position = pass.position().ok_or("a named reader has no position")?;
            match self.plan.below(6) {
                0 => return Ok(()),
                1 => continue,
                _ => {}
            }
            let mut tries = self.plan.up_to(TRIES);
            loop {
                self.view.state().named.begin(&places, &position, &shown);
                let committed = unless_wrong("commit", pass.commit())?;
                self.note("committed", &format!("{position}: {}", committed.is_some()));
                tries -= 1;
                match committed {
                    Some(()) if self.view.state().named.current.contains(&position) => break,
                    Some(()) => return Err(format!("the commit of {position} is not stored")),
                    // It may be stored, or land later.
                    None => places.push(Some(position.clone())),
                }
                if tries == 0 {
                    return Ok(());
                }
            }
            places = vec![Some(position)];
        }
        Ok(())
    }
}
