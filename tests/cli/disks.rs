//! Local folders that refuse writes: a full disk, a read-only disk, a limit on files.
//!
//! The disks are in memory and in a separate name space, so they end with the test.

#![cfg(target_os = "linux")]

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use rig::tools::cache_folder;

use crate::binary::{Ran, fresh, numbered, ok, stratalog};

/// Runs a script on a disk of this size at `$disk`, with `stratalog` as `$stratalog`. Returns
/// `None`, with a message, where a user cannot mount one.
fn on_a_disk(size: &str, script: &str, stdin: &[u8]) -> Option<Ran> {
    on_a_disk_with(size, script, stdin, &[])
}

/// Runs the same script with more paths in variables.
pub(crate) fn on_a_disk_with(
    size: &str,
    script: &str,
    stdin: &[u8],
    paths: &[(&str, &Path)],
) -> Option<Ran> {
    let (folder, _log) = fresh();
    let mount = format!("mount -t tmpfs -o size={size} tmpfs \"$disk\"");
    let run = |script: &str, stdin: &[u8]| {
        let mut command = Command::new("unshare");
        command.args(["-rm", "sh", "-ec", &format!("{mount}\n{script}")]);
        command.env("disk", folder.path()).env("cache", cache_folder());
        command.envs(paths.iter().copied());
        command.env("stratalog", stratalog::<&str>(&[]).get_program());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().map_err(|error| error.to_string())?;
        child.stdin.take().unwrap().write_all(stdin).ok();
        Ok::<_, String>(Ran::from(child.wait_with_output().unwrap()))
    };
    match run("", b"") {
        Ok(ran) if ran.code == 0 => Some(run(script, stdin).unwrap()),
        Ok(Ran { stderr: reason, .. }) | Err(reason) => {
            let reason = reason.trim();
            // Past the harness, which hides the output of passing tests.
            let mut stderr = std::io::stderr();
            writeln!(stderr, "SKIPPED a disk of its own: {reason}").unwrap();
            None
        }
    }
}

#[test]
fn full_disk_keeps_written_objects_and_takes_more_once_there_is_room() {
    let script = r#"
        run() { "$stratalog" --cache-dir "$cache" -q "$@"; }
        head -n 100 >"$disk/small"
        run append "$disk/log" <"$disk/small"
        dd if=/dev/zero of="$disk/filler" bs=1k 2>/dev/null || true
        code=0
        run append "$disk/log" <"$disk/small" || code=$?
        echo "full: $code"
        run read "$disk/log" | cmp - "$disk/small"
        ls "$disk/log" | grep '#' || true
        rm "$disk/filler"
        run append "$disk/log" <"$disk/small"
        run read "$disk/log" | wc -l
        run verify "$disk/log"
    "#;
    // The component's memory is not on that disk, and a batch of 100 events is larger than a page.
    let wide = |n: usize| format!("{{\"n\":{n},\"text\":\"{}\"}}\n", "x".repeat(100));
    let events: String = (0..100).map(wide).collect();
    let Some(ran) = on_a_disk("256k", script, events.as_bytes()) else { return };
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    assert_eq!(ran.stdout, "full: 3\n200\n", "{}", ran.stderr);
    assert!(
        ran.stderr.contains("the store does not have the last 100 of 100 events"),
        "{}",
        ran.stderr
    );
    assert!(ran.stderr.contains("No space left"), "{}", ran.stderr);
}

#[test]
fn disk_that_takes_no_more_names_leaves_the_events_unwritten() {
    // Here a link counts as a file: there is room for the unfinished file, and none for its name.
    let script = r#"
        run() { "$stratalog" --cache-dir "$cache" -q "$@"; }
        head -n 100 >"$disk/small"
        code=0
        run append "$disk/log" <"$disk/small" || code=$?
        echo "full: $code"
        ls "$disk/log"
    "#;
    let disk = "1m,nr_inodes=4";
    let Some(ran) = on_a_disk(disk, script, numbered(0..100).as_bytes()) else { return };
    assert_eq!((ran.code, ran.stdout.as_str()), (0, "full: 3\n"), "{}", ran.stderr);
    assert!(ran.stderr.contains("the store does not have the last 100 of 100"), "{}", ran.stderr);
    assert!(!ran.stderr.contains("may not have"), "{}", ran.stderr);
    assert!(ran.stderr.contains("No space left"), "{}", ran.stderr);
}

#[test]
fn cache_on_a_full_disk_is_warned_of_once() {
    let script = r#"
        echo event | "$stratalog" --cache-dir "$cache" -q append "$disk/log"
        "$stratalog" --cache-dir "$disk/cache" read "$disk/log"
    "#;
    let Some(ran) = on_a_disk("64k", script, b"") else { return };
    assert_eq!((ran.code, ran.stdout.as_str()), (0, "event\n"), "{}", ran.stderr);
    let warning = "the compiled form of the embedded component is not cached: cannot write ";
    assert_eq!(ran.stderr.matches(warning).count(), 1, "{}", ran.stderr);
    assert!(ran.stderr.contains("No space left"), "{}", ran.stderr);
}

