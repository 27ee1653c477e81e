//! The true state of the log in a world, judged by the objects that its store holds.
//!
//! An event is a line `{writer}-{number}` with dots behind it. The numbers of each writer count
//! from 0. A stored batch is visible when all batches of its writer before it are stored, or were:
//! so the number of a writer's visible events determines them. What is behind a gap is hidden.
//!
//! 1. A name that only one actor can give always has the same bytes.
//! 2. Each manifest continues the one before. Every event keeps its position, and no two events
//!    share one. The events of a writer have theirs in order and without a gap.
//! 3. Only a trim raises the first position, and by no more than it asked for. A repair may commit
//!    what a killed trim has written, if the segment that it cuts is gone by damage.
//! 4. The first manifest stays.
//! 5. No object is deleted that the current manifest needs, or that no segment has absorbed, unless
//!    it is damaged and is to be replaced.
//! 6. Batches without a number are stored in the order of their writer, so none is ever hidden.
//! 7. No segment that a manifest names holds a trimmed event, unless a lazy trim has left it there.
//!    The next compaction commits without it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use stratalog_guest::format::manifest::Manifest;
use stratalog_guest::format::names::{BatchName, CommitId, Generation, LogId, ObjectName};

use crate::memory::log;
use crate::sim::damage::Damage;
use crate::sim::expectation::Expectation;
use crate::sim::objects::Objects;

/// The number of a writer, and the number of the event among those of that writer.
pub type Event = (usize, usize);

/// The request of a trim.
#[derive(Clone, Debug)]
pub enum TrimRequest {
    KeepEvents(u64),
    Time(u64),
    /// A position, and the events that were passed up to there.
    Position(Box<Expectation>),
    /// Nothing: the commit is a repair.
    Nothing,
}

/// A trim as an actor requested it, or a repair.
#[derive(Clone, Debug)]
pub struct Trim {
    pub request: TrimRequest,
    /// True if it may leave trimmed events in the segment at its boundary.
    pub lazy: bool,
    /// True if it keeps what the reader of the name has not passed.
    pub keep_unread: bool,
}

/// The events of one writer.
#[derive(Clone, Default)]
pub struct WriterHistory {
    /// Events that were appended.
    pub written: usize,
    /// The batch times of the events that are visible, or were.
    pub times: Vec<u64>,
    /// The batches behind a gap, by the number of their first event: their times, and the numbers
    /// of their events.
    hidden: BTreeMap<usize, (u64, usize)>,
    /// The positions of the events that have one.
    pub positions: Vec<u64>,
}

impl WriterHistory {
    /// Records a stored batch, and shows what is behind no gap by now.
    fn store(&mut self, first: usize, events: usize, time: u64) {
        self.hidden.insert(first, (time, events));
        while let Some((first, (time, events))) = self.hidden.pop_first() {
            if first > self.times.len() {
                self.hidden.insert(first, (time, events));
                return;
            }
            // Another object of the same batch changes nothing.
            self.times.resize(self.times.len().max(first + events), time);
        }
    }
}

#[derive(Clone, Default)]
pub struct History {
    pub writers: Vec<WriterHistory>,
    /// The writer of legacy batches, whose names do not contain the number of events.
    pub legacy_writer: Option<usize>,
    /// The events by position.
    pub places: Vec<Event>,
    /// The generation of the current manifest.
    pub generation: u64,
    pub first_position: u64,
    identity: Option<LogId>,
    /// Trimmed events that are still in a segment.
    pub trimmed_events: u64,
    needed: BTreeSet<String>,
    /// Every object that was ever stored, except manifests.
    known: BTreeMap<String, Arc<[u8]>>,
    /// The trims that wrote indexes, by their attempts.
    trims: BTreeMap<CommitId, Trim>,
    pub damage: Damage,
}

/// Formats an event.
pub fn write_event((writer, number): Event, dots: usize) -> String {
    format!("{writer}-{number}{}", ".".repeat(dots))
}

