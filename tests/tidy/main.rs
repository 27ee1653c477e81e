//! The order of the house: layers, circles, and the size and words of files.
//!
//! Reads sources as text and compiles nothing. Findings have a file and a line.

mod crates;
mod items;
mod literals;
mod modules;
mod pages;
mod sources;
mod test_names;

use literals::{comments, literals};
use modules::Modules;
use sources::{Source, links, sources};

/// The layers of the logic, from below. A layer uses only those before it.
const GUEST: [&str; 8] =
    ["mutants", "limits", "ports", "error", "format", "decide", "drive", "component"];

/// The layers of the library, from below.
const HOST: [&str; 10] =
    ["numbers", "limits", "clock", "types", "store", "error", "sandbox", "log", "host", "plugin"];

/// The layers of the command line, from below.
const COMMAND_LINE: [&str; 5] = ["numbers", "terminal", "args", "process", "commands"];

/// Circles that cannot be dissolved, by their files, and the reason.
const CIRCLES: [([&str; 6], &str); 1] = [(
    [
        "sandbox::bindings",
        "sandbox::imports",
        "sandbox::imports::access",
        "sandbox::imports::host_bytes",
        "sandbox::imports::listing",
        "sandbox::imports::object_store",
    ],
    "generated bindings name the types of the resources, whose methods are traits of the bindings",
)];

/// Findings that stay among the imports from the root, and the reason.
const OF_ROOT: [(&str, &str); 3] = [
    ("guest/src: component -> exports::Component", "`super` of a module within the file"),
    ("guest/src: mutants -> Mutant", "`super` of a module within the file"),
    ("host/cli/src: process::signals -> #[path", "a file for each kind of system"),
];

const COLUMNS_MAX: usize = 100;
const LINES_MAX: usize = 400;

/// First words that a summary must not have: it begins with a verb or a noun.
const NO_SUMMARY: [&str; 5] = ["What", "Who", "How", "Whether", "Where"];

/// Words before the name of an item or a variable.
const KEYWORDS: [&str; 16] = [
    "const",
    "enum",
    "fn",
    "let",
    "mod",
    "mut",
    "static",
    "struct",
    "trait",
    "type",
    "interface",
    "record",
    "resource",
    "variant",
    "world",
    "flags",
];

fn none(found: Vec<String>, rule: &str) {
    assert!(found.is_empty(), "{rule}:\n{}", found.join("\n"));
}

#[test]
fn modules_import_only_from_the_layers_below() {
    let mut up = Modules::below("guest/src").upward(&GUEST);
    up.extend(Modules::below("host/src").upward(&HOST));
    up.extend(Modules::below("host/cli/src").upward(&COMMAND_LINE));
    none(up, "a module imports from a layer above its own");
}

#[test]
fn items_are_imported_from_their_own_modules() {
    let places = ["guest/src", "host/src", "host/cli/src"].map(Modules::below);
    let mut found: Vec<_> =
        places.iter().flat_map(|place| place.imports_of_root()).cloned().collect();
    found.retain(|import| !OF_ROOT.iter().any(|(known, _)| known == import));
    none(found, "an import names the root, or is hidden from the test of layers");
}

#[test]
fn no_file_is_a_link() {
    none(links(), "a checkout on Windows has a file with a path in place of a link");
}

#[test]
fn modules_form_no_circle() {
    let mut known: Vec<Vec<String>> =
        CIRCLES.map(|(files, _)| files.map(str::to_owned).to_vec()).into();
    let mut found = Vec::new();
    for place in ["guest/src", "host/src", "host/cli/src"] {
        for circle in Modules::below(place).circles() {
            match known.iter().position(|files| *files == circle) {
                Some(number) => _ = known.remove(number),
                None => found.push(format!("{place}: {}", circle.join(" <-> "))),
            }
        }
    }
    none(found, "modules import each other");
    assert!(known.is_empty(), "circles that are no more: {known:?}");
}

#[test]
fn wasmtime_is_named_where_the_sandbox_is() {
    let places = ["host/src/sandbox/", "host/src/plugin/", "host/src/types.rs"];
    let mut found = Vec::new();
    for source in sources(&["rs"]) {
        let is_library = source.path.starts_with("host/src/");
        if !is_library || places.iter().any(|place| source.path.starts_with(place)) {
            continue;
        }
        let lines =
            source.lines().filter(|(_, line)| !is_comment(line) && line.contains("wasmtime"));
        found.extend(lines.map(|(number, _)| format!("{}:{number}", source.path)));
    }
    none(found, "wasmtime is named outside the sandbox and the plugins");
}

#[test]
fn lines_have_at_most_100_columns() {
    let mut found = Vec::new();
    for source in sources(&["rs", "wit", "md", "sh", "mjs", "py"]) {
        for (number, line) in source.lines() {
            let is_table = source.path.ends_with(".md") && line.starts_with('|');
            let is_long = line.chars().count() > COLUMNS_MAX;
            // A URL cannot be broken. A text that a program prints is easier to find in one line.
            let is_text = !source.path.ends_with(".md") && line.contains('"') && !is_comment(line);
            if is_long && !is_table && !is_text && !line.contains("://") {
                found.push(format!("{}:{number}", source.path));
            }
        }
    }
    none(found, "a line is longer than 100 columns");
}

