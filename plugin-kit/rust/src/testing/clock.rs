//! A clock that stands still unless a test moves it, and numbers that are the same in each run.

use std::cell::Cell;
use std::rc::Rc;

use stratalog_guest::ports::System;

/// 2026-01-01, in microseconds since 1970.
const START: u64 = 1_767_225_600_000_000;

/// The clock and the random numbers of a world. Clones are one.
#[derive(Clone)]
pub(super) struct Clock(Rc<State>);

struct State {
    micros: Cell<u64>,
    random: Cell<u64>,
}

impl Clock {
    pub(super) fn new() -> Self {
        Self(Rc::new(State { micros: Cell::new(START), random: Cell::new(0) }))
    }

    /// Returns the time without taking a microsecond.
    pub(super) fn micros(&self) -> u64 {
        self.0.micros.get()
    }

    pub(super) fn set(&self, micros: u64) {
        self.0.micros.set(micros);
    }
}

impl System for Clock {
    /// Each look at the clock takes a microsecond, as it does on a machine.
    fn now_micros(&self) -> u64 {
        let now = self.0.micros.get() + 1;
        self.0.micros.set(now);
        now
    }

    /// SplitMix64: objects have the same names in each run.
    fn random_u32(&self) -> u32 {
        let state = self.0.random.get().wrapping_add(0x9E37_79B9_7F4A_7C15);
        self.0.random.set(state);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        let [a, b, c, d, ..] = (mixed ^ (mixed >> 31)).to_le_bytes();
        u32::from_le_bytes([a, b, c, d])
    }

    fn warn(&self, message: &str) {
        eprintln!("warning: {message}");
    }
}
