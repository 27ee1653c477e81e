//! The order of the house: layers, circles, names, and the size and words of files.
//!
//! Reads sources as text and compiles nothing. Findings have a file and a line.

mod crates;
mod items;
mod literals;
mod modules;
mod pages;
mod prose;
mod sources;
mod test_names;
mod words;

use modules::Modules;
use sources::{Source, links, sources};

/// The layers of the logic, from below. A layer uses only those before it.
const GUEST: [&str; 8] =
    ["mutants", "limits", "ports", "error", "format", "decide", "drive", "component"];

/// The layers of the library, from below.
const HOST: [&str; 11] = [
    "numbers",
    "limits",
    "telemetry",
    "clock",
    "types",
    "store",
    "error",
    "sandbox",
    "log",
    "host",
    "plugin",
];

/// The layers of the command line, from below.
const COMMAND_LINE: [&str; 5] = ["numbers", "terminal", "args", "process", "commands"];

/// The layers of the rules that all stores share, from below.
const STORE_RULES: [&str; 12] = [
    "numbers",
    "authority",
    "limits",
    "log_level",
    "text",
    "secrets",
    "error",
    "objects",
    "pieces",
    "key",
    "folder",
    "reply",
];

/// The layers of the exports that store adapters share, from below.
const EXPORTS: [&str; 5] = ["logging", "host_bytes", "store", "slots", "component"];

/// The layers of the adapter of a folder, from below.
const FS_STORE: [&str; 12] = [
    "names",
    "root_path",
    "failure",
    "bindings",
    "folder",
    "root",
    "new_file",
    "stale_files",
    "listing",
    "read",
    "store",
    "component",
];

/// The layers of the log sink, from below.
const LOG_SINK: [&str; 9] = [
    "level",
    "timestamp",
    "settings",
    "record",
    "ports",
    "sink",
    "bindings",
    "system",
    "component",
];

/// The layers of the adapter of a bucket, from below.
const S3_STORE: [&str; 20] = [
    "encoding",
    "signer",
    "endpoint",
    "settings",
    "request",
    "exchange",
    "reply",
    "engine",
    "failure",
    "create",
    "delete",
    "probe",
    "read",
    "listing",
    "upload",
    "opened",
    "bindings",
    "transport",
    "store",
    "component",
];

/// The folders of modules.
const PLACES: [&str; 8] = [
    "adapters/exports/src",
    "adapters/fs-store/src",
    "adapters/log-sink/src",
    "adapters/s3-store/src",
    "guest/src",
    "host/src",
    "host/cli/src",
    "host/store-rules/src",
];

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
const OF_ROOT: [(&str, &str); 5] = [
    ("guest/src: component -> exports::Component", "`super` of a module within the file"),
    ("guest/src: mutants -> Mutant", "`super` of a module within the file"),
    ("host/cli/src: commands::kit::files -> include!(", "the build script lists the kit's files"),
    ("host/cli/src: page_files -> include!(", "the build script lists the page's files"),
    ("host/cli/src: process::signals -> #[path", "a file for each kind of system"),
];

const COLUMNS_MAX: usize = 100;
const LINES_MAX: usize = 400;

/// First words that a summary must not have: it begins with a verb or a noun.
const NO_SUMMARY: [&str; 5] = ["What", "Who", "How", "Whether", "Where"];

/// Signs before a summary in Rust, WIT, JavaScript and Python.
const SUMMARY_MARKS: [&str; 4] = ["///", "//!", "/**", "\"\"\""];

fn none(found: Vec<String>, rule: &str) {
    assert!(found.is_empty(), "{rule}:\n{}", found.join("\n"));
}

#[test]
fn modules_import_only_from_the_layers_below() {
    let mut up = Modules::below("guest/src").upward(&GUEST);
    up.extend(Modules::below("host/src").upward(&HOST));
    up.extend(Modules::below("host/cli/src").upward(&COMMAND_LINE));
    up.extend(Modules::below("host/store-rules/src").upward(&STORE_RULES));
    up.extend(Modules::below("adapters/exports/src").upward(&EXPORTS));
    up.extend(Modules::below("adapters/fs-store/src").upward(&FS_STORE));
    up.extend(Modules::below("adapters/log-sink/src").upward(&LOG_SINK));
    up.extend(Modules::below("adapters/s3-store/src").upward(&S3_STORE));
    none(up, "a module imports from a layer above its own");
}

#[test]
fn items_are_imported_from_their_own_modules() {
    let places = PLACES.map(Modules::below);
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
    for place in PLACES {
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
    for source in sources(&["rs", "wit", "md", "sh", "mjs", "js", "py", "toml", "wat"]) {
        let is_page = source.ending() == "md";
        let long = source.lines().filter(|(_, line)| is_long(line, is_page));
        found.extend(long.map(|(number, _)| format!("{}:{number}", source.path)));
    }
    none(found, "a line is longer than 100 columns");
}

/// Returns true for a long line that could be broken.
fn is_long(line: &str, is_page: bool) -> bool {
    let is_table = is_page && line.starts_with('|');
    // A URL cannot be broken. A text that a program prints is easier to find in one line.
    let is_text = !is_page && !is_comment(line) && line.contains(['"', '`']);
    line.chars().count() > COLUMNS_MAX && !is_table && !is_text && !line.contains("://")
}

#[test]
fn long_lines_are_tables_texts_or_urls() {
    let long = "x".repeat(COLUMNS_MAX);
    for line in ["//", "# \"", ";; `", "  // \"", " "] {
        assert!(is_long(&format!("{line}{long}"), false), "{line}");
    }
    assert!(is_long(&format!("`{long}`"), true));
    for line in ["\"", "`", "# https://"] {
        assert!(!is_long(&format!("{line}{long}"), false), "{line}");
    }
    assert!(!is_long(&format!("| {long}"), true));
    assert!(!is_long(&long, false));
}

fn is_comment(line: &str) -> bool {
    ["//", "# ", ";;"].iter().any(|mark| line.trim_start().starts_with(mark))
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
    for source in sources(&["rs", "wit", "js", "mjs", "py"]) {
        for number in bad_summaries(&source) {
            found.push(format!("{}:{number}", source.path));
        }
    }
    none(found, "a summary begins with What, Who, How, Whether or Where");
}

/// Returns the lines of the summaries whose first word is no verb or noun.
fn bad_summaries(source: &Source) -> Vec<usize> {
    let (mut found, mut was_doc) = (Vec::new(), false);
    for (number, line) in source.lines() {
        let mut marks = SUMMARY_MARKS.iter();
        let text = marks.find_map(|mark| line.trim_start().strip_prefix(mark));
        let first = text.unwrap_or_default().split_whitespace().next().unwrap_or_default();
        let first = first.trim_matches(|c: char| !c.is_alphabetic());
        if !was_doc && NO_SUMMARY.contains(&first) {
            found.push(number);
        }
        was_doc = text.is_some();
    }
    found
}

#[test]
fn summaries_are_found_in_every_language() {
    let text = "/// What\nx\n  \"\"\"How it\nx\n/** Who */\nx\n//! A\n//! What\n// What\nWhat";
    let source = Source { path: String::new(), text: text.to_owned() };
    assert_eq!(bad_summaries(&source), [1, 3, 5]);
}
