use std::ops::Range;

use super::*;
use crate::format::batch::name_for;
use crate::format::manifest::tests::segment_record;
use crate::format::names::{BatchTime, Sequence, WriterId};
use crate::ports::HostBytes;

impl Content for Vec<u8> {
    fn lines(&mut self, offset: u64, events: u64) -> Result<Option<(u64, Digest)>, Error> {
        let rest = self.slice(offset..self.length());
        let end = rest.line_end(events);
        let found = rest.summarize(0, &[end])[0];
        Ok((found.line_feeds == events).then_some((end, Digest(found.digest))))
    }
}

/// A segment of six batches of one writer: the first is cut, the fourth is lost, the last two have
/// the same bytes.
struct World {
    is_numbered: bool,
    batches: Vec<BatchRecord>,
    text: Vec<u8>,
    lines: Vec<u8>,
    segment: SegmentRecord,
}

fn world(is_numbered: bool) -> World {
    let mut lines = Vec::new();
    let mut batches = Vec::new();
    for (time, events) in [(1_000_001, 3), (1_000_002, 2), (1_000_003, 1), (1_000_004, 4)]
        .into_iter()
        .chain([(1_000_005, 2), (1_000_006, 2)])
    {
        let number = u64::min(time, 1_000_005);
        let text: String = (0..events).map(|event| format!("{number}.{event}\n")).collect();
        let number = time - 1_000_001 + 3;
        let sequence = Sequence { number, gap: 1, waiting: [0, 1, 0, 2, 0, 3][batches.len()] };
        let (time_of, writer) = (BatchTime::new(time).unwrap(), WriterId(0xab));
        let sequence = is_numbered.then_some(sequence);
        let name = name_for(time_of, writer, sequence, &text.clone().into_bytes());
        let record = whole(name, name.origin.unwrap());
        let record = match time {
            1_000_001 => {
                let left = &text.as_bytes()[10..];
                let (bytes, digest) = (20, Digest::of(left));
                lines.extend(left);
                BatchRecord { events: 2, trimmed: 1, bytes, digest, ..record }
            }
            1_000_004 => BatchRecord { lost: true, digest: Digest::of(b""), ..record },
            _ => {
                lines.extend(text.as_bytes());
                BatchRecord { bytes: text.len().try_into().unwrap(), ..record }
            }
        };
        batches.push(record);
    }
    let text = Index::new(batches.clone()).encode().unwrap();
    let sum = |of: fn(&BatchRecord) -> u64| batches.iter().map(of).sum();
    let segment = SegmentRecord {
        batches: 6,
        first_time: batches[0].name.time,
        last_time: batches[5].name.time,
        index: Some(Digest::of(&text)),
        ..segment_record(sum(|batch| batch.events), sum(|batch| batch.bytes))
    };
    World { is_numbered, batches, text, lines, segment }
}

fn worlds() -> [World; 2] {
    [false, true].map(world)
}

/// The offset of a line of the index.
fn line(text: &[u8], number: usize) -> usize {
    let ends = memchr::memchr_iter(b'\n', text).map(|end| end + 1);
    std::iter::once(0).chain(ends).nth(number).unwrap()
}

impl World {
    /// The column of a numbered name that has what this one of another name has, behind the writer.
    fn column(&self, at: usize) -> usize {
        if self.is_numbered && at > 44 { at + "00000000".len() + "3_1_0_".len() } else { at }
    }

    /// Rebuilds the damaged index, with these batches listed.
    fn rebuilt(&self, text: &[u8], listed: &[usize], mut lines: Vec<u8>) -> Rebuilt {
        let mut clues = Clues::of_index(text);
        listed.iter().for_each(|at| clues.add_batch(self.batches[*at].name));
        super::rebuilt(&self.segment, &clues, &mut lines).unwrap()
    }

    fn is_found_again(&self, text: &[u8], listed: &[usize], what: &str) {
        let found = self.rebuilt(text, listed, self.lines.clone());
        assert_eq!(found, Rebuilt::Same(self.text.clone()), "{what}");
    }
}

#[test]
fn index_with_any_one_byte_changed_is_found_again() {
    for world in worlds() {
        for at in 0..world.text.len() {
            for flip in [1, 4, 0x40] {
                let mut text = world.text.clone();
                text[at] ^= flip;
                let found = world.rebuilt(&text, &[], world.lines.clone());
                let found = match found {
                    Rebuilt::Same(found) => Some(found),
                    // As where the name in the record of a cut or lost batch is changed.
                    _ => crate::format::byte_search::one_byte(&text, world.segment.index.unwrap()),
                };
                assert_eq!(found.as_ref(), Some(&world.text), "byte {at} ^ {flip}");
            }
        }
    }
}

