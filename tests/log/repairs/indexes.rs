//! Indexes that are damaged or gone, of live segments and of trimmed ones.

use std::collections::BTreeMap;

use rig::memory::{Memory, log};
use stratalog_guest::decide::options::CompactInput;
use stratalog_guest::drive::repair::{Action, Step};
use stratalog_guest::drive::trimmer::{self, TrimOptions, TrimPoint};

use super::{Clock, World, all_but, flip, read};

/// Makes a log of one segment of nine batches.
fn one_segment() -> World {
    let world = World { store: Memory::default(), clock: Clock::default() };
    world.write(0..9);
    world.compact();
    world
}

fn index(world: &World) -> String {
    let indexes = world.keys("segment_", ".index");
    let [index] = &indexes[..] else { panic!("{indexes:?}") };
    index.clone()
}

fn is_rebuilt(world: &World, key: &str, good: &[u8]) {
    let dry = world.repair(true);
    let steps = world.repair(false);
    assert_eq!(steps, dry);
    let [step] = &steps[..] else { panic!("{steps:?}") };
    let expected = (key, &Action::Rebuild, 0);
    assert_eq!((step.damage.object.as_str(), &step.action, step.events_lost), expected);
    assert_eq!(&*world.store.objects()[key], good);
    assert_eq!(world.verified(), Vec::<String>::new());
    assert_eq!(read(&mut world.reader(None)).unwrap(), (all_but(&[]), 0));
}

#[test]
fn index_of_which_much_is_damaged_is_written_again() {
    let mut world = one_segment();
    let key = index(&world);
    let good = world.store.objects()[&key].clone();
    // A range of each line but the first, in another place of each, and a digit of a writer.
    let starts: Vec<usize> = (0..good.len()).filter(|at| good[*at] == b'\n').collect();
    world.damage(&key, |bytes| {
        for (line, start) in starts[..8].iter().enumerate() {
            bytes[start + 50 + 8 * line..start + 56 + 8 * line].fill(0);
        }
        bytes[40] ^= 1;
    });
    is_rebuilt(&world, &key, &good);
}

#[test]
fn index_that_is_gone_or_torn_is_rebuilt_from_listed_batches() {
    for kept in [None, Some(0), Some(500)] {
        let world = World { store: Memory::default(), clock: Clock::default() };
        world.write(0..9);
        let before = world.store.objects();
        world.compact();
        // Their deletion failed.
        let both: BTreeMap<_, _> = before.into_iter().chain(world.store.objects()).collect();
        let mut world = World { store: Memory::of(both), ..world };
        let key = index(&world);
        let good = world.store.objects()[&key].clone();
        match kept {
            Some(length) => world.damage(&key, |bytes| bytes.truncate(length)),
            None => world.remove(&key),
        }
        is_rebuilt(&world, &key, &good);
    }
}

#[test]
fn index_that_is_gone_is_rebuilt_from_an_object_set_aside() {
    let mut world = one_segment();
    let key = index(&world);
    let good = world.store.objects()[&key].clone();
    world.damage(&key, flip(30));
    is_rebuilt(&world, &key, &good);
    world.remove(&key);
    is_rebuilt(&world, &key, &good);
}

#[test]
fn index_and_segment_that_are_both_damaged_are_repaired_together() {
    let mut world = one_segment();
    let key = index(&world);
    world.damage(&key, |bytes| bytes[300..330].fill(b'x'));
    let segment = world.keys("segment_", ".jsonl")[0].clone();
    world.damage(&segment, flip(20));
    let steps = world.repair(false);
    let actions: Vec<_> = steps.iter().map(|step| (&step.action, step.events_lost)).collect();
    assert_eq!(actions, [(&Action::Rebuild, 0), (&Action::SetAside, 2)], "{steps:?}");
    assert_eq!(world.verified(), Vec::<String>::new());
    assert_eq!(read(&mut world.reader(None)).unwrap(), (all_but(&[2, 3]), 2));
}

#[test]
fn index_whose_batches_nothing_names_is_kept_with_a_reason() {
    let mut world = one_segment();
    let key = index(&world);
    world.damage(&key, |bytes| bytes.truncate(bytes.len() / 3));
    let before = world.store.objects();
    let steps = world.repair(false);
    let [Step { action: Action::Nothing(why), .. }] = &steps[..] else { panic!("{steps:?}") };
    assert!(why.contains("of its 9 batches"), "{why}");
    assert!(why.contains("read --skip-damaged"), "{why}");
    assert_eq!(world.store.objects(), before);
}

