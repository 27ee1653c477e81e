//! One rule of several creates in flight each, in the smallest world that needs it.

use super::memory::End;
use super::{World, log, read_from, read_on, writer};
use crate::decide::options::CompactInput;
use crate::drive::compactor::compact;
use crate::drive::reader::{ReadOptions, Reader};
use crate::drive::repair::repair;
use crate::drive::trimmer::{TrimOptions, TrimPoint, trim};
use crate::drive::verifier::{Finding, Verifier};

/// A batch that is live while the index of the one before it grows old stays visible.
#[test]
pub(super) fn batch_before_a_live_one_stays_known() {
    let mut world = World::new(2);
    world.store([0]);
    let mut other = writer(&world.store, &world.system);
    let lines: String = (100..200).map(|event| format!("{event}\n")).collect();
    for (lines, create) in [(lines, 2), ("200\n".to_owned(), 3)] {
        world.system.now.set(world.system.now.get() + 10);
        other.append_lines(lines.into_bytes()).unwrap();
        world.store([create]);
    }
    // Each batch gets a segment, so the first trim drops that of the first batch.
    let options = CompactInput { segment_bytes_max: Some(1), ..CompactInput::default() };
    compact(world.store.clone(), &world.system, log(), options).unwrap();
    world.store([1]);
    for kept in (20..=100).rev() {
        let point = TrimPoint::KeepEvents(kept);
        trim(world.store.clone(), &world.system, log(), point, TrimOptions::default()).unwrap();
    }
    let events: Vec<_> = (182..=200).chain([1]).collect();
    assert_eq!(world.read(), events);
    world.append(2);
    world.store([4]);
    world.compact();
    assert_eq!(world.read(), [events, vec![2]].concat());
}

/// A listing that has looked for a batch before its create, and for the next one after it, proves
/// nothing.
#[test]
pub(super) fn load_does_not_decide_its_own_doubt() {
    for is_behind in [false, true] {
        let mut world = World::new(1);
        if is_behind {
            // Its clock is behind all that was trimmed and forgotten.
            let now = world.system.now.replace(1_000_000);
            world.forget();
            world.system.now.set(now);
        }
        world.store([0]);
        world.writer.tick();
        let first = world.store.names("batch_").first().cloned();
        let next = world.store.started();
        world.append(1);
        world.store([next]);
        *world.store.0.unseen.borrow_mut() = first.map(|name| format!("log/{name}"));
        assert_eq!(world.read(), [0, 1], "behind: {is_behind}");
    }
}

/// A reader that stops before a batch that its times exclude has not passed those ahead of it.
#[test]
pub(super) fn stop_before_excluded_batches_passes_none_of_them() {
    let mut world = World::new(0);
    world.system.now.set(2_000);
    world.writer.append_lines(b"0\n1\n".to_vec()).unwrap();
    world.append(2);
    world.store([0, 1]);
    let options = ReadOptions { limit: Some(1), until: Some(2_001), ..<_>::default() };
    let mut reader = Reader::new(world.store.clone(), log(), options).unwrap();
    assert_eq!(read_on(&mut reader).unwrap(), [0]);
    assert_eq!(read_from(&world.store, reader.position()).unwrap().0, [1, 2]);
}

/// A sealed batch that was absorbed and trimmed is stored, if a later one is.
#[test]
pub(super) fn own_read_leaves_out_all_before_the_last_one_met() {
    let world = World::new(3);
    world.store([0, 1]);
    world.compact();
    let point = TrimPoint::KeepEvents(1);
    trim(world.store.clone(), &world.system, log(), point, TrimOptions::default()).unwrap();
    // The writer has not asked yet for the fate of its creates.
    assert_eq!(read_on(&mut world.writer.read_all().unwrap()).unwrap(), [1, 2]);
}

/// A batch before a hidden one may still land, so a repair goes past none.
#[test]
pub(super) fn repair_waits_for_a_batch_that_may_land() {
    let world = World::new(3);
    world.store([0, 2]);
    let repaired = repair(world.store.clone(), &world.system, log(), false).unwrap();
    assert!(repaired.steps.is_empty());
    assert_eq!(world.read(), [0]);
    world.store([1]);
    assert_eq!(world.read(), [0, 1, 2]);
}

/// A batch that becomes visible during a verification is not stranded.
#[test]
pub(super) fn verification_looks_twice_at_a_hidden_batch() {
    let world = World::new(3);
    world.store([0, 2]);
    let mut verifier = Verifier::new(world.store.clone(), log());
    assert_eq!(verifier.step().unwrap().unwrap().findings, []);
    world.store([1]);
    while let Some(progress) = verifier.step().unwrap() {
        assert_eq!(progress.findings, []);
    }
    let stranded = |finding: &Finding| matches!(finding, Finding::Stranded { .. });
    assert!(!world.findings().iter().any(stranded));
}

