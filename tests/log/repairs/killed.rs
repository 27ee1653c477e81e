//! Segments that are gone, where a commit that was to replace them was killed: a trim, a compaction
//! or a repair.

use rig::memory::{Memory, log};
use stratalog_guest::decide::options::CompactInput;
use stratalog_guest::drive::repair::Action;
use stratalog_guest::drive::trimmer::{self, TrimOptions, TrimPoint};
use stratalog_guest::error::Error;
use stratalog_guest::ports::System as _;

use super::{Clock, World, read};

fn manifest(generation: u64) -> String {
    format!("log/manifest_{generation:019}.json")
}

fn trim(world: &World, kept: u64, lazy: bool) {
    let (point, options) =
        (TrimPoint::KeepEvents(kept), TrimOptions { lazy, ..TrimOptions::default() });
    trimmer::trim(world.store.clone(), &world.clock, log(), point, options).unwrap();
}

/// A commit that cuts a segment was killed between its index and its segment, or all but its index
/// is gone: the objects are the same. If the segment that it cuts is gone, that one is damaged.
#[test]
fn index_alone_is_no_evidence_of_a_trim() {
    // Of ten events: the trim itself, and the compaction after a lazy trim.
    for (is_lazy, left) in [(false, 10), (true, 7)] {
        for is_damaged in [false, true] {
            let what = format!("lazy: {is_lazy}, damaged: {is_damaged}");
            let mut world = World { store: Memory::default(), clock: Clock::default() };
            world.write(0..5);
            world.compact();
            let segment = world.keys("segment_", ".jsonl")[0].clone();
            if is_lazy {
                trim(&world, 7, true);
            }
            let store = Memory::of(world.store.objects());
            let after = World { store, clock: world.clock.clone() };
            if is_lazy {
                after.compact()
            } else {
                trim(&after, 7, false)
            }
            let next = format!("segment_{:019}", if is_lazy { 3 } else { 2 });
            let index = after.keys(&next, ".index")[0].clone();
            let mut objects = world.store.objects();
            objects.insert(index.clone(), after.store.objects()[&index].clone());
            world.store = Memory::of(objects);
            // The repair gets another random id.
            world.clock.now_micros();
            if is_damaged {
                world.remove(&segment);
                match read(&mut world.reader(None)).unwrap_err() {
                    Error::Damaged(damage) => assert_eq!(damage.object, segment, "{what}"),
                    error => panic!("{what}: {error}"),
                }
            }
            let dry = world.repair(true);
            assert_eq!(world.repair(false), dry, "{what}");
            let events = if is_damaged {
                let [step] = &dry[..] else { panic!("{what}: {dry:?}") };
                assert_eq!((&step.damage.object, &step.action), (&segment, &Action::Gone));
                assert_eq!(step.events_lost, left, "{what}");
                (Vec::new(), left)
            } else {
                assert_eq!(dry, [], "{what}");
                ((10 - u32::try_from(left).unwrap()..10).collect(), 0)
            };
            assert_eq!(world.verified(), Vec::<String>::new(), "{what}");
            assert_eq!(read(&mut world.reader(None)).unwrap(), events, "{what}");
            world.compact();
            // It is garbage of a generation that is committed now.
            let is_passed = is_damaged || is_lazy;
            assert_eq!(world.store.objects().contains_key(&index), !is_passed, "{what}");
            assert_eq!(read(&mut world.reader(None)).unwrap(), events, "{what}");
            assert_eq!(world.repair(false), [], "{what}");
        }
    }
}

/// Of ten events and four live ones: the log after a lazy trim, if that is wanted, to six.
fn log_to_cut(is_lazy: bool) -> World {
    let world = World { store: Memory::default(), clock: Clock::default() };
    world.write(0..5);
    world.compact();
    if is_lazy {
        trim(&world, 6, true);
    }
    world.write(5..7);
    world
}

