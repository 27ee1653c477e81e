//! The world's object store, and its failures.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::{Bound, Range};
use std::rc::Rc;
use std::sync::Arc;

use stratalog_guest::format::names::ObjectName;

use crate::faults::Fault;
use crate::sim::history::{Trim, object};
use crate::sim::lies::{Known, Lie};
use crate::sim::world::{ActorView, State};

/// The outcome of a create, as its actor hears it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    Done,
    Exists,
    Refused,
    Unknown,
}

/// A read or a list that the store did not do.
pub struct Unavailable;

/// The stored objects, and the creates in flight.
#[derive(Default)]
pub struct Objects {
    stored: BTreeMap<Rc<str>, Arc<[u8]>>,
    /// Every key that was ever stored, once for each time, in the order of storing.
    landed: Vec<Rc<str>>,
    /// Keys made by actors that may be lied to.
    made: BTreeSet<Rc<str>>,
    in_flight: Vec<InFlight>,
    /// The number of creates started so far, and the fates of those that are done.
    started: u64,
    fates: BTreeMap<u64, Fate>,
}

/// A create that the world does later.
struct InFlight {
    actor: usize,
    /// The number by which its fate is asked for; none for a late create, whose reply was lost.
    started: Option<u64>,
    key: String,
    bytes: Arc<[u8]>,
    trim: Option<Rc<Trim>>,
}

/// A page of a listing: keys and sizes, and true if there are more.
pub type Listed = (Vec<(Rc<str>, u64)>, bool);

impl Objects {
    pub fn is_any_in_flight(&self) -> bool {
        !self.in_flight.is_empty()
    }

    pub fn get(&self, key: &str) -> Option<&Arc<[u8]>> {
        self.stored.get(key)
    }

    pub fn keys(&self) -> impl Iterator<Item = &Rc<str>> {
        self.stored.keys()
    }

    /// Damages an object: it gets other bytes, disappears, or is there again.
    pub fn overwrite(&mut self, key: &str, bytes: Option<Arc<[u8]>>) {
        let Some(bytes) = bytes else {
            self.stored.remove(key);
            return;
        };
        let shared: Rc<str> = key.into();
        if self.stored.insert(shared.clone(), bytes).is_none() {
            self.landed.push(shared);
        }
    }

    /// Returns the fate of a started create, if it has one yet.
    pub fn fate(&self, started: u64) -> Option<Fate> {
        self.fates.get(&started).copied()
    }
}

impl State {
    /// Starts a create that the world completes.
    pub fn start_create(&mut self, actor: usize, key: &str, bytes: &[u8]) -> u64 {
        self.objects.started += 1;
        let started = self.objects.started;
        let trim = self.actor(actor).trim.clone();
        self.objects.in_flight.push(InFlight {
            actor,
            started: Some(started),
            key: key.to_owned(),
            bytes: bytes.into(),
            trim,
        });
        started
    }

    /// Completes a create in flight, or makes a late one wait a little longer.
    pub fn land_one(&mut self) {
        let number = self.random.index(self.objects.in_flight.len());
        if self.objects.in_flight[number].started.is_none() && self.random.chance(3, 4) {
            return;
        }
        let create = self.objects.in_flight.swap_remove(number);
        match create.started {
            Some(started) => {
                let fate = self.create(create.actor, &create.key, create.bytes, create.trim);
                self.objects.fates.insert(started, fate);
            }
            None => {
                self.trace.note(create.actor, "late", &create.key, b"");
                self.land(&create.key, create.bytes, create.trim.as_deref());
            }
        }
    }

    /// Forgets some creates of batches, all of whose writers have ended: they never land.
    pub fn lose_some(&mut self) {
        let Self { objects, random, .. } = self;
        objects.in_flight.retain(|create| {
            let is_batch = matches!(object(&create.key), Some(ObjectName::Batch(_)));
            !is_batch || random.chance(1, 2)
        });
    }

    fn random_fault(&mut self) -> Fault {
        match self.random.below(10) {
            0 => Fault::Refused,
            1..3 => Fault::Lost,
            3..7 => Fault::ReplyLost,
            _ => Fault::LandsLate,
        }
    }

    /// Does a create, with any outcome.
    fn create(
        &mut self,
        actor: usize,
        key: &str,
        bytes: Arc<[u8]>,
        trim: Option<Rc<Trim>>,
    ) -> Fate {
        self.trace.note(actor, "create", key, &bytes);
        if self.actor(actor).gullible {
            self.objects.made.insert(key.into());
        }
        let faults = self.rates.faults;
        if faults > 0 && self.random.chance(faults, 1000) {
            match self.random_fault() {
                Fault::Refused => return Fate::Refused,
                Fault::ReplyLost => self.land(key, bytes, trim.as_deref()),
                Fault::LandsLate => {
                    let (key, started) = (key.to_owned(), None);
                    self.objects.in_flight.push(InFlight { actor, started, key, bytes, trim });
                }
                _ => {}
            }
            return Fate::Unknown;
        }
        if self.objects.stored.contains_key(key) {
            return Fate::Exists;
        }
        self.land(key, bytes, trim.as_deref());
        Fate::Done
    }

