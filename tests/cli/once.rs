//! `append --state`: the lines of files, each once, across runs, kills and rotations.

#![cfg(unix)]

mod kills;
mod troubles;

use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::path::PathBuf;
use std::process::Child;

use rig::waits::until;
use tempfile::TempDir;

use crate::binary::{Ran, check, end_of, numbered, ok, run_with, signal, stratalog};

/// A folder with a source, a state and a log.
pub(super) struct Place {
    _folder: TempDir,
    pub(super) source: PathBuf,
    pub(super) state: String,
    pub(super) log: String,
}

impl Place {
    pub(super) fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let path = |name: &str| folder.path().join(name);
        let text = |name: &str| path(name).to_str().unwrap().to_owned();
        let (source, state, log) = (path("app.log"), text("state"), text("log"));
        Self { _folder: folder, source, state, log }
    }

    pub(super) fn at(&self, name: &str) -> PathBuf {
        self.source.with_file_name(name)
    }

    /// Adds text to the source.
    pub(super) fn add(&self, text: &str) {
        let mut options = OpenOptions::new();
        let mut file = options.create(true).append(true).open(&self.source).unwrap();
        file.write_all(text.as_bytes()).unwrap();
    }

    fn arguments<'a>(&'a self, options: &[&'a str]) -> Vec<&'a str> {
        let source = self.source.to_str().unwrap();
        let own = ["append", "--state", &self.state, &self.log, source];
        own.into_iter().chain(options.iter().copied()).collect()
    }

    /// Appends what the files have.
    pub(super) fn append(&self, options: &[&str]) -> Ran {
        run_with(&self.arguments(options), b"")
    }

    fn appended(&self, options: &[&str]) -> String {
        let ran = self.append(options);
        assert_eq!(ran.code, 0, "{}", ran.stderr);
        ran.stderr
    }

    /// Starts to follow the source.
    pub(super) fn follow(&self, options: &[&str]) -> Child {
        let mut options = [&["--follow"], options].concat();
        if !options.contains(&"--flush-interval") {
            options.extend(["--flush-interval", "10ms"]);
        }
        stratalog(&self.arguments(&options)).spawn().unwrap()
    }

    pub(super) fn read(&self) -> String {
        let ran = run_with(&["read", &self.log], b"");
        if ran.code == 0 { ran.stdout } else { String::new() }
    }

    /// Waits until the log has these events.
    pub(super) fn until_read(&self, events: &str) {
        until("the log has all events", || self.read() == events);
    }

    /// Sets the time of the last change of a file: it has not grown for long.
    pub(super) fn age(&self, name: &str) {
        let file = File::options().append(true).open(self.at(name)).unwrap();
        let modified = file.metadata().unwrap().modified().unwrap();
        file.set_modified(modified - std::time::Duration::from_secs(60)).unwrap();
    }
}

#[test]
fn each_line_is_appended_once_across_runs() {
    let place = Place::new();
    place.add(&numbered(0..3));
    place.add("{\"n\":");
    assert!(place.appended(&[]).contains("3 events in 1 batch"));
    assert!(place.appended(&["-v"]).contains("incomplete line (5 B)"));
    assert_eq!(place.read(), numbered(0..3));
    place.add("3}\n");
    assert!(place.appended(&[]).contains("1 event in 1 batch"));
    assert!(place.appended(&[]).contains("no events"));
    ok(&["compact", "--full", &place.log], "");
    place.add(&numbered(4..6));
    place.appended(&["--flush-threshold", "1"]);
    assert_eq!(place.read(), numbered(0..6));
}

#[test]
fn following_takes_what_is_added_until_a_signal() {
    let place = Place::new();
    let mut following = place.follow(&[]);
    for n in 0..5 {
        place.add(&numbered(n..n + 1));
        place.until_read(&numbered(0..n + 1));
    }
    // Sealed only by the signal.
    signal(&following, "TERM");
    assert_eq!(end_of(&mut following).code(), Some(128 + 15));
    let mut following = place.follow(&["--flush-interval", "0"]);
    place.add(&numbered(5..6));
    until("the state to be locked", || place.at(".state.stratalog-lock").exists());
    signal(&following, "INT");
    assert_eq!(end_of(&mut following).code(), Some(128 + 2));
    place.appended(&[]);
    assert_eq!(place.read(), numbered(0..6));
}

