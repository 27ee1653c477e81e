//! A log of numbered batches in a store in memory: creates that end in any order, late, refused or
//! in doubt.

use memory::{End, Fixed, Memory};

use crate::decide::options::{CompactInput, OptionsInput};
use crate::drive::compactor::{self, compact};
use crate::drive::reader::{ReadOptions, Reader};
use crate::drive::repair::repair;
use crate::drive::stat::stat;
use crate::drive::trimmer::{self, TrimOptions, TrimPoint, trim};
use crate::drive::verifier::{Finding, Verifier};
use crate::drive::writer::Writer;
use crate::error::Error;
use crate::format::names::{BatchName, LogName};

#[cfg(feature = "mutants")]
mod broken;
mod copies;
mod feed;
mod files;
mod memory;
mod named;
mod parked;
mod parked_reader;
mod rules;
mod schedules;

fn log() -> LogName {
    LogName::parse("log").unwrap()
}

fn writer(store: &Memory, system: &Fixed) -> Writer<Memory, Fixed> {
    writer_of(store, system, None)
}

/// A writer that seals every event, with this many creates in flight.
fn writer_of(store: &Memory, system: &Fixed, creates_max: Option<u32>) -> Writer<Memory, Fixed> {
    let options = OptionsInput { flush_threshold: Some(1), creates_max, ..OptionsInput::default() };
    Writer::open(store.clone(), system.clone(), "log", options).unwrap()
}

/// A log with one writer, which has sealed batches of one event each: 0, 1, 2, …
struct World {
    store: Memory,
    system: Fixed,
    writer: Writer<Memory, Fixed>,
}

impl World {
    fn new(batches: usize) -> Self {
        let (store, system) = (Memory::default(), Fixed::default());
        system.now.set(1_000);
        let mut world = Self { writer: writer(&store, &system), store, system };
        (0..batches).for_each(|event| world.append(event));
        world
    }

    fn append(&mut self, event: usize) {
        self.system.now.set(self.system.now.get() + 10);
        self.writer.append(event.to_string().as_bytes()).unwrap();
    }

    /// Stores the batches of these creates.
    fn store(&self, creates: impl IntoIterator<Item = usize>) {
        creates.into_iter().for_each(|create| self.store.end(create, End::Stored));
    }

    fn read(&self) -> Vec<u64> {
        read_from(&self.store, None).unwrap().0
    }

    fn compact(&self) {
        let options = CompactInput { full: true, ..CompactInput::default() };
        compact(self.store.clone(), &self.system, log(), options).unwrap();
    }

    fn trim_all(&self) {
        let point = TrimPoint::KeepEvents(0);
        trim(self.store.clone(), &self.system, log(), point, TrimOptions::default()).unwrap();
    }

    /// Commits generations until the index of whatever is trimmed now is dropped.
    fn forget(&self) {
        let mut other = writer(&self.store, &self.system);
        for _ in 0..66 {
            self.system.now.set(self.system.now.get() + 10);
            let create = self.store.started();
            other.append(b"1000").unwrap();
            self.store(Some(create));
            self.compact();
        }
        self.trim_all();
    }

    fn findings(&self) -> Vec<Finding> {
        let mut verifier = Verifier::new(self.store.clone(), log());
        let mut findings = Vec::new();
        while let Some(progress) = verifier.step().unwrap() {
            findings.extend(progress.findings);
        }
        findings
    }
}

/// Reads to the end. Returns the events, and the position.
fn read_from(store: &Memory, start: Option<String>) -> Result<(Vec<u64>, String), Error> {
    let mut reader = Reader::new(store.clone(), log(), ReadOptions { start, ..<_>::default() })?;
    let events = read_on(&mut reader)?;
    Ok((events, reader.position().unwrap()))
}

/// Reads what is new to a reader.
fn read_on(reader: &mut Reader<Memory>) -> Result<Vec<u64>, Error> {
    let mut events = Vec::new();
    while let Some(page) = reader.next_page()? {
        let lines = page.lines.unwrap_or_default();
        let lines = String::from_utf8(lines).unwrap();
        events.extend(lines.lines().map(|event| event.parse::<u64>().unwrap()));
    }
    Ok(events)
}

