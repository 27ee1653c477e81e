//! The output of each stream as one text, so that a secret in it is found wherever it is cut.
//!
//! 1. The end of a stream's output waits for the next output of the stream: the rest of a line, and
//!    the beginning of a secret. It waits for one stretch at most.
//! 2. Where output is cut nevertheless, because some was left out, or in a secret that has waited,
//!    the text ends with `…`, and so begins the next one. The redaction hides parts of secrets next
//!    to it.
//! 3. What looks like a secret and is cut is hidden on both sides, up to its end.

use std::time::Instant;

use stratalog_store_rules::secrets::HIDDEN;
use stratalog_store_rules::secrets::looks::{Open, open_at_end, undecided};
use stratalog_store_rules::text::CUT;

use super::redaction::Redaction;
use super::texts::{PerStream, Stream, Text, TextKind, Texts};

/// The longest end of a line that waits for the rest.
const LINE_BYTES_MAX: usize = 4 * 1024;

/// The streams of a run.
#[derive(Debug, Default)]
pub(super) struct Outputs(PerStream<Waiting>);

/// The output of a stream that was not passed on yet.
#[derive(Debug, Default)]
struct Waiting {
    bytes: Vec<u8>,
    /// The number and the time of the output that it ends.
    at: Option<(u64, Instant)>,
    /// True if it has waited since the stretch before.
    is_old: bool,
    /// The cut before what follows.
    cut: Cut,
    /// The text that looks like a secret, if the cut is in it.
    open: Option<Open>,
}

/// A place between two texts of a stream.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Cut {
    /// Between two lines, or what is as good.
    #[default]
    None,
    /// Perhaps in a secret.
    Within,
    /// Some output was left out.
    LeftOut,
}

/// A text that is ready to be recorded.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Ready {
    pub(super) kind: TextKind,
    pub(super) at: (u64, Instant),
    /// The text without secrets.
    pub(super) text: String,
    /// The bytes of the text before secrets were hidden.
    pub(super) bytes: usize,
}

impl Outputs {
    /// Returns the texts of a stretch that are ready, by their numbers. Nothing waits for a stretch
    /// that will not be.
    pub(super) fn take(
        &mut self,
        texts: &mut Texts,
        redaction: &Redaction,
        is_last: bool,
    ) -> Vec<Ready> {
        let mut ready = Vec::new();
        for text in texts.kept.drain(..) {
            match text.kind {
                TextKind::Message(_) => ready.push(message(text, redaction)),
                TextKind::Output(stream) => {
                    ready.extend(self.0.of(stream).add(text, stream, redaction));
                }
            }
        }
        for stream in Stream::ALL {
            let waiting = self.0.of(stream);
            let is_cut = *texts.bytes_left_out.of(stream) > 0;
            if is_cut || is_last || waiting.is_old {
                ready.extend(waiting.release(stream, redaction, is_cut));
            }
            waiting.is_old = !waiting.bytes.is_empty();
        }
        ready.sort_by_key(|text| text.at.0);
        ready
    }
}

impl Waiting {
    /// Adds output, and returns all but its end.
    fn add(&mut self, text: Text, stream: Stream, redaction: &Redaction) -> Option<Ready> {
        let at = self.at.unwrap_or(text.at);
        self.bytes.extend(text.bytes);
        let end = self.bytes.split_off(end_of(&self.bytes, redaction));
        let whole = std::mem::replace(&mut self.bytes, end);
        if whole.is_empty() {
            self.at = Some(at);
            return None;
        }
        self.at = (!self.bytes.is_empty()).then_some(text.at);
        self.is_old = false;
        Some(self.ready(stream, at, &whole, redaction, Cut::None))
    }

    /// Returns what waits. `is_cut`: what follows it was left out.
    fn release(&mut self, stream: Stream, redaction: &Redaction, is_cut: bool) -> Option<Ready> {
        let bytes = std::mem::take(&mut self.bytes);
        let Some(at) = self.at.take() else {
            if is_cut {
                self.cut = Cut::LeftOut;
            }
            return None;
        };
        let text = String::from_utf8_lossy(&bytes);
        let is_begun = || match self.cut {
            Cut::None => redaction.is_begun(&text),
            Cut::Within | Cut::LeftOut => redaction.is_begun(&format!("{CUT}{text}")),
        };
        let cut = if is_cut {
            Cut::LeftOut
        } else if self.open.is_some_and(|open| open.rest(&text).is_none())
            || open_at_end(&text).is_some()
            || is_begun()
        {
            Cut::Within
        } else {
            Cut::None
        };
        Some(self.ready(stream, at, &bytes, redaction, cut))
    }

