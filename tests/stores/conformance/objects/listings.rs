//! Listings.

use super::*;

pub(super) fn listings_are_sorted_direct_and_by_prefix(bench: &Bench) {
    for key in ["e/b_3", "e/b_1", "e/b_2", "e/a_9", "e/sub/b_5", "f/b_4", "ee/b_6"] {
        bench.create(key, key).unwrap();
    }
    let cases: [(&str, Option<&str>, &[&str]); 7] = [
        ("e/b_", None, &["e/b_1", "e/b_2", "e/b_3"]),
        ("e/", None, &["e/a_9", "e/b_1", "e/b_2", "e/b_3"]),
        ("e/b_", Some("e/b_1"), &["e/b_2", "e/b_3"]),
        ("e/b_", Some("e/a"), &["e/b_1", "e/b_2", "e/b_3"]),
        ("e/b_", Some("e/c"), &[]),
        ("e/b_", Some("e/b_15"), &["e/b_2", "e/b_3"]),
        ("e/sub/", None, &["e/sub/b_5"]),
    ];
    for (prefix, after, expected) in cases {
        assert_eq!(bench.keys(prefix, after, 100).0, expected, "{prefix} after {after:?}");
    }
    let page = bench.store.list("e/", None, 100).unwrap();
    let folders = page.objects.iter().filter(|entry| entry.kind == EntryKind::Folder);
    assert!(folders.map(|entry| entry.key.as_str()).eq(["e/sub/"]), "{page:?}");
    assert!(page.objects.is_sorted_by(|a, b| a.key < b.key), "{page:?}");
}

pub(super) fn listings_by_pages_yield_each_key_once(bench: &Bench) {
    // The doctor does it with more keys than the services return for one request.
    let expected: Vec<String> = (0..120).map(|n| format!("p/k{n:04}")).collect();
    for keys in expected.chunks(50) {
        let start = |key: &String| bench.store.start_create(key, "x".into(), false);
        let started: Vec<_> = keys.iter().map(start).collect();
        started.into_iter().for_each(|mut create| create.wait().unwrap());
    }
    assert_eq!(bench.keys("p/k", None, 10_000), (expected.clone(), false));
    for limit in [7, 50, 119] {
        let mut found: Vec<String> = Vec::new();
        loop {
            let (keys, more) = bench.keys("p/k", found.last().map(String::as_str), limit);
            assert!(u32::try_from(keys.len()).unwrap() <= limit);
            found.extend(keys);
            if !more {
                break;
            }
        }
        assert_eq!(found, expected, "by {limit}");
    }
    let keys: Vec<&str> = expected.iter().map(String::as_str).collect();
    bench.delete(&keys);
    assert_eq!(bench.keys("p/", None, 10), (vec![], false));
}

pub(super) fn listing_shows_objects_just_written_and_deleted(bench: &Bench) {
    let mut there = BTreeSet::new();
    for round in 0..30 {
        let key = format!("a/{:02}", (round * 7) % 30);
        bench.create(&key, "x").unwrap();
        there.insert(key);
        assert!(bench.keys("a/", None, 100).0.iter().eq(&there), "round {round}");
        if round % 3 == 2 {
            let first = there.pop_first().unwrap();
            bench.delete(&[&first]);
            assert!(bench.keys("a/", None, 100).0.iter().eq(&there), "round {round}");
        }
    }
}
