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
    /// What looks like a secret, if the cut is in it.
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
}

impl Waiting {
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
mod tests {
    use super::*;
    use crate::sandbox::bindings::wasi::logging::logging::Level;

    const SECRET: &str = "sesame-open-1";

    /// Takes a stretch of writes to stdout, except those in brackets, which are messages.
    fn stretch(outputs: &mut Outputs, writes: &[&[u8]], is_last: bool) -> String {
        let mut texts = Texts::default();
        for (write, number) in writes.iter().zip(1..) {
            match write.strip_prefix(b"[") {
                Some(message) => {
                    let message = std::str::from_utf8(message).unwrap();
                    texts.message(Level::Info, message, (number, Instant::now()));
                }
                None => texts.output(Stream::Stdout, write, (number, Instant::now())),
            }
        }
        let redaction = Redaction::new([SECRET.to_owned(), "two\nlines".to_owned()].iter());
        let ready = outputs.take(&mut texts, &redaction, is_last);
        ready.iter().map(|ready| ready.text.as_str()).collect::<Vec<_>>().join("|")
    }

    #[test]
    fn secret_is_hidden_wherever_its_output_is_cut() {
        for at in 1..SECRET.len() {
            let (head, tail) = SECRET.as_bytes().split_at(at);
            for between in [None, Some(&b"[m"[..])] {
                let mut outputs = Outputs::default();
                let writes: Vec<&[u8]> = [head].into_iter().chain(between).chain([tail]).collect();
                let said = stretch(&mut outputs, &writes, true);
                assert_eq!(said, if between.is_some() { "***|m" } else { "***" }, "{at}");
            }
            let mut outputs = Outputs::default();
            let mut said = stretch(&mut outputs, &[b"key ", head], false);
            said += &stretch(&mut outputs, &[tail, b"!\n"], false);
            assert_eq!(said, "key ***!\n", "{at}");
        }
        let mut outputs = Outputs::default();
        let said = stretch(&mut outputs, &[b"a\ntwo\n"], false);
        assert_eq!(said + &stretch(&mut outputs, &[b"lines\nb\n"], false), "a\n***\nb\n");
    }

    /// The end of such a secret may begin another one, or the same.
    #[test]
    fn secret_that_ends_as_one_begins_is_hidden() {
        for (secret, other) in [("token-1-to", "unused-1"), ("token-1-xy", "y-another")] {
            let redaction = Redaction::new([secret.to_owned(), other.to_owned()].iter());
            for (writes, expected) in [
                (&["a ", secret, "\n"][..], "a ***\n"),
                (&["a ", secret][..], "a ***"),
                (&[secret, "\n", secret, "!\n"][..], "***\n***!\n"),
            ] {
                let (mut outputs, mut said) = (Outputs::default(), String::new());
                for write in writes.iter().chain([&"", &""]) {
                    let mut texts = Texts::default();
                    texts.output(Stream::Stdout, write.as_bytes(), (1, Instant::now()));
                    for ready in outputs.take(&mut texts, &redaction, false) {
                        said.push_str(&ready.text);
                    }
                }
                assert_eq!(said, expected, "{writes:?}");
            }
        }
    }

    /// Writes a text in two parts: with a pause that is too long between them, or in a line that is
    /// too long to wait. Returns what is recorded of it.
    fn in_two_parts(text: &str, at: usize, is_long: bool) -> String {
        let (head, tail) = text.split_at(at);
        let mut outputs = Outputs::default();
        let long = "x".repeat(LINE_BYTES_MAX);
        let head = if is_long { format!("{long} {head}") } else { head.to_owned() };
        let mut said = stretch(&mut outputs, &[head.as_bytes()], false);
        if !is_long {
            said += &stretch(&mut outputs, &[], false);
        }
        said += &stretch(&mut outputs, &[format!("{tail}\n").as_bytes()], true);
        said
    }

    #[test]
    fn what_looks_secret_is_hidden_wherever_it_is_cut() {
        for (text, secret) in [
            ("a https://bob:hunter22@host/x b", "hunter22"),
            ("a https://host/x?token=hunter22 b", "hunter22"),
            ("a https://host/x?sig=0123456789abcdef b", "89abcdef"),
            ("Authorization: Bearer opaque.token-22 b", "opaque.token"),
            ("X-Amz-Security-Token: opaque/token22\nb", "opaque/token"),
            ("X-Amz-Signature=0123456789abcdef&b", "89abcdef"),
            ("a [83, 51, 99, 114, 51, 116, 69] b", "114, 51"),
            (
                "a eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abcdefghijklmnopqrstuvwxyz b",
                "abcdefghijklm",
            ),
        ] {
            let start = text.find(secret).unwrap();
            for at in start..start + secret.len() {
                for is_long in [false, true] {
                    let said = in_two_parts(text, at, is_long);
                    let shown: String = said.chars().filter(|c| !"|…".contains(*c)).collect();
                    for four in secret.as_bytes().windows(4) {
                        let four = std::str::from_utf8(four).unwrap();
                        assert!(!shown.contains(four), "{at} {is_long}: {said}");
                    }
                    assert!(said.trim_end().ends_with('b'), "{at} {is_long}: {said}");
                }
            }
        }
        // Parts that look like nothing stay.
        assert_eq!(
            in_two_parts("Loading [1/10] of 3: done", 9, false),
            "Loading [1/10] of 3: done\n"
        );
    }

