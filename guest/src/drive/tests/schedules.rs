//! Random schedules: writers whose creates end in any order, compactions, trims, and readers that
//! resume from positions.

use std::collections::{BTreeMap, BTreeSet};

use super::memory::{End, Fixed, Memory};
use super::{files, log, read_on, writer_of};
use crate::decide::compaction::tests::Random;
use crate::decide::options::CompactInput;
use crate::drive::compactor::compact;
use crate::drive::reader::{ReadOptions, Reader};
use crate::drive::trimmer::{TrimOptions, TrimPoint, trim};
use crate::drive::verifier::{Finding, Verifier};
use crate::drive::writer::Writer;
use crate::error::Error;
use crate::limits::FULL_LOAD_POLLS_MIN;

const WRITERS: u64 = 3;

/// A reader that resumes: its position, and all that it has yielded and missed.
#[derive(Default)]
struct Resumed {
    position: Option<String>,
    yielded: Vec<u64>,
    missed: u64,
}

struct World {
    random: Random,
    store: Memory,
    system: Fixed,
    writers: Vec<Writer<Memory, Fixed>>,
    appended: Vec<u64>,
    is_trimmed: bool,
    follower: Reader<Memory>,
    followed: Vec<u64>,
    polls_cover_all: bool,
}

impl World {
    fn step(&mut self, reader: &mut Resumed) {
        self.system.now.set(self.system.now.get() + self.random.below(30));
        match self.random.below(19) {
            12 => self.read_own(),
            13 => self.land_late(),
            14..16 => self.follow(),
            16 => self.trim_read(reader),
            17 => self.check_acknowledged(),
            18 => self.check_files(),
            0..4 => self.append(),
            4..8 => self.end_one(),
            8 => {
                let batches_max = Some(1 + u32::try_from(self.random.below(5)).unwrap());
                let full = self.random.below(2) == 0;
                let options = CompactInput { full, batches_max, ..CompactInput::default() };
                ignore_no_log(compact(self.store.clone(), &self.system, log(), options));
            }
            9 if self.random.below(4) == 0 => {
                let point = TrimPoint::KeepEvents(self.random.below(6));
                let options = TrimOptions { lazy: self.random.below(2) == 0, keep_unread: false };
                ignore_no_log(trim(self.store.clone(), &self.system, log(), point, options));
                self.is_trimmed = true;
            }
            10 => {
                let number = self.random.below(7);
                self.read_inside(reader, number);
            }
            _ => {
                let limit = 1 + self.random.below(7);
                let is_limited = self.random.below(2) == 0;
                self.read(reader, is_limited.then_some(limit));
            }
        }
    }

    fn append(&mut self) {
        let number = self.random.below(WRITERS);
        let at = usize::try_from(number).unwrap();
        let event = number * 1_000_000 + self.appended[at];
        if self.writers[at].append(event.to_string().as_bytes()).is_ok() {
            self.appended[at] += 1;
        }
    }

    /// Ends one create that is in flight.
    fn end_one(&mut self) {
        let open: Vec<_> =
            (0..self.store.started()).filter(|create| self.store.is_open(*create)).collect();
        if open.is_empty() {
            return;
        }
        let create = open[usize::try_from(self.random.below(8)).unwrap() % open.len()];
        let end = match self.random.below(8) {
            0 => End::Refused,
            1 => End::Unknown { is_stored: false },
            2 => End::Unknown { is_stored: true },
            _ => End::Stored,
        };
        self.store.end(create, end);
        if self.random.below(3) == 0 {
            self.system.now.set(self.system.now.get() + 2_000_000);
        }
        let at = usize::try_from(self.random.below(WRITERS)).unwrap();
        self.writers[at].tick();
    }

    /// Resumes a reader, up to a limit of events if one is given.
    fn read(&self, resumed: &mut Resumed, limit: Option<u64>) {
        // With a position, a reader counts what was trimmed.
        let start = Some(resumed.position.take().unwrap_or_else(|| "0".to_owned()));
        let options = ReadOptions { start, limit, ..<_>::default() };
        let mut reader = Reader::new(self.store.clone(), log(), options).unwrap();
        loop {
            match reader.next_page() {
                Ok(Some(page)) => {
                    let lines = String::from_utf8(page.lines.unwrap_or_default()).unwrap();
                    resumed.yielded.extend(lines.lines().map(|e| e.parse::<u64>().unwrap()));
                    resumed.missed += page.missed;
                }
                Ok(None) | Err(Error::NoLog(_)) => break,
                Err(error) => panic!("{error}"),
            }
        }
        resumed.position = reader.position();
    }

