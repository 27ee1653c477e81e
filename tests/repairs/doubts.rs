//! Stores whose listings and objects do not agree: that is no damage, and nothing is changed.

use rig::memory::Memory;
use stratalog_guest::drive::repair::{self, Step};
use stratalog_guest::error::{Error, NoLog};
use stratalog_guest::ports::{ListedObject, Store};

use super::liar::Liar;
use super::{World, log};

fn repaired<S: Store<Bytes = Vec<u8>>>(
    store: S,
    world: &World,
    dry_run: bool,
) -> Result<Vec<Step>, Error> {
    repair::repair(store, &world.clock, log(), dry_run).map(|repaired| repaired.steps)
}

/// Checks that the store is blamed, and that nothing was changed.
fn is_store_failed<S: Store<Bytes = Vec<u8>>>(what: &str, world: &World, store: impl Fn() -> S) {
    let before = world.store.objects();
    for dry_run in [true, false] {
        match repaired(store(), world, dry_run) {
            Err(Error::StoreFailed { message, transient: true }) => {
                assert!(message.contains("cannot rely on the listing"), "{what}: {message}");
            }
            other => panic!("{what}: {other:?}"),
        }
        assert_eq!(world.store.objects(), before, "{what}");
    }
}

const SIZES: [(&str, &str, u64); 6] = [
    ("large batches", "batch_", 40_000_000),
    ("endless batches", "batch_", u64::MAX),
    ("large segments", "segment_", 40_000_000),
    ("endless objects", "", u64::MAX),
    ("short segments", "segment_", 3),
    ("empty segments", "segment_", 0),
];

#[test]
fn size_in_a_listing_alone_is_no_damage() {
    for (what, prefix, size) in SIZES {
        let shows = move |entry: ListedObject| {
            let lies = entry.key["log/".len()..].starts_with(prefix);
            Some(ListedObject { size: if lies { size } else { entry.size }, ..entry })
        };
        let world = World::new();
        is_store_failed(what, &world, || Liar::listing(&world.store, u64::MAX, shows));
        // Shown it for a while, it loads again.
        for lies in 1..8 {
            let store = Liar::listing(&world.store, lies, shows);
            match repaired(store, &world, false) {
                Ok(steps) => assert_eq!(steps, [], "{what}, {lies}"),
                Err(Error::StoreFailed { .. }) => {}
                Err(error) => panic!("{what}, {lies}: {error}"),
            }
        }
        assert_eq!(repaired(world.store.clone(), &world, false), Ok(Vec::new()), "{what}");
    }
}

#[test]
fn object_that_a_listing_leaves_out_is_not_gone() {
    let world = World::new();
    let segments = world.keys("segment_", ".jsonl");
    let manifest = world.keys("manifest_", ".json").pop().unwrap();
    assert_ne!(manifest, "log/manifest_0000000000000000001.json");
    for hidden in [segments[0].clone(), manifest] {
        let shows = {
            let hidden = hidden.clone();
            move |entry: ListedObject| (entry.key != hidden).then_some(entry)
        };
        is_store_failed(&hidden, &world, || Liar::listing(&world.store, u64::MAX, shows.clone()));
    }
}

#[test]
fn object_that_is_listed_and_not_found_is_not_gone() {
    let world = World::new();
    let mut listed = vec![
        world.keys("batch_", ".jsonl")[1].clone(),
        world.keys("segment_", ".jsonl")[0].clone(),
        world.keys("segment_", ".index")[0].clone(),
    ];
    listed.push("log/manifest_0000000000000000001.json".to_owned());
    for key in listed {
        let missing = {
            let key = key.clone();
            move |asked: &str| asked == key
        };
        is_store_failed(&key, &world, || Liar::missing(&world.store, missing.clone()));
    }
}

#[test]
fn log_that_is_not_there_is_an_error() {
    let world = World { store: Memory::default(), ..World::new() };
    for dry_run in [true, false] {
        match repaired(world.store.clone(), &world, dry_run) {
            Err(Error::NoLog(NoLog { name, .. })) => assert_eq!(name, "log"),
            other => panic!("{other:?}"),
        }
    }
    assert!(world.store.objects().is_empty());
}
