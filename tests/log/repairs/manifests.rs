//! Manifests that are torn, changed or gone: the current one, and those below it.

use rig::memory::{Memory, Objects, log};
use rig::subject::{FULL, NO_MERGE};
use stratalog_guest::decide::options::CompactInput;
use stratalog_guest::drive::compactor;
use stratalog_guest::drive::repair::{self, Action, Step};
use stratalog_guest::drive::trimmer::{self, TrimOptions, TrimPoint};
use stratalog_guest::error::Error;
use stratalog_guest::format::manifest::{Manifest, StandIn};
use stratalog_guest::format::names::{Generation, LogId};

use super::{Clock, World, all_but, read};

/// Makes a log of three segments and three live batches.
fn log_of_three() -> World {
    let world = World { store: Memory::default(), clock: Clock::default() };
    for batches in [0..2, 2..4, 4..6] {
        world.write(batches);
        world.compact_with(NO_MERGE);
    }
    world.write(6..9);
    world
}

/// Makes such a log after one more commit; returns it and the key of its manifest.
fn committed(commit: &dyn Fn(&World)) -> (World, String) {
    let world = log_of_three();
    commit(&world);
    let manifest = world.keys("manifest_", ".json").pop().unwrap();
    assert_eq!(manifest, "log/manifest_0000000000000000004.json");
    (world, manifest)
}

fn trim(world: &World, kept: u64, lazy: bool) {
    let point = TrimPoint::KeepEvents(kept);
    trimmer::trim(
        world.store.clone(),
        &world.clock,
        log(),
        point,
        TrimOptions { lazy, keep_unread: false },
    )
    .unwrap();
}

/// Returns the commits. True: a repair can restore the manifest without any of its bytes.
#[allow(clippy::type_complexity, reason = "one table")]
fn commits() -> Vec<(&'static str, Box<dyn Fn(&World)>, bool)> {
    vec![
        ("absorbs", Box::new(|world| world.compact_with(NO_MERGE)), true),
        ("merges", Box::new(|world| world.compact_with(FULL)), true),
        (
            "merges small parts",
            Box::new(|world| {
                world.compact_with(CompactInput { segment_bytes_max: Some(70), ..FULL });
            }),
            true,
        ),
        ("cuts", Box::new(|world| trim(world, 15, false)), false),
        ("cuts lazily", Box::new(|world| trim(world, 15, true)), false),
        ("drops whole segments", Box::new(|world| trim(world, 14, false)), false),
    ]
}

#[test]
fn current_manifest_that_is_torn_anywhere_is_made_again_or_left() {
    for (what, commit, from_nothing) in commits() {
        let before_it = read(&mut log_of_three().reader(None)).unwrap();
        let (whole, key) = committed(&*commit);
        let good = whole.store.objects()[&key].clone();
        let expected = read(&mut whole.reader(None)).unwrap();
        let mut rebuilt = 0;
        for length in 0..good.len() {
            let mut world =
                World { store: Memory::of(whole.store.objects()), ..committed(&*commit).0 };
            world.damage(&key, |bytes| bytes.truncate(length));
            let harmed = world.store.objects();
            let steps = world.repair(false);
            let [step] = &steps[..] else { panic!("{what}, {length}: {steps:?}") };
            assert_eq!(step.damage.object, key);
            match &step.action {
                Action::Rebuild => {
                    rebuilt += 1;
                    assert_eq!(world.store.objects()[&key], good, "{what}, {length}");
                    assert_eq!(world.verified(), Vec::<String>::new(), "{what}, {length}");
                    assert_eq!(
                        read(&mut world.reader(None)).unwrap(),
                        expected,
                        "{what}, {length}"
                    );
                    assert_eq!(world.repair(false), []);
                    world.compact_with(FULL);
                    assert_eq!(
                        read(&mut world.reader(None)).unwrap(),
                        expected,
                        "{what}, {length}"
                    );
                }
                Action::StepBack => {
                    assert_eq!(world.verified(), Vec::<String>::new(), "{what}, {length}");
                    assert_eq!(
                        read(&mut world.reader(None)).unwrap(),
                        before_it,
                        "{what}, {length}"
                    );
                }
                Action::Nothing(_) => assert_eq!(world.store.objects(), harmed, "{what}, {length}"),
                action => panic!("{what}, {length}: {action:?}"),
            }
        }
        // If segments were written and others deleted, no byte of it is needed. Otherwise the first
        // position is.
        let least = if from_nothing { good.len() } else { good.len() - 200 };
        assert!(rebuilt >= least, "{what}: {rebuilt} of {}", good.len());
    }
}

