//! The legible parts of a batch's name in a damaged line, completed by the names around it.
//!
//! 1. The time and the writer have fixed columns, so each digit is legible or not.
//! 2. The numbered batches of a writer stand in an index in their order. So a number, a gap and a
//!    time follow from the line before or after of the same writer, or from a name elsewhere.
//! 3. A writer id of which some digits are illegible is that of the one other name that fits.
//! 4. All of this is a guess: the digest of the index decides.

use std::ops::Range;

use super::digits::{BEGIN, TIME, WRITER, WRITER_NUMBERED};
use crate::format::names::{BatchName, BatchTime, Digest, Sequence, WriterId, plain};
use crate::format::ordered::Map;
use crate::limits::CREATES_MAX;

/// The names of numbered batches that are known from elsewhere. The times of a writer increase with
/// the numbers.
pub(super) type Known = Map<(WriterId, BatchTime), BatchName>;

/// The most comparisons of writers.
const COMPARISONS_MAX: usize = 1 << 24;

/// The parts of a name in a line.
#[derive(Clone, Debug)]
pub(super) struct Spelling {
    time: Digits,
    writer: Digits,
    /// True if the writer has the width of a numbered batch's.
    is_numbered: bool,
    number: Option<u64>,
    gap: Option<u64>,
    waiting: Option<u64>,
    pub(super) events: Option<u64>,
    pub(super) digest: Option<Digest>,
}

/// The digits of a field with a fixed number of them.
#[derive(Clone, Debug)]
struct Digits {
    /// The column of the first one.
    start: usize,
    radix: u32,
    digits: Vec<Option<u32>>,
}

impl Digits {
    fn read(text: &[u8], columns: Range<usize>, radix: u32) -> Self {
        let digit = |column: usize| {
            let byte = char::from(*text.get(column)?);
            byte.to_digit(radix).filter(|_| !byte.is_ascii_uppercase())
        };
        Self { start: columns.start, radix, digits: columns.map(digit).collect() }
    }

    /// The columns of the illegible ones.
    fn missing(&self) -> impl Iterator<Item = usize> {
        let columns = (self.start..).zip(&self.digits);
        columns.filter(|(_, digit)| digit.is_none()).map(|(column, _)| column)
    }

    /// The value with 0 for each illegible digit. None if it does not fit in 64 bits.
    fn value(&self) -> Option<u64> {
        self.digits.iter().try_fold(0_u64, |value, digit| {
            let value = value.checked_mul(self.radix.into())?;
            value.checked_add(digit.unwrap_or(0).into())
        })
    }

    /// The value, if all digits are legible.
    fn known(&self) -> Option<u64> {
        self.value().filter(|_| self.missing().next().is_none())
    }

    /// The digits of a value. None if a legible one differs.
    fn of(&self, value: u64) -> Option<Vec<Option<u32>>> {
        let mut rest = value;
        let mut digits = Vec::with_capacity(self.digits.len());
        for digit in self.digits.iter().rev() {
            let found = u32::try_from(rest.checked_rem(self.radix.into())?).ok()?;
            rest = rest.checked_div(self.radix.into())?;
            if digit.is_some_and(|digit| digit != found) {
                return None;
            }
            digits.push(Some(found));
        }
        digits.reverse();
        (rest == 0).then_some(digits)
    }

    /// Fills in the illegible ones, unless a legible one differs.
    fn fill(&mut self, value: u64) {
        if let Some(digits) = self.of(value) {
            self.digits = digits;
        }
    }
}

impl Spelling {
    pub(super) fn of(text: &[u8]) -> Self {
        let is_numbered = is_numbered(text);
        let columns = if is_numbered { WRITER_NUMBERED } else { WRITER };
        let rest = text.get(columns.end + 1..).unwrap_or_default();
        let fields = Fields::of(rest);
        let spelling = Self {
            time: Digits::read(text, TIME, 10),
            writer: Digits::read(text, columns, 16),
            is_numbered,
            number: None,
            gap: None,
            waiting: None,
            events: None,
            digest: fields.digest,
        };
        if is_numbered {
            let Fields { number, gap, waiting, events, .. } = fields;
            Self { number, gap, waiting, events, ..spelling }
        } else {
            Self { events: rest.split(|&byte| byte == b'_').next().and_then(number), ..spelling }
        }
    }

    /// The time and the writer, with 0 for each illegible digit.
    pub(super) fn time_and_writer(&self) -> Option<(BatchTime, WriterId)> {
        Some((BatchTime::new(self.time.value()?)?, WriterId(self.writer.value()?)))
    }

    /// The columns of the illegible digits.
    pub(super) fn missing(&self) -> impl Iterator<Item = usize> {
        self.time.missing().chain(self.writer.missing())
    }

    /// The number of batches that the batch waited for, if it is legible.
    pub(super) fn waiting(&self) -> Option<u64> {
        self.waiting
    }

    /// The place of the batch among those of its writer, if it has one. None if it is unknown.
    pub(super) fn sequence(&self) -> Option<Option<Sequence>> {
        if !self.is_numbered {
            return Some(None);
        }
        let (number, gap) = (self.number?, self.gap?);
        let waiting = self.waiting.unwrap_or(0).min(number);
        let is_sequence = (number == 0) == (gap == 0) && gap <= self.time.value()?;
        is_sequence.then_some(Some(Sequence { number, gap, waiting }))
    }

