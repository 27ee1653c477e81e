//! Projects that `plugin new` makes: they build and run by the commands that it prints, and the
//! functions that come with them do the same in each language.

mod testing;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use rig::tools;
use tempfile::TempDir;

use crate::binary::{check, ok, run_with, stratalog};

/// The output of the programs next to this file, in each language.
const SAID: &str = "\
appended 2
cannot append to the log \"journal\": an event must have at least one byte
cannot append to the log \"journal\": an event must have no line feed
cannot append to the log \"journal\": 11 bytes are more than the 10 of an event
unterminated: cannot append to the log \"journal\": line 2: it must end with a line feed
with pending: one two three
durable 3
closed 3
second two true
behind it three
last three
";

const LOGGED: &str = r#"logged {"context":"shop","level":"warn","message":"low on \"tea\""}
"#;

const TRACED: &str = r#"traced {"context":"shop","cups":"3","field_level":"low","level":"error","message":"broken"}
"#;

const NOT_THERE: &str = "cannot read the log \"other\": there is no such log: nothing is stored yet
";

const REFUSED: &str = "\
cannot read the log \"stranger\": no log is granted under the label \"stranger\"; granted: journal, other
cannot commit a position of the log \"journal\": reader.commit on the log journal needs the right to commit; granted: append,read
";

const NAME: &str = "tea-shop_2";

/// A new project, and the commands that build, run and test it.
struct Project {
    folder: TempDir,
    build: Vec<String>,
    run: Vec<String>,
    test: Vec<String>,
}

impl Project {
    fn new(language: &str) -> Self {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join(NAME);
        let made = ok(&["plugin", "new", "--json", "-l", language, path.to_str().unwrap()], "");
        let made: serde_json::Value = serde_json::from_str(&made).unwrap();
        let commands = made["commands"].as_array().unwrap().iter();
        let commands: Vec<String> = commands.map(|it| it.as_str().unwrap().to_owned()).collect();
        let first_run = commands.iter().position(|it| it.starts_with("stratalog run")).unwrap();
        let (build, run) = commands.split_at(first_run);
        let (run, test) = run.split_at(2);
        Self { folder, build: build.to_vec(), run: run.to_vec(), test: test.to_vec() }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(NAME).join(name)
    }

    /// Runs commands as a shell in which `stratalog` is found; returns what they print.
    fn sh(&self, commands: &[String]) -> String {
        let ended = self.shell(commands);
        let said = String::from_utf8_lossy(&ended.stderr);
        assert!(ended.status.success(), "{commands:?}: {said}");
        String::from_utf8(ended.stdout).unwrap()
    }

    /// Runs commands as a shell in which `stratalog` is found.
    fn shell(&self, commands: &[String]) -> Output {
        let binary = Path::new(stratalog::<&str>(&[]).get_program()).parent().unwrap().to_owned();
        let old = std::env::var_os("PATH").unwrap_or_default();
        let path = std::env::join_paths([binary].into_iter().chain(std::env::split_paths(&old)));
        let mut shell = Command::new("sh");
        shell.args(["-e", "-c", &commands.join("\n")]).env("PATH", path.unwrap());
        shell.current_dir(self.file("")).env_remove("CARGO_TARGET_DIR");
        shell.output().unwrap()
    }

    /// Follows the printed commands.
    fn follow(&self) {
        self.sh(&self.build);
        let said = self.run.iter().map(|command| self.sh(std::slice::from_ref(command)));
        let said: Vec<String> = said.collect();
        assert_eq!(said, ["stored events: 1\n", "{\"text\":\"hello\"}\n"]);
        self.sh(&self.test);
    }

    /// Checks that the program prints an event whole that is longer than what a stream takes in one
    /// call, and that a full disk behind stdout is an error of one line.
    fn print_all(&self) {
        let long = format!("{{\"text\":\"{}\"}}\n", "x".repeat(200_000));
        ok(&["append", self.file("journal").to_str().unwrap()], &long);
        let printed = self.sh(&self.run[1..]);
        assert!(printed == format!("{{\"text\":\"hello\"}}\n{long}"), "{} bytes", printed.len());
        if cfg!(target_os = "linux") {
            let ended = self.shell(&[format!("{} >/dev/full", self.run[1])]);
            let said = String::from_utf8(ended.stderr).unwrap();
            assert_eq!(ended.status.code(), Some(1), "{said}");
            assert!(said.starts_with("error: cannot write the output"), "{said}");
            assert_eq!(said.lines().count(), 1, "{said}");
        }
    }

