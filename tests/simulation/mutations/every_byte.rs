//! Every byte of every object of the committed log, changed in each of five ways.

use std::collections::BTreeSet;
use std::path::PathBuf;

use rig::memory::{Memory, Objects};
use stratalog_guest::format::names::ObjectName;

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

#[test]
fn any_changed_byte_is_found_and_named_and_gives_no_wrong_event() {
    let sound = Answers::of(committed());
    let mut cases = 0;
    for (key, bytes) in sound.objects.iter().filter(|(key, _)| !is_unchecked(key)) {
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
    assert!(cases > 10_000, "{cases}");
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