    fn ready(
        &mut self,
        stream: Stream,
        at: (u64, Instant),
        bytes: &[u8],
        redaction: &Redaction,
        after: Cut,
    ) -> Ready {
        let text = String::from_utf8_lossy(bytes);
        let before = std::mem::replace(&mut self.cut, after);
        let text = self.without_open(&text, after);
        let text = match [before, after] {
            [Cut::None, Cut::None] => redaction.of(&text),
            cuts => {
                let mark = |cut| (cut != Cut::None).then_some(CUT);
                let marked = mark(before).into_iter().chain(text.chars()).chain(mark(after));
                let marked = redaction.of(&marked.collect::<String>());
                // A cut in what is no secret after all is none for the reader.
                let is_marked = |text: &str| text.starts_with(HIDDEN) || text.ends_with(HIDDEN);
                let unmarked = Some(redaction.of(&text)).filter(|unmarked| {
                    !cuts.contains(&Cut::LeftOut)
                        && !is_marked(&text)
                        && marked.trim_matches(CUT) == unmarked
                });
                unmarked.unwrap_or(marked)
            }
        };
        Ready { kind: TextKind::Output(stream), at, text, bytes: bytes.len() }
    }

    /// Returns a text without the rest of what looks like a secret and was cut before it, and
    /// without the beginning of such a text at its end, if that is a cut.
    fn without_open(&mut self, text: &str, after: Cut) -> String {
        let mut kept = String::new();
        let mut rest = text;
        if let Some(open) = self.open.take() {
            let length = open.rest(text).unwrap_or(text.len());
            rest = text.get(length..).unwrap_or_default();
            if length > 0 {
                kept.push_str(HIDDEN);
            }
            if rest.is_empty() && after != Cut::None {
                self.open = Some(open);
                return kept;
            }
        }
        self.open = open_at_end(rest).filter(|_| after != Cut::None);
        let end = self.open.map_or(rest.len(), |open| open.start);
        kept.push_str(rest.get(..end).unwrap_or(rest));
        if end < rest.len() {
            kept.push_str(HIDDEN);
        }
        kept
    }
}

fn message(text: Text, redaction: &Redaction) -> Ready {
    let Text { kind, bytes, at } = text;
    let text = redaction.of(&String::from_utf8_lossy(&bytes));
    Ready { kind, at, text, bytes: bytes.len() }
}

/// Returns the start of the end that waits: of the last line, unless it is long, of a secret that
/// reaches into it or begins, or of a character.
fn end_of(bytes: &[u8], redaction: &Redaction) -> usize {
    // The text with one character for each that is none, and the places of the others in both.
    let (mut text, mut places) = (String::with_capacity(bytes.len()), Vec::new());
    let mut at = 0;
    for chunk in bytes.utf8_chunks() {
        places.push((text.len(), at));
        text.push_str(chunk.valid());
        at += chunk.valid().len() + chunk.invalid().len();
        let is_begun = |bytes| std::str::from_utf8(bytes).is_err_and(|it| it.error_len().is_none());
        if !chunk.invalid().is_empty() && (at < bytes.len() || !is_begun(chunk.invalid())) {
            text.push(char::REPLACEMENT_CHARACTER);
        }
    }
    let line = text.rfind('\n').map_or(0, |newline| newline + 1);
    let is_long = text.len().saturating_sub(line) > LINE_BYTES_MAX;
    let end = if is_long { undecided(&text).unwrap_or(text.len()) } else { line };
    let cut = redaction.cut_before(&text, end);
    let before = places.into_iter().rfind(|(of_text, _)| *of_text <= cut);
    before.map_or(0, |(of_text, of_bytes)| of_bytes + (cut - of_text))
}

#[cfg(test)]
mod tests;
