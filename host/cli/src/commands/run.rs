//! `stratalog run`: runs a plugin in a sandbox and grants it logs.

mod recording;
mod report;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use stratalog::Host;
use stratalog::plugin::{
    ExitReason, Grant, LogsCtx, Outcome, PluginEngine, PluginLimits, Right, Rights,
};
use stratalog::store::Location;
use wasmtime_wasi::FsPerms;

use crate::args::Shared;
use crate::args::quota::LabelledQuota;
use crate::args::run::Run;
use crate::args::sizes::limit_size;
use crate::numbers::to_u64;
use crate::process::exit::{Code, Failure};
use crate::process::signals::Signals;
use crate::progress::Progress;
use crate::replaced_file;
use crate::report::print_line;
use crate::target::{self, cache_folder, open_store};
use crate::terminal::closed_stdout::check_stdout;
use crate::terminal::human::{self, count};

pub(crate) async fn run(
    command: &Run,
    shared: &Shared,
    signals: &Signals,
) -> Result<Code, Failure> {
    let limits = command.limits.limits();
    let name = command.plugin.display().to_string();
    // All arguments are checked before the plugin is compiled.
    let (logs, host) = logs(command, shared, &limits)?;
    let mut run = stratalog::plugin::Run::new(logs);
    let environment = environment(command)?;
    give(&mut run, command, &environment)?;
    if let Some(record) = recording::record(command, shared, host.as_ref(), environment)? {
        run.record(record).map_err(|error| Failure::usage(format!("--record: {error}")))?;
    }
    check_report(command)?;
    // A plugin would get `/dev/null`, and could not know that what it prints is lost.
    check_stdout().map_err(|error| Failure::system("cannot give stdout to a plugin", &error))?;
    let bytes = read_plugin(&command.plugin, &limits)?;
    let engine = PluginEngine::new(limits, cache_folder(shared)?)?;
    let compiling = Progress::of_compiling(shared, &name);
    let compiled = signals.or(engine.compile(bytes, &name)).await?;
    drop(compiling);
    let plugin = match compiled {
        Ok(plugin) => plugin,
        Err(code) => {
            print_line(shared.quiet, &format!("{name} was stopped before it ran"));
            return Ok(code);
        }
    };

    if !plugin.uses_logs() {
        for log in &command.logs {
            tracing::warn!(
                "--log {log} has no effect: {name} imports nothing of stratalog:log, like a file \
                 that is joined with a store; run the plugin before it is joined, or leave out \
                 --log"
            );
        }
    }
    run.inherit_stdio()?.wasi().arg(&name).args(&command.arguments);
    signals.give_grace(command.grace.grace, shared.quiet);
    let last_words = format!(
        "{name} was stopped, and its last events may not be written: read its logs before \
         appending them again"
    );
    signals.set_last_words(move || last_words);
    let stop = signals.clone();
    let run = run.stop_when(async move {
        stop.wait().await;
    });
    let outcome = plugin.run(run).await?;
    if outcome.output_bytes_dropped > 0 {
        let bytes = count(outcome.output_bytes_dropped, "byte", "bytes");
        tracing::warn!("the last {bytes} that {name} wrote are lost: no process read them");
    }
    if let (Some(log), Some(record)) = (&command.record.record, &outcome.record) {
        recording::warn(log, record);
    }
    if outcome.usage.calls_denied > 0 && outcome.end != ExitReason::Exited(0) {
        let calls = count(outcome.usage.calls_denied, "call", "calls");
        tracing::warn!(
            "{calls} of {name} denied: grant a log with --log LABEL=LOG, and rights other than \
             append and read with --grant LABEL=RIGHT,..."
        );
    }
    let reported = match command.report {
        Some(_) => report::write(command.report_file(), &outcome),
        None => Ok(()),
    };
    let ended = ended(&name, outcome, signals.came());
    match (reported, &ended) {
        (Ok(()), _) => ended,
        (Err(failure), Ok(Code::Done)) => Err(failure),
        // The end of the plugin says more than its report.
        (Err(failure), _) => {
            failure.print();
            ended
        }
    }
}

/// Opens the logs that the command line grants. Returns the host as well, if there are any.
fn logs(
    command: &Run,
    shared: &Shared,
    limits: &PluginLimits,
) -> Result<(LogsCtx, Option<Host>), Failure> {
    let mut rights = BTreeMap::new();
    for grant in &command.grants {
        let (label, granted) = split("--grant", grant, "LABEL=RIGHT,...")?;
        let granted: Rights =
            granted.parse().map_err(|error| Failure::usage(format!("--grant {grant}: {error}")))?;
        rights.insert(label, granted);
    }
    let mut quotas = BTreeMap::new();
    for LabelledQuota { label, quota } in &command.quotas {
        if quotas.insert(label.as_str(), *quota).is_some() {
            return Err(Failure::usage(format!("--quota: the label {label} is given twice")));
        }
    }
    let mut builder = LogsCtx::builder().limits(limits);
    let mut host: Option<Host> = None;
    let mut labels = Vec::new();
    for given in &command.logs {
        let (label, log) = split("--log", given, "LABEL=LOG")?;
        if labels.contains(&label) {
            return Err(Failure::usage(format!("--log {given}: the label {label} is given twice")));
        }
        let sole_compactor = command.sole.sole_compactor;
        let location = Location::parse(log)
            .map_err(|error| Failure::usage(format!("--log {label}=LOG: {error}")))?;
        let store = open_store(&location.root, shared, sole_compactor)
            .map_err(|failure| failure.context(format!("--log {given}")))?;
        // A plugin without logs needs no component for them.
        let host = match &mut host {
            Some(host) => host,
            none => none.insert(target::host(shared)?),
        };
        let rights = rights.remove(label).unwrap_or_default();
        let mut grant = Grant::new(host, &store, &location.name).rights(rights);
        if let Some(quota) = quotas.remove(label) {
            check_writes(label, rights)?;
            grant = grant.quota(quota);
        }
        builder = builder.grant(label, grant);
        labels.push(label);
    }
    if let Some(label) = rights.keys().next() {
        return Err(Failure::usage(format!("--grant {label}: there is no --log {label}=LOG")));
    }
    if let Some(label) = quotas.keys().next() {
        return Err(Failure::usage(format!("--quota {label}: there is no --log {label}=LOG")));
    }
    let logs = builder.build().map_err(|error| Failure::usage(format!("--log: {error}")))?;
    Ok((logs, host))
}

