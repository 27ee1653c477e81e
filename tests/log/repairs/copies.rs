//! Batches that cannot be read in their place, and also exist elsewhere.

use std::collections::BTreeMap;

use rig::memory::{Memory, Objects, log};
use rig::subject::{FULL, NO_MERGE};
use stratalog_guest::drive::repair::{Action, Step};
use stratalog_guest::drive::trimmer::{self, TrimOptions, TrimPoint};

use super::{Clock, World, all_but, flip, read};

fn all() -> (Vec<u32>, u64) {
    (all_but(&[]), 0)
}

/// Makes a log whose nine batches are in one segment. Returns it with the deleted objects that the
/// segment was made of.
fn absorbed() -> (World, Objects) {
    let world = World { store: Memory::default(), clock: Clock::default() };
    world.write(0..9);
    let before = world.store.objects();
    world.compact_with(FULL);
    (world, before)
}

/// Makes the same log from three segments of three batches each.
fn merged() -> (World, Objects) {
    let world = World { store: Memory::default(), clock: Clock::default() };
    for first in [0, 3, 6] {
        world.write(first..first + 3);
        world.compact_with(NO_MERGE);
    }
    let mut before = world.store.objects();
    before.retain(|key, _| key.contains("segment_"));
    world.compact_with(FULL);
    (world, before)
}

/// Makes a log as after failed deletes, or after a restore.
fn with(world: World, more: impl IntoIterator<Item = (String, std::rc::Rc<[u8]>)>) -> World {
    let mut objects: Objects = more.into_iter().collect();
    objects.extend(world.store.objects());
    World { store: Memory::of(objects), ..world }
}

/// Returns the segment that the log names, which has the last generation.
fn segment(world: &World) -> String {
    world.keys("segment_", ".jsonl").pop().unwrap()
}

/// The harm to the log.
type Harm<'a> = (&'a str, &'a dyn Fn(&mut World, &str));
const HARMS: [Harm; 3] = [
    ("a byte", &|world, key| world.damage(key, flip(20))),
    ("its end", &|world, key| world.damage(key, |bytes| bytes.truncate(30))),
    ("all of it", &|world, key| world.remove(key)),
];

fn loses(steps: &[Step], events: u64) {
    let lost: u64 = steps.iter().map(|step| step.events_lost).sum();
    assert_eq!(lost, events, "{steps:?}");
}

#[test]
fn events_that_are_whole_elsewhere_are_copied_and_not_lost() {
    for (made, make) in [("batches", absorbed as fn() -> (World, Objects)), ("segments", merged)] {
        for (what, harm) in HARMS {
            let (world, before) = make();
            let mut world = with(world, before);
            let key = segment(&world);
            harm(&mut world, &key);
            let dry = world.repair(true);
            let steps = world.repair(false);
            assert_eq!(steps, dry);
            assert_eq!(steps.len(), 1, "{made}, {what}: {steps:?}");
            loses(&steps, 0);
            assert_eq!(read(&mut world.reader(None)).unwrap(), all(), "{made}, {what}");
            assert_eq!(world.verified(), Vec::<String>::new(), "{made}, {what}");
            world.write(9..11);
            world.compact_with(FULL);
            assert_eq!(read(&mut world.reader(None)).unwrap(), ((0..22).collect(), 0));
            assert_eq!(world.repair(false), []);
        }
    }
}

#[test]
fn reader_inside_a_repaired_segment_resumes_where_it_was() {
    let (world, before) = absorbed();
    let mut world = with(world, before.clone());
    let mut live = World { store: Memory::of(before), clock: Clock::default() }.reader(None);
    let first = live.next_page().unwrap().unwrap();
    let passed = String::from_utf8(first.lines.unwrap()).unwrap().lines().count();
    let position = live.position();
    let key = segment(&world);
    world.remove(&key);
    loses(&world.repair(false), 0);
    let rest = read(&mut world.reader(position)).unwrap();
    assert_eq!(rest, (all_but(&[]).split_off(passed), 0));
}

#[test]
fn batch_that_a_trim_has_cut_is_cut_again() {
    let (world, before) = absorbed();
    let point = TrimPoint::KeepEvents(11);
    let options = TrimOptions { lazy: false, keep_unread: false };
    trimmer::trim(world.store.clone(), &world.clock, log(), point, options).unwrap();
    // The deleted segment is still listed, or the batches that it was made of are.
    for (what, harm) in HARMS {
        let whole = absorbed().0.store.objects();
        let old = whole.into_iter().filter(|(key, _)| key.ends_with(".jsonl"));
        for more in [before.clone(), old.collect()] {
            let world = World { store: Memory::of(world.store.objects()), clock: Clock::default() };
            let mut world = with(world, more);
            let key = segment(&world);
            harm(&mut world, &key);
            loses(&world.repair(false), 0);
            assert_eq!(read(&mut world.reader(None)).unwrap(), ((7..18).collect(), 0), "{what}");
            assert_eq!(world.verified(), Vec::<String>::new(), "{what}");
        }
    }
}

#[test]
fn object_that_was_set_aside_is_a_copy_like_any_other() {
    for (world, before) in [absorbed(), merged()] {
        let aside =
            before.into_iter().map(|(key, bytes)| (key.replace("log/", "log/set-aside_"), bytes));
        let mut world = with(world, aside);
        let key = segment(&world);
        world.remove(&key);
        loses(&world.repair(false), 0);
        assert_eq!(read(&mut world.reader(None)).unwrap(), all());
        assert_eq!(world.verified(), Vec::<String>::new());
    }
}

