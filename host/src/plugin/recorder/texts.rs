//! The messages and the output of a stretch of time, up to a limit.

use std::time::Instant;

use crate::numbers::to_u64;
use crate::sandbox::bindings::wasi::logging::logging::Level;

/// The most bytes of messages and output that are kept in a stretch.
const BYTES_MAX: usize = 64 * 1024;

/// The most messages and texts of output in a stretch.
const TEXTS_MAX: usize = 256;

/// A stream of the plugin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::plugin) enum Stream {
    Stdout,
    Stderr,
}

impl Stream {
    pub(super) const ALL: [Self; 2] = [Self::Stdout, Self::Stderr];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Stdout => "stdout",
            Self::Stderr => "stderr",
        }
    }
}

/// One value for each stream.
#[derive(Debug, Default)]
pub(super) struct PerStream<T> {
    stdout: T,
    stderr: T,
}

impl<T> PerStream<T> {
    pub(super) fn of(&mut self, stream: Stream) -> &mut T {
        match stream {
            Stream::Stdout => &mut self.stdout,
            Stream::Stderr => &mut self.stderr,
        }
    }
}

/// A message, or consecutive output to one stream.
#[derive(Debug)]
pub(super) struct Text {
    pub(super) kind: TextKind,
    pub(super) bytes: Vec<u8>,
    /// The number and the time of its first piece.
    pub(super) at: (u64, Instant),
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum TextKind {
    Message(Level),
    Output(Stream),
}

/// The texts of a stretch, in their order.
#[derive(Debug, Default)]
pub(super) struct Texts {
    pub(super) kept: Vec<Text>,
    bytes: usize,
    /// Messages that found no room.
    pub(super) messages_left_out: u64,
    /// Bytes of output that found no room: the last ones of a stream.
    pub(super) bytes_left_out: PerStream<u64>,
}

impl Texts {
    pub(super) fn message(&mut self, level: Level, text: &str, at: (u64, Instant)) {
        if self.kept.len() >= TEXTS_MAX || self.bytes + text.len() > BYTES_MAX {
            self.messages_left_out += 1;
            return;
        }
        self.bytes += text.len();
        let bytes = text.as_bytes().to_vec();
        self.kept.push(Text { kind: TextKind::Message(level), bytes, at });
    }

    pub(super) fn output(&mut self, stream: Stream, bytes: &[u8], at: (u64, Instant)) {
        let room = BYTES_MAX.saturating_sub(self.bytes);
        let kept = bytes.get(..room).unwrap_or(bytes);
        let is_full = self.kept.len() >= TEXTS_MAX;
        let taken = match self.kept.last_mut() {
            Some(last) if last.kind == TextKind::Output(stream) => {
                last.bytes.extend_from_slice(kept);
                kept.len()
            }
            _ if is_full || kept.is_empty() => 0,
            _ => {
                let kind = TextKind::Output(stream);
                self.kept.push(Text { kind, bytes: kept.to_vec(), at });
                kept.len()
            }
        };
        self.bytes += taken;
        let left_out = self.bytes_left_out.of(stream);
        *left_out = left_out.saturating_add(to_u64(bytes.len().saturating_sub(taken)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn consecutive_output_to_a_stream_is_one_text() {
        let (mut texts, now) = (Texts::default(), Instant::now());
        texts.output(Stream::Stdout, b"a", (1, now));
        texts.output(Stream::Stdout, &[b'b'; 5_000], (2, now));
        texts.output(Stream::Stderr, b"c", (3, now));
        texts.message(Level::Info, "d", (4, now));
        texts.output(Stream::Stderr, b"e", (5, now));
        let seen: Vec<_> = texts.kept.iter().map(|text| (text.at.0, text.bytes.len())).collect();
        assert_eq!(seen, [(1, 5_001), (3, 1), (4, 1), (5, 1)]);
    }

    #[test]
    fn texts_are_bounded_and_the_rest_is_counted() {
        let (mut texts, now) = (Texts::default(), Instant::now());
        for number in 0..1_000 {
            texts.output(Stream::Stdout, &[b'x'; 1_000], (number, now));
        }
        texts.message(Level::Info, "m", (1_000, now));
        let kept: usize = texts.kept.iter().map(|text| text.bytes.len()).sum();
        assert_eq!((kept, texts.messages_left_out), (BYTES_MAX, 1));
        assert_eq!(*texts.bytes_left_out.of(Stream::Stdout), 1_000_000 - to_u64(BYTES_MAX));
        let mut texts = Texts::default();
        for number in 0..1_000 {
            texts.message(Level::Info, "m", (number, now));
        }
        assert_eq!((texts.kept.len(), texts.messages_left_out), (TEXTS_MAX, 744));
        let mut texts = Texts::default();
        for number in 0..500 {
            texts.output(Stream::Stdout, b"12", (number, now));
            texts.output(Stream::Stderr, b"3", (number, now));
        }
        assert_eq!(texts.kept.len(), TEXTS_MAX);
        // The last text takes more, and no other is begun.
        let left_out = Stream::ALL.map(|stream| *texts.bytes_left_out.of(stream));
        assert_eq!(left_out, [2 * 372, 0]);
    }

    #[test]
    fn bytes_are_kept_up_to_the_bound_and_nothing_beyond() {
        let (mut texts, now) = (Texts::default(), Instant::now());
        let half = "m".repeat(BYTES_MAX / 2);
        texts.message(Level::Info, &half, (1, now));
        texts.message(Level::Info, &half, (2, now));
        assert_eq!((texts.kept.len(), texts.messages_left_out), (2, 0));
        texts.message(Level::Info, "m", (3, now));
        texts.output(Stream::Stdout, b"o", (4, now));
        // No text is begun for nothing.
        assert_eq!((texts.kept.len(), texts.messages_left_out), (2, 1));
        assert_eq!(*texts.bytes_left_out.of(Stream::Stdout), 1);
    }
}