#[test]
fn rotated_files_are_read_to_their_ends() {
    for (copied, followed) in [(false, false), (true, false), (false, true), (true, true)] {
        let place = Place::new();
        place.add(&numbered(0..2));
        place.appended(&[]);
        let following = followed.then(|| place.follow(&[]));
        place.add(&numbered(2..4));
        if followed {
            place.until_read(&numbered(0..4));
        }
        for (round, first) in [4, 8, 12].into_iter().enumerate() {
            place.add(&numbered(first..first + 2));
            for number in (1..=round).rev() {
                let name = |number: usize| place.at(&format!("app.log.{number}"));
                fs::rename(name(number), name(number + 1)).unwrap();
            }
            if copied {
                fs::copy(&place.source, place.at("app.log.1")).unwrap();
                File::options().write(true).open(&place.source).unwrap().set_len(0).unwrap();
            } else {
                fs::rename(&place.source, place.at("app.log.1")).unwrap();
            }
            place.add(&numbered(first + 2..first + 4));
        }
        match following {
            Some(mut following) => {
                place.until_read(&numbered(0..16));
                signal(&following, "TERM");
                end_of(&mut following);
            }
            None => {
                place.appended(&[]);
            }
        }
        assert!(place.appended(&[]).contains("no events"), "copied: {copied}");
        assert_eq!(place.read(), numbered(0..16), "copied: {copied}");
    }
}

#[test]
fn last_line_of_a_rotated_file_needs_no_line_feed() {
    let place = Place::new();
    place.add("{\"n\":0}");
    place.age("app.log");
    place.appended(&[]);
    fs::rename(&place.source, place.at("app.log-20260131")).unwrap();
    place.add(&numbered(1..2));
    place.appended(&[]);
    // The file was read: it is not taken for another one.
    place.appended(&[]);
    assert_eq!(place.read(), numbered(0..2));
}

#[test]
fn file_that_is_not_found_again_is_reported() {
    let place = Place::new();
    place.add(&numbered(0..3));
    place.appended(&[]);
    fs::remove_file(&place.source).unwrap();
    place.add(&numbered(3..4));
    let said = place.appended(&[]);
    assert!(said.contains("is not found again") && said.contains("3 lines of it"), "{said}");
    assert_eq!(place.read(), numbered(0..4));
}

#[test]
fn files_of_other_names_are_left_alone() {
    let place = Place::new();
    place.add(&numbered(0..1));
    place.appended(&[]);
    fs::rename(&place.source, place.at("app.log.1")).unwrap();
    place.add(&numbered(1..2));
    for name in ["app.log.bak", "app.log.1.gz", "app.logs", "other.log.1"] {
        fs::write(place.at(name), "no event of this log\n").unwrap();
    }
    place.appended(&[]);
    assert_eq!(place.read(), numbered(0..2));
}

#[test]
fn link_to_a_file_is_followed_to_the_next_one() {
    let place = Place::new();
    let link = |name: &str| {
        fs::write(place.at(name), numbered(0..0)).unwrap();
        fs::remove_file(&place.source).ok();
        std::os::unix::fs::symlink(place.at(name), &place.source).unwrap();
    };
    link("first");
    place.add(&numbered(0..2));
    place.appended(&[]);
    place.add(&numbered(2..3));
    place.appended(&[]);
    link("second");
    place.add(&numbered(3..4));
    place.appended(&[]);
    assert_eq!(place.read(), numbered(0..4));
}

#[test]
fn several_files_have_their_own_places() {
    let place = Place::new();
    let other = place.at("other.log");
    place.add("a1\na2\n");
    fs::write(&other, "b1\nb2\n").unwrap();
    let other = other.to_str().unwrap();
    place.appended(&[other]);
    place.add("a3\n");
    // A file that is left out for once keeps its place.
    place.appended(&[]);
    fs::write(other, "b1\nb2\nb3\n").unwrap();
    place.appended(&[other]);
    let mut events: Vec<_> = place.read().lines().map(str::to_owned).collect();
    events.sort_unstable();
    assert_eq!(events, ["a1", "a2", "a3", "b1", "b2", "b3"]);
}

