//! Listings that lie: the store omits existing objects. No event is lost by it, for any actor that
//! is lied to. Each rule that ensures this is shown to be needed by breaking it.

use rig::memory::{Memory, Objects, log};
use rig::native::NativeSystem;
use rig::subject::FULL;
use stratalog_guest::decide::options::{CompactInput, OptionsInput};
use stratalog_guest::drive::compactor::{Compaction, compact, plan};
use stratalog_guest::drive::reader::{ReadOptions, Reader};
use stratalog_guest::drive::trimmer::{TrimOptions, TrimPoint, trim};
use stratalog_guest::drive::verifier::Verifier;
use stratalog_guest::drive::writer::Writer;
use stratalog_guest::error::Error;
use stratalog_guest::format::manifest::Manifest;
use stratalog_guest::format::names::{Digest, Generation};
use stratalog_guest::mutants::{self, Mutant};
use stratalog_guest::ports::Store;

mod belonging;
mod liar;
mod readers;
mod rival;

use liar::{Hides, Liar};
use rival::Rival;

fn system() -> NativeSystem {
    let system = NativeSystem::default();
    system.clock.advance(1_000_000_000);
    system
}

/// Appends two batches.
fn append(memory: &Memory, system: &NativeSystem, events: [&str; 2]) {
    let options = OptionsInput::default();
    let mut log = Writer::open(memory.clone(), system.clone(), "log", options).unwrap();
    for event in events {
        system.clock.advance(1_000);
        log.append(event.as_bytes()).unwrap();
        log.flush().unwrap();
    }
    log.close().unwrap();
}

/// Makes a log of this many generations, and two live batches.
fn log_of(generations: u64) -> (Memory, NativeSystem) {
    log_compacted(generations, CompactInput::default())
}

fn log_compacted(generations: u64, options: CompactInput) -> (Memory, NativeSystem) {
    let (memory, system) = (Memory::default(), system());
    for generation in 0..generations {
        append(&memory, &system, [&format!("{generation}a"), &format!("{generation}b")]);
        compact(memory.clone(), &system, log(), options).unwrap();
    }
    append(&memory, &system, ["live-a", "live-b"]);
    (memory, system)
}

fn read<S: Store<Bytes = Vec<u8>>>(store: S) -> Result<Vec<String>, Error> {
    let mut reader = Reader::new(store, log(), ReadOptions::default())?;
    rest(&mut reader)
}

fn rest<S: Store<Bytes = Vec<u8>>>(reader: &mut Reader<S>) -> Result<Vec<String>, Error> {
    let mut events = Vec::new();
    while let Some(page) = reader.next_page()? {
        let text = String::from_utf8(page.lines.unwrap_or_default()).unwrap();
        events.extend(text.lines().map(str::to_owned));
    }
    Ok(events)
}

fn is_store_failed<T: std::fmt::Debug>(outcome: Result<T, Error>, part: &str) {
    match outcome {
        Err(Error::StoreFailed { message, transient: true }) => {
            assert!(message.contains(part), "{message}");
        }
        other => panic!("not refused: {other:?}"),
    }
}

const ALWAYS: u64 = u64::MAX;

const HIDES: [(&str, Hides); 8] = [
    ("everything", |_| true),
    ("manifests", |key| key.contains("manifest_")),
    ("the newest manifest", |key| key.ends_with("0012.json")),
    ("the newest manifests", |key| {
        key.contains("manifest_") && !key.contains("0000000000000000001.json")
    }),
    ("segments", |key| key.contains("segment_")),
    ("one index", |key| key.contains("segment_0000000000000000011") && key.ends_with(".index")),
    ("batches", |key| key.contains("batch_")),
    ("the tail", |key| key > "log/manifest_0000000000000000007.json"),
];

/// Lies of any actor, at any time and for any length, lose and double no event for honest readers.
#[test]
fn events_survive_a_listing_that_omits_objects() {
    for (what, hides) in HIDES {
        for lies in [1, 2, 3, ALWAYS] {
            for honest in 0..6 {
                let (memory, system) = log_of(12);
                let expected = read(memory.clone()).unwrap();
                let liar = || Liar::new(&memory, hides, honest, lies);
                let wrong = |outcome: Result<Compaction, Error>| match outcome {
                    Ok(_)
                    | Err(Error::StoreFailed { .. } | Error::Conflict(_) | Error::NoLog(_)) => {}
                    Err(error) => panic!("{what}: {error}"),
                };
                wrong(compact(liar(), &system, log(), CompactInput::default()));
                wrong(compact(liar(), &system, log(), FULL));
                let trimmed =
                    trim(liar(), &system, log(), TrimPoint::Time(0), TrimOptions::default());
                wrong(trimmed.map(|_| Compaction::default()));
                assert_eq!(
                    read(memory.clone()).unwrap(),
                    expected,
                    "{what}, {lies} after {honest}"
                );
                let mut verifier = Verifier::new(memory.clone(), log());
                while let Some(checked) = verifier.step().unwrap() {
                    let damaged = checked.findings.iter();
                    let mut damaged = damaged.filter(|f| {
                        matches!(f, stratalog_guest::drive::verifier::Finding::Damaged(_))
                    });
                    assert_eq!(damaged.next(), None, "{what}");
                }
                compact(memory.clone(), &system, log(), FULL).unwrap();
                assert_eq!(
                    read(memory.clone()).unwrap(),
                    expected,
                    "{what}, {lies} after {honest}"
                );
            }
        }
    }
}

