use wasmtime::Engine;

use super::*;
use crate::sandbox::interface::of_package;

/// Returns a component with these imports (instances with a function that no host has) and exports.
fn component(imports: &[&str], exports: &[&str]) -> Vec<u8> {
    let imports: String = imports
        .iter()
        .map(|name| format!("(import \"{name}\" (instance (export \"f\" (func))))\n"))
        .collect();
    let exports: String = exports
        .iter()
        .enumerate()
        .map(|(number, name)| {
            format!("(instance $e{number}) (export \"{name}\" (instance $e{number}))")
        })
        .collect();
    wat::parse_str(format!("(component {imports} {exports})")).unwrap()
}

fn refusal(world: World, component: &[u8]) -> String {
    let linker = Linker::<()>::new(&Engine::default());
    check(world, component, "it", &linker).unwrap_err().to_string()
}

const RUN: &[&str] = &["wasi:cli/run@0.2.0"];

#[test]
fn each_unmet_import_is_named_with_the_cure() {
    let http = ["wasi:http/types@0.2.10", "wasi:http/outgoing-handler@0.2.10"];
    assert_eq!(
        refusal(World::Plugin, &component(&http, RUN)),
        "it imports wasi:http/types@0.2.10, wasi:http/outgoing-handler@0.2.10, which this host \
         provides to no plugin: components have no network. Build the component without HTTP; \
         JavaScript with `componentize-js --disable http fetch-event`"
    );
    let mixed = ["wasi:http/types@0.2.10", "a:b/c@1.0.0", "wasi:cli/exit@0.2.0"];
    assert_eq!(
        refusal(World::Plugin, &component(&mixed, RUN)),
        "it imports wasi:http/types@0.2.10, a:b/c@1.0.0, which this host provides to no plugin. A \
         plugin can import stratalog:log/append-log, stratalog:log/host-bytes, \
         stratalog:log/object-store, stratalog:log/types, wasi:logging/logging@0.1.0-draft, and of \
         WASI 0.2 wasi:cli, \
         wasi:clocks, wasi:filesystem, wasi:io, wasi:random, wasi:sockets"
    );
    let refused = refusal(World::Log, &component(&[of_package!("append-log")], &[]));
    assert!(refused.contains("which this host provides to no log component"), "{refused}");
}

#[test]
fn interface_that_is_there_and_lacks_a_function_is_named() {
    let refused = refusal(World::Plugin, &component(&["wasi:cli/exit@0.2.99"], RUN));
    assert_eq!(
        refused,
        "it imports wasi:cli/exit@0.2.99 in another form than that of this host (`f`); build it for \
         WASI 0.2 with current tools"
    );
    let import = of_package!("append-log");
    let refused = refusal(World::Plugin, &component(&[import], RUN));
    assert_eq!(
        refused,
        format!(
            "it imports {import} in another form than that of this host (`f`); build it against \
             the wit/ of this stratalog"
        )
    );
}

#[test]
fn component_of_the_other_world_is_answered_with_its_place() {
    let plugin = component(&["wasi:http/types@0.2.10", of_package!("append-log")], RUN);
    assert_eq!(
        refusal(World::Log, &plugin),
        "it is a plugin, not a log component; run it with `stratalog run`"
    );
    let log = component(&[of_package!("object-store")], &[of_package!("append-log")]);
    assert_eq!(
        refusal(World::Plugin, &log),
        "it is a log component, not a plugin; use it with --component"
    );
}

#[test]
fn another_version_of_wasi_is_named() {
    let later = "it was made for wasi:cli/stdin@0.3.0, and this host has WASI 0.2: a later WASI; \
                 build the component for WASI 0.2, as for wasm32-wasip2";
    assert_eq!(refusal(World::Plugin, &component(&["wasi:cli/stdin@0.3.0"], RUN)), later);
    for export in ["wasi:cli/run@0.3.0", "wasi:cli/run@1.0.0"] {
        let refused = refusal(World::Plugin, &component(&[], &[export]));
        assert!(refused.contains(": a later WASI; "), "{refused}");
    }
    for import in ["wasi:cli/stdin@0.2.0-rc-2023-11-10", "wasi:http/types@0.1.0", "wasi:io/streams"]
    {
        let refused = refusal(World::Plugin, &component(&[import], RUN));
        assert!(refused.contains(import), "{refused}");
        assert!(
            refused.ends_with(
                ": an older preview of WASI; build the component again with current tools"
            ),
            "{refused}"
        );
    }
}

#[test]
fn another_version_of_the_interface_is_named() {
    for version in ["0.2.0", "1.0.0"] {
        let import = format!("stratalog:log/append-log@{version}");
        let refused = refusal(World::Plugin, &component(&[&import], RUN));
        assert_eq!(
            refused,
            format!(
                "it was made for {import}, and this host has version {INTERFACE_VERSION}: build it \
                 against the wit/ of version {INTERFACE_VERSION}, or use a \
                 stratalog of version {version}"
            )
        );
    }
}

#[test]
fn missing_export_is_named_with_the_existing_ones() {
    let refused = refusal(World::Plugin, &component(&[], &[]));
    assert!(
        refused.starts_with("it is not a command: it exports nothing, and no wasi:cli/run@0.2.0. "),
        "{refused}"
    );
    let refused = refusal(World::Plugin, &component(&[], &["a:b/c@1.0.0", "d:e/f@1.0.0"]));
    assert!(
        refused.contains("it exports a:b/c@1.0.0, d:e/f@1.0.0, but no wasi:cli/run@0.2.0. "),
        "{refused}"
    );
    // A later version that this one serves.
    let append_log = format!("stratalog:log/append-log@{}", Version { patch: 3, ..ours() });
    let refused = refusal(World::Log, &component(&[], &[&append_log]));
    assert_eq!(
        refused,
        format!(
            "it is not a component of the world {}: it exports {append_log}, but no {}",
            of_package!("log-component"),
            of_package!("host-lines"),
        )
    );
}

#[test]
fn file_that_is_no_component_is_refused_with_a_remedy() {
    let module = |text: &str| wat::parse_str(text).unwrap();
    let preview_1 = module("(module (import \"wasi_snapshot_preview1\" \"fd_write\" (func)))");
    for (bytes, words) in [
        (&module("(module)")[..], "is a core WebAssembly module, not a WebAssembly component"),
        (&module("(module)"), "`wasm-tools component embed`"),
        (&preview_1, "built for wasm32-wasip1; build it for wasm32-wasip2, or"),
        (&preview_1, "--adapt wasi_snapshot_preview1=wasi_snapshot_preview1.command.wasm"),
        (b"#!/bin/sh", "is not a WebAssembly component"),
        (b"", "is not a WebAssembly component"),
    ] {
        let refused = refusal(World::Plugin, bytes);
        assert!(refused.contains(words), "{refused}");
    }
}
