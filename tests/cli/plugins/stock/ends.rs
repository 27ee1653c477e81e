//! Programs that end without closing their logs: joined files flush them, as `stratalog run` does.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use rig::plugins;
use rig::tools::workspace;
use tempfile::TempDir;

use super::{App, run};
use crate::binary::{Ran, fresh, ok, run_with};

/// Runs the plugin that executes its arguments under `stratalog run`.
fn run_natively(folder: &Path, words: &[&str]) -> Ran {
    let plugin = plugins::rust("scripted");
    let grant = format!("log={}", folder.join("log").display());
    let options = ["run", plugin.to_str().unwrap(), "--log", &grant, "--"];
    run_with(&[&options[..], words].concat(), b"")
}

fn events_in(folder: &TempDir) -> String {
    ok(&["read", folder.path().join("log").to_str().unwrap()], "")
}

#[test]
fn logs_that_a_program_leaves_open_are_flushed_when_it_ends() {
    let Some(app) = App::folder() else { return };
    let appended = ["open=log", "append=a=25"];
    let all: String = (0..25).map(|number| format!("a {number}\n")).collect();
    let ends: [(&[&str], i32); 8] = [
        (&[], 0),
        (&["forget"], 0),
        (&["leave"], 0),
        (&["exit=0"], 0),
        (&["leave", "exit=0"], 0),
        (&["forget", "exit=0"], 0),
        (&["exit=1"], 1),
        (&["close", "exit=0"], 0),
    ];
    for (end, code) in ends {
        let words = [&appended[..], end].concat();
        let (joined, _) = fresh();
        let ran = run(&mut app.on(joined.path(), &words));
        assert_eq!((ran.code, ran.stderr.as_str()), (code, ""), "{end:?}");
        assert_eq!(events_in(&joined), all, "{end:?}");
        // One batch: nothing is written twice.
        let log = joined.path().join("log");
        assert_eq!(fs::read_dir(log).unwrap().count(), 1, "{end:?}");

        let (native, _) = fresh();
        let ran = run_natively(native.path(), &words);
        assert_eq!((ran.code, ran.stderr.as_str()), (code, ""), "{end:?}");
        assert_eq!(events_in(&native), all, "{end:?}");
    }
}

#[test]
fn log_that_is_dropped_is_flushed_by_the_next_call() {
    let Some(app) = App::folder() else { return };
    let (folder, _) = fresh();
    let words = ["open=log", "append=a=2", "forget", "read=log"];
    for ran in [run(&mut app.on(folder.path(), &words)), run_natively(fresh().0.path(), &words)] {
        assert!(ran.stdout.ends_with("read=log: 2 events, 0 missed\n"), "{}", ran.stdout);
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    }
}

#[test]
fn logs_that_are_left_open_are_flushed_in_the_order_of_their_opening() {
    let Some(app) = App::folder() else { return };
    // Dropped handles and open ones, in turn.
    let words = ["append=1", "leave", "open=log", "append=2", "forget", "open=log", "append=3"];
    for end in [&[][..], &["exit=0"], &["leave", "exit=0"]] {
        let (folder, _) = fresh();
        let ran = run(&mut app.on(folder.path(), &[&["open=log"], &words[..], end].concat()));
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{end:?}");
        // The second one is flushed by the next call after its handle was dropped.
        assert_eq!(events_in(&folder), "2\n1\n3\n", "{end:?}");
    }
    let words = ["open=log", "append=1", "leave", "open=log", "append=2", "leave"];
    let (folder, _) = fresh();
    run(&mut app.on(folder.path(), &words));
    assert_eq!(events_in(&folder), "1\n2\n");
}

/// Returns a command whose process can write no file.
#[cfg(target_os = "linux")]
fn without_room(command: &Command) -> Command {
    let mut shell = Command::new("sh");
    shell.args(["-c", "trap '' XFSZ; ulimit -f 0; exec \"$0\" \"$@\""]);
    shell.arg(command.get_program()).args(command.get_args());
    shell.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    shell
}

#[cfg(target_os = "linux")]
#[test]
fn log_that_cannot_be_flushed_at_the_end_fails_the_program() {
    let Some(app) = App::folder() else { return };
    let (at_the_end, dropped) = ("at the end of the program", "after its handle was dropped");
    let again = "the write that failed before failed again; 25 events are lost";
    for (end, when, cause) in [
        (&[][..], at_the_end, "cannot write "),
        (&["exit=0"], at_the_end, "cannot write "),
        (&["leave", "exit=0"], at_the_end, "cannot write "),
        (&["exit=1"], at_the_end, "cannot write "),
        // The program has had the cause.
        (&["close", "exit=0"], at_the_end, again),
        (&["flush"], at_the_end, again),
        (&["flush", "forget", "read=log"], dropped, again),
        (&["forget", "read=log"], dropped, "cannot write "),
    ] {
        let words = [&["open=log", "append=a=25"], end].concat();
        let (folder, _) = fresh();
        let ran = run(&mut without_room(&app.on(folder.path(), &words)));
        assert_eq!(ran.code, 1, "{end:?}: {}", ran.stderr);
        let report = format!("error: stratalog: cannot flush the log log {when}: {cause}");
        let reports: Vec<_> = ran.stderr.lines().collect();
        assert_eq!(reports.len(), 1, "{end:?}: {}", ran.stderr);
        assert!(reports[0].starts_with(&report), "{end:?}: {}", ran.stderr);
        assert!(reports[0].ends_with("; 25 events are lost"), "{end:?}: {}", ran.stderr);
        // Without messages, the exit code is left.
        let opened = format!("{}::/", folder.path().display());
        let options = ["--dir", &opened, "--env", "STRATALOG_LOG=off"];
        let ran = run(&mut without_room(&app.command(&options, &words)));
        assert_eq!((ran.code, ran.stderr.as_str()), (1, ""), "{end:?}");
    }
}

#[test]
fn program_that_traps_loses_what_it_has_not_flushed() {
    let Some(app) = App::folder() else { return };
    let (folder, _) = fresh();
    let ran =
        run(&mut app.on(folder.path(), &["open=log", "append=a", "flush", "append=b", "abort"]));
    assert!(ran.code > 1, "{}: {}", ran.code, ran.stderr);
    assert_eq!(events_in(&folder), "a\n");
}

/// `STRATALOG_BLESS=1` makes the parts again.
#[test]
fn parts_around_a_program_are_made_of_their_text() {
    for part in ["log-sink/exit", "log-sink/run", "open-logs/exit", "open-logs/run"] {
        let file = workspace().join("adapters").join(part);
        let made = wat::parse_file(file.with_extension("wat")).unwrap();
        if std::env::var_os("STRATALOG_BLESS").is_some() {
            fs::write(file.with_extension("wasm"), &made).unwrap();
        }
        assert!(fs::read(file.with_extension("wasm")).unwrap() == made, "{part}");
    }
}
