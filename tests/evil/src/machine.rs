//! Takes time, memory and stack without end.

use std::hint::black_box;
use std::time::SystemTime;

use crate::say;

const CHUNK_BYTES: usize = 1024 * 1024;

pub(crate) fn endless_loop() {
    let mut count = 0_u64;
    loop {
        count = black_box(count.wrapping_add(1));
    }
}

/// Calls the host, which waits for nothing, in a loop.
pub(crate) fn endless_clock() {
    loop {
        black_box(SystemTime::now());
    }
}

/// Calls a log, which has nothing to do, in a loop.
pub(crate) fn endless_ticks() {
    let Some(log) = say::opened() else { return };
    loop {
        black_box(log.tick());
    }
}

pub(crate) fn memory_bomb() {
    let mut chunks: Vec<Vec<u8>> = Vec::new();
    loop {
        chunks.push(black_box(vec![1; CHUNK_BYTES]));
    }
}

pub(crate) fn stack_overflow() {
    black_box(deeper(1));
}

#[expect(unconditional_recursion, reason = "this is the hazard")]
fn deeper(depth: u64) -> u64 {
    // Uses little of its stack in memory, so that the engine's stack ends first. No tail call.
    deeper(black_box(depth)).wrapping_add(depth)
}
