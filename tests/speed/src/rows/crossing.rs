//! Bytes that one component returns to another, without any other work: what a joined plugin has
//! to pay for each event that it reads.

use std::time::Instant;

use wasmtime::component::{Component, Linker, TypedFunc};
use wasmtime::{Engine, Store};

use crate::logs::MIB;

/// Bytes of a call, as `crossing.wat` has them.
const CALL_BYTES: usize = 4 * MIB;

/// Calls of a run: as many bytes as the row reads.
const CALLS: u32 = 16;

pub(super) struct Crossing {
    store: Store<()>,
    run: TypedFunc<(u32,), ()>,
}

impl Crossing {
    pub(super) fn new(engine: &Engine) -> Self {
        let bytes = wat::parse_str(include_str!("crossing.wat")).expect("a component as text");
        let component = Component::new(engine, bytes).expect("a component");
        let mut store = Store::new(engine, ());
        let instance = Linker::new(engine).instantiate(&mut store, &component);
        let instance = instance.expect("an instance");
        let run = instance.get_typed_func(&mut store, "run").expect("its function");
        Self { store, run }
    }

    /// Returns the MB/s of a run.
    pub(super) fn run(&mut self) -> f64 {
        let start = Instant::now();
        self.run.call(&mut self.store, (CALLS,)).expect("a run");
        f64::from(CALLS) * CALL_BYTES as f64 / 1e6 / start.elapsed().as_secs_f64()
    }
}
