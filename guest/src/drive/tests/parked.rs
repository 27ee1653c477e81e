//! A writer that was parked continues as if it had not been.

use super::memory::{End, Fixed, Memory};
use super::{World, log, read_from};
use crate::decide::options::{CompactInput, OptionsInput};
use crate::drive::compactor::compact;
use crate::drive::writer::Writer;
use crate::drive::writer::parked::Parked;
use crate::error::Error;

const SECOND: u64 = 1_000_000;

fn unpark(world: &World, parked: Parked<Vec<u8>>) -> Writer<Memory, Fixed> {
    Writer::unpark(world.store.clone(), world.system.clone(), "log", parked).unwrap()
}

impl World {
    /// Parks the writer, and makes it again.
    fn rest(&mut self) {
        let parked = self.writer.park().expect("all is acknowledged");
        self.writer = unpark(self, parked);
    }

    /// A world whose writer seals five events, or after two seconds.
    fn of_five() -> Self {
        let options = OptionsInput {
            flush_threshold: Some(5),
            flush_interval_ms: Some(2_000),
            ..OptionsInput::default()
        };
        let (store, system) = (Memory::default(), Fixed::default());
        system.now.set(1_000);
        let writer = Writer::open(store.clone(), system.clone(), "log", options).unwrap();
        Self { store, system, writer }
    }

    /// Stores all creates that were started since, and polls.
    fn store_all(&mut self) {
        let open: Vec<_> = (0..self.store.started()).filter(|at| self.store.is_open(*at)).collect();
        self.store(open);
        self.writer.poll_flush().unwrap();
    }
}

#[test]
pub(super) fn parked_writer_continues_its_batches() {
    let mut world = World::new(2);
    world.store_all();
    world.rest();
    // The clock has stepped back.
    world.system.now.set(500);
    world.append(2);
    world.store_all();
    world.rest();
    world.append(3);
    world.store_all();
    assert_eq!(world.read(), [0, 1, 2, 3]);
    assert_eq!(world.findings(), []);
    world.compact();
    assert_eq!(world.read(), [0, 1, 2, 3]);
}

#[test]
pub(super) fn parked_writer_continues_behind_all_that_it_found() {
    let mut other = World::new(1);
    other.system.now.set(50 * SECOND);
    other.append(1);
    other.store_all();
    let (store, system) = (other.store.clone(), other.system.clone());
    let mut world = World { writer: super::writer(&store, &system), store, system };
    world.rest();
    world.system.now.set(2 * SECOND);
    world.append(2);
    world.store_all();
    assert_eq!(world.read(), [0, 1, 2]);
}

#[test]
pub(super) fn parked_writer_is_read_after_its_last_batch_was_forgotten() {
    let mut world = World::new(1);
    world.store_all();
    world.compact();
    world.trim_all();
    world.forget();
    world.rest();
    world.append(1);
    world.store_all();
    assert_eq!(world.read(), [1]);
    assert_eq!(world.findings(), []);
}

#[test]
pub(super) fn parked_writer_counts_what_it_has_made_durable() {
    let mut world = World::new(3);
    world.store_all();
    let written = world.writer.written();
    world.rest();
    assert_eq!((world.writer.written(), written.events), (written, 3));
}

#[test]
pub(super) fn parked_writer_keeps_its_events_and_seals_as_its_options_say() {
    let mut world = World::of_five();
    for event in 0..4 {
        world.append(event);
        world.rest();
        assert_eq!(world.store.started(), 0);
    }
    world.append(4);
    world.store_all();
    assert_eq!((world.store.started(), world.writer.written().events), (1, 5));
    assert_eq!(world.read(), [0, 1, 2, 3, 4]);
}

#[test]
pub(super) fn events_of_a_parked_writer_grow_old() {
    let mut world = World::of_five();
    world.append(0);
    for _ in 0..4 {
        assert!(world.writer.tick());
        assert_eq!(world.store.started(), 0);
        world.system.now.set(world.system.now.get() + SECOND / 2);
        let parked = world.writer.park().unwrap();
        assert_eq!(parked.due_in, Some(1_010 + 2 * SECOND - world.system.now.get()));
        world.writer = unpark(&world, parked);
    }
    assert!(world.writer.tick());
    assert_eq!(world.store.started(), 1);
    world.store_all();
    assert_eq!(world.read(), [0]);
}

#[test]
pub(super) fn parked_writer_believes_no_older_listing() {
    let mut world = World::new(2);
    world.store_all();
    world.compact();
    assert_eq!(world.writer.file_count().unwrap(), 1);
    world.rest();
    // The store shows the log as it was before it was compacted.
    let before = world.store.copy();
    let mut objects = world.store.0.objects.borrow_mut();
    objects.retain(|key, _| !key.contains("manifest"));
    drop(objects);
    let counted = world.writer.file_count();
    assert!(matches!(counted, Err(Error::StoreFailed { .. })), "{counted:?}");
    *world.store.0.objects.borrow_mut() = before.0.objects.take();
    assert_eq!(world.writer.file_count().unwrap(), 1);
}

#[test]
fn writer_is_parked_when_all_is_acknowledged() {
    let mut world = World::new(2);
    assert_eq!(world.writer.park(), None, "two creates are in flight");
    world.store([1]);
    world.store.end(0, End::Refused);
    world.writer.tick();
    assert_eq!(world.writer.park(), None, "one has failed");
    world.writer.start_flush(true).unwrap();
    assert_eq!(world.writer.park(), None, "it is tried again");
    world.store_all();
    let parked = world.writer.park().unwrap();
    assert_eq!((parked.batches, parked.written.events, &parked.open), (2, 2, &None));
    // It is closed, and loses nothing.
    assert_eq!(world.writer.append(b"9"), Err(Error::Closed));
    assert_eq!(world.writer.park(), None);
    world.writer = unpark(&world, parked);
    world.append(2);
    world.store_all();
    assert_eq!(world.writer.close().unwrap().events, 3);
    assert_eq!(world.writer.park(), None, "it is closed");
}

#[test]
fn state_of_no_writer_is_refused() {
    let mut world = World::of_five();
    world.append(0);
    let parked = world.writer.park().unwrap();
    let (time, mut empty, mut none) = (u64::MAX, parked.clone(), parked.clone());
    empty.open.as_mut().unwrap().lines.clear();
    none.open.as_mut().unwrap().events = 0;
    let options = OptionsInput { creates_max: Some(0), ..parked.options };
    for state in [
        Parked { last_time: time, ..parked.clone() },
        Parked { options, ..parked.clone() },
        empty,
        none,
    ] {
        let refused = Writer::unpark(world.store.clone(), world.system.clone(), "log", state);
        assert!(matches!(refused.err(), Some(Error::InvalidInput(_))));
    }
    world.writer = unpark(&world, parked);
    world.writer.start_flush(false).unwrap();
    world.store_all();
    assert_eq!(world.read(), [0]);
    compact(world.store.clone(), &world.system, log(), CompactInput::default()).unwrap();
    assert_eq!(read_from(&world.store, None).unwrap().0, [0]);
}
