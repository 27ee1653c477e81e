//! The three standard streams, and what people at a terminal see.

pub(crate) mod closed_stdout;
pub(crate) mod human;
pub(crate) mod live_lines;
mod screen;
pub(crate) mod stderr;
pub(crate) mod streams;
pub(crate) mod wrapping;
