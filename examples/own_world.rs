//! Grants a log to a plugin of the embedder's own world. The plugin has one function that gets a
//! line and returns whether to keep it, and it may journal to the log.
//!
//! `cargo run --release --package stratalog --example own_world -- PLUGIN.wasm LOG <lines`

use std::io::{self, BufRead as _};

use stratalog::Host;
use stratalog::plugin::{Grant, LogsCtx, LogsView, Output, add_to_linker};
use stratalog::store::{Location, Store, StoreOptions};
use wasmtime::component::{Component, Linker, ResourceTable};
use wasmtime::{Config, Engine};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

mod bindings {
    wasmtime::component::bindgen!({
        path: ["../wit", "../examples/plugins/line-filter/world.wit"],
        world: "stratalog:samples/line-filter",
        exports: { default: async },
        with: { "stratalog:log": ::stratalog::plugin::bindings::log },
    });
}

/// The state in the plugin's wasmtime store.
struct State {
    logs: LogsCtx,
    wasi: WasiCtx,
    table: ResourceTable,
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.wasi, table: &mut self.table }
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let (Some(plugin), Some(log)) = (arguments.next(), arguments.next()) else {
        return Err("usage: own_world PLUGIN.wasm LOG".into());
    };
    let location = Location::parse(&log)?;
    let (host, store) = (Host::new()?, Store::open(&location.root, &StoreOptions::new())?);

    let mut config = Config::new();
    config.concurrency_support(false);
    let engine = Engine::new(&config)?;
    let mut linker = Linker::new(&engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker)?;
    add_to_linker(&mut linker, |state: &mut State| LogsView {
        ctx: &mut state.logs,
        table: &mut state.table,
    })?;

    // The plugin opens its log as `rejects` and does not know its place.
    let grant = Grant::new(&host, &store, &location.name);
    let logs = LogsCtx::builder().grant("rejects", grant).build()?;
    let closing = logs.closing();
    // A slow reader of stderr blocks the plugin, not this program.
    let stderr = Output::stderr()?;
    let wasi = WasiCtx::builder().stderr(stderr.clone()).build();
    let state = State { logs, wasi, table: ResourceTable::new() };
    let mut instances = wasmtime::Store::new(&engine, state);
    let plugin = Component::from_file(&engine, plugin)?;
    let filter = bindings::LineFilter::instantiate_async(&mut instances, &plugin, &linker).await?;

    for line in io::stdin().lock().lines() {
        let line = line?;
        if filter.call_keep(&mut instances, &line).await? {
            println!("{line}");
        }
    }

    let usage = instances.data().logs.usage();
    drop(instances);
    stderr.written().await;
    // Logs that the plugin left open are flushed now, however it ended.
    for unflushed in closing.wait().await {
        eprintln!("{unflushed}");
    }
    eprintln!("events journalled: {}", usage.events_appended);
    Ok(())
}