    /// Resumes a reader, which stops behind an event inside the page that it gets.
    fn read_inside(&self, resumed: &mut Resumed, number: u64) {
        let start = Some(resumed.position.take().unwrap_or_else(|| "0".to_owned()));
        let options = ReadOptions { start: start.clone(), ..<_>::default() };
        let mut reader = Reader::new(self.store.clone(), log(), options).unwrap();
        resumed.position = match reader.next_page() {
            Ok(None) | Err(Error::NoLog(_)) => start,
            Err(error) => panic!("{error}"),
            Ok(Some(page)) if page.events == 0 => {
                resumed.missed += page.missed;
                reader.position()
            }
            Ok(Some(page)) => {
                let number = number % page.events;
                let lines = String::from_utf8(page.lines.unwrap_or_default()).unwrap();
                let events = lines.lines().take(usize::try_from(number).unwrap() + 1);
                resumed.yielded.extend(events.map(|event| event.parse::<u64>().unwrap()));
                resumed.missed += page.missed;
                let of_batches: u64 = reader.batches().iter().map(|batch| batch.events).sum();
                assert_eq!(of_batches, page.events);
                let positions = reader.positions(number).unwrap();
                let position = positions.lines().next().map(str::to_owned);
                let options = ReadOptions { start, limit: Some(number + 1), ..<_>::default() };
                let mut limited = Reader::new(self.store.clone(), log(), options).unwrap();
                while limited.next_page().unwrap().is_some() {}
                assert_eq!(position, limited.position());
                position
            }
        };
    }

    /// Trims what the reader has passed. It misses nothing more by that.
    fn trim_read(&mut self, reader: &mut Resumed) {
        let limit = 1 + self.random.below(7);
        self.read(reader, Some(limit));
        if self.random.below(4) == 0
            && let Some(position) = reader.position.clone()
        {
            let options = TrimOptions { lazy: self.random.below(2) == 0, keep_unread: false };
            let point = TrimPoint::Position(position);
            ignore_no_log(trim(self.store.clone(), &self.system, log(), point, options));
            self.is_trimmed = true;
            let missed = reader.missed;
            self.read(reader, None);
            assert_eq!(reader.missed, missed, "a trim took what was not passed");
        }
    }

    /// A new reader is shown what was acknowledged.
    fn check_acknowledged(&self) {
        let mut reader = Reader::new(self.store.clone(), log(), ReadOptions::default()).unwrap();
        let Ok(events) = read_on(&mut reader) else { return };
        for (writer, number) in self.writers.iter().zip(0..) {
            let newest = events.iter().rfind(|event| **event / 1_000_000 == number);
            let read = newest.map_or(0, |newest| newest % 1_000_000 + 1);
            let acknowledged = writer.written().events;
            assert!(read >= acknowledged || self.is_trimmed, "{read} of {acknowledged} are read");
        }
    }

    /// The files are what a new reader is shown.
    fn check_files(&mut self) {
        let now = self.system.now.get();
        let mut times = [0; 2].map(|_| now - self.random.below(600));
        times.sort_unstable();
        let [since, until] = times.map(|time| (self.random.below(2) == 0).then_some(time));
        files::check(&self.store, since, until);
    }

    /// A reader that does not resume yields what is new, or polls.
    fn follow(&mut self) {
        match read_on(&mut self.follower) {
            Ok(events) => self.followed.extend(events),
            Err(Error::NoLog(_)) => return,
            Err(error) => panic!("{error}"),
        }
        if self.polls_cover_all {
            for (writer, number) in self.writers.iter().zip(0..) {
                let of_writer = self.followed.iter().filter(|event| **event / 1_000_000 == number);
                let read = of_writer.max().map_or(0, |newest| newest % 1_000_000 + 1);
                let acknowledged = writer.written().events;
                assert!(read >= acknowledged || self.is_trimmed, "{read} of {acknowledged}");
            }
        }
    }

    /// Stores what an earlier create has tried to, whatever became of it.
    fn land_late(&mut self) {
        let started = self.store.started();
        if started > 0 {
            let create = usize::try_from(self.random.below(1_000)).unwrap() % started;
            if !self.store.is_open(create) {
                self.store.land_late(create);
            }
        }
    }

