//! Common mistakes, and answers that name the remedy.

use std::fs;
use std::path::Path;

use crate::binary::{batches, check, fresh, json, numbered, ok, run_with};

#[test]
fn append_that_creates_a_log_names_a_similar_one() {
    let (_folder, log) = fresh();
    let said = |arguments: &[&str]| run_with(arguments, b"a\n").stderr;
    let first = said(&["append", &log]);
    assert!(first.ends_with(&format!("appended to {log}, a new log\n")), "{first}");
    let second = said(&["append", &log]);
    assert!(second.ends_with(&format!("appended to {log}\n")), "{second}");
    // A folder next to it that is no log is not named.
    fs::create_dir(format!("{log}es")).unwrap();
    let mistyped = format!("{log}s");
    for command in ["stat", "read", "tail", "verify", "compact"] {
        let words =
            [&format!("there is no log at {mistyped}; a log with a similar name: {log}")[..]];
        check(&[command, &mistyped], "", 5, &words);
        let words = format!("{mistyped}; a log");
        let other = format!("{log}-of-another-name");
        let ran = run_with(&[command, &other], b"");
        assert!(!ran.stderr.contains(&words) && !ran.stderr.contains("similar"), "{}", ran.stderr);
    }
    let mistaken = said(&["append", &mistyped]);
    assert!(
        mistaken.contains(&format!("{mistyped}, a new log; a log with a similar name: {log}")),
        "{mistaken}"
    );
    assert_eq!(said(&["append", "-q", &format!("{log}-quiet")]), "");
}

#[test]
fn numbered_log_is_no_typing_error_of_another() {
    let (_folder, log) = fresh();
    ok(&["append", &format!("{log}1")], "a\n");
    let second = format!("{log}2");
    let said = run_with(&["append", &second], b"a\n").stderr;
    assert!(said.ends_with(&format!("appended to {second}, a new log\n")), "{said}");
    let third = format!("{log}3");
    assert_eq!(
        run_with(&["stat", &third], b"").stderr,
        format!("error: there is no log at {third}\n")
    );
}

#[test]
fn json_is_an_option_of_the_commands_that_have_a_summary() {
    let (_folder, log) = fresh();
    ok(&["append", &log], "a\n");
    for command in
        [&["read", &log][..], &["tail", &log], &["run", "p.wasm"], &["completions", "sh"]]
    {
        let words = ["unexpected argument '--json'", "tip: '"];
        check(&[command, &["--json"]].concat(), "", 2, &words);
    }
    check(&["--json", "stat", &log], "", 2, &["behind the command, as in 'stratalog stat --json"]);
}

#[test]
fn damage_is_answered_by_a_remedy() {
    let (_folder, log) = fresh();
    for round in 0..3 {
        ok(&["append", &log], &numbered(round * 10..round * 10 + 10));
    }
    let batch = Path::new(&log).join(batches(&log).keys().next().unwrap());
    let bytes = fs::read(&batch).unwrap();
    fs::write(&batch, [&b"x"[..], &bytes[1..]].concat()).unwrap();
    let (repair, skip) =
        (format!("stratalog repair {log}"), format!("stratalog read --skip-damaged {log}"));
    let commands: [&[&str]; 6] = [
        &["read"],
        &["read", "--skip-damaged"],
        &["tail", "-n", "30"],
        &["compact"],
        &["trim", "--keep-events", "5"],
        &["verify"],
    ];
    for command in commands {
        let arguments = [command, &[log.as_str()]].concat();
        let skips = command.contains(&"--skip-damaged");
        let skip = if skips { "cannot read" } else { skip.as_str() };
        check(&arguments, "", 4, &[&repair, skip, "restore damaged objects from a copy"]);
    }
    // Without its manifest, nothing of a log can be read.
    let (_folder, log) = fresh();
    ok(&["append", &log], "a\n");
    fs::write(Path::new(&log).join("manifest_0000000000000000009.json"), "").unwrap();
    let repair = format!("stratalog repair {log}");
    for command in commands {
        let arguments = [command, &[log.as_str()]].concat();
        let ran = run_with(&arguments, b"");
        assert_eq!(ran.code, 4, "{arguments:?}: {}", ran.stderr);
        assert!(ran.stderr.contains(&repair), "{arguments:?}: {}", ran.stderr);
        assert!(!ran.stderr.contains("reads the rest"), "{arguments:?}: {}", ran.stderr);
    }
}

#[test]
fn number_that_is_no_time_trims_nothing() {
    let (_folder, log) = fresh();
    ok(&["append", &log], &numbered(0..3_000));
    ok(&["compact", "--full", &log], "");
    for number in ["2026", "30", "0"] {
        let words =
            [&format!("'{number}' for '--before <TIME>'")[..], "1h30m", "--before-position"];
        check(&["trim", "--before", number, &log], "", 2, &words);
    }
    assert_eq!(json(&["stat", "--json", &log])["events"], 3_000);
    ok(&["trim", "--before-position", "2026", &log], "");
    assert_eq!(json(&["stat", "--json", &log])["first_position"], 2026);
}

#[test]
fn arguments_that_select_nothing_are_answered() {
    let (_folder, log) = fresh();
    ok(&["append", &log], "a\n");
    let words = ["--since is not before --until"];
    check(&["read", "--since", "today", "--until", "yesterday", &log], "", 2, &words);
    check(&["read", "--since", "@5", "--until", "@5", &log], "", 2, &words);
    check(&["compact", &log], "", 0, &["nothing to compact in", "two batches", "--full"]);
    let spaced = format!("{log} ");
    check(&["stat", &spaced], "", 5, &[&format!("no log at {spaced:?}")]);
    assert!(ok(&["stat", &log], "").lines().any(|line| line.ends_with("bytes                2")));
}

#[test]
fn position_of_another_log_that_was_never_compacted_is_refused() {
    let (folder, log) = fresh();
    let other = format!("{log}-other");
    let file = folder.path().join("seen");
    let read = |log: &str| run_with(&["read", "--position-file", file.to_str().unwrap(), log], b"");
    ok(&["append", &log], "a\nb\n");
    ok(&["append", &other], "c\n");
    ok(&["compact", "--full", &other], "");
    assert_eq!((read(&log).code, read(&other).code), (0, 5));
    let said = read(&other).stderr;
    assert!(said.contains("cannot use the position file") && said.contains("batch_"), "{said}");
    let action = "; name the position file of this log, or remove this one to read from the \
                  beginning\n";
    assert!(said.ends_with(action) && !said.contains("start without"), "{said}");
    ok(&["append", &log], "d\n");
    let ran = read(&log);
    assert_eq!((ran.code, ran.stdout.as_str()), (0, "d\n"), "{}", ran.stderr);
}
