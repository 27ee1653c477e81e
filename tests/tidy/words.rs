//! The words that the glossary of ARCHITECTURE.md and the words of style in CONTRIBUTING.md do not
//! use, and their forms.

use super::sources::root;

/// The pages with a table of words, and the headings of the tables.
pub(crate) const TABLES: [(&str, &str); 2] =
    [("ARCHITECTURE.md", "\n## Glossary\n"), ("CONTRIBUTING.md", "\n### Words\n")];

/// Words that only look like a form of a forbidden one: this one means "in addition to".
const OTHER_WORDS: [&str; 1] = ["besides"];

/// The words of the last column of the tables.
pub(crate) struct Forbidden(Vec<Phrase>);

struct Phrase {
    text: String,
    /// The forms of each word.
    words: Vec<Vec<String>>,
}

impl Phrase {
    fn new(text: &str) -> Self {
        Self { text: text.to_owned(), words: text.split(' ').map(forms).collect() }
    }

    fn is_in(&self, words: &[&str]) -> bool {
        words.windows(self.words.len()).any(|window| {
            let mut pairs = window.iter().zip(&self.words);
            pairs.all(|(word, forms)| forms.iter().any(|form| form == word))
        })
    }
}

impl Forbidden {
    /// Reads the tables.
    pub(crate) fn load() -> Self {
        let mut phrases = Vec::new();
        for (page, heading) in TABLES {
            let page = std::fs::read_to_string(root().join(page)).unwrap();
            let (_, table) = page.split_once(heading).unwrap();
            let table = table.split("\n## ").next().unwrap_or_default();
            let rows = table.lines().filter(|line| line.starts_with('|')).skip(2);
            let cells = rows.filter_map(|row| row.trim_matches('|').rsplit('|').next());
            let texts = cells.flat_map(|cell| cell.split(','));
            let texts = texts.map(|text| text.trim().to_lowercase());
            let before = phrases.len();
            phrases.extend(texts.filter(|text| !text.is_empty()).map(|text| Phrase::new(&text)));
            assert!(
                phrases.len() > before + 4,
                "{heading} has a column of words that are not used"
            );
        }
        Self(phrases)
    }

    /// Returns the phrases whose words stand next to each other in the text, in any case and form.
    pub(crate) fn found_in(&self, text: &str) -> Vec<&str> {
        let text = text.to_lowercase();
        let words: Vec<&str> =
            text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
        let found = self.0.iter().filter(|phrase| phrase.is_in(&words));
        found.map(|phrase| phrase.text.as_str()).collect()
    }
}

/// Returns a word with the regular endings of nouns and verbs: `merge`, `merges`, `merging`.
///
/// The glossary itself lists irregular forms and nouns for a person, as `lent` and `lender`.
fn forms(word: &str) -> Vec<String> {
    let mut forms = vec![word.to_owned()];
    forms.extend(["s", "es", "d", "ed", "ing"].map(|ending| format!("{word}{ending}")));
    if let Some(stem) = word.strip_suffix('e') {
        forms.push(format!("{stem}ing"));
    }
    if let Some(stem) = word.strip_suffix('y') {
        forms.extend(["ies", "ied"].map(|ending| format!("{stem}{ending}")));
    }
    if let Some(last) = word.chars().next_back() {
        // As in `trimmed`.
        forms.extend(["ed", "ing"].map(|ending| format!("{word}{last}{ending}")));
    }
    forms.retain(|form| !OTHER_WORDS.contains(&form.as_str()));
    forms
}

/// Puts spaces between the words of names: `HostBytes` and `hostBytes` become `Host Bytes` and
/// `host Bytes`.
pub(crate) fn spelled(text: &str) -> String {
    let mut words = String::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        let ends_acronym = words.ends_with(char::is_uppercase)
            && chars.peek().is_some_and(|next| next.is_lowercase());
        if c.is_uppercase() && (words.ends_with(char::is_lowercase) || ends_acronym) {
            words.push(' ');
        }
        words.push(c);
    }
    words
}

#[cfg(test)]
fn forbidden(phrases: &[&str]) -> Forbidden {
    Forbidden(phrases.iter().map(|phrase| Phrase::new(phrase)).collect())
}

#[test]
fn forms_of_forbidden_words_are_found() {
    let words = forbidden(&["haystack", "make hay", "carry", "trim", "go up"]);
    for text in ["Haystacks.", "a haystack's", "haystacked", "making\nhay", "it makes hay,"] {
        assert_eq!(words.found_in(text).len(), 1, "{text}");
    }
    for text in ["carries", "carried", "trimmed", "it trims", "goes up", "going-up"] {
        assert_eq!(words.found_in(text).len(), 1, "{text}");
    }
    for text in ["hay stacks", "hay to make", "carrier", "going to turn up", "untrimmed"] {
        assert!(words.found_in(text).is_empty(), "{text}");
    }
}

#[test]
fn forms_leave_out_other_words() {
    for other in OTHER_WORDS {
        let word = other.trim_end_matches('s');
        let words = forbidden(&[word]);
        assert_eq!(words.found_in(word), [word]);
        assert!(words.found_in(other).is_empty());
    }
}

#[test]
fn names_are_spelled_by_their_words() {
    assert_eq!(spelled("OldHay oldHay"), "Old Hay old Hay");
    let words = forbidden(&["hay stack"]);
    for name in ["HayStacks", "hay_stacks", "HAY_STACK", "hay-stack", "hayStack", "WASIHayStack"] {
        assert_eq!(words.found_in(&spelled(name)), ["hay stack"], "{name}");
    }
    assert!(words.found_in(&spelled("gray_stack")).is_empty());
}
