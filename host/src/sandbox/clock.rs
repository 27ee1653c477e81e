//! The clock of the host as `wasi:clocks` provides it to a component.

use std::time::Duration;

use wasmtime_wasi::HostWallClock;

use crate::clock::Clock;

impl HostWallClock for Clock {
    fn resolution(&self) -> Duration {
        Duration::from_micros(1)
    }

    fn now(&self) -> Duration {
        self.since_1970()
    }
}
