//! A log of format 1, without digests and identity. It can be read, and the next commit makes it a
//! log of format 2.

use stratalog::{Damage, Error};

use super::*;

const MANIFEST: &str = "log/manifest_0000000000000000004.json";
const NEXT: &str = "log/manifest_0000000000000000005.json";
const INDEX: &str = "log/segment_0000000000000000002_d1ccf6e9_0000.index";
const SECOND_INDEX: &str = "log/segment_0000000000000000004_6252e503_0000.index";
const RETIRED_INDEX: &str = "log/segment_0000000000000000001_47502932_0000.index";

fn put_format_1(world: &World) {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("golden/format_1");
    for (key, bytes) in objects(&folder) {
        world.put(&key, &bytes);
    }
}

fn manifest(world: &World, key: &str) -> Manifest {
    let Some(ObjectName::Manifest(generation)) =
        ObjectName::parse(key.strip_prefix("log/").unwrap())
    else {
        panic!("{key}");
    };
    Manifest::decode(generation, world.object(key).as_bytes()).unwrap()
}

#[test]
fn log_of_format_1_is_read_verified_and_counted() {
    on_both(|world| {
        put_format_1(world);
        assert_eq!(world.read("log").unwrap(), EVENTS);
        let checked = world.check("log").unwrap();
        assert_eq!(checked.findings, []);
        assert_eq!((checked.events, checked.trimmed_events), (13, 1));
        let stats = world.stat("log").unwrap();
        assert_eq!((stats.events, stats.identity), (11, None));
    });
}

#[test]
fn next_commit_gives_a_log_of_format_1_its_identity_and_digests() {
    on_both(|world| {
        for trims in [false, true] {
            put_format_1(world);
            let options = ReadOptions { limit: Some(12), ..ReadOptions::default() };
            let mut pages = world.start_read_with("log", options).unwrap();
            assert_eq!(pages.rest().unwrap(), EVENTS[..12]);
            let position = pages.position();
            assert!(!position.contains('@'), "{position}");
            if trims {
                world.trim("log", TrimPoint::Position("8".to_owned())).unwrap();
            } else {
                world.compact("log").unwrap();
            }
            let (before, after) = (manifest(world, MANIFEST), manifest(world, NEXT));
            assert!(after.log.is_some());
            assert_eq!(after.previous, before.digest);
            for segment in after.segments.iter().chain(after.retired.iter().map(|r| &r.segment)) {
                let index = world.object(&format!("log/{}", segment.name.index()));
                assert_eq!(segment.index, Some(Digest::of(index.as_bytes())));
            }
            assert_eq!(world.verify("log").unwrap().0, []);
            let rest = world.start_read_from("log", &position).unwrap().rest_and_missed().unwrap();
            assert_eq!(rest, Rest { events: vec![EVENTS[12].to_owned()], missed: 0 });
            world.keys().iter().for_each(|key| world.delete(key));
        }
    });
}

#[test]
fn trimmed_index_of_format_1_that_is_gone_is_left_behind() {
    on_both(|world| {
        put_format_1(world);
        world.delete(RETIRED_INDEX);
        world.compact("log").unwrap();
        // The boundary was rewritten, and its former segment is recorded.
        let retired = manifest(world, NEXT).retired;
        let names: Vec<_> = retired.iter().map(|r| r.segment.name.index().to_string()).collect();
        assert_eq!(names, [INDEX.strip_prefix("log/").unwrap()]);
        assert_eq!(world.verify("log").unwrap().0, []);
    });
}

/// Parts of a format 1 log that no digest covers are checked as far as possible, before any commit
/// on top of it.
#[test]
fn log_of_format_1_that_contradicts_itself_is_not_upgraded() {
    for (key, from, to, named) in [
        (MANIFEST, "\"last_time\":1700000003000000", "\"last_time\":1700000003000001", INDEX),
        (
            MANIFEST,
            "\"first_time\":1700000004000000",
            "\"first_time\":1700000000000000",
            SECOND_INDEX,
        ),
        (MANIFEST, "\"position\":4,\"batches\":2", "\"position\":4,\"batches\":3", INDEX),
        (MANIFEST, "\"batches\":3,\"events\":4", "\"batches\":4,\"events\":4", RETIRED_INDEX),
        (MANIFEST, "\"bytes\":48", "\"bytes\":18446744073709551615", MANIFEST),
        (INDEX, "batch_0001700000003000000", "batch_0001700000003000001", INDEX),
        (INDEX, "3c6ef35f_2_3399", "3c6ef35f_3_3399", INDEX),
        (SECOND_INDEX, "\"digest\":\"28fa", "\"digest\":\"28fb", SECOND_INDEX),
    ] {
        on_both(|world| {
            put_format_1(world);
            let good = world.object(key);
            let bad = good.replacen(from, to, 1);
            assert_ne!(bad, good, "{from}");
            world.put(key, &bad);
            let before = world.keys();
            for outcome in [
                world.compact("log").map(drop),
                world.trim("log", TrimPoint::Position("6".to_owned())).map(drop),
            ] {
                let Err(Error::Damaged(Damage { object, .. })) = outcome else {
                    panic!("{to}: {outcome:?}")
                };
                assert_eq!(object, named, "{to}");
            }
            assert_eq!(world.keys(), before, "{to}");
        });
    }
}
