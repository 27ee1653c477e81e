//! The format, byte for byte. `golden/log` is a small log with an object of every kind, as earlier
//! versions wrote it: its batches have no numbers. The logic reads it, and names the damage in a
//! harmed copy. [`numbered`] has the log that it writes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use rig::passes::Rest;
use rig::subject::{FULL, Kind, World, append_all, on_both};
use stratalog::TrimPoint;
use stratalog_guest::drive::reader::ReadOptions;
use stratalog_guest::format::index::Index;
use stratalog_guest::format::manifest::Manifest;
use stratalog_guest::format::names::{Digest, ObjectName};

mod damage;
mod format_1;
mod numbered;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("golden/log")
}

/// Returns the committed objects, by key.
fn golden() -> BTreeMap<String, String> {
    objects(&folder())
}

/// Returns the objects in a folder, by key.
fn objects(folder: &Path) -> BTreeMap<String, String> {
    let files = std::fs::read_dir(folder).unwrap().map(|file| {
        let file = file.unwrap();
        let key = format!("log/{}", file.file_name().into_string().unwrap());
        (key, std::fs::read_to_string(file.path()).unwrap())
    });
    files.collect()
}

/// The events that can still be read.
const EVENTS: [&str; 13] = [
    "{\"first\":2}",
    "{\"second\":1}",
    "{\"second\":2}",
    "{\"third\":1}",
    "{\"third\":2}",
    "{\"fourth\":1}",
    "{\"fourth\":2}",
    "{\"live\":1}",
    "{\"live\":2}",
    "{\"old live\":1}",
    "{\"old live\":2}",
    "{\"later\":1}",
    "{\"later\":2}",
];

/// Stores the committed objects as a log.
fn put_golden(world: &World) {
    for (key, bytes) in golden() {
        world.put(&key, &bytes);
    }
}

#[test]
fn committed_log_opens_reads_and_verifies() {
    on_both(|world| {
        put_golden(world);
        assert_eq!(world.read("log").unwrap(), EVENTS);
        assert_eq!(world.verify("log").unwrap(), (Vec::new(), 13));
        let log = world.open("log");
        log.append("{\"new\":1}").unwrap();
        log.close().unwrap();
        assert_eq!(world.compact_with("log", FULL).unwrap().batches, 4);
        assert_eq!(world.read("log").unwrap()[..13], EVENTS);
    });
}

#[test]
fn indexes_and_manifests_decode_and_encode_to_the_same_bytes() {
    // Live batches; segments; their indexes and that of a trimmed one; manifests.
    let (kinds, indexes) = encode_to_the_same_bytes(&golden());
    assert_eq!(kinds, [3, 2, 3, 4]);
    assert!(indexes >= 3);
}

/// Decodes and encodes some objects. Returns the number of each kind, and of the indexes checked.
fn encode_to_the_same_bytes(golden: &BTreeMap<String, String>) -> ([usize; 4], usize) {
    let names = golden.keys().map(|key| ObjectName::parse(key.strip_prefix("log/").unwrap()));
    let (mut kinds, mut indexes) = ([0; 4], 0);
    for (name, (key, bytes)) in names.zip(golden) {
        let name = name.unwrap();
        assert_eq!(format!("log/{name}"), *key);
        match name {
            ObjectName::Batch(_) => kinds[0] += 1,
            ObjectName::Segment(_) => kinds[1] += 1,
            ObjectName::Index(_) => kinds[2] += 1,
            ObjectName::Manifest(generation) => {
                kinds[3] += 1;
                let manifest = Manifest::decode(generation, bytes.as_bytes()).unwrap();
                assert_eq!(String::from_utf8(manifest.encode().unwrap()).unwrap(), *bytes);
                let retired = manifest.retired.iter().map(|retired| retired.segment);
                for segment in manifest.segments.iter().copied().chain(retired) {
                    let Some(bytes) = golden.get(&format!("log/{}", segment.name.index())) else {
                        continue;
                    };
                    let index = Index::decode(&segment, bytes.as_bytes()).unwrap();
                    assert_eq!(String::from_utf8(index.encode().unwrap()).unwrap(), *bytes);
                    indexes += 1;
                }
            }
        }
    }
    (kinds, indexes)
}

/// Checks the rest of a batch after a trim inside it, byte for byte: the second of two events, in
/// the segment of a generation.
fn check_cut(world: &World, position: &str, generation: u64, batch: &str) {
    let done = world.trim("log", TrimPoint::Position(position.to_owned())).unwrap();
    assert_eq!((done.events, done.segments, done.rewritten_bytes), (2, 0, 13));
    let keys = world.keys();
    let of = |end: &str| {
        let made_by = format!("_{generation:019}_");
        let key = keys.iter().find(|key| key.contains(&made_by) && key.ends_with(end));
        world.object(key.unwrap())
    };
    assert_eq!(of(".jsonl"), "{\"second\":2}\n");
    let digest = Digest::of(b"{\"second\":2}\n");
    let line = format!(
        "{{\"batch\":\"{batch}.jsonl\",\"events\":1,\"bytes\":13,\"digest\":\"{digest}\",\
         \"trimmed\":1}}\n"
    );
    assert_eq!(of(".index"), line);
}

#[test]
fn batch_that_is_cut_has_this_line_and_these_bytes() {
    on_both(|world| {
        put_golden(world);
        check_cut(world, "7", 5, "batch_0001700000003000000_3c6ef35f_2_33990033513a8a0c");
        assert_eq!(world.read("log").unwrap(), EVENTS[2..]);
    });
}

/// A position inside the live batches, and its text.
const POSITION: &str = "d1ccf6e9aaf95334@12,0001700000006000000_3c6ef35f_2_0628a850a2b64538,\
                        0001700000006500000,0001700000007000000_3c6ef35f_2_ffb80f4f38e2fe77+1";

#[test]
fn position_is_this_text_and_resumes_where_it_was_taken() {
    on_both(|world| {
        put_golden(world);
        let options = ReadOptions { limit: Some(12), ..ReadOptions::default() };
        let mut pages = world.start_read_with("log", options).unwrap();
        assert_eq!(pages.rest().unwrap(), EVENTS[..12]);
        assert_eq!(pages.position(), POSITION);
        for full in [false, true] {
            if full {
                world.compact_with("log", FULL).unwrap();
            }
            let rest = world.start_read_from("log", POSITION).unwrap().rest_and_missed().unwrap();
            assert_eq!(rest, Rest { events: vec![EVENTS[12].to_owned()], missed: 0 });
        }
    });
}
