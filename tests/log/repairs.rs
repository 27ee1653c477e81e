//! Logs with damaged objects: their readable events, and the result of a repair.

mod copies;
mod doubts;
mod indexes;
mod killed;
mod liar;
mod manifests;
mod missing;
mod segments;
mod strangers;

use std::collections::BTreeMap;

use rig::memory::{Memory, log};
use stratalog_guest::decide::options::{CompactInput, OptionsInput};
use stratalog_guest::drive::compactor;
use stratalog_guest::drive::reader::{ReadOptions, Reader};
use stratalog_guest::drive::repair::{self, Action, Step};
use stratalog_guest::drive::stat;
use stratalog_guest::drive::verifier::{Finding, Verifier};
use stratalog_guest::drive::writer::Writer;
use stratalog_guest::error::Error;
use stratalog_guest::ports::System;

/// A clock that advances by a second at every reading, and no log sink.
#[derive(Clone, Default)]
struct Clock(std::rc::Rc<std::cell::Cell<u64>>);

impl System for Clock {
    fn now_micros(&self) -> u64 {
        self.0.set(self.0.get() + 1_000_000);
        self.0.get()
    }
    fn random_u32(&self) -> u32 {
        u32::try_from(self.0.get() % 1_000_003).unwrap()
    }
    fn warn(&self, _: &str) {}
}

/// A log of three segments of two batches each and three live batches, each of two events: 0 to 17.
struct World {
    store: Memory,
    clock: Clock,
}

impl World {
    fn new() -> Self {
        let world = Self { store: Memory::default(), clock: Clock::default() };
        for batches in [0..2, 2..4, 4..6] {
            world.write(batches);
            world.compact();
        }
        world.write(6..9);
        world
    }

    /// Writes batches of two events each.
    fn write(&self, batches: std::ops::Range<u32>) {
        let options = OptionsInput::default();
        let mut writer =
            Writer::open(self.store.clone(), self.clock.clone(), "log", options).unwrap();
        for batch in batches {
            writer.append(format!("event {}", 2 * batch).as_bytes()).unwrap();
            writer.append(format!("event {}", 2 * batch + 1).as_bytes()).unwrap();
            writer.flush().unwrap();
        }
    }

    fn compact(&self) {
        self.compact_with(CompactInput::default());
    }

    fn compact_with(&self, options: CompactInput) {
        compactor::compact(self.store.clone(), &self.clock, log(), options).unwrap();
    }

    /// Returns the keys of the objects whose own names have this beginning and end, in order.
    fn keys(&self, begin: &str, end: &str) -> Vec<String> {
        let objects = self.store.objects();
        let keys = objects.keys().filter(|key| {
            key.strip_prefix("log/").is_some_and(|name| name.starts_with(begin))
                && key.ends_with(end)
        });
        keys.cloned().collect()
    }

    fn damage(&mut self, key: &str, change: impl Fn(&mut Vec<u8>)) {
        let mut objects = self.store.objects();
        let mut bytes = objects[key].to_vec();
        change(&mut bytes);
        objects.insert(key.to_owned(), bytes.into());
        self.store = Memory::of(objects);
    }

    fn remove(&mut self, key: &str) {
        self.store.delete_one(key);
    }

    fn reader(&self, start: Option<String>) -> Reader<Memory> {
        let options = ReadOptions { start, ..ReadOptions::default() };
        Reader::new(self.store.clone(), log(), options).unwrap()
    }

    fn repair(&self, dry_run: bool) -> Vec<Step> {
        repair::repair(self.store.clone(), &self.clock, log(), dry_run).unwrap().steps
    }

    fn verified(&self) -> Vec<String> {
        let mut verifier = Verifier::new(self.store.clone(), log());
        let mut damaged = Vec::new();
        while let Some(checked) = verifier.step().unwrap() {
            let found = checked.findings.into_iter().filter_map(|finding| match finding {
                Finding::Damaged(damage) => Some(damage.to_string()),
                Finding::Garbage { .. } | Finding::Stranded { .. } => None,
            });
            damaged.extend(found);
        }
        damaged
    }
}

