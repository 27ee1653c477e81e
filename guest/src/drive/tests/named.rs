//! Named positions: readers that share a name, lost replies, numbers used before, and trims.

use super::memory::{End, Fixed, Memory};
use super::{World, log, read_on};
use crate::drive::named::{forget, positions};
use crate::drive::reader::{ReadOptions, Reader};
use crate::drive::trimmer::{self, TrimOptions, TrimPoint, trim};
use crate::drive::verifier::{Finding, GarbageReason};
use crate::error::Error;
use crate::format::names::PositionName;

const KEEP_UNREAD: TrimOptions = TrimOptions { lazy: false, keep_unread: true };

fn world(batches: usize) -> World {
    let mut world = World::new(0);
    for event in 0..batches {
        world.append(event);
        world.store(Some(event));
    }
    world
}

fn open(store: &Memory) -> Reader<Memory> {
    Reader::named(store.clone(), log(), "app", ReadOptions::default()).unwrap()
}

fn commit(reader: &mut Reader<Memory>, system: &Fixed) -> Result<(), Error> {
    reader.commit(system, None)
}

/// A reader that has read everything and committed this many times.
fn committed(world: &World, times: usize) -> Reader<Memory> {
    let mut reader = open(&world.store);
    read_on(&mut reader).unwrap();
    (0..times).for_each(|_| commit(&mut reader, &world.system).unwrap());
    reader
}

fn number(store: &Memory) -> Option<u64> {
    positions(store, &log()).unwrap().first().map(|kept| kept.number)
}

#[track_caller]
fn is_refused(reader: &mut Reader<Memory>, system: &Fixed) {
    let refused = commit(reader, system).unwrap_err();
    assert!(matches!(refused, Error::Conflict(_)), "{refused}");
}

#[test]
fn reader_begins_where_its_name_was_committed() {
    let mut world = world(2);
    let mut reader = open(&world.store);
    assert!(matches!(commit(&mut reader, &world.system), Err(Error::InvalidInput(_))));
    assert_eq!(read_on(&mut reader).unwrap(), [0, 1]);
    // It ends between the work and the commit.
    let mut reader = open(&world.store);
    assert_eq!(read_on(&mut reader).unwrap(), [0, 1]);
    commit(&mut reader, &world.system).unwrap();
    world.append(2);
    world.store(Some(2));
    let mut reader = open(&world.store);
    assert_eq!(reader.next_page().unwrap().unwrap().events, 1);
    let first = reader.positions(0).unwrap();
    world.compact();
    reader.commit(&world.system, Some(first.trim_end())).unwrap();
    assert_eq!(read_on(&mut open(&world.store)).unwrap(), [0_u64; 0]);
    let kept = positions(&world.store, &log()).unwrap();
    assert_eq!((kept[0].name.as_str(), kept[0].number), ("app", 2));
    let other = Reader::named(world.store.clone(), log(), "app2", ReadOptions::default());
    assert_eq!(read_on(&mut other.unwrap()).unwrap(), [0, 1, 2]);
    let named = |name: &str| Reader::named(world.store.clone(), log(), name, <_>::default());
    assert!(matches!(named("App"), Err(Error::InvalidInput(_))));
    let mut nameless = Reader::new(world.store.clone(), log(), ReadOptions::default()).unwrap();
    read_on(&mut nameless).unwrap();
    assert!(matches!(commit(&mut nameless, &world.system), Err(Error::InvalidInput(_))));
}

#[test]
pub(super) fn of_two_readers_of_a_name_one_commits() {
    for before in [0, 1, 5] {
        let world = world(2);
        drop(committed(&world, before));
        let mut readers = [open(&world.store), open(&world.store)];
        for reader in &mut readers {
            read_on(reader).unwrap();
        }
        let [one, other] = &mut readers;
        commit(one, &world.system).unwrap();
        is_refused(other, &world.system);
        is_refused(other, &world.system);
        commit(one, &world.system).unwrap();
    }
}

