//! Damage in a world: the changes that the store makes to objects by itself, and the events that
//! may be lost by them.
//!
//! 1. Events may be lost whose bytes were changed while no other object held them. These are the
//!    events of a live batch, or of the batches of a segment whose bytes were changed.
//! 2. An object that was damaged may be deleted, to be replaced. No other object may.
//! 3. Until everything is repaired, a call may report damage.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use stratalog_guest::format::index::Index;
use stratalog_guest::format::manifest::SegmentRecord;
use stratalog_guest::format::names::{BatchName, Generation, ObjectName, SegmentName};

use crate::memory::log;
use crate::sim::history::{Event, History, object, read_events};
use crate::sim::objects::Objects;
use crate::sim::random::Random;
use crate::sim::world::State;

thread_local! {
    /// True if something in the world of this thread is damaged, or was and perhaps still is.
    static EXPECTED: Cell<bool> = const { Cell::new(false) };
}

/// Sets if a call may report damage from now on.
pub fn expect(expected: bool) {
    EXPECTED.set(expected);
}

/// True if a call may report damage.
pub fn is_expected() -> bool {
    EXPECTED.get()
}

#[derive(Clone, Default)]
pub struct Damage {
    /// Damaged objects, with their original bytes.
    was: BTreeMap<String, Arc<[u8]>>,
    /// Objects that are or were damaged: two concurrent repairs may replace one after the other.
    ever: BTreeSet<String>,
    losable: BTreeSet<BatchName>,
    /// Events that a repair has recorded as lost.
    lost: BTreeSet<Event>,
}

impl Damage {
    pub fn is_lost(&self, event: Event) -> bool {
        self.lost.contains(&event)
    }

    pub fn lost(&self) -> &BTreeSet<Event> {
        &self.lost
    }

    /// True if the object is damaged, or was and has not been replaced yet.
    pub fn is_damaged(&self, key: &str) -> bool {
        self.was.contains_key(key)
    }

    /// True if the object is damaged, and nothing is left of it.
    pub fn is_gone(&self, key: &str, objects: &Objects) -> bool {
        self.is_damaged(key) && objects.get(key).is_none()
    }

    /// Records that an object was deleted. Returns true if that is right because it is damaged.
    pub fn deleted(&mut self, key: &str, bytes: &Arc<[u8]>, is_needed: bool) -> bool {
        if !is_needed {
            self.was.remove(key);
        } else if self.ever.contains(key) {
            self.was.entry(key.to_owned()).or_insert_with(|| bytes.clone());
        }
        is_needed && self.ever.contains(key)
    }

    /// Records that an object was stored: one with its original bytes is no longer damaged.
    pub fn landed(&mut self, key: &str, bytes: &[u8]) {
        if self.was.get(key).is_some_and(|was| **was == *bytes) {
            self.was.remove(key);
        }
    }
}

impl History {
    /// Returns the events of a segment that is named for the first time, including lost ones.
    pub fn events_in(
        &mut self,
        segment: &SegmentRecord,
        bytes: &[u8],
    ) -> Result<Vec<Event>, String> {
        if self.damage.losable.is_empty() {
            return read_events(bytes);
        }
        let log = log();
        let key = log.key(segment.name.index());
        let index = self.known(&key).ok_or_else(|| format!("{key} is not there"))?;
        let index = Index::decode(segment, index).map_err(|damage| damage.to_string())?;
        let mut rest = bytes;
        let mut events = Vec::new();
        for batch in index.batches {
            if !batch.lost {
                let (own, after) = rest.split_at(usize::try_from(batch.bytes).unwrap());
                events.extend(read_events(own)?);
                rest = after;
                continue;
            }
            if !self.damage.losable.contains(&batch.name) {
                return Err(format!("{} is recorded as lost, and was not damaged", batch.name));
            }
            let whole = self.known(&log.key(batch.name)).ok_or("it was never stored")?;
            let left = read_events(whole)?.split_off(usize::try_from(batch.trimmed).unwrap());
            self.damage.lost.extend(&left);
            events.extend(left);
        }
        Ok(events)
    }

