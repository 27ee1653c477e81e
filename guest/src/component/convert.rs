//! Values of the bindings to values of the logic and back: one total conversion each.

use super::types;
use crate::decide::cursor::Pending;
use crate::decide::options::{CompactInput, Options, OptionsInput};
use crate::decide::page::Page;
use crate::decide::places::BatchEvents;
use crate::drive::compactor::{Compaction, CompactionPlan};
use crate::drive::named::Kept;
use crate::drive::reader::{ReadOptions, Skipped};
use crate::drive::repair::{Action, Step};
use crate::drive::stat::{Stats, Tier};
use crate::drive::trimmer::{TrimOptions, TrimPoint, TrimResult};
use crate::drive::verifier::{Finding, GarbageReason, VerifyProgress};
use crate::drive::writer::Written;
use crate::error::{Damage, Error, EventFault, NoLog, WriteFate};
use crate::format::names::BatchName;
use crate::ports::HostBytes;

#[cfg(target_arch = "wasm32")]
mod copies;
#[cfg(target_arch = "wasm32")]
mod files;
#[cfg(target_arch = "wasm32")]
mod parked;
#[cfg(target_arch = "wasm32")]
mod store;
#[cfg(target_arch = "wasm32")]
mod survey;

impl From<types::Options> for OptionsInput {
    fn from(options: types::Options) -> Self {
        Self {
            flush_threshold: options.flush_threshold,
            flush_bytes: options.flush_bytes,
            flush_interval_ms: options.flush_interval_ms,
            event_bytes_max: options.event_bytes_max,
            buffer_bytes_max: options.buffer_bytes_max,
            creates_max: options.creates_max,
        }
    }
}

impl From<Options> for types::Options {
    fn from(options: Options) -> Self {
        OptionsInput::from(options).into()
    }
}

impl From<OptionsInput> for types::Options {
    fn from(options: OptionsInput) -> Self {
        let OptionsInput {
            flush_threshold,
            flush_bytes,
            flush_interval_ms,
            event_bytes_max,
            buffer_bytes_max,
            creates_max,
        } = options;
        Self {
            flush_threshold,
            flush_bytes,
            flush_interval_ms,
            event_bytes_max,
            buffer_bytes_max,
            creates_max,
        }
    }
}

impl TryFrom<types::Pending> for Pending {
    type Error = Error;

    fn try_from(pending: types::Pending) -> Result<Self, Error> {
        let sealed = pending.sealed.into_iter().map(|sealed| {
            let name = BatchName::parse(&sealed.name).ok_or_else(|| {
                Error::InvalidInput(format!(
                    "cannot read the pending events: {:?} is not the name of a batch; pass \
                     `pending` as the writer returned it",
                    sealed.name
                ))
            });
            name.map(|name| (name, sealed.lines))
        });
        Ok(Self {
            writer: pending.writer,
            last_time: pending.last_time,
            sealed: sealed.collect::<Result<_, Error>>()?,
            lines: pending.lines,
        })
    }
}

impl From<Pending> for types::Pending {
    fn from(pending: Pending) -> Self {
        let sealed = pending.sealed.into_iter();
        Self {
            writer: pending.writer,
            last_time: pending.last_time,
            sealed: sealed
                .map(|(name, lines)| types::SealedBatch { name: name.to_string(), lines })
                .collect(),
            lines: pending.lines,
        }
    }
}

impl<B: HostBytes> From<Page<B>> for types::Page {
    fn from(page: Page<B>) -> Self {
        let lines = page.lines.map(|lines| lines.read()).unwrap_or_default();
        Self { lines, events: page.events, missed: page.missed }
    }
}

impl From<Kept> for types::NamedPosition {
    fn from(Kept { name, position, number, time }: Kept) -> Self {
        Self { name: name.as_str().to_owned(), position, number, time }
    }
}

impl From<BatchEvents> for types::BatchEvents {
    fn from(BatchEvents { events, time }: BatchEvents) -> Self {
        Self { events, time }
    }
}

