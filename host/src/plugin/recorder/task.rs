//! The task that writes a record, interval by interval.

use std::collections::VecDeque;
use std::future::Future;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::pin::Pin;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::MissedTickBehavior;

use super::budget::{Budget, Contents};
use super::events::{Ended, Granted, Writer};
use super::options::Record;
use super::outcome::RecordOutcome;
use super::outputs::Outputs;
use super::shared::Recorder;
use super::texts::Stream;
use crate::error::{Error, Result};
use crate::log::Log;
use crate::options::LogOptions;

/// The time between two flushes of a record.
const INTERVAL: Duration = Duration::from_millis(500);

/// The time that the last flush of a record may take.
const LAST_FLUSH_MAX: Duration = Duration::from_secs(30);

/// The most bytes of records that wait for the record's log to open.
const BACKLOG_BYTES_MAX: usize = 1024 * 1024;

/// A record that is being written. If it is dropped, the record ends without the plugin's end.
pub(in crate::plugin) struct RecordTask {
    end: oneshot::Sender<Ended>,
    task: JoinHandle<RecordOutcome>,
}

impl RecordTask {
    /// Begins a record.
    pub(in crate::plugin) fn begin(record: Record, recorder: Recorder, granted: &Granted) -> Self {
        let (end, ended) = oneshot::channel();
        let run = format!("{:016x}", RandomState::new().build_hasher().finish());
        let redaction = record.redaction();
        let writer = Writer { run, recorder, redaction };
        let now = Instant::now();
        let mut pending = Pending {
            budget: Budget::new(record.bytes_per_second, record.bytes_max, now),
            backlog: VecDeque::new(),
            backlog_bytes: 0,
            records: 0,
            outputs: Outputs::default(),
            writer,
        };
        let first = pending.writer.granted(granted, &record);
        pending.push(first, Contents::default());
        let task = tokio::spawn(write(record, pending, ended));
        Self { end, task }
    }

    /// Ends the record; returns what became of it.
    pub(in crate::plugin) async fn end(self, ended: Ended) -> RecordOutcome {
        // A task that is gone cannot take it, which the next line reports.
        self.end.send(ended).ok();
        self.task.await.unwrap_or_else(|error| RecordOutcome {
            error: Some(Error::Guest(format!("the task of the record failed: {error}"))),
            ..RecordOutcome::default()
        })
    }
}

/// Records that the log has not taken yet.
struct Pending {
    writer: Writer,
    outputs: Outputs,
    budget: Budget,
    backlog: VecDeque<(String, Contents)>,
    backlog_bytes: usize,
    /// The number of records that the log has taken.
    records: u64,
}

impl Pending {
    fn push(&mut self, record: String, contents: Contents) {
        if self.backlog_bytes + record.len() > BACKLOG_BYTES_MAX {
            self.budget.left_out.add(contents);
            return;
        }
        self.backlog_bytes += record.len();
        self.backlog.push_back((record, contents));
    }

    /// Writes the records of all that happened since the last time.
    fn collect(&mut self, is_last: bool) {
        let now = Instant::now();
        let before = self.budget.left_out;
        let mut stretch = self.writer.recorder.take(now);
        let mut records = Vec::new();
        // Calls come first: output must not displace them.
        for group in &stretch.calls {
            let record = self.writer.call(group);
            let contents = Contents { calls: group.count, output_bytes: 0 };
            if self.budget.admit(&record, contents, now) {
                records.push((group.first.0, record, contents));
            }
        }
        let texts = &mut stretch.texts;
        for said in self.outputs.take(texts, &self.writer.redaction, is_last) {
            for (record, output_bytes) in self.writer.said(&said) {
                let contents = Contents { calls: 0, output_bytes };
                if self.budget.admit(&record, contents, now) {
                    records.push((said.at.0, record, contents));
                }
            }
        }
        records.sort_by_key(|(number, ..)| *number);
        for (_, record, contents) in records {
            self.push(record, contents);
        }
        let left_out = &mut self.budget.left_out;
        left_out.records = left_out.records.saturating_add(texts.messages_left_out);
        for stream in Stream::ALL {
            let bytes = *texts.bytes_left_out.of(stream);
            left_out.output_bytes = left_out.output_bytes.saturating_add(bytes);
        }
        if self.budget.left_out != before {
            let record = self.writer.dropped(&self.budget.left_out);
            if self.budget.admit_notice(&record) {
                self.push(record, Contents::default());
            }
        }
    }

