//! The behaviour of every store, over the host's store layer.

use std::collections::BTreeSet;
use std::sync::Arc;

use bytes::Bytes;
use futures::future::join_all;
use rig::backends::{Backend, Need, Property};
use stratalog::store::doctor::{Doctor, Use, Verdict};
use stratalog::store::{
    EntryKind, Location, ObjectRange, Store, StoreErrorKind as Kind, WriteError,
};
use tokio::runtime::Runtime;

/// An empty store, and the means to open it again.
pub struct Bench {
    store: Store,
    again: Box<dyn Fn() -> Store>,
    use_for_a_log: Use,
    runtime: Runtime,
}

impl Bench {
    pub fn new(backend: &Arc<Backend>) -> Box<Self> {
        let place: Location = backend.place("log");
        let use_for_a_log =
            if backend.has(Need::Exclusive) { Use::All } else { Use::SoleCompactor };
        let backend = Arc::clone(backend);
        let again = Box::new(move || backend.open(&place));
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        Box::new(Self { store: again(), again, use_for_a_log, runtime })
    }

    fn create(&self, key: &str, bytes: impl Into<Bytes>) -> Result<(), WriteError> {
        self.runtime.block_on(self.store.create(key, bytes.into(), false))
    }

    fn get(&self, key: &str) -> Result<Bytes, Kind> {
        self.runtime.block_on(self.store.get(key, None)).map_err(|error| error.kind)
    }

    fn keys(&self, prefix: &str, after: Option<&str>, limit: usize) -> (Vec<String>, bool) {
        let page = self.runtime.block_on(self.store.list(prefix, after, limit)).unwrap();
        let objects = page.objects.into_iter().filter(|entry| entry.kind == EntryKind::Object);
        (objects.map(|object| object.key).collect(), page.more)
    }

    fn delete(&self, keys: &[&str]) {
        let keys = keys.iter().map(|key| (*key).to_owned()).collect();
        assert_eq!(self.runtime.block_on(self.store.delete(keys)), []);
    }
}

macro_rules! properties {
    ($($name:ident [$($need:ident),*]),* $(,)?) => {
        &[$(Property { name: stringify!($name), needs: &[$(Need::$need),*], holds: $name }),*]
    };
}

pub const PROPERTIES: &[Property<Bench>] = properties![
    created_objects_read_back [],
    create_of_an_existing_key_changes_nothing [],
    exclusive_create_succeeds_once [Exclusive],
    racing_exclusive_creates_have_one_winner [Exclusive],
    exclusive_create_is_refused_where_it_could_overwrite [NoExclusive],
    racing_creates_of_one_key_leave_one_of_them_whole [Atomic],
    keys_keep_their_characters [],
    missing_objects_are_not_found [],
    ranges_are_exact_or_refused [],
    parts_end_with_the_object_and_tell_its_size [],
    listings_are_sorted_direct_and_by_prefix [],
    listings_by_pages_yield_each_key_once [],
    listing_shows_objects_just_written_and_deleted [],
    deleted_objects_are_gone_and_missing_ones_count_as_deleted [],
    ordered_reads_keep_the_order [],
    uploads_of_any_size_appear_whole_at_their_end [],
    upload_that_is_dropped_leaves_nothing [],
    objects_outlive_the_handle_of_their_store [Lasting],
    doctor_reports_the_abilities_of_the_store_and_leaves_nothing [],
];

fn created_objects_read_back(bench: &Bench) {
    for (key, bytes) in
        [("a/empty", vec![]), ("a/small", b"x\n".to_vec()), ("a/large", vec![7; 3_000_000])]
    {
        bench.create(key, bytes.clone()).unwrap();
        assert!(bench.get(key).unwrap() == bytes, "{key}");
    }
}

