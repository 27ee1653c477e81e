//! `stratalog verify`: checks every object of a log.

use std::collections::BTreeSet;

use serde::Serialize;
use stratalog::{Damage, Finding, Garbage, GarbageReason, Stranded, VerifyProgress};

use crate::args::Shared;
use crate::args::commands::Verify;
use crate::numbers::to_u64;
use crate::process::exit::{Code, Failure, write_stdout};
use crate::progress::Progress;
use crate::report::{print_json, print_line};
use crate::target::Target;
use crate::terminal::human::{count, size};
use crate::terminal::live_lines;

#[derive(Serialize)]
struct VerifyReport {
    ok: bool,
    objects: u64,
    events: u64,
    trimmed_events: u64,
    bytes: u64,
    damaged: Vec<DamageReport>,
    garbage: Vec<GarbageReport>,
    stranded: Vec<StrandedReport>,
}

#[derive(Serialize)]
struct DamageReport {
    object: String,
    expected: String,
    found: String,
}

#[derive(Serialize)]
struct GarbageReport {
    object: String,
    bytes: u64,
    reason: &'static str,
}

#[derive(Serialize)]
struct StrandedReport {
    object: String,
    bytes: u64,
    before: String,
}

/// The findings and counts so far.
#[derive(Default)]
struct Findings {
    checked: VerifyProgress,
    /// The damaged objects. One object may be damaged in several ways.
    damaged: BTreeSet<String>,
    garbage: u64,
    stranded: u64,
    /// The files of writes in progress or killed, and their bytes.
    unfinished: (u64, u64),
}

/// Runs the command. It changes nothing, so it may be interrupted anywhere.
pub(crate) async fn run(command: &Verify, shared: &Shared) -> Result<Code, Failure> {
    let target = Target::open(&command.log, shared, false)?;
    let location = &target.location;
    let found = match check(&target, shared).await {
        Ok(found) => found,
        Err(failure) => return Err(target.explain("verify", failure).await),
    };
    match found.damaged.len() {
        0 => Ok(Code::Done),
        damaged => {
            let damaged = to_u64(damaged);
            let objects = count(damaged, "damaged object", "damaged objects");
            let message = format!("{objects} in {location}");
            let hint = target.way_on(found.damaged.iter().map(String::as_str));
            Err(Failure::new(Code::Damaged, message).with_hint(hint))
        }
    }
}

async fn check(target: &Target, shared: &Shared) -> Result<Findings, Failure> {
    let Target { location, store, host } = target;
    let mut verifier = host.verify(store, &location.name).await?;
    let progress = Progress::of_bytes(shared, &format!("verifying {location}"));
    let mut found = Findings::default();
    let mut report = VerifyReport {
        ok: true,
        objects: 0,
        events: 0,
        trimmed_events: 0,
        bytes: 0,
        damaged: Vec::new(),
        garbage: Vec::new(),
        stranded: Vec::new(),
    };
    while let Some(mut checked) = verifier.next().await? {
        progress.reached(checked.bytes, checked.bytes_total);
        for finding in std::mem::take(&mut checked.findings) {
            found.count(&finding);
            if shared.json {
                report.push(finding);
            } else if !print_finding(&finding)? {
                return Ok(found);
            }
        }
        found.checked = checked;
    }
    drop(progress);
    let VerifyProgress { objects, events, trimmed_events, bytes, bytes_total, .. } = found.checked;
    if shared.json {
        let ok = found.damaged.is_empty();
        print_json(&VerifyReport { ok, objects, events, trimmed_events, bytes, ..report })?;
        return Ok(found);
    }
    let mut line = format!(
        "{} with {} ({}) checked in {location}",
        count(objects, "object", "objects"),
        count(events, "event", "events"),
        size(bytes),
    );
    let bytes_unverified = bytes_total.saturating_sub(bytes);
    if found.damaged.is_empty() {
        line.push_str(": nothing is damaged");
    } else if bytes_unverified > 0 {
        line.push_str(&format!("; {} in damaged objects not verified", size(bytes_unverified)));
    }
    if found.garbage > 0 {
        let garbage = count(found.garbage, "garbage object", "garbage objects");
        line.push_str(&format!("; the next compaction deletes {garbage}"));
    }
    if found.stranded > 0 {
        let stranded = count(found.stranded, "stranded batch", "stranded batches");
        line.push_str(&format!("; readers are not shown {stranded}, whose events are not counted"));
    }
    if let (files @ 1.., bytes) = found.unfinished {
        let files = count(files, "unfinished file", "unfinished files");
        let bytes = size(bytes);
        line.push_str(&format!(
            "; a later write removes {files} ({bytes}) that no process writes to"
        ));
    }
    if trimmed_events > 0 {
        let trimmed = count(trimmed_events, "trimmed event", "trimmed events");
        line.push_str(&format!("; the next compaction removes {trimmed}"));
    }
    print_line(shared.quiet, &line);
    Ok(found)
}

impl Findings {
    fn count(&mut self, finding: &Finding) {
        match finding {
            Finding::Damaged(Damage { object, .. }) => {
                self.damaged.insert(object.clone());
            }
            Finding::Garbage(Garbage { reason: GarbageReason::UnfinishedWrite, bytes, .. }) => {
                let (files, sum) = self.unfinished;
                self.unfinished = (files + 1, sum.saturating_add(*bytes));
            }
            Finding::Garbage(_) => self.garbage += 1,
            Finding::Stranded(_) => self.stranded += 1,
        }
    }
}

impl VerifyReport {
    fn push(&mut self, finding: Finding) {
        match finding {
            Finding::Damaged(Damage { object, expected, found }) => {
                self.damaged.push(DamageReport { object, expected, found });
            }
            Finding::Garbage(Garbage { object, bytes, reason }) => {
                let reason = match reason {
                    GarbageReason::AbsorbedBatch => "absorbed-batch",
                    GarbageReason::UnnamedSegment => "unnamed-segment",
                    GarbageReason::OldManifest => "old-manifest",
                    GarbageReason::UnfinishedWrite => "unfinished-write",
                    GarbageReason::OldPosition => "old-position",
                };
                self.garbage.push(GarbageReport { object, bytes, reason });
            }
            Finding::Stranded(Stranded { object, bytes, before }) => {
                self.stranded.push(StrandedReport { object, bytes, before });
            }
        }
    }
}

/// Prints a finding to stdout. False: the reader has closed stdout.
fn print_finding(finding: &Finding) -> Result<bool, Failure> {
    let line = match finding {
        Finding::Damaged(Damage { object, expected, found }) => {
            format!("damaged: {object}: expected {expected}, found {found}\n")
        }
        Finding::Garbage(Garbage { object, bytes, reason }) => {
            format!("garbage: {object}: {reason}, {}\n", size(*bytes))
        }
        Finding::Stranded(Stranded { object, bytes, before }) => format!(
            "stranded: {object}: {before} is not in the store, so this was not acknowledged; it may \
             follow if the writer still runs ({})\n",
            size(*bytes)
        ),
    };
    live_lines::suspend(|| write_stdout(line.as_bytes()))
}
