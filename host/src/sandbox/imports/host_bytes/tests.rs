use super::*;
use crate::sandbox::memory::MemoryExceeded;

fn of_pieces(pieces: &[&[u8]], memory: &Memory) -> HostBytes {
    let piece = |bytes: &&[u8]| HostBytes::new(Bytes::copy_from_slice(bytes), memory).unwrap();
    let mut pieces = pieces.iter().map(piece);
    let mut all = pieces.next().unwrap();
    pieces.for_each(|piece| all.append(piece, memory).unwrap());
    all
}

fn plenty() -> Memory {
    Memory::new(64 * 1024 * 1024)
}

fn shown(summaries: Vec<wit::Summary>) -> Vec<(u64, u64)> {
    summaries.iter().map(|summary| (summary.digest, summary.line_feeds)).collect()
}

#[test]
fn summary_does_not_depend_on_the_pieces() {
    let memory = plenty();
    let line = [&[b'x'; 200][..], b"\n"].concat();
    let text = line.repeat(3 * BLOCK_BYTES / line.len());
    let whole = of_pieces(&[&text], &memory);
    for cuts in [vec![1], vec![200, 201, 202], vec![BLOCK_BYTES, 2 * BLOCK_BYTES + 1]] {
        let mut pieces = Vec::new();
        let mut rest = &text[..];
        for cut in &cuts {
            let (piece, after) = rest.split_at(cut - (text.len() - rest.len()));
            pieces.push(piece);
            rest = after;
        }
        pieces.push(rest);
        let joined = of_pieces(&pieces, &memory);
        for lengths in [&[10_000][..], &[0, 1, 200, 5_000, 4_000]] {
            let found = [&whole, &joined].map(|bytes| shown(bytes.summarize(3, lengths).unwrap()));
            assert_eq!(found[0], found[1], "{cuts:?}");
            let (digest, line_feeds) = found[0][0];
            let range = &text[3..3 + usize::try_from(lengths[0]).unwrap()];
            assert_eq!(digest, XxHash3_64::oneshot(range));
            let expected = range.iter().filter(|byte| **byte == b'\n').count();
            assert_eq!(usize::try_from(line_feeds), Ok(expected));
        }
        assert_eq!(joined.to_bytes(), text);
        assert_eq!(joined.line_end(2), 402, "{cuts:?}");
    }
}

#[test]
fn slices_and_line_ends_cross_pieces() {
    let memory = plenty();
    let all = of_pieces(&[b"a\nb", b"", b"b\nc", b"c"], &memory);
    let slice = |start, end| all.slice(start, end, &memory).unwrap().to_bytes();
    assert_eq!(
        [slice(0, 7), slice(2, 5), slice(3, 4), slice(7, 7)],
        ["a\nbb\ncc", "bb\n", "b", ""]
    );
    assert_eq!([0, 1, 2, 3].map(|count| all.line_end(count)), [0, 2, 5, 7]);
}

#[test]
fn bytes_that_are_not_there_are_refused() {
    let memory = plenty();
    let all = of_pieces(&[b"abc", b"de"], &memory);
    for (start, end) in [(0, 6), (6, 6), (3, 2), (u64::MAX, u64::MAX)] {
        assert!(all.slice(start, end, &memory).is_err(), "{start} {end}");
    }
    for (start, lengths) in [(0, &[6][..]), (6, &[0]), (1, &[4, 1]), (0, &[u64::MAX, 2])] {
        assert!(all.summarize(start, lengths).is_err(), "{start} {lengths:?}");
    }
    assert_eq!(all.summarize(5, &[0, 0]).unwrap().len(), 2);
}

#[test]
fn bytes_count_once_and_until_the_last_handle_is_gone() {
    let memory = Memory::new(20_000);
    let all = of_pieces(&[&[0; 10_000]], &memory);
    let slices: Vec<_> = (0..10).map(|at| all.slice(at, 9_000, &memory).unwrap()).collect();
    drop(all);
    let more = || HostBytes::new(Bytes::from_static(&[0; 10_000]), &memory);
    assert!(more().unwrap_err().is::<MemoryExceeded>());
    drop(slices);
    more().unwrap();
    let few = of_pieces(&[&b"x"[..]; 100], &memory);
    assert!(more().unwrap_err().is::<MemoryExceeded>(), "100 pieces take more than 100 bytes");
    drop(few);
    more().unwrap();
}

#[test]
fn bytes_of_a_write_count_until_it_ends() {
    let memory = Memory::new(100_000);
    let more = || HostBytes::new(Bytes::from_static(&[0; 40_000]), &memory);
    for pieces in [vec![&[0; 40_000][..]], vec![&[0; 4_000]; 5]] {
        let writing = of_pieces(&pieces, &memory);
        let (payload, counted) = writing.to_payload(&memory).unwrap();
        drop(writing);
        let other = more().unwrap();
        let last = HostBytes::new(Bytes::from_static(&[0; 50_000]), &memory);
        assert!(last.unwrap_err().is::<MemoryExceeded>(), "{} pieces", payload.iter().count());
        drop((other, counted));
        assert_eq!(memory.borrow(99_000).unwrap().bytes(), 99_000);
    }
}

#[test]
fn bytes_that_are_appended_to_themselves_do_not_grow_beyond_memory() {
    let memory = Memory::new(1024 * 1024);
    let mut all = of_pieces(&[&[0; 100_000]], &memory);
    let mut double = || {
        let length = u64::try_from(all.len()).unwrap();
        all.append(all.slice(0, length, &memory)?, &memory)
    };
    for _ in 0..3 {
        double().unwrap();
    }
    assert!(double().unwrap_err().is::<MemoryExceeded>());
}

#[test]
fn small_pieces_are_joined_before_they_are_written() {
    let memory = plenty();
    let (small, _) = of_pieces(&[&b"a"[..]; 3], &memory).to_payload(&memory).unwrap();
    assert_eq!((small.iter().count(), small.content_length()), (1, 3));
    let (large, _) = of_pieces(&[&[0; 20_000][..]; 3], &memory).to_payload(&memory).unwrap();
    assert_eq!((large.iter().count(), large.content_length()), (3, 60_000));
}

#[test]
fn small_slice_does_not_keep_all_of_its_bytes() {
    let memory = plenty();
    let parts = |start, end| {
        let all = of_pieces(&[&[0; 1_000]], &memory);
        let [one, other] = [(), ()].map(|()| all.slice(start, end, &memory).unwrap());
        drop(all);
        // Unique memory: a copy, since the other slice still exists.
        let kept = one.into_kept();
        let pieces: Vec<_> = other.slice(0, end - start, &memory).unwrap().into_pieces().collect();
        (kept.is_unique(), pieces.iter().all(Bytes::is_unique))
    };
    assert_eq!([parts(0, 499), parts(100, 700)], [(true, true), (false, false)]);
}