fn create_of_an_existing_key_changes_nothing(bench: &Bench) {
    // A store that accepts a condition and ignores it is only checked where that matters.
    if bench.use_for_a_log == Use::SoleCompactor {
        let store = bench.store.clone().with_sole_compactor(true);
        let create = |bytes: &'static str| store.create("a/key", bytes.into(), true);
        bench.runtime.block_on(create("one")).unwrap();
        assert_eq!(bench.runtime.block_on(create("two")), Err(WriteError::AlreadyExists));
    } else {
        bench.create("a/key", "one").unwrap();
        assert_eq!(bench.create("a/key", "two"), Err(WriteError::AlreadyExists));
    }
    assert_eq!(bench.get("a/key").unwrap(), "one");
}

fn exclusive_create_succeeds_once(bench: &Bench) {
    let create = |bytes: &'static str| bench.store.create("a/key", bytes.into(), true);
    bench.runtime.block_on(create("one")).unwrap();
    assert_eq!(bench.runtime.block_on(create("two")), Err(WriteError::AlreadyExists));
    assert_eq!(bench.get("a/key").unwrap(), "one");
    assert_eq!(bench.keys("a/", None, 10).0, ["a/key"], "the probe left something");
}

fn racing_exclusive_creates_have_one_winner(bench: &Bench) {
    bench.runtime.block_on(bench.store.ensure_exclusive("a/")).unwrap();
    for race in 0..10 {
        let key = format!("a/{race}");
        let racers = (0..16).map(|racer| {
            let store = bench.store.clone();
            let bytes = Bytes::from(format!("racer {racer}"));
            let key = key.clone();
            // Separate tasks, so that they run on many threads.
            bench.runtime.spawn(async move { store.create(&key, bytes, true).await })
        });
        let outcomes = bench.runtime.block_on(join_all(racers));
        let won: Vec<usize> = outcomes
            .iter()
            .enumerate()
            .filter(|(_, outcome)| matches!(outcome, Ok(Ok(()))))
            .map(|(racer, _)| racer)
            .collect();
        let lost = |outcome: &Result<_, _>| matches!(outcome, Ok(Err(WriteError::AlreadyExists)));
        assert_eq!(outcomes.iter().filter(|outcome| lost(outcome)).count(), 15, "{outcomes:?}");
        assert_eq!(bench.get(&key).unwrap(), format!("racer {}", won[0]));
    }
}

fn exclusive_create_is_refused_where_it_could_overwrite(bench: &Bench) {
    let refused = bench.runtime.block_on(bench.store.create("a/key", "one".into(), true));
    let Err(WriteError::NotWritten(error)) = refused else { panic!("{refused:?}") };
    assert_eq!(error.kind, Kind::Unsupported);
    assert_eq!(bench.get("a/key"), Err(Kind::NotFound));
    assert_eq!(bench.keys("a/", None, 10).0, [""; 0], "the probe left something");
}

fn racing_creates_of_one_key_leave_one_of_them_whole(bench: &Bench) {
    for race in 0..5 {
        let key = format!("a/{race}");
        let racers = (0..8_u8).map(|racer| {
            let (store, key) = (bench.store.clone(), key.clone());
            let bytes = Bytes::from(vec![racer; 300_000]);
            bench.runtime.spawn(async move { store.create(&key, bytes, false).await })
        });
        let outcomes = bench.runtime.block_on(join_all(racers));
        assert!(outcomes.iter().any(|outcome| matches!(outcome, Ok(Ok(())))), "{outcomes:?}");
        let bytes = bench.get(&key).unwrap();
        assert_eq!(bytes.len(), 300_000);
        assert!(bytes.iter().all(|byte| *byte == bytes[0]), "a mixture");
    }
}

fn keys_keep_their_characters(bench: &Bench) {
    let names = ["a b", "größe", "日本", "per%25cent", "x+y=z&", "~{}", "#", "q?", "[x]", "a#b"];
    for name in names {
        bench.create(&format!("my log/{name}"), name).unwrap();
    }
    let mut expected = names.map(|name| format!("my log/{name}"));
    expected.sort();
    assert_eq!(bench.keys("my log/", None, 100).0, expected);
    for name in names {
        assert_eq!(bench.get(&format!("my log/{name}")).unwrap(), name);
    }
}

