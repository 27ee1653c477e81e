//! The same log on every kind of store, by the same component.

use std::path::Path;

use rig::servers::{S3Server, require_or_skip, shared_moto, shared_radosgw};
use rig::subject::{Kind, World, events};
use stratalog::store::{Location, Store, StoreOptions};
use stratalog::{Error, Host};

/// What a user types, and the options that go with it.
struct Place {
    what: &'static str,
    location: String,
    options: Vec<(String, String)>,
}

impl Place {
    fn memory() -> Self {
        Self { what: "memory", location: "memory:log".to_owned(), options: Vec::new() }
    }

    fn folder(folder: &Path) -> Self {
        let location = folder.join("log").display().to_string();
        Self { what: "folder", location, options: Vec::new() }
    }

    fn s3(server: &S3Server) -> Self {
        let options = server.store_options();
        Self { what: server.kind, location: server.url("log"), options }
    }

    fn open(&self) -> Store {
        let location = Location::parse(&self.location).unwrap();
        assert_eq!(location.name, "log");
        let options = self.options.iter().fold(StoreOptions::new(), |options, (key, value)| {
            options.with_option(key, value).unwrap()
        });
        Store::open(&location.root, &options).unwrap()
    }
}

/// Runs a test on every store there is, natively and by the component.
fn on_every_store(test: impl Fn(&World)) {
    let folder = tempfile::tempdir().unwrap();
    let mut places = vec![Place::memory()];
    places.extend(require_or_skip(shared_moto()).map(Place::s3));
    places.extend(require_or_skip(shared_radosgw()).map(Place::s3));
    for kind in [Kind::Native, Kind::Component] {
        let folder = Place::folder(&folder.path().join(format!("{kind:?}")));
        for place in places.iter().chain([&folder]) {
            eprintln!("--- {kind:?} on {}", place.what);
            let place =
                Place { location: fresh(place, kind), options: place.options.clone(), ..*place };
            test(&World::on(kind, place.open()));
        }
    }
}

/// The same place, with a log of its own for each kind.
fn fresh(place: &Place, kind: Kind) -> String {
    place.location.replace("/log", &format!("/{kind:?}/log"))
}

#[test]
fn the_life_of_a_log() {
    on_every_store(|world| {
        assert_eq!(world.keys(), Vec::<String>::new());
        world.put("log/batch_0001600000000000001.jsonl", "old 1\nold 2");
        world.put("log/batch_0001600000000000002.jsonl", "\nold 3\n");
        let mut all: Vec<String> = ["old 1", "old 2", "old 3"].map(str::to_owned).to_vec();
        assert_eq!(world.read("log").unwrap(), all);

        let (one, two) = (world.open("log"), world.open("log"));
        for (number, batch) in events(40).chunks(5).enumerate() {
            let log = if number % 2 == 0 { &one } else { &two };
            world.clock.advance(10);
            log.append_lines(&(batch.join("\n") + "\n")).unwrap();
            log.flush().unwrap();
            all.extend(batch.iter().cloned());
            if number == 4 {
                let done = one.compact().unwrap();
                assert_eq!((done.merged_files, done.events), (7, 28));
            }
            assert_eq!(world.read("log").unwrap(), all);
        }
        world.clock.advance(10);
        one.append("pending").unwrap();
        all.push("pending".to_owned());
        assert_eq!(one.read_all().unwrap(), all);
        assert_eq!(one.close().unwrap().events, 21);
        assert_eq!(two.close().unwrap().events, 20);
        assert_eq!(world.compact("log").unwrap().merged_files, 4);
        assert_eq!(world.read("log").unwrap(), all);
        let stats = world.stat("log").unwrap();
        assert_eq!((stats.batches, stats.segments, stats.objects), (0, 2, 6));
        assert_eq!((stats.events, stats.generation), (44, 2));
    });
}

#[test]
fn large_events_and_segments_in_parts() {
    on_every_store(|world| {
        let log = world.open("log");
        // More than one part of an upload.
        let all: Vec<String> = (0..20).map(|n| format!("{n:02}{}", "x".repeat(999_997))).collect();
        for batch in all.chunks(5) {
            log.append_lines(&(batch.join("\n") + "\n")).unwrap();
            log.flush().unwrap();
        }
        assert_eq!(log.compact().unwrap().events, 20);
        assert!(log.read_all().unwrap() == all, "the events differ");
        assert_eq!(world.stat("log").unwrap().bytes, 20_000_000);
    });
}

#[test]
fn a_batch_on_the_store_that_does_not_match_its_name_is_damage() {
    on_every_store(|world| {
        let log = world.open("log");
        log.append("event").unwrap();
        log.close().unwrap();
        let key = world.keys().remove(0);
        world.put(&key, "tampered\n");
        let outcome = world.read("log");
        assert!(
            matches!(&outcome, Err(Error::Damaged { object, .. }) if *object == key),
            "{outcome:?}"
        );
    });
}

#[test]
fn racing_compactors_commit_once_each_and_lose_nothing() {
    on_every_store(|world| {
        let log = world.open("log");
        let all = events(30);
        for event in &all {
            log.append(event).unwrap();
            log.flush().unwrap();
        }
        std::thread::scope(|scope| {
            let runs: Vec<_> = (0..4).map(|_| scope.spawn(|| world.compact("log"))).collect();
            let mut merged = 0;
            for run in runs {
                match run.join().unwrap() {
                    Ok(done) => merged += done.events,
                    Err(Error::Conflict(_)) => {}
                    Err(other) => panic!("{other:?}"),
                }
            }
            assert_eq!(merged, 30);
        });
        assert_eq!(world.read("log").unwrap(), all);
        world.compact("log").unwrap();
        let stats = world.stat("log").unwrap();
        assert_eq!((stats.segments, stats.objects), (1, 3));
    });
}

#[test]
fn the_same_component_gives_the_same_log_on_memory_folder_and_s3() {
    let folder = tempfile::tempdir().unwrap();
    let mut places = vec![Place::memory(), Place::folder(folder.path())];
    places.extend(require_or_skip(shared_moto()).map(Place::s3));
    let embedded = Host::new().unwrap();
    let mut results = Vec::new();
    for place in &places {
        let world = World::on(Kind::Component, place.open());
        let log = world.open("log");
        for batch in events(9).chunks(3) {
            world.clock.advance(1_000);
            log.append_lines(&(batch.join("\n") + "\n")).unwrap();
            log.flush().unwrap();
        }
        let read = log.read_all().unwrap();
        let compacted = log.compact().unwrap();
        let segment = world.object(compacted.new_key.as_deref().unwrap());
        let stats = world.stat("log").unwrap();
        let sha256 = world.host().component_sha256().to_owned();
        assert_eq!(sha256, embedded.component_sha256());
        results.push((sha256, read, segment, compacted.events, stats));
    }
    for (result, place) in results.iter().zip(&places) {
        assert_eq!(result, &results[0], "{} and {} differ", place.what, places[0].what);
    }
}