    /// Writes a file into the project.
    fn write(&self, file: &str, text: &str) {
        fs::write(self.file(file), text).unwrap();
    }

    /// Checks that the last command of the build refuses a program, with these words and no stack
    /// of its tools.
    fn refuse(&self, file: &str, source: &str, words: &[&str]) {
        self.write(file, source);
        let ended = self.shell(&self.build[self.build.len() - 1..]);
        let said = String::from_utf8(ended.stderr).unwrap();
        assert!(!ended.status.success(), "{said}");
        assert!(words.iter().all(|word| said.contains(word)), "{said}");
        assert!(!said.contains("node_modules/@bytecodealliance/componentize-js"), "{said}");
    }

    /// Replaces a file of the project by one next to this test, builds, and runs it on a new log.
    fn run_own(&self, file: &str, source: &str, words: &[&str]) -> (i32, String, String) {
        fs::write(self.file(file), source).unwrap();
        self.sh(&self.build);
        let plugin = self.run[1].split(' ').nth(2).unwrap();
        let (plugin, log) = (self.file(plugin), self.file("own"));
        let mut arguments = vec!["run", plugin.to_str().unwrap(), "--log"];
        let [journal, other] = ["journal", "other"]
            .map(|label| format!("{label}={}", log.join(label).to_str().unwrap()));
        arguments.extend([&*journal, "--log", &other, "--"]);
        arguments.extend(words);
        let ran = run_with(&arguments, b"");
        (ran.code, ran.stdout, ran.stderr)
    }
}

/// Returns whether a program of the machine is there; prints what is skipped if it is not.
fn has(program: &str) -> bool {
    let found = Command::new(program).arg("--version").output();
    let found = found.map(drop).map_err(|error| format!("{program}: {error}"));
    tools::require_or_skip(program, found).is_some()
}