/// Adds the segments that work of the next generation has written, with these ends of their keys,
/// as if that was killed before its commit.
fn killed(world: &mut World, ends: &[&str], work: impl Fn(&World)) {
    // Each gets another random id.
    world.clock.now_micros();
    let store = Memory::of(world.store.objects());
    let other = World { store, clock: world.clock.clone() };
    work(&other);
    let mut objects = world.store.objects();
    let newest = other.keys("segment_", "").pop().unwrap();
    let generation = &newest[..newest.len() - "_00000000_0000.jsonl".len()];
    for (key, bytes) in other.store.objects() {
        let is_written = ends.iter().any(|end| key.ends_with(end));
        if key.starts_with(generation) && is_written {
            objects.entry(key).or_insert(bytes);
        }
    }
    world.store = Memory::of(objects);
    world.clock.now_micros();
}

/// The segment that killed commits have cut is gone. No manifest follows from what they have
/// written, or several do.
#[test]
fn killed_commits_that_cut_a_lost_segment_lose_nothing() {
    let whole = [".index", ".jsonl"];
    let trim_to = |kept| move |world: &World| trim(world, kept, false);
    let parts = |world: &World| {
        let each = CompactInput { segment_bytes_max: Some(1), ..CompactInput::default() };
        world.compact_with(each);
    };
    type Case<'a> = (&'a str, bool, &'a dyn Fn(&mut World), bool);
    let cases: [Case; 4] = [
        (
            "two trims",
            false,
            &|world| {
                killed(world, &whole, trim_to(10));
                killed(world, &whole, trim_to(11));
            },
            true,
        ),
        (
            "a trim and the index of another",
            false,
            &|world| {
                killed(world, &whole, trim_to(11));
                killed(world, &[".index"], trim_to(9));
            },
            true,
        ),
        (
            "two compactions",
            true,
            &|world| {
                killed(world, &whole, parts);
                killed(world, &whole, parts);
            },
            false,
        ),
        (
            "a part of a compaction",
            true,
            &|world| {
                let cut = ["_0000.jsonl", "_0001.jsonl", "_0002.jsonl", "_0003.jsonl", ".index"];
                killed(world, &cut, parts);
            },
            false,
        ),
    ];
    for (what, is_lazy, harm, is_committed) in cases {
        let mut world = log_to_cut(is_lazy);
        let cut = world.keys("segment_", ".jsonl")[0].clone();
        harm(&mut world);
        world.remove(&cut);
        let missing = manifest(if is_lazy { 3 } else { 2 });
        let verified = world.verified();
        assert!(verified[0].starts_with(&missing), "{what}: {verified:?}");
        let dry = world.repair(true);
        assert_eq!(world.repair(false), dry, "{what}");
        let [step] = &dry[..] else { panic!("{what}: {dry:?}") };
        let (object, action) =
            if is_committed { (&missing, Action::Rebuild) } else { (&cut, Action::Gone) };
        assert_eq!((&step.damage.object, &step.action), (object, &action), "{what}");
        assert_eq!(step.events_lost, 0, "{what}");
        assert_eq!(world.verified(), Vec::<String>::new(), "{what}");
        let first = if is_lazy { 4 } else { 3 };
        for _ in 0..2 {
            let left = ((first..14).collect(), 0);
            assert_eq!(read(&mut world.reader(None)).unwrap(), left, "{what}");
            world.compact();
        }
        assert_eq!(world.repair(false), [], "{what}");
    }
}

/// A repair that was killed before its commit has reported nothing.
#[test]
fn losses_that_a_killed_repair_recorded_are_counted() {
    let mut world = log_to_cut(true);
    let cut = world.keys("segment_", ".jsonl")[0].clone();
    world.remove(&cut);
    killed(&mut world, &[".index", ".jsonl"], |world| _ = world.repair(false));
    let dry = world.repair(true);
    assert_eq!(world.repair(false), dry);
    let [step] = &dry[..] else { panic!("{dry:?}") };
    assert_eq!((&step.damage.object, &step.action), (&manifest(3), &Action::Rebuild));
    assert_eq!(step.events_lost, 6);
    assert_eq!(read(&mut world.reader(None)).unwrap(), ((10..14).collect(), 6));
}
