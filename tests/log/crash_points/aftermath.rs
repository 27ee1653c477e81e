//! The required state of a log after an operation that ended or was left in doubt.

use std::collections::BTreeSet;

use rig::memory::{LOG, Memory, Objects, log};
use rig::native::NativeSystem;
use stratalog_guest::decide::options::{CompactInput, OptionsInput};
use stratalog_guest::drive::compactor::compact;
use stratalog_guest::drive::reader::{ReadOptions, Reader};
use stratalog_guest::drive::trimmer::{TrimOptions, TrimPoint, trim};
use stratalog_guest::drive::verifier::{Finding, Verifier};
use stratalog_guest::drive::writer::Writer;
use stratalog_guest::format::manifest::Manifest;
use stratalog_guest::format::names::{Generation, ObjectName};
use stratalog_guest::ports::Store;

pub fn open<S: Store>(store: S, system: &NativeSystem, threshold: u32) -> Writer<S, NativeSystem> {
    let options = OptionsInput {
        flush_threshold: Some(threshold),
        flush_interval_ms: Some(0),
        ..OptionsInput::default()
    };
    Writer::open(store, system.clone(), LOG, options).unwrap()
}

/// Appends a batch by its own handle.
pub fn append(memory: &Memory, system: &NativeSystem, events: &[String]) {
    system.clock.advance(10);
    let mut writer = open(memory.clone(), system, 1_000);
    for event in events {
        writer.append(event.as_bytes()).unwrap();
    }
    writer.close().unwrap();
}

/// Absorbs the live batches without merging segments.
pub fn compact_others(memory: &Memory, system: &NativeSystem) {
    let options = CompactInput { fan_in: Some(64), ..CompactInput::default() };
    compact(memory.clone(), system, log(), options).unwrap();
}

/// The events that a pass has yielded, and its position.
struct Pass {
    events: Vec<String>,
    missed: u64,
    position: String,
}

fn read(memory: &Memory, start: Option<&str>, limit: Option<u64>) -> Pass {
    let options = ReadOptions { start: start.map(str::to_owned), limit, ..ReadOptions::default() };
    let mut reader = Reader::new(memory.clone(), log(), options).unwrap();
    let (mut events, mut missed) = (Vec::new(), 0);
    while let Some(page) = reader.next_page().unwrap() {
        let lines = String::from_utf8(page.lines.unwrap_or_default()).unwrap();
        events.extend(lines.lines().map(str::to_owned));
        missed += page.missed;
    }
    Pass { events, missed, position: reader.position().unwrap() }
}

/// A position, and the events yielded before it.
#[derive(Clone)]
struct Mark {
    passed: usize,
    perhaps: BTreeSet<String>,
    position: String,
}

/// The required content of the log.
#[derive(Clone, Default)]
pub struct Expected {
    /// Acknowledged events in order, trimmed ones included.
    pub events: Vec<String>,
    /// The number of trimmed events.
    pub first: usize,
    /// The number of trimmed events if a failed trim took effect after all.
    pub perhaps_first: Option<usize>,
    /// Events of a flush that failed.
    pub perhaps: Vec<String>,
    marks: Vec<Mark>,
}

impl Expected {
    /// The number of events of the log below that are in segments.
    pub const SEQUENCED: usize = 28;

    /// Makes a log with legacy batches, more manifests than are kept, and trimmed and live batches.
    /// Takes positions throughout.
    pub fn log_of_segments_and_batches() -> (Objects, Self, NativeSystem) {
        let (memory, system, mut expected) = <(Memory, NativeSystem, Self)>::default();
        let old: [(&str, &[u8]); 3] = [("1", b"old 1\n\nold 2"), ("2", b"\n"), ("3", b"old 3\n")];
        for (time, bytes) in old {
            memory.create(&format!("{LOG}/batch_000160000000000000{time}.jsonl"), bytes).unwrap();
        }
        expected.events.extend((1..=3).map(|number| format!("old {number}")));
        for generation in 0..10 {
            let (one, other) = if generation % 2 == 0 { ("a", "b") } else { ("ab", "c") };
            for events in [one, other] {
                let events = events.chars().map(|event| format!("{generation}{event}"));
                let events: Vec<_> = events.collect();
                append(&memory, &system, &events);
                expected.events.extend(events);
                if generation % 4 == 0 {
                    expected.mark(&memory);
                }
            }
            compact_others(&memory, &system);
        }
        expected.mark(&memory);
        assert_eq!(expected.events.len(), Self::SEQUENCED);
        // The operation may remove trimmed events, if it compacts or trims.
        let (point, lazy) = (TrimPoint::Position("9".to_owned()), TrimOptions { lazy: true });
        trim(memory.clone(), &system, log(), point, lazy).unwrap();
        assert!(manifest(&memory).trimmed_events() > 0);
        expected.first = 9;
        for batch in ["x", "y", "z"] {
            let events = [format!("{batch}1"), format!("{batch}2")];
            append(&memory, &system, &events);
            expected.events.extend(events);
        }
        // In segments and in live batches, between batches and inside.
        for limit in [1, 2, 11, 18, 19, 20, 21, 22, 23, 24, 25] {
            let Pass { events, position, .. } = read(&memory, None, Some(limit));
            let passed = expected.first + events.len();
            expected.marks.push(Mark { passed, perhaps: BTreeSet::new(), position });
        }
        (memory.objects(), expected, system)
    }