/// Makes a log whose first segment, of two batches, was trimmed whole and the second in part.
fn trimmed() -> World {
    let world = World::new();
    let options = TrimOptions { lazy: false, keep_unread: false };
    let point = TrimPoint::KeepEvents(11);
    trimmer::trim(world.store.clone(), &world.clock, log(), point, options).unwrap();
    assert_eq!(read(&mut world.reader(None)).unwrap(), ((7..18).collect(), 0));
    world
}

#[test]
fn index_of_a_trimmed_segment_is_written_again_or_forgotten() {
    let count = trimmed().keys("segment_", ".index").len();
    let segments = trimmed().keys("segment_", ".jsonl");
    let is_trimmed = |key: &String| !segments.contains(&key.replace(".index", ".jsonl"));
    let indexes: Vec<_> =
        trimmed().keys("segment_", ".index").into_iter().filter(is_trimmed).collect();
    assert!(!indexes.is_empty() && count > indexes.len());
    for key in indexes {
        let good = trimmed().store.objects()[&key].clone();
        // The frame behind a name, and the digest in it.
        let end = good.windows(9).position(|text| text == b"\"events\":").unwrap() - 2;
        for (damaged, action) in [
            (Some(end), Action::Rebuild),
            (Some(end - 10), Action::Rebuild),
            (None, Action::Forget),
        ] {
            let gone = damaged.is_none();
            let mut world = trimmed();
            match damaged {
                Some(at) => world.damage(&key, |bytes| bytes[at..at + 4].fill(b'#')),
                None => world.remove(&key),
            }
            assert_eq!(world.verified().len(), 1);
            let dry = world.repair(true);
            let steps = world.repair(false);
            assert_eq!(steps, dry);
            let [step] = &steps[..] else { panic!("{steps:?}") };
            assert_eq!((&step.damage.object, &step.action), (&key, &action));
            assert_eq!(world.store.objects().get(&key), (!gone).then_some(&good));
            assert_eq!(world.verified(), Vec::<String>::new());
            assert_eq!(read(&mut world.reader(None)).unwrap(), ((7..18).collect(), 0));
            world.compact();
            assert_eq!(world.verified(), Vec::<String>::new());
            assert_eq!(world.repair(false), Vec::new());
        }
    }
}

#[test]
fn index_of_a_trimmed_segment_is_kept_while_a_batch_may_be_in_it() {
    let mut world = World { store: Memory::default(), clock: Clock::default() };
    world.write(0..2);
    let before = world.store.objects();
    world.compact();
    world.write(2..9);
    world.compact_with(CompactInput { fan_in: Some(64), ..Default::default() });
    let key = world.keys("segment_", ".index")[0].clone();
    let options = TrimOptions { lazy: false, keep_unread: false };
    let point = TrimPoint::KeepEvents(14);
    trimmer::trim(world.store.clone(), &world.clock, log(), point, options).unwrap();
    // One of its batches is still listed, and the other one's name is nowhere.
    let (batch, bytes) = before.into_iter().next().unwrap();
    let mut objects = world.store.objects();
    objects.insert(batch.clone(), bytes);
    objects.remove(&key).unwrap();
    world.store = Memory::of(objects);
    let before = world.store.objects();
    let steps = world.repair(false);
    let [Step { action: Action::Nothing(why), .. }] = &steps[..] else { panic!("{steps:?}") };
    let name = batch.strip_prefix("log/").unwrap();
    assert!(why.contains(&format!("the segment may have {name}")), "{why}");
    assert_eq!(world.store.objects(), before);
}

/// The index tells that the batch before a live one was absorbed. Without it, that one is not lost.
#[test]
fn batch_that_a_forgotten_index_may_have_is_not_lost() {
    let mut world = World { store: Memory::default(), clock: Clock::default() };
    world.write(0..2);
    let one = CompactInput { full: true, batches_max: Some(1), ..CompactInput::default() };
    world.compact_with(one);
    let key = index(&world);
    let options = TrimOptions { lazy: false, keep_unread: false };
    let point = TrimPoint::KeepEvents(2);
    trimmer::trim(world.store.clone(), &world.clock, log(), point, options).unwrap();
    world.remove(&key);
    let dry = world.repair(true);
    assert_eq!(world.repair(false), dry);
    let [step] = &dry[..] else { panic!("{dry:?}") };
    assert_eq!((&step.damage.object, &step.action, step.events_lost), (&key, &Action::Forget, 0));
    for _ in 0..2 {
        assert_eq!(world.verified(), Vec::<String>::new());
        assert_eq!(read(&mut world.reader(None)).unwrap(), (vec![2, 3], 0));
        world.compact();
    }
}
