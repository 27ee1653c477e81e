//! The checks themselves.
//!
//! Owns: the steps that try an ability. Must not know: the consequences of its lack for a log.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use bytes::Bytes;
use futures::future::join_all;

use super::latency::TimedCreate;
use super::{Ability, ClockOffset, Doctor, Latency, Verdict};
use crate::numbers::{size, to_u64};
use crate::store::encryption::NONE_REPORTED;
use crate::store::write::probe::ProbeOutcome;
use crate::store::write::upload::PART_BYTES;
use crate::store::{EntryKind, StoreErrorKind};

/// The number of tries of an ability that may succeed by chance.
const ROUNDS: usize = 20;

/// The number of races, and of the creates in each. A server that checks, but not atomically, loses
/// some of these.
const RACES: usize = 4;
const RACERS: usize = 16;

/// The number of timed requests of each kind, one after the other. Fewer if they take too long.
const SAMPLES: usize = 100;
const SAMPLES_MIN: usize = 10;
const SAMPLING_MAX: Duration = Duration::from_secs(5);

const RANGED_BYTES: usize = 256 * 1024;

/// A clock that is off by more than this is worth a remark: people read the times of events.
const CLOCK_OFFSET_MAX: Duration = Duration::from_secs(60);

/// The observation if the check went well, or the reason why it did not.
pub(super) type CheckOutcome = Result<(Verdict, String), String>;

pub(super) fn passed(detail: impl Into<String>) -> CheckOutcome {
    Ok((Verdict::Passed, detail.into()))
}

pub(super) fn text(error: impl Display) -> String {
    error.to_string()
}

fn shown(time: Duration) -> String {
    format!("{:.1} ms", time.as_secs_f64() * 1e3)
}

impl Doctor {
    pub(super) async fn check(&mut self, ability: Ability) -> (Verdict, String) {
        let outcome = match ability {
            Ability::Reachable => self.reachable().await,
            Ability::Credentials => self.credentials().await,
            Ability::CreateIfAbsent => self.create_if_absent().await,
            Ability::CreateIfAbsentRaced => self.create_if_absent_raced().await,
            Ability::ReadAfterWrite => self.read_after_write().await,
            Ability::ListAfterWrite => self.list_after_write().await,
            Ability::RangeReads => self.range_reads().await,
            Ability::UploadInParts => self.upload_in_parts().await,
            Ability::Encryption => self.encryption().await,
            Ability::Latency => self.latency().await,
            Ability::Clock => self.clock().await,
            Ability::ListPaging => self.list_paging().await,
            Ability::ListStartAfter => self.list_start_after().await,
            Ability::ListOrder => self.list_order().await,
            Ability::BulkDelete => self.bulk_delete().await,
        };
        outcome.unwrap_or_else(|reason| (Verdict::Failed, reason))
    }

    async fn reachable(&mut self) -> CheckOutcome {
        let start = Instant::now();
        match self.store.list(&self.prefix(""), None, 1).await {
            Ok(_) => passed(format!("answers in {}", shown(start.elapsed()))),
            // The next check covers a refusal.
            Err(error) if error.kind == StoreErrorKind::PermissionDenied => {
                passed(format!("answers in {}", shown(start.elapsed())))
            }
            Err(error) => Err(text(error)),
        }
    }

    async fn credentials(&mut self) -> CheckOutcome {
        self.store.list(&self.prefix(""), None, 1).await.map_err(text)?;
        self.create("first", Bytes::from_static(b"first\n")).await?;
        passed("list and create are allowed")
    }

    async fn create_if_absent(&mut self) -> CheckOutcome {
        let key = self.key("twice");
        let store = self.store.inner.for_write(&self.folder).await.map_err(text)?;
        for racer in 0..2 {
            let outcome = self.store.inner.probe_create(&store, &key, racer).await;
            match (racer, outcome.map_err(text)?) {
                (_, ProbeOutcome::NoSuchAbility) => {
                    return Err("the store has no create-if-absent".to_owned());
                }
                // A first "exists" is the echo of this very create, repeated by the library.
                (0, ProbeOutcome::Created | ProbeOutcome::Exists) | (_, ProbeOutcome::Exists) => {}
                (_, ProbeOutcome::Created) => {
                    return Err(
                        "the condition is ignored: a second create of a key succeeded".to_owned()
                    );
                }
            }
        }
        passed("a second create of a key is refused")
    }