    fn mark(&mut self, memory: &Memory) {
        let position = read(memory, None, None).position;
        let passed = self.events.len();
        self.marks.push(Mark { passed, perhaps: BTreeSet::new(), position });
    }

    /// Checks the log as it was left, lets new handles append and compact, and checks again.
    pub fn check_all(&mut self, memory: &Memory, system: &NativeSystem) {
        self.check(memory);
        assert_eq!(damage(memory), Vec::<String>::new());
        for event in ["later", "last"] {
            let event = format!("{event} {}", self.events.len());
            append(memory, system, std::slice::from_ref(&event));
            self.events.push(event);
        }
        self.check(memory);
        let done = compact(memory.clone(), system, log(), CompactInput::default()).unwrap();
        assert!(done.batches >= 2, "{done:?}");
        self.check(memory);
        assert_eq!(findings(memory), Vec::<Finding>::new());
        assert_only_what_is_named(memory);
        let trimmed = &self.events[..self.first];
        for (key, bytes) in memory.objects() {
            let lines = String::from_utf8(bytes.to_vec()).unwrap();
            let left = lines.lines().find(|line| trimmed.iter().any(|event| event == line));
            assert_eq!(left, None, "{key}");
        }
    }

    /// Checks the events read from the beginning and from every position.
    fn check(&mut self, memory: &Memory) {
        let all = read(memory, None, None);
        let (certain, perhaps) = self.split(&all.events);
        if let Some(first) = self.perhaps_first.take()
            && certain == self.events[first..]
        {
            self.first = first;
        }
        assert_eq!(certain, self.events[self.first..]);
        assert_eq!(all.missed, 0);
        assert!(in_order(&perhaps, &self.perhaps), "{perhaps:?} of {:?}", self.perhaps);
        for Mark { passed, perhaps: before, position } in &self.marks {
            let rest = read(memory, Some(position), None);
            let (certain, after) = self.split(&rest.events);
            assert_eq!(certain, self.events[self.first.max(*passed)..], "from {position}");
            let missed = u64::try_from(self.first.saturating_sub(*passed)).unwrap();
            assert_eq!(rest.missed, missed, "from {position}");
            let both: Vec<_> = before.iter().cloned().chain(after).collect();
            assert_eq!(both.len(), perhaps.len(), "from {position}: {both:?}");
            assert_eq!(BTreeSet::from_iter(both), perhaps.iter().cloned().collect());
        }
        let (passed, perhaps) = (self.events.len(), perhaps.into_iter().collect());
        self.marks.push(Mark { passed, perhaps, position: all.position });
    }

    /// Splits events into acknowledged ones and others.
    fn split(&self, events: &[String]) -> (Vec<String>, Vec<String>) {
        events.iter().cloned().partition(|event| !self.perhaps.contains(event))
    }
}

/// Returns true if the events are a part of all, each once and in the same order.
fn in_order(events: &[String], all: &[String]) -> bool {
    let mut all = all.iter();
    events.iter().all(|event| all.any(|one| one == event))
}

fn findings(memory: &Memory) -> Vec<Finding> {
    let mut verifier = Verifier::new(memory.clone(), log());
    let mut findings = Vec::new();
    while let Some(checked) = verifier.step().unwrap() {
        findings.extend(checked.findings);
    }
    findings
}

fn damage(memory: &Memory) -> Vec<String> {
    let damage = findings(memory).into_iter().filter_map(|finding| match finding {
        Finding::Damaged(damage) => Some(damage.to_string()),
        Finding::Garbage { .. } | Finding::Stranded { .. } => None,
    });
    damage.collect()
}

/// Returns the current manifest.
pub fn manifest(memory: &Memory) -> Manifest {
    let objects = memory.objects();
    let generations =
        objects.keys().filter_map(|key| match ObjectName::parse(key.strip_prefix("log/")?)? {
            ObjectName::Manifest(generation) => Some(generation),
            _ => None,
        });
    let highest = generations.max().unwrap();
    Manifest::decode(highest, &objects[&log().key(highest)]).unwrap()
}

/// Checks the objects after a compaction that has absorbed everything: manifests, and the objects
/// that the highest one names.
fn assert_only_what_is_named(memory: &Memory) {
    let objects = memory.objects();
    let own = objects.keys().map(|key| key.strip_prefix("log/").unwrap());
    let names = own.filter(|name| !name.starts_with("generation_")).map(|name| {
        let parsed = ObjectName::parse(name);
        parsed.unwrap_or_else(|| panic!("{name} does not follow the naming scheme"))
    });
    let found: BTreeSet<_> = names.collect();
    let manifest = manifest(memory);
    let highest = manifest.generation;
    // The first is kept permanently.
    let passed = highest.0.saturating_sub(9) / 8 * 8;
    let kept = [1].into_iter().chain(passed + 1..=highest.0);
    let mut expected: BTreeSet<_> = kept.map(|g| ObjectName::Manifest(Generation(g))).collect();
    for segment in &manifest.segments {
        expected.insert(ObjectName::Segment(segment.name));
        expected.insert(ObjectName::Index(segment.name.index()));
    }
    let retired = manifest.retired.iter();
    expected.extend(retired.map(|retired| ObjectName::Index(retired.segment.name.index())));
    assert_eq!(found, expected);
}
