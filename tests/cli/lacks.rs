//! A process with fewer resources: fewer files, smaller ones, or no stdout.

#![cfg(target_os = "linux")]

use std::fs::OpenOptions;
use std::process::{Command, Stdio};

use crate::binary::{Ran, fresh, numbered, ok, stratalog, stratalog_caching_in};

/// Runs a command by `sh`, behind these words.
fn run_behind(words: &str, arguments: &[&str], redirected: &str) -> Ran {
    run_command_behind(words, &stratalog(arguments), redirected)
}

fn run_command_behind(words: &str, command: &Command, redirected: &str) -> Ran {
    let mut shell = Command::new("sh");
    shell.args(["-c", &format!("{words}exec \"$0\" \"$@\" {redirected}")]);
    shell.arg(command.get_program()).args(command.get_args());
    shell.stdin(Stdio::null()).output().unwrap().into()
}

#[test]
fn too_few_files_are_refused_with_the_limit() {
    let (_folder, log) = fresh();
    ok(&["append", &log], "event\n");
    for files in [5, 6, 10, 14] {
        for command in [&["read", &log][..], &["doctor", &log], &["component", "inspect"]] {
            let ran = run_behind(&format!("ulimit -n {files}; "), command, "");
            assert_eq!(ran.code, 6, "{files} {command:?}: {}", ran.stderr);
            let words = "cannot start: this process may open too few files: Too many open files";
            assert!(ran.stderr.contains(words), "{files} {command:?}: {}", ran.stderr);
            assert!(ran.stderr.contains("`ulimit -n`"), "{files} {command:?}: {}", ran.stderr);
            assert_eq!(ran.stderr.lines().count(), 1, "{}", ran.stderr);
        }
    }
    let ran = run_behind("ulimit -n 64; ", &["read", &log], "");
    assert_eq!((ran.code, ran.stdout.as_str()), (0, "event\n"), "{}", ran.stderr);
}

#[test]
fn file_size_limit_below_a_components_memory_is_named() {
    let (folder, log) = fresh();
    ok(&["append", &log], "event\n");
    let command = stratalog_caching_in(&folder.path().join("cache"), &["read", &log]);
    let ran = run_command_behind("ulimit -f 4; ", &command, "");
    assert_eq!(ran.code, 6, "{}", ran.stderr);
    for words in ["counts as a file", "raise the limit, which is 2 KiB (`ulimit -f`)"] {
        assert!(ran.stderr.contains(words), "no {words:?} in: {}", ran.stderr);
    }
}

#[test]
fn output_that_the_system_does_not_take_is_no_bad_input() {
    let (folder, _) = fresh();
    let file = folder.path().join("log.wasm");
    let path = file.to_str().unwrap();
    let export = |path: &str| {
        let ran = run_behind("trap '' XFSZ; ulimit -f 4; ", &["component", "export", path], "");
        assert!(ran.stderr.starts_with("error: cannot write "), "{}", ran.stderr);
        ran.code
    };
    assert_eq!(export(path), 1);
    assert_eq!(export(&format!("{path}/below")), 5);
    assert!(!file.exists());
}

#[test]
fn file_size_limit_is_no_obstacle_to_a_component_that_is_mapped() {
    let (_folder, log) = fresh();
    ok(&["append", &log], "event\n");
    for command in ["read", "tail", "stat", "verify"] {
        let ran = run_behind("ulimit -f 4; ", &[command, &log], "");
        assert_eq!(ran.code, 0, "{command}: {}", ran.stderr);
    }
}

#[test]
fn events_count_as_read_only_if_there_is_a_stdout() {
    let (folder, log) = fresh();
    let events = numbered(0..3);
    ok(&["append", &log], &events);
    let file = folder.path().join("position");
    let position = file.to_str().unwrap();
    let read = ["read", "--position-file", position, &log];
    for command in [&read[..], &["tail", &log], &["stat", "--json", &log], &["stat", &log]] {
        let ran = run_behind("", command, ">&-");
        assert_eq!(ran.code, 1, "{command:?}: {}", ran.stderr);
        let words = "error: cannot write to stdout: stdout is closed; connect it to a file";
        assert!(ran.stderr.contains(words), "{command:?}: {}", ran.stderr);
    }
    assert!(!file.exists());
    let ran = run_behind("", &["--help"], ">&-");
    assert!(ran.code == 1 && ran.stderr.contains("stdout is closed"), "{}", ran.stderr);
    // An append that reports nothing on stdout needs none.
    let ran = run_behind("", &["append", "-q", &log, "/dev/null"], ">&-");
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    // Output to `/dev/null` is discarded in every mode of opening.
    let null = OpenOptions::new().read(true).write(true).open("/dev/null").unwrap();
    let mut command = stratalog(&read);
    assert!(command.stdin(Stdio::null()).stdout(null).status().unwrap().success());
    assert!(file.exists());
    std::fs::remove_file(&file).unwrap();
    let ran = run_behind("", &read, ">/dev/null <&- 2>&-");
    assert_eq!(ran.code, 0);
    assert!(file.exists());
}
