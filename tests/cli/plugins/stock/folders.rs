//! Folders that refuse: a full disk, a read-only one, a missing permission, a folder that is
//! removed.

use std::fs::{self, Permissions};
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::Path;

use rig::waits::until;

use super::{App, lines, run};
use crate::binary::{Ran, fresh, ok, skipped};
use crate::disks::on_a_disk_with;

/// Runs a script on a disk, with the program as `run WORDS`.
fn on_a_disk(app: &App, size: &str, script: &str) -> Option<Ran> {
    let script = format!(
        "run() {{ \"$wasmtime\" run -C cache=n --allow-precompiled --dir \"$disk::/\" \"$app\" \"$@\"; }}\n\
         native() {{ \"$stratalog\" --cache-dir \"$cache\" -q \"$@\"; }}\n{script}"
    );
    let wasmtime = app.wasmtime.command();
    let paths = [("wasmtime", Path::new(wasmtime.get_program())), ("app", &app.file)];
    on_a_disk_with(size, &script, b"", &paths)
}

#[test]
fn full_disk_of_a_stock_host_keeps_what_was_acknowledged() {
    let Some(app) = App::folder() else { return };
    let script = r#"
        run open=log=50 append=before=100 flush
        dd if=/dev/zero of="$disk/filler" bs=1k 2>/dev/null || true
        run open=log=1000 append-packed=1000 flush read=log || echo "code $?"
        ls "$disk/log" | grep '#' || true
        rm "$disk/filler"
        run open=log append=after flush read=log
        native verify "$disk/log"
        native read "$disk/log" | sort | uniq -d
    "#;
    let Some(ran) = on_a_disk(&app, "512k", script) else { return };
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let said: Vec<_> = ran.stdout.lines().collect();
    let [open, append, flush, again, full, kept, ..] = &said[..] else { panic!("{said:?}") };
    assert_eq!([*open, *append], ["open=log=50: done", "append=before=100: done"]);
    assert_eq!([*flush, *again], ["flush: 100 events", "open=log=1000: done"]);
    assert!(full.starts_with("flush: write-failed: "), "{full}");
    assert!(full.ends_with("no space left on the device; free some space"), "{full}");
    assert_eq!(*kept, "read=log: 100 events, 0 missed");
    let after = ["open=log: done", "append=after: done", "flush: 1 events"];
    // What cannot be flushed at the end, either, fails the program.
    assert_eq!(said[6], "code 1");
    assert!(ran.stderr.contains("1,000 events are lost"), "{}", ran.stderr);
    assert_eq!(said[7..10], after);
    assert_eq!(said[10..], ["read=log: 101 events, 0 missed"]);
    assert!(!ran.stderr.contains("trap"), "{}", ran.stderr);
}

#[test]
fn read_only_disk_of_a_stock_host_is_read_and_says_what_to_do() {
    let Some(app) = App::folder() else { return };
    let script = r#"
        run open=log append=a flush
        mount -o remount,ro "$disk"
        run open=log append=b flush read=log compact=log || echo "code $?"
    "#;
    let Some(ran) = on_a_disk(&app, "512k", script) else { return };
    assert_eq!(ran.code, 0, "{}", ran.stderr);
    let said: Vec<_> = ran.stdout.lines().skip(5).collect();
    let action = "check the disk, and whether it is mounted for writing";
    assert!(said[0].starts_with("flush: write-failed: ") && said[0].ends_with(action), "{said:?}");
    assert_eq!(said[1], "read=log: 1 events, 0 missed");
    assert_eq!(said[said.len() - 1], "code 1");
}