    /// Stores an object, unless one with its name is there.
    pub fn land(&mut self, key: &str, bytes: Arc<[u8]>, trim: Option<&Trim>) {
        if self.objects.stored.contains_key(key) {
            return;
        }
        let shared: Rc<str> = key.into();
        self.objects.landed.push(shared.clone());
        self.objects.stored.insert(shared, bytes.clone());
        let named = self.named.landed(key, &bytes);
        let passed = self.named.passed();
        let landed = self.history.landed(key, &bytes, &self.objects, trim, passed);
        if let Err(failure) = named.and(landed) {
            self.fail(failure);
        }
    }

    fn remove(&mut self, key: &str) {
        if let Some(bytes) = self.objects.stored.remove(key)
            && let Err(failure) = self.history.deleted(key, &bytes)
        {
            self.fail(failure);
        }
    }

    /// Removes some keys from a listing, if the actor is to be lied to.
    fn lie(&mut self, actor: usize, prefix: &str, objects: &mut Vec<(Rc<str>, u64)>) {
        let often = self.rates.lies;
        if often == 0 || !self.actor(actor).gullible {
            return;
        }
        let always = self.actor(actor).lie;
        let lie = match always {
            Some(lie) => lie,
            None if self.random.chance(often, 1000) => Lie::any(&mut self.random),
            None => return,
        };
        if lie.breaks_order() && prefix.ends_with("batch_") {
            return;
        }
        let known = Known { landed: &self.objects.landed, made: &self.objects.made };
        if lie.tell(&mut self.random, objects, &known) {
            self.trace.note(actor, "lie", &format!("{lie:?}"), b"");
            self.actor(actor).deceived = true;
        }
    }

    fn read_fails(&mut self) -> bool {
        let faults = self.rates.read_faults;
        faults > 0 && self.random.chance(faults, 1000)
    }
}

impl ActorView<'_> {
    pub fn create_object(&self, key: &str, bytes: &[u8]) -> Fate {
        let mut state = self.step();
        let trim = state.actor(self.actor).trim.clone();
        state.create(self.actor, key, bytes.into(), trim)
    }

    /// Returns the object's bytes, or those of the range; none if it is not there.
    pub fn get_object(
        &self,
        key: &str,
        range: Option<Range<u64>>,
    ) -> Result<Option<Vec<u8>>, Unavailable> {
        let state = &mut *self.step();
        state.trace.note(self.actor, "get", key, format!("{range:?}").as_bytes());
        if state.read_fails() {
            return Err(Unavailable);
        }
        let Some(bytes) = state.objects.get(key) else { return Ok(None) };
        let bytes = match range {
            None => bytes.to_vec(),
            Some(range) => {
                let end = usize::try_from(range.end).unwrap();
                // A search for copies may ask for more than there is, by a damaged index.
                match bytes.get(usize::try_from(range.start).unwrap()..end) {
                    Some(bytes) => bytes.to_vec(),
                    None => return Ok(None),
                }
            }
        };
        Ok(Some(bytes))
    }

    /// Deletes an object. Returns false if the store reports a failure, though the object may be
    /// gone.
    pub fn delete_object(&self, key: &str) -> bool {
        let mut state = self.step();
        state.trace.note(self.actor, "delete", key, b"");
        let faults = state.rates.faults;
        let failed = faults > 0 && state.random.chance(faults, 1000);
        if !failed || state.random.chance(1, 2) {
            state.remove(key);
        }
        !failed
    }

    /// Returns a page of a listing, each key visited at an instant of its own.
    pub fn list_objects(
        &self,
        prefix: &str,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Listed, Unavailable> {
        let mut state = self.step();
        state.trace.note(self.actor, "list", prefix, after.unwrap_or_default().as_bytes());
        if state.read_fails() {
            return Err(Unavailable);
        }
        let wanted = |key: &str| key.starts_with(prefix) && after.is_none_or(|after| key > after);
        let from = state
            .objects
            .stored
            .range::<str, _>((Bound::Included(prefix), Bound::Unbounded))
            .map(|(key, _)| key);
        let from = from.take_while(|key| key.starts_with(prefix));
        let all: Vec<Rc<str>> = from.filter(|key| wanted(key)).cloned().collect();
        let mut left = all.clone();
        let mut new: Vec<Rc<str>> = Vec::new();
        let mut landed = state.objects.landed.len();
        let mut objects = Vec::new();
        while !left.is_empty() {
            let number = state.random.index(left.len());
            let key = left.swap_remove(number);
            if let Some(bytes) = state.objects.get(&key) {
                objects.push((key, u64::try_from(bytes.len()).unwrap()));
            }
            if state.random.chance(1, 4) {
                drop(state);
                state = self.step();
                let state = &mut *state;
                for key in &state.objects.landed[landed..] {
                    // A key that appears during the listing may be visited or not.
                    if wanted(key) && all.binary_search(key).is_err() && !new.contains(key) {
                        new.push(key.clone());
                        if state.random.chance(1, 2) {
                            left.push(key.clone());
                        }
                    }
                }
                landed = state.objects.landed.len();
            }
        }
        objects.sort_unstable();
        state.lie(self.actor, prefix, &mut objects);
        let mut most = usize::try_from(limit).unwrap();
        if objects.len() > 1 && state.random.chance(1, 8) {
            most = most.min(1 + state.random.index(objects.len() - 1));
        }
        let more = objects.len() > most;
        objects.truncate(most);
        Ok((objects, more))
    }
}