fn missing_objects_are_not_found(bench: &Bench) {
    assert_eq!(bench.get("a/none"), Err(Kind::NotFound));
    assert_eq!(bench.keys("a/", None, 10), (vec![], false));
    bench.create("a/one", "x").unwrap();
    assert_eq!(bench.get("a/none"), Err(Kind::NotFound));
    assert_eq!(bench.get("none/one"), Err(Kind::NotFound));
}

fn ranges_are_exact_or_refused(bench: &Bench) {
    let bytes: Vec<u8> = (0..700_000_u32).map(|n| (n % 251) as u8).collect();
    bench.create("a/key", bytes.clone()).unwrap();
    let get = |range| bench.runtime.block_on(bench.store.get("a/key", Some(range)));
    for range in [0..1_u64, 0..700_000, 5..600_000, 699_999..700_000] {
        let expected = &bytes[range.start as usize..range.end as usize];
        assert!(get(range.clone()).unwrap() == expected, "{range:?}");
    }
    for range in [0..700_001_u64, 700_000..700_001, 900_000..900_001] {
        let error = get(range.clone()).unwrap_err();
        assert_eq!(error.kind, Kind::Invalid, "{range:?}: {error}");
    }
}

fn parts_end_with_the_object_and_tell_its_size(bench: &Bench) {
    bench.create("a/object", "0123456789").unwrap();
    bench.create("a/empty", "").unwrap();
    let part = |key: &str, start, bytes_max| {
        let found = bench.runtime.block_on(bench.store.get_part(key, start, bytes_max));
        found.map(|part| (part.bytes, part.size)).map_err(|error| error.kind)
    };
    for (start, bytes_max, bytes) in
        [(0, 4, "0123"), (0, 10, "0123456789"), (0, 4096, "0123456789"), (7, u64::MAX, "789")]
    {
        assert_eq!(part("a/object", start, bytes_max), Ok((bytes.into(), 10)), "{start}");
    }
    assert_eq!(part("a/object", 10, 1), Err(Kind::Invalid));
    assert_eq!(part("a/empty", 0, 4096), Ok(("".into(), 0)));
    assert_eq!(part("a/missing", 0, 4096), Err(Kind::NotFound));
}

fn listings_are_sorted_direct_and_by_prefix(bench: &Bench) {
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
    let page = bench.runtime.block_on(bench.store.list("e/", None, 100)).unwrap();
    let folders = page.objects.iter().filter(|entry| entry.kind == EntryKind::Folder);
    assert!(folders.map(|entry| entry.key.as_str()).eq(["e/sub/"]), "{page:?}");
    assert!(page.objects.is_sorted_by(|a, b| a.key < b.key), "{page:?}");
}

