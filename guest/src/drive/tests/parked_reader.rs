//! A reader that was parked continues as if it had not been.

use super::memory::Memory;
use super::{World, log, read_on};
use crate::drive::catalog::LastLoad;
use crate::drive::reader::parked::ParkedReader;
use crate::drive::reader::{ReadOptions, Reader};
use crate::error::Error;
use crate::limits::PAGE_BYTES_TARGET;

const NONE: [u64; 0] = [];

fn open(world: &World, options: ReadOptions) -> Reader<Memory> {
    Reader::new(world.store.clone(), log(), options).unwrap()
}

fn park(reader: &Reader<Memory>) -> ParkedReader {
    reader.park().expect("it has yielded everything")
}

fn unpark(world: &World, parked: ParkedReader) -> Reader<Memory> {
    Reader::unpark(world.store.clone(), "log", parked).unwrap()
}

impl World {
    /// Reads what is new, parks the reader, and makes it again.
    fn read_and_rest(&self, reader: &mut Reader<Memory>) -> Vec<u64> {
        let events = read_on(reader).unwrap();
        *reader = unpark(self, park(reader));
        events
    }

    /// Appends an event, and stores it.
    fn add(&mut self, event: usize) {
        self.append(event);
        self.store(Some(self.store.started() - 1));
        self.writer.poll_flush().unwrap();
    }
}

#[test]
pub(super) fn parked_reader_yields_each_event_once() {
    let mut world = World::new(0);
    world.add(0);
    let mut reader = open(&world, ReadOptions::default());
    assert_eq!(world.read_and_rest(&mut reader), [0]);
    assert_eq!(world.read_and_rest(&mut reader), NONE);
    world.add(1);
    world.add(2);
    assert_eq!(world.read_and_rest(&mut reader), [1, 2]);
    world.add(3);
    world.compact();
    assert_eq!(world.read_and_rest(&mut reader), [3]);
    world.add(4);
    assert_eq!(world.read_and_rest(&mut reader), [4]);
    world.compact();
    assert_eq!(world.read_and_rest(&mut reader), NONE);
    world.trim_all();
    assert_eq!(world.read_and_rest(&mut reader), NONE);
    world.add(5);
    assert_eq!(world.read_and_rest(&mut reader), [5]);
    let position = reader.position();
    assert_eq!(position, unpark(&world, park_again(&mut reader)).position());
}

/// Parks a reader after a poll that found nothing.
fn park_again(reader: &mut Reader<Memory>) -> ParkedReader {
    assert_eq!(read_on(reader).unwrap(), NONE);
    park(reader)
}

#[test]
fn reader_is_parked_unless_it_has_something_to_report() {
    let mut world = World::new(0);
    world.add(0);
    let mut own = world.writer.read_all().unwrap();
    read_on(&mut own).unwrap();
    assert_eq!(own.park(), None, "it is a pass of a handle");
    let mut reader = open(&world, ReadOptions::default());
    reader.skip_damaged();
    world.add(1);
    for (key, bytes) in world.store.0.objects.borrow_mut().iter_mut() {
        if key.contains("batch") {
            bytes.clear();
        }
    }
    let (mut skipped, mut parked) = (0, 0);
    while reader.next_page().unwrap().is_some() {}
    for _ in 0..2 {
        match reader.park() {
            None => skipped += reader.take_skipped().len(),
            Some(_) => parked += 1,
        }
    }
    assert_eq!((skipped, parked), (2, 1), "it has damage to report");
}

#[test]
pub(super) fn parked_reader_reports_once_that_there_is_no_log() {
    let mut world = World::new(0);
    let mut reader = open(&world, ReadOptions::default());
    for is_reported in [true, false, false] {
        reader = unpark(&world, park(&reader));
        match reader.next_page() {
            Err(Error::NoLog(_)) => assert!(is_reported),
            other => assert!(other.unwrap().is_none() && !is_reported),
        }
    }
    world.add(0);
    assert_eq!(world.read_and_rest(&mut reader), [0]);
}

/// Appends an event that is a page of its own.
fn add_page(world: &mut World, event: usize) {
    let width = usize::try_from(PAGE_BYTES_TARGET).unwrap();
    world.system.now.set(world.system.now.get() + 10);
    world.writer.append(format!("{}{event}", "0".repeat(width)).as_bytes()).unwrap();
    world.store(Some(world.store.started() - 1));
    world.writer.poll_flush().unwrap();
}

/// Reads one page after the other, and rests before each.
fn read_pages(world: &World, reader: &mut Reader<Memory>, between: &mut dyn FnMut()) -> Vec<u64> {
    let mut events = Vec::new();
    loop {
        *reader = unpark(world, park(reader));
        let Some(page) = reader.next_page().unwrap() else { return events };
        let lines = String::from_utf8(page.lines.unwrap_or_default()).unwrap();
        events.extend(lines.lines().map(|event| event.parse::<u64>().unwrap()));
        between();
    }
}

