//! Tests of features that only a local folder has: its own existence, and foreign files.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};

use bytes::Bytes;

use super::{TempFolder, keys, of_kind};
use crate::store::backend::local::Folder;
use crate::store::{EntryKind, Root, Store, StoreErrorKind as Kind, StoreOptions, WriteError};

fn open(path: impl Into<std::path::PathBuf>) -> Store {
    Store::open(&Root::folder(path), &StoreOptions::new()).unwrap()
}

#[tokio::test]
async fn folder_missing_is_made_by_the_first_write_only() {
    let temp = TempFolder::new();
    let path = temp.0.join("not/yet");
    let store = open(&path);
    assert!(!store.root_exists().await.unwrap());
    assert_eq!(store.list("log/", None, 10).await.unwrap().objects, vec![]);
    assert_eq!(store.delete(vec!["log/a".to_owned()]).await, vec![]);
    let error = store.get("log/a", None).await.unwrap_err();
    assert_eq!(error.kind, Kind::NotFound);
    assert!(error.message.contains("not/yet"), "{error}");
    assert!(!path.exists(), "reading made the folder");
    store.create("log/a", Bytes::from_static(b"x"), true).await.unwrap();
    assert!(store.root_exists().await.unwrap());
    assert_eq!(std::fs::read(path.join("log/a")).unwrap(), b"x");
}

#[tokio::test]
async fn folder_that_is_a_file_is_refused() {
    let temp = TempFolder::new();
    let file = temp.0.join("file");
    std::fs::write(&file, "x").unwrap();
    for path in [file.clone(), file.join("below")] {
        let created = open(&path).create("log/a", Bytes::new(), false).await;
        let Err(WriteError::NotWritten(error)) = created else {
            panic!("{path:?} gave {created:?}");
        };
        assert_eq!(error.kind, Kind::Invalid, "{error}");
        assert!(error.message.contains("file"), "{error}");
    }
    assert!(open(&file).root_exists().await.is_err());
}

#[tokio::test]
async fn list_distinguishes_objects_from_other_entries() {
    let temp = TempFolder::new();
    let log = temp.0.join("log");
    std::fs::create_dir_all(log.join("a_folder")).unwrap();
    for name in ["a_1", "a_2#7", "a_3#x", "a_\n"] {
        std::fs::write(log.join(name), "x").unwrap();
    }
    let list = async || temp.store().list("log/a_", None, 10).await.unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStrExt;
        let name = std::ffi::OsStr::from_bytes(b"a_\xff");
        std::fs::write(log.join(name), "x").unwrap();
        std::os::unix::fs::symlink("/nowhere", log.join("a_dangling")).unwrap();
        std::os::unix::fs::symlink(log.join("a_1"), log.join("a_link")).unwrap();
        std::os::unix::fs::symlink(log.join("a_1"), log.join("a_link#1")).unwrap();
        std::os::unix::net::UnixListener::bind(log.join("a_socket")).unwrap();
        let page = list().await;
        let links = ["log/a_dangling", "log/a_link", "log/a_link#1"];
        assert_eq!(of_kind(&page, EntryKind::Link), links);
        assert_eq!(of_kind(&page, EntryKind::Special), ["log/a_socket"]);
        let sizes = page.objects.iter().filter(|entry| entry.kind != EntryKind::Object);
        assert_eq!(sizes.map(|entry| entry.size).sum::<u64>(), 1, "only of what is unfinished");
    }
    let page = list().await;
    assert_eq!(keys(&page), ["log/a_1", "log/a_3#x"]);
    assert_eq!(of_kind(&page, EntryKind::Folder), ["log/a_folder/"]);
    assert_eq!(of_kind(&page, EntryKind::Unfinished), ["log/a_2#7"]);
}

/// Puts an entry that an attack or an accident may leave in the place of an object.
#[cfg(unix)]
fn plant(path: &std::path::Path, what: &str, outside: &std::path::Path) {
    match what {
        "a symbolic link" => std::os::unix::fs::symlink(outside, path).unwrap(),
        "a dangling link" => std::os::unix::fs::symlink("/nowhere/at/all", path).unwrap(),
        "a folder" => std::fs::create_dir(path).unwrap(),
        "a socket" => drop(std::os::unix::net::UnixListener::bind(path).unwrap()),
        "a pipe" => {
            let made = std::process::Command::new("mkfifo").arg(path).status().unwrap();
            assert!(made.success());
        }
        _ => unreachable!("{what}"),
    }
}

#[cfg(unix)]
const INTRUDERS: [(&str, &str); 5] = [
    ("a symbolic link", "is a symbolic link"),
    ("a dangling link", "is a symbolic link"),
    ("a folder", "is a folder"),
    ("a socket", "is a named pipe, a socket or a device"),
    ("a pipe", "is a named pipe, a socket or a device"),
];

