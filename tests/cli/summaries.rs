//! The output of the commands.

use std::fs;
use std::path::Path;

use rig::tools::workspace;

use crate::binary::{check, fresh, json, numbered, ok, run_with};
use crate::commands::commands;

#[test]
fn session_appends_reads_compacts_and_counts() {
    let (_folder, log) = fresh();
    let (first, second) = (numbered(0..1000), numbered(1000..1010));
    let bytes = first.len() + second.len();
    let appended = ok(&["append", "--json", "--flush-interval", "0", &log], &first);
    assert_eq!(
        appended,
        format!("{{\"events\":1000,\"batches\":1,\"bytes\":{},\"blank_lines\":0}}\n", first.len())
    );
    ok(&["append", &log], &second);
    assert_eq!(ok(&["read", &log], ""), format!("{first}{second}"));

    let stat = |log: &str| -> serde_json::Value {
        serde_json::from_str(&ok(&["stat", "--json", log], "")).unwrap()
    };
    let mut before = stat(&log);
    let times = [before["first_time"].take(), before["last_time"].take()];
    let expected = format!(
        r#"{{"events":1010,"batches":2,"hidden_batches":0,"segments":0,"bytes":{bytes},"lost_events":0,"trimmed_events":0,"objects":2,"generation":0,
            "identity":null,"uncounted_batches":0,"first_time":null,"last_time":null,"first_position":0,
            "next_position":0,"tiers":[],"garbage_objects":0,"garbage_bytes":0,
            "unfinished_objects":0,"unfinished_bytes":0,"absorbed_bytes":0,"compacted_bytes":0,
            "write_amplification":1.0,"mirror_of":null}}"#
    );
    assert_eq!(before, serde_json::from_str::<serde_json::Value>(&expected).unwrap());
    let times = times.map(|time| time.as_str().unwrap().to_owned());
    // 2025-01-31T12:00:00.000001Z
    assert!(times.iter().all(|time| time.len() == 27 && time.ends_with('Z')), "{times:?}");
    assert!(times[0] < times[1], "{times:?}");

    let compacted = ok(&["compact", "--json", &log], "");
    let segment = fs::read_dir(&log).unwrap().map(|file| file.unwrap().file_name()).find(|name| {
        let name = name.to_str().unwrap();
        name.starts_with("segment_") && name.ends_with(".jsonl")
    });
    let key = format!("log/{}", segment.unwrap().to_str().unwrap());
    let expected = format!(
        "{{\"merged_files\":2,\"events\":1010,\"new_segments\":1,\"new_key\":\"{key}\",\
         \"batches\":2,\"segments\":0,\"bytes\":{bytes}}}\n"
    );
    assert_eq!(compacted, expected);
    assert_eq!(ok(&["read", &log], ""), format!("{first}{second}"));
    let identity = &stat(&log)["identity"];
    assert_eq!(identity.as_str().unwrap().len(), 16, "{identity}");
    let after = format!(
        "{{\"events\":1010,\"batches\":0,\"hidden_batches\":0,\"segments\":1,\"bytes\":{bytes},\"lost_events\":0,\"trimmed_events\":0,\"objects\":3,\
         \"generation\":1,\"identity\":{identity},\"uncounted_batches\":0,\"first_time\":{:?},\"last_time\":{:?},\
         \"first_position\":0,\"next_position\":1010,\
         \"tiers\":[{{\"tier\":4,\"segments\":1,\"bytes\":{bytes}}}],\"garbage_objects\":0,\
         \"garbage_bytes\":0,\"unfinished_objects\":0,\"unfinished_bytes\":0,\
         \"absorbed_bytes\":{bytes},\"compacted_bytes\":{bytes},\
         \"write_amplification\":2.0,\"mirror_of\":null}}\n",
        times[0], times[1]
    );
    assert_eq!(ok(&["stat", "--json", &log], ""), after);

    let nothing = "{\"merged_files\":0,\"events\":0,\"new_segments\":0,\"new_key\":null,\
                   \"batches\":0,\"segments\":0,\"bytes\":0}\n";
    assert_eq!(ok(&["compact", "--json", &log], ""), nothing);
}

