//! The kinds of store that a log must work on, each with what it can do.

use std::any::Any;
use std::io::Write as _;
use std::sync::atomic::{AtomicUsize, Ordering};

use stratalog::store::{Location, Store, StoreOptions};

use crate::adapter::objects::AdapterObjects;
use crate::adapter::{Adapter, Given};
use crate::faults::WireFault;
use crate::objects::{HostObjects, Objects};
use crate::proxy::Proxy;
use crate::servers::{S3Server, Server, Skip, shared_moto, shared_radosgw};
use crate::subject::{Kind, World};

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
    /// A create of an existing key is refused, so that a log can be compacted: creates are
    /// exclusive, or an option vouches for a sole compactor.
    Refusal,
    /// The doctor of the host can examine it.
    Doctor,
    /// A call with more bytes than the contract allows is refused. The host does that before its
    /// store layer.
    Bounds,
}

/// A kind of store, running and ready to be opened.
pub struct Backend {
    pub name: &'static str,
    location: Box<dyn Fn(&str) -> String + Send + Sync>,
    options: Vec<(String, String)>,
    has: &'static [Need],
    /// The needs that it cannot meet, each with its reason.
    lacks: &'static [(Need, &'static str)],
    /// The adapter that makes it, if it is not the host.
    adapter: Option<Adapter>,
    /// Values that must live as long as the backend.
    _held: Vec<Box<dyn Any + Send + Sync>>,
}

/// The needs that every store of the host meets, and more.
macro_rules! host_has {
    ($($need:ident),*) => { &[Need::Refusal, Need::Doctor, $(Need::$need),*] };
}

/// The needs that adapters do not meet.
const NO_DOCTOR: (Need, &str) = (Need::Doctor, "the doctor calls the store layer of the host");
const HONOURED: (Need, &str) = (Need::NoExclusive, "exclusive creates are honoured");

/// A property of every store that has what it needs.
pub struct Property<T: ?Sized> {
    pub name: &'static str,
    pub needs: &'static [Need],
    pub holds: fn(&T),
}

impl Backend {
    pub fn memory() -> Self {
        let location = |log: &str| format!("memory:{log}");
        Self::new("memory", location, Vec::new(), host_has![Exclusive, Atomic])
    }

