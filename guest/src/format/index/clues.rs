//! The evidence for an index that cannot be read: legible parts of its bytes, and batches that the
//! log knows from elsewhere.

use super::Line;
use super::digits::BEGIN;
use super::spelling::{Known, Spelling, number};
use crate::format::batch::BatchRecord;
use crate::format::names::{BatchName, Digest, Origin};
use crate::format::ordered::{Map, Set};

/// The evidence in one line of a damaged index.
#[derive(Clone, Debug, Default)]
pub(crate) struct Clue {
    /// The complete record, if nothing in the line contradicts it.
    pub record: Option<BatchRecord>,
    /// The batch name in the line.
    pub name: Option<BatchName>,
    text: Vec<u8>,
}

/// The evidence for an index, apart from its digest.
#[derive(Clone, Debug, Default)]
pub(crate) struct Clues {
    text: Vec<u8>,
    /// Batches that the index may contain, with their records in other indexes. A listed batch may
    /// have no record.
    known: Map<BatchName, Vec<BatchRecord>>,
    /// The listed ones, whose names are certain.
    listed: Set<BatchName>,
    /// The numbered ones, and those that belong to other segments.
    numbered: Known,
}

impl Clues {
    /// The evidence in the bytes of a damaged index, which may be empty.
    pub(crate) fn of_index(text: &[u8]) -> Self {
        Self { text: text.to_vec(), ..Self::default() }
    }

    /// Adds a batch that is or was stored.
    pub(crate) fn add_batch(&mut self, name: BatchName) {
        self.known.or_default(name);
        self.listed.insert(name);
        self.add_numbered(name);
    }

    fn add_numbered(&mut self, name: BatchName) {
        if let Some(id) = name.id() {
            self.numbered.insert((id.writer, id.time), name);
        }
    }

    /// Adds the legible records of another index.
    pub(crate) fn add_index(&mut self, text: &[u8]) {
        for clue in clues(text) {
            let Some(name) = clue.name else { continue };
            let records = self.known.or_default(name);
            records.extend(clue.record.filter(|record| !records.contains(record)));
            self.add_numbered(name);
        }
    }

    /// Removes a batch that certainly belongs to another segment.
    pub(crate) fn remove_batch(&mut self, name: &BatchName) {
        self.known.remove(name);
    }

    /// The numbered batches that are known from elsewhere.
    pub(super) fn numbered(&self) -> &Known {
        &self.numbered
    }

    /// Returns true if the name is certain.
    pub(super) fn is_listed(&self, name: &BatchName) -> bool {
        self.listed.contains(name)
    }

    /// The records of a batch in other indexes.
    pub(super) fn of(&self, name: &BatchName) -> &[BatchRecord] {
        self.known.get(name).map_or(&[], Vec::as_slice)
    }

    /// All batches known from elsewhere, whole and as other indexes have them.
    pub(super) fn records(&self) -> impl Iterator<Item = BatchRecord> {
        self.known.iter().flat_map(|(name, records)| {
            let whole = name.origin.map(|origin| whole(*name, origin));
            records.iter().copied().chain(whole)
        })
    }

    /// The lines of an index that had `count` of them.
    pub(super) fn lines(&self, count: usize) -> Vec<Clue> {
        let mut lines = clues(&self.text);
        if lines.len() > count {
            // Bytes between two lines, or before the first one.
            lines.retain(|line| line.text.len() >= BEGIN.len());
        }
        if lines.len() <= count {
            return lines;
        }
        // A line feed has replaced another byte: the rest of the line is no line of its own.
        let mut texts: Vec<Vec<u8>> = Vec::new();
        for line in lines {
            match texts.last_mut() {
                Some(last) if !line.text.starts_with(b"{") => {
                    last.push(b'?');
                    last.extend(line.text);
                }
                _ => texts.push(line.text),
            }
        }
        texts.iter().map(|text| Clue::new(text)).collect()
    }
}

/// The lines of an index, split also where a line feed is missing.
fn clues(text: &[u8]) -> Vec<Clue> {
    let text = text.strip_suffix(b"\n").unwrap_or(text);
    let mut clues = Vec::new();
    for line in text.split(|&byte| byte == b'\n').filter(|line| !line.is_empty()) {
        let mut rest = line;
        while let Some(at) = rest.get(1..).and_then(|rest| memchr::memmem::find(rest, BEGIN)) {
            let (first, more) = rest.split_at(at + 1);
            clues.push(Clue::new(first));
            rest = more;
        }
        clues.push(Clue::new(rest));
    }
    clues
}

impl Clue {
    fn new(text: &[u8]) -> Self {
        let record = serde_json::from_slice::<Line<'_>>(text).ok();
        let record = record.and_then(|line| line.record().ok());
        let name = record.map(|record| record.name).or_else(|| name_in(text));
        Self { record, name, text: text.to_vec() }
    }

    /// The legible parts of the name.
    pub(super) fn spelling(&self) -> Spelling {
        self.name.as_ref().map_or_else(|| Spelling::of(&self.text), Spelling::of_name)
    }

    /// The number in a field of the line.
    pub(super) fn field(&self, name: &str) -> Option<u64> {
        number(self.after(&format!("\"{name}\":"))?)
    }

    /// The digest in the field of that name.
    pub(super) fn digest(&self) -> Option<Digest> {
        Digest::parse(self.after("\"digest\":\"")?.get(..16)?)
    }

    fn after(&self, begin: &str) -> Option<&[u8]> {
        let at = memchr::memmem::find(&self.text, begin.as_bytes())?;
        self.text.get(at.checked_add(begin.len())?..)
    }

    /// The possible numbers of events of the batch, from the two places in the line.
    pub(super) fn counts(&self, in_name: Option<u64>) -> impl Iterator<Item = u64> {
        let mut counts: Vec<u64> = in_name.into_iter().chain(self.field("events")).collect();
        counts.dedup();
        counts.into_iter()
    }

    /// Returns true if the line contains the digest.
    pub(super) fn mentions(&self, digest: Digest) -> bool {
        memchr::memmem::find(&self.text, digest.to_string().as_bytes()).is_some()
    }
}

/// The name of a batch in a text.
fn name_in(text: &[u8]) -> Option<BatchName> {
    let text = text.get(memchr::memmem::find(text, b"batch_")?..)?;
    let end = memchr::memmem::find(text, b".jsonl")?.checked_add(".jsonl".len())?;
    BatchName::parse(str::from_utf8(text.get(..end)?).ok()?)
}

/// The record of a whole batch, without its number of bytes.
pub(super) fn whole(name: BatchName, origin: Origin) -> BatchRecord {
    BatchRecord::whole(name, origin.events, 0, origin.digest)
}
