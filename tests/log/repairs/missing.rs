//! Logs whose newest manifests are gone, together with an index, or after a trim.

use rig::memory::log;
use stratalog_guest::decide::options::CompactInput;
use stratalog_guest::drive::repair::{Action, Step};
use stratalog_guest::drive::trimmer::{self, TrimOptions, TrimPoint};
use stratalog_guest::drive::{compactor, stat};
use stratalog_guest::error::Error;
use stratalog_guest::mutants::{self, Mutant};

use super::{Clock, Memory, World, read};

fn manifest(generation: u64) -> String {
    format!("log/manifest_{generation:019}.json")
}

fn trim(world: &World, kept: u64) -> Result<(), Error> {
    let (point, options) = (TrimPoint::KeepEvents(kept), TrimOptions::default());
    trimmer::trim(world.store.clone(), &world.clock, log(), point, options).map(drop)
}

/// Checks that all report the object as damaged and change nothing, and that a repair leaves it.
fn is_left(what: &str, world: &World, object: &str) {
    let before = world.store.objects();
    let store = || world.store.clone();
    let outcomes = [
        ("read", read(&mut world.reader(None)).map(drop)),
        ("stat", stat::stat(store(), log()).map(drop)),
        ("compact", {
            let full = CompactInput { full: true, ..CompactInput::default() };
            compactor::compact(store(), &world.clock, log(), full).map(drop)
        }),
        ("trim", trim(world, 1)),
    ];
    for (who, outcome) in outcomes {
        match outcome {
            Err(Error::Damaged(damage)) => assert_eq!(damage.object, object, "{what}: {who}"),
            other => panic!("{what}: {who}: {other:?}"),
        }
    }
    let verified = world.verified();
    assert!(verified.iter().any(|found| found.starts_with(object)), "{what}: {verified:?}");
    for dry_run in [true, false] {
        let steps = world.repair(dry_run);
        let [Step { action: Action::Nothing(why), .. }] = &steps[..] else {
            panic!("{what}: {steps:?}")
        };
        assert!(why.contains("restore"), "{what}: {why}");
    }
    assert_eq!(world.store.objects(), before, "{what}");
}

#[test]
fn unnamed_index_that_cannot_be_read_is_damage() {
    type Harm = fn(&mut Vec<u8>);
    let harms: [(&str, Harm); 3] = [
        ("emptied", Vec::clear),
        ("cut", |bytes| bytes.truncate(bytes.len() - 9)),
        ("garbled", |bytes| bytes.iter_mut().for_each(|byte| *byte = b'x')),
    ];
    for (what, harm) in harms {
        let mut world = World::new();
        world.remove(&manifest(3));
        let index = world.keys("segment_0000000000000000003", ".index")[0].clone();
        world.damage(&index, harm);
        is_left(what, &world, &index);
    }
}

#[test]
fn segment_without_index_is_left_where_manifests_are_missing() {
    for manifests in [2..=3, 1..=3] {
        let mut world = World::new();
        let first = *manifests.start();
        manifests.for_each(|generation| world.remove(&manifest(generation)));
        world.remove(&world.keys("segment_0000000000000000003", ".index")[0].clone());
        is_left(&format!("{first}"), &world, &manifest(first));
    }
}

/// An index is written before its segment, so no crash leaves a segment alone.
#[test]
fn segment_without_index_is_no_garbage_of_a_crash() {
    let without = || {
        let mut world = World::new();
        world.write(9..12);
        let index = world.keys("segment_0000000000000000003", ".index")[0].clone();
        world.remove(&manifest(3));
        world.remove(&index);
        (world, index)
    };
    let (world, index) = without();
    is_left("with later batches", &world, &index);
    let (world, index) = without();
    let segment = index.replace(".index", ".jsonl");
    mutants::set(Some(Mutant::SegmentAlone));
    world.compact();
    mutants::set(None);
    assert!(!world.store.objects().contains_key(&segment), "the broken rule is not noticed");
}

#[test]
fn segment_alone_is_not_taken_for_no_log() {
    let mut world = World { store: Memory::default(), clock: Clock::default() };
    world.write(0..3);
    world.compact();
    let index = world.keys("segment_", ".index")[0].clone();
    for key in world.keys("manifest_", "").into_iter().chain([index.clone()]) {
        world.remove(&key);
    }
    is_left("one segment", &world, &index);
    // Nor is one of a later generation.
    let mut world = World::new();
    world.compact_with(CompactInput { full: true, ..CompactInput::default() });
    for key in world.keys("manifest_", "").into_iter().chain(world.keys("segment_", ".index")) {
        world.remove(&key);
    }
    assert_eq!(world.keys("", "").len(), 1);
    is_left("one segment of a later generation", &world, &manifest(1));
}