    #[test]
    fn secret_in_parts_is_hidden_in_the_middle_too() {
        let mut outputs = Outputs::default();
        let mut said = String::new();
        for part in [&b"key sesam"[..], b"", b"e-op", b"", b"en-1", b"", b" b\n"] {
            said += &stretch(&mut outputs, &[part], false);
        }
        assert_eq!(said, "key ***……***……*** b\n");
    }

    #[test]
    fn secret_is_hidden_where_output_is_left_out() {
        let mut outputs = Outputs::default();
        let long = vec![b'x'; 64 * 1024 - 8];
        let said = stretch(&mut outputs, &[&long, SECRET.as_bytes()], false);
        assert!(said.ends_with("x|***…"), "{}", said.get(said.len() - 30..).unwrap());
        let said = stretch(&mut outputs, &[b"me-open-1 and more\n"], false);
        assert_eq!(said, "…*** and more\n");
    }

    #[test]
    fn text_is_marked_where_output_is_left_out() {
        let full = |end: &str| [&vec![b'\n'; 64 * 1024 - end.len()], end.as_bytes()].concat();
        // One byte is left out, which nothing shows but the mark.
        for (end, shown) in [("!!!", "\n|!!!…"), ("!!!\n", "\n!!!\n")] {
            let mut outputs = Outputs::default();
            let said = stretch(&mut outputs, &[&full(end), b"!"], false);
            assert!(said.ends_with(shown), "{:?}", said.trim_start());
            assert_eq!(stretch(&mut outputs, &[b"!\n"], false), "…!\n");
            assert_eq!(stretch(&mut outputs, &[b"!\n"], false), "!\n");
        }
    }

    #[test]
    fn end_of_a_line_waits_for_one_stretch() {
        let mut outputs = Outputs::default();
        assert_eq!(stretch(&mut outputs, &[b"one\nfo"], false), "one\n");
        assert_eq!(stretch(&mut outputs, &[b"[m"], false), "m|fo");
        assert_eq!(stretch(&mut outputs, &[], false), "");
        assert_eq!(stretch(&mut outputs, &[b"ur\n", "gr\u{fc}".as_bytes()], true), "ur\n|grü");
        // What came in this stretch waits for the next one, whatever has waited before.
        assert_eq!(stretch(&mut outputs, &[b"fo"], false), "");
        assert_eq!(stretch(&mut outputs, &[b"ur\nfi"], false), "four\n");
        assert_eq!(stretch(&mut outputs, &[b"ve\n"], false), "five\n");
        // A secret that has begun, and one that does not continue.
        assert_eq!(stretch(&mut outputs, &[b"sesame"], false), "");
        assert_eq!(stretch(&mut outputs, &[], false), "***…");
        assert_eq!(stretch(&mut outputs, &[b"-open-1\n"], false), "…***\n");
        assert_eq!(stretch(&mut outputs, &[b"a\n"], false), "a\n");
        // What only may begin one is shown, without a mark.
        assert_eq!(stretch(&mut outputs, &[b"as"], false), "");
        assert_eq!(stretch(&mut outputs, &[], false), "as");
        assert_eq!(stretch(&mut outputs, &[b"k\n"], false), "k\n");
    }

    #[test]
    fn end_of_a_line_waits_unless_it_is_long() {
        let lines = "line\n".repeat(LINE_BYTES_MAX);
        for (length, is_shown) in [(LINE_BYTES_MAX, false), (LINE_BYTES_MAX + 1, true)] {
            let all = format!("{lines}{}", "x".repeat(length));
            let said = stretch(&mut Outputs::default(), &[all.as_bytes()], false);
            assert!(said == if is_shown { &*all } else { &*lines }, "{} bytes", said.len());
        }
    }

    #[test]
    fn texts_have_the_number_of_the_output_that_they_begin_with() {
        let (mut outputs, redaction) = (Outputs::default(), Redaction::default());
        let mut numbers = Vec::new();
        for (number, write) in (1..).zip(["a", "", "b\nc", "", "d\n", "e"]) {
            let mut texts = Texts::default();
            texts.output(Stream::Stdout, write.as_bytes(), (number, Instant::now()));
            let ready = outputs.take(&mut texts, &redaction, false).into_iter();
            numbers.extend(ready.map(|ready| (ready.at.0, ready.text, ready.bytes)));
        }
        let expected = [(1, "a", 1), (3, "b\n", 2), (3, "c", 1), (5, "d\n", 2)];
        assert_eq!(numbers, expected.map(|(number, text, bytes)| (number, text.to_owned(), bytes)));
    }

    #[test]
    fn characters_and_bytes_that_are_no_text_are_kept() {
        let mut outputs = Outputs::default();
        let long = [&[b'x'; LINE_BYTES_MAX + 1], &b"\xc3"[..]].concat();
        assert_eq!(stretch(&mut outputs, &[&long], false).len(), LINE_BYTES_MAX + 1);
        assert_eq!(stretch(&mut outputs, &[b"\xbc\n"], false), "ü\n");
        assert_eq!(stretch(&mut outputs, &[b"a\xff\xfesesa"], false), "");
        assert_eq!(stretch(&mut outputs, &[b"me-open-1\n"], false), "a\u{fffd}\u{fffd}***\n");
        let long = [&[b'x'; LINE_BYTES_MAX + 1], &b"\xffsesa"[..]].concat();
        assert_eq!(stretch(&mut outputs, &[&long], false).chars().count(), LINE_BYTES_MAX + 2);
        assert_eq!(stretch(&mut outputs, &[b"me-open-1\n"], false), "***\n");
    }
}