/// Reads to the end. Returns the numbers of the events, and the number of missed ones.
fn read(reader: &mut Reader<Memory>) -> Result<(Vec<u32>, u64), Error> {
    let (mut events, mut missed) = (Vec::new(), 0);
    while let Some(page) = reader.next_page()? {
        missed += page.missed;
        let lines = String::from_utf8(page.lines.unwrap_or_default()).unwrap();
        events.extend(lines.lines().map(|l| l["event ".len()..].parse::<u32>().unwrap()));
    }
    Ok((events, missed))
}

fn all_but(absent: &[u32]) -> Vec<u32> {
    (0..18).filter(|event| !absent.contains(event)).collect()
}

fn flip(at: usize) -> impl Fn(&mut Vec<u8>) {
    move |bytes| bytes[at] ^= 1
}

#[test]
fn reader_that_skips_damage_yields_all_that_can_be_read() {
    let live = |world: &World| world.keys("batch_", ".jsonl")[1].clone();
    let segment = |world: &World| world.keys("segment_", ".jsonl")[0].clone();
    let index = |world: &World| world.keys("segment_", ".index")[0].clone();
    type Case<'a> = (&'a str, &'a dyn Fn(&mut World), &'a [u32]);
    let segments = World::new().keys("segment_", ".jsonl").len();
    assert!(segments >= 1);
    let cases: [Case; 4] = [
        ("a live batch", &|world| world.damage(&live(world), flip(3)), &[14, 15]),
        ("a batch of a segment", &|world| world.damage(&segment(world), flip(20)), &[2, 3]),
        (
            "a segment's end",
            &|world| world.damage(&segment(world), |b| b.truncate(b.len() - 5)),
            &[],
        ),
        ("an index", &|world| world.damage(&index(world), flip(30)), &[0, 1, 2, 3]),
    ];
    for (what, harm, expected) in cases {
        let mut world = World::new();
        harm(&mut world);
        let mut reader = world.reader(None);
        reader.skip_damaged();
        let (events, missed) = read(&mut reader).unwrap();
        let skipped = reader.take_skipped();
        let lost: u64 = skipped.iter().map(|skipped| skipped.events.unwrap()).sum();
        assert_eq!(events.len() as u64 + lost, 18, "{what}: {events:?} {skipped:?}");
        assert_eq!(missed, 0);
        for event in expected {
            assert!(!events.contains(event), "{what}: {events:?}");
        }
        let mut order = events.clone();
        order.sort_unstable();
        order.dedup();
        assert_eq!(order, events, "{what}");
        // A reader that resumes there does not come to the damage again.
        let position = reader.position();
        assert_eq!(read(&mut world.reader(position)).unwrap(), (Vec::new(), 0), "{what}");
        // Without that option the damage is an error.
        assert!(matches!(read(&mut world.reader(None)), Err(Error::Damaged(_))), "{what}");
    }
}

#[test]
fn repair_of_a_live_batch_records_its_events_as_lost() {
    let mut world = World::new();
    let mut before = world.reader(None);
    assert_eq!(read(&mut before).unwrap().0, all_but(&[]));
    let kept = before.position();
    let batch = world.keys("batch_", ".jsonl")[1].clone();
    world.damage(&batch, flip(3));
    let dry = world.repair(true);
    assert_eq!(world.keys("set-aside_", ""), Vec::<String>::new());
    let steps = world.repair(false);
    assert_eq!(steps, dry);
    let [step] = &steps[..] else { panic!("{steps:?}") };
    assert_eq!((&step.damage.object, step.events_lost), (&batch, 2));
    assert_eq!(step.action, Action::SetAside);
    assert_eq!(world.keys("set-aside_batch_", ".jsonl").len(), 1);
    assert_eq!(world.verified(), Vec::<String>::new());
    assert_eq!(read(&mut world.reader(None)).unwrap(), (all_but(&[14, 15]), 2));
    // A reader that had yielded them misses nothing.
    assert_eq!(read(&mut world.reader(kept)).unwrap(), (Vec::new(), 0));
    world.compact();
    assert_eq!(read(&mut world.reader(None)).unwrap(), (all_but(&[14, 15]), 2));
    assert_eq!(world.repair(false), Vec::new());
}

