//! A log of numbered batches, byte for byte: `golden/numbered`. The logic writes exactly these
//! objects, and reads them. It has a batch that waited for another, a batch that is stranded, and a
//! manifest with a horizon.
//!
//! After an intended change of the format, the first test writes the files again:
//! `STRATALOG_BLESS=1 cargo test --release --test log logic_writes`.

use rig::faults::{Call, Fault};
use rig::subject::Settings;
use rig::waits::until;
use stratalog::Finding;

use super::*;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("golden/numbered")
}

fn golden() -> BTreeMap<String, String> {
    objects(&folder())
}

/// Writes the committed log.
fn write(world: &World) {
    let settings = Settings { flush_threshold: 2, ..Settings::default() };
    let open = || world.open_with("log", settings).unwrap();
    let append = |log: &rig::subject::Log, event: &str| {
        world.clock.advance(1_000_000);
        append_all(log, &[format!("{{\"{event}\":1}}"), format!("{{\"{event}\":2}}")]);
    };
    let log = open();
    append(&log, "forgotten");
    log.flush().unwrap();
    world.compact_with("log", FULL).unwrap();
    for event in ["first", "second"] {
        append(&log, event);
        log.flush().unwrap();
    }
    world.compact("log").unwrap();
    // The index of the trimmed segment is gone. The repair forgets the segment, so the next
    // manifest has its time as the horizon.
    world.trim("log", TrimPoint::Position("2".to_owned())).unwrap();
    let indexes = world.keys().into_iter().filter(|key| key.ends_with(".index"));
    world.delete(&indexes.min().unwrap());
    world.repair("log").unwrap();
    world.trim_lazily("log", TrimPoint::Position("3".to_owned())).unwrap();
    let batches = |count: usize| {
        let found = || world.keys().iter().filter(|key| key.contains("/batch_")).count();
        until("the batches in the store", || found() == count);
    };
    // The fourth batch is created while the third is in flight.
    world.faults.arm(Call::Create, [Fault::Stalls]);
    append(&log, "third");
    append(&log, "fourth");
    batches(1);
    world.faulty.release();
    log.close().unwrap();
    // The first batch of this writer never lands.
    world.faults.arm(Call::Create, [Fault::Stalls]);
    let crashed = open();
    append(&crashed, "lost");
    append(&crashed, "stranded");
    batches(3);
    world.put("log/batch_0001700000005500000.jsonl", "{\"old live\":1}\n{\"old live\":2}");
}

/// The events that can still be read.
const EVENTS: [&str; 9] = [
    "{\"first\":2}",
    "{\"second\":1}",
    "{\"second\":2}",
    "{\"third\":1}",
    "{\"third\":2}",
    "{\"fourth\":1}",
    "{\"fourth\":2}",
    "{\"old live\":1}",
    "{\"old live\":2}",
];

/// The batch that no reader is shown.
const STRANDED: &str =
    "log/batch_0001700000007000000_94f0af1acbf633b1_1_1000000_1_2_ac04e8391d057cba.jsonl";

fn put_golden(world: &World) {
    for (key, bytes) in golden() {
        world.put(&key, &bytes);
    }
}

#[test]
fn logic_writes_the_committed_bytes() {
    let world = World::new(Kind::Native);
    write(&world);
    let written: BTreeMap<_, _> =
        world.keys().into_iter().map(|key| (key.clone(), world.object(&key))).collect();
    if std::env::var_os("STRATALOG_BLESS").is_some() {
        std::fs::remove_dir_all(folder()).ok();
        std::fs::create_dir_all(folder()).unwrap();
        for (key, bytes) in &written {
            std::fs::write(folder().join(key.strip_prefix("log/").unwrap()), bytes).unwrap();
        }
    }
    assert_eq!(written, golden());
}

#[test]
fn committed_log_opens_reads_and_verifies() {
    on_both(|world| {
        put_golden(world);
        assert_eq!(world.read("log").unwrap(), EVENTS);
        let (findings, events) = world.verify("log").unwrap();
        let [Finding::Stranded(stranded)] = &findings[..] else { panic!("{findings:?}") };
        // The events of the stranded batch are checked and not counted, as in the statistics.
        assert_eq!((stranded.object.as_str(), events), (STRANDED, 9));
        assert_eq!(world.stat("log").unwrap().hidden_batches, 1);
        let before = "log/batch_0001700000006000000_94f0af1acbf633b1_0_*";
        assert_eq!((stranded.bytes, stranded.before.as_str()), (30, before));
        let log = world.open("log");
        log.append("{\"new\":1}").unwrap();
        log.close().unwrap();
        assert_eq!(world.compact_with("log", FULL).unwrap().batches, 4);
        assert_eq!(world.read("log").unwrap()[..9], EVENTS);
        assert!(world.keys().contains(&STRANDED.to_owned()));
    });
}

#[test]
fn objects_decode_and_encode_to_the_same_bytes() {
    // Live batches, and the stranded one; one segment and its index; manifests.
    let (kinds, indexes) = encode_to_the_same_bytes(&golden());
    assert_eq!(kinds, [4, 1, 1, 5]);
    assert!(indexes >= 3, "{indexes}");
    let manifest = golden().remove("log/manifest_0000000000000000004.json").unwrap();
    assert!(manifest.contains("\"retired\":[],\"horizon\":1700000001000000,"), "{manifest}");
}

#[test]
fn batch_that_is_cut_has_this_line_and_these_bytes() {
    on_both(|world| {
        put_golden(world);
        let batch = "batch_0001700000003000000_3c6ef35f47502932_2_1000000_0_2_33990033513a8a0c";
        check_cut(world, "5", 6, batch);
        assert_eq!(world.read("log").unwrap(), EVENTS[2..]);
    });
}

/// Positions inside the live batches, and their texts.
const POSITIONS: [(usize, &str); 3] = [
    (4, "aaf953346252e503@6,0001700000004000000_3c6ef35f47502932_3_1+1"),
    (6, "aaf953346252e503@6,0001700000005000000_3c6ef35f47502932_4_3+1"),
    (
        8,
        "aaf953346252e503@6,0001700000005500000+1,\
         0001700000005000000_3c6ef35f47502932_4_4",
    ),
];

#[test]
fn position_is_this_text_and_resumes_where_it_was_taken() {
    for (passed, text) in POSITIONS {
        on_both(|world| {
            put_golden(world);
            let limit = Some(u64::try_from(passed).unwrap());
            let options = ReadOptions { limit, ..ReadOptions::default() };
            let mut pages = world.start_read_with("log", options).unwrap();
            assert_eq!(pages.rest().unwrap(), EVENTS[..passed]);
            assert_eq!(pages.position(), text);
            for full in [false, true] {
                if full {
                    world.compact_with("log", FULL).unwrap();
                }
                let rest = world.start_read_from("log", text).unwrap().rest_and_missed().unwrap();
                let events = EVENTS[passed..].iter().map(|event| (*event).to_owned()).collect();
                assert_eq!(rest, Rest { events, missed: 0 });
            }
        });
    }
}
