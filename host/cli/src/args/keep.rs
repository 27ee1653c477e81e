//! Defines the command `keep`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueHint};
use stratalog::keep::{Policy, Prices, SweepOptions};

use super::common_options::{Json, SoleCompactor};
use super::durations::parse_duration;
use super::sizes::{number_within, parse_size};
use super::telemetry::{Telemetry, parse_prices};

pub(crate) const HELP: &str = "\
ROOT is the folder, the bucket or a part of it that the logs are in, as for `stratalog ls`. Each \
sweep lists ROOT once and does what the policy of each log asks for: a compaction if there is \
enough to merge, a trim if events are beyond the retention, a verification if it is the log's \
turn. A log whose objects are as before, and for which nothing is due, costs nothing but its part \
of the listing.

A log that no policy names is left alone. A policy without a retention removes nothing. An event \
that is removed cannot be recovered: --dry-run says what would be done, and changes nothing.

Any number of these commands may run on the same ROOT. One that is killed leaves what the next \
sweep completes. A log that fails is named on stderr, and the others are kept. With --once, the \
exit code is that of the first failure.

A policy file is TOML. The first policy of which a pattern fits the log's name below ROOT applies. \
In a pattern, * and ? stand for characters other than /, and ** for any number of folders:

  [[policy]]
  logs = [\"app/*\", \"audit\"]
  keep_age = \"30d\"        # also keep_events = 1000000, keep_bytes = \"10GiB\"
  keep_unread = true      # nothing that a named position has not passed
  trim_every = \"1d\"
  compact_batches = 100   # or compact_age = \"1d\"; compact = false for none
  verify_every = \"30d\"

The cost of a log is an estimate for a month: its bytes, its part of the listings, and its writes \
at the rate of the batches that are there. The prices are those of Amazon S3 Standard in \
us-east-1, unless --prices sets others.

Examples:
  stratalog keep --policy keep.toml s3://bucket/app
  stratalog keep --once --dry-run --logs errors --keep-age 30d logs";

#[derive(Args)]
#[command(override_usage = "stratalog keep [OPTIONS] --policy <FILE> <ROOT>...
       stratalog keep [OPTIONS] --logs <PATTERN> <ROOT>...")]
pub(crate) struct Keep {
    /// The folders or the parts of a bucket that the logs are in: paths or URLs
    #[arg(required = true, value_name = "ROOT")]
    pub(crate) roots: Vec<String>,

    /// Take the policies from this file
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    #[arg(required_unless_present = "logs")]
    pub(crate) policy: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) named: NamedPolicy,

    /// Sweep once, and end
    #[arg(long)]
    pub(crate) once: bool,

    /// The time between two sweeps, a tenth more or less: 1s to 4w
    ///
    /// With --once, the time between two runs of this command: it decides which logs are verified.
    #[arg(long, value_name = "DURATION", default_value = "1h", value_parser = parse_every)]
    pub(crate) every: Duration,

    /// Print what would be done and what each log costs, sweep once, and change nothing
    #[arg(long)]
    pub(crate) dry_run: bool,

    /// Work on this many logs at the same time: 1 to 64
    #[arg(long, value_name = "N", default_value = "4", value_parser = jobs())]
    pub(crate) jobs: usize,

    /// Dollars for a GiB and month, for 1,000 writes or listings, and for 1,000 reads
    ///
    /// By default 0.023,0.005,0.0004. The price of reads is for the metrics alone.
    #[arg(long, value_name = "STORAGE,WRITES[,READS]", value_parser = parse_prices)]
    pub(crate) prices: Option<Prices>,

    #[command(flatten)]
    pub(crate) json: Json,

    #[command(flatten)]
    pub(crate) sole: SoleCompactor,

    #[command(flatten)]
    pub(crate) telemetry: Telemetry,
}

/// One policy on the command line.
#[derive(Args)]
#[group(multiple = true, conflicts_with = "policy")]
pub(crate) struct NamedPolicy {
    /// Keep the logs whose names below ROOT fit this pattern, by the options below (repeatable)
    #[arg(long, value_name = "PATTERN")]
    pub(crate) logs: Vec<String>,

    /// Compact a log of this many batches: from 2 [default: 100]
    #[arg(long, value_name = "N", requires = "logs")]
    #[arg(value_parser = number_within::<u64>(2..=u64::MAX))]
    pub(crate) compact_batches: Option<u64>,

    /// Compact a log whose oldest of two or more batches has this age [default: 1d]
    #[arg(long, value_name = "DURATION", requires = "logs", value_parser = parse_duration)]
    pub(crate) compact_age: Option<Duration>,