/// The manifest of a trim is gone: what it kept is in the log, and what it trimmed is not lost.
#[test]
fn manifest_of_a_trim_is_made_again() {
    // Of five batches of two events, or of three segments of two batches.
    let one = || {
        let world = World { store: Memory::default(), clock: Clock::default() };
        world.write(0..5);
        world.compact();
        world
    };
    type Case<'a> = (&'a str, &'a dyn Fn() -> World, u64);
    let cases: [Case; 4] = [
        ("cuts a batch", &one, 7),
        ("cuts between batches", &one, 6),
        ("cuts the second segment", &World::new, 13),
        ("cuts the last segment", &World::new, 7),
    ];
    for (what, log_before, kept) in cases {
        let mut world = log_before();
        trim(&world, kept).unwrap();
        let key = world.keys("manifest_", "").pop().unwrap();
        let whole = world.store.objects();
        let mut reader = world.reader(None);
        let expected = read(&mut reader).unwrap();
        assert_eq!(expected.0.len() as u64, kept, "{what}");
        world.remove(&key);
        let verified = world.verified();
        assert!(verified[0].starts_with(&key), "{what}: {verified:?}");
        match trim(&world, 1).unwrap_err() {
            Error::Damaged(damage) => assert_eq!(damage.object, key, "{what}"),
            error => panic!("{what}: {error}"),
        }
        let dry = world.repair(true);
        assert_eq!(world.repair(false), dry, "{what}");
        assert!(matches!(&dry[..], [Step { action: Action::Rebuild, .. }]), "{what}: {dry:?}");
        assert_eq!(world.store.objects(), whole, "{what}");
        assert_eq!(read(&mut world.reader(None)).unwrap(), expected, "{what}");
    }
}

/// A kept position stays valid once the manifests are made again.
#[test]
fn positions_kept_before_a_repair_of_missing_manifests_stay() {
    for lost in 1..=2 {
        let mut world = World::new();
        let mut positions = Vec::new();
        for events in 0..=18 {
            let options = super::ReadOptions { limit: Some(events), ..Default::default() };
            let mut reader = super::Reader::new(world.store.clone(), log(), options).unwrap();
            while reader.next_page().unwrap().is_some() {}
            positions.push(reader.position());
        }
        for generation in 4 - lost..=3 {
            world.remove(&manifest(generation));
        }
        world.repair(false);
        for compacted in [false, true] {
            for (events, position) in (0..).zip(&positions) {
                let rest = read(&mut world.reader(position.clone())).unwrap();
                assert_eq!(rest, ((events..18).collect(), 0), "{lost}, {compacted}, {events}");
            }
            // A slow clock: what it writes stands before no event that has a position.
            world.compact();
        }
    }
}

/// A stand-in stands below the newest manifest, and then that goes, too.
#[test]
fn manifest_above_a_stand_in_is_made_again() {
    let mut world = World::new();
    world.compact();
    let expected = read(&mut world.reader(None)).unwrap();
    world.remove(&manifest(3));
    world.repair(false);
    let whole = world.store.objects();
    world.remove(&manifest(4));
    let dry = world.repair(true);
    assert_eq!(world.repair(false), dry);
    assert!(matches!(&dry[..], [Step { action: Action::Rebuild, .. }]), "{dry:?}");
    assert_eq!(world.store.objects(), whole);
    assert_eq!(world.verified(), Vec::<String>::new());
    assert_eq!(read(&mut world.reader(None)).unwrap(), expected);
}

/// A position that cannot stay valid is refused with the true reason.
#[test]
fn position_past_the_end_of_its_own_log_is_refused_with_the_reason() {
    let world = World::new();
    let mut reader = world.reader(None);
    read(&mut reader).unwrap();
    let identity = reader.position().unwrap().split('@').next().unwrap().to_owned();
    for (position, reason) in [
        (format!("{identity}@99"), "a repair put their events back without positions"),
        ("99".to_owned(), "or compact it: only compacted events have numbers"),
    ] {
        match read(&mut world.reader(Some(position))) {
            Err(Error::InvalidInput(why)) => assert!(why.contains(reason), "{why}"),
            other => panic!("{other:?}"),
        }
    }
}

/// An object under the name of a later manifest, without any before it: once it is moved away, as
/// the repair says, all is there.
#[test]
fn manifest_above_a_gap_is_left_with_a_word_on_the_way_round() {
    for generation in [5, 9_999_999_999] {
        let mut world = World::new();
        let whole = world.store.objects();
        let key = manifest(generation);
        let mut objects = whole.clone();
        objects.insert(key.clone(), Vec::new().into());
        world.store = Memory::of(objects);
        let steps = world.repair(false);
        let [Step { action: Action::Nothing(why), .. }] = &steps[..] else { panic!("{steps:?}") };
        assert!(why.contains("move it out of the log's folder and repair again"), "{why}");
        world.remove(&key);
        assert_eq!(world.repair(false), []);
        assert_eq!(world.store.objects(), whole);
        assert_eq!(read(&mut world.reader(None)).unwrap(), ((0..18).collect(), 0));
    }
}
