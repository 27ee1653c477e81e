//! Handles the three standard streams and the output that people see at a terminal.

pub(crate) mod closed_stdout;
pub(crate) mod human;
pub(crate) mod live_lines;
mod screen;
pub(crate) mod stderr;
pub(crate) mod streams;
pub(crate) mod wrapping;
