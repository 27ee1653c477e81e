//! The names of test functions: `subject_condition_outcome`.

use super::literals::code;
use super::none;
use super::sources::sources;

/// The largest length of a test's name.
const LENGTH_MAX: usize = 65;

/// First words of a test's name that are no subject.
const NO_SUBJECT: [&str; 9] =
    ["a", "an", "the", "what", "whatever", "who", "how", "whether", "where"];

/// Tests that a macro names, and the reason.
const BY_MACRO: [(&str, &str); 1] =
    [("guest/src/fuzzing/tests.rs", "a test for each target, named as the target")];

#[test]
fn test_names_begin_with_their_subject() {
    let (mut found, mut tests) = (Vec::new(), 0);
    for source in sources(&["rs"]) {
        let is_by_macro = |name: &str| {
            name.starts_with('$') && BY_MACRO.iter().any(|(path, _)| *path == source.path)
        };
        for (number, name) in tests_in(&source.text) {
            tests += 1;
            if !is_by_macro(&name) && !is_good(&name) {
                found.push(format!("{}:{number}: {name}", source.path));
            }
        }
    }
    assert!(tests > 100, "few tests: {tests}");
    none(found, "a test's name is long, is one word, or does not begin with its subject");
}

fn is_good(name: &str) -> bool {
    let words: Vec<_> = name.split('_').collect();
    name.len() <= LENGTH_MAX
        && words.len() > 1
        && !name.starts_with('$')
        && !words.first().is_some_and(|first| NO_SUBJECT.contains(first))
}

/// Returns the names of all functions that an attribute makes a test, each with its line.
fn tests_in(source: &str) -> Vec<(usize, String)> {
    let code = code(source);
    let mut found = Vec::new();
    let mut rest = code.as_str();
    while let Some(start) = rest.find("#[") {
        let mut is_test = false;
        rest = rest.get(start..).unwrap_or_default();
        // All attributes of an item.
        while let Some(attribute) = rest.trim_start().strip_prefix("#[") {
            let (attribute, behind) = attribute.split_at(end_of(attribute, ']'));
            is_test |= makes_test(attribute);
            rest = behind.strip_prefix(']').unwrap_or(behind);
        }
        let header = rest.split(['{', ';']).next().unwrap_or_default();
        if let Some((before, behind)) = header.split_once("fn ").filter(|_| is_test) {
            let passed = code.len() - rest.len() + before.len();
            let number = code.get(..passed).unwrap_or_default().matches('\n').count() + 1;
            let name = behind.split(['(', '<']).next().unwrap_or_default().trim();
            found.push((number, name.to_owned()));
        }
    }
    found
}

/// Returns true for `test` of any crate, as `tokio::test(…)`, `rstest`, `test_case(…)` and
/// `cfg_attr(…, test)`.
fn makes_test(attribute: &str) -> bool {
    let (path, arguments) = attribute.split_once('(').unwrap_or((attribute, ""));
    match path.rsplit("::").next().unwrap_or_default().trim() {
        // The first argument is the condition.
        "cfg_attr" => between_commas(arguments).into_iter().skip(1).any(makes_test),
        "quickcheck" => true,
        name => name.contains("test"),
    }
}

/// Cuts the arguments before a closing bracket.
fn between_commas(arguments: &str) -> Vec<&str> {
    let mut found = Vec::new();
    let mut rest = Some(arguments);
    while let Some(text) = rest {
        let (argument, behind) = text.split_at(end_of(text, ','));
        found.push(argument);
        rest = behind.strip_prefix(',');
    }
    found
}

/// Returns where this sign is, or an end: outside of any brackets that begin in the text.
fn end_of(text: &str, sign: char) -> usize {
    let mut depth = 0_u32;
    for (at, c) in text.char_indices() {
        match c {
            _ if c == sign && depth == 0 => return at,
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' if depth == 0 => return at,
            ')' | ']' | '}' => depth -= 1,
            _ => {}
        }
    }
    text.len()
}

#[test]
fn tests_are_found_under_any_attribute() {
    for attributes in [
        "#[test]",
        "#[tokio::test(flavor = \"multi_thread\", worker_threads = 2)]",
        "#[cfg_attr(all(a, b), ignore)] #[test]",
        "#[cfg_attr(all(a, not(b)), ignore, tokio::test(x = [1]))]",
        "#[test]\n#[should_panic(expected = \"fn no(\")]",
        "#[rstest]\n#[case(1, 2)]",
        "/// Text.\n#[test_case(1; \"one\")]\n// #[ignore]\npub(crate)",
        "mod tests { #[wasm_bindgen_test]",
        "#[expect(clippy::unwrap_used, reason = \"]\")]\n#[ test ]\nasync",
    ] {
        let source = format!("use a;\n{attributes} fn subject_works<T>() {{}}\nfn helper() {{}}");
        let number = 2 + attributes.matches('\n').count();
        assert_eq!(tests_in(&source), [(number, "subject_works".to_owned())], "{attributes}");
    }
    for attributes in ["#[cfg(test)]", "#[cfg_attr(test, ignore)]", "// #[test]\n", "#![x]"] {
        let source = format!("{attributes} fn helper() {{}}");
        assert!(tests_in(&source).is_empty(), "{attributes}");
    }
    assert!(tests_in("#[cfg_attr(a, test_only)] struct S {}\nfn helper() {}").is_empty());
}

#[test]
fn test_names_have_a_subject_and_an_outcome() {
    assert!(is_good("append_after_close_fails"));
    for name in ["works", "a_log_opens", "whether_it_opens", "$name", &["x"; 34].join("_")] {
        assert!(!is_good(name), "{name}");
    }
}
