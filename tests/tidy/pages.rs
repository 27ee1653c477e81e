//! The pages: each file, function and type that they name exists.
//!
//! In backquotes, `folder/file.rs` names a file, and `folder/file.rs: Type::function, CONSTANT`
//! names items that this file defines: `function` belongs to `Type`. `Type::function` alone is an
//! item of the product. An item that ends with `…` is the beginning of a name.

use std::fs;

use super::items::defines;
use super::literals::code;
use super::none;
use super::sources::{root, sources};

/// Folders whose files are named from the root of the repository.
const FOLDERS: [&str; 9] =
    ["adapters/", "guest/", "host/", "plugin-kit/", "wit/", "tests/", "examples/", "fuzz/", ".ci/"];

/// Folders of the product.
const PRODUCT: [&str; 8] = [
    "adapters/exports/src/",
    "adapters/fs-store/src/",
    "adapters/log-sink/src/",
    "adapters/s3-store/src/",
    "guest/src/",
    "host/src/",
    "host/cli/src/",
    "host/store-rules/src/",
];

/// Spans with items of other crates.
const FOREIGN: [&str; 2] = ["PutMode::Create", "ExitCode::FAILURE"];

/// Signs of a pattern that names no file.
const PATTERNS: [&str; 4] = ["*", "…", "NAME", "TARGET"];

/// Folders that a run makes.
const OUTPUTS: [&str; 2] = ["fuzz/corpus", "fuzz/artifacts"];

#[test]
fn pages_name_files_and_items_that_exist() {
    let product: Vec<String> = sources(&["rs"])
        .into_iter()
        .filter(|source| PRODUCT.iter().any(|folder| source.path.starts_with(folder)))
        .map(|source| code(&source.text))
        .collect();
    let mut found = Vec::new();
    for page in sources(&["md"]) {
        for span in code_spans(&page.text) {
            if let Err(what) = check(&span, &product) {
                found.push(format!("{}: `{span}`: {what}", page.path));
            }
        }
        let path = root().join(&page.path);
        for target in links(&page.text).filter(|target| !path.with_file_name(target).exists()) {
            found.push(format!("{}: the link to {target} leads nowhere", page.path));
        }
    }
    none(found, "a page names something that does not exist");
}

/// Checks the file and the items that a code span names, if it names any.
fn check(span: &str, product: &[String]) -> Result<(), String> {
    if let Some(item) = owned_item(span) {
        let is_known = FOREIGN.contains(&item) || product.iter().any(|code| defines(code, item));
        return if is_known { Ok(()) } else { Err(format!("no type of the product has {item}")) };
    }
    let path = span.split([' ', ':']).next().unwrap_or_default();
    let is_path = FOLDERS.iter().any(|folder| path.starts_with(folder));
    let is_pattern = PATTERNS.iter().any(|sign| path.contains(sign));
    if !is_path || is_pattern || OUTPUTS.contains(&path) {
        return Ok(());
    }
    if !root().join(path).exists() {
        return Err(format!("there is no {path}"));
    }
    let Some((_, items)) = span.split_once(": ") else { return Ok(()) };
    let text = fs::read_to_string(root().join(path)).map_err(|error| error.to_string())?;
    let code = code(&text);
    match items.split(", ").find(|item| !defines(&code, item)) {
        Some(item) => Err(format!("{path} does not define {item}")),
        None => Ok(()),
    }
}

/// Returns the item of a span such as `Type::function` or `Type::function(…)`.
fn owned_item(span: &str) -> Option<&str> {
    let item = span.split('(').next().unwrap_or_default();
    let is_name = |name: &str| name.chars().all(|c| c.is_alphanumeric() || c == '_');
    let (owner, name) = item.split_once("::")?;
    let is_type = owner.starts_with(|c: char| c.is_uppercase());
    (is_type && is_name(owner) && is_name(name)).then_some(item)
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

#[test]
fn spans_name_items_of_their_types() {
    let product =
        ["impl Log {\n    fn append() {}\n}\nimpl Reader {\n    fn next() {}\n}".to_owned()];
    for span in ["Log::append", "Log::append(..)", "Log", "log::append", "a Log::b", "--x::y"] {
        assert_eq!(check(span, &product), Ok(()), "{span}");
    }
    for span in ["Log::next", "Log::next()", "Writer::append", "tests/tidy/pages.rs: Log::check"] {
        assert!(check(span, &product).is_err(), "{span}");
    }
    assert_eq!(check("tests/tidy/pages.rs: check, FOLDERS", &product), Ok(()));
}
