//! A feed: a writer whose batches have names before their creates, and one that continues them.

use super::World;
use super::memory::{Fixed, Memory};
use crate::decide::options::OptionsInput;
use crate::drive::writer::Writer;
use crate::drive::writer::feed::{Resumed, batch_name};
use crate::error::Error;
use crate::format::names::BatchName;

impl World {
    /// A log without batches.
    fn empty() -> Self {
        Self::new(0)
    }

    /// Seals one event as a batch.
    fn seal(&mut self, event: usize) -> BatchName {
        self.system.now.set(self.system.now.get() + 10);
        self.writer.seal_lines(line(event), None).unwrap()
    }

    /// A world with a new process, which continues the batches.
    fn restarted(&self, batches: &[BatchName]) -> (Self, usize, bool) {
        let (store, system) = (self.store.clone(), self.system.clone());
        let resumed = resume(&store, &system, batches).unwrap();
        let Resumed { writer, stored, may_be_trimmed } = resumed;
        (Self { store, system, writer }, stored, may_be_trimmed)
    }

    /// Seals an event again as this batch.
    fn seal_again(&mut self, event: usize, batch: BatchName) -> Result<BatchName, Error> {
        self.writer.seal_lines(line(event), Some(batch))
    }

    /// Stores all creates in flight, and flushes.
    fn store_started(&mut self) {
        self.writer.start();
        let open: Vec<_> = (0..self.store.started()).filter(|at| self.store.is_open(*at)).collect();
        self.store(open);
        self.writer.poll_flush().unwrap();
    }
}

fn line(event: usize) -> Vec<u8> {
    format!("{event}\n").into_bytes()
}

fn resume(
    store: &Memory,
    system: &Fixed,
    batches: &[BatchName],
) -> Result<Resumed<Memory, Fixed>, Error> {
    Writer::resume(store.clone(), system.clone(), "log", OptionsInput::default(), batches)
}

#[test]
pub(super) fn batch_of_a_feed_has_its_name_before_its_create() {
    let mut world = World::empty();
    let batches = [world.seal(0), world.seal(1)];
    assert_eq!(world.store.started(), 0);
    world.writer.start();
    assert_eq!(world.store.started(), 2);
    world.writer.start();
    assert_eq!(world.store.started(), 2);
    world.store_started();
    assert_eq!((world.read(), world.writer.written().batches), (vec![0, 1], 2));
    let names = world.store.names("batch_");
    let stored: Vec<_> = names.iter().filter_map(|name| BatchName::parse(name)).collect();
    assert_eq!(stored, batches);
    assert_eq!(batch_name(&batches[1].to_string()).unwrap(), batches[1]);
}

#[test]
fn feed_killed_anywhere_stores_each_event_once() {
    for landed in 0..8_u64 {
        for compacted in [false, true] {
            let mut world = World::empty();
            let batches: Vec<_> = (0..3).map(|event| world.seal(event)).collect();
            world.writer.start();
            world.store((0..3).filter(|create| landed >> create & 1 == 1));
            if compacted && landed > 0 {
                world.compact();
            }
            let (mut world, stored, _) = world.restarted(&batches);
            let prefix = (0..3).take_while(|create| landed >> create & 1 == 1).count();
            assert_eq!(stored, prefix, "{landed:03b}");
            for (event, batch) in batches.iter().enumerate().skip(stored) {
                world.seal_again(event, *batch).unwrap();
            }
            world.store_started();
            assert_eq!(world.read(), [0, 1, 2], "{landed:03b}");
            assert_eq!(world.findings(), []);
            // A create of the killed process lands in the end.
            (0..3).filter(|create| landed >> create & 1 == 0).for_each(|create| {
                world.store.land_late(create);
            });
            assert_eq!(world.read(), [0, 1, 2], "{landed:03b}");
            world.compact();
            assert_eq!(world.read(), [0, 1, 2], "{landed:03b}");
            assert_eq!(world.findings(), []);
        }
    }
}

#[test]
pub(super) fn batches_of_a_feed_that_were_absorbed_are_stored() {
    let mut world = World::empty();
    let batches = [world.seal(0), world.seal(1)];
    world.store_started();
    world.compact();
    let (world, stored, may_be_trimmed) = world.restarted(&batches);
    assert_eq!((stored, may_be_trimmed), (2, false));
    world.trim_all();
    let (_, stored, may_be_trimmed) = world.restarted(&batches);
    assert_eq!((stored, may_be_trimmed), (2, false), "its index is kept");
}

#[test]
pub(super) fn batch_of_a_feed_that_may_be_trimmed_is_reported() {
    let mut world = World::empty();
    let batches = [world.seal(0)];
    world.store_started();
    world.compact();
    world.trim_all();
    world.forget();
    let (_, stored, may_be_trimmed) = world.restarted(&batches);
    assert_eq!((stored, may_be_trimmed), (0, true));
}

#[test]
fn resumed_feed_continues_behind_its_batches() {
    let mut world = World::empty();
    let batches = [world.seal(0), world.seal(1)];
    world.store_started();
    // The clock has stepped back.
    world.system.now.set(0);
    let (mut world, stored, _) = world.restarted(&batches);
    assert_eq!(stored, 2);
    world.seal(2);
    world.store_started();
    assert_eq!((world.read(), world.findings()), (vec![0, 1, 2], vec![]));
    // Only the last of them was recorded.
    let (world, stored, _) = world.restarted(&batches[1..]);
    assert_eq!((stored, world.read()), (1, vec![0, 1, 2]));
}

#[test]
fn feed_refuses_what_is_not_the_batch() {
    let mut world = World::empty();
    let batches = [world.seal(0), world.seal(1)];
    let (mut world, stored, _) = world.restarted(&batches);
    assert_eq!(stored, 0);
    let refused = |result: Result<BatchName, Error>| match result {
        Err(Error::InvalidInput(message)) => message,
        other => panic!("{other:?}"),
    };
    let message = refused(world.seal_again(7, batches[0]));
    assert!(message.contains(&format!("not those of {}", batches[0])), "{message}");
    refused(world.seal_again(1, batches[1]));
    world.seal_again(0, batches[0]).unwrap();
    let message = refused(world.seal_again(0, batches[0]));
    assert!(message.contains("not later"), "{message}");
    world.seal_again(1, batches[1]).unwrap();
    assert!(refused(world.writer.seal_lines(Vec::new(), None)).contains("no events"));
    world.store_started();
    world.writer.append(b"5").unwrap();
    assert!(refused(world.writer.seal_lines(line(6), None)).contains("in no batch"));
    let most = OptionsInput { creates_max: Some(1), ..OptionsInput::default() };
    let mut one = Writer::open(world.store.clone(), world.system.clone(), "log", most).unwrap();
    one.seal_lines(line(7), None).unwrap();
    assert!(refused(one.seal_lines(line(8), None)).contains("1 batch before it"));
}

#[test]
fn feed_resumes_only_batches_in_a_row() {
    let mut world = World::empty();
    let [a, b, c] = [world.seal(0), world.seal(1), world.seal(2)];
    let mut elsewhere = World::empty();
    elsewhere.system.now.set(5);
    let other = elsewhere.seal(0);
    for batches in [&[][..], &[b, a], &[a, c], &[a, a], &[other, b]] {
        let resumed = resume(&world.store, &world.system, batches);
        assert!(matches!(resumed, Err(Error::InvalidInput(_))), "{batches:?}");
    }
    assert!(resume(&world.store, &world.system, &[a, b, c]).is_ok());
    assert!(matches!(batch_name("batch_1.jsonl"), Err(Error::InvalidInput(_))));
}