#[test]
fn index_with_a_byte_inserted_before_a_line_is_found_again() {
    for world in worlds() {
        for number in 0..6 {
            for byte in 0..=u8::MAX {
                let mut text = world.text.clone();
                text.insert(line(&world.text, number), byte);
                world.is_found_again(&text, &[], &format!("byte {byte} before line {number}"));
            }
        }
    }
}

#[test]
fn index_with_a_byte_too_many_or_too_few_is_rebuilt_from_batches() {
    for world in worlds() {
        // What is left of a batch that was cut or lost stands in its line alone.
        for number in [1, 2, 4, 5] {
            for at in line(&world.text, number)..line(&world.text, number + 1) {
                for byte in [Some(b'x'), Some(b'\n'), Some(b'{'), Some(b'0'), None] {
                    let mut text = world.text.clone();
                    match byte {
                        Some(byte) => text.insert(at, byte),
                        None => _ = text.remove(at),
                    }
                    world.is_found_again(&text, &[1, 2, 4, 5], &format!("{byte:?} at {at}"));
                }
            }
        }
    }
}

#[test]
fn index_with_several_lines_changed_is_found_again() {
    for world in worlds() {
        let mut text = world.text.clone();
        // Of three lines: a name's frame, numbers and digest; of a fourth one digit of its time.
        let starts = [1, 2, 4].map(|number| line(&world.text, number));
        for start in starts {
            for at in [12, 46, 55, 70, 75, 88, 90] {
                text[start + world.column(at)] = b'#';
            }
        }
        text[line(&world.text, 5) + 34] = b'9';
        world.is_found_again(&text, &[], "three lines and a digit");
        // All that is left of a line is its time and its writer.
        for start in starts {
            let end = start + world.text[start..].iter().position(|byte| *byte == b'\n').unwrap();
            text[start..start + 16].fill(b' ');
            text[start + world.column(64)..end].fill(b' ');
        }
        text[line(&world.text, 5) + 34] = b'6';
        let found = world.rebuilt(&text, &[], world.lines.clone());
        assert!(matches!(found, Rebuilt::Unknown(_)), "{found:?}");
        world.is_found_again(&text, &[1, 2, 4], "whose batches are listed");
    }
}

#[test]
fn index_that_is_torn_is_found_again_where_the_batches_are_listed() {
    for world in worlds() {
        for length in [0, 1, 20, 60, 170] {
            let from = line(&world.text, 4);
            let torn = &world.text[..from + length.min(world.text.len() - from)];
            world.is_found_again(torn, &[4, 5], &format!("torn at {length}"));
        }
        let torn = &world.text[..line(&world.text, 4)];
        assert_eq!(world.rebuilt(torn, &[], world.lines.clone()), Rebuilt::Unknown(2));
        assert_eq!(world.rebuilt(torn, &[0, 5], world.lines.clone()), Rebuilt::Unknown(1));
    }
}

#[test]
fn index_that_is_gone_is_found_again_from_other_indexes() {
    for world in worlds() {
        let mut clues = Clues::of_index(b"");
        clues.add_index(&world.text[..line(&world.text, 2)]);
        clues.add_index(&world.text[line(&world.text, 2)..]);
        let lost = super::rebuilt(&world.segment, &clues, &mut world.lines.clone()).unwrap();
        // Nothing determines the place of the lost one.
        assert_eq!(lost, Rebuilt::Unknown(1));
        let whole: Vec<_> = world.batches.iter().filter(|batch| !batch.lost).copied().collect();
        let text = Index::new(whole).encode().unwrap();
        let index = Some(Digest::of(&text));
        let events = world.segment.events - 4;
        let segment = SegmentRecord { index, batches: 5, events, ..world.segment };
        let found = super::rebuilt(&segment, &clues, &mut world.lines.clone()).unwrap();
        assert_eq!(found, Rebuilt::Same(text));
    }
}