#[test]
fn live_batch_is_copied_from_a_segment_that_no_manifest_names() {
    let world = World { store: Memory::default(), clock: Clock::default() };
    world.write(0..9);
    let before = world.store.objects();
    world.compact_with(FULL);
    let mut objects = world.store.objects();
    objects.retain(|key, _| key.contains("segment_"));
    // The compaction ended before its commit.
    let mut world = with(World { store: Memory::of(before), ..world }, objects);
    world.clock.0.set(world.clock.0.get() + 5_000_000);
    let batch = world.keys("batch_", ".jsonl")[4].clone();
    world.damage(&batch, flip(3));
    let steps = world.repair(false);
    assert_eq!((steps.len(), &steps[0].damage.object), (1, &batch));
    loses(&steps, 0);
    assert_eq!(read(&mut world.reader(None)).unwrap(), all());
    assert_eq!(world.verified(), Vec::<String>::new());
}

#[test]
fn damaged_copy_of_lost_events_is_set_aside_and_not_deleted() {
    let (world, before) = absorbed();
    let batch = before.keys().nth(4).unwrap().clone();
    let mut world = with(world, before);
    world.damage(&batch, flip(3));
    let bad = world.store.objects()[&batch].clone();
    let key = segment(&world);
    world.remove(&key);
    let steps = world.repair(false);
    loses(&steps, 2);
    assert_eq!(steps[0].action, Action::Gone);
    assert_eq!(read(&mut world.reader(None)).unwrap(), (all_but(&[8, 9]), 2));
    let objects = world.store.objects();
    assert_eq!(objects.get(&batch), Some(&bad));
    assert_eq!(objects.get(&batch.replace("log/", "log/set-aside_")), Some(&bad));
    // The others were copied, and are no longer needed.
    assert_eq!(world.keys("batch_", "").len(), 1);
    assert_eq!(world.verified(), Vec::<String>::new());
}

#[test]
fn segment_without_known_contents_is_kept_while_events_are_lost() {
    let (world, before) = merged();
    let unnamed: BTreeMap<_, _> =
        before.into_iter().filter(|(key, _)| key.ends_with(".jsonl")).collect();
    let count = unnamed.len();
    let mut world = with(world, unnamed.clone());
    let key = segment(&world);
    world.remove(&key);
    loses(&world.repair(false), 18);
    let objects = world.store.objects();
    for (key, bytes) in &unnamed {
        assert_eq!(objects.get(key), Some(bytes));
        assert_eq!(objects.get(&key.replace("log/", "log/set-aside_")), Some(bytes));
    }
    assert_eq!(world.keys("set-aside_segment_", ".jsonl").len(), count);
}

#[test]
fn object_set_aside_does_not_displace_an_earlier_one() {
    let (mut world, _) = absorbed();
    let key = segment(&world);
    let aside = key.replace("log/", "log/set-aside_");
    let mut objects = world.store.objects();
    objects.insert(aside.clone(), b"something else".to_vec().into());
    world.store = Memory::of(objects);
    world.damage(&key, flip(20));
    let bad = world.store.objects()[&key].clone();
    loses(&world.repair(false), 2);
    assert_eq!(&*world.store.objects()[&aside], b"something else");
    let others = world.keys("set-aside_", ".jsonl");
    let kept = others.iter().filter(|key| world.store.objects()[*key] == bad);
    assert_eq!(kept.count(), 1, "{others:?}");
}

#[test]
fn damaged_batch_that_has_two_objects_is_copied_from_the_other() {
    // Of the three live batches, this one has another object, which waited for one more.
    for number in [1, 2] {
        for (first, second) in [(true, false), (false, true), (true, true)] {
            let world = World::new();
            let key = world.keys("batch_", ".jsonl")[number].clone();
            let twin = key.replacen("_3000000_0_", "_3000000_1_", 1);
            assert_ne!(key, twin);
            let bytes = world.store.objects()[&key].clone();
            let mut world = with(world, [(twin.clone(), bytes.clone())]);
            for key in [(first, &key), (second, &twin)].iter().filter(|(harmed, _)| *harmed) {
                world.damage(key.1, flip(3));
            }
            let dry = world.repair(true);
            let steps = world.repair(false);
            assert_eq!(steps, dry);
            let lost = if first && second { vec![2 * (6 + number as u32)] } else { vec![] };
            let lost: Vec<_> = lost.into_iter().flat_map(|event| [event, event + 1]).collect();
            // Nothing needs the second object while the first is whole.
            assert_eq!(steps.len(), usize::from(first), "{steps:?}");
            loses(&steps, lost.len() as u64);
            let expected = (all_but(&lost), lost.len() as u64);
            assert_eq!(read(&mut world.reader(None)).unwrap(), expected);
            if first && second {
                for key in [&key, &twin] {
                    let aside = key.replace("log/", "log/set-aside_");
                    assert!(world.store.objects().contains_key(&aside), "{aside}");
                }
            }
            world.compact_with(FULL);
            world.compact_with(FULL);
            assert_eq!(world.keys("batch_", ".jsonl"), Vec::<String>::new());
            assert_eq!(read(&mut world.reader(None)).unwrap(), expected);
            assert_eq!(world.verified(), Vec::<String>::new());
        }
    }
}