/// A writer's first live batch makes a load read the index of the one before. Its damage says
/// nothing about the manifest that a killed trim has not created.
#[test]
fn damaged_index_is_no_evidence_of_a_missing_manifest() {
    let mut world = World::new(0);
    for lines in ["0\n1\n", "2\n3\n"] {
        world.writer.append_lines(lines.as_bytes().to_vec()).unwrap();
    }
    world.store([0, 1]);
    world.writer.tick();
    world.compact();
    world.append(4);
    world.store([2]);
    let trimmed = world.store.copy();
    let point = TrimPoint::KeepEvents(2);
    trim(trimmed.clone(), &world.system, log(), point, TrimOptions::default()).unwrap();
    for name in trimmed.names("segment_0000000000000000002_") {
        let key = format!("log/{name}");
        let bytes = trimmed.0.objects.borrow()[&key].clone();
        world.store.0.objects.borrow_mut().insert(key, bytes);
    }
    let mut names = world.store.names("segment_0000000000000000001_").into_iter();
    let index = names.find(|name| name.ends_with(".index")).unwrap();
    let key = format!("log/{index}");
    world.store.0.objects.borrow_mut().get_mut(&key).unwrap()[40] ^= 1;
    let repaired = repair(world.store.clone(), &world.system, log(), false).unwrap();
    assert_eq!(repaired.steps.len(), 1, "{repaired:?}");
    assert_eq!(world.store.names("manifest_").len(), 1);
    assert_eq!(world.read(), [0, 1, 2, 3, 4]);
}

/// A batch that is stored under three names is deleted under all of them once it is absorbed.
#[test]
fn all_names_of_an_absorbed_batch_are_deleted() {
    let mut world = World::new(4);
    let mut names = 0;
    for (create, event) in [(0, End::Refused), (1, End::Refused), (2, End::Refused)] {
        world.store.end(create, event);
    }
    world.store.end(3, End::Unknown { is_stored: true });
    world.writer.tick();
    while world.writer.written().events < 4 {
        world.system.now.set(world.system.now.get() + 2_000_000);
        let first = world.store.started();
        world.writer.tick();
        let started = first..world.store.started();
        // Of each try, the oldest batch is stored, and the last one is stored and in doubt.
        for create in started.clone() {
            let is_first = create == started.start;
            let in_doubt = End::Unknown { is_stored: create + 1 == started.end };
            world.store.end(create, if is_first { End::Stored } else { in_doubt });
        }
        world.writer.tick();
        names = world.store.names("batch_").len();
    }
    assert!(names > 5, "{names} names");
    assert_eq!(world.read(), [0, 1, 2, 3]);
    world.compact();
    assert_eq!(world.store.names("batch_"), Vec::<String>::new());
}

/// A repair of a live batch needs no index of a segment that a lazy trim has cut.
#[test]
fn repair_needs_no_index_of_a_segment_that_stays() {
    let mut world = World::new(0);
    world.writer.append_lines(b"0\n1\n2\n".to_vec()).unwrap();
    world.store([0]);
    world.compact();
    let (point, lazy) = (TrimPoint::KeepEvents(2), TrimOptions { lazy: true, keep_unread: false });
    trim(world.store.clone(), &world.system, log(), point, lazy).unwrap();
    world.system.now.set(world.system.now.get() + 10);
    writer(&world.store, &world.system).append(b"3").unwrap();
    world.store([1]);
    let index = world.store.names("segment_").remove(0);
    let index = format!("log/{index}");
    let bytes = world.store.0.objects.borrow_mut().remove(&index).unwrap();
    let batch = format!("log/{}", world.store.names("batch_")[0]);
    world.store.0.objects.borrow_mut().get_mut(&batch).unwrap()[0] ^= 1;
    let repaired = repair(world.store.clone(), &world.system, log(), false).unwrap();
    assert_eq!(repaired.steps.len(), 2, "{repaired:?}");
    world.store.0.objects.borrow_mut().insert(index, bytes);
    let mut reader = Reader::new(world.store.clone(), log(), ReadOptions::default()).unwrap();
    let page = reader.next_page().unwrap().unwrap();
    assert_eq!((page.events, page.missed), (2, 1));
}

/// A poll finds what is new although a page of its list ends early.
#[test]
fn poll_reads_all_pages_up_to_the_manifests() {
    let mut world = World::new(2);
    world.store([0]);
    let mut follower = Reader::new(world.store.clone(), log(), ReadOptions::default()).unwrap();
    assert_eq!(read_on(&mut follower).unwrap(), [0]);
    world.store.0.page_max.set(1);
    world.store([1]);
    assert_eq!(read_on(&mut follower).unwrap(), [1]);
    world.compact();
    assert_eq!(read_on(&mut follower).unwrap(), Vec::<u64>::new());
    world.append(2);
    world.store([2]);
    world.compact();
    assert_eq!(read_on(&mut follower).unwrap(), [2]);
}
