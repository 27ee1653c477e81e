//! The trace of a run, as one number, and as text on request.

use std::fmt::Write as _;

/// A run's trace.
#[derive(Clone, Default)]
pub struct Trace {
    hash: u64,
    text: Option<String>,
}

impl Trace {
    pub fn new(recorded: bool) -> Self {
        Self { hash: 0xcbf2_9ce4_8422_2325, text: recorded.then(String::new) }
    }

    /// Records an operation of an actor, its object, and its bytes.
    pub fn note(&mut self, actor: usize, what: &str, object: &str, bytes: &[u8]) {
        let number = u32::try_from(actor).unwrap().to_le_bytes();
        let ends = [0];
        for part in [&number, what.as_bytes(), &ends, object.as_bytes(), &ends, bytes, &ends] {
            self.hash = part.iter().fold(self.hash, |hash, byte| fnv(hash, *byte));
        }
        if let Some(text) = &mut self.text {
            let shown = String::from_utf8_lossy(bytes);
            let shown = shown.trim_end().replace('\n', " ");
            writeln!(text, "{actor:2} {what} {object} {shown}").unwrap();
        }
    }

    /// Returns the FNV-1a hash of all records.
    pub fn hash(&self) -> u64 {
        self.hash
    }

    pub fn text(&self) -> &str {
        self.text.as_deref().unwrap_or_default()
    }
}

fn fnv(hash: u64, byte: u8) -> u64 {
    (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
}

/// Describes where two recorded traces differ: a few lines before, and the first different line of
/// each.
pub fn first_difference(one: &str, other: &str) -> String {
    let (one, other): (Vec<_>, Vec<_>) = (one.lines().collect(), other.lines().collect());
    let same = one.iter().zip(&other).take_while(|(one, other)| one == other).count();
    let before = one[same.saturating_sub(8)..same].join("\n");
    let at =
        |lines: &[&str]| lines.get(same).map_or("(ends)".to_owned(), |line| (*line).to_owned());
    format!(
        "after {same} lines that are equal, the last of them\n{before}\none has\n{}\nand the other\n{}",
        at(&one),
        at(&other)
    )
}
