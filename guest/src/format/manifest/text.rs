//! The manifest as an object's bytes: the only place that encodes and decodes them.
//!
//! 1. A manifest ends with a digest of all bytes before it, so any changed byte is noticed before
//!    anything is trusted. Every later format will end this way.
//! 2. Format 1, which has no digest and no identity, is read and never written.
//! 3. A manifest of an unknown format is refused, never guessed at.

use std::num::NonZeroU64;

use serde::{Deserialize, Serialize, ser::Error as _};

use super::{Manifest, Retired, SegmentRecord};
use crate::error::{Damage, Error};
use crate::format::byte_search::one_byte;
use crate::format::names::{BatchTime, CommitId, Digest, Generation, LogId, SegmentName};

/// The format that is written.
pub(crate) const FORMAT: u64 = 2;
/// The previous format, without digests.
const FORMAT_BEFORE: u64 = 1;

/// The text before the digest, the length of the digest, and the text after it.
const DIGEST: &[u8] = b",\"digest\":\"";
const DIGITS: usize = 16;
const END: &[u8] = b"\"}";

/// Bytes of the digest's field and the end of the object.
pub(crate) const END_BYTES: usize = DIGEST.len() + DIGITS + END.len();

/// The most of these last bytes that may be changed: they follow from all bytes before them.
const END_CHANGED_MAX: usize = 4;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ManifestText {
    format: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    log: Option<String>,
    generation: u64,
    attempt: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    previous: Option<String>,
    first_position: u64,
    next_position: u64,
    segments: Vec<SegmentText>,
    retired: Vec<RetiredText>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    horizon: Option<u64>,
    absorbed_bytes: u64,
    compacted_bytes: u64,
    /// Decoded separately, and written behind the other fields.
    #[serde(skip_serializing)]
    digest: Option<String>,
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
    /// Present only if some events are lost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    lost: Option<NonZeroU64>,
    bytes: u64,
    first_time: u64,
    last_time: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    index: Option<String>,
}

#[derive(Deserialize)]
struct FormatText {
    format: u64,
}

impl Manifest {
    /// # Errors
    /// A message if it is incomplete: it has no identity or lacks the digest of an index or, except
    /// for the first generation, of the previous manifest.
    pub fn encode(&self) -> Result<Vec<u8>, serde_json::Error> {
        let retired = self.retired.iter().map(|retired| RetiredText {
            generation: retired.generation.0,
            segment: SegmentText::new(&retired.segment),
        });
        let complete = self.log.is_some()
            && self.previous.is_some() == (self.generation > Generation::FIRST)
            && self.records().all(|segment| segment.index.is_some());
        if !complete {
            let message = format!(
                "cannot encode {}: a field that its format requires is missing",
                self.generation
            );
            return Err(serde_json::Error::custom(message));
        }
        let bytes = serde_json::to_vec(&ManifestText {
            format: FORMAT,
            log: self.log.as_ref().map(LogId::to_string),
            generation: self.generation.0,
            attempt: self.commit_id.to_string(),
            previous: self.previous.as_ref().map(Digest::to_string),
            first_position: self.first_position,
            next_position: self.next_position,
            segments: self.segments.iter().map(SegmentText::new).collect(),
            retired: retired.collect(),
            horizon: self.horizon.map(BatchTime::micros),
            absorbed_bytes: self.absorbed_bytes,
            compacted_bytes: self.compacted_bytes,
            digest: None,
        })?;
        Ok(with_digest(bytes))
    }

