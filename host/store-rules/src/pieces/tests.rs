use std::hash::DefaultHasher;

use super::*;

/// Sums with a hasher that every target has.
struct Any;

impl Summing for Any {
    type Hasher = DefaultHasher;

    fn digest(bytes: &[u8]) -> u64 {
        let mut hasher = DefaultHasher::default();
        hasher.write(bytes);
        hasher.finish()
    }

    fn line_feeds(bytes: &[u8]) -> usize {
        bytes.iter().filter(|byte| **byte == b'\n').count()
    }
}

fn pieces(parts: &[&[u8]]) -> Vec<Bytes> {
    parts.iter().map(|part| Bytes::copy_from_slice(part)).collect()
}

fn summaries(pieces: &[Bytes], start: u64, lengths: &[u64]) -> Result<Vec<Summary>, OutOfRange> {
    let length = pieces.iter().map(Bytes::len).sum();
    summarize::<Any>(pieces.iter(), length, start, lengths)
}

#[test]
fn summary_does_not_depend_on_the_pieces() {
    let line = [&[b'x'; 200][..], b"\n"].concat();
    let text = line.repeat(3 * BLOCK_BYTES / line.len());
    let whole = pieces(&[&text]);
    for [a, b, c] in [[1, 2, 3], [200, 201, 202], [1, BLOCK_BYTES, 2 * BLOCK_BYTES + 1]] {
        let cuts = pieces(&[&text[..a], &text[a..b], &text[b..c], &text[c..]]);
        for lengths in [&[10_000][..], &[0, 1, 200, 5_000, 4_000]] {
            let found = [&whole, &cuts].map(|pieces| summaries(pieces, 3, lengths).unwrap());
            assert_eq!(found[0], found[1], "{a} {b} {c}");
            let range = &text[3..3 + to_usize(lengths[0])];
            let line_feeds = to_u64(Any::line_feeds(range));
            assert_eq!(found[0][0], Summary { digest: Any::digest(range), line_feeds });
        }
        assert_eq!(line_end(cuts.iter(), 2), 402);
        assert_eq!(join(cuts.iter(), text.len()), text);
    }
}

#[test]
fn slices_and_line_ends_cross_pieces() {
    let all = pieces(&[b"a\nb", b"", b"b\nc", b"c"]);
    let slice = |start, end| {
        let range = range(7, start, end).unwrap();
        let parts: Vec<_> = all.iter().filter_map(cut(range.clone())).collect();
        assert!(parts.iter().all(|part| !part.is_empty()));
        join(parts.iter(), range.len())
    };
    assert_eq!(
        [slice(0, 7), slice(2, 5), slice(3, 4), slice(7, 7)],
        ["a\nbb\ncc", "bb\n", "b", ""]
    );
    assert_eq!([0, 1, 2, 3].map(|count| line_end(all.iter(), count)), [0, 2, 5, 7]);
}

#[test]
fn bytes_that_are_not_there_are_refused() {
    for (start, end) in [(0, 6), (6, 6), (3, 2), (u64::MAX, u64::MAX)] {
        assert!(range(5, start, end).is_err(), "{start} {end}");
    }
    let all = pieces(&[b"abc", b"de"]);
    for (start, lengths) in [(0, &[6][..]), (6, &[0]), (1, &[4, 1]), (0, &[u64::MAX, 2])] {
        assert!(summaries(&all, start, lengths).is_err(), "{start} {lengths:?}");
    }
    assert_eq!(summaries(&all, 5, &[0, 0]).unwrap().len(), 2);
    let error = range(1_234, 2_000, 3_000).unwrap_err();
    assert_eq!(error.to_string(), "offset 2000 is outside 1,234 host bytes");
}
