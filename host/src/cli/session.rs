//! What a command works on: the typed log, its store, and the host that runs the component.

use std::path::PathBuf;

use stratalog::store::{Location, Root, Store, StoreOptions};
use stratalog::{Error, Host, Limits};

use super::arguments::Shared;
use super::exit::{Code, Failure};
use super::waiting;

pub(super) struct Session {
    pub(super) location: Location,
    pub(super) store: Store,
    pub(super) host: Host,
}

/// What a command that only looks needs to find.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Must {
    /// A local log's folder must be there: anything else is most likely a typing error.
    Exist,
    /// The first append makes the log.
    Nothing,
}

impl Session {
    /// Opens the store and compiles the component, cheap checks first. Makes no request.
    pub(super) fn open(
        log: &str,
        shared: &Shared,
        sole_compactor: bool,
        must: Must,
    ) -> Result<Self, Failure> {
        let location = Location::parse(log).map_err(Error::from)?;
        let store = open_store(&location.root, shared, sole_compactor)?;
        if must == Must::Exist {
            require_log(&location)?;
        }
        let host = host(shared)?;
        let Location { root, name } = &location;
        tracing::info!("log {name} in {root}, component {}", host.component_sha256());
        Ok(Self { location, store, host })
    }
}

/// Opens the store, and tells from now on what it is waited for.
pub(super) fn open_store(
    root: &Root,
    shared: &Shared,
    sole_compactor: bool,
) -> Result<Store, Failure> {
    let mut options = StoreOptions::parse(&shared.store_options)
        .map_err(|error| Failure::input(error.to_string()))?
        .with_sole_compactor(sole_compactor);
    if let Some(retry_max) = shared.retry_max {
        options = options.with_retry_max(usize::try_from(retry_max).unwrap_or(usize::MAX));
    }
    if let Some(timeout) = shared.timeout {
        options = options.with_timeout(timeout);
    }
    let store = Store::open(root, &options).map_err(Error::from)?;
    waiting::tell(&store, shared);
    Ok(store)
}

/// The host that the command line asks for.
pub(super) fn host(shared: &Shared) -> Result<Host, Failure> {
    let mut limits = Limits::default();
    limits.memory_bytes_max = usize::try_from(shared.memory_max).unwrap_or(usize::MAX);
    let mut builder = Host::builder().limits(limits);
    if let Some(file) = &shared.component {
        builder = builder.component_file(file);
    }
    if let Some(folder) = cache_folder(shared)? {
        builder = builder.cache_folder(folder);
    }
    Ok(builder.build()?)
}

pub(super) fn cache_folder(shared: &Shared) -> Result<Option<PathBuf>, Failure> {
    match &shared.cache_dir {
        _ if shared.no_cache => Ok(None),
        None => Ok(Host::default_cache_folder()),
        Some(folder) => match std::path::absolute(folder) {
            Ok(folder) => Ok(Some(folder)),
            Err(error) => Err(Failure::input(format!("--cache-dir: {error}"))),
        },
    }
}

/// Refuses a log that certainly is not there.
fn require_log(location: &Location) -> Result<(), Failure> {
    if location.root.is_memory() {
        let message = format!("{location} is empty: a log in memory ends with its command");
        return Err(Failure::input(message));
    }
    let Some(root) = location.root.as_folder() else { return Ok(()) };
    match root.join(&location.name).metadata() {
        Ok(metadata) if metadata.is_dir() => Ok(()),
        Ok(_) => Err(Failure::input(format!("{location} is a file, and a log is a folder"))),
        Err(error) => {
            use std::io::ErrorKind as K;
            match error.kind() {
                K::NotFound | K::NotADirectory => {
                    Err(Failure::input(format!("there is no log at {location}")))
                }
                _ => Err(Failure::new(Code::Store, format!("cannot look at {location}: {error}"))),
            }
        }
    }
}
