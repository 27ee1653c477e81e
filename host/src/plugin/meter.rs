//! What a plugin's wasmtime store holds, summed over all its memories and tables.

use wasmtime::ResourceLimiter;

use super::limits::{Limit, LimitHit, PluginLimits};

/// Bounds the memories, tables and instances of one plugin. Beyond a limit it traps, so that the
/// plugin's author is told the limit and not that an allocation failed.
pub(crate) struct PluginMeter {
    limits: PluginLimits,
    memory_bytes: usize,
    table_elements: usize,
}

impl PluginMeter {
    pub(crate) fn new(limits: PluginLimits) -> Self {
        Self { limits, memory_bytes: 0, table_elements: 0 }
    }

    /// Memories only grow, so this is also what there is.
    pub(crate) fn memory_bytes_peak(&self) -> usize {
        self.memory_bytes
    }

    fn grown(
        &self,
        held: usize,
        (current, desired): (usize, usize),
        most: usize,
        limit: Limit,
    ) -> Result<usize, LimitHit> {
        let grown = held.saturating_add(desired.saturating_sub(current));
        if grown <= most { Ok(grown) } else { Err(self.limits.hit(limit)) }
    }
}

impl ResourceLimiter for PluginMeter {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let (held, most) = (self.memory_bytes, self.limits.memory_bytes_max);
        self.memory_bytes = self.grown(held, (current, desired), most, Limit::Memory)?;
        Ok(true)
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let (held, most) = (self.table_elements, self.limits.table_elements_max);
        self.table_elements = self.grown(held, (current, desired), most, Limit::TableElements)?;
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