    async fn create_if_absent_raced(&mut self) -> CheckOutcome {
        let store = self.store.inner.for_write(&self.folder).await.map_err(text)?;
        for race in 0..RACES {
            let key = self.key(format_args!("race_{race}"));
            let inner = &self.store.inner;
            let racers = (0..RACERS).map(|racer| inner.probe_create(&store, &key, racer));
            let mut winners = 0_usize;
            for outcome in join_all(racers).await {
                match outcome.map_err(text)? {
                    ProbeOutcome::Created => winners += 1,
                    ProbeOutcome::Exists => {}
                    ProbeOutcome::NoSuchAbility => {
                        return Err("the store has no create-if-absent".to_owned());
                    }
                }
            }
            if winners > 1 {
                return Err(format!("{winners} of {RACERS} creates of one key succeeded"));
            }
        }
        passed(format!("one of {RACERS} creates of a key succeeds, {RACES} times"))
    }

    async fn read_after_write(&mut self) -> CheckOutcome {
        for round in 0..ROUNDS {
            let bytes = Bytes::from(format!("round {round}\n"));
            let key = self.create(format_args!("read_{round}"), bytes.clone()).await?;
            if self.store.get(&key, None).await.map_err(text)? != bytes {
                return Err(format!("the bytes read of {key:?} are not those written"));
            }
            self.delete(vec![key.clone()]).await?;
            match self.store.get(&key, None).await {
                Err(error) if error.kind == StoreErrorKind::NotFound => {}
                Ok(_) => return Err(format!("{key:?} could be read after it was deleted")),
                Err(error) => return Err(text(error)),
            }
        }
        passed(format!(
            "{ROUNDS} objects read right after their create, and not after their delete"
        ))
    }

    async fn list_after_write(&mut self) -> CheckOutcome {
        let prefix = self.prefix("list_");
        for round in 0..ROUNDS {
            let key = self.create(format_args!("list_{round}"), Bytes::from_static(b"x")).await?;
            if self.keys(&prefix, None, 10).await? != [key.as_str()] {
                return Err(format!("{key:?} was not listed right after its create"));
            }
            self.delete(vec![key.clone()]).await?;
            if !self.keys(&prefix, None, 10).await?.is_empty() {
                return Err(format!("{key:?} was listed after it was deleted"));
            }
        }
        passed(format!(
            "{ROUNDS} objects listed right after their create, and not after their delete"
        ))
    }

    async fn range_reads(&mut self) -> CheckOutcome {
        let bytes: Bytes = (0..RANGED_BYTES).map(pattern).collect();
        let key = self.create("ranged", bytes.clone()).await?;
        let ranges: [Range<usize>; 5] =
            [0..1, 0..1_000, 100_000..200_000, RANGED_BYTES - 1..RANGED_BYTES, 0..RANGED_BYTES];
        for range in ranges {
            let found = self.store.get(&key, Some(as_u64(&range))).await.map_err(text)?;
            if bytes.get(range.clone()) != Some(&found[..]) {
                return Err(format!(
                    "the bytes read of the range {range:?} of an object are not those written"
                ));
            }
        }
        passed("ranges at the beginning, in the middle and at the end")
    }

    async fn upload_in_parts(&mut self) -> CheckOutcome {
        let bytes: Bytes = (0..PART_BYTES + 1_000).map(pattern).collect();
        let key = self.key("large");
        let mut upload = self.store.start_upload(&key).await.map_err(text)?;
        upload.write(bytes.clone()).await.map_err(text)?;
        let in_parts = upload.is_in_parts();
        upload.finish().await.map_err(text)?;
        if self.store.get(&key, None).await.map_err(text)? != bytes {
            return Err("the bytes read of a large object are not those written".to_owned());
        }
        match in_parts {
            true => passed(format!("{} in two parts", size(to_u64(bytes.len())))),
            false => {
                let detail = "only in one piece, which is kept in memory: segments of at most \
                              256 MiB";
                Ok((Verdict::Limited, detail.to_owned()))
            }
        }
    }

    async fn encryption(&mut self) -> CheckOutcome {
        let reported = Arc::clone(&self.store.inner.operations.encryption);
        reported.take();
        let key = self.create("encrypted", Bytes::from_static(b"x\n")).await?;
        // Some servers report it for a create, others for a read.
        let report = match reported.take() {
            Some(report) => report,
            None => {
                self.store.get(&key, None).await.map_err(text)?;
                reported.take().unwrap_or_else(|| NONE_REPORTED.to_owned())
            }
        };
        match &self.store.inner.encryption {
            Some(asked) if !asked.is_met_by(&report) => Err(format!(
                "{report}, and {} was requested: use a server that supports it, or leave the \
                 option out",
                asked.0
            )),
            _ => passed(report),
        }
    }