#[test]
fn batches_that_have_landed_are_read_up_to_the_first_gap() {
    for landed in 0..16_u64 {
        let world = World::new(4);
        assert_eq!(world.store.started(), 4);
        let stored = (0..4).filter(|create| landed >> create & 1 == 1);
        world.store(stored);
        if landed == 0 {
            continue;
        }
        let prefix: Vec<_> = (0..4).take_while(|event| landed >> event & 1 == 1).collect();
        assert_eq!(world.read(), prefix, "{landed:04b}");
        // The writer itself reads all that it holds.
        let mut own = world.writer.read_all().unwrap();
        assert_eq!(read_on(&mut own).unwrap(), [0, 1, 2, 3], "{landed:04b}");
        world.compact();
        assert_eq!(world.read(), prefix, "{landed:04b}");
        let mut own = world.writer.read_all().unwrap();
        assert_eq!(read_on(&mut own).unwrap(), [0, 1, 2, 3], "{landed:04b}");
        let hidden = (0..4).filter(|create| landed >> create & 1 == 1).count() - prefix.len();
        let findings = world.findings();
        assert_eq!(findings.len(), hidden, "{findings:?}");
        assert!(findings.iter().all(|finding| matches!(finding, Finding::Stranded { .. })));
    }
}

#[test]
fn batches_are_acknowledged_in_order() {
    let mut world = World::new(4);
    for create in 1..4 {
        world.store.end(create, End::Stored);
    }
    world.store.end(0, End::Unknown { is_stored: true });
    world.writer.tick();
    assert_eq!(world.writer.written().events, 0);
    // The retry finds that it had landed.
    world.system.now.set(world.system.now.get() + 2_000_000);
    world.writer.tick();
    assert_eq!(world.store.started(), 5);
    world.store.end(4, End::Stored);
    world.writer.tick();
    assert_eq!(world.writer.written().events, 4);
    assert_eq!(world.read(), [0, 1, 2, 3]);
}

#[test]
fn retry_waits_for_fewer_batches_and_counts_once() {
    let mut world = World::new(2);
    // Both fail. The second has landed all the same.
    world.store.end(0, End::Refused);
    world.store.end(1, End::Unknown { is_stored: true });
    world.writer.tick();
    world.system.now.set(world.system.now.get() + 2_000_000);
    world.writer.tick();
    assert_eq!(world.store.started(), 4);
    world.store.end(2, End::Stored);
    world.store.end(3, End::Unknown { is_stored: false });
    world.writer.tick();
    assert_eq!(world.writer.written().events, 1);
    world.system.now.set(world.system.now.get() + 2_000_000);
    world.writer.tick();
    world.store.end(4, End::Stored);
    world.writer.tick();
    assert_eq!(world.writer.written().events, 2);
    // The second batch has two objects.
    let names = world.store.names("batch_");
    let parsed: Vec<_> = names.iter().filter_map(|name| BatchName::parse(name)).collect();
    assert_eq!((names.len(), parsed[1] == parsed[2]), (3, true));
    assert_eq!(world.read(), [0, 1]);
    world.compact();
    assert_eq!(world.read(), [0, 1]);
    assert_eq!(world.store.names("batch_").len(), 0);
    assert_eq!(world.findings(), []);
    // Another try of it lands long after.
    world.store.land_late(3);
    assert_eq!(world.read(), [0, 1]);
}

#[test]
fn follower_sees_a_gap_close_and_yields_once() {
    let world = World::new(3);
    let mut follower = Reader::new(world.store.clone(), log(), ReadOptions::default()).unwrap();
    world.store([1, 2]);
    assert!(read_on(&mut follower).unwrap().is_empty());
    world.compact();
    world.store([0]);
    assert_eq!(read_on(&mut follower).unwrap(), [0, 1, 2]);
    world.compact();
    let mut polls = 0;
    for _ in 0..20 {
        let lists = world.store.0.lists.get();
        assert!(read_on(&mut follower).unwrap().is_empty());
        polls += u64::from(world.store.0.lists.get() - lists == 1);
    }
    assert!(polls >= 15, "{polls} polls of one list");
    assert_eq!(follower.position().unwrap().split('@').nth(1).unwrap(), "3");
}

#[test]
fn position_inside_a_batch_resumes_after_a_compaction() {
    let mut world = World::new(0);
    world.writer.append_lines(b"0\n1\n2\n".to_vec()).unwrap();
    world.writer.append_lines(b"3\n4\n5\n".to_vec()).unwrap();
    world.store([0, 1]);
    for limit in 1..6 {
        let options = ReadOptions { limit: Some(limit), ..<_>::default() };
        let mut reader = Reader::new(world.store.clone(), log(), options).unwrap();
        let first = read_on(&mut reader).unwrap();
        assert_eq!(first, (0..limit).collect::<Vec<_>>());
        let copy = World { store: world.store.copy(), ..World::new(0) };
        copy.compact();
        let (rest, _) = read_from(&copy.store, reader.position()).unwrap();
        assert_eq!(rest, (limit..6).collect::<Vec<_>>(), "after {limit}");
    }
}