    pub fn folder() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path = folder.path().to_owned();
        let places = AtomicUsize::new(0);
        let location = move |log: &str| {
            let place = places.fetch_add(1, Ordering::Relaxed);
            path.join(place.to_string()).join(log).display().to_string()
        };
        let has = host_has![Exclusive, Lasting, Atomic];
        Self::new("folder", location, Vec::new(), has).holding(folder)
    }

    /// A folder as the store of a component.
    pub fn folder_adapter() -> Self {
        let has = &[Need::Exclusive, Need::Lasting, Need::Atomic, Need::Refusal, Need::Bounds];
        Self::folder().of_adapter("folder-adapter", Adapter::Folder, has, &[NO_DOCTOR, HONOURED])
    }

    /// # Errors
    /// See [`S3Server::moto`]; the others likewise.
    pub fn moto() -> Result<Self, Skip> {
        let has = host_has![Exclusive, Lasting, Atomic];
        shared_moto().map(|server| Self::s3("moto", server, has))
    }

    pub fn radosgw() -> Result<Self, Skip> {
        let has = host_has![Exclusive, Lasting, Atomic];
        shared_radosgw().map(|server| Self::s3("radosgw", server, has))
    }

    pub fn garage() -> Result<Self, Skip> {
        let server: &'static S3Server = Box::leak(Box::new(S3Server::garage()?));
        Ok(Self::s3("garage", server, host_has![NoExclusive, Lasting, Atomic]))
    }

    /// An S3 that accepts conditions and ignores them: moto behind a proxy that drops them.
    pub fn s3_that_ignores_conditions() -> Result<Self, Skip> {
        let server = shared_moto()?;
        let proxy = Proxy::start(&server.endpoint);
        proxy.play(|_| WireFault::DropCondition);
        let has = host_has![NoExclusive, Lasting, Atomic];
        let mut backend = Self::s3("s3-ignoring-conditions", server, has);
        backend.options = server.store_options_at(&proxy.endpoint);
        Ok(backend.holding(proxy))
    }

    /// A bucket of moto as the store of a component.
    pub fn moto_adapter() -> Result<Self, Skip> {
        Ok(Self::moto()?.of_bucket_adapter("moto-adapter"))
    }

    /// A bucket of radosgw as the store of a component.
    pub fn radosgw_adapter() -> Result<Self, Skip> {
        Ok(Self::radosgw()?.of_bucket_adapter("radosgw-adapter"))
    }

    /// The store of a component on an S3 that accepts conditions and ignores them.
    pub fn adapter_whose_conditions_are_ignored() -> Result<Self, Skip> {
        let has = &[Need::NoExclusive, Need::Lasting, Need::Atomic, Need::Bounds];
        let lacks = &[
            NO_DOCTOR,
            (Need::Exclusive, "the server ignores conditions"),
            (Need::Refusal, "no option of an adapter vouches for a sole compactor"),
        ];
        let backend = Self::s3_that_ignores_conditions()?;
        Ok(backend.of_adapter("adapter-ignored-conditions", Adapter::Bucket, has, lacks))
    }

    pub fn azurite() -> Result<Self, Skip> {
        let has = host_has![Exclusive, Lasting, Atomic];
        Server::azurite().map(|server| Self::of_server(server, has))
    }

    pub fn fake_gcs() -> Result<Self, Skip> {
        let has = host_has![Exclusive, Lasting, Atomic];
        Server::fake_gcs().map(|server| Self::of_server(server, has))
    }

    pub fn rclone() -> Result<Self, Skip> {
        let has = host_has![NoExclusive, Lasting];
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
        let (lacks, adapter) = (&[][..], None);
        Self { name, location: Box::new(location), options, has, lacks, adapter, _held: Vec::new() }
    }

    fn of_bucket_adapter(self, name: &'static str) -> Self {
        let has = &[Need::Exclusive, Need::Lasting, Need::Atomic, Need::Refusal, Need::Bounds];
        self.of_adapter(name, Adapter::Bucket, has, &[NO_DOCTOR, HONOURED])
    }

    /// Puts an adapter in the place of the host.
    fn of_adapter(
        self,
        name: &'static str,
        adapter: Adapter,
        has: &'static [Need],
        lacks: &'static [(Need, &'static str)],
    ) -> Self {
        Self { name, has, lacks, adapter: Some(adapter), ..self }
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

    /// Opens the store at a place, to call it directly.
    pub fn objects(&self, place: &Location) -> Box<dyn Objects> {
        match self.adapter {
            None => Box::new(HostObjects::new(self.open(place))),
            Some(adapter) => Box::new(AdapterObjects::open(adapter, self.given(adapter, place))),
        }
    }

    /// Makes a world of a new log. `vouched`: an option vouches for a sole compactor.
    pub fn world(&self, kind: Kind, vouched: bool) -> World {
        let place = self.place("log");
        let store = self.open(&place).with_sole_compactor(vouched);
        match self.adapter {
            None => World::on(kind, store),
            Some(adapter) => World::joined(adapter, self.given(adapter, &place), store),
        }
    }

    /// Returns all that the host of an adapter gives it.
    fn given(&self, adapter: Adapter, place: &Location) -> Given {
        match adapter {
            Adapter::Folder => {
                let root = place.root.as_folder().expect("a folder");
                let (above, name) = (root.parent().unwrap(), root.file_name().unwrap());
                let root = format!("/{}", name.to_str().unwrap());
                Given {
                    folders: vec![(above.to_owned(), "/".to_owned())],
                    variables: vec![("STRATALOG_ROOT".to_owned(), root)],
                    ..Given::default()
                }
            }
            Adapter::Bucket => Given::of_bucket(&place.root, self.options.clone()),
        }
    }

    pub fn has(&self, need: Need) -> bool {
        self.has.contains(&need)
    }

    /// Checks the properties one by one. One that needs more than this store has is skipped with a
    /// message, and its reason where that is declared.
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
                Some(lacking) => {
                    let declared = self.lacks.iter().find(|(need, _)| need == lacking);
                    let reason = declared.map_or(String::new(), |(_, why)| format!("; {why}"));
                    let store = self.name;
                    say(&format!(
                        "SKIPPED {name} on {store}: it is for stores with {lacking:?}{reason}"
                    ));
                }
            }
        }
    }
}

/// Prints a line on standard error, even if the output of passing tests is hidden.
pub fn say(line: &str) {
    writeln!(std::io::stderr(), "{line}").expect("standard error is open");
}