    /// Do not compact
    #[arg(long, requires = "logs", conflicts_with_all = ["compact_batches", "compact_age"])]
    pub(crate) no_compact: bool,

    /// Permanently remove events of this age, from 1s on, by the times of their batches
    #[arg(long, value_name = "DURATION", requires = "logs", value_parser = parse_kept_age)]
    pub(crate) keep_age: Option<Duration>,

    /// Permanently remove the oldest of more events than this, once there are a tenth more
    #[arg(long, value_name = "N", requires = "logs")]
    #[arg(value_parser = number_within::<u64>(1..=u64::MAX))]
    pub(crate) keep_events: Option<u64>,

    /// Permanently remove the oldest segments, once a log has a tenth more bytes than this
    ///
    /// Batches stay until they are compacted. The newest segments that have this many bytes,
    /// together with the batches, stay whole.
    #[arg(long, value_name = "SIZE", requires = "logs", value_parser = parse_kept_bytes)]
    pub(crate) keep_bytes: Option<u64>,

    /// Remove no event that a named position of the log has not passed
    #[arg(long, requires = "logs")]
    pub(crate) keep_unread: bool,

    /// Remove events of --keep-age once in this time, so that they may be older by it [default: 1d]
    #[arg(long, value_name = "DURATION", requires = "keep_age", value_parser = parse_duration)]
    pub(crate) trim_every: Option<Duration>,

    /// Verify each log once in this time, a share of all logs in each sweep
    #[arg(long, value_name = "DURATION", requires = "logs", value_parser = parse_verify_every)]
    pub(crate) verify_every: Option<Duration>,
}

impl NamedPolicy {
    /// Returns the policy of the options.
    pub(crate) fn policy(&self) -> Policy {
        let mut policy = Policy::new();
        if self.no_compact {
            policy = policy.compact_batches(None).compact_age(None);
        }
        if let Some(batches) = self.compact_batches {
            policy = policy.compact_batches(Some(batches));
        }
        if let Some(age) = self.compact_age {
            policy = policy.compact_age(Some(age));
        }
        if let Some(age) = self.keep_age {
            policy = policy.keep_age(age);
        }
        if let Some(events) = self.keep_events {
            policy = policy.keep_events(events);
        }
        if let Some(bytes) = self.keep_bytes {
            policy = policy.keep_bytes(bytes);
        }
        if let Some(interval) = self.trim_every {
            policy = policy.trim_every(interval);
        }
        if let Some(interval) = self.verify_every {
            policy = policy.verify_every(interval);
        }
        policy.keep_unread(self.keep_unread)
    }
}

fn jobs() -> impl Fn(&str) -> Result<usize, String> + Clone {
    number_within::<usize>(1..=64)
}

fn parse_every(text: &str) -> Result<Duration, String> {
    const WEEKS: Duration = Duration::from_hours(4 * 7 * 24);
    let every = parse_duration(text)?;
    match (Duration::from_secs(1)..=WEEKS).contains(&every) {
        true => Ok(every),
        false => Err("give a duration from 1s to 4w".to_owned()),
    }
}

/// Parses the age of events that are kept. Zero would remove all.
pub(crate) fn parse_kept_age(text: &str) -> Result<Duration, String> {
    at_least_a_second(text, "to remove all events, use `stratalog trim --keep-events 0`")
}

/// Parses the interval between two verifications.
pub(crate) fn parse_verify_every(text: &str) -> Result<Duration, String> {
    at_least_a_second(text, "leave it out to verify nothing")
}

fn at_least_a_second(text: &str, otherwise: &str) -> Result<Duration, String> {
    let duration = parse_duration(text)?;
    match duration >= Duration::from_secs(1) {
        true => Ok(duration),
        false => Err(format!("give a duration from 1s on; {otherwise}")),
    }
}

/// Parses the bytes that are kept.
pub(crate) fn parse_kept_bytes(text: &str) -> Result<u64, String> {
    match parse_size(text)? {
        0 => Err("give a size from 1 byte on".to_owned()),
        bytes => Ok(bytes),
    }
}

impl Keep {
    /// Returns the settings of a sweep.
    pub(crate) fn options(&self) -> SweepOptions {
        SweepOptions::new().dry_run(self.dry_run).jobs(self.jobs).interval(self.every)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_that_would_remove_or_do_nothing_are_refused() {
        for text in ["0", "999ms", "-1s", "30"] {
            assert!(parse_kept_age(text).is_err() && parse_verify_every(text).is_err(), "{text}");
        }
        for text in ["0", "999ms", "29d", "5w"] {
            assert_eq!(parse_every(text), Err("give a duration from 1s to 4w".to_owned()));
        }
        assert!(parse_kept_bytes("0").is_err());
    }
}
