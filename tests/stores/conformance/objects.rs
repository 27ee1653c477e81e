//! The behaviour of every store: of the store layer of the host, and of the adapters.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;
use std::thread;

use bytes::Bytes;
use rig::backends::{Backend, Need, Property};
use rig::objects::{HostObjects, Objects, Outcome};
use stratalog::store::doctor::{Doctor, Use, Verdict};
use stratalog::store::{
    EntryKind, Location, ObjectRange, StoreError, StoreErrorKind as Kind, WriteError,
};

mod listings;
mod transfers;

use listings::*;
use transfers::*;

/// An empty store, and the means to open it again.
pub struct Bench {
    store: Box<dyn Objects>,
    again: Box<dyn Fn() -> Box<dyn Objects>>,
    /// The store of the host at this place, with an option that vouches for a sole compactor.
    vouched: HostObjects,
    is_exclusive: bool,
}

impl Bench {
    pub fn new(backend: &Arc<Backend>) -> Box<Self> {
        let place: Location = backend.place("log");
        let vouched = HostObjects::new(backend.open(&place).with_sole_compactor(true));
        let is_exclusive = backend.has(Need::Exclusive);
        let backend = Arc::clone(backend);
        let again = Box::new(move || backend.objects(&place));
        Box::new(Self { store: again(), again, vouched, is_exclusive })
    }

    fn create(&self, key: &str, bytes: impl Into<Bytes>) -> Outcome {
        self.store.create(key, bytes.into(), false)
    }

    fn get(&self, key: &str) -> Result<Bytes, Kind> {
        self.store.get(key, None).map_err(|error| error.kind)
    }

    fn keys(&self, prefix: &str, after: Option<&str>, limit: u32) -> (Vec<String>, bool) {
        let page = self.store.list(prefix, after, limit).unwrap();
        let objects = page.objects.into_iter().filter(|entry| entry.kind == EntryKind::Object);
        (objects.map(|object| object.key).collect(), page.more)
    }

    fn delete(&self, keys: &[&str]) {
        assert_eq!(self.store.delete(keys), []);
    }

    /// Returns handles for as many racers.
    fn racers(&self, count: usize) -> Vec<Box<dyn Objects>> {
        (0..count).map(|_| self.store.another()).collect()
    }
}

/// Lets each racer make a create, all at the same time. Returns their outcomes.
fn race(
    racers: &[Box<dyn Objects>],
    create: impl Fn(usize, &dyn Objects) -> Outcome + Sync,
) -> Vec<Outcome> {
    thread::scope(|scope| {
        let create = &create;
        let running: Vec<_> = racers
            .iter()
            .enumerate()
            .map(|(racer, store)| scope.spawn(move || create(racer, store.as_ref())))
            .collect();
        running.into_iter().map(|racer| racer.join().unwrap()).collect()
    })
}

macro_rules! properties {
    ($($name:ident [$($need:ident),*]),* $(,)?) => {
        &[$(Property { name: stringify!($name), needs: &[$(Need::$need),*], holds: $name }),*]
    };
}

pub const PROPERTIES: &[Property<Bench>] = properties![
    created_objects_read_back [],
    create_of_an_existing_key_changes_nothing [Refusal],
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
    keys_that_leave_the_root_are_refused [],
    ordered_reads_keep_the_order [],
    ordered_read_ends_with_the_range_that_fails [],
    uploads_of_any_size_appear_whole_at_their_end [],
    upload_that_is_dropped_leaves_nothing [],
    objects_of_64_mib_are_the_largest_of_one_call [Bounds],
    objects_outlive_the_handle_of_their_store [Lasting],
    doctor_reports_the_abilities_of_the_store_and_leaves_nothing [Doctor],
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
    let (store, exclusive): (&dyn Objects, _) = match bench.is_exclusive {
        true => (bench.store.as_ref(), false),
        false => (&bench.vouched, true),
    };
    store.create("a/key", "one".into(), exclusive).unwrap();
    let second = store.create("a/key", "two".into(), exclusive);
    assert_eq!(second, Err(WriteError::AlreadyExists));
    let mut started = store.start_create("a/key", "two".into(), exclusive);
    assert_eq!(started.wait(), Err(WriteError::AlreadyExists));
    assert_eq!(started.poll(), Some(Err(WriteError::AlreadyExists)));
    assert_eq!(bench.get("a/key").unwrap(), "one");
}

fn exclusive_create_succeeds_once(bench: &Bench) {
    let create = |bytes: &'static str| bench.store.create("a/key", bytes.into(), true);
    create("one").unwrap();
    assert_eq!(create("two"), Err(WriteError::AlreadyExists));
    assert_eq!(bench.get("a/key").unwrap(), "one");
    assert_eq!(bench.keys("a/", None, 10).0, ["a/key"], "the probe left something");
}

