//! Makes the host keep bytes without end, and asks for bytes that are not there.

use std::hint::black_box;

use crate::LABEL;
use crate::bindings::stratalog::log::host_bytes::Bytes;
use crate::bindings::stratalog::log::object_store::{Listing, ObjectRange, OrderedRead, Upload};
use crate::say;

const MIB: usize = 1024 * 1024;

/// Keeps large ones, and drops none.
pub(crate) fn hoard() {
    let content = vec![1; MIB];
    let mut kept = Vec::new();
    loop {
        kept.push(black_box(Bytes::new(&content)));
    }
}

/// Joins very small ones: the administration takes more than the bytes.
pub(crate) fn crumbs() {
    let all = Bytes::new(b"");
    loop {
        all.append(Bytes::new(b"x"));
    }
}

/// Makes slices of a few bytes, each with its own handle.
pub(crate) fn slices() {
    let all = Bytes::new(b"0123456789");
    let mut kept = Vec::new();
    loop {
        kept.push(black_box(all.slice(1, 9)));
    }
}

/// Starts reads of many objects with long keys, and begins none.
pub(crate) fn reads() {
    let key = format!("{LABEL}/{}", "x".repeat(1_000));
    let ranges = vec![ObjectRange { key, range: None }; 10_000];
    let mut kept = Vec::new();
    loop {
        kept.push(black_box(OrderedRead::new(&ranges)));
    }
}

/// Starts uploads that are never finished, each smaller than a part that is sent.
pub(crate) fn uploads() {
    let content = vec![1; MIB];
    let mut kept = Vec::new();
    for number in 0_u64.. {
        match Upload::start(&format!("{LABEL}/segment_{number}")) {
            Ok(upload) => {
                for _ in 0..7 {
                    black_box(upload.write(Bytes::new(&content)).is_ok());
                }
                kept.push(upload);
            }
            Err(error) => return say::line(&format!("upload: {error:?}")),
        }
    }
}

/// Prepares listings with keys of some length, and requests no page.
pub(crate) fn listings(bytes: u64) {
    let key = "x".repeat(bytes.try_into().unwrap_or(usize::MAX));
    let prefix = format!("{LABEL}/{key}");
    let mut kept = Vec::new();
    loop {
        kept.push(black_box(Listing::new(&prefix, Some(&prefix), true)));
    }
}

/// Asks for a range that begins within the bytes and ends beyond them.
pub(crate) fn beyond() {
    let all = Bytes::new(b"0123456789");
    black_box(all.summarize(5, &[5, 1]));
}
