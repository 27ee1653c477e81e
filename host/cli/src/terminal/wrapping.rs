//! Wraps lines to the terminal's width between words. A terminal itself wraps anywhere.

use std::io::{self, IsTerminal as _};

use console::Term;

/// The most columns that are used, as in help.
const WIDTH_MAX: usize = 100;

/// The columns of a terminal of unknown width.
const WIDTH_DEFAULT: usize = 80;

/// Formats a text for stderr. If stderr is a terminal, each line is wrapped.
pub(crate) fn for_stderr(text: &str) -> String {
    match io::stderr().is_terminal() {
        true => lines(text, width()),
        false => text.to_owned(),
    }
}

fn width() -> usize {
    let columns = Term::stderr().size_checked().map(|(_, columns)| usize::from(columns));
    columns.filter(|columns| *columns > 0).unwrap_or(WIDTH_DEFAULT).min(WIDTH_MAX)
}

/// Wraps each line of a text, and keeps its indentation.
fn lines(text: &str, width: usize) -> String {
    let wrapped = text.split('\n').map(|line| {
        let unindented = line.trim_start_matches(' ');
        let (indent, _) = line.split_at(line.len() - unindented.len());
        column(indent.to_owned(), unindented, width)
    });
    wrapped.collect::<Vec<_>>().join("\n")
}

/// Appends a text as a column of its own. A word that is too wide stays whole.
pub(crate) fn column(columns: String, text: &str, width: usize) -> String {
    let indent = columns.chars().count();
    let (mut wrapped, mut used) = (columns, indent);
    for (number, word) in text.split(' ').enumerate() {
        let length = word.chars().count();
        if used > indent && used + 1 + length > width {
            wrapped.push_str(&format!("\n{:indent$}", ""));
            used = indent;
        } else if number > 0 {
            wrapped.push(' ');
            used += 1;
        }
        wrapped.push_str(word);
        used += length;
    }
    wrapped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_wrapped_as_a_column() {
        let table = [
            ("", "ok  "),
            ("one two", "ok  one two"),
            ("one two three", "ok  one two\n    three"),
            ("one two3", "ok  one two3"),
            ("seventeen or so", "ok  seventeen\n    or so"),
            ("a seventeen b", "ok  a\n    seventeen\n    b"),
        ];
        for (text, expected) in table {
            assert_eq!(column("ok  ".to_owned(), text, 12), expected, "{text:?}");
        }
    }

    #[test]
    fn lines_are_wrapped_between_words_and_keep_their_indent() {
        let table = [
            ("error: it is short\n", "error: it is short\n"),
            ("error: it is a little longer\n", "error: it is a\nlittle longer\n"),
            ("error:\n\n  it is a little longer\n", "error:\n\n  it is a little\n  longer\n"),
            ("/a/path/that/is/longer is whole", "/a/path/that/is/longer\nis whole"),
        ];
        for (text, expected) in table {
            assert_eq!(lines(text, 18), expected, "{text:?}");
        }
    }
}