#[test]
fn compaction_shown_no_manifest_cannot_commit_where_there_was_one() {
    let (memory, system) = log_of(12);
    let before = memory.objects();
    let liar = Liar::frozen(&memory, |key| !key.contains("batch_"));
    let outcome = compact(liar, &system, log(), FULL);
    is_store_failed(
        outcome,
        "has no manifest, but manifest_0000000000000000001.json existed before",
    );
    assert_eq!(memory.objects(), before);
    // Shown the segments that the manifests name, it does not even try.
    let outcome = compact(Liar::new(&memory, HIDES[1].1, 0, ALWAYS), &system, log(), FULL);
    is_store_failed(outcome, "manifest_0000000000000000001.json exists but is not listed");
    assert_eq!(memory.objects(), before);
}

#[test]
fn first_manifest_is_never_deleted() {
    let first = |memory: &Memory| memory.objects().contains_key(&log().key(Generation::FIRST));
    assert!(first(&log_of(18).0));
    mutants::set(Some(Mutant::DeleteFirst));
    let broken = first(&log_of(18).0);
    mutants::set(None);
    assert!(!broken, "nothing else keeps it");
}

/// A listing from long ago, and the commits that follow it: the first generation is the newest, and
/// the second is free again.
#[test]
fn generation_that_was_passed_is_not_used_again() {
    let hides: Hides = |key| !key.contains("batch_") && !key.contains("_0000000000000000001");
    // Segments that stay unchanged, so that all objects of the first manifest are still there.
    let small = CompactInput { segment_bytes_max: Some(1), ..CompactInput::default() };
    let run = |mutant| {
        mutants::set(mutant);
        let (memory, system) = log_compacted(20, small);
        let expected = read(memory.clone()).unwrap();
        let outcome = compact(Liar::frozen(&memory, hides), &system, log(), small);
        mutants::set(None);
        (outcome, read(memory.clone()).is_ok_and(|events| events == expected), memory)
    };
    let (outcome, is_whole, memory) = run(None);
    is_store_failed(outcome, "generation_0000000000000000008 exists, so manifests later than");
    assert!(is_whole);
    let markers = memory.objects().into_keys().filter(|key| key.contains("/generation_"));
    assert_eq!(markers.collect::<Vec<_>>(), ["log/generation_0000000000000000008"]);
    for mutant in [Mutant::ReuseGeneration, Mutant::DeleteUnmarked] {
        let (outcome, is_whole, _) = run(Some(mutant));
        assert!(outcome.is_ok() && !is_whole, "{mutant:?}: {outcome:?}");
    }
}

#[test]
fn batch_that_is_listed_and_not_there_is_the_fault_of_the_store() {
    let (memory, system) = log_of(1);
    let batch = key_of(&memory.objects(), "batch_", ".jsonl");
    let store = Liar::showing(&memory, &batch);
    memory.delete_one(&batch);
    is_store_failed(compact(store.clone(), &system, log(), FULL), "is listed but does not exist");
    let trimmed = trim(store, &system, log(), TrimPoint::KeepEvents(0), TrimOptions::default());
    is_store_failed(trimmed, "is listed but does not exist");
}

#[test]
fn nothing_is_committed_that_the_store_did_not_keep() {
    for forgets in ["segment_", ".index"] {
        let (memory, system) = log_of(2);
        let before = memory.objects();
        let store = Liar::forgetting(&memory, forgets);
        is_store_failed(compact(store, &system, log(), FULL), "nothing was committed");
        assert_eq!(memory.objects(), before, "{forgets}");
    }
}

/// Returns the key of the first object of a kind.
fn key_of(objects: &Objects, kind: &str, end: &str) -> String {
    objects.keys().find(|key| key.contains(kind) && key.ends_with(end)).unwrap().clone()
}

#[test]
fn listing_that_contradicts_the_manifest_decides_nothing() {
    for (what, hides, part) in [
        ("segments", HIDES[4].1, "exists but is not listed"),
        ("one index", HIDES[5].1, "exists but is not listed"),
        ("the newest manifests", HIDES[3].1, "exists but is not listed"),
    ] {
        let (memory, system) = log_of(12);
        let before = memory.objects();
        let liar = || Liar::new(&memory, hides, 0, ALWAYS);
        is_store_failed(compact(liar(), &system, log(), FULL), part);
        is_store_failed(
            trim(liar(), &system, log(), TrimPoint::KeepEvents(1), TrimOptions::default()),
            part,
        );
        is_store_failed(plan(liar(), log(), FULL), part);
        assert_eq!(memory.objects(), before, "{what}");
        // Lied to for a while, it loads again.
        let liar = Liar::new(&memory, hides, 0, 9);
        compact(liar, &system, log(), FULL).unwrap();
        assert_ne!(memory.objects(), before, "{what}");
        let (memory, system) = log_of(12);
        mutants::set(Some(Mutant::TrustDisagreement));
        let broken = compact(Liar::frozen(&memory, HIDES[4].1), &system, log(), FULL);
        mutants::set(None);
        assert!(broken.is_ok(), "{broken:?}");
    }
}

