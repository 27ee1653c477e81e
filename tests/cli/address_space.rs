//! A limit on the address space of the process (`ulimit -v`).

#![cfg(target_os = "linux")]

use std::io::Write as _;

use crate::binary::{Ran, fresh, numbered, ok, stratalog_caching_in, within_address_space};

/// Runs a command with this many KiB of address space, which compiles the component again.
fn run_within(kib: u32, arguments: &[&str], stdin: &str) -> Ran {
    let cache = tempfile::TempDir::new().unwrap();
    let command = stratalog_caching_in(cache.path(), arguments);
    let mut child = within_address_space(kib, &command).spawn().unwrap();
    child.stdin.take().unwrap().write_all(stdin.as_bytes()).ok();
    child.wait_with_output().unwrap().into()
}

#[test]
fn log_is_appended_to_read_and_compacted_within_2_gb() {
    let (_folder, log) = fresh();
    let events = numbered(0..100_000);
    for arguments in [
        &["append", "-q", &log][..],
        &["append", "-q", "--compact-after", "1", "--flush-threshold", "20000", &log],
        &["compact", "-q", "--full", &log],
        &["verify", "-q", &log],
        &["stat", "-q", &log],
    ] {
        let ran = run_within(2_000_000, arguments, &events);
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{arguments:?}");
    }
    let ran = run_within(2_000_000, &["read", "-q", &log], "");
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    assert!(ran.stdout == events.repeat(2), "{} bytes", ran.stdout.len());
}

#[test]
fn less_than_a_component_needs_is_refused_with_the_way_to_more() {
    let (_folder, log) = fresh();
    ok(&["append", &log], "event\n");
    // A command without a component cannot run either.
    for kib in [60_000, 100_000] {
        for command in [&["read", &log][..], &["doctor", &log]] {
            let ran = run_within(kib, command, "");
            let error = format!(
                "error: cannot start: this process may have {kib} KiB of address space; raise the \
                 limit (`ulimit -v`) to 655360 KiB or more\n"
            );
            assert_eq!((ran.code, ran.stderr, ran.stdout.as_str()), (6, error, ""), "{kib}");
        }
    }
    for kib in [140_000, 390_000, 655_359] {
        let ran = run_within(kib, &["read", &log], "");
        let error = format!(
            "error: cannot run a component: this process may have {kib} KiB of address space; \
             raise the limit (`ulimit -v`) to 655360 KiB or more\n"
        );
        assert_eq!((ran.code, ran.stderr, ran.stdout.as_str()), (6, error, ""), "{kib}");
    }
    for kib in [655_360, 700_000, 4_000_000] {
        let ran = run_within(kib, &["read", &log], "");
        assert_eq!(
            (ran.code, ran.stderr.as_str(), ran.stdout.as_str()),
            (0, "", "event\n"),
            "{kib}"
        );
    }
}

#[test]
fn address_space_that_is_asked_for_suffices_for_every_command() {
    let (_folder, log) = fresh();
    // Many objects, read by many threads.
    let line = format!("{{\"text\":\"{}\"}}\n", "x".repeat(180));
    let events = line.repeat(200 * 1_200);
    ok(&["append", "-q", "--flush-threshold", "1200", &log], &events);
    for (kib, command) in [
        (131_072, &["doctor", "-q", &log][..]),
        (655_360, &["doctor", "-q", &log]),
        (655_360, &["verify", "-q", &log]),
        (655_360, &["stat", "-q", &log]),
        (655_360, &["compact", "-q", "--full", &log]),
        (800_000, &["verify", "-q", &log]),
    ] {
        let ran = run_within(kib, command, "");
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{kib} {command:?}");
    }
    let ran = run_within(655_360, &["read", "-q", &log], "");
    assert!(ran.stdout == events, "{} bytes, {}", ran.stdout.len(), ran.stderr);
}