    /// # Errors
    /// [`Error::Damaged`] that names the manifest, or [`Error::Unsupported`] for a newer format.
    pub fn decode(generation: Generation, bytes: &[u8]) -> Result<Self, Error> {
        let damage = |expected: &str, found: String| {
            Error::Damaged(Damage::new(generation, expected, found))
        };
        let digested = match split_digest(bytes) {
            Some((covered, said)) if Digest::of(covered) != said => {
                let found = format!("xxh3 {}", Digest::of(covered));
                return Err(damage(&format!("xxh3 {said} of the text before the digest"), found));
            }
            digested => digested.is_some(),
        };
        let json = |error: serde_json::Error| damage("a manifest in JSON", error.to_string());
        let FormatText { format } = serde_json::from_slice(bytes).map_err(json)?;
        match (format, digested) {
            (FORMAT, true) | (FORMAT_BEFORE, false) => {}
            (FORMAT_BEFORE, true) | (_, false) => {
                let found = format!("format {format}");
                return Err(damage("format 1, or a digest at the end", found));
            }
            (_, true) => {
                return Err(Error::Unsupported(format!(
                    "cannot read {generation}: the manifest has format {format}, and this \
                     version supports formats up to {FORMAT}; use a newer version"
                )));
            }
        }
        let text: ManifestText = serde_json::from_slice(bytes).map_err(json)?;
        if text.digest.is_some() != digested {
            return Err(damage("no digest in format 1", format!("{:?}", text.digest)));
        }
        if text.generation != generation.0 {
            let found = format!("generation {}", text.generation);
            return Err(damage("the generation of its name", found));
        }
        let commit_id = CommitId::parse(text.attempt.as_bytes())
            .ok_or_else(|| damage("an attempt of 8 digits", text.attempt.clone()))?;
        let log = optional(text.log.as_deref(), digested, LogId::parse);
        let log = log.ok_or_else(|| damage("the identity of a log", format!("{:?}", text.log)))?;
        let has_previous = digested && generation > Generation::FIRST;
        let previous = optional(text.previous.as_deref(), has_previous, Digest::parse);
        let previous = previous.ok_or_else(|| {
            damage("the digest of the previous manifest", format!("{:?}", text.previous))
        })?;
        let record = |text: SegmentText| {
            let shown = text.name.clone();
            let record = text.record(generation, digested);
            record.ok_or_else(|| damage("a segment's name, times, sizes and digest", shown))
        };
        let segments = text.segments.into_iter().map(record).collect::<Result<_, Error>>()?;
        let retired = text.retired.into_iter().map(|text| {
            let retired_by = Generation(text.generation);
            let segment = record(text.segment)?;
            if retired_by > generation {
                let found = format!("{} retired by {retired_by}", segment.name);
                return Err(damage("segments retired so far", found));
            }
            Ok(Retired { segment, generation: retired_by })
        });
        let retired = retired.collect::<Result<_, Error>>()?;
        let horizon = text.horizon.and_then(BatchTime::new).filter(|_| digested);
        if horizon.map(BatchTime::micros) != text.horizon {
            return Err(damage("a time as the horizon", format!("{:?}", text.horizon)));
        }
        let manifest = Self {
            log,
            generation,
            commit_id,
            previous,
            first_position: text.first_position,
            next_position: text.next_position,
            segments,
            retired,
            horizon,
            absorbed_bytes: text.absorbed_bytes,
            compacted_bytes: text.compacted_bytes,
            digest: Some(Digest::of(bytes)),
        };
        manifest.check()
    }
}

impl SegmentText {
    fn new(segment: &SegmentRecord) -> Self {
        Self {
            name: segment.name.to_string(),
            position: segment.position,
            batches: segment.batches,
            events: segment.events,
            lost: NonZeroU64::new(segment.lost),
            bytes: segment.bytes,
            first_time: segment.first_time.micros(),
            last_time: segment.last_time.micros(),
            index: segment.index.as_ref().map(Digest::to_string),
        }
    }

    fn record(self, generation: Generation, digested: bool) -> Option<SegmentRecord> {
        let name = SegmentName::parse(&self.name)?;
        let first_time = BatchTime::new(self.first_time)?;
        let last_time = BatchTime::new(self.last_time)?;
        let index = optional(self.index.as_deref(), digested, Digest::parse)?;
        let lost = self.lost.map_or(0, NonZeroU64::get);
        let fits = name.generation <= generation
            && first_time <= last_time
            && lost <= self.events
            && (lost == 0 || digested);
        fits.then_some(SegmentRecord {
            name,
            position: self.position,
            batches: self.batches,
            events: self.events,
            lost,
            bytes: self.bytes,
            first_time,
            last_time,
            index,
        })
    }
}

/// Appends the digest to an object's text, before the closing brace.
pub(crate) fn with_digest(mut text: Vec<u8>) -> Vec<u8> {
    text.pop();
    let end = end_of(&text);
    text.extend(end);
    text
}

/// Returns true if an object ends with the digest of the bytes before that.
pub(crate) fn is_whole(bytes: &[u8]) -> bool {
    split_digest(bytes).is_some_and(|(covered, said)| Digest::of(covered) == said)
}

/// The end of a manifest with this beginning.
fn end_of(covered: &[u8]) -> Vec<u8> {
    [DIGEST, Digest::of(covered).to_string().as_bytes(), END].concat()
}

/// Restores a manifest of which one byte was changed, or some of the last ones. None if no such
/// change explains the digest. The result has its own digest.
pub(crate) fn mended(bytes: &[u8]) -> Option<Vec<u8>> {
    let (covered, found) = bytes.split_at_checked(bytes.len().checked_sub(END_BYTES)?)?;
    let end = end_of(covered);
    let changed = end.iter().zip(found).filter(|(end, found)| end != found).count();
    if changed <= END_CHANGED_MAX {
        return Some([covered, &end].concat());
    }
    let (covered, said) = split_digest(bytes)?;
    let mut mended = one_byte(covered, said)?;
    mended.extend(found);
    Some(mended)
}

/// The bytes before the digest of a manifest, and that digest.
fn split_digest(bytes: &[u8]) -> Option<(&[u8], Digest)> {
    let bytes = bytes.strip_suffix(END)?;
    let (bytes, digits) = bytes.split_at_checked(bytes.len().checked_sub(DIGITS)?)?;
    let digest = Digest::parse(digits)?;
    Some((bytes.strip_suffix(DIGEST)?, digest))
}

/// Parses a field that is present exactly if it is due. The outer None means that the field is
/// invalid.
fn optional<T>(text: Option<&str>, due: bool, parse: fn(&[u8]) -> Option<T>) -> Option<Option<T>> {
    match text {
        Some(text) if due => parse(text.as_bytes()).map(Some),
        None if !due => Some(None),
        _ => None,
    }
}
