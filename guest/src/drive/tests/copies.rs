//! Copies of a log that is written, compacted and trimmed in the meantime, and mirrors.

use super::memory::{Fixed, Memory};
use super::{World, log, read_on};
use crate::decide::options::{CompactInput, OptionsInput};
use crate::drive::compactor::compact;
use crate::drive::copier::{Copier, CopyOptions, CopyProgress, MirrorState, mirror, promote};
use crate::drive::named::{forget, positions};
use crate::drive::reader::{ReadOptions, Reader};
use crate::drive::repair::repair;
use crate::drive::trimmer::{TrimOptions, TrimPoint, trim};
use crate::drive::verifier::{Finding, Verifier};
use crate::drive::writer::Writer;
use crate::error::Error;
use crate::format::names::{LogName, PositionName};
use crate::ports::System;

/// The name of the target: creates of its batches end immediately.
fn target() -> LogName {
    LogName::parse("copy").unwrap()
}

fn options(dry_run: bool) -> CopyOptions {
    CopyOptions { source: "memory:log".to_owned(), dry_run }
}

fn copier(from: &Memory, to: &Memory, dry_run: bool) -> Copier<Memory, Fixed> {
    let (from, to) = ((from.clone(), log()), (to.clone(), target()));
    Copier::new(from, to, Fixed::default(), options(dry_run)).unwrap()
}

fn finish(copier: &mut Copier<Memory, Fixed>) -> Result<CopyProgress, Error> {
    let mut last = CopyProgress::default();
    while let Some(progress) = copier.step()? {
        last = progress;
    }
    Ok(last)
}

fn copy(from: &Memory, to: &Memory) -> Result<CopyProgress, Error> {
    finish(&mut copier(from, to, false))
}

fn read(store: &Memory, start: Option<String>) -> Result<(Vec<u64>, Option<String>), Error> {
    let mut reader = Reader::new(store.clone(), target(), ReadOptions { start, ..<_>::default() })?;
    Ok((read_on(&mut reader)?, reader.position()))
}

fn findings(store: &Memory) -> Vec<Finding> {
    let mut verifier = Verifier::new(store.clone(), target());
    let mut findings = Vec::new();
    while let Some(progress) = verifier.step().unwrap() {
        findings.extend(progress.findings);
    }
    findings
}

fn world(batches: usize) -> World {
    let mut world = World::new(0);
    (0..batches).for_each(|event| add(&mut world, event));
    world
}

fn add(world: &mut World, event: usize) {
    let create = world.store.started();
    world.append(event);
    world.store(Some(create));
    world.writer.tick();
}

fn trim_to(world: &World, keep: u64) {
    let point = TrimPoint::KeepEvents(keep);
    trim(world.store.clone(), &world.system, log(), point, TrimOptions::default()).unwrap();
}

/// The objects of a log but for marks and markers, with their bytes.
fn objects(store: &Memory, log: &str) -> Vec<(String, Vec<u8>)> {
    let objects = store.0.objects.borrow();
    let own = objects.iter().filter_map(|(key, bytes)| {
        let name = key.strip_prefix(log)?.strip_prefix('/')?;
        let is_own = !name.starts_with("batch_mirror") && !name.starts_with("generation_");
        is_own.then(|| (name.to_owned(), bytes.clone()))
    });
    own.collect()
}

