//! Every byte of every object of the committed log, changed in each of five ways.

use std::collections::BTreeSet;
use std::path::PathBuf;

use rig::memory::{LOG, Memory, Objects, log};
use rig::native::NativeSystem;
use stratalog_guest::decide::options::{CompactInput, OptionsInput};
use stratalog_guest::drive::compactor::compact;
use stratalog_guest::drive::trimmer::{TrimOptions, TrimPoint, trim};
use stratalog_guest::drive::writer::Writer;
use stratalog_guest::format::names::{
    BatchName, BatchTime, Digest, ObjectName, Origin, Sequence, WriterId,
};

use super::answers::{Answers, verify};

/// Returns the log that `golden.rs` writes: an object of every kind.
fn committed() -> Objects {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("golden/log");
    let files = std::fs::read_dir(folder).unwrap().map(|file| {
        let file = file.unwrap();
        let key = format!("log/{}", file.file_name().into_string().unwrap());
        (key, std::fs::read(file.path()).unwrap().into())
    });
    files.collect()
}

/// Makes a log of numbered batches: trimmed and forgotten ones, one that a trim has cut, absorbed
/// ones, live ones and one that is stranded.
fn numbered() -> Objects {
    let (memory, system) = <(Memory, NativeSystem)>::default();
    let options = OptionsInput { flush_threshold: Some(1_000), ..OptionsInput::default() };
    let mut writer = Writer::open(memory.clone(), system.clone(), LOG, options).unwrap();
    let mut flush = |lines: &str| {
        system.clock.advance(1_000_000);
        writer.append_lines(lines.as_bytes().to_vec()).unwrap();
        writer.flush().unwrap();
    };
    let full = CompactInput { full: true, ..CompactInput::default() };
    let compact = || compact(memory.clone(), &system, log(), full).unwrap();
    let keep = |events, lazy| {
        let point = TrimPoint::KeepEvents(events);
        trim(memory.clone(), &system, log(), point, TrimOptions { lazy, keep_unread: false })
            .unwrap();
    };
    flush("1\n2\n");
    compact();
    keep(0, false);
    flush(&"3\n".repeat(70));
    compact();
    (3..70).rev().for_each(|events| keep(events, true));
    flush("4\n5\n");
    compact();
    keep(3, false);
    flush("6\n7\n");
    flush("8\n9\n");
    let mut objects = memory.objects();
    let bytes = b"10\n";
    let sequence = Some(Sequence { number: 1, gap: 1, waiting: 1 });
    let origin = Origin { writer: WriterId(1), sequence, events: 1, digest: Digest::of(bytes) };
    let time = BatchTime::new(system.clock.micros()).unwrap();
    let stranded = BatchName { time, origin: Some(origin) };
    objects.insert(log().key(stranded), bytes[..].into());
    objects
}

/// Returns the bytes with each change at one of them.
fn changes(bytes: &[u8], at: usize) -> Vec<(&'static str, Vec<u8>)> {
    let with = |byte: u8| [&bytes[..at], &[byte], &bytes[at + 1..]].concat();
    vec![
        ("its lowest bit flipped", with(bytes[at] ^ 1)),
        ("its highest bit flipped", with(bytes[at] ^ 0x80)),
        ("taken out", [&bytes[..at], &bytes[at + 1..]].concat()),
        ("doubled", [&bytes[..=at], &bytes[at..]].concat()),
        ("and all behind it cut off", bytes[..at].to_vec()),
    ]
}

/// True for a live legacy batch, whose content nothing records.
fn is_unchecked(key: &str) -> bool {
    let name = ObjectName::parse(key.strip_prefix("log/").unwrap()).unwrap();
    matches!(name, ObjectName::Batch(batch) if batch.origin.is_none())
}

/// Changes each byte of some objects.
fn change_every_byte(sound: &Answers, is_changed: impl Fn(&str) -> bool) -> u64 {
    let mut cases = 0;
    for (key, bytes) in sound.objects.iter().filter(|(key, _)| is_changed(key)) {
        for at in 0..bytes.len() {
            for (what, changed) in changes(bytes, at) {
                let mut objects = sound.objects.clone();
                objects.insert(key.clone(), changed.into());
                let outcome = sound.check(&objects, &BTreeSet::from([key.clone()]));
                outcome.unwrap_or_else(|wrong| panic!("{key}, byte {at} {what}: {wrong}"));
                cases += 1;
            }
        }
    }
    println!("{cases} changes");
    cases
}

#[test]
fn any_changed_byte_is_found_and_named_and_gives_no_wrong_event() {
    let sound = Answers::of(committed());
    let cases = change_every_byte(&sound, |key| !is_unchecked(key));
    assert!(cases > 10_000, "{cases}");
}

#[test]
fn any_changed_byte_of_a_log_of_numbered_batches_is_found_and_named() {
    let objects = numbered();
    let is_manifest = |key: &&String| key.contains("/manifest_");
    let current = objects.keys().rfind(is_manifest).unwrap().clone();
    assert!(String::from_utf8_lossy(&objects[&current]).contains("\"horizon\":"));
    // The other log has older manifests.
    let is_changed = |key: &str| key == current || !key.contains("/manifest_");
    let cases = change_every_byte(&Answers::of(objects.clone()), is_changed);
    assert!(cases > 5_000, "{cases}");
}

#[test]
fn change_of_a_live_legacy_batch_changes_its_own_events_alone() {
    let sound = Answers::of(committed());
    let (key, bytes) = sound.objects.iter().find(|(key, _)| is_unchecked(key)).unwrap();
    let old = |event: &&String| event.contains("old live");
    let others: Vec<_> = sound.events.iter().filter(|event| !old(event)).collect();
    for at in 0..bytes.len() {
        for (what, changed) in changes(bytes, at) {
            let mut objects = sound.objects.clone();
            objects.insert(key.clone(), changed.into());
            let memory = Memory::of(objects);
            assert_eq!(verify(&memory), Vec::<String>::new(), "byte {at} {what}");
            let read = super::answers::events(&memory);
            // The legacy batch is the last but one of the live batches.
            let (before, after) = others.split_at(others.len() - 2);
            assert!(read.iter().take(before.len()).eq(before.iter().copied()), "byte {at} {what}");
            let tail = &read[read.len() - after.len()..];
            assert!(tail.iter().eq(after.iter().copied()), "byte {at} {what}");
        }
    }
}