#[test]
fn current_manifest_that_was_changed_is_made_again() {
    let (whole, key) = committed(&|world| world.compact_with(FULL));
    let good = whole.store.objects()[&key].clone();
    let expected = read(&mut whole.reader(None)).unwrap();
    let one = (0..good.len()).map(|at| at..at + 1);
    let some = (0..good.len() - 60).step_by(37).map(|at| at..at + 30);
    for range in one.chain(some) {
        let (mut world, _) = committed(&|world| world.compact_with(FULL));
        world.store = Memory::of(whole.store.objects());
        world.damage(&key, |bytes| bytes[range.clone()].iter_mut().for_each(|byte| *byte ^= 4));
        let steps = world.repair(false);
        assert!(
            matches!(&steps[..], [step] if step.action == Action::Rebuild),
            "{range:?}: {steps:?}"
        );
        assert_eq!(world.store.objects()[&key], good);
        assert_eq!(world.verified(), Vec::<String>::new());
        assert_eq!(read(&mut world.reader(None)).unwrap(), expected);
    }
}

#[test]
fn current_manifest_is_not_rebuilt_from_objects_of_others() {
    // A loser's segment next to that of the winner: without the manifest it may be either's.
    let (world, key) = committed(&|world| world.compact_with(NO_MERGE));
    let (other, _) = committed(&|world| {
        world.clock.0.set(world.clock.0.get() + 5);
        world.compact_with(NO_MERGE);
    });
    let mut objects: Objects = other.store.objects();
    objects.extend(world.store.objects());
    let mut world = World { store: Memory::of(objects), ..world };
    let good = world.store.objects()[&key].clone();
    let mut other = World { store: Memory::of(world.store.objects()), clock: Clock::default() };
    for length in [70, 0] {
        world.damage(&key, |bytes| bytes.truncate(length));
        let steps = world.repair(false);
        let [Step { action: Action::Nothing(_), .. }] = &steps[..] else { panic!("{steps:?}") };
    }
    // The first 72 bytes name the committer.
    other.damage(&key, |bytes| bytes.truncate(72));
    other.repair(false);
    assert_eq!(other.store.objects()[&key], good);
}

#[test]
fn repair_that_ended_before_it_replaced_a_manifest_is_resumed() {
    for gone in [false, true] {
        let (mut world, key) = committed(&|world| world.compact_with(FULL));
        let good = world.store.objects()[&key].clone();
        let expected = read(&mut world.reader(None)).unwrap();
        world.damage(&key, |bytes| bytes.truncate(300));
        let torn = world.store.objects()[&key].clone();
        world.repair(false);
        let mut objects = world.store.objects();
        objects.remove(&key);
        if !gone {
            objects.insert(key.clone(), torn);
        }
        world.store = Memory::of(objects);
        assert_eq!(world.verified().len(), 1);
        let steps = world.repair(false);
        assert!(matches!(&steps[..], [step] if step.action == Action::Rebuild), "{steps:?}");
        assert_eq!(world.store.objects()[&key], good);
        assert_eq!(world.verified(), Vec::<String>::new());
        assert_eq!(read(&mut world.reader(None)).unwrap(), expected);
    }
}

#[test]
fn manifest_below_the_current_one_is_made_again_or_gets_a_stand_in() {
    type Harm<'a> = &'a dyn Fn(&mut World, &str);
    let cases: [(&str, Harm, Action); 3] = [
        ("a byte", &|world, key| world.damage(key, |bytes| bytes[50] ^= 1), Action::Rebuild),
        ("its end", &|world, key| world.damage(key, |bytes| bytes.truncate(60)), Action::StandIn),
        ("all of it", &|world, key| world.remove(key), Action::StandIn),
    ];
    for (what, harm, action) in cases {
        let (mut world, _) = committed(&|world| world.compact_with(FULL));
        let key = "log/manifest_0000000000000000002.json";
        let good = world.store.objects()[key].clone();
        harm(&mut world, key);
        let expected = read(&mut world.reader(None)).unwrap();
        assert_eq!(world.verified().len(), 1, "{what}");
        let dry = world.repair(true);
        let steps = world.repair(false);
        assert_eq!(steps, dry);
        assert!(matches!(&steps[..], [step] if step.action == action), "{what}: {steps:?}");
        assert_eq!(world.verified(), Vec::<String>::new(), "{what}");
        assert_eq!(world.store.objects().get(key) == Some(&good), action == Action::Rebuild);
        assert_eq!(read(&mut world.reader(None)).unwrap(), expected, "{what}");
        world.write(9..11);
        world.compact_with(FULL);
        assert_eq!(world.repair(false), []);
    }
}