#[test]
fn copy_has_the_same_objects_and_the_next_one_only_what_is_new() {
    let (mut world, to) = (world(5), Memory::default());
    assert!(matches!(copy(&Memory::default(), &to), Err(Error::NoLog(_))));
    assert!(to.0.objects.borrow().is_empty());
    assert_eq!(copy(&world.store, &to).unwrap().objects, 5);
    assert_eq!(copy(&world.store, &to).unwrap(), CopyProgress::default());
    let (events, kept) = read(&to, None).unwrap();
    assert_eq!(events, [0, 1, 2, 3, 4]);
    add(&mut world, 5);
    assert_eq!(copy(&world.store, &to).unwrap().objects, 1);
    assert_eq!(objects(&to, "copy"), objects(&world.store, "log"));
    world.compact();
    add(&mut world, 6);
    copy(&world.store, &to).unwrap();
    assert_eq!(objects(&to, "copy"), objects(&world.store, "log"));
    assert_eq!(read(&to, kept.clone()).unwrap().0, [5, 6]);
    for event in 7..40 {
        add(&mut world, event);
        world.compact();
        if event % 5 == 0 {
            trim_to(&world, 3);
            copy(&world.store, &to).unwrap();
            assert_eq!(findings(&to), [], "{event}");
            assert_eq!(objects(&to, "copy"), objects(&world.store, "log"), "{event}");
        }
    }
    copy(&world.store, &to).unwrap();
    assert_eq!(read(&to, kept).unwrap().0, world.read());
    assert_eq!(findings(&to), []);
}

#[test]
fn dry_run_counts_and_writes_nothing() {
    let (world, to) = (world(3), Memory::default());
    let planned = finish(&mut copier(&world.store, &to, true)).unwrap();
    assert_eq!((planned.objects, planned.objects_total, planned.bytes_total), (0, 3, 6));
    assert!(to.0.objects.borrow().is_empty());
}

/// A source in each of some states, the later ones behind the earlier ones.
fn states() -> Vec<Memory> {
    let mut world = world(3);
    let mut states = vec![world.store.copy()];
    world.compact();
    (3..6).for_each(|event| add(&mut world, event));
    let mut reader = Reader::named(world.store.clone(), log(), "app", <_>::default()).unwrap();
    read_on(&mut reader).unwrap();
    reader.commit(&world.system, None).unwrap();
    states.push(world.store.copy());
    for event in 6..24 {
        add(&mut world, event);
        world.compact();
    }
    trim_to(&world, 9);
    read_on(&mut reader).unwrap();
    reader.commit(&world.system, None).unwrap();
    (24..27).for_each(|event| add(&mut world, event));
    states.push(world.store.copy());
    states
}

#[test]
pub(super) fn copy_killed_anywhere_shows_a_state_of_the_source() {
    let states = states();
    let events: Vec<Vec<u64>> =
        states.iter().map(|state| World { store: state.copy(), ..World::new(0) }.read()).collect();
    let mut kills = 0;
    for (number, source) in states.iter().enumerate() {
        let begun = Memory::default();
        if number > 0 {
            copy(&states[number - 1], &begun).unwrap();
        }
        let before = if number > 0 { events[number - 1].clone() } else { Vec::new() };
        for fuse in 0.. {
            let to = begun.copy();
            to.0.fuse.set(Some(fuse));
            let killed = copy(source, &to).is_err() || to.0.fuse.get() == Some(0);
            to.0.fuse.set(None);
            // What a reader sees is the state before, or a beginning of the one after.
            let shown = match read(&to, None) {
                Err(Error::NoLog(_)) => Vec::new(),
                shown => shown.unwrap().0,
            };
            let is_state = shown == before || events[number].starts_with(&shown);
            assert!(is_state, "state {number}, {fuse} writes: {shown:?}");
            if !shown.is_empty() {
                let damaged = findings(&to);
                let damaged = damaged.iter().any(|found| matches!(found, Finding::Damaged(_)));
                assert!(!damaged, "state {number}, {fuse} writes: {:?}", findings(&to));
                let kept = positions(&to, &target()).unwrap();
                for kept in kept {
                    read(&to, Some(kept.position)).unwrap();
                }
            }
            copy(source, &to).unwrap();
            assert_eq!(read(&to, None).unwrap().0, events[number]);
            assert_eq!(findings(&to), [], "state {number}, {fuse} writes");
            assert_eq!(copy(source, &to).unwrap().objects_total, 0);
            if !killed {
                break;
            }
            kills += 1;
        }
    }
    assert!(kills > 30, "{kills}");
}