#[test]
fn cache_is_used_on_a_disk_that_runs_no_code_or_takes_no_writes() {
    let script = r#"
        echo event | "$stratalog" --cache-dir "$cache" -q append "$disk/log"
        run() {
            echo "$1:"
            "$stratalog" --cache-dir "$disk/cache" -vv read "$disk/log" 2>&1 |
                grep -Eo '^event$|^warning.*|compiled the embedded component|\((mapped|read)\)$' |
                LC_ALL=C sort
        }
        run new
        run kept
        mount -o remount,noexec "$disk"
        run noexec
        mount -o remount,ro,exec "$disk"
        run read-only
    "#;
    let Some(ran) = on_a_disk("32m", script, b"") else { return };
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let expected = "new:\ncompiled the embedded component\nevent\nkept:\n(mapped)\nevent\n\
                    noexec:\n(read)\nevent\nread-only:\n(mapped)\nevent\n";
    assert_eq!(ran.stdout, expected, "{}", ran.stderr);
}

#[test]
fn read_only_disk_can_be_read() {
    let script = r#"
        run() { "$stratalog" --cache-dir "$cache" -q "$@"; }
        head -n 10 >"$disk/small"
        run append "$disk/log" <"$disk/small"
        mount -o remount,ro "$disk"
        ls -R "$disk" >/tmp/before.$$
        for command in append compact doctor; do
            code=0
            run "$command" "$disk/log" <"$disk/small" >/tmp/out.$$ || code=$?
            echo "$command: $code"
        done
        grep credentials /tmp/out.$$ | cut -c 1-20
        run read "$disk/log" | cmp - "$disk/small"
        run tail -n 3 "$disk/log" | wc -l
        run verify "$disk/log"
        ls -R "$disk" | cmp - /tmp/before.$$
        rm /tmp/before.$$ /tmp/out.$$
    "#;
    let Some(ran) = on_a_disk("1m", script, numbered(0..10).as_bytes()) else { return };
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    // A compaction of one batch has nothing to do, so it writes nothing.
    assert_eq!(ran.stdout, "append: 3\ncompact: 0\ndoctor: 3\nFAILED   credentials\n3\n");
    for words in [
        "the store does not have the last 10 of 10 events",
        "Read-only file",
        "mount it for writing",
    ] {
        assert!(ran.stderr.contains(words), "no {words:?} in: {}", ran.stderr);
    }
}

#[test]
fn limit_on_the_size_of_files_leaves_the_events_unwritten() {
    let (_folder, log) = fresh();
    ok(&["append", &log], "first\n");
    let mut command = Command::new("sh");
    // The limit is 4 MiB: a component that is not mapped has a memory that counts as a file.
    command.args(["-c", "ulimit -f 8192; exec \"$0\" \"$@\""]);
    let append =
        stratalog(&["append", "-q", "--flush-interval", "0", "--flush-bytes", "16MiB", &log]);
    command.arg(append.get_program()).args(append.get_args());
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(numbered(0..600_000).as_bytes()).ok();
    let ran = Ran::from(child.wait_with_output().unwrap());
    assert_eq!(ran.code, 3, "{}", ran.stderr);
    assert!(
        ran.stderr.contains("the store does not have the last 600,000 of 600,000"),
        "{}",
        ran.stderr
    );
    assert!(ran.stderr.contains("File too large"), "{}", ran.stderr);
    assert_eq!(ok(&["read", &log], ""), "first\n");
    let files = std::fs::read_dir(&log).unwrap().count();
    assert_eq!(files, 1, "a part of the batch was left");
}

#[test]
fn files_that_a_killed_process_left_go_with_the_next_append() {
    let (_folder, log) = fresh();
    ok(&["append", &log], "first\n");
    let left = |name: &str, hours: u64| {
        let path = Path::new(&log).join(name);
        let file = std::fs::File::create(&path).unwrap();
        let age = std::time::Duration::from_secs(hours * 3_600);
        file.set_modified(std::time::SystemTime::now() - age).unwrap();
        path
    };
    let old = left("batch_0001700000000000000_00000001_1_0000000000000000.jsonl#1", 2);
    let new = left("batch_0001700000000000000_00000002_1_0000000000000000.jsonl#1", 0);
    assert_eq!(ok(&["read", &log], ""), "first\n");
    assert!(old.exists(), "a reader removed it");
    ok(&["append", &log], "second\n");
    assert!(!old.exists() && new.exists());
    assert_eq!(ok(&["read", &log], ""), "first\nsecond\n");
}
