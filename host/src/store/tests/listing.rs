//! Listings: order, prefix, paging.

use bytes::Bytes;

use super::{keys, of_kind, stores};
use crate::store::{EntryKind, StoreErrorKind as Kind};

#[tokio::test]
async fn list_is_sorted_direct_and_by_prefix() {
    let (_folder, stores) = stores();
    for (name, store) in stores {
        for key in ["e/b_3", "e/b_1", "e/b_2", "e/a_9", "e/sub/b_5", "f/b_4", "ee/b_6", "e/b"] {
            store.create(key, Bytes::from(key), false).await.unwrap();
        }
        let cases: [(&str, Option<&str>, &[&str]); 9] = [
            ("e/b_", None, &["e/b_1", "e/b_2", "e/b_3"]),
            ("e/", None, &["e/a_9", "e/b", "e/b_1", "e/b_2", "e/b_3"]),
            ("e/b_", Some("e/b_1"), &["e/b_2", "e/b_3"]),
            ("e/b_", Some("e/a"), &["e/b_1", "e/b_2", "e/b_3"]),
            ("e/b_", Some("e/c"), &[]),
            ("e/b_", Some("e/b_15"), &["e/b_2", "e/b_3"]),
            ("e/sub/", None, &["e/sub/b_5"]),
            ("none/", None, &[]),
            ("e", None, &[]),
        ];
        for (prefix, after, expected) in cases {
            let page = store.list(prefix, after, 100).await.unwrap();
            assert_eq!(keys(&page), expected, "{name}: {prefix} after {after:?}");
            assert!(!page.more, "{name}");
            for entry in &page.objects {
                let size = match entry.kind {
                    EntryKind::Object => entry.key.len() as u64,
                    _ => 0,
                };
                assert_eq!(entry.size, size, "{name}");
            }
            let folders: &[&str] = match prefix {
                "e/" => &["e/sub/"],
                "e" => &["e/", "ee/"],
                _ => &[],
            };
            assert_eq!(of_kind(&page, EntryKind::Folder), folders, "{name}: {prefix}");
        }
    }
}

#[tokio::test]
async fn list_by_pages_yields_each_key_once() {
    let (_folder, stores) = stores();
    for (name, store) in stores {
        let expected: Vec<String> = (0..57).map(|i| format!("p/k{i:03}")).collect();
        for key in expected.iter().rev() {
            store.create(key, Bytes::new(), false).await.unwrap();
        }
        for limit in [1, 7, 19, 56, 57, 58, 0, usize::MAX] {
            let mut found: Vec<String> = Vec::new();
            loop {
                let after = found.last().cloned();
                let page = store.list("p/k", after.as_deref(), limit).await.unwrap();
                assert!(page.objects.len() <= limit.max(1), "{name}");
                found.extend(page.objects.into_iter().map(|object| object.key));
                if !page.more {
                    break;
                }
            }
            assert_eq!(found, expected, "{name}: by {limit}");
        }
    }
}

#[tokio::test]
async fn list_of_a_bad_prefix_is_refused() {
    let (_folder, stores) = stores();
    for (name, store) in stores {
        for prefix in ["/", "/a", "a//b", "../", "a/../b", "a/\n"] {
            let error = store.list(prefix, None, 1).await.unwrap_err();
            assert_eq!(error.kind, Kind::Invalid, "{name}: {prefix:?}");
        }
    }
}

#[tokio::test]
async fn list_of_the_root_has_its_direct_objects() {
    let (_folder, stores) = stores();
    for (name, store) in stores {
        for key in ["x", "y", "d/z"] {
            store.create(key, Bytes::new(), false).await.unwrap();
        }
        let page = store.list("", None, 10).await.unwrap();
        assert_eq!(keys(&page), ["x", "y"], "{name}");
    }
}