#[test]
fn mirror_is_written_by_copies_only_until_it_is_promoted() {
    let states = states();
    let (source, to, system) = (&states[1], Memory::default(), Fixed::default());
    copy(source, &to).unwrap();
    let found = mirror(to.clone(), target()).unwrap();
    let expected = MirrorState { source: "memory:log".to_owned(), ended: false };
    assert_eq!(found, Some(expected));
    let open = || Writer::open(to.clone(), system.clone(), "copy", OptionsInput::default());
    let refused = open().err().unwrap();
    assert!(
        matches!(&refused, Error::Unsupported(text) if text.contains("--promote")),
        "{refused}"
    );
    let input = || CompactInput { full: true, ..CompactInput::default() };
    assert!(compact(to.clone(), &system, target(), input()).is_err());
    let point = TrimPoint::KeepEvents(0);
    assert!(trim(to.clone(), &system, target(), point, TrimOptions::default()).is_err());
    assert!(repair(to.clone(), &system, target(), false).is_err());
    assert!(repair(to.clone(), &system, target(), true).is_ok());
    let name = || PositionName::parse("app").unwrap();
    assert!(forget(&to, &system, &target(), name()).is_err());
    let mut reader = Reader::named(to.clone(), target(), "app", <_>::default()).unwrap();
    assert!(matches!(reader.commit(&system, Some("3")), Err(Error::Unsupported(_))));
    read_on(&mut reader).unwrap();
    assert!(matches!(reader.commit(&system, None), Err(Error::Unsupported(_))));
    assert_eq!(promote(to.clone(), &system, target()), Ok(true));
    assert_eq!(promote(to.clone(), &system, target()), Ok(false));
    assert!(mirror(to.clone(), target()).unwrap().unwrap().ended);
    let mut writer = open().unwrap();
    writer.append(b"100").unwrap();
    writer.close().unwrap();
    compact(to.clone(), &system, target(), input()).unwrap();
    assert_eq!(findings(&to), []);
    assert_eq!(read(&to, None).unwrap().0, [0, 1, 2, 3, 4, 5, 100]);
    let refused = copy(source, &to).unwrap_err().to_string();
    assert!(refused.contains("promoted"), "{refused}");
}

#[test]
fn mirror_of_a_killed_copy_is_whole_once_it_is_promoted() {
    let states = states();
    let (begun, system) = (Memory::default(), Fixed::default());
    copy(&states[1], &begun).unwrap();
    for fuse in 0..60 {
        let to = begun.copy();
        to.0.fuse.set(Some(fuse));
        copy(&states[2], &to).ok();
        to.0.fuse.set(None);
        promote(to.clone(), &system, target()).unwrap();
        let found = findings(&to);
        let is_damage = |found: &Finding| matches!(found, Finding::Damaged(_));
        assert!(!found.iter().any(is_damage), "{fuse} writes: {found:?}");
        let shown = read(&to, None).unwrap().0;
        let mut writer =
            Writer::open(to.clone(), system.clone(), "copy", OptionsInput::default()).unwrap();
        writer.append(b"100").unwrap();
        writer.close().unwrap();
        let input = CompactInput { full: true, ..CompactInput::default() };
        compact(to.clone(), &system, target(), input).unwrap();
        assert_eq!(read(&to, None).unwrap().0, [shown, vec![100]].concat(), "{fuse} writes");
        assert_eq!(findings(&to), [], "{fuse} writes");
    }
}

