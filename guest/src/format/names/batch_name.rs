//! The names of batches.
//!
//! 1. There are three forms: numbered, unnumbered and legacy. The number of fields and the width of
//!    the writer tell them apart.
//! 2. A numbered batch is its writer and its number. The rest follows from these, except what the
//!    batch waits for: two names that differ in that alone are one batch with the same bytes.
//! 3. Batches sort by time, then by form, writer and number.

use std::cmp::Ordering;
use std::fmt;

use super::{BATCH, Digest, LINES, decimal, fields, hex, plain};
use crate::mutants::{self, Mutant};

/// The time at which a batch was sealed, in microseconds since 1970. It orders batches and decides
/// nothing else.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct BatchTime(u64);

impl BatchTime {
    /// The largest time that has 19 digits.
    pub const MAX: Self = Self(9_999_999_999_999_999_999);

    /// A time, unless it has more than 19 digits.
    pub fn new(micros: u64) -> Option<Self> {
        (micros <= Self::MAX.0).then_some(Self(micros))
    }

    /// Microseconds since 1970.
    pub const fn micros(self) -> u64 {
        self.0
    }

    /// The time of the next batch: the clock's, but always later than `self`. None when no later
    /// time can be written.
    pub fn next(self, now_micros: u64) -> Option<Self> {
        Self::new(now_micros.max(self.0.checked_add(1)?))
    }
}

/// The random id of one handle that appends: 64 bits. One of an unnumbered batch has 32.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct WriterId(pub u64);

impl WriterId {
    /// Reads the 16 hexadecimal digits of a numbered batch's writer.
    pub(crate) fn parse(text: &[u8]) -> Option<Self> {
        hex(text, 16).map(Self)
    }
}

impl fmt::Display for WriterId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

/// The place of a numbered batch among the batches of its writer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sequence {
    /// Counts the batches of the writer from 0.
    pub number: u64,
    /// Microseconds between the batch before and this one. 0 for the first batch, and only for it.
    pub gap: u64,
    /// `number` minus that of the writer's first batch that the store had not confirmed when this
    /// create was started. A retry may lower it, so it is no part of the batch's identity.
    pub waiting: u64,
}

impl Sequence {
    /// Reads `{number}_{gap}_{waiting}` from the fields of a name with this time.
    pub(crate) fn parse<'t>(
        mut fields: impl Iterator<Item = &'t [u8]>,
        time: BatchTime,
    ) -> Option<Self> {
        let mut field = || plain(fields.next()?);
        let (number, gap, waiting) = (field()?, field()?, field()?);
        let is_sequence = (number == 0) == (gap == 0) && gap <= time.micros() && waiting <= number;
        is_sequence.then_some(Self { number, gap, waiting })
    }

    /// The number of the writer's batches that the store had confirmed when this create was
    /// started. They come first.
    pub(crate) fn confirmed(&self) -> u64 {
        self.number.saturating_sub(self.waiting)
    }
}

/// The fields of a batch's name besides its time.
#[derive(Clone, Copy, Debug)]
pub struct Origin {
    pub writer: WriterId,
    /// None for an unnumbered batch, whose writer has 32 bits.
    pub sequence: Option<Sequence>,
    pub events: u64,
    pub digest: Digest,
}

impl Origin {
    fn key(&self) -> impl Ord + use<> {
        let Self { writer, sequence, events, digest } = *self;
        let place = sequence.map(|Sequence { number, gap, waiting }| {
            [number, gap, if mutants::is(Mutant::KnownByName) { waiting } else { 0 }]
        });
        (place.is_some(), writer, place, events, digest)
    }
}

impl PartialEq for Origin {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Origin {}

impl PartialOrd for Origin {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Origin {
    fn cmp(&self, other: &Self) -> Ordering {
        self.key().cmp(&other.key())
    }
}

/// The name of a batch, in one of three forms:
/// `batch_{time:019}_{writer:016x}_{number}_{gap}_{waiting}_{events}_{digest:016x}.jsonl` is
/// numbered, `batch_{time:019}_{writer:08x}_{events}_{digest:016x}.jsonl` unnumbered, and
/// `batch_{time:019}.jsonl` legacy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct BatchName {
    pub time: BatchTime,
    /// None for a legacy batch.
    pub origin: Option<Origin>,
}

/// A numbered batch, without what follows from its identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct BatchId {
    pub time: BatchTime,
    pub writer: WriterId,
    pub number: u64,
}

