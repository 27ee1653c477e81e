//! A plugin's log messages (`wasi:logging`): limited per second and in length, and safe to print on
//! a terminal.

use std::time::Instant;

use super::limits::{Limit, PluginLimits};
use super::rate::Rate;
use super::usage::Usage;
use crate::numbers::count;

/// Counts messages, and passes on as many as the limit allows.
pub(crate) struct Messages {
    limits: PluginLimits,
    rate: Rate,
    passed: u64,
    dropped: u64,
    /// Messages dropped since the last one that was passed on.
    silent: u64,
}

impl Messages {
    pub(crate) fn new(limits: PluginLimits) -> Self {
        let rate = Rate::new(u64::from(limits.log_lines_per_second), Instant::now());
        Self { limits, rate, passed: 0, dropped: 0, silent: 0 }
    }

    pub(super) fn admit(&mut self) -> bool {
        let passes = self.rate.take(1, Instant::now());
        if passes {
            self.say_dropped();
            self.passed += 1;
        } else {
            self.silent += 1;
            self.dropped += 1;
        }
        passes
    }

    fn say_dropped(&mut self) {
        let silent = std::mem::take(&mut self.silent);
        if silent > 0 {
            let hit = self.limits.hit(Limit::LogLines);
            let dropped = count(silent, "message was", "messages were");
            tracing::warn!(target: "stratalog::plugin", "{dropped} dropped: {hit}");
        }
    }

    pub(crate) fn add_to(&self, usage: &mut Usage) {
        (usage.log_lines, usage.log_lines_dropped) = (self.passed, self.dropped);
        if self.dropped > 0 {
            usage.hit(&self.limits.hit(Limit::LogLines));
        }
    }
}

impl Drop for Messages {
    fn drop(&mut self) {
        self.say_dropped();
    }
}