    /// Appends as many records as the log takes without waiting.
    fn append_to(&mut self, log: &Log) -> Result<()> {
        while let Some((record, _)) = self.backlog.front() {
            match log.append_now(record.as_bytes()) {
                None => return Ok(()),
                Some(appended) => appended?,
            }
            self.backlog_bytes = self.backlog_bytes.saturating_sub(record.len());
            self.backlog.pop_front();
            self.records += 1;
        }
        Ok(())
    }
}

/// A step that the task has done.
enum Step {
    Opened(Log),
    Flushed,
}

type Stepping = Pin<Box<dyn Future<Output = Result<Step>> + Send>>;

async fn write(
    record: Record,
    mut pending: Pending,
    mut ended: oneshot::Receiver<Ended>,
) -> RecordOutcome {
    let mut ticks = tokio::time::interval(INTERVAL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut log: Option<Log> = None;
    let mut stepping: Option<Stepping> = Some(open(&record));
    let mut error = None;
    let ended = loop {
        tokio::select! {
            ended = &mut ended => break ended.ok(),
            _ = ticks.tick() => pending.collect(false),
            step = async { match &mut stepping {
                Some(stepping) => stepping.await,
                None => std::future::pending().await,
            } } => {
                stepping = None;
                error = settle(step, &mut log);
                if error.is_some() || pending.backlog.is_empty() {
                    continue;
                }
            }
        }
        if stepping.is_none() {
            stepping = next(&record, log.as_ref(), &mut pending, &mut error);
        }
    };
    let last = async {
        if let Some(stepping) = stepping {
            error = settle(stepping.await, &mut log);
        }
        pending.collect(true);
        let last = pending.writer.end(ended.as_ref(), &pending.budget.left_out);
        pending.backlog_bytes = 0;
        pending.push(last, Contents::default());
        if let Err(failed) = finish(&record, &mut log, &mut pending).await {
            error = Some(failed);
        } else {
            error = None;
        }
    };
    if tokio::time::timeout(LAST_FLUSH_MAX, last).await.is_err() {
        let message = format!("the last records are not confirmed after {LAST_FLUSH_MAX:?}");
        error = error.or(Some(Error::LimitReached(message)));
    }
    let mut left_out = pending.budget.left_out;
    pending.backlog.iter().for_each(|(_, contents)| left_out.add(*contents));
    RecordOutcome {
        records: pending.records,
        records_left_out: left_out.records,
        output_bytes_left_out: left_out.output_bytes,
        error,
    }
}

fn open(record: &Record) -> Stepping {
    let record = record.clone();
    Box::pin(async move {
        // Only the task flushes, so that every flush is counted on here.
        let options = LogOptions::new().flush_threshold(LogOptions::FLUSH_THRESHOLD_MAX);
        Ok(Step::Opened(record.host.open(&record.store, &record.name, options).await?))
    })
}

/// Takes the result of a step; returns its failure.
fn settle(step: Result<Step>, log: &mut Option<Log>) -> Option<Error> {
    match step {
        Ok(Step::Opened(opened)) => *log = Some(opened),
        Ok(Step::Flushed) => {}
        Err(error) => return Some(error),
    }
    None
}

/// Appends what is pending, and returns the next step.
fn next(
    record: &Record,
    log: Option<&Log>,
    pending: &mut Pending,
    error: &mut Option<Error>,
) -> Option<Stepping> {
    let Some(log) = log else { return Some(open(record)) };
    let is_idle = pending.backlog.is_empty() && error.is_none();
    if let Err(failed) = pending.append_to(log) {
        *error = Some(failed);
    }
    let log = log.clone();
    (!is_idle).then(|| -> Stepping {
        Box::pin(async move {
            log.flush().await?;
            Ok(Step::Flushed)
        })
    })
}

/// Appends all that is left, and closes the log.
async fn finish(record: &Record, log: &mut Option<Log>, pending: &mut Pending) -> Result<()> {
    if log.is_none()
        && let Some(error) = settle(open(record).await, log)
    {
        return Err(error);
    }
    if let Some(log) = log {
        while let Some((record, _)) = pending.backlog.front() {
            log.append(record).await?;
            pending.backlog.pop_front();
            pending.records += 1;
        }
        log.close().await?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