#[test]
fn summaries_for_people_leave_stdout_to_data() {
    let (_folder, log) = fresh();
    check(
        &["append", &log],
        &numbered(0..1234),
        0,
        &["1,234 events in 1 batch (12.17 KiB) appended"],
    );
    check(&["append", &log], "", 0, &["no events: nothing appended to"]);
    check(&["compact", &log], "", 0, &["nothing to compact in"]);
    check(&["append", &log], "a\n", 0, &["1 event in 1 batch (2 B) appended"]);
    check(
        &["compact", &log],
        "",
        0,
        &["2 batches (1,235 events, 12.17 KiB) merged into log/segment_"],
    );
    for arguments in [["append", "-v"], ["compact", "-v"], ["append", "-q"], ["compact", "-q"]] {
        let ran = run_with(&[arguments[0], arguments[1], &log], b"b\n");
        assert_eq!(ran.stdout, "", "{arguments:?}");
        assert_eq!(ran.stderr.is_empty(), arguments[1] == "-q", "{arguments:?}: {}", ran.stderr);
    }
    let table = ok(&["stat", &log], "");
    assert!(table.contains("\nevents               1,237\n"), "{table}");
    assert!(ok(&["read", "-v", &log], "").ends_with("{\"n\":1233}\na\nb\nb\n"));
}

#[test]
fn legacy_batches_are_read_and_counted_as_uncounted() {
    let (_folder, log) = fresh();
    fs::create_dir(&log).unwrap();
    fs::write(Path::new(&log).join("batch_0001700000000000000.jsonl"), "old1\nold2").unwrap();
    ok(&["append", &log], "new\n");
    assert_eq!(ok(&["read", &log], ""), "old1\nold2\nnew\n");
    let table = ok(&["stat", &log], "");
    assert!(table.contains("1, and those of 1 batch whose names have no count"), "{table}");
    assert!(table.contains("2023-11-14T22:13:20.000000Z"), "{table}");
}

#[test]
fn component_exported_with_json_prints_its_size_and_digest() {
    let (folder, _) = fresh();
    let file = folder.path().join("log.wasm");
    let name = file.to_str().unwrap();
    let exported = json(&["component", "export", "--json", name]);
    assert_eq!(exported["bytes"], fs::metadata(&file).unwrap().len());
    let inspected = json(&["component", "inspect", "--json", name]);
    assert_eq!(exported["sha256"], inspected["sha256"]);
}

#[test]
fn commands_are_completed_and_stand_in_the_pages() {
    let script = ok(&["completions", "bash"], "");
    let page = |name: &str| fs::read_to_string(workspace().join(name)).unwrap();
    let (readme, changelog) = (page("README.md"), page("CHANGELOG.md"));
    for command in commands() {
        let (name, _) = command.name.split_once(' ').unwrap_or((&command.name, ""));
        assert!(script.contains(name), "no completion of {name}");
        assert!(readme.contains(&format!("stratalog {name}")), "README.md: no {name}");
        assert!(changelog.contains(&format!("`{name}`")), "CHANGELOG.md: no {name}");
    }
}

#[test]
fn help_is_complete_and_completions_are_scripts() {
    let help = ok(&["--help"], "");
    for line in ["3    the store cannot", "4    damaged data", "130  interrupted", "STRATALOG_LOG"]
    {
        assert!(help.contains(line), "no {line:?} in: {help}");
    }
    let help = ok(&["append", "--help"], "");
    for part in
        ["[default: 1000000]", "[default: 4MiB]", "[default: 1s]", "[default: 1MiB]", "--grace"]
    {
        assert!(help.contains(part), "no {part:?} in: {help}");
    }
    for (command, parts) in [
        ("append", &["--compact-after", "--sole-compactor"][..]),
        ("read", &["--from", "--limit", "--since", "--until", "--position-file", "2026-01-31"]),
        ("tail", &["-n, --lines", "-f, --follow", "[default: 10]"]),
        ("compact", &["--full", "[default: 8]", "[default: 128MiB]", "--dry-run"]),
        (
            "trim",
            &[
                "--before",
                "--before-position",
                "--keep-events",
                "30d",
                "--sole-compactor",
                "--lazy",
                "--dry-run",
            ],
        ),
        ("verify", &["The exit code is 4", "absorbed-batch"]),
        ("stat", &["Write amplification", "first_position"]),
        ("ls", &["--shallow", "\"batch_events\"", "is 3"]),
    ] {
        let help = ok(&[command, "--help"], "");
        for part in parts {
            assert!(help.contains(part), "{command}: no {part:?} in: {help}");
        }
    }
    for shell in ["bash", "elvish", "fish", "powershell", "zsh"] {
        assert!(ok(&["completions", shell], "").contains("stratalog"), "{shell}");
    }
}
