//! The kinds of store that a log must work on, each with what it can do.

use std::any::Any;
use std::io::Write as _;
use std::sync::atomic::{AtomicUsize, Ordering};

use stratalog::store::{Location, Store, StoreOptions};

use crate::faults::WireFault;
use crate::proxy::Proxy;
use crate::servers::{S3Server, Server, Skip, shared_moto, shared_radosgw};

/// A property's need of a store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// Of racing exclusive creates, one succeeds.
    Exclusive,
    /// Exclusive creates are not honoured.
    NoExclusive,
    /// Data outlives the store's handle.
    Lasting,
    /// Concurrent creates of one key write one of them, whole.
    Atomic,
}

/// A kind of store, running and ready to be opened.
pub struct Backend {
    pub name: &'static str,
    location: Box<dyn Fn(&str) -> String + Send + Sync>,
    options: Vec<(String, String)>,
    has: &'static [Need],
    /// Values that must live as long as the backend.
    _held: Vec<Box<dyn Any + Send + Sync>>,
}

/// A property of every store that has what it needs.
pub struct Property<T: ?Sized> {
    pub name: &'static str,
    pub needs: &'static [Need],
    pub holds: fn(&T),
}

impl Backend {
    pub fn memory() -> Self {
        let location = |log: &str| format!("memory:{log}");
        Self::new("memory", location, Vec::new(), &[Need::Exclusive, Need::Atomic])
    }

    pub fn folder() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().to_owned();
        let places = AtomicUsize::new(0);
        let location = move |log: &str| {
            let place = places.fetch_add(1, Ordering::Relaxed);
            path.join(place.to_string()).join(log).display().to_string()
        };
        let has = &[Need::Exclusive, Need::Lasting, Need::Atomic];
        Self::new("folder", location, Vec::new(), has).holding(folder)
    }

    /// # Errors
    /// See [`S3Server::moto`]; the others likewise.
    pub fn moto() -> Result<Self, Skip> {
        let has = &[Need::Exclusive, Need::Lasting, Need::Atomic];
        shared_moto().map(|server| Self::s3("moto", server, has))
    }

    pub fn radosgw() -> Result<Self, Skip> {
        let has = &[Need::Exclusive, Need::Lasting, Need::Atomic];
        shared_radosgw().map(|server| Self::s3("radosgw", server, has))
    }

    pub fn garage() -> Result<Self, Skip> {
        let server: &'static S3Server = Box::leak(Box::new(S3Server::garage()?));
        Ok(Self::s3("garage", server, &[Need::NoExclusive, Need::Lasting, Need::Atomic]))
    }

    /// An S3 that accepts conditions and ignores them: moto behind a proxy that drops them.
    pub fn s3_that_ignores_conditions() -> Result<Self, Skip> {
        let server = shared_moto()?;
        let proxy = Proxy::start(&server.endpoint);
        proxy.play(|_| WireFault::DropCondition);
        let has = &[Need::NoExclusive, Need::Lasting, Need::Atomic];
        let mut backend = Self::s3("s3-ignoring-conditions", server, has);
        backend.options = server.store_options_at(&proxy.endpoint);
        Ok(backend.holding(proxy))
    }

    pub fn azurite() -> Result<Self, Skip> {
        let has = &[Need::Exclusive, Need::Lasting, Need::Atomic];
        Server::azurite().map(|server| Self::of_server(server, has))
    }

    pub fn fake_gcs() -> Result<Self, Skip> {
        let has = &[Need::Exclusive, Need::Lasting, Need::Atomic];
        Server::fake_gcs().map(|server| Self::of_server(server, has))
    }

    pub fn rclone() -> Result<Self, Skip> {
        let has = &[Need::NoExclusive, Need::Lasting];
        Server::rclone().map(|server| Self::of_server(server, has))
    }

    fn s3(name: &'static str, server: &'static S3Server, has: &'static [Need]) -> Self {
        Self::new(name, |log| server.url(log), server.store_options(), has)
    }

    fn of_server(server: Server, has: &'static [Need]) -> Self {
        let (name, options) = (server.kind, server.store_options());
        Self::new(name, move |log| server.url(log), options, has)
    }

    fn new(
        name: &'static str,
        location: impl Fn(&str) -> String + Send + Sync + 'static,
        options: Vec<(String, String)>,
        has: &'static [Need],
    ) -> Self {
        Self { name, location: Box::new(location), options, has, _held: Vec::new() }
    }

    fn holding(mut self, held: impl Any + Send + Sync) -> Self {
        self._held.push(Box::new(held));
        self
    }

    /// Returns a place for a log that is not used yet.
    pub fn place(&self, log: &str) -> Location {
        Location::parse(&(self.location)(log)).expect("a location")
    }

    pub fn open(&self, place: &Location) -> Store {
        let options = self.options.iter().fold(StoreOptions::new(), |options, (key, value)| {
            options.with_option(key, value).expect("an option")
        });
        Store::open(&place.root, &options).expect("a store")
    }

    pub fn has(&self, need: Need) -> bool {
        self.has.contains(&need)
    }

    /// Checks the properties one by one. One that needs more than this store has is skipped with a
    /// message.
    pub fn check<T: ?Sized>(
        &self,
        properties: &[Property<T>],
        mut bench: impl FnMut(&Self, &Property<T>) -> Box<T>,
    ) {
        for property in properties {
            let name = property.name;
            match property.needs.iter().find(|need| !self.has(**need)) {
                None => {
                    eprintln!("--- {name} on {}", self.name);
                    (property.holds)(&bench(self, property));
                }
                Some(lacking) => say(&format!(
                    "SKIPPED {name} on {}: it is for stores with {lacking:?}",
                    self.name
                )),
            }
        }
    }
}

/// Prints a line on standard error, even if the output of passing tests is hidden.
pub fn say(line: &str) {
    writeln!(std::io::stderr(), "{line}").expect("standard error is open");
}