fn is_comment(line: &str) -> bool {
    line.trim_start().starts_with("//")
}

#[test]
fn files_have_at_most_400_lines() {
    let long = |source: &Source| source.lines().count() > LINES_MAX;
    let found = sources(&["rs"]).into_iter().filter(long);
    none(found.map(|source| source.path).collect(), "a file has more than 400 lines");
}

#[test]
fn summaries_begin_with_a_verb_or_a_noun() {
    let mut found = Vec::new();
    for source in sources(&["rs", "wit"]) {
        let mut was_doc = false;
        for (number, line) in source.lines() {
            let line = line.trim_start();
            let doc = |mark| line.strip_prefix(mark);
            let text = doc("///").or_else(|| doc("//!")).or_else(|| doc("/**"));
            let first = text.unwrap_or_default().split_whitespace().next().unwrap_or_default();
            let first = first.trim_matches(|c: char| !c.is_alphabetic());
            if !was_doc && NO_SUMMARY.contains(&first) {
                found.push(format!("{}:{number}: {line}", source.path));
            }
            was_doc = text.is_some();
        }
    }
    none(found, "a summary begins with What, Who, How, Whether or Where");
}

#[test]
fn words_are_those_of_the_glossary() {
    let forbidden = forbidden_words();
    assert!(forbidden.len() > 10, "the glossary has a column of words that are not used");
    let mut found = Vec::new();
    for source in sources(&["rs", "wit", "md", "js", "mjs"]) {
        if source.path == "ARCHITECTURE.md" {
            continue;
        }
        let is_code = ["rs", "wit"].iter().any(|ending| source.path.ends_with(ending));
        let mut texts = match is_code {
            true => paragraphs(comments(&source.text).into_iter()),
            false => paragraphs(source.lines().map(|(number, line)| (number, line.to_owned()))),
        };
        if source.path.ends_with(".rs") {
            texts.extend(literals(&source.text));
        }
        for (number, text) in texts {
            // Names in code are what they are.
            let prose: String = text.split('`').step_by(2).collect::<Vec<_>>().join(" ");
            let phrases = forbidden.iter().filter(|phrase| has_phrase(&prose, phrase));
            found.extend(phrases.map(|phrase| format!("{}:{number}: {phrase}", source.path)));
        }
    }
    none(found, "a word has another one in the glossary of ARCHITECTURE.md");
}

/// Joins consecutive lines: a phrase may go over their end. A row of a table stays alone.
fn paragraphs(lines: impl Iterator<Item = (usize, String)>) -> Vec<(usize, String)> {
    let mut found: Vec<(usize, String)> = Vec::new();
    let mut last = 0;
    for (number, line) in lines {
        let text = line.trim_start_matches(['/', '!', '*', ' ']);
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

#[test]
fn declared_names_are_words_of_the_glossary() {
    let forbidden = forbidden_words();
    let mut found = Vec::new();
    for source in sources(&["rs", "wit"]) {
        for (number, line) in source.lines().filter(|(_, line)| !is_comment(line)) {
            for name in declared(line) {
                let phrases = forbidden.iter().filter(|phrase| has_phrase(&spelled(name), phrase));
                let found_here = phrases.map(|phrase| format!("{name}: {phrase}"));
                found.extend(found_here.map(|what| format!("{}:{number}: {what}", source.path)));
            }
        }
    }
    none(found, "a name has a word that has another one in the glossary of ARCHITECTURE.md");
}

/// Returns the names that a line declares, as far as a keyword is before them.
fn declared(line: &str) -> impl Iterator<Item = &str> {
    let words: Vec<&str> = line.split_whitespace().collect();
    let follows = |pair: &[&str]| KEYWORDS.contains(&pair[0]);
    let after: Vec<&str> =
        words.windows(2).filter(|pair| follows(pair)).map(|pair| pair[1]).collect();
    let is_of_name = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
    after.into_iter().map(move |name| name.split(|c| !is_of_name(c)).next().unwrap_or_default())
}

/// Returns the words of a name: `HeldBytes`, `held_bytes` and `held-bytes` are `Held Bytes`.
fn spelled(name: &str) -> String {
    let mut words = String::new();
    for c in name.chars() {
        if c.is_uppercase() && words.ends_with(char::is_lowercase) {
            words.push(' ');
        }
        words.push(c);
    }
    words
}

/// Returns true if the text has these words next to each other, in any case.
fn has_phrase(text: &str, phrase: &str) -> bool {
    let text = text.to_lowercase();
    let words: Vec<&str> =
        text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    let phrase: Vec<&str> = phrase.split(' ').collect();
    words.windows(phrase.len()).any(|window| window == phrase)
}

/// Returns the words of the last column of the glossary's table.
fn forbidden_words() -> Vec<String> {
    let glossary = std::fs::read_to_string(sources::root().join("ARCHITECTURE.md")).unwrap();
    let table = glossary.split("## Glossary").nth(1).unwrap_or_default();
    let table = table.split("\n## ").next().unwrap_or_default();
    let rows = table.lines().filter(|line| line.starts_with('|')).skip(2);
    rows.filter_map(|row| row.trim_matches('|').rsplit('|').next().map(str::to_lowercase))
        .flat_map(|cell| cell.split(',').map(|word| word.trim().to_owned()).collect::<Vec<_>>())
        .filter(|word| !word.is_empty())
        .collect()
}