#[test]
fn source_that_cannot_be_read_again_is_refused() {
    let place = Place::new();
    place.add(&numbered(0..1));
    let (log, state) = (place.log.as_str(), place.state.as_str());
    let source = place.source.to_str().unwrap();
    let folder = place.source.parent().unwrap().to_str().unwrap();
    check(&["append", "--state", state, log], "x\n", 2, &["stdin cannot", "name the files"]);
    check(&["append", "--state", state, log, "-"], "x\n", 2, &["stdin cannot"]);
    check(&["append", "--follow", log, source], "", 2, &["--state <FILE>"]);
    check(&["append", "--state", state, log, source, source], "", 2, &["given twice"]);
    check(&["append", "--state", state, log, "no-file"], "", 5, &["cannot open no-file"]);
    check(&["append", "--state", state, "memory:log", source], "", 2, &["in memory"]);
    check(&["append", "--state", state, log, folder], "", 5, &[folder]);
    check(&["append", "--state", "/no/folder/state", log, source], "", 5, &["does not exist"]);
    let pipe = place.at("pipe");
    rustix::fs::mknodat(
        rustix::fs::CWD,
        &pipe,
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RUSR,
        0,
    )
    .unwrap();
    check(&["append", "--state", state, log, pipe.to_str().unwrap()], "", 5, &["not a file"]);
    let packed = place.at("packed.gz");
    fs::write(&packed, b"\x1f\x8b\x08\0\0\0\0\0\0\x03\n\n").unwrap();
    let packed = packed.to_str().unwrap();
    check(&["append", "--state", state, log, packed], "", 5, &["compressed with gzip"]);
    assert_eq!(place.read(), "");
}

#[test]
fn state_of_another_log_or_of_nothing_is_refused() {
    let place = Place::new();
    place.add(&numbered(0..1));
    place.appended(&[]);
    let (state, source) = (place.state.as_str(), place.source.to_str().unwrap());
    let other = place.at("other").to_str().unwrap().to_owned();
    let log = place.log.as_str();
    check(&["append", "--state", state, &other, source], "", 5, &["of another log", log]);
    let saved = fs::read_to_string(state).unwrap();
    for (text, words) in [
        (String::new(), "is no state"),
        ("{}".to_owned(), "is no state"),
        (saved.replacen("\"format\":1", "\"format\":9", 1), "format 9"),
        (saved.replacen("\"inode\"", "\"node\"", 1), "is damaged"),
    ] {
        fs::write(state, &text).unwrap();
        check(&["append", "--state", state, log, source], "", 5, &[words, "restore the file"]);
        assert_eq!(fs::read_to_string(state).unwrap(), text);
    }
    fs::write(state, saved).unwrap();
    let mut following = place.follow(&[]);
    place.add(&numbered(1..2));
    place.until_read(&numbered(0..2));
    check(&["append", "--state", state, log, source], "", 1, &["another append uses it"]);
    signal(&following, "TERM");
    end_of(&mut following);
}

#[test]
fn invalid_line_stops_each_run_until_it_is_left_out() {
    let place = Place::new();
    place.add("a\nb\n1234567\nc\0\nd\n\n");
    for _ in 0..2 {
        let ran = place.append(&["--event-bytes-max", "5"]);
        assert_eq!(ran.code, 5, "{}", ran.stderr);
        assert!(ran.stderr.contains("app.log:3: the line is longer than"), "{}", ran.stderr);
        assert_eq!(place.read(), "a\nb\n");
    }
    let said = place.appended(&["--event-bytes-max", "5", "--skip-invalid"]);
    assert!(said.contains("app.log:4: the line has a NUL byte"), "{said}");
    assert!(said.contains("1 blank line") && said.contains("2 invalid lines"), "{said}");
    place.add(&format!("{}\ne\n", "x".repeat(2_000_000)));
    let said = place.appended(&["--skip-invalid"]);
    assert!(said.contains("app.log:7: the line is longer than"), "{said}");
    assert_eq!(place.read(), "a\nb\nd\ne\n");
}