#[test]
pub(super) fn reader_parked_between_pages_yields_each_event_once() {
    let mut world = World::new(0);
    (0..6).for_each(|event| add_page(&mut world, event));
    let (mut reader, mut pages) = (open(&world, ReadOptions::default()), 0);
    let all = read_pages(&world, &mut reader, &mut || pages += 1);
    assert_eq!((all, pages), (vec![0, 1, 2, 3, 4, 5], 6));
    let mut reader = open(&world, ReadOptions::default());
    let all = read_pages(&world, &mut reader, &mut || world.compact());
    assert_eq!(all, [0, 1, 2, 3, 4, 5]);
    assert_eq!(world.read_and_rest(&mut reader), NONE);
}

#[test]
pub(super) fn parked_reader_keeps_its_options() {
    let mut world = World::new(0);
    (0..6).for_each(|event| add_page(&mut world, event));
    let options = ReadOptions { last: Some(4), ..ReadOptions::default() };
    let mut reader = open(&world, options);
    assert_eq!(read_pages(&world, &mut reader, &mut || {}), [2, 3, 4, 5]);
    let options = ReadOptions { last: Some(4), limit: Some(3), ..ReadOptions::default() };
    let mut reader = open(&world, options);
    assert_eq!(read_pages(&world, &mut reader, &mut || {}), [2, 3, 4]);
    assert_eq!(read_pages(&world, &mut reader, &mut || {}), NONE, "its limit is reached");
}

#[test]
pub(super) fn parked_reader_counts_what_it_has_missed() {
    let mut world = World::new(0);
    world.add(0);
    let mut reader = open(&world, ReadOptions::default());
    assert_eq!(world.read_and_rest(&mut reader), [0]);
    world.add(1);
    world.add(2);
    world.compact();
    world.trim_all();
    world.add(3);
    let page = reader.next_page().unwrap().unwrap();
    assert_eq!((page.missed, page.lines.as_deref()), (2, Some(&b"3\n"[..])));
}

#[test]
fn parked_reader_polls_with_one_list_until_there_is_news() {
    let mut world = World::new(0);
    (0..12).for_each(|event| world.add(event));
    let mut reader = open(&world, ReadOptions::default());
    reader.poll_batches(4);
    read_on(&mut reader).unwrap();
    let parked = park(&reader);
    let LastLoad { since, listed, .. } = parked.last_load;
    assert!(since.is_some() && listed == 12, "{parked:?}");
    let mut rested = unpark(&world, parked.clone());
    // A reader that was not parked has counted as many polls.
    for polls in 1..4 {
        assert_eq!(read_on(&mut reader).unwrap(), NONE);
        assert_eq!(world.read_and_rest(&mut rested), NONE);
        assert_eq!(park(&rested), park(&reader));
        assert_eq!(park(&rested), ParkedReader { polls, ..parked.clone() });
    }
}

#[test]
pub(super) fn parked_reader_keeps_its_times() {
    let mut world = World::new(0);
    world.add(0);
    let until = Some(world.system.now.get() + 15);
    let mut reader = open(&world, ReadOptions { until, ..ReadOptions::default() });
    assert_eq!(world.read_and_rest(&mut reader), [0]);
    world.add(1);
    world.add(2);
    assert_eq!(world.read_and_rest(&mut reader), [1]);
}

#[test]
pub(super) fn parked_reader_believes_no_older_listing() {
    let mut world = World::new(0);
    world.add(0);
    world.compact();
    let mut reader = open(&world, ReadOptions::default());
    assert_eq!(world.read_and_rest(&mut reader), [0]);
    // The store shows the log as it was before it was compacted.
    let objects = world.store.copy();
    world.store.0.objects.borrow_mut().retain(|key, _| !key.contains("manifest"));
    let refused = reader.next_page();
    assert!(matches!(refused, Err(Error::StoreFailed { .. })), "{refused:?}");
    *world.store.0.objects.borrow_mut() = objects.0.objects.take();
    world.add(1);
    assert_eq!(world.read_and_rest(&mut reader), [1]);
}

#[test]
pub(super) fn parked_reader_keeps_its_name() {
    let mut world = World::new(0);
    let named = |world: &World| {
        Reader::named(world.store.clone(), log(), "app", ReadOptions::default()).unwrap()
    };
    world.add(0);
    let mut reader = named(&world);
    for event in 1..40 {
        let read = world.read_and_rest(&mut reader);
        assert_eq!(read, [u64::try_from(event).unwrap() - 1]);
        reader.commit(&world.system, None).unwrap();
        world.add(event);
    }
    let mut other = named(&world);
    assert_eq!(read_on(&mut other).unwrap(), [39]);
    assert_eq!(world.read_and_rest(&mut reader), [39]);
    other.commit(&world.system, None).unwrap();
    let refused = reader.commit(&world.system, None);
    assert!(matches!(refused, Err(Error::Conflict(_))), "{refused:?}");
}

#[test]
fn state_of_no_reader_is_refused() {
    let mut world = World::new(0);
    world.add(0);
    let mut reader = open(&world, ReadOptions::default());
    read_on(&mut reader).unwrap();
    let parked = park(&reader);
    let time = LastLoad { since: Some(u64::MAX), ..parked.last_load };
    for state in [
        ParkedReader { position: "?".to_owned(), ..parked.clone() },
        ParkedReader { last_load: time, ..parked },
    ] {
        let refused = Reader::unpark(world.store.clone(), "log", state);
        assert!(matches!(refused.err(), Some(Error::InvalidInput(_))));
    }
}