fn listings_by_pages_yield_each_key_once(bench: &Bench) {
    // The doctor does it with more keys than the services return for one request.
    let expected: Vec<String> = (0..120).map(|n| format!("p/k{n:04}")).collect();
    for keys in expected.chunks(50) {
        let creates = keys.iter().map(|key| bench.store.create(key, "x".into(), false));
        for created in bench.runtime.block_on(join_all(creates)) {
            created.unwrap();
        }
    }
    assert_eq!(bench.keys("p/k", None, 10_000), (expected.clone(), false));
    for limit in [7, 50, 119] {
        let mut found: Vec<String> = Vec::new();
        loop {
            let (keys, more) = bench.keys("p/k", found.last().map(String::as_str), limit);
            assert!(keys.len() <= limit);
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

fn listing_shows_objects_just_written_and_deleted(bench: &Bench) {
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

fn deleted_objects_are_gone_and_missing_ones_count_as_deleted(bench: &Bench) {
    bench.delete(&["nothing/yet"]);
    for n in 0..5 {
        bench.create(&format!("d/{n}"), "x").unwrap();
    }
    bench.delete(&["d/0", "d/1", "d/7", "d/2"]);
    assert_eq!(bench.keys("d/", None, 10).0, ["d/3", "d/4"]);
    bench.delete(&["d/0"]);
    assert_eq!(bench.get("d/0"), Err(Kind::NotFound));
}

fn ordered_reads_keep_the_order(bench: &Bench) {
    let object = |n: usize| format!("{n} ").repeat(1 + (n * 7_919) % 40_000);
    let mut ranges = Vec::new();
    for n in 0..40 {
        let key = format!("o/{n}");
        bench.create(&key, object(n)).unwrap();
        let range = (n % 3 == 0).then(|| 1..object(n).len() as u64);
        ranges.push(ObjectRange { key, range });
    }
    let mut read = bench.store.read_ordered(ranges.clone());
    let mut found = vec![Vec::new(); 40];
    let mut last_part = 0;
    bench.runtime.block_on(async {
        while let Some(chunk) = read.next(10_000).await {
            let chunk = chunk.unwrap();
            assert!(chunk.number >= last_part, "out of order");
            last_part = chunk.number;
            found[chunk.number].extend_from_slice(&chunk.bytes);
        }
    });
    for (n, wanted) in ranges.iter().enumerate() {
        let start = wanted.range.as_ref().map_or(0, |range| range.start as usize);
        assert!(found[n] == object(n).as_bytes()[start..], "range {n}");
    }
}

fn uploads_of_any_size_appear_whole_at_their_end(bench: &Bench) {
    const MIB: usize = 1024 * 1024;
    for size in [0, 10, 8 * MIB, 8 * MIB + 1, 17 * MIB] {
        let bytes: Vec<u8> = (0..size).map(|n| (n % 241) as u8).collect();
        let key = format!("u/{size}");
        bench.runtime.block_on(async {
            let mut upload = bench.store.start_upload(&key).await.unwrap();
            for piece in bytes.chunks(MIB - 3) {
                upload.write(Bytes::copy_from_slice(piece)).await.unwrap();
            }
            let early = bench.store.get(&key, None).await.unwrap_err();
            assert_eq!(early.kind, Kind::NotFound, "{size} bytes were there too early");
            upload.finish().await.unwrap();
        });
        assert!(bench.get(&key).unwrap() == bytes, "{size} bytes");
    }
}

fn upload_that_is_dropped_leaves_nothing(bench: &Bench) {
    bench.runtime.block_on(async {
        let mut upload = bench.store.start_upload("u/key").await.unwrap();
        upload.write(Bytes::from(vec![1; 9_000_000])).await.unwrap();
        upload.abort().await;
        let mut upload = bench.store.start_upload("u/key").await.unwrap();
        upload.write(Bytes::from(vec![1; 9_000_000])).await.unwrap();
    });
    assert_eq!(bench.keys("u/", None, 10).0, [""; 0]);
    assert_eq!(bench.get("u/key"), Err(Kind::NotFound));
}

fn objects_outlive_the_handle_of_their_store(bench: &Bench) {
    bench.create("a/key", "here").unwrap();
    let again = (bench.again)();
    assert_eq!(bench.runtime.block_on(again.get("a/key", None)).unwrap(), "here");
}

fn doctor_reports_the_abilities_of_the_store_and_leaves_nothing(bench: &Bench) {
    let mut doctor = Doctor::new(&bench.store, "log");
    bench.runtime.block_on(async {
        while doctor.next().await.is_some() {}
        assert_eq!(doctor.clean_up().await, []);
    });
    assert_eq!(doctor.use_for_a_log(), bench.use_for_a_log, "{:#?}", doctor.results());
    for found in doctor.results() {
        let is_exclusive = found.ability.name().starts_with("create-if-absent");
        let may_fail = is_exclusive && bench.use_for_a_log == Use::SoleCompactor;
        assert!(found.verdict != Verdict::Failed || may_fail, "{found:?}");
    }
    assert_eq!(doctor.latencies().len(), 3);
    let offset = doctor.clock_offset().unwrap();
    assert!(offset.ahead_ms_min < 3_000 && offset.ahead_ms_max > -3_000, "{offset:?}");
    for folder in ["", "log/", &format!("{}/", doctor.folder())] {
        assert_eq!(bench.keys(folder, None, 10).0, [""; 0], "left in {folder:?}");
    }
}