    async fn latency(&mut self) -> CheckOutcome {
        let bytes: Bytes = (0..1_024).map(pattern).collect();
        let mut times = Vec::with_capacity(SAMPLES);
        for sample in 0..SAMPLES {
            let (start, before) = (Instant::now(), SystemTime::now());
            let key = self.create(format_args!("timed_{sample:03}"), bytes.clone()).await?;
            times.push(start.elapsed());
            self.creates.push(TimedCreate { key, before, after: SystemTime::now() });
            if is_enough(&times) {
                break;
            }
        }
        self.latencies.extend(Latency::of("create", std::mem::take(&mut times)));
        for create in &self.creates {
            let start = Instant::now();
            self.store.get(&create.key, None).await.map_err(text)?;
            times.push(start.elapsed());
            if is_enough(&times) {
                break;
            }
        }
        self.latencies.extend(Latency::of("get", std::mem::take(&mut times)));
        let prefix = self.prefix("timed_");
        for _ in 0..SAMPLES {
            let start = Instant::now();
            self.store.list(&prefix, None, 1_000).await.map_err(text)?;
            times.push(start.elapsed());
            if is_enough(&times) {
                break;
            }
        }
        self.latencies.extend(Latency::of("list", times));
        let all: Vec<String> = self
            .latencies
            .iter()
            .map(|Latency { request, p50, p99, .. }| {
                format!("{request} {} / {}", shown(*p50), shown(*p99))
            })
            .collect();
        passed(format!("{} (p50 / p99)", all.join(", ")))
    }

    async fn clock(&mut self) -> CheckOutcome {
        let times = self.store.inner.written_times(&self.folder).await.map_err(text)?;
        let times: BTreeMap<_, _> = times.into_iter().collect();
        let Some(offset) = ClockOffset::of(&self.creates, &times) else {
            let detail = "the store does not report when an object was written".to_owned();
            return Ok((Verdict::Limited, detail));
        };
        self.clock_offset = Some(offset);
        match offset.exceeds(CLOCK_OFFSET_MAX) {
            false => passed(offset.to_string()),
            true => Ok((Verdict::Limited, format!("{offset}; set the one that is wrong"))),
        }
    }

    /// Returns the key of that name in our folder, and records it for removal.
    pub(super) fn key(&mut self, name: impl Display) -> String {
        let key = format!("{}/{name}", self.folder);
        self.written.insert(key.clone());
        key
    }

    pub(super) fn prefix(&self, name_start: &str) -> String {
        format!("{}/{name_start}", self.folder)
    }

    async fn create(&mut self, name: impl Display, bytes: Bytes) -> Result<String, String> {
        let key = self.key(name);
        existing_is_fine(self.store.create(&key, bytes, false).await)?;
        Ok(key)
    }

    pub(super) async fn delete(&self, keys: Vec<String>) -> Result<(), String> {
        match self.store.delete(keys).await.first() {
            None => Ok(()),
            Some(failure) => Err(text(&failure.error)),
        }
    }

    pub(super) async fn keys(
        &self,
        prefix: &str,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<String>, String> {
        let page = self.store.list(prefix, after, limit).await.map_err(text)?;
        let objects = page.objects.into_iter().filter(|entry| entry.kind == EntryKind::Object);
        Ok(objects.map(|object| object.key).collect())
    }
}

/// Returns whether to end the sampling early.
fn is_enough(times: &[Duration]) -> bool {
    times.len() >= SAMPLES_MIN && times.iter().sum::<Duration>() > SAMPLING_MAX
}

/// The names are random, so an existing object is our own: an attempt was repeated.
pub(super) fn existing_is_fine(
    created: Result<(), crate::store::WriteError>,
) -> Result<(), String> {
    match created {
        Ok(()) | Err(crate::store::WriteError::AlreadyExists) => Ok(()),
        Err(error) => Err(text(error)),
    }
}

/// A byte that identifies its place.
fn pattern(place: usize) -> u8 {
    u8::try_from(place % 251).unwrap_or_default()
}

fn as_u64(range: &Range<usize>) -> Range<u64> {
    to_u64(range.start)..to_u64(range.end)
}
