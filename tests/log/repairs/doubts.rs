//! Stores whose listings and objects do not agree: that is no damage, and nothing is changed.

use rig::memory::{Memory, log};
use stratalog_guest::decide::options::CompactInput;
use stratalog_guest::drive::compactor;
use stratalog_guest::drive::reader::{ReadOptions, Reader};
use stratalog_guest::drive::repair::{self, Action, Step};
use stratalog_guest::drive::trimmer::{self, TrimOptions, TrimPoint};
use stratalog_guest::error::{Error, NoLog};
use stratalog_guest::ports::{ListedObject, Store};

use super::liar::Liar;
use super::{World, all_but, read};

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
fn index_or_segment_listed_and_not_found_is_a_fault_of_the_store() {
    let full = CompactInput { full: true, ..CompactInput::default() };
    for suffix in [".index", ".jsonl"] {
        let world = World::new();
        let before = world.store.objects();
        let is_missing = move |key: &str| key.contains("/segment_") && key.ends_with(suffix);
        let store = || Liar::missing(&world.store, is_missing);
        let (point, options) = (|| TrimPoint::KeepEvents(13), TrimOptions::default());
        let outcomes = [
            ("trim", trimmer::trim(store(), &world.clock, log(), point(), options).map(drop)),
            ("plan of a trim", trimmer::plan(store(), log(), point(), options).map(drop)),
            ("compact", compactor::compact(store(), &world.clock, log(), full).map(drop)),
            ("read", {
                let mut reader = Reader::new(store(), log(), ReadOptions::default()).unwrap();
                reader.next_page().map(drop)
            }),
        ];
        for (who, outcome) in outcomes {
            match outcome {
                Err(Error::StoreFailed { message, .. }) => assert!(
                    message.contains("is listed but does not exist"),
                    "{who}, {suffix}: {message}"
                ),
                // Only an index is needed where batches are cut apart.
                Ok(()) if suffix == ".jsonl" && who == "plan of a trim" => {}
                other => panic!("{who}, {suffix}: {other:?}"),
            }
        }
        assert_eq!(world.store.objects(), before, "{suffix}");
    }
}

/// An object that is read wrong for a while is the store's fault, and nothing of it is deleted.
#[test]
fn object_that_is_read_wrong_for_a_while_is_not_lost() {
    let flips = |bytes: &mut Vec<u8>| bytes[0] ^= 1;
    let shortens = |bytes: &mut Vec<u8>| bytes.truncate(bytes.len() - 1);
    type Give = fn(&mut Vec<u8>);
    let gives: [(&str, Give); 2] = [("flips", flips), ("shortens", shortens)];
    for (how, gives) in gives {
        for prefix in ["batch_", "segment_", "manifest_"] {
            for reads in 1..=2 {
                let world = World::new();
                let before = world.store.objects();
                let what = format!("{how} {reads} reads of {prefix}");
                match repaired(Liar::wrong(&world.store, prefix, reads, gives), &world, false) {
                    // Of several manifests that are read wrong none is replaced.
                    Ok(steps) => assert!(
                        matches!(&steps[..], [Step { action: Action::Nothing(_), .. }])
                            && prefix == "manifest_",
                        "{what}: {steps:?}"
                    ),
                    Err(Error::StoreFailed { message, .. }) => {
                        assert!(message.contains("cannot rely on the "), "{what}: {message}");
                    }
                    Err(error) => panic!("{what}: {error}"),
                }
                let after = world.store.objects();
                for (key, bytes) in before {
                    assert_eq!(after.get(&key), Some(&bytes), "{what}: {key}");
                }
                assert_eq!(read(&mut world.reader(None)).unwrap(), (all_but(&[]), 0), "{what}");
                assert_eq!(repaired(world.store.clone(), &world, false), Ok(Vec::new()), "{what}");
            }
        }
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
