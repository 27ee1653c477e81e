//! What the repair of a segment costs.

use rig::memory::Memory;

use super::{Clock, World, read};

/// The gets of a repair of a segment of 200 batches in which so many are damaged, far apart.
fn gets(damaged: usize) -> u64 {
    let mut world = World { store: Memory::default(), clock: Clock::default() };
    world.write(0..200);
    world.compact();
    let segment = world.keys("segment_", ".jsonl")[0].clone();
    let mut text = String::new();
    let starts: Vec<usize> = (0..400)
        .map(|event| {
            let start = text.len();
            text += &format!("event {event}\n");
            start
        })
        .collect();
    let events: Vec<u32> = (0..damaged).map(|number| 40 + 20 * number as u32).collect();
    for event in &events {
        world.damage(&segment, |bytes| bytes[starts[*event as usize]] ^= 1);
    }
    world.store.counts();
    let steps = world.repair(false);
    let counts = world.store.counts();
    assert_eq!(steps.len(), 1, "{steps:?}");
    assert_eq!(steps[0].events_lost, 2 * damaged as u64);
    let lost: Vec<u32> = events.iter().flat_map(|event| [*event, event + 1]).collect();
    let expected = (0..400).filter(|event| !lost.contains(event)).collect();
    assert_eq!(read(&mut world.reader(None)).unwrap(), (expected, 2 * damaged as u64));
    counts.gets
}

#[test]
fn damaged_segment_is_read_once_and_copied_in_as_few_pieces_as_are_whole() {
    let gets = [1, 2, 5].map(gets);
    // Each damaged batch cuts what is copied in one piece in two.
    assert_eq!([gets[1] - gets[0], gets[2] - gets[0]], [1, 4], "{gets:?}");
    assert!(gets[0] < 12, "{gets:?}");
}
