//! The index beside a segment: which batch went where in it. One JSON line per batch, in order:
//! `{"batch":"batch_….jsonl","events":3,"bytes":120,"digest":"0123456789abcdef"}`.
//!
//! 1. The batches stand in the segment in this order without gaps, so offsets and positions follow.
//! 2. The sums equal what the manifest says of the segment; otherwise the index is damaged.

use std::collections::BTreeSet;
use std::ops::Range;

use serde::{Deserialize, Serialize};

use crate::batch::BatchRecord;
use crate::error::Damage;
use crate::manifest::SegmentRecord;
use crate::names::{BatchName, Digest};

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line<'a> {
    batch: std::borrow::Cow<'a, str>,
    events: u64,
    bytes: u64,
    digest: std::borrow::Cow<'a, str>,
}

/// A decoded index.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Index {
    pub batches: Vec<BatchRecord>,
    names: BTreeSet<BatchName>,
}

impl Index {
    pub fn new(batches: Vec<BatchRecord>) -> Self {
        let names = batches.iter().map(|record| record.name).collect();
        Self { batches, names }
    }

    /// Whether the segment holds the batch.
    pub fn holds(&self, batch: &BatchName) -> bool {
        self.names.contains(batch)
    }

    /// The batches with their positions in the segment that this is the index of.
    pub(crate) fn positions(
        &self,
        segment: &SegmentRecord,
    ) -> impl Iterator<Item = (&BatchRecord, Range<u64>)> {
        let mut next = segment.position;
        self.batches.iter().map(move |batch| {
            let start = next;
            next = next.saturating_add(batch.events);
            (batch, start..next)
        })
    }

    /// # Errors
    /// A message when a record cannot be written as JSON; that does not happen.
    pub fn encode(&self) -> Result<Vec<u8>, serde_json::Error> {
        let mut bytes = Vec::new();
        for record in &self.batches {
            let line = Line {
                batch: record.name.to_string().into(),
                events: record.events,
                bytes: record.bytes,
                digest: record.digest.to_string().into(),
            };
            serde_json::to_writer(&mut bytes, &line)?;
            bytes.push(b'\n');
        }
        Ok(bytes)
    }

    /// Decodes the index of a segment and checks it against the manifest's record of it.
    ///
    /// # Errors
    /// [`Damage`] that names the index.
    pub fn decode(segment: &SegmentRecord, bytes: &[u8]) -> Result<Self, Damage> {
        let damage =
            |expected: String, found: String| Damage::new(segment.name.index(), expected, found);
        let Some(lines) = bytes.strip_suffix(b"\n") else {
            let found = format!("{} bytes that do not", bytes.len());
            return Err(damage("lines that end with a line feed".to_owned(), found));
        };
        let mut batches = Vec::new();
        for (number, line) in lines.split(|&byte| byte == b'\n').enumerate() {
            let expected = || format!("a batch's record in line {}", number + 1);
            let line: Line = serde_json::from_slice(line)
                .map_err(|error| damage(expected(), error.to_string()))?;
            let (Some(name), Some(digest)) =
                (BatchName::parse(&line.batch), Digest::parse(&line.digest))
            else {
                let found = format!("batch {:?}, digest {:?}", line.batch, line.digest);
                return Err(damage(expected(), found));
            };
            batches.push(BatchRecord { name, events: line.events, bytes: line.bytes, digest });
        }
        let total = |field: fn(&BatchRecord) -> u64| {
            batches.iter().try_fold(0_u64, |sum, record| sum.checked_add(field(record)))
        };
        let found = (total(|record| record.events), total(|record| record.bytes));
        if found != (Some(segment.events), Some(segment.bytes)) {
            let said = |(events, bytes): (Option<u64>, Option<u64>)| match (events, bytes) {
                (Some(events), Some(bytes)) => format!("{events} events in {bytes} bytes"),
                _ => "sums beyond 64 bits".to_owned(),
            };
            let expected = said((Some(segment.events), Some(segment.bytes)));
            return Err(damage(format!("{expected}, as the manifest says"), said(found)));
        }
        let index = Self::new(batches);
        if index.names.len() != index.batches.len() {
            return Err(damage("each batch once".to_owned(), "a batch twice".to_owned()));
        }
        Ok(index)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::batch::seal;
    use crate::manifest::tests::segment_record;
    use crate::names::{BatchTime, WriterId};

    fn index() -> Index {
        let record = |time, lines: &[u8], events| {
            let name = seal(BatchTime::new(time).unwrap(), WriterId(9), &lines.to_vec());
            let digest = name.origin.unwrap().digest;
            BatchRecord { name, events, bytes: lines.len().try_into().unwrap(), digest }
        };
        Index::new(vec![record(1, b"a\nb\n", 2), record(2, b"c\n", 1)])
    }

    #[test]
    fn an_index_decodes_to_what_was_encoded() {
        let bytes = index().encode().unwrap();
        let decoded = Index::decode(&segment_record(3, 6), &bytes).unwrap();
        assert_eq!(decoded, index());
        assert!(decoded.holds(&index().batches[1].name));
    }

    #[test]
    fn an_index_that_does_not_fit_is_damage() {
        let good = String::from_utf8(index().encode().unwrap()).unwrap();
        let record = segment_record(3, 6);
        let first = good.lines().next().unwrap();
        for bad in [
            String::new(),
            good.trim_end().to_owned(),
            first.to_owned() + "\n",
            good.replace("\"events\":1", "\"events\":18446744073709551615"),
            good.replace("batch_", "butch_"),
            good.replace("\"bytes\"", "\"size\""),
            format!("{first}\n{first}\n"),
        ] {
            let damage = Index::decode(&record, bad.as_bytes()).unwrap_err();
            assert_eq!(damage.object, record.name.index().to_string(), "{bad}");
        }
    }
}
