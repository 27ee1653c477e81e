//! The meter of a plugin's wasmtime store: the sum of all its memories and tables.

use wasmtime::ResourceLimiter;

use super::limits::{Limit, PluginLimits};
use crate::sandbox::address_space;
use crate::sandbox::memory::Memory;

/// Bounds the memories, tables and instances of one plugin. Beyond a limit the plugin traps, so
/// that its author learns the limit and not that an allocation failed.
pub(crate) struct PluginMeter {
    limits: PluginLimits,
    memory: Memory,
    table_elements: usize,
}

impl PluginMeter {
    /// Creates a meter. `memory` also counts the memory for the plugin outside of its linear
    /// memories.
    pub(crate) fn new(limits: PluginLimits, memory: Memory) -> Self {
        Self { limits, memory, table_elements: 0 }
    }
}

impl ResourceLimiter for PluginMeter {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let taken = self.memory.take(desired.saturating_sub(current));
        taken.map_err(|_| self.limits.hit(Limit::Memory))?;
        Ok(true)
    }

    fn memory_grow_failed(&mut self, error: wasmtime::Error) -> wasmtime::Result<()> {
        address_space::grow_failed(error)
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let grown = self.table_elements.saturating_add(desired.saturating_sub(current));
        if grown > self.limits.table_elements_max {
            return Err(self.limits.hit(Limit::TableElements).into());
        }
        self.table_elements = grown;
        Ok(true)
    }

    fn instances(&self) -> usize {
        self.limits.instances_max
    }

    fn tables(&self) -> usize {
        self.limits.instances_max
    }

    fn memories(&self) -> usize {
        self.limits.instances_max
    }
}
