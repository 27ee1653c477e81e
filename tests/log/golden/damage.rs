//! The committed log, harmed: the report of each kind of damage, and the commands that make it.

use stratalog::{Damage, Error, Finding, Garbage, GarbageReason};

use super::*;

mod harms;

use harms::{HARMS, Harm};

const BATCH: &str = "log/batch_0001700000006000000_3c6ef35f_2_0628a850a2b64538.jsonl";
const SEGMENT: &str = "log/segment_0000000000000000002_6252e503_0000.jsonl";
const INDEX: &str = "log/segment_0000000000000000002_6252e503_0000.index";
const SECOND_SEGMENT: &str = "log/segment_0000000000000000003_9f2ec686_0000.jsonl";
const SECOND_INDEX: &str = "log/segment_0000000000000000003_9f2ec686_0000.index";
const RETIRED_INDEX: &str = "log/segment_0000000000000000001_47502932_0000.index";
const MANIFEST: &str = "log/manifest_0000000000000000004.json";
const OLDER_MANIFEST: &str = "log/manifest_0000000000000000002.json";

/// Replaces a text in an object.
fn edit(world: &World, key: &str, from: &str, to: &str) {
    let good = world.object(key);
    let bad = good.replacen(from, to, 1);
    assert_ne!(bad, good, "{from} is not in {key}");
    world.put(key, &bad);
}

/// Replaces a text in a manifest, and corrects its digest.
fn forge(world: &World, key: &str, from: &str, to: &str) {
    edit(world, key, from, to);
    let text = world.object(key);
    let (covered, _) = text.split_once(",\"digest\"").unwrap();
    let digest = Digest::of(covered.as_bytes());
    world.put(key, &format!("{covered},\"digest\":\"{digest}\"}}"));
}

#[test]
fn damage_is_named_by_reads_compactions_and_whole_verifications() {
    for Harm { what, harm, damage: named, read, compact, checked } in HARMS {
        on_both(|world| {
            put_golden(world);
            harm(world);
            let found = |outcome| match outcome {
                Ok(()) => None,
                Err(Error::Damaged(Damage { object, expected, found })) => {
                    Some([object, expected, found])
                }
                Err(other) => panic!("{what}: {other:?}"),
            };
            let named = named.map(str::to_owned);
            let (events, outcome) = read_on(world);
            assert_eq!(events, EVENTS[..*read], "{what}");
            let is_met = *read < EVENTS.len();
            assert_eq!(found(outcome), is_met.then(|| named.clone()), "{what}");
            if named[0] == MANIFEST && is_met {
                assert_eq!(found(world.stat("log").map(drop)), Some(named.clone()), "{what}");
                let trimmed = world.trim("log", TrimPoint::KeepEvents(0)).map(drop);
                assert_eq!(found(trimmed), Some(named.clone()), "{what}");
            }
            let (findings, events) = world.verify("log").unwrap();
            let [Finding::Damaged(Damage { object, found: is, .. })] = &findings[..] else {
                panic!("{what}: {findings:?}")
            };
            assert_eq!([object, is], [&named[0], &named[2]], "{what}");
            assert_eq!(events, *checked, "{what}");
            let before = world.keys();
            // A compaction may find it by other means: by the listed size.
            let outcome = found(world.compact_with("log", FULL).map(drop));
            let object = outcome.map(|[object, ..]| object);
            assert_eq!(object.as_ref(), compact.then_some(&named[0]), "{what}");
            assert_eq!(
                world.keys() == before,
                *compact,
                "{what}: a failed compaction leaves nothing"
            );
        });
    }
}

/// Reads as far as possible.
fn read_on(world: &World) -> (Vec<String>, Result<(), Error>) {
    let mut events = Vec::new();
    let mut pages = world.start_read("log").unwrap();
    loop {
        match pages.next_page() {
            Ok(Some(page)) => events.extend(page),
            Ok(None) => return (events, Ok(())),
            Err(error) => return (events, Err(error)),
        }
    }
}

#[test]
fn events_before_damage_in_a_segment_are_read() {
    on_both(|world| {
        let log = world.open("log");
        for event in ["first", "second", "third"] {
            append_all(&log, &[event.to_owned()]);
            log.flush().unwrap();
        }
        log.compact().unwrap();
        let keys = world.keys();
        let segment = keys.iter().find(|key| key.starts_with("log/segment_")).unwrap();
        let segment = segment.replace(".index", ".jsonl");
        edit(world, &segment, "third", "thirt");
        let mut pages = world.start_read("log").unwrap();
        assert_eq!(pages.next_page().unwrap().unwrap(), ["first", "second"]);
        let Err(Error::Damaged(Damage { object, .. })) = pages.next_page() else {
            panic!("no damage")
        };
        assert_eq!(object, segment);
        log.close().unwrap();
    });
}

