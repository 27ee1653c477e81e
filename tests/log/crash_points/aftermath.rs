//! The required state of a log after an operation that ended or was left in doubt.

use std::collections::{BTreeMap, BTreeSet};

use rig::memory::{LOG, Memory, Objects, log};
use rig::native::NativeSystem;
use stratalog_guest::decide::options::{CompactInput, OptionsInput};
use stratalog_guest::drive::compactor::compact;
use stratalog_guest::drive::reader::{ReadOptions, Reader};
use stratalog_guest::drive::trimmer::{TrimOptions, TrimPoint, trim};
use stratalog_guest::drive::verifier::{Finding, Verifier};
use stratalog_guest::drive::writer::Writer;
use stratalog_guest::format::manifest::Manifest;
use stratalog_guest::format::names::{BatchName, Generation, MirrorMark, ObjectName, WriterId};
use stratalog_guest::ports::Store;

pub fn open<S: Store>(store: S, system: &NativeSystem, threshold: u32) -> Writer<S, NativeSystem> {
    open_with(store, system, threshold, 4)
}

pub fn open_with<S: Store>(
    store: S,
    system: &NativeSystem,
    threshold: u32,
    creates_max: u32,
) -> Writer<S, NativeSystem> {
    let options = OptionsInput {
        flush_threshold: Some(threshold),
        flush_interval_ms: Some(0),
        creates_max: Some(creates_max),
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
    /// Events of a flush that failed, in order.
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
        let (point, lazy) =
            (TrimPoint::Position("9".to_owned()), TrimOptions { lazy: true, keep_unread: false });
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
        self.check_findings(memory, true);
        for event in ["later", "last"] {
            let event = format!("{event} {}", self.events.len());
            append(memory, system, std::slice::from_ref(&event));
            self.events.push(event);
        }
        self.check(memory);
        let done = compact(memory.clone(), system, log(), CompactInput::default()).unwrap();
        assert!(done.batches >= 2, "{done:?}");
        self.check(memory);
        self.check_findings(memory, false);
        assert_only_what_is_named(memory, behind_a_gap(memory).into_keys());
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
        // Whatever else a writer has stored, no gap is shown.
        assert!(self.perhaps.starts_with(&perhaps), "{perhaps:?} of {:?}", self.perhaps);
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

    /// Checks the findings of a verification: exactly the batches behind a gap are stranded, and
    /// none of their events was acknowledged. There is no damage, and garbage only if it `may` be.
    fn check_findings(&self, memory: &Memory, may: bool) {
        let hidden = behind_a_gap(memory);
        let mut stranded = BTreeSet::new();
        for finding in findings(memory) {
            match finding {
                Finding::Stranded { object, before, .. } => {
                    let (writer, number) = hidden[&object];
                    assert!(before.ends_with(&format!("_{writer}_{number}_*")), "{before}");
                    stranded.insert(object);
                }
                Finding::Garbage { object, .. } => assert!(may, "{object}"),
                Finding::Damaged(damage) => panic!("{damage}"),
            }
        }
        assert!(stranded.iter().eq(hidden.keys()), "{stranded:?}, {hidden:?}");
        let objects = memory.objects();
        for object in stranded {
            let lines = String::from_utf8(objects[&object].to_vec()).unwrap();
            assert!(lines.lines().all(|line| self.perhaps.iter().any(|event| event == line)));
        }
    }

    /// Splits events into acknowledged ones and others.
    fn split(&self, events: &[String]) -> (Vec<String>, Vec<String>) {
        events.iter().cloned().partition(|event| !self.perhaps.contains(event))
    }
}

fn findings(memory: &Memory) -> Vec<Finding> {
    let mut verifier = Verifier::new(memory.clone(), log());
    let mut findings = Vec::new();
    while let Some(checked) = verifier.step().unwrap() {
        findings.extend(checked.findings);
    }
    findings
}

/// Returns the listed batches that are behind a gap in the numbers of their writer, by key. Each
/// with the first number that neither a listed batch nor an index has.
pub fn behind_a_gap(memory: &Memory) -> BTreeMap<String, (WriterId, u64)> {
    let objects = memory.objects();
    let name_of = |key: &str| BatchName::parse(key.strip_prefix("log/").unwrap());
    let listed = objects.keys().filter_map(|key| name_of(key)?.id());
    let indexes = objects.iter().filter(|(key, _)| key.ends_with(".index"));
    let absorbed = indexes.flat_map(|(_, bytes)| {
        let lines = String::from_utf8(bytes.to_vec()).unwrap();
        let names = lines.lines().map(|line| BatchName::parse(line.split('"').nth(3).unwrap()));
        names.filter_map(|name| name.unwrap().id()).collect::<Vec<_>>()
    });
    let stored = listed.chain(absorbed).map(|id| (id.writer, id.number));
    let stored: BTreeSet<_> = stored.collect();
    let gap = |key: &String| {
        let id = name_of(key)?.id()?;
        let missing = (0..id.number).find(|number| !stored.contains(&(id.writer, *number)))?;
        Some((key.clone(), (id.writer, missing)))
    };
    objects.keys().filter_map(gap).collect()
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

/// Checks the objects after a compaction that has absorbed everything: manifests, the objects that
/// the highest one names, and the batches that are stranded.
fn assert_only_what_is_named(memory: &Memory, stranded: impl Iterator<Item = String>) {
    let objects = memory.objects();
    let own = objects.keys().map(|key| key.strip_prefix("log/").unwrap());
    let is_other =
        |name: &str| name.starts_with("generation_") || MirrorMark::parse(name).is_some();
    let names = own.filter(|name| !is_other(name)).map(|name| {
        let parsed = ObjectName::parse(name);
        parsed.unwrap_or_else(|| panic!("{name} does not follow the naming scheme"));
        name.to_owned()
    });
    let found: BTreeSet<_> = names.collect();
    let manifest = manifest(memory);
    let highest = manifest.generation;
    // The first is kept permanently.
    let passed = highest.0.saturating_sub(9) / 8 * 8;
    let kept = [1].into_iter().chain(passed + 1..=highest.0);
    let mut expected: BTreeSet<_> = kept.map(|g| Generation(g).to_string()).collect();
    for segment in &manifest.segments {
        expected.insert(segment.name.to_string());
        expected.insert(segment.name.index().to_string());
    }
    let retired = manifest.retired.iter();
    expected.extend(retired.map(|retired| retired.segment.name.index().to_string()));
    expected.extend(stranded.map(|key| key.strip_prefix("log/").unwrap().to_owned()));
    assert_eq!(found, expected);
}
