//! Has the host hold bytes without end, and asks for bytes that are not there.

use std::hint::black_box;

use crate::LABEL;
use crate::bindings::stratalog::log::held_bytes::Bytes;
use crate::bindings::stratalog::log::object_store::{OrderedRead, ReadPart, Upload};
use crate::say;

const MIB: usize = 1024 * 1024;

/// Large ones, each dropped by nobody.
pub(crate) fn hoard() {
    let content = vec![1; MIB];
    let mut held = Vec::new();
    loop {
        held.push(black_box(Bytes::new(&content)));
    }
}

/// Very small ones, joined: what it takes to hold them is more than they are.
pub(crate) fn crumbs() {
    let all = Bytes::new(b"");
    loop {
        all.append(Bytes::new(b"x"));
    }
}

/// Slices of a few bytes, each a handle of its own.
pub(crate) fn slices() {
    let all = Bytes::new(b"0123456789");
    let mut held = Vec::new();
    loop {
        held.push(black_box(all.slice(1, 9)));
    }
}

/// Reads of many objects with long keys, none of them ever begun.
pub(crate) fn reads() {
    let key = format!("{LABEL}/{}", "x".repeat(1_000));
    let parts = vec![ReadPart { key, range: None }; 10_000];
    let mut held = Vec::new();
    loop {
        held.push(black_box(OrderedRead::new(&parts)));
    }
}

/// Uploads that are never finished, each with less than a part that is sent.
pub(crate) fn uploads() {
    let content = vec![1; MIB];
    let mut held = Vec::new();
    for number in 0_u64.. {
        match Upload::start(&format!("{LABEL}/segment_{number}")) {
            Ok(upload) => {
                for _ in 0..7 {
                    black_box(upload.write(Bytes::new(&content)).is_ok());
                }
                held.push(upload);
            }
            Err(error) => return say::line(&format!("upload: {error:?}")),
        }
    }
}

/// A stretch that begins within the bytes and does not end there.
pub(crate) fn beyond() {
    let all = Bytes::new(b"0123456789");
    black_box(all.measure(5, &[5, 1]));
}