#[test]
fn plugin_kit_for_rust_builds_runs_and_journals() {
    let project = Project::new("rust");
    project.follow();
    let manifest = fs::read_to_string(project.file("Cargo.toml")).unwrap();
    let features = r#"features = ["log", "serde", "tracing"] }
log = "0.4"
tracing = "0.1"
tracing-subscriber = { version = "0.3", default-features = false }"#;
    let manifest = manifest.replace(r#"features = ["serde"] }"#, features);
    project.write("Cargo.toml", &manifest);
    let source = include_str!("kit/main.rs");
    let ran = project.run_own("src/main.rs", source, &[]);
    let said = [SAID, LOGGED, TRACED, NOT_THERE, REFUSED].concat();
    assert_eq!(ran, (0, said.clone(), String::new()));
    // An example has what tests have.
    fs::create_dir(project.file("examples")).unwrap();
    project.write("examples/in_test_kit.rs", include_str!("kit/in_test_kit.rs"));
    assert_eq!(project.sh(&["cargo run --quiet --example in_test_kit".to_owned()]), said);

    let (code, _, stderr) = project.run_own("src/main.rs", source, &["panic"]);
    assert_eq!(code, 6, "{stderr}");
    assert!(stderr.contains("out of tea"), "{stderr}");
    let journal = project.file("own").join("journal");
    let last = ok(&["tail", "-n", "1", journal.to_str().unwrap()], "");
    let place = r#""level":"critical","context":"src/main.rs:"#;
    assert!(last.contains(place) && last.contains(r#""message":"out of tea""#), "{last}");
}

#[test]
fn plugin_kit_for_python_builds_runs_and_journals() {
    if !has("python3") {
        return;
    }
    let project = Project::new("python");
    project.follow();
    project.print_all();
    let ran = project.run_own("app.py", include_str!("kit/app.py"), &[]);
    assert_eq!(ran, (0, [SAID, LOGGED, NOT_THERE, REFUSED].concat(), String::new()));
}

#[test]
fn plugin_kit_for_javascript_builds_and_runs() {
    if !has("npm") {
        return;
    }
    let project = Project::new("javascript");
    project.follow();
    project.print_all();
    project.refuse("app.js", "const cups = ;\n", &["app.js:1", "SyntaxError"]);
    project.refuse("app.js", "export const ran = {};\n", &["app.js: ", "export const run"]);
    let ran = project.run_own("app.js", include_str!("kit/app.js"), &[]);
    assert_eq!(ran, (0, [SAID, NOT_THERE, REFUSED].concat(), String::new()));
}

#[test]
fn kit_makes_a_folder_whole_or_not_at_all() {
    let folder = TempDir::new().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    for bad in ["Shop", "9shop", "shop-", "shop_", "_shop", "s.hop", "é"] {
        check(&["plugin", "new", "-l", "rust", &path(bad)], "", 5, &[bad, "a-z"]);
    }
    let (full, empty) = (path("full"), path("empty"));
    fs::create_dir(&full).unwrap();
    fs::write(folder.path().join("full/file"), "").unwrap();
    check(&["plugin", "new", "-l", "rust", &full], "", 5, &[&full, "not empty"]);
    check(&["wit", &full], "", 5, &[&full, "not empty"]);
    check(&["wit", &format!("{full}/file")], "", 5, &["file is not a folder"]);
    check(&["wit", "-"], "", 5, &["several files", "name a folder"]);
    ok(&["plugin", "new", "-l", "python", &path("tea_shop")], "");
    fs::create_dir(&empty).unwrap();
    ok(&["wit", &empty], "");
    for taken in ["stratalog-guest", "stratalog-plugin", "stratalog_plugin"] {
        let taken = path(taken);
        check(&["plugin", "new", "-l", "rust", &taken], "", 5, &[&taken, "not stratalog"]);
    }
    for of_cargo in ["build", "deps", "examples", "incremental"] {
        let taken = path(of_cargo);
        check(&["plugin", "new", "-l", "rust", &taken], "", 5, &[&taken, "or incremental"]);
        ok(&["plugin", "new", "-l", "python", &taken], "");
    }
    let printed = ok(&["plugin", "new", "-l", "python", &path("shop")], "");
    assert!(printed.starts_with("cd ") && printed.lines().count() == 7, "{printed}");
    ok(&["wit", &path("made/in/time")], "");
    let mut names: Vec<_> = fs::read_dir(folder.path()).unwrap().collect();
    names.retain(|name| name.as_ref().unwrap().file_name().to_str().unwrap().starts_with('.'));
    assert!(names.is_empty(), "{names:?}");
}

#[test]
fn kit_removes_what_a_killed_process_has_left() {
    let folder = TempDir::new().unwrap();
    let made = |name: &str| {
        let made = folder.path().join(name);
        fs::create_dir(&made).unwrap();
        (fs::File::create(made.join("lock")).unwrap(), made)
    };
    let (_, abandoned) = made(".stratalog-new-a");
    let (lock, in_use) = made(".stratalog-new-b");
    let (_, foreign) = made(".other");
    lock.lock().unwrap();
    ok(&["wit", folder.path().join("wit").to_str().unwrap()], "");
    assert!(!abandoned.exists() && in_use.exists() && foreign.exists());
}

#[test]
fn written_interface_is_complete() {
    let folder = TempDir::new().unwrap();
    let wit = folder.path().join("wit");
    let summary = ok(&["wit", "--json", wit.to_str().unwrap()], "");
    let summary: serde_json::Value = serde_json::from_str(&summary).unwrap();
    let mut resolve = wit_parser::Resolve::default();
    let (package, sources) = resolve.push_dir(&wit).unwrap();
    let files = sources.paths().count();
    assert_eq!(summary["files"], files);
    let worlds = resolve.packages[package].worlds.keys().map(String::as_str);
    let worlds: Vec<&str> = worlds.collect();
    assert_eq!(worlds, ["command", "command-with-exit", "command-with-streams"]);
    for world in ["stratalog:log/plugin", "stratalog:log/log-component"] {
        resolve.select_world(&[package], Some(world)).unwrap();
    }
}