impl fmt::Display for BatchId {
    /// `batch_{time:019}_{writer:016x}_{number}_*`: the beginning of all its names.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { time, writer, number } = self;
        write!(f, "{BATCH}{:019}_{writer}_{number}_*", time.0)
    }
}

impl BatchName {
    /// The least name of the batches of this time or later.
    pub(crate) fn least(time: BatchTime) -> Self {
        Self { time, origin: None }
    }

    /// The writer, if the name has one.
    pub fn writer(&self) -> Option<WriterId> {
        self.origin.map(|origin| origin.writer)
    }

    /// The identity of a numbered batch.
    pub fn id(&self) -> Option<BatchId> {
        let Origin { writer, sequence, .. } = self.origin?;
        Some(BatchId { writer, number: sequence?.number, time: self.time })
    }

    /// The identity of the batch before a numbered one. None for the first of its writer.
    pub fn predecessor(&self) -> Option<BatchId> {
        let Origin { writer, sequence, .. } = self.origin?;
        let Sequence { number, gap, .. } = sequence?;
        let time = BatchTime(self.time.0.checked_sub(gap)?);
        Some(BatchId { writer, number: number.checked_sub(1)?, time })
    }

    /// Returns true if the name shows that the store had confirmed a batch.
    pub(crate) fn shows_confirmed(&self, batch: &BatchId) -> bool {
        let of_writer = self.origin.filter(|origin| origin.writer == batch.writer);
        let sequence = of_writer.and_then(|origin| origin.sequence);
        sequence.is_some_and(|sequence| sequence.confirmed() > batch.number)
    }

    /// The number of batches of its writer that its create may have waited for.
    pub(crate) fn waiting(&self) -> u64 {
        let sequence = self.origin.and_then(|origin| origin.sequence);
        sequence.map_or(0, |sequence| sequence.waiting)
    }

    /// The name of the same batch, if its create waits for this many others.
    pub(crate) fn waiting_for(mut self, waiting: u64) -> Self {
        if let Some(sequence) = self.origin.as_mut().and_then(|origin| origin.sequence.as_mut()) {
            sequence.waiting = waiting;
        }
        self
    }

    pub fn parse(name: &str) -> Option<Self> {
        Self::parse_stem(name.strip_prefix(BATCH)?.strip_suffix(LINES)?)
    }

    /// Parses the part between prefix and suffix.
    pub(crate) fn parse_stem(stem: &str) -> Option<Self> {
        let mut fields = fields(stem);
        let time = BatchTime::new(decimal(fields.next()?, 19)?)?;
        let Some(writer) = fields.next() else {
            return Some(Self { time, origin: None });
        };
        let (writer, sequence) = match hex(writer, 8) {
            Some(writer) => (WriterId(writer), None),
            None => (WriterId::parse(writer)?, Some(Sequence::parse(&mut fields, time)?)),
        };
        let events = plain(fields.next()?).filter(|events| *events > 0)?;
        let digest = Digest::parse(fields.next()?)?;
        let origin = Some(Origin { writer, sequence, events, digest });
        fields.next().is_none().then_some(Self { time, origin })
    }

    /// Writes the part between prefix and suffix.
    pub(crate) fn write_stem(&self, f: &mut impl fmt::Write) -> fmt::Result {
        write!(f, "{:019}", self.time.0)?;
        let Some(Origin { writer, sequence, events, digest }) = self.origin else { return Ok(()) };
        match sequence {
            Some(Sequence { number, gap, waiting }) => {
                write!(f, "_{writer}_{number}_{gap}_{waiting}")?;
            }
            None => write!(f, "_{:08x}", writer.0)?,
        }
        write!(f, "_{events}_{digest}")
    }
}

impl fmt::Display for BatchName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(BATCH)?;
        self.write_stem(f)?;
        f.write_str(LINES)
    }
}

const _: () = {
    // Times are written with 19 digits.
    assert!(BatchTime::MAX.micros() == 9_999_999_999_999_999_999);
};
