//! Opens the target of a command: the typed log, its store, and the host that runs the component.

use std::path::PathBuf;

use stratalog::store::{Location, Root, Store, StoreOptions};
use stratalog::{Damage, Error, Host, Limits, NoLog, ReadOptions, StoreFailure};

use crate::args::Shared;
use crate::numbers::to_usize;
use crate::process::exit::Failure;
use crate::progress::Progress;
use crate::{neighbours, shell, waiting};

pub(crate) struct Target {
    pub(crate) location: Location,
    pub(crate) store: Store,
    pub(crate) host: Host,
}

impl Target {
    /// Opens the store and compiles the component, cheap checks first. Makes no request.
    pub(crate) fn open(log: &str, shared: &Shared, sole_compactor: bool) -> Result<Self, Failure> {
        let options = ("--store-option", shared.store_options.as_slice());
        Self::open_with(log, shared, options, sole_compactor)
    }

    /// Opens a log as [`Target::open`], with the store options of another option of the command
    /// line.
    pub(crate) fn open_with(
        log: &str,
        shared: &Shared,
        options: (&'static str, &[String]),
        sole_compactor: bool,
    ) -> Result<Self, Failure> {
        let location = Location::parse(log).map_err(Error::from)?;
        let store = open_store_with(&location.root, shared, options, sole_compactor)?;
        check_place(&location)?;
        let host = host(shared)?;
        let Location { root, name } = &location;
        tracing::info!("the log {name} in {root}, component {}", host.component_sha256());
        Ok(Self { location, store, host })
    }

    /// Refuses an option's value that is not a position of any log. Makes no request.
    pub(crate) async fn check_position(&self, option: &str, text: &str) -> Result<(), Failure> {
        let options = ReadOptions::new().start(text).limit(0);
        match self.host.read_with(&self.store, &self.location.name, options).await {
            Ok(_) => Ok(()),
            Err(Error::InvalidInput(message)) => {
                Err(Failure::usage(format!("{option}: {message}")))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Adds the attempted action in front of a failure, and after damage the action to take. If
    /// there is no such log, reports that and the logs with similar names.
    pub(crate) async fn explain(&self, verb: &str, failure: impl Into<Failure>) -> Failure {
        let (location, failure) = (&self.location, failure.into());
        let what = format!("cannot {verb} {location}");
        match failure.cause() {
            Some(Error::NoLog(NoLog { below, more, .. })) => {
                let similar = match below.is_empty() {
                    true => neighbours::shown(&self.store, location).await,
                    false => String::new(),
                };
                let below = shown_below(location, below, *more);
                Failure::input(format!("{}{below}{similar}", no_log(location)))
            }
            Some(Error::Damaged(Damage { object, .. })) => {
                let hint = self.way_on([object.as_str()]);
                failure.context(what).with_hint(hint)
            }
            // If the bucket is missing, it does not matter which request found that out.
            Some(Error::StoreFailed(StoreFailure { message, .. })) => {
                match message.rsplit_once(": no such bucket; ") {
                    Some((_, remedy)) => {
                        let root = &location.root;
                        Failure::new(
                            failure.code(),
                            format!("{what}: no such bucket: {root}; {remedy}"),
                        )
                    }
                    None => failure.context(what),
                }
            }
            _ => failure.context(what),
        }
    }

    /// Returns the action to take on damaged objects. Without the current manifest, nothing can be
    /// read.
    pub(crate) fn way_on<'a>(&self, damaged: impl IntoIterator<Item = &'a str>) -> String {
        let is_manifest = |object: &str| object.rsplit('/').next().is_some_and(is_manifest);
        let damaged: Vec<&str> = damaged.into_iter().collect();
        if damaged.iter().any(|object| is_manifest(object)) {
            return self.way_to_repair();
        }
        let log = shell::word(self.location.to_string().as_ref());
        let repair = self.way_to_repair();
        if let [object] = damaged[..]
            && let Some(name) = position_name(object)
        {
            return format!(
                "{repair}; `stratalog positions --forget {name} {log}` lets a reader begin again \
                 under this name, and 16 commits under it delete the object"
            );
        }
        format!("{repair}, and `stratalog read --skip-damaged {log}` reads the rest")
    }

    /// Returns the action to take where nothing else can be read.
    pub(crate) fn way_to_repair(&self) -> String {
        let log = shell::word(self.location.to_string().as_ref());
        format!(
            "restore damaged objects from a copy; `stratalog repair {log}` reports what can be \
             repaired"
        )
    }
}

fn is_manifest(name: &str) -> bool {
    name.starts_with("manifest_")
}

/// Returns the name of which the object is a position.
fn position_name(object: &str) -> Option<&str> {
    let (name, _) = object.rsplit('/').next()?.strip_prefix("position_")?.rsplit_once('_')?;
    Some(name)
}

/// Returns `there is no log at …`, and the reason if it is known.
pub(crate) fn no_log(location: &Location) -> String {
    match location.root.is_memory() {
        true => format!("there is no log at {location}: a log in memory ends with its command"),
        false => format!("there is no log at {location}"),
    }
}

/// Formats the logs in a folder that is not a log, as they would be typed.
fn shown_below(location: &Location, below: &[String], more: bool) -> String {
    let below = below
        .iter()
        .map(|name| Location { root: location.root.clone(), name: name.clone() }.to_string());
    let below: Vec<_> = below.collect();
    match (below.len(), more) {
        (0, _) => String::new(),
        (1, false) => format!("; a log below this name: {}", below.concat()),
        (_, false) => format!("; logs below this name: {}", below.join(", ")),
        (_, true) => {
            let word = shell::word(location.to_string().as_ref());
            let below = below.join(", ");
            format!("; logs below this name: {below} and more: `stratalog ls {word}` lists all")
        }
    }
}

/// Opens the store, and from now on reports operations that take long.
pub(crate) fn open_store(
    root: &Root,
    shared: &Shared,
    sole_compactor: bool,
) -> Result<Store, Failure> {
    open_store_with(root, shared, ("--store-option", &shared.store_options), sole_compactor)
}

/// Opens a store as [`open_store`], with the store options of another option of the command line.
pub(crate) fn open_store_with(
    root: &Root,
    shared: &Shared,
    (option, values): (&'static str, &[String]),
    sole_compactor: bool,
) -> Result<Store, Failure> {
    let mut options = StoreOptions::parse(values)
        .map_err(|error| Failure::usage(format!("{option}: {error}")))?
        .with_sole_compactor(sole_compactor);
    for (key, flag, is_given) in [
        ("retry_max", "--retry-max", shared.retry_max.is_some()),
        ("retry_timeout", "--timeout", shared.timeout.is_some()),
    ] {
        if is_given && options.has_option(key) {
            return Err(Failure::usage(format!(
                "the store option {key:?} has no effect: {flag} sets the same; leave one of them \
                 out"
            )));
        }
    }
    if let Some(retry_max) = shared.retry_max {
        options = options.with_retry_max(retry_max);
    }
    if let Some(timeout) = shared.timeout {
        options = options.with_timeout(timeout);
    }
    let store = Store::open(root, &options).map_err(|error| match error.is_of_option() {
        true => Failure::from(Error::from(error)).context(option),
        false => Error::from(error).into(),
    })?;
    waiting::report(&store, shared);
    Ok(store)
}

/// Makes the host with the options of the command line.
pub(crate) fn host(shared: &Shared) -> Result<Host, Failure> {
    let mut limits = Limits::default();
    limits.memory_bytes_max = to_usize(shared.memory_max.into());
    let mut builder = Host::builder().limits(limits);
    if let Some(file) = &shared.component {
        builder = builder.component_file(file);
    }
    if let Some(folder) = cache_folder(shared)? {
        builder = builder.cache_folder(folder);
    }
    let _compiling = Progress::of_compiling(shared, "the log component");
    Ok(builder.build()?)
}

pub(crate) fn cache_folder(shared: &Shared) -> Result<Option<PathBuf>, Failure> {
    match &shared.cache_dir {
        _ if shared.no_cache => Ok(None),
        None => Ok(Host::default_cache_folder()),
        Some(folder) => match std::path::absolute(folder) {
            Ok(folder) => Ok(Some(folder)),
            Err(error) => Err(Failure::usage(format!("--cache-dir: {error}"))),
        },
    }
}

/// Refuses a path that is certainly not a log: a file or a link. Links are not followed.
fn check_place(location: &Location) -> Result<(), Failure> {
    let Some(root) = location.root.as_folder() else { return Ok(()) };
    // If the entry cannot be inspected, the store reports the reason.
    let Ok(found) = root.join(&location.name).symlink_metadata() else { return Ok(()) };
    if found.is_dir() {
        return Ok(());
    }
    Err(Failure::input(match found.is_symlink() {
        true => format!(
            "{location} is a symbolic link, which is not followed; name the folder that the link \
             leads to"
        ),
        false => format!("{location} is a file, and a log is a folder; name a folder"),
    }))
}
