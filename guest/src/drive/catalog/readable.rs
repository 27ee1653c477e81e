//! Counts the events that can be read among those with positions: events that a repair recorded as
//! lost do not count. An index is read only of a segment with lost events in which a count ends.

use std::ops::Range;

use super::Catalog;
use crate::decide::log_state::LogState;
use crate::drive::interrupted::Interrupted;
use crate::format::manifest::SegmentRecord;
use crate::ports::Store;

impl<S: Store> Catalog<S> {
    /// The position behind which `events` compacted events can be read, or the first position if
    /// there are fewer.
    pub(crate) fn position_of_last(
        &mut self,
        state: &LogState,
        events: u64,
    ) -> Result<u64, Interrupted> {
        let first = state.first_position();
        let mut left = events;
        if left == 0 {
            return Ok(state.next_position());
        }
        for segment in state.segments().iter().rev() {
            if segment.readable() < left {
                left -= segment.readable();
                continue;
            }
            if segment.lost == 0 {
                return Ok((segment.end() - left).max(first));
            }
            let index = self.require_index(segment)?;
            let batches: Vec<_> = index.positions(segment).collect();
            for (batch, positions) in batches.into_iter().rev() {
                if batch.events_stored() >= left {
                    return Ok((positions.end - left).max(first));
                }
                left -= batch.events_stored();
            }
        }
        Ok(first)
    }

    /// The number of lost compacted events in a range of positions.
    pub(crate) fn lost_in(
        &mut self,
        state: &LogState,
        range: &Range<u64>,
    ) -> Result<u64, Interrupted> {
        let mut sum = 0_u64;
        let is_in = |s: &&SegmentRecord| s.position < range.end && range.start < s.end();
        for segment in state.segments().iter().filter(|s| s.lost > 0).filter(is_in) {
            if range.start <= segment.position && segment.end() <= range.end {
                sum += segment.lost;
                continue;
            }
            let index = self.require_index(segment)?;
            for (batch, positions) in index.positions(segment).filter(|(batch, _)| batch.lost) {
                let start = (positions.start + batch.trimmed).max(range.start);
                sum += positions.end.min(range.end).saturating_sub(start);
            }
        }
        Ok(sum)
    }
}
