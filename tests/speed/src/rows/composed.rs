//! A plugin joined with the log and the store of a folder, compared with the same plugin under the
//! host of this repository, on a folder of the same kind.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use rig::plugins;
use stratalog::plugin::{ExitReason, Grant, LogsCtx, Plugin, Rights, Run};
use wasmtime::component::{Component, Linker, ResourceTable};
use wasmtime::{Config, Engine};
use wasmtime_wasi::p2::bindings::sync::Command as Instance;
use wasmtime_wasi::{FsPerms, WasiCtx, WasiCtxView, WasiView};

use super::compact::link_all;
use super::crossing::Crossing;
use super::plugins::{compile, limits};
use crate::lab::{Lab, built, local};
use crate::logs::{EVENT_BYTES, MIB, fill};
use crate::table::{Goal, Line, Values};
use crate::usage;

/// The log of the plugin.
const LOG: &str = "bench";

/// Batches of 1 MiB that are read or compacted.
const BATCHES: usize = 64;

/// Events of a run that appends.
const EVENTS: usize = 1_000_000;

/// The case that returns each event from component to component twice.
const READ: &str = "read of 64 MiB";

/// The speed, in that of the host of this repository.
const APPEND_RATIO_MIN: f64 = 0.4;
const COPY_RATIO_MIN: f64 = 0.6;

/// A joined plugin under plain wasmtime, as its command line configures it.
struct Joined {
    engine: Engine,
    component: Component,
    linker: Linker<State>,
}

struct State {
    ctx: WasiCtx,
    table: ResourceTable,
}

impl WasiView for State {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView { ctx: &mut self.ctx, table: &mut self.table }
    }
}

impl Joined {
    fn new(lab: &Lab) -> Self {
        let folder = lab.temporary();
        let file: PathBuf = folder.path().join("joined.wasm");
        let mut join = Command::new(built("stratalog"));
        join.args(["--quiet", "component", "join", "--store", "fs"]).arg(plugins::rust(LOG));
        usage::run(join.arg("-o").arg(&file), b"");
        let mut config = Config::new();
        config.concurrency_support(false);
        let engine = Engine::new(&config).expect("an engine");
        let component = Component::from_file(&engine, &file).expect("a component");
        let mut linker = Linker::new(&engine);
        wasmtime_wasi::p2::add_to_linker_sync(&mut linker).expect("WASI");
        Self { engine, component, linker }
    }

    /// Runs the plugin on a folder; returns the seconds.
    fn run(&self, folder: &Path, script: &[String]) -> f64 {
        let start = Instant::now();
        let mut ctx = WasiCtx::builder();
        ctx.allow_blocking_current_thread(true).arg(LOG).args(script);
        let opened = ctx.preopened_dir(folder, "/", FsPerms::ReadWrite);
        opened.expect("a folder");
        let state = State { ctx: ctx.build(), table: ResourceTable::new() };
        let mut store = wasmtime::Store::new(&self.engine, state);
        let command = Instance::instantiate(&mut store, &self.component, &self.linker);
        let command = command.expect("an instance");
        let ended = command.wasi_cli_run().call_run(&mut store).expect("a run");
        assert_eq!(ended, Ok(()), "the plugin failed");
        start.elapsed().as_secs_f64()
    }
}

/// Runs the plugin under the host of this repository; returns the seconds.
fn native(lab: &Lab, plugin: &Plugin, folder: &Path, script: &[String]) -> f64 {
    let grant = Grant::new(&lab.host, &local(folder), LOG).rights(Rights::all());
    let logs = LogsCtx::builder().limits(&limits()).grant(LOG, grant).build().expect("logs");
    let mut run = Run::new(logs);
    run.wasi().arg(LOG).args(script);
    let start = Instant::now();
    let ended = lab.runtime.block_on(plugin.run(run)).expect("a run").end;
    assert_eq!(ended, ExitReason::Exited(0));
    start.elapsed().as_secs_f64()
}

pub(crate) fn composed(lab: &Lab) -> Vec<Line> {
    let (joined, plugin) = (Joined::new(lab), compile(lab));
    let filled = lab.temporary();
    lab.runtime.block_on(fill(&lab.host, &local(filled.path()), BATCHES, MIB));
    let append = |word: &str| vec![word.to_owned(), EVENTS.to_string(), "large".to_owned()];
    let appended = (EVENTS * EVENT_BYTES) as f64 / 1e6;
    let stored = (BATCHES * MIB) as f64 / 1e6;
    let cases: [(_, Vec<String>, _, _, _); 4] = [
        ("append one by one", append("append"), appended, false, APPEND_RATIO_MIN),
        ("append of 1,000 in a call", append("append-packed"), appended, false, APPEND_RATIO_MIN),
        (READ, vec!["read".to_owned()], stored, true, COPY_RATIO_MIN),
        ("compaction of 64 MiB", vec!["compact".to_owned()], stored, true, COPY_RATIO_MIN),
    ];
    let mut crossing = Crossing::new(&joined.engine);
    let (mut crossed, mut read) = <(Values, Values)>::default();
    let lines = cases.map(|(what, script, megabytes, is_filled, least)| {
        let (mut values, mut base) = <(Values, Values)>::default();
        let fresh = || {
            let fresh = lab.temporary();
            if is_filled {
                link_all(&filled.path().join("log"), &fresh.path().join(LOG));
            }
            usage::sync();
            fresh
        };
        for _ in 0..lab.runs {
            let native = megabytes / native(lab, &plugin, fresh().path(), &script);
            base.push(native);
            values.push(megabytes / joined.run(fresh().path(), &script));
            if what == READ {
                read.push(native);
                crossed.push(crossing.run());
            }
        }
        Line {
            what: format!("{what}, by a plugin joined with fs-store, under plain wasmtime"),
            unit: "MB/s",
            values,
            baseline: "the same plugin under `stratalog run`'s host".to_owned(),
            base,
            goal: Goal::RatioAtLeast(least),
        }
    });
    let bound = Line {
        what: "return of 64 MiB from one component to another, under plain wasmtime".to_owned(),
        unit: "MB/s",
        values: crossed,
        baseline: format!("{READ} under `stratalog run`'s host"),
        base: read,
        goal: Goal::Watched,
    };
    lines.into_iter().chain([bound]).collect()
}
