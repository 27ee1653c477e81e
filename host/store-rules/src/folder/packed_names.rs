//! The names in a folder, as one scan found them: a compact copy, in order.
//!
//! Must not know: the meaning of a name, or the use of the listing.
//!
//! 1. Each name takes its bytes and 7 more, up to a limit for all. Sorting takes 16 more for each.

use std::ops::Range;

use crate::folder::entry::What;
use crate::numbers::to_usize;

/// The bytes before each name: its length and its kind.
const HEAD_BYTES: usize = 3;

/// The names that a scan found, sorted bytewise once all are added. That of a folder ends with a
/// slash.
#[derive(Debug, Default)]
pub struct PackedNames {
    /// Each name behind its head.
    names: Vec<u8>,
    /// The starts of the heads, in the order of the names.
    order: Vec<u32>,
}

/// The names take more bytes than allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooLarge;

impl PackedNames {
    /// Adds a name, if all take at most `bytes_max` bytes then.
    ///
    /// # Errors
    /// The names are too large.
    pub fn push(&mut self, name: &str, kind: What, bytes_max: usize) -> Result<(), TooLarge> {
        let start = u32::try_from(self.names.len()).map_err(|_| TooLarge)?;
        let [low, high] = u16::try_from(name.len()).map_err(|_| TooLarge)?.to_le_bytes();
        self.names.extend([low, high, byte_of(kind)]);
        self.names.extend(name.as_bytes());
        self.order.push(start);
        if self.bytes() > bytes_max { Err(TooLarge) } else { Ok(()) }
    }

    /// Sorts the names.
    pub fn sort(&mut self) {
        self.names.shrink_to_fit();
        // Names of a log begin alike. The bytes behind that, as a number, order almost all of them
        // without a look at the names.
        let common = self.common_start();
        let key = |start: &u32| {
            let mut first = [0; 8];
            let rest = self.name(*start).get(common..).unwrap_or_default();
            first.iter_mut().zip(rest).for_each(|(to, from)| *to = *from);
            (u64::from_be_bytes(first), *start)
        };
        let mut keys: Vec<_> = self.order.iter().map(key).collect();
        keys.sort_unstable_by(|(one, one_start), (other, other_start)| {
            one.cmp(other).then_with(|| self.name(*one_start).cmp(self.name(*other_start)))
        });
        self.order = keys.into_iter().map(|(_, start)| start).collect();
    }

    /// Returns the name at a place in their order, and its kind.
    pub fn get(&self, at: usize) -> Option<(&str, What)> {
        let start = *self.order.get(at)?;
        let name = std::str::from_utf8(self.name(start)).ok()?;
        Some((name, kind_of(self.head(start).0)))
    }

    /// Returns the number of names.
    pub fn count(&self) -> usize {
        self.order.len()
    }

    /// Returns the bytes that the names take.
    pub fn bytes(&self) -> usize {
        self.names.len() + self.order.len() * size_of::<u32>()
    }

    /// The number of bytes with which all names begin.
    fn common_start(&self) -> usize {
        let mut starts = self.order.iter();
        let Some(first) = starts.next().map(|start| self.name(*start)) else { return 0 };
        starts.fold(first.len(), |common, start| {
            let equal = first.iter().zip(self.name(*start)).take(common);
            equal.take_while(|(one, other)| one == other).count()
        })
    }

    fn head(&self, start: u32) -> (u8, Range<usize>) {
        let at = to_usize(start.into());
        match self.names.get(at..at + HEAD_BYTES) {
            Some([low, high, kind]) => {
                let length = usize::from(u16::from_le_bytes([*low, *high]));
                (*kind, at + HEAD_BYTES..at + HEAD_BYTES + length)
            }
            _ => (0, 0..0),
        }
    }

    fn name(&self, start: u32) -> &[u8] {
        self.names.get(self.head(start).1).unwrap_or_default()
    }
}

fn byte_of(kind: What) -> u8 {
    match kind {
        What::File => 0,
        What::Folder => 1,
        What::Link => 2,
        What::Special => 3,
    }
}

fn kind_of(byte: u8) -> What {
    match byte {
        0 => What::File,
        1 => What::Folder,
        2 => What::Link,
        _ => What::Special,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scan_of(names: &[&str]) -> PackedNames {
        let mut scan = PackedNames::default();
        for name in names {
            assert_eq!(scan.push(name, What::File, 1_000_000), Ok(()));
        }
        scan.sort();
        scan
    }

    fn names(scan: &PackedNames) -> Vec<&str> {
        (0..scan.count()).map(|at| scan.get(at).unwrap().0).collect()
    }

    #[test]
    fn names_are_sorted_bytewise() {
        let cases: [&[&str]; 6] = [
            &[],
            &["a"],
            &["b", "a", "ab", "", "B", "a\u{ff5e}", "a\u{1f600}"],
            // One is the start of the others, up to and beyond the number.
            &["log_", "log_1", "log_12345678", "log_123456789", "log_123456780", "log_12"],
            // The number is the same for all.
            &["x00000000b", "x00000000a", "y"],
            &["batch_2_b", "batch_2_a", "batch_10", "batch_1"],
        ];
        for case in cases {
            let mut expected = case.to_vec();
            expected.sort_unstable();
            assert_eq!(names(&scan_of(case)), expected);
        }
    }

    #[test]
    fn kind_of_each_name_is_kept() {
        let kinds = [What::File, What::Folder, What::Link, What::Special];
        let mut scan = scan_of(&[]);
        for (at, kind) in kinds.into_iter().enumerate() {
            assert_eq!(scan.push(&format!("name{at}"), kind, 1_000), Ok(()));
        }
        let found: Vec<_> = (0..4).map(|at| scan.get(at).unwrap().1).collect();
        assert_eq!(found, kinds);
        assert_eq!(scan.get(4), None);
    }

    #[test]
    fn names_beyond_the_limit_are_refused() {
        let mut scan = scan_of(&[]);
        assert_eq!(scan.push("12345", What::File, 24), Ok(()));
        assert_eq!(scan.bytes(), 12);
        assert_eq!(scan.push("12345", What::File, 24), Ok(()));
        assert_eq!(scan.push("", What::File, 24), Err(TooLarge));
    }
}
