//! Writers under the stock wasmtime that are killed, next to native writers and compactions.
//!
//! Every acknowledged event must be there once, and those of a writer in their order.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, SystemTime};

use super::{App, lines};
use crate::binary::{fresh, ok, stratalog};

const KILLS: usize = 200;
/// Writers under wasmtime that run concurrently.
const LANES: usize = 2;
const NATIVE_WRITERS: usize = 2;

/// The number of events after which a writer is killed, at most.
const ACKNOWLEDGED_MAX: usize = 8;

/// Runs a writer until it has acknowledged some events, and kills it. Returns their number.
fn kill_one(app: &App, folder: &Path, number: usize) -> usize {
    let mut words = vec!["open=log=1".to_owned()];
    for event in 0..ACKNOWLEDGED_MAX * 20 {
        words.extend([format!("append=killed{number} {event}"), "flush".to_owned()]);
        if number.is_multiple_of(4) {
            // Some are killed while they compact.
            words.push("compact".to_owned());
        }
    }
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let mut child = app.on(folder, &words).spawn().unwrap();
    let stdout = BufReader::new(child.stdout.take().unwrap());
    let mut acknowledged = 0;
    let wanted = 1 + number % ACKNOWLEDGED_MAX;
    for line in stdout.lines() {
        let line = line.unwrap();
        let flushed = line.strip_prefix("flush: ").and_then(|line| line.strip_suffix(" events"));
        if let Some(events) = flushed {
            acknowledged = events.parse().unwrap();
        } else {
            let is_expected =
                ["append=", "open=", "compact"].iter().any(|word| line.starts_with(word));
            assert!(is_expected, "writer {number}: {line}");
        }
        if acknowledged == wanted {
            // At another instant of the next create each time.
            let micros = u64::try_from(number * 37 % 1_500).unwrap();
            thread::sleep(Duration::from_micros(micros));
            child.kill().unwrap();
        }
    }
    let status = child.wait().unwrap();
    assert!(!status.success(), "writer {number} ended before it was killed");
    acknowledged
}

/// Appends events by the native program until it must end. Returns their number.
fn write_natively(log: &str, number: usize, ends: &AtomicBool) -> usize {
    let mut child = stratalog(&["append", "-q", "--flush-threshold", "5", log]).spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let mut events = 0;
    while !ends.load(Ordering::SeqCst) {
        writeln!(stdin, "native{number} {events}").unwrap();
        events += 1;
        thread::sleep(Duration::from_millis(2));
    }
    drop(stdin);
    let ended = child.wait_with_output().unwrap();
    assert!(ended.status.success(), "{}", String::from_utf8_lossy(&ended.stderr));
    events
}

/// Compacts by the native program until it must end. Returns the number of compactions.
fn compact_natively(log: &str, ends: &AtomicBool) -> usize {
    let mut compactions = 0;
    while !ends.load(Ordering::SeqCst) {
        let ended = stratalog(&["compact", "-q", log]).output().unwrap();
        match ended.status.code() {
            Some(0) => compactions += 1,
            // Others have won all of its tries.
            _ => assert!(
                String::from_utf8_lossy(&ended.stderr).contains("other compactors"),
                "{}",
                String::from_utf8_lossy(&ended.stderr)
            ),
        }
    }
    compactions
}

/// Returns whether the folder is a log: it is made before its first batch.
fn has_batch(log: &str) -> bool {
    let Ok(files) = fs::read_dir(log) else { return false };
    let mut names = files.map(|file| file.unwrap().file_name().into_string().unwrap());
    names.any(|name| name.starts_with("batch_") && name.ends_with(".jsonl"))
}

/// Returns the names of unfinished files.
fn unfinished(log: &str) -> Vec<std::path::PathBuf> {
    let files = fs::read_dir(log).unwrap().map(|file| file.unwrap().path());
    files.filter(|path| path.to_str().unwrap().contains('#')).collect()
}

/// Reads the log, and returns the events of each writer. They must be in order, each once.
fn read(log: &str) -> BTreeMap<String, usize> {
    let mut events: BTreeMap<String, usize> = BTreeMap::new();
    for line in ok(&["read", log], "").lines() {
        let (writer, number) = line.split_once(' ').unwrap();
        let next = events.entry(writer.to_owned()).or_default();
        assert_eq!(number.parse::<usize>().unwrap(), *next, "{line}");
        *next += 1;
    }
    events
}

#[test]
fn killed_writers_lose_no_acknowledged_event() {
    let Some(app) = App::folder() else { return };
    let (folder, log) = fresh();
    let ends = AtomicBool::new(false);
    let (acknowledged, native, compactions) = thread::scope(|scope| {
        let (log, ends, app, folder) = (&log, &ends, &app, folder.path());
        let writers: Vec<_> = (0..NATIVE_WRITERS)
            .map(|number| scope.spawn(move || write_natively(log, number, ends)))
            .collect();
        let lanes: Vec<_> = (0..LANES)
            .map(|lane| {
                let numbers = (lane..KILLS).step_by(LANES);
                let kill = move |number| (number, kill_one(app, folder, number));
                scope.spawn(move || numbers.map(kill).collect::<Vec<_>>())
            })
            .collect();
        rig::waits::until("the first batch", || has_batch(log));
        let compactor = scope.spawn(move || compact_natively(log, ends));
        let killed: Vec<_> = lanes.into_iter().map(|lane| lane.join()).collect();
        ends.store(true, Ordering::SeqCst);
        let killed: BTreeMap<_, _> = killed.into_iter().flat_map(|lane| lane.unwrap()).collect();
        let native: Vec<_> = writers.into_iter().map(|writer| writer.join().unwrap()).collect();
        (killed, native, compactor.join().unwrap())
    });
    assert_eq!(acknowledged.len(), KILLS);
    assert!(compactions > 0);

    for after in ["the kills", "a compaction"] {
        let found = read(&log);
        for (number, acknowledged) in &acknowledged {
            let found = found.get(&format!("killed{number}")).copied().unwrap_or_default();
            // The event in flight may have landed.
            let is_right = (*acknowledged..=acknowledged + 1).contains(&found);
            assert!(is_right, "after {after}, writer {number}: {acknowledged} and {found}");
        }
        for (number, events) in native.iter().enumerate() {
            assert_eq!(found.get(&format!("native{number}")), Some(events), "after {after}");
        }
        ok(&["verify", &log], "");
        ok(&["compact", "--full", &log], "");
    }

    // One that is left for certain, next to those that the kills have left.
    let planted = "batch_0001700000000000000_00000001_1_0000000000000000.jsonl#1";
    fs::write(Path::new(&log).join(planted), "").unwrap();
    let left = unfinished(&log);
    append_one(&app, folder.path());
    assert_eq!(unfinished(&log).len(), left.len(), "young files were removed");
    for file in left {
        let file = File::options().write(true).open(file).unwrap();
        file.set_modified(SystemTime::now() - Duration::from_hours(2)).unwrap();
    }
    append_one(&app, folder.path());
    assert_eq!(unfinished(&log), Vec::<std::path::PathBuf>::new());
    ok(&["verify", &log], "");
}

fn append_one(app: &App, folder: &Path) {
    let said = lines(&mut app.on(folder, &["open=log", "append=after", "close"]));
    assert_eq!(said.last().unwrap(), "close: 1 events");
}