#[test]
fn reader_resumed_from_any_page_gets_lost_events_reported_once() {
    let mut world = World::new();
    let batch = world.keys("batch_", ".jsonl")[1].clone();
    world.damage(&batch, flip(3));
    world.repair(false);
    let resumed = |world: &World, start: Option<String>, limit| {
        let options = ReadOptions { start, limit, ..ReadOptions::default() };
        Reader::new(world.store.clone(), log(), options).unwrap()
    };
    for compacted in [false, true] {
        for limit in (1..=17).map(Some).chain([None]) {
            let mut reader = resumed(&world, None, limit);
            let (mut events, mut missed) = (0, 0);
            while let Some(page) = reader.next_page().unwrap() {
                (events, missed) = (events + page.events, missed + page.missed);
                let mut rest = resumed(&world, reader.position(), None);
                let (after, missed_after) = read(&mut rest).unwrap();
                let context = format!("{limit:?}, compacted: {compacted}, behind {events}");
                assert_eq!(events + after.len() as u64, 16, "{context}");
                assert_eq!(missed + missed_after, 2, "{context}");
            }
        }
        world.compact();
    }
}

#[test]
fn repair_of_a_segment_keeps_the_batches_that_can_be_read() {
    for gone in [false, true] {
        let mut world = World::new();
        let segment = world.keys("segment_", ".jsonl")[0].clone();
        if gone {
            world.remove(&segment);
        } else {
            world.damage(&segment, flip(20));
        }
        let steps = world.repair(false);
        let [step] = &steps[..] else { panic!("{steps:?}") };
        let action = if gone { Action::Gone } else { Action::SetAside };
        assert_eq!((&step.damage.object, &step.action), (&segment, &action));
        assert_eq!(world.verified(), Vec::<String>::new());
        let (events, missed) = read(&mut world.reader(None)).unwrap();
        assert_eq!((events.len() as u64 + missed, missed), (18, step.events_lost), "{events:?}");
        assert_eq!(world.keys("set-aside_segment_", ".jsonl").len(), usize::from(!gone));
    }
}

#[test]
fn repair_of_an_index_writes_the_same_bytes_again() {
    let mut world = World::new();
    let index = world.keys("segment_", ".index")[0].clone();
    let good = world.store.objects()[&index].clone();
    world.damage(&index, flip(30));
    let steps = world.repair(false);
    let [step] = &steps[..] else { panic!("{steps:?}") };
    assert_eq!(
        (&step.damage.object, &step.action, step.events_lost),
        (&index, &Action::Rebuild, 0)
    );
    assert_eq!(world.store.objects()[&index], good);
    assert_eq!(world.verified(), Vec::<String>::new());
    assert_eq!(read(&mut world.reader(None)).unwrap(), (all_but(&[]), 0));
}

#[test]
fn repair_steps_back_from_a_manifest_only_where_nothing_is_lost() {
    // Torn when it was written, and nothing was deleted after it.
    let mut world = World::new();
    let objects = world.store.objects();
    world.compact();
    let after = world.store.objects();
    let both: BTreeMap<_, _> = after.clone().into_iter().chain(objects).collect();
    let torn = |world: &mut World, length: usize| {
        let manifest = world.keys("manifest_", ".json").pop().unwrap();
        world.damage(&manifest, |bytes| bytes.truncate(length));
        manifest
    };
    world.store = Memory::of(both);
    let manifest = torn(&mut world, 50);
    let steps = world.repair(false);
    assert_eq!((&steps[0].damage.object, &steps[0].action), (&manifest, &Action::StepBack));
    assert_eq!(world.verified(), Vec::<String>::new());
    assert_eq!(read(&mut world.reader(None)).unwrap(), (all_but(&[]), 0));
    // The batches that it absorbed have been deleted, and it cannot be restored: it stays.
    world.store = Memory::of(after);
    let manifests = world.keys("manifest_", ".json");
    let before_it = manifests[manifests.len() - 2].clone();
    world.damage(&before_it, |bytes| bytes.truncate(50));
    torn(&mut world, 50);
    let before = world.store.objects();
    let steps = world.repair(false);
    assert!(matches!(&steps[..], [Step { action: Action::Nothing(_), .. }]), "{steps:?}");
    assert_eq!(world.store.objects(), before);
}

