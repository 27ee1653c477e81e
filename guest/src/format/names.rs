//! The names of a log and of its objects. Only this module builds or parses them.
//!
//! 1. Parsing is strict: a name is one of the forms below, byte for byte, or not the log's at all.
//! 2. Printing a parsed name gives the same bytes.
//! 3. A batch has one identity, whatever its name adds to that: see [`BatchName`].

use std::fmt;

use xxhash_rust::xxh3::xxh3_64;

use crate::error::Error;
use crate::limits::{LOG_NAME_BYTES_MAX, MANIFESTS_KEPT};

mod batch_name;
mod mirror_mark;
mod number;
mod position_name;
mod unfinished;

pub use batch_name::{BatchId, BatchName, BatchTime, Origin, Sequence, WriterId};
pub use mirror_mark::MirrorMark;
use number::hex;
pub(crate) use number::{decimal, plain};
pub use position_name::{PositionAttempt, PositionName, PositionObject};
pub use unfinished::unfinished;
pub(crate) use unfinished::{SET_ASIDE, set_aside};

const BATCH: &str = "batch_";
const SEGMENT: &str = "segment_";
const MANIFEST: &str = "manifest_";
const LINES: &str = ".jsonl";
const INDEX: &str = ".index";
const JSON: &str = ".json";

/// The name of a log: a validated path below the store's root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogName(String);

impl LogName {
    /// Checks a log's name.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] that names the rule that is broken.
    pub fn parse(name: &str) -> Result<Self, Error> {
        let refuse =
            |why: &str| Err(Error::InvalidInput(format!("log name \"{}\" {why}", shown(name))));
        if name.is_empty() {
            return refuse("is empty: give it at least one character");
        }
        if name.len() > LOG_NAME_BYTES_MAX {
            return refuse(&format!("has {} bytes, more than {LOG_NAME_BYTES_MAX}", name.len()));
        }
        if name.chars().any(|c| c.is_control() || c == '\\') {
            return refuse("has a control character or a backslash: leave it out");
        }
        for segment in name.split('/') {
            match segment {
                "" => return refuse("has an empty segment: no leading, trailing or double `/`"),
                "." | ".." => return refuse("has a segment `.` or `..`: name the log directly"),
                // Its folder would stand in the place of that object of the log around it.
                _ if ObjectName::parse(segment).is_some()
                    || Marker::parse(segment).is_some()
                    || MirrorMark::parse(segment).is_some()
                    || PositionObject::parse(segment).is_some() =>
                {
                    return refuse("has a segment that names an object of a log: change it");
                }
                _ => {}
            }
        }
        Ok(Self(name.to_owned()))
    }

    /// The name as given.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The key of one of the log's objects.
    pub fn key(&self, object: impl fmt::Display) -> String {
        format!("{}/{object}", self.0)
    }

    /// The prefix of all keys of the log.
    pub fn folder(&self) -> String {
        self.key("")
    }

    /// The prefix of the keys of its batches.
    pub fn batches(&self) -> String {
        self.key(BATCH)
    }

    /// The prefix of the keys of its segments and indexes.
    pub fn segments(&self) -> String {
        self.key(SEGMENT)
    }

    /// The prefix of the keys of its manifests. Segments and indexes sort after them.
    pub fn manifests(&self) -> String {
        self.key(MANIFEST)
    }

    /// The prefix of the keys of its named positions: of one name, or of all.
    pub(crate) fn positions(&self, name: Option<&PositionName>) -> String {
        name.map_or_else(|| self.key(position_name::all()), |name| self.key(name.objects()))
    }

    /// The name of the log whose folder has this key. None if it is no valid name.
    pub fn of_folder(key: &str) -> Option<Self> {
        Self::parse(key.strip_suffix('/')?).ok()
    }

    /// The object's own name in a key of this log, if it lies directly in the log's folder.
    pub fn object<'k>(&self, key: &'k str) -> Option<&'k str> {
        let object = key.strip_prefix(self.as_str())?.strip_prefix('/')?;
        (!object.contains('/')).then_some(object)
    }
}

/// The xxh3-64 digest of some bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Digest(pub u64);

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl Digest {
    /// The digest of some bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self(xxh3_64(bytes))
    }

    /// Reads the 16 hexadecimal digits.
    pub fn parse(text: &[u8]) -> Option<Self> {
        hex(text, 16).map(Self)
    }
}

/// The identity of a log: random, made with the first manifest, carried by every later one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct LogId(pub u64);

impl LogId {
    /// Reads the 16 hexadecimal digits.
    pub fn parse(text: &[u8]) -> Option<Self> {
        hex(text, 16).map(Self)
    }
}

impl fmt::Display for LogId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// The number of a manifest. The highest is current; 0 stands for none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Generation(pub u64);