impl TryFrom<types::ReadOptions> for ReadOptions {
    type Error = Error;

    fn try_from(options: types::ReadOptions) -> Result<Self, Error> {
        Ok(Self {
            start: options.start,
            last: options.last,
            limit: options.limit,
            since: options.since,
            until: options.until,
            pending: options.pending.map(TryInto::try_into).transpose()?,
        })
    }
}

impl From<types::CompactOptions> for CompactInput {
    fn from(options: types::CompactOptions) -> Self {
        Self {
            full: options.full,
            fan_in: options.fan_in,
            segment_bytes_max: options.segment_bytes_max,
            batches_max: options.batches_max,
        }
    }
}

impl From<types::TrimPoint> for TrimPoint {
    fn from(point: types::TrimPoint) -> Self {
        match point {
            types::TrimPoint::Position(position) => Self::Position(position),
            types::TrimPoint::Time(time) => Self::Time(time),
            types::TrimPoint::KeepEvents(events) => Self::KeepEvents(events),
        }
    }
}

impl From<types::TrimOptions> for TrimOptions {
    fn from(options: types::TrimOptions) -> Self {
        let types::TrimOptions { lazy, keep_unread } = options;
        Self { lazy, keep_unread }
    }
}

impl From<TrimResult> for types::TrimResult {
    fn from(trimmed: TrimResult) -> Self {
        Self {
            events: trimmed.events,
            segments: trimmed.segments,
            bytes: trimmed.bytes,
            rewritten_bytes: trimmed.rewritten_bytes,
            absorbed_batches: trimmed.absorbed_batches,
            first_position: trimmed.first_position,
            live_batches: trimmed.live_batches,
            held_by: trimmed.held_by.map(|name| name.as_str().to_owned()),
        }
    }
}

impl From<CompactionPlan> for types::CompactionPlan {
    fn from(plan: CompactionPlan) -> Self {
        Self {
            batches: plan.batches,
            segments: plan.segments,
            bytes: plan.bytes,
            garbage_objects: plan.garbage_objects,
            garbage_bytes: plan.garbage_bytes,
        }
    }
}

impl From<VerifyProgress> for types::VerifyProgress {
    fn from(checked: VerifyProgress) -> Self {
        Self {
            objects: checked.objects,
            objects_total: checked.objects_total,
            bytes: checked.bytes,
            bytes_total: checked.bytes_total,
            events: checked.events,
            trimmed_events: checked.trimmed_events,
            findings: checked.findings.into_iter().map(types::Finding::from).collect(),
        }
    }
}

impl From<Finding> for types::Finding {
    fn from(finding: Finding) -> Self {
        match finding {
            Finding::Damaged(damage) => Self::Damaged(damage.into()),
            Finding::Garbage { object, bytes, reason } => {
                let reason = match reason {
                    GarbageReason::AbsorbedBatch => types::GarbageReason::AbsorbedBatch,
                    GarbageReason::UnnamedSegment => types::GarbageReason::UnnamedSegment,
                    GarbageReason::OldManifest => types::GarbageReason::OldManifest,
                    GarbageReason::UnfinishedWrite => types::GarbageReason::UnfinishedWrite,
                    GarbageReason::OldPosition => types::GarbageReason::OldPosition,
                };
                Self::Garbage(types::Garbage { object, bytes, reason })
            }
            Finding::Stranded { object, bytes, before } => {
                Self::Stranded(types::Stranded { object, bytes, before })
            }
        }
    }
}

impl From<Damage> for types::Damage {
    fn from(damage: Damage) -> Self {
        let Damage { object, expected, found } = damage;
        Self { object, expected, found }
    }
}

impl From<Tier> for types::Tier {
    fn from(tier: Tier) -> Self {
        let Tier { tier, segments, bytes } = tier;
        Self { tier, segments, bytes }
    }
}

impl From<Written> for types::Written {
    fn from(written: Written) -> Self {
        Self { batches: written.batches, events: written.events, bytes: written.bytes }
    }
}

