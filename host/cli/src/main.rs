//! The command line of `stratalog`.
//!
//! Owns: the process, its runtime, and the one place that prints an error and ends with its code.
//! Must not know: what a command does.
//!
//! 1. Data goes to stdout, everything else to stderr.
//! 2. A reader that closes stdout has read enough: that is never an error. A stdout that was closed
//!    at the start is an error if there is something to write to it.
//! 3. Signals are caught before a command begins.
//! 4. A panic is reported like an error, and ends with the code of one.

#![cfg_attr(not(feature = "plugins"), allow(dead_code, reason = "parts that only plugins use"))]

mod args;
mod commands;
mod neighbours;
mod numbers;
mod page_files;
mod position_file;
mod process;
mod progress;
mod replaced_file;
mod report;
mod shell;
mod target;
mod terminal;
mod waiting;

use std::panic::{AssertUnwindSafe, catch_unwind, set_hook};
use std::process::ExitCode;
use std::time::Duration;

use args::Arguments;
use process::exit::{Code, Failure, report_panic};
use process::signals::Signals;
use process::telemetry::Reporting;
use process::{logging, system_limits};
use terminal::stderr;

/// The most time that background work may take to end after the command.
const LAST_WORK: Duration = Duration::from_millis(200);

/// The threads that run tasks in addition to the main one: a writer's task and its requests.
const WORKER_THREADS: usize = 2;

fn main() -> ExitCode {
    system_limits::save_address_space();
    set_hook(Box::new(report_panic));
    let arguments = Arguments::of_process();
    let code = match catch_unwind(AssertUnwindSafe(|| run(arguments))) {
        Ok(Ok(code)) => code,
        Ok(Err(failure)) => {
            failure.print();
            failure.code()
        }
        // The panic hook has reported it.
        Err(_) => Code::Failed,
    };
    // After a limit or a signal, a stderr without a reader must not delay the end for long.
    let is_cut_short = matches!(code, Code::Plugin | Code::Signal(_));
    stderr::finish(is_cut_short.then_some(stderr::LAST_WORDS));
    code.into()
}

fn run(arguments: Arguments) -> Result<Code, Failure> {
    system_limits::check()?;
    let signals = Signals::listen()?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(WORKER_THREADS)
        .max_blocking_threads(system_limits::blocking_threads_max())
        .enable_all()
        .build()
        .map_err(|error| Failure::new(Code::Failed, format!("cannot start a thread: {error}")))?;
    let reporting = {
        let _entered = runtime.enter();
        Reporting::start(&arguments)?
    };
    logging::start(&arguments.shared, reporting.spans())?;
    reporting.announce(arguments.shared.quiet);
    let done = runtime.block_on(commands::run(arguments, &signals));
    reporting.finish();
    // A file write in progress removes its file when it fails. A store that hangs must not keep the
    // process.
    runtime.shutdown_timeout(LAST_WORK);
    done
}
