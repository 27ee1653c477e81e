//! Keeps one log: does what is due.

use tracing::Instrument as _;

use super::due::{Due, Known, Times};
use super::policy::Policy;
use super::{Kept, Work};
use crate::error::{Error, Result};
use crate::host::Host;
use crate::log::{FilesOptions, ListedLog, LogFile, NameCounts};
use crate::store::Store;
use crate::telemetry;
use crate::types::{
    CompactOptions, Damage, Finding, TrimOptions, TrimPoint, TrimResult, VerifyProgress,
};

/// A log and its policy.
pub(super) struct Task {
    pub(super) host: Host,
    pub(super) store: Store,
    pub(super) name: String,
    pub(super) counts: NameCounts,
    pub(super) policy: Policy,
    /// The facts that an earlier sweep has counted, if the names are the same since.
    pub(super) known: Option<Known>,
    pub(super) at: Times,
    pub(super) dry_run: bool,
}

impl Task {
    /// Does what is due. Returns also what is known of the log, if it was not changed.
    pub(super) async fn run(mut self) -> (Kept, Option<Known>) {
        let mut done = Vec::new();
        let name = self.name.as_str();
        let span = tracing::info_span!(target: telemetry::SPANS, "keep", stratalog.log = name);
        let result = self.work(&mut done).instrument(span).await;
        let is_changed = done.iter().any(Work::is_change);
        let known = self.known.filter(|_| !is_changed && result.is_ok());
        let error = match result {
            // Others have done it, or removed the log.
            Ok(()) | Err(Error::Conflict(_) | Error::NoLog(_)) => None,
            Err(error) => Some(error),
        };
        done.iter().filter_map(Work::name).for_each(telemetry::log_kept);
        if error.is_some() {
            telemetry::log_kept("failed");
        }
        let log = ListedLog { name: self.name, counts: Some(self.counts) };
        (Kept { log, policy: Some(self.policy), done, error }, known)
    }

    async fn work(&mut self, done: &mut Vec<Work>) -> Result<()> {
        let mut due = Due::by_names(&self.policy, &self.name, &self.counts, self.at);
        if self.policy.removes_events() && !self.counts.mirror {
            let known = match self.known.or_else(|| Known::by_names(&self.counts)) {
                Some(known) => known,
                None => self.count().await?,
            };
            self.known = Some(known);
            due = due.with_retention(&self.policy, known, self.at);
        }
        if due.compaction {
            done.extend(self.compact().await?);
        }
        if let Some(time) = due.before {
            done.extend(self.trim(TrimPoint::Time(time)).await?);
        }
        if let Some(events) = due.events {
            done.extend(self.trim(TrimPoint::KeepEvents(events)).await?);
        }
        if let Some(bytes) = due.bytes
            && let Some(point) = self.point_of_bytes(bytes).await?
        {
            done.extend(self.trim(point).await?);
        }
        if due.verification {
            done.push(self.verify().await?);
        }
        Ok(())
    }

    async fn count(&self) -> Result<Known> {
        let stats = self.host.stat(&self.store, &self.name).await?;
        let (first_time, events, bytes) = (stats.first_time, stats.events, stats.bytes);
        Ok(Known { first_time, events, bytes })
    }

    async fn compact(&self) -> Result<Option<Work>> {
        let Self { host, store, name, .. } = self;
        let options = CompactOptions::new();
        if self.dry_run {
            let plan = host.plan_compaction(store, name, &options).await?;
            let is_any = plan.batches + plan.segments > 0 || plan.garbage_objects > 0;
            return Ok(is_any.then_some(Work::WouldCompact(plan)));
        }
        let compaction = host.compact(store, name, &options).await?;
        Ok((compaction.merged_files > 0).then_some(Work::Compacted(compaction)))
    }

    async fn trim(&self, point: TrimPoint) -> Result<Option<Work>> {
        let Self { host, store, name, .. } = self;
        let options = TrimOptions::new().keep_unread(self.policy.keep_unread);
        let is_any = |it: &TrimResult| it.events > 0 || it.segments > 0 || it.rewritten_bytes > 0;
        let (trimmed, work): (_, fn(TrimResult) -> Work) = match self.dry_run {
            true => (host.plan_trim(store, name, point, options).await?, Work::WouldTrim),
            false => (host.trim(store, name, point, options).await?, Work::Trimmed),
        };
        Ok(is_any(&trimmed).then(|| work(trimmed)))
    }

    /// Returns the beginning of the newest segments that have this many bytes, together with the
    /// live batches. None if all segments have to stay.
    async fn point_of_bytes(&self, bytes: u64) -> Result<Option<TrimPoint>> {
        let mut files = self.host.files(&self.store, &self.name, FilesOptions::new()).await?;
        let mut sizes = Sizes::default();
        loop {
            let page = files.next().await?;
            if page.is_empty() {
                break;
            }
            page.iter().for_each(|file| sizes.add(file));
        }
        let point = sizes.point(bytes);
        Ok(point.map(|position| TrimPoint::Position(position.to_string())))
    }

    async fn verify(&self) -> Result<Work> {
        if self.dry_run {
            return Ok(Work::WouldVerify);
        }
        let mut verifier = self.host.verify(&self.store, &self.name).await?;
        let (mut checked, mut damaged) = (VerifyProgress::default(), None::<Damage>);
        while let Some(mut progress) = verifier.next().await? {
            for finding in std::mem::take(&mut progress.findings) {
                if let Finding::Damaged(damage) = finding {
                    damaged = damaged.or(Some(damage));
                }
            }
            checked = progress;
        }
        match damaged {
            Some(damage) => Err(Error::Damaged(damage)),
            None => Ok(Work::Verified(checked)),
        }
    }
}

/// The sizes of the files of a log, in its order.
#[derive(Default)]
struct Sizes {
    /// The positions and the bytes of the segments.
    segments: Vec<(u64, u64)>,
    /// The position behind the last segment.
    end: u64,
    batch_bytes: u64,
}

impl Sizes {
    fn add(&mut self, file: &LogFile) {
        match (file.position, file.events) {
            (Some(position), Some(events)) => {
                self.segments.push((position, file.bytes));
                self.end = position.saturating_add(events);
            }
            _ => self.batch_bytes = self.batch_bytes.saturating_add(file.bytes),
        }
    }

    /// Returns the beginning of the newest segments that have this many bytes together with the
    /// batches. None if that is the beginning of all.
    fn point(&self, bytes: u64) -> Option<u64> {
        let (mut kept, mut point) = (self.batch_bytes, self.end);
        for (position, size) in self.segments.iter().rev() {
            if kept >= bytes {
                break;
            }
            kept = kept.saturating_add(*size);
            point = *position;
        }
        let (oldest, _) = self.segments.first()?;
        (point != *oldest).then_some(point)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn point_leaves_at_least_the_bytes() {
        let segments = vec![(10, 5), (20, 5), (30, 5)];
        let sizes = |batch_bytes| Sizes { segments: segments.clone(), end: 40, batch_bytes };
        for (batch_bytes, bytes, point) in [
            (0, 1, Some(30)),
            (0, 5, Some(30)),
            (0, 6, Some(20)),
            (0, 11, None),
            (0, 99, None),
            (1, 6, Some(30)),
            (1, 7, Some(20)),
            (6, 6, Some(40)),
        ] {
            assert_eq!(sizes(batch_bytes).point(bytes), point, "{batch_bytes} {bytes}");
        }
        assert_eq!(Sizes { batch_bytes: 9, ..Sizes::default() }.point(1), None);
    }
}
