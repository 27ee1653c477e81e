//! The manifest as an object's bytes: the only place that writes and reads them.
//!
//! 1. A manifest ends with a digest of all bytes before it, so any byte that was changed is noticed
//!    before anything is believed. Every later format will end so.
//! 2. Format 1, which has no digest and no identity, is read and never written.
//! 3. A manifest of a format this version does not know is refused, never guessed at.

use std::num::NonZeroU64;

use serde::{Deserialize, Serialize, ser::Error as _};

use super::{Manifest, Retired, SegmentRecord};
use crate::error::{Damage, Error};
use crate::format::byte_search::one_byte;
use crate::format::names::{BatchTime, CommitId, Digest, Generation, LogId, SegmentName};

/// The format that is written.
pub(super) const FORMAT: u64 = 2;
/// The format before, without digests.
const FORMAT_BEFORE: u64 = 1;

/// Before the digest, which is 16 digits, and after it.
const DIGEST: &[u8] = b",\"digest\":\"";
const DIGITS: usize = 16;
const END: &[u8] = b"\"}";

/// Bytes of the digest's field and what comes behind it.
pub(crate) const END_BYTES: usize = DIGEST.len() + DIGITS + END.len();

/// Of these last bytes so many may be changed: what they are follows from all that is before them.
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
    absorbed_bytes: u64,
    compacted_bytes: u64,
    /// Read apart from the rest, and written behind it.
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
    /// Only where some are lost.
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
    /// A message when it is not complete: it has no identity or lacks the digest of an index or, but
    /// for the first generation, of the manifest before.
    pub fn encode(&self) -> Result<Vec<u8>, serde_json::Error> {
        let retired = self.retired.iter().map(|retired| RetiredText {
            generation: retired.generation.0,
            segment: SegmentText::new(&retired.segment),
        });
        let complete = self.log.is_some()
            && self.previous.is_some() == (self.generation > Generation::FIRST)
            && self.records().all(|segment| segment.index.is_some());
        if !complete {
            let message = format!("{} lacks what its format needs", self.generation);
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
                return Err(damage(&format!("xxh3 {said} of what is before it"), found));
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
                    "{generation} has format {format}; this version knows formats up to {FORMAT}: \
                     use a newer version"
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
        let commit_id = CommitId::parse(&text.attempt)
            .ok_or_else(|| damage("an attempt of 8 digits", text.attempt.clone()))?;
        let log = optional(text.log.as_deref(), digested, LogId::parse);
        let log = log.ok_or_else(|| damage("the identity of a log", format!("{:?}", text.log)))?;
        let has_previous = digested && generation > Generation::FIRST;
        let previous = optional(text.previous.as_deref(), has_previous, Digest::parse);
        let previous = previous.ok_or_else(|| {
            damage("the manifest before's digest", format!("{:?}", text.previous))
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
        let manifest = Self {
            log,
            generation,
            commit_id,
            previous,
            first_position: text.first_position,
            next_position: text.next_position,
            segments,
            retired,
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

/// An object's text with its digest before the closing brace.
pub(super) fn with_digest(mut text: Vec<u8>) -> Vec<u8> {
    text.pop();
    let end = end_of(&text);
    text.extend(end);
    text
}

/// Whether an object ends with the digest of what is before that.
pub(super) fn is_whole(bytes: &[u8]) -> bool {
    split_digest(bytes).is_some_and(|(covered, said)| Digest::of(covered) == said)
}

/// The end of a manifest that begins so.
fn end_of(covered: &[u8]) -> Vec<u8> {
    [DIGEST, Digest::of(covered).to_string().as_bytes(), END].concat()
}

/// The bytes of a manifest of which one was changed, or some of its last ones. None if that is not
/// found. What is found has its own digest.
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

/// The bytes before the digest that a manifest ends with, and that digest.
fn split_digest(bytes: &[u8]) -> Option<(&[u8], Digest)> {
    let bytes = bytes.strip_suffix(END)?;
    let (bytes, digits) = bytes.split_at_checked(bytes.len().checked_sub(DIGITS)?)?;
    let digest = Digest::parse(std::str::from_utf8(digits).ok()?)?;
    Some((bytes.strip_suffix(DIGEST)?, digest))
}

/// Reads a field that is there exactly if it is due. The outer None: it is not as it should be.
fn optional<T>(text: Option<&str>, due: bool, parse: fn(&str) -> Option<T>) -> Option<Option<T>> {
    match text {
        Some(text) if due => parse(text).map(Some),
        None if !due => Some(None),
        _ => None,
    }
}
