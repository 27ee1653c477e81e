//! One suite for every kind of store: the behaviour of the store itself, and of a log on it.
//!
//! Each backend declares its features. A property that needs a missing feature is skipped with a
//! message. The backends of `adapters` are components, called directly and joined with the log.

use std::sync::Arc;

use rig::backends::{Backend, Need};
use rig::servers::{Skip, require_or_skip};
use rig::subject::{Kind, World, events};
use stratalog::{Host, Stats};

mod logs;
mod objects;

/// Checks all properties of a store; the log's logic as each of `kinds`.
fn conforms(backend: Result<Backend, Skip>, kinds: &[Kind]) {
    let Some(backend) = require_or_skip(backend) else { return };
    let backend = Arc::new(backend);
    backend.check(objects::PROPERTIES, |_, _| objects::Bench::new(&backend));
    for kind in kinds {
        // Where nothing proves that one compactor is alone, an option must vouch for it.
        let vouched = !backend.has(Need::Exclusive);
        let world = |vouched: bool| Box::new(backend.world(*kind, vouched));
        backend.check(logs::PROPERTIES, |_, _| world(vouched));
        backend.check(logs::UNVOUCHED, |_, _| world(false));
    }
}

const BOTH: [Kind; 2] = [Kind::Native, Kind::Component];

#[test]
fn memory_conforms() {
    conforms(Ok(Backend::memory()), &BOTH);
}

#[test]
fn folder_conforms() {
    conforms(Ok(Backend::folder()), &BOTH);
}

#[test]
fn folder_adapter_conforms() {
    conforms(Ok(Backend::folder_adapter()), &[Kind::Joined]);
}

#[test]
fn moto_conforms() {
    conforms(Backend::moto(), &BOTH);
}

#[test]
fn radosgw_conforms() {
    conforms(Backend::radosgw(), &BOTH);
}

#[test]
fn garage_conforms() {
    conforms(Backend::garage(), &[Kind::Component]);
}

#[test]
fn s3_that_ignores_conditions_conforms() {
    conforms(Backend::s3_that_ignores_conditions(), &[Kind::Component]);
}

#[test]
fn moto_adapter_conforms() {
    conforms(Backend::moto_adapter(), &[Kind::Joined]);
}

#[test]
fn radosgw_adapter_conforms() {
    conforms(Backend::radosgw_adapter(), &[Kind::Joined]);
}

#[test]
fn adapter_whose_conditions_are_ignored_conforms() {
    conforms(Backend::adapter_whose_conditions_are_ignored(), &[Kind::Joined]);
}

#[test]
fn azurite_conforms() {
    conforms(Backend::azurite(), &[Kind::Component]);
}

#[test]
fn fake_gcs_conforms() {
    conforms(Backend::fake_gcs(), &[Kind::Component]);
}

#[test]
fn rclone_conforms() {
    conforms(Backend::rclone(), &[Kind::Component]);
}

#[test]
fn same_component_gives_the_same_log_on_memory_folder_and_s3() {
    let mut backends = vec![Backend::memory(), Backend::folder()];
    backends.extend(require_or_skip(Backend::moto()));
    let embedded = Host::new().unwrap();
    let mut results = Vec::new();
    for backend in &backends {
        let world = World::on(Kind::Component, backend.open(&backend.place("log")));
        let log = world.open("log");
        for batch in events(9).chunks(3) {
            world.clock.advance(1_000);
            log.append_lines(&(batch.join("\n") + "\n")).unwrap();
            log.flush().unwrap();
        }
        let read = log.read_all().unwrap();
        let compacted = log.compact().unwrap();
        let segment = world.object(compacted.new_key.as_deref().unwrap());
        // Each log has its own identity.
        let stats = Stats { identity: None, ..world.stat("log").unwrap() };
        let sha256 = world.host().component_sha256().to_owned();
        assert_eq!(sha256, embedded.component_sha256());
        results.push((sha256, read, segment, compacted.events, stats));
    }
    for (result, backend) in results.iter().zip(&backends) {
        assert_eq!(result, &results[0], "{} and {} differ", backend.name, backends[0].name);
    }
}