    /// Returns the batches of a segment that contain any of these bytes.
    fn batches_at(&self, segment: SegmentName, at: &[usize]) -> Vec<BatchName> {
        let key = log().key(segment.index());
        let index = std::str::from_utf8(self.known(&key).unwrap()).unwrap();
        let field = |line: &str, name: &str, end: char| {
            let rest = &line[line.find(name).unwrap() + name.len()..];
            rest[..rest.find(end).unwrap()].to_owned()
        };
        let mut offset = 0;
        let batches = index.lines().filter_map(|line| {
            let bytes: usize = field(line, "\"bytes\":", ',').parse().unwrap();
            let range = offset..offset + bytes;
            offset = range.end;
            let is_hit = at.iter().any(|at| range.contains(at));
            is_hit.then(|| BatchName::parse(&field(line, "{\"batch\":\"", '"')).unwrap())
        });
        batches.collect()
    }
}

impl State {
    /// Damages an object, if there is one that can be damaged. Returns its key.
    pub fn harm(&mut self, plan: &mut Random) -> Option<String> {
        let keys: Vec<String> = self.objects.keys().map(|key| key.to_string()).collect();
        let keys: Vec<_> = keys.iter().filter(|key| self.can_be_harmed(key)).collect();
        if keys.is_empty() {
            return None;
        }
        let key = plan.pick(&keys);
        let was = self.objects.get(key)?.clone();
        let mut bytes = Some(was.to_vec());
        match object(key)? {
            ObjectName::Batch(name) => {
                // A batch that a segment holds by now is no longer needed.
                if read_events(&was)
                    .ok()?
                    .iter()
                    .any(|event| self.history.position(*event).is_none())
                {
                    self.history.damage.losable.insert(name);
                }
                if plan.chance(1, 2) {
                    bytes.as_mut()?.truncate(plan.index(was.len()));
                } else {
                    flip(plan, bytes.as_mut()?);
                }
            }
            ObjectName::Segment(name) if was.is_empty() || plan.chance(1, 4) => {
                let all: Vec<usize> = (0..was.len()).collect();
                self.history.damage.losable.extend(self.history.batches_at(name, &all));
                bytes = None;
            }
            ObjectName::Segment(name) => {
                let at: Vec<_> =
                    (0..plan.up_to(3)).map(|_| flip(plan, bytes.as_mut().unwrap())).collect();
                self.history.damage.losable.extend(self.history.batches_at(name, &at));
            }
            ObjectName::Index(_) => _ = flip(plan, bytes.as_mut()?),
            ObjectName::Manifest(generation) => {
                let text = std::str::from_utf8(&was).ok()?;
                let said = text.find("\"segments\"")?;
                let may_be_cut =
                    generation > Generation::FIRST && !self.has_harmed_index(generation);
                if may_be_cut && plan.chance(3, 4) {
                    bytes.as_mut()?.truncate(said + plan.index(was.len() - said));
                } else {
                    flip(plan, bytes.as_mut()?);
                }
            }
        }
        expect(true);
        let key = key.clone();
        self.history.damage.ever.insert(key.clone());
        self.history.damage.was.insert(key.clone(), was);
        self.objects.overwrite(&key, bytes.map(Arc::from));
        Some(key)
    }

    /// Returns whether an index of this generation is damaged. If its manifest were cut short too,
    /// no digest of the index would be left: a changed time in it could not be noticed.
    fn has_harmed_index(&self, generation: Generation) -> bool {
        self.history.damage.was.keys().any(|key| match object(key) {
            Some(ObjectName::Index(index)) => index.0.generation == generation,
            _ => false,
        })
    }

    /// False for objects that are never tried: those that no operation reads, legacy batches, which
    /// have no digest, objects damaged before, and indexes whose manifest is damaged.
    fn can_be_harmed(&self, key: &str) -> bool {
        let of_log = match object(key) {
            Some(ObjectName::Batch(name)) => name.origin.is_some(),
            Some(ObjectName::Segment(_)) => self.history.needs(key),
            Some(ObjectName::Index(index)) => {
                let manifest = log().key(index.0.generation);
                self.history.needs(key) && !self.history.damage.is_damaged(&manifest)
            }
            Some(ObjectName::Manifest(_)) => true,
            None => false,
        };
        of_log && !self.history.damage.is_damaged(key)
    }

    /// Restores an object from a copy of the store. Returns false if it is not damaged.
    pub fn restore(&mut self, key: &str) -> bool {
        let Some(was) = self.history.damage.was.remove(key) else { return false };
        self.objects.overwrite(key, Some(was));
        true
    }
}

/// Changes a byte; returns its index.
fn flip(plan: &mut Random, bytes: &mut [u8]) -> usize {
    let at = plan.index(bytes.len());
    bytes[at] ^= 1 << plan.below(7);
    at
}
