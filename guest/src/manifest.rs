//! The manifest: which segments are the log. The one with the highest generation is in force.
//!
//! 1. Segments stand in the order of their positions, without gaps, up to the next position. The
//!    first position lies in the first of them: what is before it was trimmed.
//! 2. A manifest is created once, exclusively; creating it is the commit of a compaction.
//! 3. A manifest of a format this version does not know is refused, never guessed at.

use serde::{Deserialize, Serialize};

use crate::error::{Damage, Error};
use crate::names::{Attempt, BatchTime, Generation, SegmentName};

const FORMAT: u64 = 1;

/// What the manifest says of a segment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SegmentRecord {
    pub name: SegmentName,
    /// The position of its first event.
    pub position: u64,
    pub batches: u64,
    pub events: u64,
    pub bytes: u64,
    pub first_time: BatchTime,
    pub last_time: BatchTime,
}

impl SegmentRecord {
    /// The position after its last event.
    pub fn end(&self) -> u64 {
        self.position.saturating_add(self.events)
    }

    /// Whether the time lies between those of its oldest and its newest batch.
    pub fn covers(&self, time: BatchTime) -> bool {
        self.first_time <= time && time <= self.last_time
    }
}

/// A segment that was trimmed. Its index stays for a while, so that a batch whose create lands late
/// is known as absorbed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Retired {
    pub segment: SegmentRecord,
    /// The generation that trimmed it.
    pub generation: Generation,
}