    /// Takes the place of the same batch, as it is known from elsewhere.
    fn place_as(&mut self, name: &BatchName) {
        let place = name.origin.and_then(|origin| origin.sequence);
        (self.number, self.gap) = place.map(|place| (place.number, place.gap)).unzip();
    }

    /// Corrects the place of the middle one of three neighbours, if the others agree on it.
    fn correct(before: &Self, line: &mut Self, after: &Self) {
        let apart = |one: &Self, other: &Self| {
            other.time.known().zip(one.time.known()).and_then(|(next, time)| next.checked_sub(time))
        };
        let number = before.number.and_then(|number| number.checked_add(1));
        if number.is_none() || number != after.number.and_then(|number| number.checked_sub(1)) {
            return;
        }
        line.number = number;
        if after.gap.is_some() && after.gap == apart(line, after) {
            line.gap = apart(before, line).or(line.gap);
        }
    }

    /// Completes two neighbours among the batches of a writer, unless they contradict each other.
    fn link(before: &mut Self, after: &mut Self) {
        let times = (before.time.known(), after.time.known());
        let is_next = match (before.number, after.number) {
            (Some(number), Some(next)) => number.checked_add(1) == Some(next),
            _ => true,
        };
        let is_apart = match (times, after.gap) {
            ((Some(time), Some(next)), Some(gap)) => time.checked_add(gap) == Some(next),
            ((Some(time), Some(next)), None) => time < next,
            _ => true,
        };
        if !is_next || !is_apart {
            return;
        }
        after.number = after.number.or_else(|| before.number?.checked_add(1));
        before.number = before.number.or_else(|| after.number?.checked_sub(1));
        match times {
            (Some(time), Some(next)) => after.gap = next.checked_sub(time),
            (Some(time), None) => {
                let next = after.gap.and_then(|gap| time.checked_add(gap));
                next.into_iter().for_each(|next| after.time.fill(next));
            }
            (None, Some(next)) => {
                let time = after.gap.and_then(|gap| next.checked_sub(gap));
                time.into_iter().for_each(|time| before.time.fill(time));
            }
            (None, None) => {}
        }
    }

    /// The parts of a name.
    pub(super) fn of_name(name: &BatchName) -> Self {
        Self::of(&[BEGIN, name.to_string().as_bytes()].concat())
    }
}

/// The fields behind the writer of a numbered name.
#[derive(Default)]
struct Fields {
    number: Option<u64>,
    gap: Option<u64>,
    waiting: Option<u64>,
    events: Option<u64>,
    digest: Option<Digest>,
}