#[cfg(unix)]
#[tokio::test]
async fn entry_that_is_no_regular_file_is_named_and_not_touched() {
    for (what, words) in INTRUDERS {
        let temp = TempFolder::new();
        let outside = temp.0.join("outside");
        std::fs::write(&outside, "secret").unwrap();
        let root = temp.0.join("root");
        std::fs::create_dir_all(root.join("log")).unwrap();
        plant(&root.join("log/object"), what, &outside);
        let store = open(&root);
        let named = |error: &crate::store::StoreError| {
            assert_eq!(error.kind, Kind::NotAnObject, "{what}: {error}");
            for word in ["log/object", words, "not a regular file; move it away"] {
                assert!(error.message.contains(word), "{what}: no {word:?} in {error}");
            }
        };
        named(&store.get("log/object", None).await.unwrap_err());
        named(&store.get("log/object", Some(0..1)).await.unwrap_err());
        let range = crate::store::ObjectRange { key: "log/object".to_owned(), range: None };
        named(&store.read_ordered(vec![range]).next(1024).await.unwrap().unwrap_err().error);
        for exclusive in [false, true] {
            match store.create("log/object", Bytes::from_static(b"x"), exclusive).await {
                Err(WriteError::NotWritten(error)) => named(&error),
                created => panic!("{what}: {created:?}"),
            }
        }
        let mut upload = store.start_upload("log/object").await.unwrap();
        upload.write(Bytes::from(vec![b'x'; 9 << 20])).await.unwrap();
        match upload.finish().await {
            Err(WriteError::NotWritten(error) | WriteError::Unknown(error)) => named(&error),
            finished => panic!("{what}: {finished:?}"),
        }
        let left = std::fs::read_dir(root.join("log")).unwrap().count();
        assert_eq!(left, 1, "{what}: something was left next to it");
        let failures = store.delete(vec!["log/object".to_owned()]).await;
        if what == "a folder" {
            named(&failures[0].error);
        }
        assert_eq!(std::fs::read(&outside).unwrap(), b"secret", "{what}");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn no_link_on_the_way_to_an_object_is_followed() {
    let temp = TempFolder::new();
    let elsewhere = temp.0.join("elsewhere");
    std::fs::create_dir_all(elsewhere.join("deep")).unwrap();
    std::fs::write(elsewhere.join("object"), "secret").unwrap();
    std::fs::write(elsewhere.join("deep/object"), "secret").unwrap();
    std::fs::write(elsewhere.join("batch_1.jsonl#1"), "x").unwrap();
    let old = SystemTime::now() - Duration::from_secs(1_000_000);
    let file = std::fs::File::options().write(true).open(elsewhere.join("batch_1.jsonl#1"));
    file.unwrap().set_modified(old).unwrap();
    let root = temp.0.join("root");
    std::fs::create_dir_all(&root).unwrap();
    std::os::unix::fs::symlink(&elsewhere, root.join("log")).unwrap();
    let store = open(&root);
    for key in ["log/object", "log/deep/object"] {
        let named = |error: &crate::store::StoreError| {
            assert_eq!(error.kind, Kind::Invalid, "{error}");
            let words = "root/log is a symbolic link, not a folder; name the folder that is meant";
            assert!(error.message.contains(words), "{error}");
        };
        named(&store.get(key, None).await.unwrap_err());
        let folder = key.strip_suffix("object").unwrap();
        named(&store.list(folder, None, 10).await.unwrap_err());
        for name in ["object", "new"] {
            match store.create(&format!("{folder}{name}"), Bytes::new(), true).await {
                Err(WriteError::NotWritten(error)) => named(&error),
                created => panic!("{created:?}"),
            }
        }
        named(&store.delete(vec![key.to_owned()]).await[0].error);
    }
    assert_eq!(std::fs::read(elsewhere.join("object")).unwrap(), b"secret");
    assert_eq!(std::fs::read_dir(&elsewhere).unwrap().count(), 3, "something came or went");
    // The root is as its user names it.
    std::os::unix::fs::symlink(&elsewhere, temp.0.join("named")).unwrap();
    assert_eq!(open(temp.0.join("named")).get("object", None).await.unwrap(), "secret");
}

#[cfg(unix)]
#[tokio::test]
async fn planted_file_aside_is_neither_written_nor_followed() {
    let temp = TempFolder::new();
    let outside = temp.0.join("outside");
    std::fs::write(&outside, "kept").unwrap();
    let log = temp.0.join("log");
    std::fs::create_dir_all(&log).unwrap();
    std::os::unix::fs::symlink(&outside, log.join("batch_1#1")).unwrap();
    std::os::unix::fs::symlink("/nowhere", log.join("batch_1#2")).unwrap();
    std::fs::create_dir(log.join("batch_1#3")).unwrap();
    std::fs::hard_link(&outside, log.join("batch_1#4")).unwrap();
    let store = temp.store();
    store.create("log/batch_1", Bytes::from_static(b"x"), true).await.unwrap();
    assert_eq!(std::fs::read(&outside).unwrap(), b"kept");
    assert_eq!(store.get("log/batch_1", None).await.unwrap(), "x");
}

#[tokio::test]
async fn keys_of_unfinished_files_are_refused() {
    let store = TempFolder::new().store();
    store.create("log/a", Bytes::new(), false).await.unwrap();
    let created = store.create("log/a#1", Bytes::new(), false).await;
    let Err(WriteError::NotWritten(error)) = created else { panic!("{created:?}") };
    assert_eq!(error.kind, Kind::Invalid, "{error}");
    assert_eq!(store.get("log/a#1", None).await.unwrap_err().kind, Kind::Invalid);
    assert_eq!(store.delete(vec!["log/a#1".to_owned()]).await[0].error.kind, Kind::Invalid);
}

#[tokio::test]
async fn racing_exclusive_creates_have_one_winner() {
    let temp = TempFolder::new();
    let stores: Vec<Store> = (0..8).map(|_| temp.store()).collect();
    let mut pending: Vec<_> = stores
        .iter()
        .enumerate()
        .map(|(i, store)| store.start_create("log/m", Bytes::from(format!("{i}")), true))
        .collect();
    let mut winners = Vec::new();
    for (i, create) in pending.iter_mut().enumerate() {
        match create.wait().await {
            Ok(()) => winners.push(i.to_string()),
            Err(error) => assert_eq!(error, WriteError::AlreadyExists),
        }
    }
    let found = stores[0].get("log/m", None).await.unwrap();
    assert_eq!(winners, [String::from_utf8(found.to_vec()).unwrap()]);
}

#[tokio::test]
async fn abandoned_files_go_with_the_first_write_and_nothing_else_does() {
    let temp = TempFolder::new();
    let log = temp.0.join("log");
    std::fs::create_dir_all(log.join("batch_9#1")).unwrap();
    let hours_ago = |hours: u64| SystemTime::now() - Duration::from_secs(hours * 3_600);
    let files = [
        ("batch_1.jsonl#1", 2, false),
        ("segment_1.jsonl#12", 30, false),
        ("manifest_1.json#1", 2, false),
        ("generation_8#1", 2, false),
        ("set-aside_batch_1.jsonl#1", 2, false),
        ("batch_2.jsonl#1", 0, true),
        ("batch_3.jsonl", 100, true),
        ("batch_4.jsonl#x", 100, true),
        ("batch_5.jsonl#", 100, true),
        ("notes.txt#1", 100, true),
    ];
    for (name, hours, _) in files {
        let file = std::fs::File::create(log.join(name)).unwrap();
        file.set_modified(hours_ago(hours)).unwrap();
    }
    let store = temp.store();
    store.list("log/", None, 10).await.unwrap();
    assert!(log.join("batch_1.jsonl#1").exists(), "a reader removed it");
    store.create("log/batch_6.jsonl", Bytes::from_static(b"x"), false).await.unwrap();
    for (name, _, stays) in files {
        assert_eq!(log.join(name).exists(), stays, "{name}");
    }
    assert!(log.join("batch_9#1").exists() && log.join("batch_6.jsonl").exists());
}

#[tokio::test]
async fn create_whose_file_was_removed_as_stale_is_unknown_and_repeatable() {
    // The library's own unfinished file vanishes between its steps, as by a sweep that is wrong.
    let temp = TempFolder::new();
    let store = temp.store();
    let log = temp.0.join("log");
    std::fs::create_dir_all(&log).unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let pause = Arc::new(AtomicBool::new(false));
    let sweeping = {
        let (log, stop, pause) = (log.clone(), Arc::clone(&stop), Arc::clone(&pause));
        std::thread::spawn(move || {
            let later = SystemTime::now() + Duration::from_secs(1_000_000);
            let folder = Folder::open(&log, "").unwrap();
            let mut removed = 0;
            while !stop.load(Ordering::Relaxed) {
                if pause.load(Ordering::Relaxed) {
                    std::thread::yield_now();
                } else {
                    removed += crate::store::backend::stale_files::sweep(&folder, later).unwrap();
                }
            }
            removed
        })
    };
    for number in 0..300 {
        let (key, bytes) = (format!("log/batch_{number}"), Bytes::from(vec![b'x'; 10_000]));
        let mut disturbed = 0;
        while let Err(error) = store.create(&key, bytes.clone(), false).await {
            match error {
                WriteError::AlreadyExists => break,
                WriteError::NotWritten(_) => assert!(!log.join(format!("batch_{number}")).exists()),
                WriteError::Unknown(_) => {}
            }
            // A process that sweeps without a pause on a processor of its own lets no create
            // through.
            disturbed += 1;
            pause.store(disturbed >= 3, Ordering::Relaxed);
        }
        pause.store(false, Ordering::Relaxed);
        assert_eq!(store.get(&key, None).await.unwrap(), bytes);
    }
    stop.store(true, Ordering::Relaxed);
    assert!(sweeping.join().unwrap() > 0, "no create was disturbed");
}
