//! A page of a log: events as a reader returns them.

use bytes::Bytes;

/// Some events, in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// The events, each ended by LF; at most 64 MiB, usually half of one to three.
    pub lines: Bytes,
    /// The number of events.
    pub events: u64,
    /// Events that the reader can no longer return, counted where it meets them.
    ///
    /// Trimmed events count right before this page, if the reader stood at a position that has been
    /// trimmed. Events that a repair recorded as lost count right before this page, between its
    /// events or right behind them. The position behind this page has passed them all, so a pass
    /// from there does not count them again. A page may report `missed` alone and have no events.
    pub missed: u64,
}

impl Page {
    /// The events without their LFs.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        self.lines.strip_suffix(b"\n").into_iter().flat_map(|lines| lines.split(|&b| b == b'\n'))
    }
}
