//! `stratalog copy`: copies logs to another store, and makes a mirror a log of its own.

use std::collections::BTreeMap;

use serde::Serialize;
use stratalog::store::{Location, Root, Store};
use stratalog::{Copied, Error, Host, ListOptions};

use crate::args::Shared;
use crate::args::copy::Copy;
use crate::process::exit::{Code, Failure};
use crate::progress::Progress;
use crate::report::{print_json, print_line};
use crate::target::{self, Target, open_store_with};
use crate::terminal::human::{count, size};
use crate::terminal::live_lines;

#[derive(Serialize)]
struct CopyReport {
    from: String,
    to: String,
    objects: u64,
    bytes: u64,
    generation: u64,
}

#[derive(Serialize)]
struct PromoteReport {
    log: String,
    promoted: bool,
}

/// Runs the command. A copy may be interrupted anywhere: the next one continues.
pub(crate) async fn run(command: &Copy, shared: &Shared) -> Result<Code, Failure> {
    match &command.to {
        Some(to) => Copies::open(command, to, shared)?.run(command, shared).await,
        None => promote(command, shared).await,
    }
}

async fn promote(command: &Copy, shared: &Shared) -> Result<Code, Failure> {
    let options = ("--from-option", command.from_options.as_slice());
    let target = Target::open_with(&command.from, shared, options, true)?;
    let Target { location, store, host } = &target;
    let promoted = match host.promote(store, &location.name).await {
        Ok(promoted) => promoted,
        Err(error) => return Err(target.explain("promote", error).await),
    };
    if shared.json {
        print_json(&PromoteReport { log: location.to_string(), promoted })?;
    } else {
        let line = match promoted {
            true => format!("{location} is a log of its own now, and no mirror any more"),
            false => format!("{location} was promoted before: nothing was done"),
        };
        print_line(shared.quiet, &line);
    }
    Ok(Code::Done)
}

/// The places of the logs to copy.
enum Names {
    /// One log, and the name of its copy.
    One(String, String),
    /// All logs below a root, to the same names.
    All,
}

/// The knowledge from the passes before.
struct Passes {
    is_first: bool,
    /// The failures that were reported last, by the names of the logs: of each only a new one is
    /// reported.
    failures: BTreeMap<String, String>,
}

/// Two stores, and what is copied from one to the other.
struct Copies {
    from: (Root, Store),
    to: (Root, Store),
    names: Names,
    host: Host,
}

impl Copies {
    /// Opens the stores, cheap checks first. Makes no request.
    fn open(command: &Copy, to: &str, shared: &Shared) -> Result<Self, Failure> {
        let from = command.from.as_str();
        let (source, target, names) = match (from.ends_with('/'), to.ends_with('/')) {
            (true, true) => {
                let source = Root::parse(from).map_err(Error::from)?;
                (source, Root::parse(to).map_err(Error::from)?, Names::All)
            }
            (false, false) => {
                let source = Location::parse(from).map_err(Error::from)?;
                let target = Location::parse(to).map_err(Error::from)?;
                (source.root, target.root, Names::One(source.name, target.name))
            }
            _ => {
                return Err(Failure::usage(format!(
                    "{from} and {to} are a log and a folder of logs: end both with a slash to copy \
                     all logs below FROM, or none to copy one"
                )));
            }
        };
        let (outer, inner) = (source.to_string(), target.to_string());
        let outer = outer.trim_end_matches('/');
        let below = inner.trim_end_matches('/').strip_prefix(outer);
        if matches!(names, Names::All) && below.is_some_and(|below| below.starts_with('/')) {
            return Err(Failure::usage(format!(
                "{to} is below {from}, so each copy would be copied again: give another folder for TO"
            )));
        }
        let options = ("--from-option", command.from_options.as_slice());
        let from = open_store_with(&source, shared, options, false)?;
        // The target has no compactor but this, which creates no manifest of its own.
        let options = ("--to-option", command.to_options.as_slice());
        let to = open_store_with(&target, shared, options, true)?;
        let is_other = matches!(&names, Names::One(from, to) if from != to);
        if source == target && !is_other {
            return Err(Failure::usage(format!(
                "cannot copy {} to itself: give another name for TO",
                command.from
            )));
        }
        let host = target::host(shared)?;
        Ok(Self { from: (source, from), to: (target, to), names, host })
    }

