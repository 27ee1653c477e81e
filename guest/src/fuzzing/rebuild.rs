//! Damaged indexes: what is rebuilt has the digest that the manifest says, or nothing is.

use arbitrary::{Result, Unstructured};

use super::objects::{events_of, segment_of, stored, wide};
use crate::error::Error;
use crate::format::batch::BatchRecord;
use crate::format::index::{Clues, Content, Index, Rebuilt, rebuilt};
use crate::format::manifest::SegmentRecord;
use crate::format::names::Digest;

/// Takes numbers that make batches of a segment and damage its index.
pub fn rebuild(data: &[u8]) {
    // Bytes that are missing count as 0, so this ends in any case.
    let _ = run(&mut Unstructured::new(data));
}

struct Lines(Vec<u8>);

impl Content for Lines {
    fn lines(
        &mut self,
        offset: u64,
        events: u64,
    ) -> std::result::Result<Option<(u64, Digest)>, Error> {
        let Some(rest) = usize::try_from(offset).ok().and_then(|offset| self.0.get(offset..))
        else {
            return Ok(None);
        };
        if events_of(rest) < events {
            return Ok(None);
        }
        let lines = rest.split_inclusive(|&byte| byte == b'\n');
        let bytes = lines.take(usize::try_from(events).unwrap()).flatten().copied();
        let bytes: Vec<u8> = bytes.collect();
        Ok(Some((wide(bytes.len()), Digest::of(&bytes))))
    }
}

fn run(u: &mut Unstructured<'_>) -> Result<()> {
    let (mut batches, mut texts): (Vec<BatchRecord>, Vec<Vec<u8>>) = (Vec::new(), Vec::new());
    for time in 1..=u.int_in_range(1..=5)? {
        let (batch, bytes) = stored(u, time)?;
        batches.push(batch);
        texts.push(bytes);
    }
    let mut content = texts.concat();
    let text = Index::new(batches.clone()).encode().unwrap();
    let segment = SegmentRecord { index: Some(Digest::of(&text)), ..segment_of(&batches, 9) };

    let is_sealed = |batch: &BatchRecord| {
        batch.name.origin.is_some() && !batch.lost && batch.trimmed == 0 && batch.events > 0
    };
    let edits = u.int_in_range(0..=3)?;
    let mut clues = Clues::of_index(&damaged(u, &text, edits)?);
    // Then the segment and the listed names tell all that one edit can have changed. A batch may
    // be taken for another one if that begins with its bytes.
    texts.sort_unstable();
    let is_distinct = texts.windows(2).all(|pair| !pair[1].starts_with(&pair[0]));
    let mut all_known = edits <= 1 && is_distinct && batches.iter().all(is_sealed);
    for batch in &batches {
        if u.ratio(3, 4)? {
            clues.add_batch(batch.name);
        } else {
            all_known = false;
        }
    }
    if u.ratio(1, 4)? {
        clues.add_index(&damaged(u, &text, 2)?);
        all_known = false;
    }
    if u.ratio(1, 4)? {
        content = damaged(u, &content, 2)?;
        all_known = false;
    }
    match rebuilt(&segment, &clues, &mut Lines(content)) {
        Ok(Rebuilt::Same(bytes)) => assert_eq!(bytes, text),
        Ok(Rebuilt::Unknown(_) | Rebuilt::Different) => {
            assert!(!all_known, "{}", String::from_utf8_lossy(&text));
        }
        Err(other) => panic!("{other}"),
    }
    Ok(())
}

/// The bytes after this many edits.
fn damaged(u: &mut Unstructured<'_>, bytes: &[u8], edits: usize) -> Result<Vec<u8>> {
    let mut bytes = bytes.to_vec();
    for _ in 0..edits {
        if bytes.is_empty() {
            break;
        }
        let at = u.choose_index(bytes.len())?;
        match u.int_in_range(0..=4)? {
            0 => bytes.truncate(at),
            1 => _ = bytes.remove(at),
            2 => bytes.insert(at, u.arbitrary()?),
            3 => bytes[at] = b'\n',
            _ => bytes[at] = u.arbitrary()?,
        }
    }
    Ok(bytes)
}
