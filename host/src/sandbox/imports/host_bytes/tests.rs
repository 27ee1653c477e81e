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

#[test]
fn slices_and_summaries_cross_pieces() {
    let memory = plenty();
    let text = b"a\nb\nc";
    for pieces in [&[&text[..]][..], &[b"a", b"\nb\n", b"c"]] {
        let all = of_pieces(pieces, &memory);
        let found = all.summarize(1, &[4]).unwrap();
        let digest = XxHash3_64::oneshot(&text[1..5]);
        assert_eq!(found, [Summary { digest, line_feeds: 2 }]);
        assert_eq!(all.line_end(1), 2);
        assert_eq!(all.slice(1, 4, &memory).unwrap().to_bytes(), "\nb\n");
        assert!(all.slice(0, 6, &memory).is_err() && all.summarize(6, &[0]).is_err());
    }
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