impl Fields {
    /// Reads them from both ends, up to what is illegible.
    fn of(rest: &[u8]) -> Self {
        let end = memchr::memmem::find(rest, b".jsonl")
            .or_else(|| memchr::memmem::find(rest, br#"","events":"#)?.checked_sub(".jsonl".len()));
        let text = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default();
        let fields: Vec<_> = text.split(|&byte| byte == b'_').map(plain).collect();
        if let (Some(_), [number, gap, waiting, events, _]) = (end, &fields[..]) {
            let (number, gap, waiting, events) = (*number, *gap, *waiting, *events);
            return Self { number, gap, waiting, events, digest: digest_at_end(text) };
        }
        // The last field may be cut short.
        let mut first = fields.split_last().map_or(&[][..], |(_, fields)| fields).iter();
        let number = first.next().copied().flatten();
        let gap = number.and_then(|_| first.next().copied().flatten());
        let of_line = Self { number, gap, ..Self::default() };
        if end.is_none() {
            return of_line;
        }
        // The digest has a fixed width.
        let before = text.len().checked_sub("_0123456789abcdef".len());
        let before = before.and_then(|end| text.get(..end)).unwrap_or_default();
        let mut last = before.rsplit(|&byte| byte == b'_').map(plain);
        let events = last.next().flatten();
        let waiting = events.and_then(|_| last.next().flatten());
        let waiting = waiting.filter(|waiting| *waiting < CREATES_MAX);
        Self { waiting, events, digest: digest_at_end(text), ..of_line }
    }
}

/// The digest that a text ends with.
fn digest_at_end(text: &[u8]) -> Option<Digest> {
    let digest = text.len().checked_sub("0123456789abcdef".len())?;
    Digest::parse(text.get(digest..)?)
}

/// The decimal number that a text begins with.
pub(super) fn number(text: &[u8]) -> Option<u64> {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    str::from_utf8(text.get(..digits)?).ok()?.parse().ok()
}

/// Returns true if the writer in a line has the width of a numbered batch's.
fn is_numbered(text: &[u8]) -> bool {
    let ends = |column| text.get(column) == Some(&b'_');
    let rest = text.get(WRITER.end..WRITER_NUMBERED.end);
    !ends(WRITER.end)
        && (ends(WRITER_NUMBERED.end) || rest.is_some_and(|rest| !rest.contains(&b'_')))
}

/// Completes the names in the lines of an index.
pub(super) fn complete(lines: &mut [Spelling], known: &Known) {
    for (writer, chain) in chains(lines, known) {
        for at in &chain {
            let Some(line) = lines.get_mut(*at) else { continue };
            let time = line.time.known().and_then(BatchTime::new);
            if let Some(name) = time.and_then(|time| known.get(&(writer, time))) {
                line.place_as(name);
            }
        }
        let triples = chain.iter().zip(chain.iter().skip(1)).zip(chain.iter().skip(2));
        for ((before, at), after) in triples {
            if let Ok([before, line, after]) = lines.get_disjoint_mut([*before, *at, *after]) {
                Spelling::correct(before, line, after);
            }
        }
        for is_last in [false, false, true] {
            for (before, after) in chain.iter().zip(chain.iter().skip(1)) {
                link(lines, *before, *after);
            }
            for (before, after) in chain.iter().zip(chain.iter().skip(1)).rev() {
                link(lines, *before, *after);
            }
            if let Some(first) = chain.first().and_then(|at| lines.get_mut(*at)) {
                link_first(writer, first, known, is_last);
            }
            if let Some(last) = chain.last().and_then(|at| lines.get_mut(*at)) {
                link_last(writer, last, known);
            }
        }
    }
}

fn link(lines: &mut [Spelling], before: usize, after: usize) {
    if let Ok([before, after]) = lines.get_disjoint_mut([before, after]) {
        Spelling::link(before, after);
    }
}

/// The lines of each writer, in order. Fills in writers.
fn chains(lines: &mut [Spelling], known: &Known) -> Map<WriterId, Vec<usize>> {
    let mut counts: Map<u64, usize> = Map::new();
    let of_lines = lines.iter().filter(|line| line.is_numbered);
    let of_lines = of_lines.filter_map(|line| line.writer.known());
    for writer in of_lines.chain(known.keys().map(|(writer, _)| writer.0)) {
        *counts.or_default(writer) += 1;
    }
    let is_large = counts.len().saturating_mul(lines.len()) > COMPARISONS_MAX;
    let mut chains: Map<WriterId, Vec<usize>> = Map::new();
    for (at, line) in lines.iter_mut().enumerate().filter(|(_, line)| line.is_numbered) {
        let writer = match line.writer.known() {
            Some(writer) if is_large || counts.get(&writer) != Some(&1) => Some(writer),
            // One digit of it may be wrong. The search for that is left to the digest.
            Some(writer) => {
                let others = counts.iter().filter(|(_, count)| **count > 1).map(|(id, _)| *id);
                only(others.filter(|other| differ_in_one(*other, writer))).or(Some(writer))
            }
            None if is_large => None,
            None => {
                let others = counts.keys().copied();
                let found = only(others.filter(|other| line.writer.of(*other).is_some()));
                found.into_iter().for_each(|writer| line.writer.fill(writer));
                found
            }
        };
        if let Some(writer) = writer {
            chains.or_default(WriterId(writer)).push(at);
        }
    }
    chains
}

/// Returns the only item.
fn only(mut items: impl Iterator<Item = u64>) -> Option<u64> {
    let found = items.next()?;
    items.next().is_none().then_some(found)
}

/// Returns true if exactly one of the 16 digits differs.
fn differ_in_one(one: u64, other: u64) -> bool {
    let differing = one ^ other;
    differing != 0 && differing >> (differing.trailing_zeros() / 4 * 4) < 16
}

/// Completes the first line of a writer by names from elsewhere. Without any it is the writer's
/// first batch, if `is_sure` that nothing else follows.
fn link_first(writer: WriterId, line: &mut Spelling, known: &Known, is_sure: bool) {
    let mut all = known.range((writer, BatchTime::default())..=(writer, BatchTime::MAX));
    let number_of = |name: &BatchName| name.id().map(|id| id.number);
    let before = match line.time.known().and_then(BatchTime::new) {
        Some(time) => known.last_before(&(writer, time)).filter(|((of, _), _)| *of == writer),
        None => all.find(|(_, name)| {
            line.number.is_some() && number_of(name).map(|number| number + 1) == line.number
        }),
    };
    let before = before.map(|(_, name)| name);
    if let Some(before) = before {
        Spelling::link(&mut Spelling::of_name(before), line);
    } else if is_sure && line.gap.is_none_or(|gap| gap == 0) {
        line.number = line.number.or(Some(0));
    }
    if line.number == Some(0) {
        line.gap = line.gap.or(Some(0));
    }
}

/// Completes the last line of a writer by names from elsewhere.
fn link_last(writer: WriterId, line: &mut Spelling, known: &Known) {
    let from = line.time.known().and_then(BatchTime::new).unwrap_or_default();
    let mut all = known.range((writer, from)..=(writer, BatchTime::MAX)).map(|(_, name)| name);
    let after = all.find(|name| {
        let before = name.predecessor();
        before.is_some_and(|before| before.time == from || Some(before.number) == line.number)
    });
    if let Some(after) = after {
        Spelling::link(line, &mut Spelling::of_name(after));
    }
}