#[test]
fn compaction_of_a_log_without_a_manifest_is_refused_until_repaired() {
    let (mut world, _) = committed(&|world| world.compact_with(FULL));
    world.remove("log/manifest_0000000000000000003.json");
    world.write(9..11);
    let compact =
        |world: &World| compactor::compact(world.store.clone(), &world.clock, log(), FULL);
    assert!(matches!(compact(&world), Err(Error::Damaged(_))));
    world.repair(false);
    compact(&world).unwrap();
    assert_eq!(world.verified(), Vec::<String>::new());
}

#[test]
fn first_manifest_gets_a_stand_in_and_the_rest_is_repaired() {
    let (mut world, _) = committed(&|world| world.compact_with(NO_MERGE));
    let key = "log/manifest_0000000000000000001.json";
    world.damage(key, |bytes| bytes.truncate(60));
    let torn = world.store.objects()[key].clone();
    let segment = world.keys("segment_", ".jsonl")[0].clone();
    world.damage(&segment, |bytes| bytes[0] ^= 1);
    let steps = world.repair(false);
    let actions: Vec<_> = steps.iter().map(|step| &step.action).collect();
    assert!(matches!(actions[..], [Action::StandIn, Action::SetAside]), "{actions:?}");
    assert_eq!(world.store.objects()["log/set-aside_manifest_0000000000000000001.json"], torn);
    assert_eq!(world.verified(), Vec::<String>::new());
    assert_eq!(read(&mut world.reader(None)).unwrap(), (all_but(&[0, 1]), 2));
    // It stays, and all operations continue next to it.
    let stand_in = world.store.objects()[key].clone();
    for batch in 9..24 {
        world.write(batch..batch + 1);
        world.compact_with(FULL);
        assert_eq!(world.verified(), Vec::<String>::new());
    }
    assert_eq!(world.store.objects()[key], stand_in);
    assert_eq!(world.repair(false), []);
}

#[test]
fn stand_in_has_identity_and_generation_and_never_counts() {
    let (mut world, current) = committed(&|world| world.compact_with(FULL));
    let key = "log/manifest_0000000000000000003.json";
    world.remove(key);
    let steps = world.repair(false);
    assert!(matches!(&steps[..], [Step { action: Action::StandIn, .. }]), "{steps:?}");
    let bytes = world.store.objects()[key].to_vec();
    let stand_in = StandIn::decode(Generation(3), &bytes).unwrap();
    let manifest = Manifest::decode(Generation(4), &world.store.objects()[&current]).unwrap();
    assert_eq!((stand_in.log, manifest.log.is_some()), (manifest.log, true));
    // With another log or another generation in it, it is damage, which a repair replaces.
    let other = StandIn { log: Some(LogId(7)), ..stand_in };
    let misplaced = StandIn { generation: Generation(2), ..stand_in };
    for wrong in [other, misplaced] {
        world.damage(key, |bytes| *bytes = wrong.encode().unwrap());
        assert_eq!(world.verified().len(), 1);
        let steps = world.repair(false);
        assert!(matches!(&steps[..], [Step { action: Action::StandIn, .. }]), "{steps:?}");
        assert_eq!(world.store.objects()[key].to_vec(), bytes);
        assert_eq!(world.verified(), Vec::<String>::new());
    }
    // Without the manifest above it nothing is trusted, and it is not replaced.
    world.remove(&current);
    let before = world.store.objects();
    let damage = |error: Error| match error {
        Error::Damaged(damage) => damage.object,
        error => panic!("{error}"),
    };
    let repaired = repair::repair(world.store.clone(), &world.clock, log(), false);
    assert_eq!(damage(repaired.unwrap_err()), current);
    assert_eq!(damage(read(&mut world.reader(None)).unwrap_err()), current);
    let compacted = compactor::compact(world.store.clone(), &world.clock, log(), FULL);
    assert_eq!(damage(compacted.unwrap_err()), current);
    assert!(world.verified()[0].starts_with(&current), "{:?}", world.verified());
    assert_eq!(world.store.objects(), before);
}

#[test]
fn stand_in_that_was_not_written_yet_is_written_by_the_next_repair() {
    let (mut world, _) = committed(&|world| world.compact_with(FULL));
    let key = "log/manifest_0000000000000000002.json";
    world.damage(key, |bytes| bytes.truncate(60));
    let torn = world.store.objects();
    world.repair(false);
    let done = world.store.objects();
    // Ended after the damaged manifest was set aside, or after it was also deleted.
    for ended in [true, false] {
        let mut objects = done.clone();
        objects.remove(key);
        if ended {
            objects.insert(key.to_owned(), torn[key].clone());
        }
        world.store = Memory::of(objects);
        assert_eq!(world.verified().len(), 1);
        world.repair(false);
        assert_eq!(world.store.objects(), done);
    }
}
