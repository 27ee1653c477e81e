//! Grants a log to a plugin of the embedder's own world. The plugin has one function that gets a
//! line and returns whether to keep it, and it may journal to the log. A record of the run goes to
//! another log.
//!
//! `cargo run --release --package stratalog --example own_world -- PLUGIN.wasm LOG RECORD <lines`

use std::io::{self, BufRead as _};

use stratalog::Host;
use stratalog::plugin::{Grant, LogsCtx, LogsView, Output, Record, add_to_linker};
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
    let (Some(plugin), Some(log), Some(record)) =
        (arguments.next(), arguments.next(), arguments.next())
    else {
        return Err("usage: own_world PLUGIN.wasm LOG RECORD".into());
    };
    let (location, record) = (Location::parse(&log)?, Location::parse(&record)?);
    let (host, options) = (Host::new()?, StoreOptions::new());
    let (store, records) =
        (Store::open(&location.root, &options)?, Store::open(&record.root, &options)?);

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
    let mut logs = LogsCtx::builder().grant("rejects", grant).build()?;
    let closing = logs.closing();
    let component = std::fs::read(&plugin)?;
    let record = Record::new(&host, &records, &record.name);
    let mut recording = logs.record(record, &plugin, &component)?;
    // A slow reader of stderr blocks the plugin, not this program.
    let stderr = Output::stderr()?;
    let wasi = WasiCtx::builder().stderr(recording.stderr(&stderr)).build();
    let state = State { logs, wasi, table: ResourceTable::new() };
    let mut instances = wasmtime::Store::new(&engine, state);
    let plugin = Component::new(&engine, &component)?;
    let filter = bindings::LineFilter::instantiate_async(&mut instances, &plugin, &linker).await?;

    let mut failure = None;
    for line in io::stdin().lock().lines() {
        let line = line?;
        match filter.call_keep(&mut instances, &line).await {
            Ok(true) => println!("{line}"),
            Ok(false) => {}
            Err(error) => {
                failure = Some(error);
                break;
            }
        }
    }

    let usage = instances.data().logs.usage();
    drop(instances);
    // Logs that the plugin left open are flushed now, however it ended.
    let unflushed = closing.wait().await;
    let recorded = recording.end(failure.as_ref(), &usage, &unflushed).await;
    for unflushed in unflushed {
        eprintln!("{unflushed}");
    }
    if let Some(error) = recorded.error {
        eprintln!("the record is incomplete: {error}");
    }
    eprintln!("events journalled: {}", usage.events_appended);
    failure.map_or(Ok(()), |error| Err(error.into()))
}
