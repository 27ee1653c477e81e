//! The pages at the top level: each file, function and type that they name exists.
//!
//! In backquotes, `folder/file.rs` names a file, and `folder/file.rs: Type::function, CONSTANT`
//! names items that this file defines. An item that ends with `…` is the beginning of a name.

use std::fs;

use super::none;
use super::sources::root;

const PAGES: [&str; 4] = ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "SECURITY.md"];

/// Folders whose files are named from the root of the repository.
const FOLDERS: [&str; 7] = ["guest/", "host/", "wit/", "tests/", "examples/", "fuzz/", ".ci/"];

/// Keywords in front of the name of an item.
const KEYWORDS: [&str; 8] = ["fn", "struct", "enum", "trait", "const", "static", "type", "mod"];

#[test]
fn pages_name_files_and_items_that_exist() {
    let mut found = Vec::new();
    for page in PAGES {
        let text = fs::read_to_string(root().join(page)).unwrap();
        for span in code_spans(&text) {
            if let Err(what) = check(&span) {
                found.push(format!("{page}: `{span}`: {what}"));
            }
        }
        for target in links(&text) {
            if !root().join(target).exists() {
                found.push(format!("{page}: the link to {target} leads nowhere"));
            }
        }
    }
    none(found, "a page names something that does not exist");
}

/// Checks the file and the items that a code span names, if it names any.
fn check(span: &str) -> Result<(), String> {
    let path = span.split([' ', ':']).next().unwrap_or_default();
    let is_path = FOLDERS.iter().any(|folder| path.starts_with(folder));
    // A pattern names no file.
    if !is_path || path.contains(['*', '…']) || path.contains("NAME") {
        return Ok(());
    }
    if !root().join(path).exists() {
        return Err(format!("there is no {path}"));
    }
    let Some((_, items)) = span.split_once(": ") else { return Ok(()) };
    let text = fs::read_to_string(root().join(path)).map_err(|error| error.to_string())?;
    match items.split(", ").find(|item| !defines(&text, item)) {
        Some(item) => Err(format!("{path} does not define {item}")),
        None => Ok(()),
    }
}

/// Looks for an item in a file: behind a keyword, or as a variant of an enum.
fn defines(text: &str, item: &str) -> bool {
    let (owner, name) = item.rsplit_once("::").unwrap_or(("", item));
    let (name, is_beginning) = match name.strip_suffix('…') {
        Some(name) => (name, true),
        None => (name, false),
    };
    let ends =
        |rest: &str| is_beginning || !rest.starts_with(|c: char| c.is_alphanumeric() || c == '_');
    let by_keyword = |line: &str| {
        KEYWORDS.iter().any(|keyword| {
            let start = format!("{keyword} {name}");
            line.match_indices(&start)
                .any(|(at, _)| ends(line.get(at + start.len()..).unwrap_or_default()))
        })
    };
    let is_variant = |line: &str| {
        line.trim_start().strip_prefix(name).is_some_and(|rest| rest.starts_with([',', '(', ' ']))
    };
    let code = || text.lines().filter(|line| !line.trim_start().starts_with("//"));
    code().any(|line| by_keyword(line) || is_variant(line))
        && (owner.is_empty() || code().any(|line| line.contains(owner)))
}

/// The texts in backquotes outside of code blocks, each on one line.
fn code_spans(page: &str) -> Vec<String> {
    let mut spans = Vec::new();
    for (number, block) in page.split("```").enumerate() {
        if number % 2 == 0 {
            let inside = block.split('`').skip(1).step_by(2);
            spans.extend(inside.map(|span| span.split_whitespace().collect::<Vec<_>>().join(" ")));
        }
    }
    spans
}

/// The files of the repository that a page links to.
fn links(page: &str) -> impl Iterator<Item = &str> {
    let targets = page.split("](").skip(1).filter_map(|rest| rest.split(')').next());
    let files = targets.filter(|target| !target.contains("://") && !target.starts_with('#'));
    files.map(|target| target.split('#').next().unwrap_or(target))
}