#[test]
fn object_that_is_gone_is_damage_and_one_that_is_not_shown_is_not() {
    let (memory, system) = log_of(3);
    let gone = key_of(&memory.objects(), "segment_0000000000000000002", ".jsonl");
    memory.delete_one(&gone);
    let before = memory.objects();
    for outcome in [
        compact(memory.clone(), &system, log(), CompactInput::default()).map(drop),
        trim(memory.clone(), &system, log(), TrimPoint::KeepEvents(1), TrimOptions::default())
            .map(drop),
    ] {
        match outcome {
            Err(Error::Damaged(damage)) => assert_eq!(damage.object, gone),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(memory.objects(), before);
}

#[test]
fn nothing_is_deleted_after_a_commit_that_the_listing_does_not_show() {
    let run = || {
        let (memory, system) = log_of(3);
        // The listings of the batches, of everything and of the written objects are true. The list
        // after the commit is not.
        let liar = Liar::new(&memory, |key| key.contains("manifest_"), 3, ALWAYS);
        let done = compact(liar, &system, log(), CompactInput::default()).unwrap();
        assert_eq!(done.batches, 2);
        let batches = memory.objects().keys().filter(|key| key.contains("batch_")).count();
        let warnings = system.warnings.lock().unwrap().clone();
        assert_eq!(read(memory.clone()).unwrap().len(), 8);
        (batches, warnings)
    };
    let (batches, warnings) = run();
    assert_eq!(batches, 2);
    let reported =
        warnings.iter().any(|w| w.contains("nothing is deleted after the commit of manifest"));
    assert!(reported, "{warnings:?}");
    mutants::set(Some(Mutant::TrustAfterCommit));
    let (broken, _) = run();
    mutants::set(None);
    assert_eq!(broken, 0);
}

#[test]
fn objects_that_others_leave_during_a_compaction_are_garbage() {
    let (memory, system) = log_of(3);
    let expected = read(memory.clone()).unwrap();
    let rival = Rival::on(&memory);
    compact(rival.clone(), &system, log(), CompactInput::default()).unwrap();
    let left = rival.alter.left();
    assert_eq!(left.len(), 2, "a segment and its index, before the commit");
    let objects = memory.objects();
    assert!(left.iter().all(|key| !objects.contains_key(key)), "{left:?}");
    assert_eq!(read(memory.clone()).unwrap(), expected);
}

/// Forges a manifest: edits its segments, and corrects its digest.
fn forge(memory: &Memory, generation: u64, from: &str, to: &str) {
    let key = log().key(Generation(generation));
    let text = String::from_utf8(memory.objects()[&key].to_vec()).unwrap();
    let text = text.replacen(from, to, 1);
    let (covered, _) = text.split_once(",\"digest\"").unwrap();
    let digest = Digest::of(covered.as_bytes());
    memory.delete_one(&key);
    memory.create(&key, format!("{covered},\"digest\":\"{digest}\"}}").as_bytes()).unwrap();
}

#[test]
fn batch_that_would_stand_twice_is_not_committed() {
    let run = || {
        let (memory, system) = log_of(2);
        let objects = memory.objects();
        let manifest =
            Manifest::decode(Generation(2), &objects["log/manifest_0000000000000000002.json"]);
        let [one, other] = manifest.unwrap().segments[..] else { panic!("two segments") };
        // The second segment holds the same events as the first, and says so.
        for (from, to) in [
            (one.name.to_string(), other.name.to_string()),
            (one.name.index().to_string(), other.name.index().to_string()),
        ] {
            memory.delete_one(&log().key(&to));
            memory.create(&log().key(&to), &objects[&log().key(&from)]).unwrap();
        }
        let field = |name: &str, value: u64| format!("\"{name}\":{value}");
        for (from, to) in [
            (other.index.unwrap().to_string(), one.index.unwrap().to_string()),
            (
                field("first_time", other.first_time.micros()),
                field("first_time", one.first_time.micros()),
            ),
            (
                field("last_time", other.last_time.micros()),
                field("last_time", one.last_time.micros()),
            ),
        ] {
            forge(&memory, 2, &from, &to);
        }
        let before = memory.objects();
        let outcome = compact(memory.clone(), &system, log(), FULL);
        (outcome, memory.objects() == before, other.name)
    };
    let (outcome, is_unchanged, twice) = run();
    let Err(Error::Damaged(damage)) = outcome else { panic!("{outcome:?}") };
    assert_eq!(damage.object, log().key(twice));
    assert!(is_unchanged);
    mutants::set(Some(Mutant::CommitTwice));
    let (broken, _, _) = run();
    mutants::set(None);
    assert!(broken.is_ok(), "{broken:?}");
}
