//! The frames of a trap, and what became of a record.

use wasmtime::WasmBacktrace;

use crate::error::Error;

/// The most frames of a trap in a record: the innermost ones.
const FRAMES_MAX: usize = 50;

/// The outcome of the record of a run.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct RecordOutcome {
    /// Records that were appended.
    pub records: u64,
    /// Records that were left out: they exceeded a limit of [`Record`](super::Record), or their
    /// log did not take them. The calls of such records were made, and [`Outcome`] counts them.
    ///
    /// [`Outcome`]: crate::plugin::Outcome
    pub records_left_out: u64,
    /// Bytes of the plugin's output that are in no record.
    pub output_bytes_left_out: u64,
    /// The last failure of the record's log, if its last records may not be durable.
    pub error: Option<Error>,
}

/// A frame of a trap.
#[derive(Clone, Debug)]
pub(in crate::plugin) struct Frame {
    /// The name of the function, if the component has it.
    pub(super) function: Option<String>,
    /// The name of the module, if it has one.
    pub(super) module: Option<String>,
    /// The number of the function in its module.
    pub(super) index: u32,
    /// The offset in the module's file.
    pub(super) offset: Option<usize>,
}

/// Returns the functions that a failed call was in, the innermost one first.
pub(in crate::plugin) fn frames(error: &wasmtime::Error) -> Vec<Frame> {
    let Some(backtrace) = error.downcast_ref::<WasmBacktrace>() else { return Vec::new() };
    let frames = backtrace.frames().iter().take(FRAMES_MAX).map(|frame| Frame {
        function: frame.func_name().map(|name| rustc_demangle::demangle(name).to_string()),
        module: frame.module().name().map(str::to_owned),
        index: frame.func_index(),
        offset: frame.module_offset(),
    });
    frames.collect()
}
