//! The measurements of a writer's task.

use super::WriterActor;
use crate::telemetry;
use crate::types::Written;

impl WriterActor {
    /// Counts what has become durable since the last time.
    pub(super) fn count_durable(&mut self, written: Written) {
        let before = self.written;
        telemetry::batches_durable(
            written.batches.saturating_sub(before.batches),
            written.events.saturating_sub(before.events),
            written.bytes.saturating_sub(before.bytes),
        );
        self.pending_events.durable(written.events);
    }
}
