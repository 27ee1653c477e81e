//! Texts of others in messages.
//!
//! 1. A text cannot control a terminal, and cannot make a line look like another.

use crate::limits::LOG_LINE_BYTES_MAX;

/// The longest name of a foreign element, key or type that a message shows, in characters.
const SHOWN_CHARS_MAX: usize = 120;

/// The mark of a cut: a text that ends with it has more.
pub const CUT: char = '…';

/// Returns the text of a log line: visible, and cut to a limit.
pub fn log_line(text: &str) -> String {
    let mut line = String::new();
    for character in text.chars() {
        if line.len() >= LOG_LINE_BYTES_MAX {
            line.push(CUT);
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
    cut(text, SHOWN_CHARS_MAX)
}

/// Returns the first characters of a text. [`CUT`] says that it has more.
pub fn cut(text: &str, chars_max: usize) -> String {
    let mut first: String = text.chars().take(chars_max).collect();
    if first.len() < text.len() {
        first.push(CUT);
    }
    first
}

fn visible_character(character: char) -> char {
    if deceives(character) { '\u{fffd}' } else { character }
}

/// Returns true for characters that could control a terminal or make a text look like another: all
/// that cannot be seen, but for those that shape the letters next to them.
fn deceives(character: char) -> bool {
    is_invisible(character) && !joins_or_varies(character)
}

/// Returns true for characters that shape letters, and so belong to names and words: joiners of
/// Persian, of Indian scripts and of pictures, and selectors of a variant.
fn joins_or_varies(character: char) -> bool {
    matches!(character,
        '\u{180b}'..='\u{180d}' | '\u{180f}' | '\u{200c}' | '\u{200d}'
        | '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}')
}

/// Returns true for characters that no font draws: control characters, separators of lines, anchors
/// of annotations, and all that Unicode calls default ignorable, such as zero-width spaces, soft
/// hyphens, changes of text direction and tags.
pub fn is_invisible(character: char) -> bool {
    character.is_control()
        || matches!(character,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}'
            | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}' | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use icu_properties::props::{DefaultIgnorableCodePoint, GeneralCategory};
    use icu_properties::{CodePointMapData, CodePointSetData};

    use super::*;

    #[test]
    fn texts_cannot_drive_a_terminal() {
        for visible in [visible, log_line] {
            assert_eq!(visible("a\x1b[2Jb\n"), "a\u{fffd}[2Jb\u{fffd}");
            assert_eq!(
                visible("a\u{202e}\u{2067}\u{2028}\u{e0041}b"),
                "a\u{fffd}\u{fffd}\u{fffd}\u{fffd}b"
            );
            assert_eq!(visible("a\u{200b}b\u{2060}c\u{ad}"), "a\u{fffd}b\u{fffd}c\u{fffd}");
            let name = "Zoë e\u{301} \u{1f469}\u{200d}\u{1f52c} \u{2764}\u{fe0f}";
            assert_eq!(visible(name), name);
        }
    }

    #[test]
    fn invisible_characters_are_those_of_unicode() {
        /// Signs of Arabic, Syriac, Kaithi and hieroglyphs, which are drawn around their letters.
        const DRAWN: [std::ops::RangeInclusive<char>; 8] = [
            '\u{600}'..='\u{605}',
            '\u{6dd}'..='\u{6dd}',
            '\u{70f}'..='\u{70f}',
            '\u{890}'..='\u{891}',
            '\u{8e2}'..='\u{8e2}',
            '\u{110bd}'..='\u{110bd}',
            '\u{110cd}'..='\u{110cd}',
            '\u{13430}'..='\u{1343f}',
        ];
        let ignorable = CodePointSetData::new::<DefaultIgnorableCodePoint>();
        let category = CodePointMapData::<GeneralCategory>::new();
        for character in '\0'..=char::MAX {
            use GeneralCategory as Is;
            let is_of_unicode = ignorable.contains(character)
                || match category.get(character) {
                    Is::Control | Is::LineSeparator | Is::ParagraphSeparator => true,
                    Is::Format => !DRAWN.iter().any(|drawn| drawn.contains(&character)),
                    _ => false,
                };
            assert_eq!(is_invisible(character), is_of_unicode, "{character:?}");
            assert!(is_invisible(character) || !joins_or_varies(character), "{character:?}");
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
