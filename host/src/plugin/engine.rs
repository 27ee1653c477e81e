//! Compiles plugins: the one place for wasmtime's configuration for them.
//!
//! 1. The functions that a plugin is linked to are here, and a plugin reaches no others.
//! 2. A component is checked before it is compiled: its size, its imports and its exports.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use wasmtime::component::{HasSelf, Linker};
use wasmtime::{Config, Engine};
use wasmtime_wasi::p2::bindings::CommandPre;

use super::append_log;
use super::limits::{Limit, OPTION, PluginLimits};
use super::state::PluginState;
use crate::error::{Error, Result};
use crate::sandbox::address_space::{self, TooLittle};
use crate::sandbox::bindings::wasi::logging::logging;
use crate::sandbox::engine::tick;
use crate::sandbox::imports;
use crate::sandbox::interface::{self, World};
use crate::sandbox::module_cache::{self, Uncompiled};

/// Compiles plugins that are commands (`wasi:cli/run`). Cheap to clone. A process needs only one.
#[derive(Clone)]
pub struct PluginEngine {
    inner: Arc<Inner>,
}

struct Inner {
    engine: Engine,
    linker: Linker<PluginState>,
    limits: PluginLimits,
    cache: Option<PathBuf>,
}

/// A compiled plugin. Cheap to clone; its runs share nothing but the code.
#[derive(Clone)]
pub struct Plugin {
    pub(super) engine: PluginEngine,
    pub(super) command: CommandPre<PluginState>,
    /// Names the component in the record of a run.
    pub(super) origin: Arc<str>,
    pub(super) sha256: Arc<str>,
}

impl PluginEngine {
    /// Creates an engine for plugins under these limits. With a `cache` folder, compiled plugins
    /// are kept there for later processes: see
    /// [`HostBuilder::cache_folder`](crate::HostBuilder::cache_folder).
    ///
    /// # Errors
    /// - [`Error::InvalidInput`]: the limits cannot be applied on this system.
    /// - [`Error::LimitReached`]: this process may have too little address space.
    pub fn new(limits: PluginLimits, cache: Option<PathBuf>) -> Result<Self> {
        let refuse = |error: wasmtime::Error| {
            Error::InvalidInput(format!("cannot run plugins under these limits: {error:#}"))
        };
        let mut config = Config::new();
        config
            .concurrency_support(false)
            .epoch_interruption(true)
            .consume_fuel(limits.fuel.is_some())
            .max_wasm_stack(limits.stack_bytes_max)
            // The host's functions use the same stack.
            .async_stack_size(limits.stack_bytes_max.saturating_add(1024 * 1024));
        let engine = address_space::engine(&mut config, limits.memory_bytes_max).map_err(
            |error| match error.downcast::<TooLittle>() {
                Ok(too_little) => Error::LimitReached(too_little.to_string()),
                Err(error) => refuse(error),
            },
        )?;
        let linker = link(&engine).map_err(refuse)?;
        tick(&engine).map_err(|error| {
            Error::InvalidInput(format!("cannot start the epoch thread: {error}"))
        })?;
        Ok(Self { inner: Arc::new(Inner { engine, linker, limits, cache }) })
    }

    /// Returns the limits on every run.
    pub fn limits(&self) -> &PluginLimits {
        &self.inner.limits
    }

    /// Compiles a plugin, or takes the compiled form from the cache. `origin` names it in errors.
    ///
    /// # Errors
    /// - [`Error::Component`]: not a component, not a command, made for another version of the
    ///   interface, or with an import that no plugin gets.
    /// - [`Error::LimitReached`] for its size and for the time to compile it.
    pub async fn compile(&self, bytes: Vec<u8>, origin: &str) -> Result<Plugin> {
        let limits = &self.inner.limits;
        let too_much = |limit| Err(Error::LimitReached(format!("{origin}: {}", limits.hit(limit))));
        if bytes.len() > limits.component_bytes_max {
            return too_much(Limit::ComponentBytes);
        }
        let (inner, name) = (self.inner.clone(), origin.to_owned());
        // A compiler cannot be interrupted, but the caller can stop waiting for it.
        let compiled = tokio::task::spawn_blocking(move || inner.compile(&bytes, &name));
        match tokio::time::timeout(limits.compile_time_max, compiled).await {
            Ok(Ok(compiled)) => {
                let (command, sha256) = compiled?;
                Ok(Plugin { engine: self.clone(), command, origin: origin.into(), sha256 })
            }
            Ok(Err(error)) => Err(Error::Component(format!("{origin}: {error}"))),
            Err(_) => too_much(Limit::CompileTime),
        }
    }

    pub(crate) fn engine(&self) -> &Engine {
        &self.inner.engine
    }
}

impl Plugin {
    /// Returns whether the plugin can use the logs that a run grants: it imports an interface of
    /// `stratalog:log`. A plugin that is joined with a store of its own imports none.
    pub fn uses_logs(&self) -> bool {
        let component = self.command.instance_pre().component().component_type();
        let mut imports = component.imports(self.engine.engine());
        imports.any(|(name, _)| {
            let interface = name.strip_prefix("stratalog:log/");
            // The types alone do nothing.
            interface.is_some_and(|interface| !interface.starts_with("types"))
        })
    }
}

impl Inner {
    fn compile(&self, bytes: &[u8], origin: &str) -> Result<(CommandPre<PluginState>, Arc<str>)> {
        let sha256: Arc<str> = module_cache::sha256_of(bytes).into();
        let refuse = |what: &str, error: &wasmtime::Error| match address_space::lack(error, OPTION)
        {
            Some(lack) => Error::LimitReached(format!("cannot compile {origin}: {lack}")),
            None => Error::Component(format!("{origin} {what}: {error:#}")),
        };
        let check = || interface::check(World::Plugin, bytes, origin, &self.linker);
        let plugin =
            Uncompiled { bytes, origin, sha256: Some(&sha256), purpose: World::Plugin.name() };
        let component = match module_cache::find(&self.engine, plugin, self.cache.as_deref()) {
            Ok(component) => component,
            Err(missing) => {
                check()?;
                missing
                    .compile(&self.engine)
                    .map_err(|error| refuse("is not a WebAssembly component", &error))?
            }
        };
        // A component from the cache was checked by another build of this host, perhaps.
        let explain = |what: &str, error: wasmtime::Error| {
            check().err().unwrap_or_else(|| refuse(what, &error))
        };
        let instance = self
            .linker
            .instantiate_pre(&component)
            .map_err(|error| explain("imports something that plugins are not granted", error))?;
        let command = CommandPre::new(instance)
            .map_err(|error| explain("is not a command: it exports no wasi:cli/run", error))?;
        Ok((command, sha256))
    }
}

/// Links everything that a plugin can reach. Its contexts decide what it is granted of that.
fn link(engine: &Engine) -> wasmtime::Result<Linker<PluginState>> {
    let mut linker = Linker::new(engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    append_log::add_to_linker(&mut linker, PluginState::logs)?;
    imports::add_to_linker(&mut linker, PluginState::object_store)?;
    logging::add_to_linker::<_, HasSelf<_>>(&mut linker, |state| state)?;
    Ok(linker)
}

impl fmt::Debug for Plugin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Plugin").finish_non_exhaustive()
    }
}
