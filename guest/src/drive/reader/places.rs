//! The batches and the positions of the events of a page.

use super::Reader;
use crate::decide::places::BatchEvents;
use crate::limits::POSITIONS_BYTES_TARGET;
use crate::ports::Store;

impl<S: Store> Reader<S> {
    /// Returns the batches of the events of the last page, in order.
    pub fn batches(&self) -> Vec<BatchEvents> {
        self.places.batches()
    }

    /// Returns the positions right behind events of the last page, each ended by LF: from the event
    /// with this number on, as many as fit into `POSITIONS_BYTES_TARGET`, at least one. Empty
    /// behind the last event. None for a writer's own pass.
    pub fn positions(&mut self, first: u64) -> Option<String> {
        if self.tail.is_some() {
            return None;
        }
        let mut text = String::with_capacity(POSITIONS_BYTES_TARGET);
        let mut event = first;
        while text.len() < POSITIONS_BYTES_TARGET
            && let Some(position) = self.places.position_behind(event)
        {
            position.append_to(&mut text);
            text.push('\n');
            event += 1;
        }
        Some(text)
    }
}