/// Refuses a quota for a plugin that writes nothing.
fn check_writes(label: &str, rights: Rights) -> Result<(), Failure> {
    let writing = [Right::Append, Right::Compact, Right::Trim, Right::Commit];
    if writing.into_iter().any(|right| rights.has(right)) {
        return Ok(());
    }
    Err(Failure::usage(format!(
        "--quota {label} has no effect: the plugin has the right to {rights} alone; leave --quota \
         out, or add a right with --grant"
    )))
}

fn split<'a>(option: &str, text: &'a str, form: &str) -> Result<(&'a str, &'a str), Failure> {
    text.split_once('=')
        .filter(|(label, _)| !label.is_empty())
        .ok_or_else(|| Failure::usage(format!("{option} {text}: write {option} {form}")))
}

/// Reads the plugin's file, unless it exceeds the limit.
fn read_plugin(file: &Path, limits: &PluginLimits) -> Result<Vec<u8>, Failure> {
    let refuse = |error: std::io::Error| {
        let error = human::cause(&error);
        Failure::input(format!("cannot read the plugin {}: {error}", file.display()))
    };
    let bytes_max = to_u64(limits.component_bytes_max);
    let too_large = |size: &str| {
        let message = format!(
            "the plugin {} has {size}more than component_bytes_max = {}; raise it with \
             --component-bytes-max",
            file.display(),
            limit_size(bytes_max)
        );
        Failure::new(Code::Plugin, message)
    };
    let opened = File::open(file).map_err(refuse)?;
    let size = opened.metadata().map_err(refuse)?.len();
    if size > bytes_max {
        return Err(too_large(&format!("{}, ", count(size, "byte", "bytes"))));
    }
    let mut bytes = Vec::new();
    // A device has no size and no end.
    opened.take(bytes_max.saturating_add(1)).read_to_end(&mut bytes).map_err(refuse)?;
    if to_u64(bytes.len()) > bytes_max {
        return Err(too_large(""));
    }
    Ok(bytes)
}

/// Returns the variables for the plugin, with their values.
fn environment(command: &Run) -> Result<Vec<(&str, String)>, Failure> {
    let variables = command.env.iter().map(|variable| match variable.split_once('=') {
        Some((name, value)) => Ok((name, value.to_owned())),
        None => match std::env::var(variable) {
            Ok(value) => Ok((variable.as_str(), value)),
            Err(error) => Err(Failure::usage(format!("--env {variable}: {error}"))),
        },
    });
    variables.collect()
}

/// Splits a value of `--dir` into the folder and the plugin's name for it.
fn folder(dir: &str) -> (&str, &str) {
    dir.split_once("::").unwrap_or((dir, dir))
}

/// Passes the variables and the folders of the command line to the plugin.
fn give(
    run: &mut stratalog::plugin::Run,
    command: &Run,
    environment: &[(&str, String)],
) -> Result<(), Failure> {
    for (name, value) in environment {
        run.wasi().env(name, value);
    }
    for dir in &command.dirs {
        let (folder, name) = folder(dir);
        run.wasi()
            .preopened_dir(folder, name, FsPerms::ReadWrite)
            .map_err(|error| Failure::usage(format!("--dir {dir}: {error:#}")))?;
    }
    Ok(())
}

/// Checks that the report can be written.
fn check_report(command: &Run) -> Result<(), Failure> {
    let Some(file) = command.report_file() else { return Ok(()) };
    replaced_file::check(file).map_err(|error| {
        let error = replaced_file::explained(&error);
        Failure::input(format!("cannot write the report {}: {error}", file.display()))
    })
}

/// Turns the outcome of a run into an exit code or a failure.
fn ended(name: &str, outcome: Outcome, signal: Option<Code>) -> Result<Code, Failure> {
    if let Some(unflushed) = outcome.unflushed.into_iter().next() {
        let what = format!("{name} {}, and some of its events are not flushed", outcome.end);
        let code = Code::of(&unflushed.error);
        return Err(Failure::new(code, unflushed.to_string()).context(what));
    }
    match outcome.end {
        ExitReason::Exited(code) => Ok(match u8::try_from(code) {
            Ok(0) => Code::Done,
            Ok(code) => Code::Exited(code),
            Err(_) => Code::Failed,
        }),
        ExitReason::Failed if !outcome.has_written_stderr && outcome.usage.log_lines == 0 => {
            let message = format!(
                "{name} ended with an error and printed nothing: its `run` returned an error, \
                 which has no text. Have the plugin catch its errors and print them to stderr"
            );
            Err(Failure::new(Code::Failed, message))
        }
        ExitReason::Failed => Ok(Code::Failed),
        ExitReason::Stopped => Ok(signal.unwrap_or(Code::Failed)),
        end => Err(Failure::new(Code::Plugin, format!("{name} {end}"))),
    }
}