#[test]
fn target_with_a_history_of_its_own_is_refused_with_both() {
    let states = states();
    // It is no mirror.
    let world = world(2);
    let own = Memory::default();
    for (key, bytes) in world.store.0.objects.borrow().iter() {
        own.0.objects.borrow_mut().insert(key.replace("log/", "copy/"), bytes.clone());
    }
    let before = own.0.objects.borrow().len();
    let refused = copy(&states[0], &own).unwrap_err();
    assert!(matches!(&refused, Error::Conflict(text) if text.contains("no mirror")), "{refused}");
    assert_eq!(own.0.objects.borrow().len(), before);
    // It was written, although it is a mirror.
    let foreign = Memory::default();
    copy(&states[1], &foreign).unwrap();
    let mut other = World::new(0);
    other.system.now.set(9_000_000);
    add(&mut other, 77);
    for (key, bytes) in other.store.0.objects.borrow().iter() {
        foreign.0.objects.borrow_mut().insert(key.replace("log/", "copy/"), bytes.clone());
    }
    let refused = copy(&states[2], &foreign).unwrap_err().to_string();
    assert!(refused.contains("the source never had batch_"), "{refused}");
    assert!(refused.contains("the source has generation 2"), "{refused}");
    assert!(refused.contains("the target has generation 1"), "{refused}");
    // It is ahead of its source, or of another log.
    let ahead = Memory::default();
    copy(&states[2], &ahead).unwrap();
    let refused = copy(&states[1], &ahead).unwrap_err().to_string();
    assert!(refused.contains("the target has a later generation"), "{refused}");
    let stranger = {
        let world = self::world(3);
        world.system.now.set(7_000);
        (0..9).for_each(|_| _ = world.system.random_u32());
        world.compact();
        world.store.copy()
    };
    let refused = copy(&stranger, &ahead).unwrap_err().to_string();
    assert!(refused.contains("it is a mirror of the log of identity"), "{refused}");
    let unmarked = Memory::default();
    copy(&states[0], &unmarked).unwrap();
    copy(&states[1], &unmarked).unwrap();
    let refused = copy(&stranger, &unmarked).unwrap_err().to_string();
    assert!(refused.contains("they are different logs"), "{refused}");
}

#[test]
fn batch_that_the_source_has_forgotten_is_refused() {
    let (mut world, to) = (world(3), Memory::default());
    copy(&world.store, &to).unwrap();
    world.compact();
    world.trim_all();
    world.forget();
    add(&mut world, 2_000);
    let refused = copy(&world.store, &to).unwrap_err().to_string();
    assert!(refused.contains("does not know batch_"), "{refused}");
    assert_eq!(read(&to, None).unwrap().0, [0, 1, 2]);
}

#[test]
fn source_that_is_compacted_during_a_copy_is_loaded_again() {
    let (mut world, to) = (world(4), Memory::default());
    world.compact();
    (4..8).for_each(|event| add(&mut world, event));
    let mut copier = copier(&world.store, &to, false);
    for event in 8..30 {
        add(&mut world, event);
        world.compact();
        assert!(copier.step().unwrap().is_some(), "{event}");
        let shown = match read(&to, None) {
            Err(Error::NoLog(_)) => Vec::new(),
            shown => shown.unwrap().0,
        };
        assert!((0..).zip(&shown).all(|(expected, found)| expected == *found), "{shown:?}");
        if event == 12 {
            break;
        }
    }
    finish(&mut copier).unwrap();
    copier.repeat();
    finish(&mut copier).unwrap();
    assert_eq!(read(&to, None).unwrap().0, world.read());
    assert_eq!(findings(&to), []);
}

#[test]
fn damaged_object_of_the_source_is_reported_and_not_copied() {
    let states = states();
    for kind in ["batch_", "segment_", "manifest_", "position_"] {
        let (source, to) = (states[2].copy(), Memory::default());
        let name = source.names(kind).pop().unwrap();
        let key = format!("log/{name}");
        source.0.objects.borrow_mut().get_mut(&key).unwrap()[0] ^= 1;
        let refused = copy(&source, &to).unwrap_err();
        assert!(matches!(&refused, Error::Damaged(damage) if damage.object == key), "{refused}");
        assert!(!to.0.objects.borrow().contains_key(&format!("copy/{name}")));
    }
}
