//! Batches in segments and in objects of their own: however their bytes are cut, each event comes
//! once and in order, and none that is damaged.

use arbitrary::{Result, Unstructured};

use super::objects::{events_of, packed, sealed, segment_of, stored, wide};
use super::strict_bytes::StrictBytes;
use crate::error::Damage;
use crate::format::batch::BatchRecord;
use crate::format::batch_reader::BatchReader;
use crate::format::legacy_batch::LegacyBatchReader;
use crate::format::lines::pack_legacy_lines;
use crate::format::names::{BatchName, Digest};
use crate::format::oversized_batch::OversizedBatch;
use crate::format::segment::SegmentReader;
use crate::format::verified_chunk::{UncutChunk, VerifiedChunk};
use crate::limits::BATCH_BYTES_WHOLE_MAX;

/// Takes numbers that make batches, damage them and cut their bytes.
pub fn segment(data: &[u8]) {
    let mut u = Unstructured::new(data);
    // Bytes that are missing count as 0, so these end in any case.
    let _ = check_segment(&mut u).and_then(|()| check_batch(&mut u));
}

fn check_segment(u: &mut Unstructured<'_>) -> Result<()> {
    let (mut batches, mut bytes, mut texts) = (Vec::new(), Vec::new(), Vec::new());
    for time in 1..=u.int_in_range(0..=6)? {
        let (batch, text) = stored(u, time)?;
        batches.push(batch);
        bytes.extend_from_slice(&text);
        texts.push(text);
    }
    let whole = bytes.clone();
    match u.int_in_range(0..=7)? {
        0 if !bytes.is_empty() => bytes.truncate(u.choose_index(bytes.len())?),
        1 if !bytes.is_empty() => {
            let at = u.choose_index(bytes.len())?;
            bytes[at] = u.arbitrary()?;
        }
        2 => bytes.extend(u.arbitrary::<[u8; 2]>()?),
        _ => {}
    }
    let mut claimed = batches.clone();
    if !claimed.is_empty() && u.ratio(1, 4)? {
        let at = u.choose_index(claimed.len())?;
        let batch = &mut claimed[at];
        match u.int_in_range(0..=2)? {
            0 => batch.bytes = u.arbitrary()?,
            // Of a lost batch nothing but the record says the number.
            1 if !batch.lost => batch.events = u.arbitrary()?,
            _ => batch.digest = Digest(u.arbitrary()?),
        }
    }
    let is_intact = bytes == whole && claimed == batches;
    let streams = claimed.iter().any(|batch| batch.bytes > BATCH_BYTES_WHOLE_MAX);
    let mut reader = SegmentReader::new(&segment_of(&claimed, 7), claimed);
    let (mut shown, outcome) = read(u, &bytes, |bytes, last, chunks| {
        let mut uncut = Vec::new();
        let pushed = reader.push(bytes, last, &mut uncut);
        chunks.extend(uncut.into_iter().map(UncutChunk::cut));
        pushed
    })?;
    // Lines of a batch too large to be whole come before it is checked.
    shown.retain(|shown| shown.is_whole || !streams);
    assert_eq!(outcome.is_ok(), is_intact, "{outcome:?}");

    let mut position = 7;
    let mut expected = Vec::new();
    for (batch, text) in batches.iter().zip(texts) {
        position += batch.events;
        expected.push((batch.name, position, text));
    }
    assert!(shown.len() <= expected.len());
    assert!(!is_intact || shown.len() == expected.len());
    for (shown, expected) in shown.iter().zip(&expected) {
        assert!(shown.is_whole);
        assert_eq!((&shown.batch, &shown.text), (&expected.0, &expected.2));
        assert!(!is_intact || shown.end == Some(expected.1));
    }
    Ok(())
}

/// Events of a batch that a reader has passed on.
struct Shown {
    batch: BatchName,
    /// True if these are all its events, and checked.
    is_whole: bool,
    /// The position after it.
    end: Option<u64>,
    text: Vec<u8>,
}

