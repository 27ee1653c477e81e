//! Actors that copy the log to a mirror in the same store, and read the mirror.
//!
//! 1. At every moment a pass over the mirror shows, of each writer, its events in order up to some
//!    point. None is missing before that but trimmed ones, none is shown twice, and nothing is
//!    damaged.
//! 2. A target that only copies write is never refused, unless the log has forgotten what it has.
//! 3. In the end the mirror has the objects of the log, and reads as it does.

use std::collections::{BTreeMap, BTreeSet};

use stratalog_guest::drive::reader::ReadOptions;
use stratalog_guest::format::names::{LogName, MirrorMark, ObjectName};

use crate::memory::log;
use crate::sim::actors::{Actor, unless_wrong};
use crate::sim::history::{Event, read_events};
use crate::sim::logic::{Copied, Refusal};

/// The name of the mirror.
pub const MIRROR: &str = "mirror";

/// The part of a refusal of a mirror that is too far behind.
const FORGOTTEN: &str = "does not know";

/// Returns the name of the mirror.
pub fn mirror() -> LogName {
    LogName::parse(MIRROR).unwrap()
}

impl Actor<'_> {
    /// Copies repeatedly.
    pub fn copy_often(&mut self, rounds: u64) -> Result<(), String> {
        for _ in 0..rounds {
            if let Some(Copied::Refused(why)) = unless_wrong("copy", self.logic.copy())? {
                self.note("copy", "refused");
                if !why.contains(FORGOTTEN) {
                    return Err(format!("copy: {why}"));
                }
                return Ok(());
            }
            self.note("copy", "end");
            let steps = self.plan.below(200);
            self.view.pause(steps);
        }
        Ok(())
    }

    /// Reads the mirror repeatedly.
    pub fn read_mirror(&mut self, passes: u64) -> Result<(), String> {
        for _ in 0..passes {
            if let Some(shown) = unless_wrong("read the mirror", self.shown_by_mirror())? {
                self.check_shown(&shown).map_err(|why| format!("read the mirror: {why}"))?;
            }
            if self.plan.chance(1, 4)
                && let Some(verified) =
                    unless_wrong("verify the mirror", self.logic.verify_mirror())?
                && let Some(damage) = verified.damaged.first()
            {
                return Err(format!("verify the mirror: {damage}"));
            }
            let steps = self.plan.below(80);
            self.view.pause(steps);
        }
        Ok(())
    }

    fn shown_by_mirror(&self) -> Result<Vec<Event>, Refusal> {
        let mut pass = self.logic.read_mirror()?;
        let mut shown = Vec::new();
        while let Some(page) = pass.next_page()? {
            let lines = page.lines.unwrap_or_default();
            shown.extend(read_events(&lines).map_err(Refusal::Wrong)?);
        }
        Ok(shown)
    }

    fn check_shown(&self, shown: &[Event]) -> Result<(), String> {
        let history = &self.view.state().history;
        let mut next: BTreeMap<usize, usize> = BTreeMap::new();
        for (writer, number) in shown {
            let next = next.entry(*writer).or_default();
            if *number < *next {
                return Err(format!("{writer}-{number} is shown behind {writer}-{next}"));
            }
            let missing = (*next..*number).map(|number| (*writer, number));
            let mut missing = missing.filter(|event| !history.is_trimmed(*event));
            if let Some((writer, number)) = missing.next() {
                return Err(format!("{writer}-{number} is not shown"));
            }
            *next = number + 1;
        }
        Ok(())
    }

    /// Copies, while no other actor does anything, and compares the mirror with the log.
    pub fn compare_mirror(&mut self) -> Result<(), String> {
        let in_peace = |refusal: Refusal| format!("copy: {refusal:?} in peace");
        match self.logic.copy() {
            // There is no log.
            Err(Refusal::Again) => return Ok(()),
            Ok(Copied::Refused(why)) if why.contains(FORGOTTEN) => return Ok(()),
            Ok(Copied::Refused(why)) => return Err(format!("copy: {why}")),
            outcome => drop(outcome.map_err(in_peace)?),
        }
        let again = self.logic.copy().map_err(in_peace)?;
        if !matches!(again, Copied::Objects(0)) {
            return Err(format!("another copy of the same: {again:?}"));
        }
        let shown = self.shown_by_mirror().map_err(in_peace)?;
        let mut pass = self.logic.read(ReadOptions::default()).map_err(in_peace)?;
        let mut expected = Vec::new();
        while let Some(page) = pass.next_page().map_err(in_peace)? {
            expected.extend(read_events(&page.lines.unwrap_or_default())?);
        }
        if shown != expected {
            return Err(format!("the mirror shows {shown:?}, and the log {expected:?}"));
        }
        let verified = self.logic.verify_mirror().map_err(in_peace)?;
        if let Some(finding) = verified.damaged.iter().chain(&verified.garbage).next() {
            return Err(format!("verify finds {finding} in the mirror"));
        }
        self.compare_objects()
    }

    /// Checks that each object of the mirror is one of the log.
    fn compare_objects(&self) -> Result<(), String> {
        let state = self.view.state();
        for key in state.objects.keys() {
            let Some(name) = mirror().object(key).map(str::to_owned) else { continue };
            let is_own = ObjectName::parse(&name).is_some() || name.starts_with("position_");
            if MirrorMark::parse(&name).is_none()
                && is_own
                && state.objects.get(key) != state.objects.get(&log().key(&name))
            {
                return Err(format!("{key} is not the object of the log"));
            }
        }
        let newest = |folder: &str| -> BTreeSet<String> {
            let prefix = format!("{folder}/position_");
            let names = state.objects.keys().filter_map(|key| key.strip_prefix(&prefix));
            names.max().map(str::to_owned).into_iter().collect()
        };
        match newest(MIRROR) == newest(crate::memory::LOG) {
            true => Ok(()),
            false => Err("the mirror has another position".to_owned()),
        }
    }
}