/// A decoded manifest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    pub generation: Generation,
    pub attempt: Attempt,
    pub first_position: u64,
    pub next_position: u64,
    pub segments: Vec<SegmentRecord>,
    pub retired: Vec<Retired>,
    /// Bytes of all batches ever absorbed.
    pub absorbed_bytes: u64,
    /// Bytes of all segments ever committed.
    pub compacted_bytes: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ManifestText {
    format: u64,
    generation: u64,
    attempt: String,
    first_position: u64,
    next_position: u64,
    segments: Vec<SegmentText>,
    retired: Vec<RetiredText>,
    absorbed_bytes: u64,
    compacted_bytes: u64,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct RetiredText {
    generation: u64,
    segment: SegmentText,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SegmentText {
    name: String,
    position: u64,
    batches: u64,
    events: u64,
    bytes: u64,
    first_time: u64,
    last_time: u64,
}

#[derive(Deserialize)]
struct FormatText {
    format: u64,
}

impl Manifest {
    /// # Errors
    /// A message when it cannot be written as JSON; that does not happen.
    pub fn encode(&self) -> Result<Vec<u8>, serde_json::Error> {
        let retired = self.retired.iter().map(|retired| RetiredText {
            generation: retired.generation.0,
            segment: SegmentText::new(&retired.segment),
        });
        serde_json::to_vec(&ManifestText {
            format: FORMAT,
            generation: self.generation.0,
            attempt: self.attempt.to_string(),
            first_position: self.first_position,
            next_position: self.next_position,
            segments: self.segments.iter().map(SegmentText::new).collect(),
            retired: retired.collect(),
            absorbed_bytes: self.absorbed_bytes,
            compacted_bytes: self.compacted_bytes,
        })
    }

    /// # Errors
    /// [`Error::Damaged`] that names the manifest, or [`Error::Unsupported`] for another format.
    pub fn decode(generation: Generation, bytes: &[u8]) -> Result<Self, Error> {
        let damage = |expected: &str, found: String| {
            Error::Damaged(Damage::new(generation, expected, found))
        };
        let json = |error: serde_json::Error| damage("a manifest in JSON", error.to_string());
        let FormatText { format } = serde_json::from_slice(bytes).map_err(json)?;
        if format != FORMAT {
            return Err(Error::Unsupported(format!(
                "{generation} has format {format}; this version knows format {FORMAT}: use a newer \
                 version"
            )));
        }
        let text: ManifestText = serde_json::from_slice(bytes).map_err(json)?;
        if text.generation != generation.0 {
            let found = format!("generation {}", text.generation);
            return Err(damage("the generation of its name", found));
        }
        let attempt = Attempt::parse(&text.attempt)
            .ok_or_else(|| damage("an attempt of 8 digits", text.attempt.clone()))?;
        let mut position = text.segments.first().map_or(text.next_position, |s| s.position);
        let first_ends = position.saturating_add(text.segments.first().map_or(0, |s| s.events));
        let first = text.first_position;
        if first < position || (first >= first_ends && first != text.next_position) {
            let expected = format!("a first position from {position} to {first_ends}");
            return Err(damage(&expected, first.to_string()));
        }
        let mut segments = Vec::with_capacity(text.segments.len());
        for segment in text.segments {
            let shown = segment.name.clone();
            let record = segment
                .record(generation)
                .ok_or_else(|| damage("a segment's name, times and sizes", shown.clone()))?;
            if record.position != position {
                let found = format!("{shown} at position {}", record.position);
                return Err(damage(&format!("a segment at position {position}"), found));
            }
            position = position
                .checked_add(record.events)
                .ok_or_else(|| damage("positions of 64 bits", shown))?;
            segments.push(record);
        }
        if position != text.next_position {
            let expected = format!("next position {position}, after its segments");
            return Err(damage(&expected, text.next_position.to_string()));
        }
        let retired = text.retired.into_iter().map(|text| {
            let (retired_by, shown) = (Generation(text.generation), text.segment.name.clone());
            let segment = text.segment.record(generation);
            let segment = segment.filter(|_| retired_by <= generation);
            let segment = segment.ok_or_else(|| damage("a retired segment's record", shown))?;
            Ok(Retired { segment, generation: retired_by })
        });
        let retired = retired.collect::<Result<_, Error>>()?;
        Ok(Self {
            generation,
            attempt,
            first_position: text.first_position,
            next_position: text.next_position,
            segments,
            retired,
            absorbed_bytes: text.absorbed_bytes,
            compacted_bytes: text.compacted_bytes,
        })
    }
}

impl SegmentText {
    fn new(segment: &SegmentRecord) -> Self {
        Self {
            name: segment.name.to_string(),
            position: segment.position,
            batches: segment.batches,
            events: segment.events,
            bytes: segment.bytes,
            first_time: segment.first_time.micros(),
            last_time: segment.last_time.micros(),
        }
    }

    fn record(self, generation: Generation) -> Option<SegmentRecord> {
        let name = SegmentName::parse(&self.name)?;
        let first_time = BatchTime::new(self.first_time)?;
        let last_time = BatchTime::new(self.last_time)?;
        let fits = name.generation <= generation && first_time <= last_time;
        fits.then_some(SegmentRecord {
            name,
            position: self.position,
            batches: self.batches,
            events: self.events,
            bytes: self.bytes,
            first_time,
            last_time,
        })
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    pub(crate) fn segment_record(events: u64, bytes: u64) -> SegmentRecord {
        SegmentRecord {
            name: SegmentName { generation: Generation(1), attempt: Attempt(0xa), part: 0 },
            position: 0,
            batches: 2,
            events,
            bytes,
            first_time: BatchTime::new(1).unwrap(),
            last_time: BatchTime::new(2).unwrap(),
        }
    }

    fn manifest() -> Manifest {
        let first = segment_record(3, 6);
        let second = SegmentRecord {
            name: SegmentName { generation: Generation(2), ..first.name },
            position: 3,
            ..first
        };
        Manifest {
            generation: Generation(2),
            attempt: Attempt(0xa),
            first_position: 0,
            next_position: 6,
            segments: vec![first, second],
            retired: vec![Retired { segment: first, generation: Generation(1) }],
            absorbed_bytes: 12,
            compacted_bytes: 18,
        }
    }

    #[test]
    fn a_manifest_decodes_to_what_was_encoded() {
        let bytes = manifest().encode().unwrap();
        assert_eq!(Manifest::decode(Generation(2), &bytes), Ok(manifest()));
    }

    #[test]
    fn a_manifest_that_contradicts_itself_is_damage() {
        let good = String::from_utf8(manifest().encode().unwrap()).unwrap();
        for (from, to) in [
            ("{", "["),
            ("\"generation\":2", "\"generation\":3"),
            ("\"attempt\":\"0000000a\"", "\"attempt\":\"a\""),
            ("\"next_position\":6", "\"next_position\":7"),
            ("\"position\":3", "\"position\":4"),
            ("segment_", "sigment_"),
            ("\"first_time\":1", "\"first_time\":3"),
            ("\"first_position\":0", "\"first_position\":4"),
            ("\"retired\":[{\"generation\":1", "\"retired\":[{\"generation\":3"),
            ("\"retired\"", "\"surprise\""),
        ] {
            let bad = good.replacen(from, to, 1);
            assert_ne!(bad, good, "{from}");
            match Manifest::decode(Generation(2), bad.as_bytes()) {
                Err(Error::Damaged(damage)) => {
                    assert_eq!(damage.object, Generation(2).to_string());
                }
                other => panic!("{to}: {other:?}"),
            }
        }
    }

    #[test]
    fn a_manifest_of_another_format_is_refused() {
        let bytes = br#"{"format":2,"anything":true}"#;
        assert!(matches!(
            Manifest::decode(Generation(2), bytes),
            Err(Error::Unsupported(message)) if message.contains("format 2")
        ));
    }
}