/// Reads bytes in chunks of any size. Returns all batches before damage.
fn read(
    u: &mut Unstructured<'_>,
    bytes: &[u8],
    mut push: impl FnMut(
        StrictBytes,
        bool,
        &mut Vec<VerifiedChunk<StrictBytes>>,
    ) -> std::result::Result<(), Damage>,
) -> Result<(Vec<Shown>, std::result::Result<(), Damage>)> {
    let (mut runs, mut outcome) = (Vec::new(), Ok(()));
    for (chunk, last) in chunks(u, bytes)? {
        outcome = push(StrictBytes(chunk), last, &mut runs);
        if outcome.is_err() {
            break;
        }
    }
    let mut shown = Vec::new();
    for VerifiedChunk { spans, lines } in runs {
        let mut rest = &lines.0[..];
        for span in spans {
            let text = rest.split_off(..usize::try_from(span.bytes).unwrap()).unwrap();
            assert_eq!(span.events, events_of(text));
            let end = span.positions.map(|positions| positions.end);
            shown.push(Shown {
                batch: span.batch,
                is_whole: span.end.is_some(),
                end,
                text: text.to_vec(),
            });
        }
        assert!(rest.is_empty(), "bytes of no span");
    }
    Ok((shown, outcome))
}

/// The bytes in chunks, and whether each is the last. There is at least one.
fn chunks(u: &mut Unstructured<'_>, bytes: &[u8]) -> Result<Vec<(Vec<u8>, bool)>> {
    let mut chunks = Vec::new();
    let mut rest = bytes;
    while !rest.is_empty() && chunks.len() < 32 {
        let (chunk, after) = rest.split_at(u.int_in_range(0..=rest.len())?);
        chunks.push((chunk.to_vec(), false));
        rest = after;
    }
    chunks.push((rest.to_vec(), true));
    Ok(chunks)
}

fn check_batch(u: &mut Unstructured<'_>) -> Result<()> {
    let lines = packed(u, 8)?;
    let name = sealed(3, 1, None, &lines);
    let mut bytes = lines.clone();
    if !bytes.is_empty() && u.ratio(1, 3)? {
        let at = u.choose_index(bytes.len())?;
        bytes[at] = u.arbitrary()?;
    }
    let mut reader = BatchReader::new(name, name.origin.unwrap(), wide(bytes.len())).unwrap();
    let (shown, outcome) =
        read(u, &bytes, |bytes, last, runs| reader.push(bytes, last).map(|run| runs.extend(run)))?;
    assert_eq!(outcome.is_ok(), bytes == lines, "{outcome:?}");
    assert_eq!(shown.iter().any(|shown| shown.text == lines), bytes == lines);

    let legacy = BatchName { origin: None, ..name };
    let mut reader = LegacyBatchReader::new(legacy, wide(bytes.len()));
    let (shown, outcome) =
        read(u, &bytes, |bytes, last, runs| reader.push(&bytes, last).map(|run| runs.extend(run)))?;
    outcome.unwrap();
    let found: Vec<u8> = shown.into_iter().flat_map(|shown| shown.text).collect();
    assert_eq!(found, pack_legacy_lines(bytes.clone()));

    let record =
        BatchRecord::whole(legacy, events_of(&lines), wide(lines.len()), Digest::of(&lines));
    let mut streamed = OversizedBatch::new(record);
    let mut found = Vec::new();
    let mut outcome = Ok(());
    for (chunk, _) in chunks(u, &bytes)? {
        match streamed.push(chunk, segment_of(&[], 0).name) {
            Ok(lines) => found.extend(lines),
            Err(damage) => outcome = Err(damage),
        }
    }
    if !lines.is_empty() {
        assert_eq!(outcome.is_ok(), bytes == lines, "{outcome:?}");
        assert!(outcome.is_err() || found == lines);
    }
    Ok(())
}
