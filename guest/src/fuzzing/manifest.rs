//! Manifests: one that is accepted keeps its invariants and is written back as it was read.

use crate::error::Error;
use crate::format::manifest::{END_BYTES, Manifest, StandIn, mended};
use crate::format::names::{Digest, Generation};

/// The longest text of which one byte is searched, as the search tries each.
const MENDED_BYTES_MAX: usize = 400;

/// Takes a byte that says whether the text gets its right digest, then a manifest.
pub fn manifest(data: &[u8]) {
    let Some((&mode, text)) = data.split_first() else { return };
    let bytes = if mode.is_multiple_of(2) { text.to_vec() } else { digested(text) };
    let generation = generation_in(&bytes);
    check_stand_in(generation, &bytes);
    let decoded = match Manifest::decode(generation, &bytes) {
        Ok(decoded) => decoded,
        Err(Error::Damaged(damage)) => return assert_eq!(damage.object, generation.to_string()),
        Err(Error::Unsupported(message)) => return assert!(message.contains("format")),
        Err(other) => panic!("{other}"),
    };
    assert_eq!(StandIn::decode(generation, &bytes), None);
    assert_eq!(decoded.generation, generation);
    assert_eq!(decoded.digest, Some(Digest::of(&bytes)));
    check_positions(&decoded);
    check_records(&decoded);
    if decoded.log.is_none() {
        decoded.encode().unwrap_err();
        return;
    }
    assert_eq!(decoded.previous.is_some(), generation > Generation::FIRST);
    let written = decoded.encode().unwrap();
    let again = Manifest::decode(generation, &written).unwrap();
    assert_eq!(again, Manifest { digest: Some(Digest::of(&written)), ..decoded });
    assert_eq!(again.encode().unwrap(), written);
    check_change(mode, generation, &bytes);
}

/// The text with the digest of what stands before its last bytes.
fn digested(text: &[u8]) -> Vec<u8> {
    let covered = &text[..text.len().saturating_sub(END_BYTES)];
    let end = format!(",\"digest\":\"{}\"}}", Digest::of(covered));
    [covered, end.as_bytes()].concat()
}

/// The first generation that the text says.
fn generation_in(text: &[u8]) -> Generation {
    let text = String::from_utf8_lossy(text);
    let said = text.split_once("\"generation\":").map_or("", |(_, said)| said);
    let digits: String = said.chars().take_while(char::is_ascii_digit).collect();
    Generation(digits.parse().unwrap_or(1))
}

fn check_stand_in(generation: Generation, bytes: &[u8]) {
    let Some(stand_in) = StandIn::decode(generation, bytes) else { return };
    let written = stand_in.encode().unwrap();
    assert_eq!(StandIn::decode(generation, &written), Some(stand_in));
    Manifest::decode(generation, bytes).unwrap_err();
}

/// Segments follow each other up to the next position; the first position lies in the first.
fn check_positions(manifest: &Manifest) {
    let next = u128::from(manifest.next_position);
    let start = manifest.segments.first().map_or(manifest.next_position, |s| s.position);
    let mut position = u128::from(start);
    for segment in &manifest.segments {
        assert_eq!(u128::from(segment.position), position);
        position += u128::from(segment.events);
        assert_eq!(u128::from(segment.end()), position);
    }
    assert_eq!(position, next);
    assert!(start <= manifest.first_position && u128::from(manifest.first_position) <= next);
    assert_eq!(manifest.trimmed_events(), manifest.first_position - start);
    let mut covered: Vec<_> = manifest.records().map(|s| s.position..s.end()).collect();
    covered.sort_by_key(|positions| positions.start);
    let reached = covered.iter().fold(0, |reached, positions| match positions.start <= reached {
        true => reached.max(positions.end),
        false => reached,
    });
    assert_eq!(manifest.covers_all_positions(), reached >= manifest.next_position);
}

fn check_records(manifest: &Manifest) {
    let mut names: Vec<_> = manifest.records().map(|segment| segment.name.to_string()).collect();
    names.sort_unstable();
    assert!(names.windows(2).all(|pair| pair[0] != pair[1]), "{names:?}");
    let mut sums = [0_u128; 4];
    for segment in manifest.records() {
        let counts = [segment.events, segment.bytes, segment.batches, segment.lost];
        sums.iter_mut().zip(counts).for_each(|(sum, count)| *sum += u128::from(count));
        assert!(segment.name.generation <= manifest.generation);
        assert!(segment.first_time <= segment.last_time);
        assert_eq!(segment.readable() + segment.lost, segment.events);
        assert_eq!(segment.index.is_some(), manifest.log.is_some());
    }
    assert!(sums.iter().all(|sum| *sum <= u128::from(u64::MAX)), "{sums:?}");
    assert!(manifest.retired.iter().all(|retired| retired.generation <= manifest.generation));
}

/// One changed byte is refused, and found again by the digest.
fn check_change(mode: u8, generation: Generation, bytes: &[u8]) {
    let mut changed = bytes.to_vec();
    let at = bytes.len() * usize::from(mode) / 256;
    changed[at] ^= 1 << (mode % 7);
    Manifest::decode(generation, &changed).unwrap_err();
    let is_printable = |byte: &u8| (b' '..=b'~').contains(byte);
    if mode >= 0xf0 && bytes.len() <= MENDED_BYTES_MAX && bytes.iter().all(is_printable) {
        assert_eq!(mended(&changed).as_deref(), Some(bytes));
    }
}
