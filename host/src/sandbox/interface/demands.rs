//! Compares a component's imports and exports with those of this host, before it is compiled.

use wasmparser::Parser;
use wasmtime::component::{Component, Linker};

use super::surface::{self, Surface};
use super::version::{Version, ours};
use super::{INTERFACE_VERSION, of_package};
use crate::error::{Error, Result};
use crate::numbers::{count, to_u64};

/// The package of the interface.
const PACKAGE: &str = "stratalog:log/";

/// The version of WASI that this host provides, and its packages.
const WASI: Version = Version::new(0, 2, 0);
const WASI_OFFERED: [&str; 6] =
    ["wasi:cli", "wasi:clocks", "wasi:filesystem", "wasi:io", "wasi:random", "wasi:sockets"];

/// The world that a component must fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum World {
    /// The logic of logs.
    Log,
    /// A command that is granted logs.
    Plugin,
}

impl World {
    /// Returns the name of the world, with the version of the interface of this host.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Log => of_package!("log-component"),
            Self::Plugin => of_package!("plugin"),
        }
    }

    /// Returns the interfaces that the host provides, besides those of WASI.
    fn offered(self) -> &'static [&'static str] {
        match self {
            Self::Log => &[
                "stratalog:log/host-bytes",
                "stratalog:log/object-store",
                "stratalog:log/types",
                "wasi:logging/logging@0.1.0-draft",
            ],
            Self::Plugin => &[
                "stratalog:log/append-log",
                "stratalog:log/host-bytes",
                "stratalog:log/object-store",
                "stratalog:log/types",
                "wasi:logging/logging@0.1.0-draft",
            ],
        }
    }

    /// Returns the interfaces that the component must export, with their versions.
    fn demanded(self) -> Vec<(&'static str, Version)> {
        match self {
            Self::Log => {
                vec![
                    ("stratalog:log/append-log", ours()),
                    ("stratalog:log/host-lines", ours()),
                    ("stratalog:log/types", ours()),
                ]
            }
            Self::Plugin => vec![("wasi:cli/run", WASI)],
        }
    }
}

/// Refuses bytes that are not a component, and a component that does not fit this world with the
/// functions of `linker`. The compiler reports all other faults.
pub(crate) fn check<T: 'static>(
    world: World,
    component: &[u8],
    origin: &str,
    linker: &Linker<T>,
) -> Result<()> {
    let refuse = |reason: String| Err(Error::Component(format!("{origin} {reason}")));
    if let Some(reason) = no_component(component) {
        return refuse(reason);
    }
    let surface = Surface::of(component);
    if surface.is_cut_off {
        let bytes = count(to_u64(component.len()), "byte", "bytes");
        return refuse(format!("is cut off after {bytes}; copy or build the component again"));
    }
    let reason = of_other_world(world, &surface)
        .or_else(|| other_version(&surface))
        .or_else(|| other_wasi(&surface))
        .or_else(|| unmet_import(world, &surface, linker))
        .or_else(|| missing_export(world, &surface));
    reason.map_or(Ok(()), refuse)
}

fn no_component(bytes: &[u8]) -> Option<String> {
    if Parser::is_component(bytes) {
        return None;
    }
    if !Parser::is_core_wasm(bytes) {
        return Some("is not a WebAssembly component".to_owned());
    }
    let cure = if surface::is_of_preview_1(bytes) {
        "built for wasm32-wasip1; build it for wasm32-wasip2, or make it a component with \
         `wasm-tools component new --adapt \
         wasi_snapshot_preview1=wasi_snapshot_preview1.command.wasm`"
    } else {
        "build it for wasm32-wasip2, or make it a component with `wasm-tools component embed` \
         and `wasm-tools component new`"
    };
    Some(format!("is a core WebAssembly module, not a WebAssembly component: {cure}"))
}

/// Returns the message for a plugin in the place of a log component, or the other way around.
fn of_other_world(world: World, surface: &Surface) -> Option<String> {
    let exports = |interface: &str| {
        let mut names = surface.exports.iter().filter_map(|name| name.split('@').next());
        names.any(|name| name == interface)
    };
    let (is_plugin, is_log) = (exports("wasi:cli/run"), exports("stratalog:log/append-log"));
    match world {
        World::Log if is_plugin && !is_log => {
            Some("is a plugin, not a log component; run it with `stratalog run`".to_owned())
        }
        World::Plugin if is_log && !is_plugin => {
            Some("is a log component, not a plugin; use it with --component".to_owned())
        }
        World::Log | World::Plugin => None,
    }
}