impl From<Compaction> for types::Compaction {
    fn from(done: Compaction) -> Self {
        Self {
            merged_files: done.batches.saturating_add(done.segments),
            batches: done.batches,
            segments: done.segments,
            events: done.events,
            bytes: done.bytes,
            new_segments: done.new_segments,
            new_key: done.new_key,
        }
    }
}

impl From<Stats> for types::Stats {
    fn from(stats: Stats) -> Self {
        Self {
            objects: stats.objects,
            batches: stats.batches,
            hidden_batches: stats.hidden_batches,
            segments: stats.segments,
            events: stats.events,
            lost_events: stats.lost_events,
            uncounted_batches: stats.uncounted_batches,
            bytes: stats.bytes,
            trimmed_events: stats.trimmed_events,
            generation: stats.generation.0,
            identity: stats.log.map(|log| log.to_string()),
            first_time: stats.first_time,
            last_time: stats.last_time,
            first_position: stats.first_position,
            next_position: stats.next_position,
            tiers: stats.tiers.into_iter().map(types::Tier::from).collect(),
            garbage_objects: stats.garbage_objects,
            garbage_bytes: stats.garbage_bytes,
            unfinished_objects: stats.unfinished_objects,
            unfinished_bytes: stats.unfinished_bytes,
            absorbed_bytes: stats.absorbed_bytes,
            compacted_bytes: stats.compacted_bytes,
        }
    }
}

impl From<Error> for types::Error {
    fn from(error: Error) -> Self {
        match error {
            Error::InvalidInput(message) => Self::InvalidInput(message),
            Error::InvalidEvent { line, fault } => {
                Self::InvalidEvent(types::InvalidEvent { line, fault: fault.into() })
            }
            Error::WriteFailed(failure) => Self::WriteFailed(types::WriteFailure {
                object: failure.object,
                fate: failure.fate.into(),
                events_pending: failure.events_pending,
                message: failure.message,
                transient: failure.transient,
            }),
            Error::StoreFailed { message, transient } => {
                Self::StoreFailed(types::StoreFailure { message, transient })
            }
            Error::Damaged(damage) => Self::Damaged(damage.into()),
            Error::NoLog(NoLog { name, below, more }) => {
                Self::NoLog(types::NoLog { name, below, more })
            }
            Error::Conflict(message) => Self::Conflict(message),
            Error::Unsupported(message) => Self::Unsupported(message),
            Error::Closed => Self::Closed,
        }
    }
}

impl From<EventFault> for types::EventFault {
    fn from(fault: EventFault) -> Self {
        match fault {
            EventFault::Empty => Self::Empty,
            EventFault::LineFeed => Self::LineFeed,
            EventFault::TooLong { bytes, bytes_max } => {
                Self::TooLong(types::TooLong { bytes, bytes_max })
            }
            EventFault::Unterminated => Self::Unterminated,
        }
    }
}

impl From<WriteFate> for types::WriteFate {
    fn from(fate: WriteFate) -> Self {
        match fate {
            WriteFate::Durable => Self::Durable,
            WriteFate::NotWritten => Self::NotWritten,
            WriteFate::Unknown => Self::Unknown,
        }
    }
}

impl From<Skipped> for types::Skipped {
    fn from(skipped: Skipped) -> Self {
        Self { damage: skipped.damage.into(), events: skipped.events }
    }
}

impl From<Step> for types::RepairStep {
    fn from(step: Step) -> Self {
        let action = match step.action {
            Action::SetAside => types::RepairAction::SetAside,
            Action::Gone => types::RepairAction::Gone,
            Action::Rebuild => types::RepairAction::Rebuild,
            Action::StepBack => types::RepairAction::StepBack,
            Action::StandIn => types::RepairAction::StandIn,
            Action::Forget => types::RepairAction::Forget,
            Action::Nothing(why) => types::RepairAction::Nothing(why),
        };
        Self { damage: step.damage.into(), action, events_lost: step.events_lost }
    }
}
