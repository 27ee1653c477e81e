//! The test kits of projects: they run the same scenarios in each language, a program prints there
//! what it prints in the host, and the types are right.

use std::fs;

use rig::tools;

use super::{LOGGED, NOT_THERE, Project, REFUSED, SAID, has};

/// The scenarios that the test kits of all languages run.
const SCENARIOS: &str = include_str!("../../../../plugin-kit/testing/scenarios.json");

/// The parts of the kits that do what the host adds to the logic.
const PYTHON: &str = include_str!("../../../../plugin-kit/python/stratalog_testing/host.py");
const JAVASCRIPT: &str =
    include_str!("../../../../plugin-kit/javascript/stratalog-testing/host.js");
const RUST: [&str; 4] = [
    include_str!("../../../../plugin-kit/rust/src/testing/calls.rs"),
    include_str!("../../../../plugin-kit/rust/src/testing/grants.rs"),
    include_str!("../../../../plugin-kit/rust/src/testing/host.rs"),
    include_str!("../../../../plugin-kit/rust/src/testing/refusals.rs"),
];

#[test]
fn test_kit_for_python_does_what_the_host_does() {
    if !has("python3") {
        return;
    }
    let project = Project::new("python");
    for (file, text) in [
        ("own.py", include_str!("app.py")),
        ("run_own.py", include_str!("run_own.py")),
        ("scenarios.json", SCENARIOS),
        ("test_bindings.py", include_str!("test_bindings.py")),
        ("test_faults.py", include_str!("test_faults.py")),
        ("test_scenarios.py", include_str!("test_scenarios.py")),
    ] {
        project.write(file, text);
    }
    let install = project.build.iter().take_while(|command| !command.contains("componentize "));
    let mut commands: Vec<String> = install.cloned().collect();
    for command in [
        ".venv/bin/componentize-py -d wit -w stratalog:plugin/command bindings types",
        ".venv/bin/pytest --quiet >&2",
        ".venv/bin/python run_own.py",
        ".venv/bin/pip install --quiet mypy==2.4.1",
        "MYPYPATH=types .venv/bin/mypy --strict *.py stratalog_testing >&2",
    ] {
        commands.push(command.to_owned());
    }
    assert_eq!(project.sh(&commands), [SAID, LOGGED, NOT_THERE, REFUSED].concat());
}

#[test]
fn test_kit_for_javascript_does_what_the_host_does() {
    if !has("npm") {
        return;
    }
    let project = Project::new("javascript");
    for (file, text) in [
        ("faults.test.js", include_str!("faults.test.js")),
        ("own.js", include_str!("app.js")),
        ("own.test.js", include_str!("own.test.js")),
        ("scenarios.json", SCENARIOS),
        ("scenarios.test.js", include_str!("scenarios.test.js")),
    ] {
        project.write(file, text);
    }
    // The kit needs no package.
    project.sh(&["npm test".to_owned()]);
    let said = fs::read_to_string(project.file("said")).unwrap();
    assert_eq!(said, [SAID, NOT_THERE, REFUSED].concat());
    let check = "npx tsc --strict --noEmit --allowJs --module nodenext --types node";
    project.sh(&[
        "npm install --no-save typescript@5.9.3 @types/node@20.19.43".to_owned(),
        format!("{check} app.test.js stratalog-testing/index.d.ts stratalog-plugin.d.ts"),
    ]);
}

#[test]
fn test_kits_report_errors_in_the_words_of_the_host() {
    let host = [
        include_str!("../../../../host/src/plugin/append_log/errors.rs"),
        include_str!("../../../../host/src/plugin/limits.rs"),
        include_str!("../../../../host/src/plugin/logs.rs"),
    ];
    let [host, rust] = [&host[..], &RUST]
        .map(|sources| -> String { sources.iter().copied().map(in_one_line).collect() });
    for words in [
        "did not confirm a write: see the host's messages",
        "did not answer: see the host's messages",
        "has committed under this name; open the log under it again",
        "other compactors committed first; no action is needed",
        "or this host, does not support this call: ask the operator",
        "no log is granted under the label ",
        "is reached; raise it with ",
        "needs the right to ",
    ] {
        for (name, text) in
            [("host", &*host), ("rust", &rust), ("host.py", PYTHON), ("host.js", JAVASCRIPT)]
        {
            assert!(text.contains(words), "{name} has not the words: {words}");
        }
    }
}

/// Returns a source with texts that continue in the next line in one line.
fn in_one_line(source: &str) -> String {
    let lines = source.split("\\\n").map(str::trim_start);
    lines.collect()
}

#[test]
fn test_kits_know_each_call_and_its_right() {
    let calls = include_str!("../../../../host/src/plugin/usage.rs");
    let mut known = 0;
    for line in calls.lines().filter(|line| line.contains(" => (\"")) {
        let [_, name, rest] = line.splitn(3, '"').collect::<Vec<_>>().try_into().unwrap();
        if name.starts_with("object-store.") {
            continue;
        }
        let right = rest.trim_matches(|c: char| !c.is_alphabetic()).to_lowercase();
        let entry = format!("\"{name}\": \"{right}\",");
        assert!(PYTHON.contains(&entry), "host.py has not {entry}");
        let bare = format!("  {name}: \"{right}\",");
        assert!(JAVASCRIPT.contains(&entry) || JAVASCRIPT.contains(&bare), "host.js: {entry}");
        let entry = format!("Call(\"{name}\", Right::{});", titled(&right));
        assert!(RUST.concat().contains(&entry), "calls.rs has not {entry}");
        known += 1;
    }
    assert_eq!(known, 26);
}

/// Returns a word with its first letter in upper case.
fn titled(word: &str) -> String {
    let (start, rest) = word.split_at(1);
    start.to_uppercase() + rest
}

#[test]
fn test_kits_have_each_function_of_the_interface() {
    let javascript =
        include_str!("../../../../plugin-kit/javascript/stratalog-testing/append-log.js");
    let rust = include_str!("../../../../plugin-kit/rust/src/testing/append_log.rs");
    let mut resolve = wit_parser::Resolve::default();
    let (package, _) = resolve.push_dir(tools::workspace().join("wit")).unwrap();
    let interfaces = &resolve.packages[package].interfaces;
    for function in resolve.interfaces[interfaces["append-log"]].functions.values() {
        let name = function.item_name();
        let mut words = name.split('-');
        let first = words.next().unwrap().to_owned();
        let camel = words.fold(first, |name, word| name + &titled(word));
        assert!(javascript.contains(&format!(" {camel}(")), "append-log.js has no {camel}");
        let snake = format!("pub fn {}(", name.replace('-', "_"));
        assert!(rust.contains(&snake), "append_log.rs has no {snake}");
    }
}