    async fn run(&self, command: &Copy, shared: &Shared) -> Result<Code, Failure> {
        let mut passes = Passes { is_first: true, failures: BTreeMap::new() };
        loop {
            match self.pass(command, shared, &mut passes).await {
                Ok(code) if !command.follow => return Ok(code),
                Ok(_) => passes.is_first = false,
                // The store may be back with the next pass.
                Err(failure) if command.follow && !passes.is_first && is_transient(&failure) => {
                    failure.with_hint("the next pass tries again".to_owned()).print();
                }
                Err(failure) => return Err(failure),
            }
            tokio::time::sleep(command.pause).await;
        }
    }

    /// Copies everything that is new. Reports of the later passes only what they have copied.
    /// Below a root, a log that cannot be copied is reported, and the others are copied: the code
    /// is that of the first of them.
    async fn pass(
        &self,
        command: &Copy,
        shared: &Shared,
        passes: &mut Passes,
    ) -> Result<Code, Failure> {
        let pairs = match &self.names {
            Names::One(from, to) => vec![(from.clone(), to.clone())],
            Names::All => self.all().await?,
        };
        let mut worst = Code::Done;
        for (from, to) in pairs {
            let from = Location { root: self.from.0.clone(), name: from };
            let to = Location { root: self.to.0.clone(), name: to };
            match self.copy(&from, &to, command.dry_run, shared).await {
                Ok(copied) => {
                    passes.failures.remove(&from.name);
                    if passes.is_first || copied.objects > 0 {
                        report(&from, &to, copied, command.dry_run, shared)?;
                    }
                }
                Err(failure) if matches!(self.names, Names::One(..)) => return Err(failure),
                Err(failure) => {
                    if worst == Code::Done {
                        worst = failure.code();
                    }
                    let text = failure.text();
                    if passes.failures.get(&from.name) != Some(&text) {
                        live_lines::suspend(|| failure.print());
                        passes.failures.insert(from.name, text);
                    }
                }
            }
        }
        Ok(worst)
    }

    /// Returns the names of all logs below the root.
    async fn all(&self) -> Result<Vec<(String, String)>, Failure> {
        let root = &self.from.0;
        let what = format!("cannot list the logs below {root}");
        let failed = |error: Error| Failure::from(error).context(what.clone());
        let options = ListOptions::new();
        let mut logs = self.host.logs(&self.from.1, "", options).await.map_err(failed)?;
        let mut names = Vec::new();
        while let Some(log) = logs.next().await.map_err(failed)? {
            names.push((log.name.clone(), log.name));
        }
        if names.is_empty() {
            let message = format!("there is no log below {root}; check the name");
            return Err(Failure::input(message));
        }
        Ok(names)
    }

    async fn copy(
        &self,
        from: &Location,
        to: &Location,
        dry_run: bool,
        shared: &Shared,
    ) -> Result<Copied, Failure> {
        let (source, target) = ((&self.from.1, &*from.name), (&self.to.1, &*to.name));
        let progress = Progress::of_bytes(shared, &format!("copying {from}"));
        let copied = async {
            let mut copier = match dry_run {
                true => self.host.plan_copy(source, target).await?,
                false => self.host.copy(source, target, &from.to_string()).await?,
            };
            let mut last = Copied::default();
            while let Some(copied) = copier.next().await? {
                progress.reached(copied.bytes, copied.bytes_total);
                last = copied;
            }
            Ok(last)
        };
        let failed = match copied.await {
            Ok(copied) => return Ok(copied),
            Err(error) => error,
        };
        drop(progress);
        let what = format!("cannot copy {from} to {to}");
        let opened = |location: &Location, store: &Store| Target {
            location: location.clone(),
            store: store.clone(),
            host: self.host.clone(),
        };
        Err(match &failed {
            Error::NoLog(_) => opened(from, &self.from.1).explain("copy", failed).await,
            _ => Failure::from(failed).context(what),
        })
    }
}

fn is_transient(failure: &Failure) -> bool {
    failure.cause().is_some_and(Error::is_transient)
}

fn report(
    from: &Location,
    to: &Location,
    copied: Copied,
    dry_run: bool,
    shared: &Shared,
) -> Result<(), Failure> {
    let (objects, bytes) = match dry_run {
        true => (copied.objects_total, copied.bytes_total),
        false => (copied.objects, copied.bytes),
    };
    let (from, to, generation) = (from.to_string(), to.to_string(), copied.generation);
    if shared.json {
        return print_json(&CopyReport { from, to, objects, bytes, generation });
    }
    let copied = format!("{} ({})", count(objects, "object", "objects"), size(bytes));
    let line = match (objects, dry_run) {
        (0, _) => format!("{to} has everything that {from} has: nothing to copy"),
        (_, true) => format!("{copied} of {from} would be copied to {to}"),
        (_, false) => format!("{copied} of {from} copied to {to}"),
    };
    print_line(shared.quiet, &line);
    Ok(())
}