/// Returns the message for a component made for a version of our interface that this host cannot
/// serve.
fn other_version(surface: &Surface) -> Option<String> {
    surface.imports.iter().chain(&surface.exports).find_map(|name| {
        let (interface, version) = name.strip_prefix(PACKAGE)?.split_once('@')?;
        if Version::parse(version).is_some_and(|version| ours().serves(version)) {
            return None;
        }
        Some(format!(
            "was made for {PACKAGE}{interface}@{version}, and this host has version \
             {INTERFACE_VERSION}: build it against the wit/ of version {INTERFACE_VERSION}, or \
             use a stratalog of version {version}"
        ))
    })
}

/// Returns the message for a component made for a version of WASI that this host does not have.
fn other_wasi(surface: &Surface) -> Option<String> {
    surface.imports.iter().chain(&surface.exports).find_map(|name| {
        let (interface, version) = name.split_once('@').unwrap_or((name, ""));
        let package = interface.split('/').next()?;
        if !WASI_OFFERED.contains(&package) && package != "wasi:http" {
            return None;
        }
        let cure = match Version::parse(version) {
            Some(made) if made.is_draft || (made.major, made.minor) < (WASI.major, WASI.minor) => {
                "an older preview of WASI; build the component again with current tools"
            }
            Some(made) if WASI.serves(made) => return None,
            Some(_) => "a later WASI; build the component for WASI 0.2, as for wasm32-wasip2",
            None => "an older preview of WASI; build the component again with current tools",
        };
        Some(format!("was made for {name}, and this host has WASI 0.2: {cure}"))
    })
}

/// Returns the message for an import that the linker does not have.
fn unmet_import<T: 'static>(world: World, surface: &Surface, linker: &Linker<T>) -> Option<String> {
    // If it cannot be compiled without the code, the compilation with the code refuses it later.
    let importer = Component::from_binary(linker.engine(), &surface.importer).ok()?;
    let error = linker.instantiate_pre(&importer).err()?;
    let unmet: Vec<&str> = surface
        .imports
        .iter()
        .map(String::as_str)
        .filter(|import| !is_offered(world, import))
        .collect();
    let (given, whom) = match world {
        World::Log => ("which this host provides to no log component", "A log component"),
        World::Plugin => ("which this host provides to no plugin", "A plugin"),
    };
    if unmet.is_empty() {
        return Some(other_form(&format!("{error:#}")));
    }
    let unmet_text = unmet.join(", ");
    if unmet.iter().all(|import| import.starts_with("wasi:http/")) {
        return Some(format!(
            "imports {unmet_text}, {given}: components have no network. Build the component \
             without HTTP; JavaScript with `componentize-js --disable http fetch-event`"
        ));
    }
    let offered = world.offered().join(", ");
    let wasi = WASI_OFFERED.join(", ");
    Some(format!(
        "imports {unmet_text}, {given}. {whom} can import {offered}, and of WASI 0.2 {wasi}"
    ))
}

/// Returns the message for an interface that the host has, but not as the component expects it. The
/// linker's error names the interface and the function between backticks.
fn other_form(error: &str) -> String {
    let mut names = error.split('`').skip(1).step_by(2);
    let interface = names.next().unwrap_or("an interface");
    let function = names.next().map_or_else(String::new, |name| format!(" (`{name}`)"));
    let cure = match interface.starts_with(PACKAGE) {
        true => "build it against the wit/ of this stratalog",
        false => "build it for WASI 0.2 with current tools",
    };
    tracing::debug!("the linker: {error}");
    format!("imports {interface} in another form than that of this host{function}; {cure}")
}

fn is_offered(world: World, import: &str) -> bool {
    let interface = import.split('@').next().unwrap_or(import);
    let package = interface.split('/').next().unwrap_or(interface);
    WASI_OFFERED.contains(&package)
        || world.offered().iter().any(|offered| *offered == import || *offered == interface)
}

/// Returns the message for an export of the world that the component lacks.
fn missing_export(world: World, surface: &Surface) -> Option<String> {
    let is_exported = |(demanded, version): &(&str, Version)| {
        surface.exports.iter().any(|export| {
            let made = export.strip_prefix(demanded).and_then(|rest| rest.strip_prefix('@'));
            made.and_then(Version::parse).is_some_and(|made| version.serves(made))
        })
    };
    let (missing, version) =
        world.demanded().into_iter().find(|demanded| !is_exported(demanded))?;
    let exports = match &surface.exports[..] {
        [] => format!("nothing, and no {missing}@{version}"),
        exports => format!("{}, but no {missing}@{version}", exports.join(", ")),
    };
    Some(match world {
        World::Log => format!(
            "is not a component of the world stratalog:log/log-component@{INTERFACE_VERSION}: it \
             exports {exports}"
        ),
        World::Plugin => format!(
            "is not a command: it exports {exports}. Build it as a program with a main function, or \
             for a world that has `export {missing}@{version}`"
        ),
    })
}

#[cfg(test)]
mod tests;
