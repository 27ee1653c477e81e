//! A statement for DuckDB that reads the events of files.
//!
//! 1. Whole files that follow each other are one call of `read_json`. A range is a call of its own,
//!    with the events to skip and to take.
//! 2. All lines are looked at for the types of the columns, since any event may have other fields.

use std::fmt::Write as _;

use stratalog::LogFile;

/// The statement so far.
#[derive(Default)]
pub(super) struct Statement {
    text: String,
    /// True while the list of a call is open.
    is_open: bool,
}

impl Statement {
    pub(super) fn add(&mut self, path: &str, file: &LogFile) {
        let path = quoted(path);
        match file.events {
            Some(events) if !file.is_whole() => {
                self.close();
                self.begin();
                let before = file.events_before;
                // Writing to a string does not fail.
                write!(self.text, "{path}{OPTIONS} LIMIT {events} OFFSET {before})").ok();
            }
            _ if self.is_open => {
                write!(self.text, ",\n  {path}").ok();
            }
            _ => {
                self.begin();
                self.text.push_str(&path);
                self.is_open = true;
            }
        }
    }

    pub(super) fn end(mut self) -> String {
        self.close();
        if self.text.is_empty() {
            self.text.push_str("SELECT NULL AS event LIMIT 0");
        }
        self.text.push_str(";\n");
        self.text
    }

    fn begin(&mut self) {
        if !self.text.is_empty() {
            self.text.push_str("\nUNION ALL BY NAME\n");
        }
        self.text.push_str("(SELECT * FROM read_json([");
    }

    fn close(&mut self) {
        if std::mem::take(&mut self.is_open) {
            self.text.push_str(OPTIONS);
            self.text.push(')');
        }
    }
}

const OPTIONS: &str = "],\n  format = 'newline_delimited', union_by_name = true, sample_size = -1)";

/// Returns a path as a text of SQL that matches no other path: DuckDB takes `*`, `?` and `[` for a
/// pattern.
fn quoted(path: &str) -> String {
    let mut text = String::from("'");
    for character in path.chars() {
        match character {
            '\'' => text.push_str("''"),
            '*' | '?' | '[' => text.extend(['[', character, ']']),
            other => text.push(other),
        }
    }
    text.push('\'');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_files_are_no_pattern_and_end_no_text() {
        assert_eq!(quoted("it's/a*b?[1]"), "'it''s/a[*]b[?][[]1]'");
    }

    #[test]
    fn statement_without_files_has_no_rows() {
        assert_eq!(Statement::default().end(), "SELECT NULL AS event LIMIT 0;\n");
    }
}