#[test]
fn missing_permission_of_a_stock_host_names_what_to_allow() {
    const USER: u32 = 12_345;
    let Some(app) = App::folder() else { return };
    if !rustix::process::geteuid().is_root() {
        skipped("another user", "only root can become one");
        return;
    }
    let (folder, log) = fresh();
    ok(&["append", &log], "a\n");
    let mode = |path: &Path, mode| fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    let batch = fs::read_dir(&log).unwrap().next().unwrap().unwrap().path();
    let name = batch.file_name().unwrap().to_str().unwrap().to_owned();
    mode(folder.path(), 0o755);
    mode(&batch, 0o000);
    let as_user = |words: &[&str]| {
        let ran = run(app.on(folder.path(), words).uid(USER).gid(USER));
        // An event that cannot be flushed at the end, either, fails the program.
        let code = i32::from(words.len() > 1);
        assert_eq!((ran.code, ran.stderr.contains("trap")), (code, false), "{}", ran.stderr);
        ran.stdout
    };
    let opened = "the folder that the host opened as / (`--dir`)\n";
    for (words, action) in [
        (&["read=log"][..], format!("allow this user to read /log/{name} below {opened}")),
        (
            &["open=log", "append=b", "flush"],
            format!("allow this user to write in /log below {opened}"),
        ),
        (&["open=new", "append=b", "flush"], format!("allow this user to write in {opened}")),
    ] {
        let said = as_user(words);
        assert!(said.ends_with(&format!(": permission denied; {action}")), "{words:?}: {said}");
    }
    mode(Path::new(&log), 0o700);
    let said = as_user(&["read=log"]);
    let end = "cannot list /log: permission denied; allow this user to read /log below ";
    assert!(said.ends_with(&format!("{end}{opened}")), "{said}");
}

#[test]
fn folder_that_is_removed_fails_each_write_and_says_what_to_do() {
    let Some(app) = App::folder() else { return };
    let (folder, _) = fresh();
    let root = folder.path().join("store");
    fs::create_dir(&root).unwrap();
    let mut words = vec!["open=log=1"];
    words.extend(["append=a", "flush"].repeat(500));
    // A file takes any number of warnings, unlike a pipe that nobody reads.
    let warnings = folder.path().join("stderr");
    let mut command = app.on(&root, &words);
    let mut child = command.stderr(fs::File::create(&warnings).unwrap()).spawn().unwrap();
    let mut said = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    assert!(said.by_ref().any(|line| line == "flush: 1 events"));
    // A file may appear while the others are removed.
    until("the folder is removed", || fs::remove_dir_all(&root).is_ok());
    let end = "the folder that the host opened as / (`--dir`) was removed: create it, and start \
               this program again";
    let is_removed =
        |line: &String| line.starts_with("flush: write-failed: ") && line.ends_with(end);
    assert!(said.by_ref().any(|line| is_removed(&line)));
    let flushes: Vec<_> = said.filter(|line| line.starts_with("flush: ")).collect();
    assert!(flushes.iter().all(is_removed), "{flushes:?}");
    let code = child.wait().unwrap().code();
    let warnings = fs::read_to_string(&warnings).unwrap();
    assert_eq!((code, warnings.contains("trap")), (Some(1), false), "{warnings}");

    fs::create_dir(&root).unwrap();
    let said = lines(&mut app.on(&root, &["open=log", "append=a", "close", "read=log"]));
    assert_eq!(said[3], "read=log: 1 events, 0 missed");
}

#[test]
fn level_of_log_messages_that_does_not_exist_is_reported_once() {
    let Some(app) = App::folder() else { return };
    let (folder, _) = fresh();
    let opened = format!("{}::/", folder.path().display());
    let words = ["open=log=1", "append=a=3", "flush", "read=log", "close"];
    for (level, expected) in [
        (
            "nope",
            "warning: cannot use STRATALOG_LOG=nope: it is not off or one of trace, debug, info, warn, error; the default is used: warn\n",
        ),
        ("error", ""),
    ] {
        let level = format!("STRATALOG_LOG={level}");
        let ran = run(&mut app.command(&["--dir", &opened, "--env", &level], &words));
        assert_eq!((ran.code, ran.stderr.as_str()), (0, expected));
    }
}