/// Parses the events of some lines of text.
pub fn read_events(lines: &[u8]) -> Result<Vec<Event>, String> {
    let text = str::from_utf8(lines).map_err(|error| error.to_string())?;
    let read = |event: &str| {
        let (writer, number) = event.trim_end_matches('.').split_once('-')?;
        Some((writer.parse().ok()?, number.parse().ok()?))
    };
    let events = text.lines().filter(|event| !event.is_empty());
    events.map(|event| read(event).ok_or_else(|| format!("{event:?} is invented"))).collect()
}

/// Returns the log's own object with that key.
pub fn object(key: &str) -> Option<ObjectName> {
    ObjectName::parse(log().object(key)?)
}

impl History {
    pub fn writer(&mut self, writer: usize) -> &mut WriterHistory {
        if self.writers.len() <= writer {
            self.writers.resize_with(writer + 1, WriterHistory::default);
        }
        &mut self.writers[writer]
    }

    /// Returns the number of visible events of each writer.
    pub fn stored(&self) -> Vec<usize> {
        self.writers.iter().map(|writer| writer.times.len()).collect()
    }

    /// Returns the number of events visible so far, trimmed or not.
    pub fn stored_events(&self) -> u64 {
        self.writers.iter().map(|writer| u64::try_from(writer.times.len()).unwrap()).sum()
    }

    /// Iterates over the visible events that have no position, writer by writer.
    pub fn live(&self) -> impl Iterator<Item = Event> {
        let writers = self.writers.iter().enumerate();
        writers.flat_map(|(at, writer)| {
            (writer.positions.len()..writer.times.len()).map(move |n| (at, n))
        })
    }

    /// True if the name of the event's batch contains its number of events.
    pub fn is_counted(&self, (writer, _): Event) -> bool {
        self.legacy_writer != Some(writer)
    }

    pub fn next_position(&self) -> u64 {
        u64::try_from(self.places.len()).unwrap()
    }

    pub fn time(&self, (writer, number): Event) -> Option<u64> {
        self.writers.get(writer)?.times.get(number).copied()
    }

    pub fn position(&self, (writer, number): Event) -> Option<u64> {
        self.writers.get(writer)?.positions.get(number).copied()
    }

    /// True if the current manifest names the object.
    pub fn needs(&self, key: &str) -> bool {
        self.needed.contains(key)
    }

    /// Returns the bytes that an object had when it was stored.
    pub fn known(&self, key: &str) -> Option<&Arc<[u8]>> {
        self.known.get(key)
    }

    /// Fails if an object is missing, unless it is damaged.
    fn is_there(&self, key: &str, objects: &Objects) -> Result<(), String> {
        let is_there = objects.get(key).is_some() || self.damage.is_damaged(key);
        if is_there { Ok(()) } else { Err(format!("{key} is not there")) }
    }

    pub fn is_trimmed(&self, event: Event) -> bool {
        self.position(event).is_some_and(|position| position < self.first_position)
    }

    /// Records that an object has been stored.
    pub fn landed(
        &mut self,
        key: &str,
        bytes: &Arc<[u8]>,
        objects: &Objects,
        trim: Option<&Trim>,
        passed: Option<&Expectation>,
    ) -> Result<(), String> {
        let name = object(key);
        self.damage.landed(key, bytes);
        if let Some(ObjectName::Manifest(generation)) = name {
            // A manifest below the current one has no effect: its number was passed long ago.
            if generation.0 <= self.generation {
                return Ok(());
            }
            let committed = self.commit(generation, bytes, objects, trim, passed);
            return committed.map_err(|failure| format!("{key}: {failure}"));
        }
        if self.known.insert(key.to_owned(), bytes.clone()).is_some_and(|known| known != *bytes) {
            return Err(format!("{key} is stored with other bytes than before"));
        }
        if let (Some(ObjectName::Index(index)), Some(trim)) = (name, trim) {
            self.trims.insert(index.0.commit_id, trim.clone());
        }
        if let Some(ObjectName::Batch(batch)) = name {
            let events = read_events(bytes)?;
            let Some((writer, first)) = events.first().copied() else { return Ok(()) };
            if !events.iter().copied().eq((first..first + events.len()).map(|at| (writer, at))) {
                return Err(format!("{key} has {events:?}"));
            }
            let writer = self.writer(writer);
            if first > writer.times.len() && batch.id().is_none() {
                return Err(format!("{key} is stored before the batch that comes first"));
            }
            writer.store(first, events.len(), batch.time.micros());
        }
        Ok(())
    }

