//! Segments: the cost of repairing one, and a large one with bytes behind its end.

use rig::memory::{Memory, log};

use stratalog_guest::decide::options::OptionsInput;
use stratalog_guest::drive::trimmer::{self, TrimOptions, TrimPoint};
use stratalog_guest::drive::writer::Writer;

use super::{Clock, World, read};

/// Returns the gets of a repair of a segment of 200 batches. This many are damaged, far apart.
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
fn repair_of_a_lazily_trimmed_segment_leaves_no_trimmed_event() {
    // The first two and a half of nine batches of two events are trimmed.
    for (damaged, lost) in [(0, vec![]), (40, vec![5]), (50, vec![6, 7]), (100, vec![12, 13])] {
        let mut world = World { store: Memory::default(), clock: Clock::default() };
        world.write(0..9);
        world.compact();
        let (point, options) =
            (TrimPoint::KeepEvents(13), TrimOptions { lazy: true, keep_unread: false });
        trimmer::trim(world.store.clone(), &world.clock, log(), point, options).unwrap();
        let segment = world.keys("segment_", ".jsonl")[0].clone();
        world.damage(&segment, |bytes| bytes[damaged] ^= 1);
        let steps = world.repair(false);
        assert_eq!(steps.len(), 1, "{steps:?}");
        assert_eq!(steps[0].events_lost, lost.len() as u64, "{steps:?}");
        assert_eq!(world.verified(), Vec::<String>::new());
        let expected = (5..18).filter(|event| !lost.contains(event)).collect();
        assert_eq!(read(&mut world.reader(None)).unwrap(), (expected, lost.len() as u64));
        for (key, bytes) in world.store.objects() {
            let text = String::from_utf8_lossy(&bytes).into_owned();
            let is_trimmed = |line: &str| (0..5).any(|event| line == format!("event {event}"));
            let is_named = key.starts_with("log/segment_");
            assert!(!is_named || !text.lines().any(is_trimmed), "{key}: {text}");
        }
    }
}

#[test]
fn damaged_segment_is_copied_in_as_few_pieces_as_are_whole() {
    let gets = [1, 2, 5].map(gets);
    // Each damaged batch cuts a piece in two, and is read again in the set-aside copy.
    assert_eq!([gets[1] - gets[0], gets[2] - gets[0]], [2, 8], "{gets:?}");
    assert!(gets[0] < 18, "{gets:?}");
}

/// A large segment is read in parts, which end with its last byte. A verification notices what is
/// behind it.
#[test]
fn verification_of_a_large_segment_notices_bytes_behind_its_end() {
    let mut world = World { store: Memory::default(), clock: Clock::default() };
    let options = OptionsInput::default();
    let mut writer =
        Writer::open(world.store.clone(), world.clock.clone(), "log", options).unwrap();
    let event = vec![b'x'; (1 << 20) - 1];
    for _ in 0..65 {
        writer.append(&event).unwrap();
    }
    writer.flush().unwrap();
    world.compact();
    let segment = world.keys("segment_", ".jsonl")[0].clone();
    assert_eq!(world.verified(), Vec::<String>::new());
    world.damage(&segment, |bytes| bytes.extend(b"more\n"));
    let [damage] = &world.verified()[..] else { panic!("{:?}", world.verified()) };
    assert!(damage.contains(&segment), "{damage}");
    let [step] = &world.repair(false)[..] else { panic!("nothing to repair") };
    assert_eq!((&step.damage.object, step.events_lost), (&segment, 0));
    assert_eq!(world.verified(), Vec::<String>::new());
}
