//! Tests of the behaviour of every store, run on each of them.

use bytes::Bytes;

use super::{keys, stores};
use crate::store::{GET_BYTES_MAX, StoreErrorKind as Kind, WriteError};

#[tokio::test]
async fn create_of_an_existing_key_changes_nothing() {
    let (_folder, stores) = stores();
    for (name, store) in stores {
        for exclusive in [false, true] {
            let key = format!("log/a{exclusive}");
            store.create(&key, Bytes::from_static(b"one"), exclusive).await.unwrap();
            let again = store.create(&key, Bytes::from_static(b"two"), exclusive).await;
            assert_eq!(again, Err(WriteError::AlreadyExists), "{name}");
            assert_eq!(store.get(&key, None).await.unwrap(), "one", "{name}");
        }
    }
}

#[tokio::test]
async fn keys_with_spaces_and_unicode_keep_their_characters() {
    let names = ["a b", "größe", "日本 %20", "per%25cent", "#", "a#b", "x+y=z&q?", "~[{}]\\"];
    let (_folder, stores) = stores();
    for (name, store) in stores {
        for part in names {
            let key = format!("my log/{part}");
            store.create(&key, Bytes::from(part), false).await.unwrap();
            assert_eq!(store.get(&key, None).await.unwrap(), part, "{name}");
        }
        let page = store.list("my log/", None, 100).await.unwrap();
        let mut expected: Vec<String> = names.iter().map(|n| format!("my log/{n}")).collect();
        expected.sort();
        assert_eq!(keys(&page), expected, "{name}");
        let failures = store.delete(expected).await;
        assert_eq!(failures, vec![], "{name}");
        assert_eq!(store.list("my log/", None, 100).await.unwrap().objects, vec![], "{name}");
    }
}

#[tokio::test]
async fn bad_keys_are_refused() {
    let long = "x".repeat(2000);
    let bad = ["", "/", "/a", "a/", "a//b", "..", "a/../b", "./a", "a/.", "a\nb", "a\0", &long];
    let (_folder, stores) = stores();
    for (name, store) in stores {
        for key in bad {
            let created = store.create(key, Bytes::new(), false).await;
            let Err(WriteError::NotWritten(error)) = created else {
                panic!("{name}: {key:?} gave {created:?}");
            };
            assert_eq!(error.kind, Kind::Invalid, "{name}: {key:?}");
            let read = store.get(key, None).await.unwrap_err();
            assert_eq!(read.kind, Kind::Invalid, "{name}: {key:?}");
            let failures = store.delete(vec![key.to_owned()]).await;
            assert_eq!(failures.len(), 1, "{name}: {key:?}");
        }
    }
}

#[tokio::test]
async fn get_returns_exactly_the_range() {
    let (_folder, stores) = stores();
    for (name, store) in stores {
        let data: Vec<u8> = (0..3_000_000_u32).map(|i| (i % 251) as u8).collect();
        store.create("a/big", Bytes::from(data.clone()), false).await.unwrap();
        store.create("a/empty", Bytes::new(), false).await.unwrap();
        assert_eq!(store.get("a/big", None).await.unwrap(), data, "{name}");
        assert_eq!(store.get("a/empty", None).await.unwrap(), "", "{name}");
        for range in [0..1_u64, 0..3_000_000, 5..2_500_000, 2_999_999..3_000_000] {
            let expected = &data[range.start as usize..range.end as usize];
            let found = store.get("a/big", Some(range.clone())).await.unwrap();
            assert!(found == expected, "{name}: {range:?}");
        }
        let too_far = [0..3_000_001_u64, 3_000_000..3_000_001, 9_000_000..9_000_001];
        for range in too_far.into_iter().chain([5..5, 0..GET_BYTES_MAX + 1]) {
            let error = store.get("a/big", Some(range.clone())).await.unwrap_err();
            assert_eq!(error.kind, Kind::Invalid, "{name}: {range:?} {error}");
        }
        let missing = store.get("a/none", None).await.unwrap_err();
        assert_eq!(missing.kind, Kind::NotFound, "{name}");
        assert!(missing.message.contains("a/none"), "{name}: {missing}");
    }
}

#[tokio::test]
async fn get_of_more_than_the_limit_says_to_use_a_range() {
    let store = crate::store::Store::memory();
    let big = Bytes::from(vec![0; GET_BYTES_MAX as usize + 1]);
    store.create("big", big, false).await.unwrap();
    let error = store.get("big", None).await.unwrap_err();
    assert_eq!(error.kind, Kind::Invalid);
    assert!(error.message.contains("range"), "{error}");
    assert_eq!(store.get("big", Some(0..GET_BYTES_MAX)).await.unwrap().len(), 64 << 20);
}

#[tokio::test]
async fn delete_of_missing_keys_is_done() {
    let (_folder, stores) = stores();
    for (name, store) in stores {
        assert_eq!(store.delete(vec!["nothing/yet".to_owned()]).await, vec![], "{name}");
        for i in 0..25 {
            store.create(&format!("d/{i}"), Bytes::from_static(b"x"), false).await.unwrap();
        }
        let all: Vec<String> = (0..50).map(|i| format!("d/{i}")).collect();
        assert_eq!(store.delete(all).await, vec![], "{name}");
        assert_eq!(store.list("d/", None, 100).await.unwrap().objects, vec![], "{name}");
    }
}