#[test]
fn index_is_found_again_next_to_a_damaged_segment() {
    for world in worlds() {
        for number in 0..6 {
            let mut text = world.text.clone();
            // The number of events in the line, not in the name.
            let at = line(&world.text, number);
            let field = memchr::memmem::find(&text[at..], b"\"events\":").unwrap();
            text[at + field + 9] = b'7';
            for gone in [false, true] {
                if gone && number == 0 {
                    // The remainder of a batch has a digest that is not in its name.
                    continue;
                }
                let mut lines = if gone { Vec::new() } else { world.lines.clone() };
                if let Some(byte) = lines.get_mut(22) {
                    *byte ^= 1;
                }
                let found = world.rebuilt(&text, &[], lines);
                assert_eq!(found, Rebuilt::Same(world.text.clone()), "line {number}, gone: {gone}");
            }
        }
    }
}

#[test]
fn index_of_another_digest_is_not_made_up() {
    for world in worlds() {
        let segment = SegmentRecord { index: Some(Digest(1)), ..world.segment };
        let clues = Clues::of_index(&world.text);
        let found = super::rebuilt(&segment, &clues, &mut world.lines.clone()).unwrap();
        assert_eq!(found, Rebuilt::Different);
    }
}

/// Fills a range of columns of lines of the index.
fn without(world: &World, lines: &[usize], columns: Range<usize>) -> Vec<u8> {
    let mut text = world.text.clone();
    for number in lines {
        let start = line(&world.text, *number);
        text[start + columns.start..start + columns.end].fill(0);
    }
    text
}

#[test]
fn place_of_a_batch_follows_from_those_around_it() {
    let world = world(true);
    // The number, the gap, what it waits for, and all of these with the number of events.
    for columns in [53..54, 55..56, 57..58, 53..58, 52..61] {
        for lines in [&[1][..], &[2], &[4], &[5], &[1, 4], &[2, 5], &[1, 2, 4]] {
            let text = without(&world, lines, columns.clone());
            world.is_found_again(&text, &[], &format!("{columns:?} of {lines:?}"));
        }
    }
    // What many batches wait for is in no other place.
    let text = without(&world, &[1, 2, 4, 5], 57..58);
    world.is_found_again(&text, &[], "what four wait for");
    // The time, from the line before or after; and a writer.
    let text = without(&world, &[1, 4], 16..34);
    world.is_found_again(&text, &[], "two times");
    let text = without(&world, &[2, 5], 16..51);
    world.is_found_again(&text, &[], "two times and writers");
    // All of it but the writer.
    let text = without(&world, &[2], 16..36);
    let text =
        [&text[..line(&text, 2) + 53], &b"??????"[..], &text[line(&text, 2) + 59..]].concat();
    world.is_found_again(&text, &[], "what is left is a writer");
}

#[test]
fn wrong_digit_of_a_writer_does_not_hide_what_follows_from_its_line() {
    let world = world(true);
    let mut text = without(&world, &[2], 53..56);
    text[line(&world.text, 1) + 40] = b'7';
    world.is_found_again(&text, &[], "a writer and the next number");
}

#[test]
fn place_of_the_first_line_follows_from_a_name_elsewhere() {
    let world = world(true);
    // The first of the segment that is whole.
    let text = Index::new(world.batches[1..].to_vec()).encode().unwrap();
    let segment = SegmentRecord {
        batches: 5,
        events: world.segment.events - 2,
        bytes: world.segment.bytes - 20,
        index: Some(Digest::of(&text)),
        ..world.segment
    };
    let mut damaged = text.clone();
    damaged[53..56].fill(b' ');
    for is_known in [false, true] {
        let mut clues = Clues::of_index(&damaged);
        if is_known {
            clues.add_index(&world.text[..line(&world.text, 1)]);
        }
        let found = super::rebuilt(&segment, &clues, &mut world.lines[20..].to_vec()).unwrap();
        // The next line has the number, and nothing else the gap.
        assert_eq!(found == Rebuilt::Same(text.clone()), is_known, "{found:?}");
    }
}

#[test]
fn name_that_waits_for_more_than_that_in_the_index_is_of_one_batch() {
    let world = world(true);
    for waiting in 0..3 {
        for damage in [&[2][..], &[1, 2], &[1, 2, 4, 5]] {
            // The lines are illegible, and a retry has stored the batches again.
            let text = without(&world, damage, 0..100);
            let mut clues = Clues::of_index(&text);
            for at in damage {
                clues.add_batch(world.batches[*at].name.waiting_for(waiting));
            }
            let mut lines = world.lines.clone();
            let found = super::rebuilt(&world.segment, &clues, &mut lines).unwrap();
            assert_eq!(found, Rebuilt::Same(world.text.clone()), "{waiting}, {damage:?}");
        }
    }
}