    /// A writer reads all of its own events that are not trimmed, in order.
    fn read_own(&mut self) {
        let number = self.random.below(WRITERS);
        let at = usize::try_from(number).unwrap();
        let mut reader = self.writers[at].read_all().unwrap();
        let mut own = Vec::new();
        while let Some(page) = reader.next_page().unwrap() {
            let lines = String::from_utf8(page.lines.unwrap_or_default()).unwrap();
            let events = lines.lines().map(|event| event.parse::<u64>().unwrap());
            own.extend(events.filter(|event| event / 1_000_000 == number));
        }
        let first = own.first().map_or(self.appended[at], |first| first % 1_000_000);
        let all: Vec<_> = (first..self.appended[at]).map(|n| number * 1_000_000 + n).collect();
        assert_eq!(own, all, "writer {number}");
        assert!(self.is_trimmed || first == 0, "writer {number}");
    }

    /// Ends every create, the newest first, until all is acknowledged.
    fn finish(&mut self) {
        for _ in 0..100 {
            for create in (0..self.store.started()).rev() {
                if self.store.is_open(create) {
                    self.store.end(create, End::Stored);
                    self.follow();
                }
            }
            self.system.now.set(self.system.now.get() + 2_000_000);
            let pending = self.writers.iter_mut().map(Writer::tick);
            if pending.fold(0, |pending, is| pending + u32::from(is)) == 0 {
                return;
            }
        }
        panic!("a writer does not end");
    }
}

fn ignore_no_log<T>(outcome: Result<T, Error>) {
    match outcome {
        Ok(_) | Err(Error::NoLog(_)) => {}
        Err(error) => panic!("{error}"),
    }
}

fn run(seed: u64) {
    let (store, system) = (Memory::default(), Fixed::default());
    system.now.set(1_000_000_000);
    let creates_max = [1, 2, 4];
    let writers = creates_max.map(|most| writer_of(&store, &system, Some(most))).into();
    let appended = vec![0; usize::try_from(WRITERS).unwrap()];
    let random = Random(seed);
    let mut follower = Reader::new(store.clone(), log(), ReadOptions::default()).unwrap();
    let polls_cover_all = seed.is_multiple_of(2);
    if !polls_cover_all {
        follower.poll_batches(1);
    }
    let mut world = World {
        random,
        store,
        system,
        writers,
        appended,
        is_trimmed: false,
        follower,
        followed: Vec::new(),
        polls_cover_all,
    };
    let mut reader = Resumed::default();
    for _ in 0..150 {
        world.step(&mut reader);
    }
    world.finish();
    world.read(&mut reader, None);
    (0..2 * FULL_LOAD_POLLS_MIN).for_each(|_| world.follow());
    check_order(seed, &reader.yielded);
    check_order(seed, &world.followed);
    let appended: u64 = world.appended.iter().sum();
    let yielded = u64::try_from(reader.yielded.len()).unwrap();
    assert_eq!(yielded + reader.missed, appended, "seed {seed}");
    if !world.is_trimmed {
        let followed = u64::try_from(world.followed.len()).unwrap();
        assert_eq!((reader.missed, followed), (0, appended), "seed {seed}");
    }
    let mut verifier = Verifier::new(world.store.clone(), log());
    while let Some(progress) = verifier.step().unwrap() {
        let is_garbage = |finding: &Finding| matches!(finding, Finding::Garbage { .. });
        assert!(progress.findings.iter().all(is_garbage), "seed {seed}: {progress:?}");
    }
}

/// Each event is yielded once, and those of a writer in order.
fn check_order(seed: u64, yielded: &[u64]) {
    let all: BTreeSet<_> = yielded.iter().copied().collect();
    assert_eq!(all.len(), yielded.len(), "seed {seed}: an event is yielded twice");
    let mut newest: BTreeMap<u64, u64> = BTreeMap::new();
    for event in yielded {
        let before = newest.insert(event / 1_000_000, *event);
        assert!(before.is_none_or(|before| before < *event), "seed {seed}: order of {event}");
    }
}

#[cfg(feature = "mutants")]
#[test]
fn schedules_notice_that_a_rule_is_broken() {
    use crate::mutants::{self, Mutant};
    for mutant in [
        Mutant::ForgetSeen,
        Mutant::ShowGap,
        Mutant::AbsentIsAbsorbed,
        Mutant::ForgetRetired,
        Mutant::ForgetPartlyYielded,
        Mutant::KeepPassedWriter,
        Mutant::MiscountYielded,
        Mutant::PollTheNewestOnly,
        Mutant::PollBatchesOnly,
        Mutant::RenameOnRetry,
        Mutant::AcknowledgeEarly,
    ] {
        mutants::set(Some(mutant));
        let is_noticed = (0..5_000).any(|seed| std::panic::catch_unwind(|| run(seed)).is_err());
        mutants::set(None);
        assert!(is_noticed, "{mutant:?} is not noticed");
    }
}

#[test]
fn schedules_of_any_order_yield_each_event_once() {
    (0..3_000).for_each(run);
}