fn racing_exclusive_creates_have_one_winner(bench: &Bench) {
    let racers = bench.racers(16);
    race(&racers, |_, store| store.ensure_exclusive("a/").map_err(WriteError::NotWritten))
        .into_iter()
        .for_each(Result::unwrap);
    for round in 0..10 {
        let key = format!("a/{round}");
        let outcomes =
            race(&racers, |racer, store| store.create(&key, format!("racer {racer}").into(), true));
        let won: Vec<usize> = outcomes
            .iter()
            .enumerate()
            .filter(|(_, outcome)| outcome.is_ok())
            .map(|(racer, _)| racer)
            .collect();
        let lost = |outcome: &&Outcome| **outcome == Err(WriteError::AlreadyExists);
        assert_eq!(outcomes.iter().filter(lost).count(), 15, "{outcomes:?}");
        assert_eq!(bench.get(&key).unwrap(), format!("racer {}", won[0]));
    }
}

fn exclusive_create_is_refused_where_it_could_overwrite(bench: &Bench) {
    let refused = bench.store.create("a/key", "one".into(), true);
    let Err(WriteError::NotWritten(error)) = refused else { panic!("{refused:?}") };
    assert_eq!(error.kind, Kind::Unsupported);
    assert_eq!(bench.get("a/key"), Err(Kind::NotFound));
    assert_eq!(bench.keys("a/", None, 10).0, [""; 0], "the probe left something");
}

fn racing_creates_of_one_key_leave_one_of_them_whole(bench: &Bench) {
    let racers = bench.racers(8);
    for round in 0..5 {
        let key = format!("a/{round}");
        let outcomes = race(&racers, |racer, store| {
            let bytes = vec![u8::try_from(racer).unwrap(); 300_000];
            store.create(&key, bytes.into(), false)
        });
        assert!(outcomes.iter().any(Result::is_ok), "{outcomes:?}");
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

fn keys_that_leave_the_root_are_refused(bench: &Bench) {
    let is_invalid = |error: &StoreError| {
        assert_eq!(error.kind, Kind::Invalid, "{error}");
        assert!(error.message.contains("cannot be used"), "{error}");
    };
    let not_written = |created: Outcome| match &created {
        Err(WriteError::NotWritten(error)) => is_invalid(error),
        _ => panic!("{created:?}"),
    };
    let long = "x".repeat(1_025);
    let store = &bench.store;
    for key in ["../x", "a/../../x", "/x", "", "a//b", "a/", "a\n", "./a", "..", &long] {
        not_written(store.create(key, "x".into(), false));
        not_written(store.start_create(key, "x".into(), true).wait());
        not_written(store.start_upload(key).map(drop));
        is_invalid(&store.get(key, None).unwrap_err());
        let failures = store.delete(&[key]);
        assert_eq!(failures.len(), 1, "{key:?}");
        is_invalid(&failures[0].error);
    }
    for prefix in ["../", "/", "a//", "a/../b", "a\n"] {
        is_invalid(&store.list(prefix, None, 10).unwrap_err());
    }
}

fn missing_objects_are_not_found(bench: &Bench) {
    assert_eq!(bench.get("a/none"), Err(Kind::NotFound));
    assert_eq!(bench.keys("a/", None, 10), (vec![], false));
    bench.create("a/one", "x").unwrap();
    assert_eq!(bench.get("a/none"), Err(Kind::NotFound));
    assert_eq!(bench.get("none/one"), Err(Kind::NotFound));
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

fn objects_outlive_the_handle_of_their_store(bench: &Bench) {
    bench.create("a/key", "here").unwrap();
    let again = (bench.again)();
    assert_eq!(again.get("a/key", None).unwrap(), "here");
}

fn doctor_reports_the_abilities_of_the_store_and_leaves_nothing(bench: &Bench) {
    let HostObjects { store, runtime } = &bench.vouched;
    let store = store.clone().with_sole_compactor(false);
    let mut doctor = Doctor::new(&store, "log");
    runtime.block_on(async {
        while doctor.next().await.is_some() {}
        assert_eq!(doctor.clean_up().await, []);
    });
    let use_for_a_log = if bench.is_exclusive { Use::All } else { Use::SoleCompactor };
    assert_eq!(doctor.use_for_a_log(), use_for_a_log, "{:#?}", doctor.results());
    for found in doctor.results() {
        let may_fail = !bench.is_exclusive && found.ability.name().starts_with("create-if-absent");
        assert!(found.verdict != Verdict::Failed || may_fail, "{found:?}");
    }
    assert_eq!(doctor.latencies().len(), 3);
    let offset = doctor.clock_offset().unwrap();
    assert!(offset.ahead_ms_min < 3_000 && offset.ahead_ms_max > -3_000, "{offset:?}");
    for folder in ["", "log/", &format!("{}/", doctor.folder())] {
        assert_eq!(bench.keys(folder, None, 10).0, [""; 0], "left in {folder:?}");
    }
}
