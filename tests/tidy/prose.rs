//! Texts and names have the words of the glossary.
//!
//! Rust and WIT: comments, string literals, and each name in the code. Pages: all but the glossary
//! and what is in backquotes. Scripts and settings: every line, since their names are few.

use std::collections::BTreeMap;

use super::literals::{code, comments, literals};
use super::none;
use super::sources::{Source, sources};
use super::words::{Forbidden, TABLES, spelled};

/// The endings of scripts and settings.
const SCRIPTS: [&str; 6] = ["js", "mjs", "py", "sh", "toml", "wat"];

/// Signs before the text of a line in a comment.
const MARKS: [char; 6] = ['/', '!', '*', '#', ';', ' '];

#[test]
fn words_are_those_of_the_glossary() {
    let forbidden = Forbidden::load();
    let mut found = Vec::new();
    for source in sources(&[&["rs", "wit", "md"], &SCRIPTS[..]].concat()) {
        for (number, text) in texts(&source.ending(), &source.text) {
            let phrases = forbidden.found_in(&text).into_iter();
            found.extend(phrases.map(|phrase| format!("{}:{number}: {phrase}", source.path)));
        }
    }
    none(found, "a word has another one in the glossary of ARCHITECTURE.md");
}

#[test]
fn names_are_words_of_the_glossary() {
    let forbidden = Forbidden::load();
    let mut found = Vec::new();
    for source in sources(&[&["rs", "wit", "md"], &SCRIPTS[..]].concat()) {
        let named = match source.ending().as_str() {
            "rs" | "wit" => names(&source),
            _ => BTreeMap::new(),
        };
        for (name, number) in named.into_iter().chain([(source.path.clone(), 1)]) {
            for phrase in forbidden.found_in(&spelled(&name)) {
                found.push(format!("{}:{number}: {name}: {phrase}", source.path));
            }
        }
    }
    none(found, "a name has a word that has another one in the glossary of ARCHITECTURE.md");
}

/// Returns all names in the code, each with its first line: of items, fields, variants, parameters
/// and variables, also of other crates.
fn names(source: &Source) -> BTreeMap<String, usize> {
    let is_wit = source.path.ends_with(".wit");
    let is_of_name = |c: char| c.is_alphanumeric() || c == '_' || (is_wit && c == '-');
    let mut names = BTreeMap::new();
    for (number, line) in (1..).zip(code(&source.text).lines()) {
        for name in line.split(|c| !is_of_name(c)).filter(|name| !name.is_empty()) {
            names.entry(name.to_owned()).or_insert(number);
        }
    }
    names
}

/// Returns the texts of a file with this ending, each with its line.
fn texts(ending: &str, text: &str) -> Vec<(usize, String)> {
    let lines = |text: &str| {
        let lines = (1..).zip(text.lines().map(str::to_owned));
        paragraphs(lines)
    };
    match ending {
        "rs" => {
            let mut texts = paragraphs(comments(text).into_iter());
            texts.extend(literals(text));
            without_code(texts)
        }
        "wit" => without_code(paragraphs(comments(text).into_iter())),
        "md" => without_code(lines(&without_tables(text))),
        _ => lines(text).into_iter().map(|(number, text)| (number, spelled(&text))).collect(),
    }
}

/// Removes what is in backquotes: names in code are what they are.
fn without_code(texts: Vec<(usize, String)>) -> Vec<(usize, String)> {
    let prose = |text: String| text.split('`').step_by(2).collect::<Vec<_>>().join(" ");
    texts.into_iter().map(|(number, text)| (number, prose(text))).collect()
}

/// Empties the tables of words. The other lines keep their numbers.
fn without_tables(page: &str) -> String {
    let mut page = page.to_owned();
    for (_, heading) in TABLES {
        let Some((before, table)) = page.split_once(heading) else { continue };
        let (table, behind) = table.split_at(table.find("\n## ").unwrap_or(table.len()));
        let lines = table.split('\n').map(|line| if line.starts_with('|') { "" } else { line });
        let lines = lines.collect::<Vec<_>>().join("\n");
        page = format!("{before}{heading}{lines}{behind}");
    }
    page
}

/// Joins consecutive lines: a phrase may go over their end. A row of a table stays alone.
fn paragraphs(lines: impl Iterator<Item = (usize, String)>) -> Vec<(usize, String)> {
    let mut found: Vec<(usize, String)> = Vec::new();
    let mut last = 0;
    for (number, line) in lines {
        let text = line.trim_start_matches(MARKS);
        match found.last_mut() {
            Some((_, paragraph))
                if number == last + 1 && !text.is_empty() && !text.starts_with('|') =>
            {
                paragraph.push(' ');
                paragraph.push_str(text);
            }
            _ => found.push((number, text.to_owned())),
        }
        last = if text.is_empty() { 0 } else { number };
    }
    found
}

#[cfg(test)]
fn joined(ending: &str, text: &str) -> String {
    let texts = texts(ending, text).into_iter().map(|(number, text)| format!("{number}: {text}"));
    texts.collect::<Vec<_>>().join("\n")
}

#[test]
fn texts_of_scripts_have_all_words() {
    let script = "# One\n# two.\n\nsomeBytes = `three`  # (1)";
    assert_eq!(joined("py", script), "1: One two.\n3: \n4: some Bytes = `three`  # (1)");
}

#[test]
fn texts_of_code_are_its_comments_and_literals() {
    let source = "/// One\n/// two `three`.\n\n\nlet four = \"five\"; // six";
    assert_eq!(joined("rs", source), "1: One two  .\n5: six\n5: five");
}

#[test]
fn texts_of_a_page_leave_out_tables_of_words() {
    let page = "One\n\n## Glossary\n\n| a |\n|---|\n\n## Two\nthree";
    let lines = "1: One\n2: \n3: Glossary\n4: \n5: \n6: \n7: \n8: Two three";
    assert_eq!(joined("md", page), lines);
}

#[test]
fn names_of_fields_variants_and_parameters_are_found() {
    let text = "enum A { B(u8) }\nstruct C { d: A }\nfn e(f: C) { |g| h::<I>(\"j\") } // k";
    let names = names(&Source { path: "a.rs".to_owned(), text: text.to_owned() });
    for name in ["A", "B", "C", "d", "e", "f", "g", "h", "I"] {
        assert!(names.contains_key(name), "{name}");
    }
    assert_eq!((names.get("f"), names.get("j"), names.get("k")), (Some(&3), None, None));
    let wit = Source { path: "a.wit".to_owned(), text: "record a { b-c: d }".to_owned() };
    assert!(self::names(&wit).contains_key("b-c"));
}