    /// Returns the batches that are behind a gap, with their numbers of events: of two names of one
    /// batch, the one that waits for less.
    pub fn stranded(&self, objects: &Objects) -> BTreeMap<String, u64> {
        let mut stranded: BTreeMap<BatchName, (u64, String)> = BTreeMap::new();
        for key in objects.keys() {
            let Some(ObjectName::Batch(name)) = object(key) else { continue };
            let sequence = name.origin.and_then(|origin| origin.sequence);
            let events = self.known(key).and_then(|bytes| read_events(bytes).ok());
            let first = events.as_deref().and_then(<[Event]>::first).copied();
            let (Some(sequence), Some((writer, first))) = (sequence, first) else { continue };
            if first >= self.writers[writer].times.len() {
                let least = stranded.entry(name).or_insert((u64::MAX, String::new()));
                *least = (sequence.waiting, key.to_string()).min(least.clone());
            }
        }
        let events = |name: BatchName| name.origin.map_or(0, |origin| origin.events);
        stranded.into_iter().map(|(name, (_, key))| (key, events(name))).collect()
    }

    /// Records that an object has been deleted.
    pub fn deleted(&mut self, key: &str, bytes: &Arc<[u8]>) -> Result<(), String> {
        let is_first = object(key) == Some(ObjectName::Manifest(Generation::FIRST));
        let is_needed = is_first || self.needed.contains(key);
        if self.damage.deleted(key, bytes, is_needed) {
            return Ok(());
        }
        if self.needed.contains(key) {
            return Err(format!("{key} is deleted, and generation {} needs it", self.generation));
        }
        if is_first {
            return Err(format!("{key} is deleted, the first manifest"));
        }
        if let Some(ObjectName::Batch(_)) = object(key)
            && let Some(bytes) = self.known(key)
            && let Some((writer, number)) =
                read_events(bytes)?.into_iter().find(|event| self.position(*event).is_none())
        {
            return Err(format!("{key} is deleted, but {writer}-{number} is in no segment"));
        }
        Ok(())
    }

