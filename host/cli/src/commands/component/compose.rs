//! Joins components into one.
//!
//! 1. An import takes the export of the same interface from the last part before its own that
//!    provides it to this role, in the same version or a compatible one.
//! 2. What no part provides, the joined component imports. With a store, that is only what every
//!    host with WASI 0.2 has.
//! 3. The joined component exports what its last part exports.

use wasm_compose::graph::{
    Component, ComponentId, CompositionGraph, EncodeOptions, ExportIndex, ImportIndex, InstanceId,
};

use super::part::{Part, Role, refusal};
use super::versions::{are_compatible, split};
use super::wasi;
use crate::process::exit::{Code, Failure};

/// The imports that a joined component may have.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Imports {
    Any,
    Wasi,
}

/// A part in the graph.
struct Joined {
    role: Role,
    origin: String,
    component: ComponentId,
    instance: InstanceId,
}

/// Joins components, each with those before it.
pub(super) fn compose(parts: Vec<Part<'_>>, allowed: Imports) -> Result<Vec<u8>, Failure> {
    let mut graph = CompositionGraph::new();
    let mut joined: Vec<Joined> = Vec::new();
    for Part { role, origin, component } in parts {
        let names = component.imports().map(|(index, name, _)| (index, name.to_owned()));
        let imports: Vec<(ImportIndex, String)> = names.collect();
        let bug = |error| bug(&origin, &error);
        let component = graph.add_component(component).map_err(bug)?;
        let instance = graph.instantiate(component).map_err(bug)?;
        let mut missing = Vec::new();
        for (index, name) in imports {
            let is_of_wasi = wasi::has(&name);
            match provider(&graph, &joined, role, &origin, &name)? {
                Some((from, export)) => {
                    match graph.connect(from.instance, Some(export), instance, index) {
                        Ok(()) => {}
                        // A part has less of the interface than the host.
                        Err(_) if is_of_wasi => {}
                        Err(error) => {
                            tracing::debug!("{origin}: {error:#}");
                            return Err(other_form(&origin, &name, from));
                        }
                    }
                }
                None if is_of_wasi => {}
                None => missing.push(name),
            }
        }
        if allowed == Imports::Wasi && !missing.is_empty() {
            return Err(refusal(&origin, &not_provided(role, &missing)));
        }
        joined.push(Joined { role, origin, component, instance });
    }
    let last = joined.last();
    let export = last.map(|last| last.instance);
    let options = EncodeOptions { define_components: true, export, validate: true };
    graph.encode(options).map_err(|error| bug(last.map_or("", |last| &last.origin), &error))
}

/// Finds the part that exports an interface, and the export.
fn provider<'a>(
    graph: &CompositionGraph<'_>,
    joined: &'a [Joined],
    role: Role,
    importer: &str,
    import: &str,
) -> Result<Option<(&'a Joined, ExportIndex)>, Failure> {
    let (interface, wanted) = split(import);
    for part in joined.iter().rev().filter(|part| part.role.provides(interface, role)) {
        let exports = graph.get_component(part.component).into_iter().flat_map(Component::exports);
        let found = exports.filter(|(_, name, ..)| split(name).0 == interface);
        let mut found = found.map(|(index, name, ..)| (index, split(name).1)).peekable();
        let Some((_, version)) = found.peek().copied() else { continue };
        return match found.find(|(_, version)| are_compatible(version, wanted)) {
            Some((index, _)) => Ok(Some((part, index))),
            None => Err(other_version(importer, import, part, version)),
        };
    }
    Ok(None)
}

/// Returns the cause for imports that no part provides and that not every host has.
fn not_provided(role: Role, missing: &[String]) -> String {
    let names = missing.join(", ");
    match missing.iter().find(|name| name.starts_with("stratalog:")) {
        Some(_) if role == Role::Plugin => format!(
            "it imports {names}, which is for the log component alone; use \
             stratalog:log/append-log"
        ),
        _ => format!(
            "it imports {names}, which neither the log nor the store exports, and which not every \
             host with WASI 0.2 has; build it for wasm32-wasip2, without that"
        ),
    }
}

fn other_version(importer: &str, import: &str, from: &Joined, version: &str) -> Failure {
    let (interface, wanted) = split(import);
    let from = &from.origin;
    let cause = match wanted {
        "" => format!("it imports {interface} of no version: build it against {version}"),
        wanted if interface.starts_with("stratalog:") => format!(
            "it was made for {import}, and {from} has version {version}: build it against the \
             wit/ of version {version}, or use a stratalog of version {wanted}"
        ),
        _ => format!(
            "it was made for {import}, and {from} has version {version}: build it against that"
        ),
    };
    refusal(importer, &cause)
}

fn other_form(importer: &str, import: &str, from: &Joined) -> Failure {
    let cause = format!(
        "it imports {import} in another form than that of {}; build it against the wit/ of this \
         stratalog",
        from.origin
    );
    refusal(importer, &cause)
}

fn bug(origin: &str, error: &anyhow::Error) -> Failure {
    Failure::new(Code::Failed, format!("cannot join {origin}: {error:#}; please report this bug"))
}