impl Generation {
    /// The first manifest of a log. It is never deleted.
    pub const FIRST: Self = Self(1);

    /// The marker of the group that the generation belongs to.
    pub(crate) fn marker(self) -> Marker {
        Marker(Self(self.0.div_ceil(MANIFESTS_KEPT).saturating_mul(MANIFESTS_KEPT)))
    }
}

impl fmt::Display for Generation {
    /// The name of the generation's manifest: `manifest_{generation:019}.json`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{MANIFEST}{:019}{JSON}", self.0)
    }
}

/// `generation_{generation:019}`, an empty object: a later manifest than this generation's was
/// committed. It stands permanently for a group of generations, of which this is the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Marker(pub Generation);

impl Marker {
    /// Parses an object's own name.
    pub fn parse(name: &str) -> Option<Self> {
        decimal(name.strip_prefix("generation_")?.as_bytes(), 19).map(Generation).map(Self)
    }
}

impl fmt::Display for Marker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "generation_{:019}", self.0.0)
    }
}

/// The random id of one try to commit a generation: `attempt` in the bytes of a manifest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CommitId(pub u32);

impl CommitId {
    /// Reads the 8 hexadecimal digits.
    pub fn parse(text: &[u8]) -> Option<Self> {
        u32::try_from(hex(text, 8)?).ok().map(Self)
    }
}

impl fmt::Display for CommitId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08x}", self.0)
    }
}

/// `segment_{generation:019}_{attempt:08x}_{part:04}.jsonl`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SegmentName {
    pub generation: Generation,
    pub commit_id: CommitId,
    pub part: u16,
}

impl SegmentName {
    pub fn parse(name: &str) -> Option<Self> {
        Self::parse_stem(name.strip_suffix(LINES)?)
    }

    fn parse_stem(stem: &str) -> Option<Self> {
        let mut fields = fields(stem.strip_prefix(SEGMENT)?);
        let generation = Generation(decimal(fields.next()?, 19)?);
        let commit_id = CommitId::parse(fields.next()?)?;
        let part = u16::try_from(decimal(fields.next()?, 4)?).ok()?;
        fields.next().is_none().then_some(Self { generation, commit_id, part })
    }

    /// The prefix of the names of all segments and indexes of the same commit.
    pub(crate) fn of_commit(self) -> String {
        format!("{SEGMENT}{:019}_{}_", self.generation.0, self.commit_id)
    }

    /// The name of the segment's index: the same stem, `.index`.
    pub fn index(self) -> IndexName {
        IndexName(self)
    }

    fn stem(self) -> String {
        let Self { generation, commit_id, part } = self;
        format!("{SEGMENT}{:019}_{commit_id}_{part:04}", generation.0)
    }
}

impl fmt::Display for SegmentName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{LINES}", self.stem())
    }
}

/// The name of a segment's index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct IndexName(pub SegmentName);

impl fmt::Display for IndexName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{INDEX}", self.0.stem())
    }
}

/// Any object of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ObjectName {
    Batch(BatchName),
    Manifest(Generation),
    Segment(SegmentName),
    Index(IndexName),
}

impl ObjectName {
    /// Parses an object's own name. None means that the object is not the log's: leave it alone.
    pub fn parse(name: &str) -> Option<Self> {
        if name.starts_with(BATCH) {
            BatchName::parse(name).map(Self::Batch)
        } else if let Some(rest) = name.strip_prefix(MANIFEST) {
            let generation = decimal(rest.strip_suffix(JSON)?.as_bytes(), 19)?;
            (generation > 0).then_some(Self::Manifest(Generation(generation)))
        } else if let Some(stem) = name.strip_suffix(INDEX) {
            SegmentName::parse_stem(stem).map(|segment| Self::Index(segment.index()))
        } else {
            SegmentName::parse(name).map(Self::Segment)
        }
    }
}

impl fmt::Display for ObjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Batch(batch) => batch.fmt(f),
            Self::Manifest(generation) => generation.fmt(f),
            Self::Segment(segment) => segment.fmt(f),
            Self::Index(index) => index.fmt(f),
        }
    }
}

/// The fields of a name, or of a part of one.
pub(crate) fn fields(text: &str) -> impl Iterator<Item = &[u8]> {
    text.as_bytes().split(|byte| *byte == b'_')
}

/// Returns a text for a message. A hostile one may be long or hold terminal escapes, so it is shown
/// short and escaped. `…` says that it has more: without it, nobody could tell a part of a secret.
pub(in crate::format) fn shown(text: &str) -> String {
    const CHARS_MAX: usize = 80;
    let mut shown: String = text.chars().take(CHARS_MAX).flat_map(char::escape_debug).collect();
    if text.chars().nth(CHARS_MAX).is_some() {
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests;
