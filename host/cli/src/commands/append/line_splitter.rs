//! Splits blocks of input into whole lines, in bounded memory. Knows no log and does no I/O.

/// Splits the blocks of one file into lines.
pub(crate) struct LineSplitter {
    line_bytes_max: usize,
    /// The start of an incomplete line; at most `line_bytes_max`.
    open: Vec<u8>,
    /// True if the current line is too long: none of it is kept.
    passing_over: bool,
}

/// The lines that a block completed.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Cut {
    /// Whole lines, each ended by LF; may be empty.
    pub(crate) lines: Vec<u8>,
    /// True if a line that is too long follows. Its end may be in a later block.
    pub(crate) then_too_long: bool,
}

impl LineSplitter {
    pub(crate) fn new(line_bytes_max: usize) -> Self {
        Self { line_bytes_max, open: Vec::new(), passing_over: false }
    }

    /// Adds the next block of the file.
    pub(crate) fn push(&mut self, mut block: &[u8]) -> Cut {
        if self.passing_over {
            let Some((_, rest)) = split_after_first_lf(block) else { return Cut::default() };
            self.passing_over = false;
            block = rest;
        }
        let mut cut = Cut::default();
        match split_after_last_lf(block) {
            Some((lines, rest)) => {
                self.open.extend_from_slice(lines);
                cut.lines = std::mem::replace(&mut self.open, rest.to_vec());
            }
            None => self.open.extend_from_slice(block),
        }
        if self.open.len() > self.line_bytes_max {
            self.open = Vec::new();
            self.passing_over = true;
            cut.then_too_long = true;
        }
        cut
    }

    /// Ends the file: a last line without LF is a line.
    pub(crate) fn finish(&mut self) -> Vec<u8> {
        self.passing_over = false;
        let mut line = std::mem::take(&mut self.open);
        if !line.is_empty() {
            line.push(b'\n');
        }
        line
    }

    /// Returns the bytes of the incomplete line.
    pub(crate) fn open_bytes(&self) -> usize {
        self.open.len()
    }
}

fn split_after_first_lf(block: &[u8]) -> Option<(&[u8], &[u8])> {
    block.split_at_checked(memchr::memchr(b'\n', block)?.checked_add(1)?)
}

fn split_after_last_lf(block: &[u8]) -> Option<(&[u8], &[u8])> {
    block.split_at_checked(memchr::memrchr(b'\n', block)?.checked_add(1)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Splits the blocks and shows the result: lines, and `!` for a line that is too long.
    fn cut(line_bytes_max: usize, blocks: &[&str]) -> String {
        let mut splitter = LineSplitter::new(line_bytes_max);
        let mut out = String::new();
        for block in blocks {
            let cut = splitter.push(block.as_bytes());
            assert!(cut.lines.is_empty() || cut.lines.ends_with(b"\n"));
            out.push_str(&String::from_utf8(cut.lines).unwrap());
            if cut.then_too_long {
                out.push('!');
            }
            assert!(splitter.open_bytes() <= line_bytes_max);
        }
        out.push_str(&String::from_utf8(splitter.finish()).unwrap());
        out
    }

    #[test]
    fn lines_come_out_whole_wherever_the_blocks_end() {
        let table: [(&[&str], &str); 8] = [
            (&[], ""),
            (&["a\nb\n"], "a\nb\n"),
            (&["a\nb"], "a\nb\n"),
            (&["a", "b", "\n", "c"], "ab\nc\n"),
            (&["a\r\n", "\n", "\n"], "a\r\n\n\n"),
            (&["12345\n1234", "5\n"], "12345\n12345\n"),
            // Kept until the LF, since it is short enough: the log checks it.
            (&["123456\n"], "123456\n"),
            (&["1234", "56\nx\n"], "123456\nx\n"),
        ];
        for (blocks, lines) in table {
            assert_eq!(cut(5, blocks), lines, "{blocks:?}");
        }
    }

    #[test]
    fn line_that_is_too_long_is_passed_over_and_not_kept() {
        let table: [(&[&str], &str); 6] = [
            (&["123456"], "!"),
            (&["a\n123", "456", "789", "0\nb"], "a\n!b\n"),
            (&["a\n123456", "7\n", "b\n"], "a\n!b\n"),
            (&["123456", "\n\nb\n"], "!\nb\n"),
            (&["123456", "\n123456", "\n1"], "!!1\n"),
            (&["123456", "7", "8"], "!"),
        ];
        for (blocks, lines) in table {
            assert_eq!(cut(5, blocks), lines, "{blocks:?}");
        }
    }
}
