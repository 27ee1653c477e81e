//! What only a local folder has: its own existence, and foreign files.

use bytes::Bytes;

use super::{TempFolder, keys};
use crate::store::{Root, Store, StoreErrorKind as Kind, StoreOptions, WriteError};

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
async fn list_passes_over_what_is_no_object() {
    let temp = TempFolder::new();
    let log = temp.0.join("log");
    std::fs::create_dir_all(log.join("a_folder")).unwrap();
    for name in ["a_1", "a_2#7", "a_3#x", "a_\n"] {
        std::fs::write(log.join(name), "x").unwrap();
    }
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStrExt;
        let name = std::ffi::OsStr::from_bytes(b"a_\xff");
        std::fs::write(log.join(name), "x").unwrap();
        std::os::unix::fs::symlink("/nowhere", log.join("a_dangling")).unwrap();
    }
    let page = temp.store().list("log/a_", None, 10).await.unwrap();
    assert_eq!(keys(&page), ["log/a_1", "log/a_3#x"]);
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