    /// Records a manifest that is current from now on.
    fn commit(
        &mut self,
        generation: Generation,
        bytes: &[u8],
        objects: &Objects,
        trim: Option<&Trim>,
        passed: Option<&Expectation>,
    ) -> Result<(), String> {
        let manifest = Manifest::decode(generation, bytes).map_err(|error| error.to_string())?;
        if generation.0 != self.generation + 1 {
            return Err(format!("it comes after generation {}", self.generation));
        }
        let log = log();
        if self.identity.is_some_and(|identity| manifest.log != Some(identity)) {
            return Err(format!("the log was {:?} and is {:?}", self.identity, manifest.log));
        }
        self.identity = manifest.log;
        let mut needed = BTreeSet::from([log.key(generation)]);
        for segment in &manifest.segments {
            let key = log.key(segment.name);
            let index = log.key(segment.name.index());
            self.is_there(&key, objects)?;
            self.is_there(&index, objects)?;
            if !self.needed.contains(&key) {
                let bytes = self.known(&key).ok_or("it was never stored")?.clone();
                let events = self.events_in(segment, &bytes);
                let taken = events.and_then(|events| self.take_places(segment.position, &events));
                taken.map_err(|failure| format!("{key}: {failure}"))?;
            }
            needed.extend([key, index]);
        }
        for retired in &manifest.retired {
            let index = log.key(retired.segment.name.index());
            self.is_there(&index, objects)?;
            needed.insert(index);
        }
        let old_first = self.first_position;
        let (first, next) = (manifest.first_position, manifest.next_position);
        if next != self.next_position() || first < old_first || first > next {
            return Err(format!(
                "positions are from {first} to {next}, were from {old_first} to {}",
                self.next_position()
            ));
        }
        let cuts_gone =
            self.needed.difference(&needed).any(|key| self.damage.is_gone(key, objects));
        (self.generation, self.first_position, self.needed) = (generation.0, first, needed);
        // A segment's events stand at their positions: they were checked when it was first named.
        let start = manifest.segments.first().map_or(first, |segment| segment.position);
        self.trimmed_events = first.saturating_sub(start);
        let may_hold_trimmed = match trim {
            // A trim may absorb before it trims.
            Some(trim) => trim.lazy || first == old_first,
            None => false,
        };
        if self.trimmed_events > 0 && !may_hold_trimmed {
            let left = self.trimmed_events;
            return Err(format!("{left} trimmed events before {first} are in a segment still"));
        }
        let trim = self.trims.get(&manifest.commit_id).filter(|_| cuts_gone).or(trim);
        if first > old_first { self.judge_trim(old_first, trim, passed) } else { Ok(()) }
    }

    fn take_places(&mut self, position: u64, events: &[Event]) -> Result<(), String> {
        for (position, event) in (usize::try_from(position).unwrap()..).zip(events) {
            let (writer, number) = *event;
            if let Some(before) = self.places.get(position) {
                if before != event {
                    let (was, old) = before;
                    return Err(format!(
                        "{writer}-{number} has position {position}, which is that of {was}-{old}"
                    ));
                }
                continue;
            }
            if position > self.places.len() {
                return Err(format!("nothing is known of positions before {position}"));
            }
            let of_writer = &mut self.writer(writer);
            if number != of_writer.positions.len() || number >= of_writer.times.len() {
                return Err(format!(
                    "{writer}-{number} gets a position after {} events of its writer",
                    of_writer.positions.len()
                ));
            }
            of_writer.positions.push(u64::try_from(position).unwrap());
            self.places.push(*event);
        }
        Ok(())
    }

    /// Fails if the events just trimmed are more than the request asked for, or than the reader of
    /// the name has passed.
    fn judge_trim(
        &self,
        old_first: u64,
        trim: Option<&Trim>,
        passed: Option<&Expectation>,
    ) -> Result<(), String> {
        let old = usize::try_from(old_first).unwrap();
        let first = usize::try_from(self.first_position).unwrap();
        let mut trimmed = self.places[old..first].iter();
        if trim.is_some_and(|trim| trim.keep_unread)
            && let Some(passed) = passed
            && let Some((writer, number)) =
                trimmed.clone().find(|event| !passed.has_passed(**event))
        {
            return Err(format!("{writer}-{number} is trimmed, and was not read under the name"));
        }
        let too_much = match trim.map(|trim| &trim.request) {
            None => return Err(format!("nobody asked to trim positions {old} to {first}")),
            Some(TrimRequest::KeepEvents(kept)) => {
                (self.stored_events() - self.first_position < *kept).then_some(&self.places[old])
            }
            Some(TrimRequest::Time(time)) => {
                trimmed.find(|event| self.time(**event).is_some_and(|sealed| sealed >= *time))
            }
            Some(TrimRequest::Position(passed)) => {
                trimmed.find(|event| !passed.has_passed(**event) && !self.damage.is_lost(**event))
            }
            Some(TrimRequest::Nothing) => trimmed.next(),
        };
        match too_much {
            None => Ok(()),
            Some((writer, number)) => Err(format!(
                "positions {old} to {first} are trimmed, {writer}-{number} among them, for {trim:?}"
            )),
        }
    }
}
