//! Components of an earlier version run on this host, and a plugin of today on an earlier log.

use std::fs;
use std::path::Path;

use rig::plugins;
use tempfile::TempDir;

use super::kept::Kept;
use crate::binary::{check, fresh, json, numbered, ok, run_with};
use crate::plugins::joined::{assert_imports_only_wasi, joined, run_on_wasi};

const VERSIONS: &str = "wit/README.md, Versions";

/// The words of a session of `tests/scripted` that makes every call, and what each prints.
const SESSION: [(&str, &str); 21] = [
    ("open=log=10", "done"),
    ("append=a=25", "done"),
    ("append-packed=1000", ""),
    ("pending=log", ""),
    ("tick", ""),
    ("flush", "1025 events"),
    ("read-all", "1025 events, 0 missed"),
    ("read=log", "1025 events, 0 missed"),
    ("places=log", "1025 events of batches, 1025 positions"),
    ("resume=log=20", "20 and 1005 events, 0 missed"),
    ("file-count", ""),
    ("stat=log", "1025 events"),
    ("plan-compaction=log", ""),
    ("compact", ""),
    ("append=b=2", "done"),
    ("flush", "1027 events"),
    ("compact=log", ""),
    ("plan-trim=log=7", "1020 events"),
    ("trim=log=7", "1020 events"),
    ("verify=log", ""),
    ("close", "1027 events"),
];

fn words() -> Vec<&'static str> {
    SESSION.iter().map(|(word, _)| *word).collect()
}

/// Compares the lines that the plugin has printed with the session.
fn assert_session(said: &str, what: &str) {
    let mut lines = said.lines();
    for (word, expected) in SESSION.iter().filter(|(word, _)| !word.starts_with("append-packed")) {
        let line = lines.next().unwrap_or_default();
        let printed = line.strip_prefix(&format!("{word}: "));
        let failed = ["invalid", "failed", "unsupported", "denied", "damaged:", "closed"];
        let is_good = printed.is_some_and(|printed| {
            printed.ends_with(expected) && !failed.iter().any(|kind| printed.contains(kind))
        });
        assert!(is_good, "{what}: {word} printed {line:?}, not {expected:?}; see {VERSIONS}");
    }
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn plugin_of_an_earlier_version_runs_on_this_host_and_joined() {
    for kept in Kept::of_this_series() {
        let (folder, log) = fresh();
        let [_, plugin] = kept.unpack(folder.path());
        let what = format!("the plugin of {}", kept.version);

        let (of, rights) = (format!("log={log}"), "log=append,read,compact,trim");
        let run = ["run", text(&plugin), "--log", &of, "--grant", rights, "--"];
        let run = [&run[..], &words()].concat();
        let ran = run_with(&run, b"");
        assert_eq!(ran.code, 0, "{what}: {}", ran.stderr);
        assert_session(&ran.stdout, &what);
        assert_eq!(json(&["stat", "--json", &log])["events"], 7);

        let app = joined(&plugin, &folder.path().join("app.wasm"), &["--store=fs"]);
        assert_imports_only_wasi(&app);
        let store = TempDir::new().unwrap();
        assert_session(&run_on_wasi(&app, store.path(), &words(), b""), &what);
    }
}

#[test]
fn log_component_of_an_earlier_version_runs_on_this_host() {
    for kept in Kept::of_this_series() {
        let (folder, log) = fresh();
        let [component, _] = kept.unpack(folder.path());
        let on = |words: &[&'static str]| {
            let (command, words) = words.split_first().unwrap();
            let arguments = [&[*command, "--component", text(&component)], words, &[&log]].concat();
            arguments.into_iter().map(str::to_owned).collect::<Vec<_>>()
        };
        ok(&on(&["append", "--flush-threshold=10"]), &numbered(0..50));
        assert_eq!(ok(&["read", &log], ""), numbered(0..50));
        ok(&on(&["compact"]), "");
        ok(&["append", &log], &numbered(50..60));
        assert_eq!(ok(&on(&["tail", "-n5"]), ""), numbered(55..60));
        let stat = on(&["stat", "--json"]);
        assert_eq!(json(&stat.iter().map(String::as_str).collect::<Vec<_>>())["events"], 60);
        ok(&on(&["verify"]), "");
        ok(&on(&["trim", "--keep-events=20"]), "");
        assert_eq!(ok(&["read", &log], ""), numbered(40..60));

        let damaged = fs::read_dir(&log).unwrap().map(|file| file.unwrap().path());
        let damaged =
            damaged.filter(|path| path.extension().is_some_and(|it| it == "jsonl")).last();
        fs::write(damaged.unwrap(), "no event\n").unwrap();
        let verify = on(&["verify"]);
        check(&verify.iter().map(String::as_str).collect::<Vec<_>>(), "", 4, &[]);
        ok(&on(&["repair", "--yes"]), "");
        ok(&["verify", &log], "");
    }
}

#[test]
fn plugin_of_this_version_runs_on_an_earlier_log() {
    let plugin = plugins::rust("journal-rust");
    let input = fs::read(rig::tools::workspace().join("examples/plugins/access.log")).unwrap();
    for kept in Kept::of_this_series() {
        let (folder, _) = fresh();
        let [component, _] = kept.unpack(folder.path());
        let options = ["--component", text(&component), "--store=fs"];
        let app = joined(&plugin, &folder.path().join("app.wasm"), &options);
        let said = run_on_wasi(&app, folder.path(), &[], &input);

        let (_folder, native) = fresh();
        let grant = format!("errors={native}");
        let ran = run_with(&["run", text(&plugin), "--log", &grant], &input);
        assert_eq!(said, ran.stdout, "{}", kept.version);
        let errors = folder.path().join("errors");
        assert_eq!(ok(&["read", text(&errors)], ""), ok(&["read", &native], ""));
    }
}