#[test]
fn writer_that_has_rested_is_read_after_its_last_batch_was_forgotten() {
    for is_sealed_before in [false, true] {
        let mut world = World::new(1);
        if is_sealed_before {
            // Its name says that it waits for the first one.
            world.append(1);
            world.store.end(1, End::Refused);
        }
        world.store([0]);
        world.writer.tick();
        world.compact();
        world.trim_all();
        world.forget();
        let next = world.store.started();
        if is_sealed_before {
            world.system.now.set(world.system.now.get() + 2_000_000);
            world.writer.tick();
        } else {
            world.append(1);
        }
        world.store([next]);
        assert_eq!(world.read(), [1], "sealed before: {is_sealed_before}");
        world.compact();
        assert_eq!(world.read(), [1]);
        assert_eq!(world.findings(), []);
    }
}

#[test]
fn absorbed_batch_whose_delete_fails_stays_known() {
    for batches in 1..3 {
        let world = World::new(batches);
        world.store(0..batches);
        world.store.0.keeps_all.set(true);
        world.compact();
        world.trim_all();
        world.forget();
        assert_eq!(world.store.names("batch_").len(), batches + 66);
        let (events, position) = read_from(&world.store, None).unwrap();
        assert!(events.is_empty(), "{batches} batches");
        // None was absorbed again, and trimmed then.
        assert_eq!(position.split('@').nth(1).unwrap(), (batches + 66).to_string());
        world.store.0.keeps_all.set(false);
        world.compact();
        assert_eq!(world.store.names("batch_").len(), 0);
    }
}

#[test]
fn batch_that_is_gone_is_damage_until_a_repair_goes_past_it() {
    let mut world = World::new(3);
    world.store([0, 1, 2]);
    world.writer.tick();
    world.append(3);
    world.store([3]);
    let gone = world.store.names("batch_")[1].clone();
    world.store.0.objects.borrow_mut().remove(&format!("log/{gone}"));
    let mut reader = Reader::new(world.store.clone(), log(), ReadOptions::default()).unwrap();
    assert_eq!(reader.next_page().unwrap().unwrap().events, 1);
    let Err(Error::Damaged(damage)) = reader.next_page() else { panic!("it is not noticed") };
    assert!(gone.starts_with(damage.object.trim_start_matches("log/").trim_end_matches('*')));
    assert_eq!(world.findings(), [Finding::Damaged(damage)]);
    let mut reader = Reader::new(world.store.clone(), log(), ReadOptions::default()).unwrap();
    reader.skip_damaged();
    assert_eq!(read_on(&mut reader).unwrap(), [0, 2, 3]);
    assert_eq!(reader.take_skipped().len(), 1);
    let repaired = repair(world.store.clone(), &world.system, log(), false).unwrap();
    assert_eq!(repaired.steps.len(), 1);
    assert_eq!(world.read(), [0, 2, 3]);
    assert_eq!(world.findings(), []);
}

#[test]
fn log_with_a_batch_that_is_gone_is_neither_changed_nor_counted() {
    for gone in 0..3 {
        let mut world = World::new(3);
        world.store([0, 1, 2]);
        world.writer.tick();
        world.append(3);
        world.store([3]);
        let key = world.store.names("batch_")[gone].clone();
        world.store.0.objects.borrow_mut().remove(&format!("log/{key}"));
        let before = world.store.names("");
        let World { store, system, .. } = &world;
        let full = CompactInput { full: true, ..CompactInput::default() };
        let point = TrimPoint::KeepEvents(1);
        let refused = [
            compact(store.clone(), system, log(), full).err(),
            compactor::plan(store.clone(), log(), full).err(),
            trim(store.clone(), system, log(), point.clone(), TrimOptions::default()).err(),
            trimmer::plan(store.clone(), log(), point, TrimOptions::default()).err(),
            stat(store.clone(), log()).err(),
        ];
        for error in refused {
            let Some(Error::Damaged(damage)) = error else { panic!("{gone}: {error:?}") };
            assert!(
                key.starts_with(damage.object.trim_start_matches("log/").trim_end_matches('*'))
            );
        }
        assert_eq!(world.store.names(""), before);
        repair(world.store.clone(), &world.system, log(), false).unwrap();
        assert_eq!(stat(world.store.clone(), log()).unwrap().events, 3);
        world.compact();
        world.trim_all();
        assert!(world.read().is_empty());
    }
}
