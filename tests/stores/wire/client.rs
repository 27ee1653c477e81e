//! The clients of an S3 server: the host, and the adapter of a bucket in wasmtime, each behind a
//! proxy.

use std::thread;
use std::time::Duration;

use bytes::Bytes;
use rig::adapter::objects::AdapterObjects;
use rig::adapter::{Adapter, Given};
use rig::faults::WireFault;
use rig::objects::{HostObjects, Objects, Outcome};
use rig::proxy::Proxy;
use rig::servers::{S3Server, require_or_skip, shared_moto, shared_radosgw};
use rig::subject::{Kind as Logic, World};
use stratalog::store::{Location, Store, StoreErrorKind as Kind, StoreOptions};

/// The client of a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Client {
    Host,
    Adapter,
}

/// A server, its client, and a proxy between them.
pub(super) struct Wire {
    pub(super) server: &'static S3Server,
    pub(super) client: Client,
    pub(super) proxy: Proxy,
}

/// The silence of a server after which an attempt has failed. `SOON` is for silence by the proxy,
/// `LATE` is longer than a busy server needs, and `NEVER` is for a server that always answers.
const SOON: &str = "1s";
const LATE: &str = "10s";
const NEVER: &str = "10m";

/// Enough repetitions for a server that is slower than [`SOON`] now and then.
const REPEATED_MAX: usize = 100;

/// The time after which the adapter gives up on a server that fails permanently.
const SHORT: Duration = Duration::from_secs(4);

impl Wire {
    pub(super) fn before(server: &'static S3Server, client: Client) -> Self {
        Self { server, client, proxy: Proxy::start(&server.endpoint) }
    }

    /// Returns the same with a proxy of its own.
    pub(super) fn another(&self) -> Self {
        Self::before(self.server, self.client)
    }

    /// Returns a new place.
    pub(super) fn place(&self) -> Location {
        Location::parse(&self.server.url("log")).unwrap()
    }

    /// Opens the store of a place with more options, which are those of the host.
    pub(super) fn store_with(
        &self,
        place: &Location,
        tries: Tries,
        more: &[(&str, &str)],
    ) -> Box<dyn Objects> {
        match self.client {
            Client::Host => Box::new(HostObjects::new(self.host_store(place, tries, more))),
            Client::Adapter => {
                let given = self.given(place, tries, more);
                Box::new(AdapterObjects::open(Adapter::Bucket, given))
            }
        }
    }

    /// Opens the store of a place.
    pub(super) fn store_at(&self, place: &Location, tries: Tries) -> Box<dyn Objects> {
        self.store_with(place, tries, &[])
    }

    /// Opens a new store.
    pub(super) fn store(&self, tries: Tries) -> Box<dyn Objects> {
        self.store_at(&self.place(), tries)
    }

    /// Returns the world of a log at a place. The test itself looks at it without a proxy.
    pub(super) fn world_at(&self, place: &Location, tries: Tries) -> World {
        match self.client {
            Client::Host => World::on(Logic::Component, self.host_store(place, tries, &[])),
            Client::Adapter => {
                let direct = Wire { proxy: Proxy::start(&self.server.endpoint), ..*self };
                let store = direct.host_store(place, tries, &[]);
                World::joined(Adapter::Bucket, self.given(place, tries, &[]), store)
            }
        }
    }

    pub(super) fn host_store(
        &self,
        place: &Location,
        tries: Tries,
        more: &[(&str, &str)],
    ) -> Store {
        let options = self.server.store_options_at(&self.proxy.endpoint).into_iter();
        let more = more.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        let options = options.chain(more).fold(StoreOptions::new(), |options, (key, value)| {
            options.with_option(&key, value).unwrap()
        });
        let options = options.with_option("read_timeout", tries.silence_max).unwrap();
        let options = options.with_retry_max(tries.retries).with_timeout(tries.limit);
        Store::open(&place.root, &options).unwrap()
    }

    fn given(&self, place: &Location, tries: Tries, more: &[(&str, &str)]) -> Given {
        let options = self.server.store_options_at(&self.proxy.endpoint);
        let more = more.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        let seconds = tries.adapter_limit.as_secs().to_string();
        Given::of_bucket(&place.root, options.into_iter().chain(more))
            .with_variable("STRATALOG_RETRY_TIMEOUT", &seconds)
    }

    pub(super) fn create(&self, store: &dyn Objects, key: &str) -> Outcome {
        store.create(key, Bytes::from_static(b"bytes"), false)
    }

    pub(super) fn get(&self, store: &dyn Objects, key: &str) -> Result<Bytes, Kind> {
        store.get(key, None).map_err(|error| error.kind)
    }

    /// Checks each case, those of the adapter concurrently: it waits for its time limits.
    pub(super) fn each<T: Copy + Send>(
        &self,
        cases: impl IntoIterator<Item = T>,
        check: impl Fn(&Wire, T) + Sync,
    ) {
        match self.client {
            Client::Host => cases.into_iter().for_each(|case| check(self, case)),
            Client::Adapter => thread::scope(|scope| {
                for case in cases {
                    let check = &check;
                    scope.spawn(move || check(&self.another(), case));
                }
            }),
        }
    }
}

/// The retries of a store, and the time until an attempt or an operation has failed.
#[derive(Clone, Copy)]
pub(super) struct Tries {
    retries: usize,
    silence_max: &'static str,
    limit: Duration,
    adapter_limit: Duration,
}

impl Tries {
    /// For a server that always answers. The adapter gives up soon.
    pub(super) fn few(retries: usize) -> Self {
        let limit = stratalog::store::TIMEOUT_LIMIT;
        Self { retries, silence_max: NEVER, limit, adapter_limit: SHORT }
    }

    /// For a fault that does not end: the adapter gives up soon.
    pub(super) fn ending_soon(self) -> Self {
        Self { adapter_limit: SHORT, ..self }
    }

    /// For a server that is silent at times, and slow at others.
    pub(super) fn patient(retries: usize) -> Self {
        Self { silence_max: LATE, adapter_limit: Duration::from_secs(12), ..Self::few(retries) }
    }

    /// For a fault of first attempts, which ends in time.
    pub(super) fn many(fault: WireFault) -> Self {
        let few = Self::few(REPEATED_MAX);
        match fault.is_stall() {
            true => Self { silence_max: SOON, adapter_limit: Duration::from_secs(9), ..few },
            false => Self { adapter_limit: few.limit, ..few },
        }
    }

    pub(super) fn within(seconds: u64) -> Self {
        let limit = Duration::from_secs(seconds);
        Self { limit, adapter_limit: limit, ..Self::few(5) }
    }
}

/// Runs a test on each available S3 server, with each client.
pub(super) fn on_each_server(test: impl Fn(&Wire) + Sync) {
    thread::scope(|scope| {
        for server in [shared_moto(), shared_radosgw()] {
            let Some(server) = require_or_skip(server) else { continue };
            for client in [Client::Host, Client::Adapter] {
                let test = &test;
                scope.spawn(move || {
                    eprintln!("--- {client:?} with {}", server.kind);
                    test(&Wire::before(server, client));
                });
            }
        }
    });
}
