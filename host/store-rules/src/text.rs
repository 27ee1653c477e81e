//! Texts of others in messages.
//!
//! 1. A text cannot control a terminal, and cannot make a line look like another.

use crate::limits::LOG_LINE_BYTES_MAX;

/// The longest name of a foreign element, key or type that a message shows, in characters.
const SHOWN_CHARS_MAX: usize = 120;

/// Returns the text of a log line: visible, and cut to a limit.
pub fn log_line(text: &str) -> String {
    let mut line = String::new();
    for character in text.chars() {
        if line.len() >= LOG_LINE_BYTES_MAX {
            line.push('…');
            break;
        }
        line.push(visible_character(character));
    }
    line
}

/// Returns the text without characters that could control a terminal or make a line look like
/// another.
pub fn visible(text: &str) -> String {
    text.chars().map(visible_character).collect()
}

/// Shortens a foreign text for a message.
pub fn shown(text: &str) -> String {
    let mut shown: String = text.chars().take(SHOWN_CHARS_MAX).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    shown
}

fn visible_character(character: char) -> char {
    if deceives(character) { '\u{fffd}' } else { character }
}

/// Returns true for control characters, line separators, changes of text direction, and invisible
/// tags.
pub fn deceives(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2066}'..='\u{2069}' | '\u{feff}' | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_cannot_drive_a_terminal() {
        for visible in [visible, log_line] {
            assert_eq!(visible("a\x1b[2Jb\n"), "a\u{fffd}[2Jb\u{fffd}");
            assert_eq!(
                visible("a\u{202e}\u{2067}\u{2028}\u{e0041}b"),
                "a\u{fffd}\u{fffd}\u{fffd}\u{fffd}b"
            );
            let name = "Zoë e\u{301} \u{1f469}\u{200d}\u{1f52c}";
            assert_eq!(visible(name), name);
        }
    }

    #[test]
    fn long_texts_are_cut() {
        let long = "x".repeat(5000);
        let line = log_line(&long);
        assert!(line.len() < LOG_LINE_BYTES_MAX + 8 && line.ends_with('…'));
        assert_eq!(visible(&long), long);
        assert_eq!(shown(&long), format!("{}…", "x".repeat(SHOWN_CHARS_MAX)));
        assert_eq!(shown("größe"), "größe");
    }
}
