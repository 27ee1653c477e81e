//! Formats commands in messages as they can be typed.

use std::path::Path;

/// Quotes the text as one word of a shell.
pub(crate) fn word(path: &Path) -> String {
    let text = path.display().to_string();
    let plain = |c: char| c.is_alphanumeric() || "/._-+:,@%=".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return text;
    }
    format!("'{}'", text.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn word_is_quoted_where_a_shell_would_split_it() {
        let table = [
            ("logs/app-1.jsonl", "logs/app-1.jsonl"),
            ("my log", "'my log'"),
            ("it's", "'it'\\''s'"),
            ("$HOME", "'$HOME'"),
            ("", "''"),
        ];
        for (path, word) in table {
            assert_eq!(super::word(Path::new(path)), word);
        }
    }
}