#[test]
pub(super) fn commit_is_refused_if_its_number_was_used_and_deleted() {
    for (before, newest) in [(1, 32), (2, 33), (3, 34)] {
        let world = world(2);
        drop(committed(&world, before));
        let mut stalled = open(&world.store);
        read_on(&mut stalled).unwrap();
        drop(committed(&world, 30));
        assert_eq!(world.store.names("position_").len(), 16);
        is_refused(&mut stalled, &world.system);
        // What it has created is garbage, which the next commit removes.
        let found = world.findings();
        let is_old = |finding: &Finding| {
            matches!(finding, Finding::Garbage { reason: GarbageReason::OldPosition, .. })
        };
        assert!(found.len() == 1 && is_old(&found[0]), "{found:?}");
        drop(committed(&world, 1));
        assert_eq!((number(&world.store), world.findings()), (Some(newest), vec![]));
    }
}

#[test]
pub(super) fn first_commit_is_refused_if_that_number_was_used_and_deleted() {
    let world = world(2);
    let mut stalled = open(&world.store);
    read_on(&mut stalled).unwrap();
    drop(committed(&world, 30));
    is_refused(&mut stalled, &world.system);
    assert_eq!(number(&world.store), Some(30));
}

#[test]
pub(super) fn old_commits_are_deleted_in_order() {
    let world = world(2);
    drop(committed(&world, 1));
    let mut stalled = open(&world.store);
    read_on(&mut stalled).unwrap();
    // One cannot be deleted: then no later one is.
    let oldest = world.store.names("position_").remove(0);
    *world.store.0.undeletable.borrow_mut() = Some(format!("log/{oldest}"));
    drop(committed(&world, 30));
    drop(committed(&world, 2));
    is_refused(&mut stalled, &world.system);
    world.store.0.undeletable.take();
    drop(committed(&world, 1));
    assert_eq!(world.store.names("position_").len(), 16);
}

#[test]
fn commit_in_doubt_is_repeated_and_counts_once() {
    for is_stored in [true, false] {
        let world = world(2);
        let mut reader = committed(&world, 1);
        world.store.0.next_exclusive.set(Some(End::Unknown { is_stored }));
        let outcome = commit(&mut reader, &world.system);
        assert_eq!(outcome.is_ok(), is_stored, "{outcome:?}");
        assert_eq!(number(&world.store), Some(if is_stored { 2 } else { 1 }));
        commit(&mut reader, &world.system).unwrap();
        assert_eq!(number(&world.store), Some(if is_stored { 3 } else { 2 }));
    }
    let world = world(2);
    let mut reader = committed(&world, 1);
    world.store.0.next_exclusive.set(Some(End::Refused));
    let refused = commit(&mut reader, &world.system).unwrap_err();
    assert!(matches!(refused, Error::WriteFailed(_)), "{refused}");
    commit(&mut reader, &world.system).unwrap();
}

#[test]
fn commit_that_lands_late_is_that_of_its_reader() {
    let world = world(2);
    let mut reader = committed(&world, 1);
    world.store.0.next_exclusive.set(Some(End::Unknown { is_stored: false }));
    commit(&mut reader, &world.system).unwrap_err();
    world.store.land_exclusive();
    // The next one comes after it.
    commit(&mut reader, &world.system).unwrap();
    assert_eq!(number(&world.store), Some(3));
    // So does that of another reader.
    world.store.0.next_exclusive.set(Some(End::Unknown { is_stored: false }));
    commit(&mut reader, &world.system).unwrap_err();
    world.store.land_exclusive();
    drop(committed(&world, 1));
    is_refused(&mut reader, &world.system);
    assert_eq!(number(&world.store), Some(5));
}

#[test]
fn name_is_forgotten_by_a_commit() {
    let world = world(2);
    let app = || PositionName::parse("app").unwrap();
    assert_eq!(forget(&world.store, &world.system, &log(), app()), Ok(false));
    let mut reader = committed(&world, 3);
    assert_eq!(forget(&world.store, &world.system, &log(), app()), Ok(true));
    assert_eq!(forget(&world.store, &world.system, &log(), app()), Ok(false));
    is_refused(&mut reader, &world.system);
    assert_eq!(number(&world.store), None);
    let mut next = open(&world.store);
    assert_eq!(read_on(&mut next).unwrap(), [0, 1]);
    commit(&mut next, &world.system).unwrap();
    assert_eq!(number(&world.store), Some(5));
}