/// The newest manifests are gone, and with them the facts that only they record.
#[test]
fn log_without_its_newest_manifests_is_damaged_and_regains_batches() {
    for lost in 1..=3 {
        let mut world = World::new();
        let manifests = world.keys("manifest_", ".json");
        assert_eq!(manifests.len(), 3);
        for manifest in &manifests[3 - lost..] {
            world.remove(manifest);
        }
        let before = world.store.objects();
        let named = format!("log/manifest_{:019}.json", 4 - lost);
        let is_named = |error: Error| match error {
            Error::Damaged(damage) => assert_eq!(damage.object, named, "{lost}"),
            error => panic!("{lost}: {error}"),
        };
        is_named(read(&mut world.reader(None)).unwrap_err());
        let compacted =
            compactor::compact(world.store.clone(), &world.clock, log(), CompactInput::default());
        is_named(compacted.unwrap_err());
        is_named(stat::stat(world.store.clone(), log()).unwrap_err());
        assert!(world.verified()[0].contains(&named), "{lost}: {:?}", world.verified());
        assert_eq!(world.store.objects(), before, "{lost}");
        // The facts of the remaining manifests can be read, with a warning about the rest.
        let mut reader = world.reader(None);
        reader.skip_damaged();
        let (events, _) = read(&mut reader).unwrap();
        let absent: Vec<u32> = (4 * (3 - lost as u32)..12).collect();
        assert_eq!(events, all_but(&absent), "{lost}");
        let [skipped] = &reader.take_skipped()[..] else { panic!("{lost}") };
        assert_eq!((&skipped.damage.object, skipped.events), (&named, None));

        let dry = world.repair(true);
        assert_eq!(world.store.objects(), before, "{lost}");
        assert_eq!(world.repair(false), dry, "{lost}");
        assert_eq!(dry[0].damage.object, named);
        let actions: Vec<_> = dry.iter().map(|step| &step.action).collect();
        match lost {
            // Each follows from the one before it.
            1 | 2 => {
                assert_eq!(actions, vec![&Action::Rebuild; lost]);
                assert_eq!(world.keys("manifest_", ""), manifests);
            }
            _ => assert_eq!(actions, [&Action::StepBack]),
        }
        assert_eq!(world.verified(), Vec::<String>::new(), "{lost}");
        assert_eq!(read(&mut world.reader(None)).unwrap(), (all_but(&[]), 0), "{lost}");
        world.compact();
        assert_eq!(read(&mut world.reader(None)).unwrap(), (all_but(&[]), 0), "{lost}");
        assert_eq!(world.verified(), Vec::<String>::new(), "{lost}");
    }
}

#[test]
fn batches_that_only_a_damaged_segment_has_are_not_put_back() {
    let damaged = |manifests: &[usize]| {
        let mut world = World::new();
        let keys = world.keys("manifest_", ".json");
        manifests.iter().for_each(|number| world.remove(&keys[*number]));
        let segment = world.keys("segment_0000000000000000003", ".jsonl")[0].clone();
        world.damage(&segment, flip(3));
        world
    };
    // Its manifest follows from what is left: it has positions, and its damaged batch is lost.
    let world = damaged(&[2]);
    let steps = world.repair(false);
    let actions: Vec<_> = steps.iter().map(|step| (&step.action, step.events_lost)).collect();
    assert_eq!(actions, [(&Action::Rebuild, 0), (&Action::SetAside, 2)]);
    assert_eq!(world.verified(), Vec::<String>::new());
    assert_eq!(read(&mut world.reader(None)).unwrap(), (all_but(&[8, 9]), 2));
    // Nothing tells what the first manifest was.
    let world = damaged(&[0, 1, 2]);
    let before = world.store.objects();
    let steps = world.repair(false);
    let [Step { action: Action::Nothing(why), .. }] = &steps[..] else { panic!("{steps:?}") };
    assert!(why.contains("cannot be taken from segment_"), "{why}");
    assert_eq!(world.store.objects(), before);
}