#[test]
fn segment_too_short_for_the_part_that_is_wanted_is_damage() {
    on_both(|world| {
        put_golden(world);
        // Its first event is trimmed, so it is not read whole.
        edit(world, SEGMENT, "{\"second\":2}\n", "");
        let (events, outcome) = read_on(world);
        assert_eq!(events, Vec::<String>::new());
        let Err(Error::Damaged(Damage { object, expected, found })) = outcome else {
            panic!("{outcome:?}")
        };
        assert_eq!((object.as_str(), expected.as_str()), (SEGMENT, "at least 50 bytes"));
        assert!(found.contains("37 bytes"), "{found}");
    });
}

#[test]
fn verification_finds_everything_that_is_wrong() {
    on_both(|world| {
        put_golden(world);
        edit(world, BATCH, "live", "liVe");
        edit(world, SEGMENT, "first", "fIrst");
        world.delete(SECOND_INDEX);
        world.put(OLDER_MANIFEST, "[]");
        let unnamed = "log/segment_0000000000000000003_00000001_0000.jsonl";
        world.put(unnamed, "left over\n");
        let (findings, events) = world.verify("log").unwrap();
        let objects = findings.iter().map(|finding| match finding {
            Finding::Damaged(Damage { object, .. }) => (object.as_str(), None),
            Finding::Garbage(Garbage { object, reason, .. }) => (object.as_str(), Some(*reason)),
            Finding::Stranded(stranded) => panic!("{stranded:?}"),
        });
        assert_eq!(
            objects.collect::<Vec<_>>(),
            [
                (OLDER_MANIFEST, None),
                (SEGMENT, None),
                (SECOND_INDEX, None),
                (unnamed, Some(GarbageReason::UnnamedSegment)),
                (BATCH, None),
            ]
        );
        assert_eq!(events, 6, "of the other live batches, and of the other batch of the segment");
    });
}

#[test]
fn batch_in_two_segments_is_found() {
    on_both(|world| {
        put_golden(world);
        let (manifest, second) = (world.object(MANIFEST), world.object(SECOND_INDEX));
        let index = world.object(INDEX);
        world.put(SECOND_SEGMENT, &world.object(SEGMENT));
        world.put(SECOND_INDEX, &index);
        let [old, new] = [&second, &index].map(|index| Digest::of(index.as_bytes()).to_string());
        assert!(manifest.contains(&old));
        forge(world, MANIFEST, &old, &new);
        let times = "\"first_time\":1700000004000000,\"last_time\":1700000005000000";
        let first = "\"first_time\":1700000002000000,\"last_time\":1700000003000000";
        forge(world, MANIFEST, times, first);
        let (findings, _) = world.verify("log").unwrap();
        let [one, other] = &findings[..] else { panic!("{findings:?}") };
        for (finding, batch) in [(one, "batch_00017000000020"), (other, "batch_00017000000030")] {
            let Finding::Damaged(Damage { object, expected, found }) = finding else {
                panic!("{finding:?}")
            };
            assert_eq!(object, SECOND_SEGMENT);
            assert!(expected.starts_with(batch) && expected.ends_with(" once in the log"));
            assert_eq!(
                found,
                &format!("the same batch in {}", SEGMENT.strip_prefix("log/").unwrap())
            );
        }
    });
}

#[test]
fn manifest_of_a_newer_format_is_refused_by_all_that_need_it() {
    on_both(|world| {
        put_golden(world);
        let newer = "{\"format\":3,\"anything\":true";
        let digest = Digest::of(newer.as_bytes());
        world.put(MANIFEST, &format!("{newer},\"digest\":\"{digest}\"}}"));
        let before = world.keys();
        for outcome in [
            world.read("log").map(drop),
            world.compact("log").map(drop),
            world.trim("log", TrimPoint::KeepEvents(0)).map(drop),
            world.stat("log").map(drop),
            world.verify("log").map(drop),
        ] {
            let Err(Error::Unsupported(message)) = outcome else { panic!("{outcome:?}") };
            assert_eq!(
                message,
                "cannot read manifest_0000000000000000004.json: the manifest has format 3, and \
                 this version supports formats up to 2; use a newer version"
            );
        }
        // Appending needs no manifest, so nothing is lost.
        let log = world.open("log");
        log.append("{\"new\":1}").unwrap();
        log.close().unwrap();
        assert_eq!(world.keys().len(), before.len() + 1);
    });
}