#[test]
fn all_names_are_read_with_one_list() {
    let world = world(2);
    for name in ["app", "app-2", "b"] {
        let reader = Reader::named(world.store.clone(), log(), name, ReadOptions::default());
        let mut reader = reader.unwrap();
        read_on(&mut reader).unwrap();
        (0..3).for_each(|_| commit(&mut reader, &world.system).unwrap());
    }
    let before = world.store.0.lists.get();
    let kept = positions(&world.store, &log()).unwrap();
    let kept: Vec<_> = kept.iter().map(|kept| (kept.name.as_str(), kept.number)).collect();
    assert_eq!(kept, [("app", 3), ("app-2", 3), ("b", 3)]);
    assert_eq!(world.store.0.lists.get() - before, 1);
}

#[test]
fn damaged_position_is_an_error_until_its_name_is_forgotten() {
    let world = world(2);
    drop(committed(&world, 3));
    let newest = world.store.names("position_").remove(2);
    let key = format!("log/{newest}");
    let bytes = world.store.0.objects.borrow()[&key].clone();
    for at in 0..bytes.len() {
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        world.store.0.objects.borrow_mut().insert(key.clone(), changed);
        let opened = Reader::named(world.store.clone(), log(), "app", ReadOptions::default());
        let Err(Error::Damaged(damage)) = opened else { panic!("byte {at} is not noticed") };
        assert_eq!(damage.object, key);
        assert_eq!(world.findings(), [Finding::Damaged(damage)], "byte {at}");
    }
    let refused = trimmer::plan(world.store.clone(), log(), TrimPoint::KeepEvents(0), KEEP_UNREAD);
    assert!(matches!(refused, Err(Error::Damaged(_))), "{refused:?}");
    let steps = crate::drive::repair::repair(world.store.clone(), &world.system, log(), false);
    let steps = steps.unwrap().steps;
    assert!(format!("{steps:?}").contains("forget the name app"), "{steps:?}");
    let app = PositionName::parse("app").unwrap();
    assert_eq!(forget(&world.store, &world.system, &log(), app), Ok(true));
    drop(committed(&world, 20));
    assert_eq!((number(&world.store), world.findings()), (Some(24), vec![]));
}

#[test]
pub(super) fn trim_keeps_what_a_named_position_has_not_passed() {
    for is_compacted in [false, true] {
        for passed in 0..=6 {
            let world = world(6);
            if is_compacted {
                world.compact();
            }
            let options = ReadOptions { limit: Some(passed), ..ReadOptions::default() };
            let mut reader = Reader::named(world.store.clone(), log(), "app", options).unwrap();
            read_on(&mut reader).unwrap();
            // Without an event there is no first page, and the position is given.
            let start = (passed == 0).then_some("0");
            reader.commit(&world.system, start).unwrap();
            let point = TrimPoint::KeepEvents(2);
            let plan = trimmer::plan(world.store.clone(), log(), point.clone(), KEEP_UNREAD);
            let (store, plan) = (world.store.clone(), plan.unwrap());
            let trimmed = trim(store, &world.system, log(), point.clone(), KEEP_UNREAD).unwrap();
            assert_eq!(trimmed, plan, "{passed} passed, compacted: {is_compacted}");
            assert_eq!(trimmed.events, passed.min(4));
            let holder = trimmed.held_by.as_ref().map(PositionName::as_str);
            assert_eq!(holder, (passed < 4).then_some("app"));
            let left: Vec<_> = (passed..6).collect();
            assert_eq!(read_on(&mut open(&world.store)).unwrap(), left);
            // Otherwise names hold nothing.
            let options = TrimOptions::default();
            let trimmed = trim(world.store.clone(), &world.system, log(), point, options).unwrap();
            assert_eq!((trimmed.held_by, trimmed.first_position), (None, 4));
        }
    }
}

#[test]
fn position_of_another_log_holds_no_trim_in_silence() {
    let world = world(2);
    world.compact();
    let mut reader = open(&world.store);
    let foreign = format!("{:016x}@1", 1);
    reader.commit(&world.system, Some(&foreign)).unwrap();
    let refused = trimmer::plan(world.store.clone(), log(), TrimPoint::KeepEvents(0), KEEP_UNREAD);
    let Err(Error::InvalidInput(why)) = refused else { panic!("{refused:?}") };
    assert!(why.contains("the position named app does not fit the log"), "{why}");
}
