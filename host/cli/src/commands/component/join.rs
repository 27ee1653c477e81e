//! `stratalog component join`: joins a program, the log, a store and the log sink into one file.

use super::compose::{Imports, compose};
use super::part::{Part, Parts};
use super::{adapters, check_output, read, write};
use crate::args::Shared;
use crate::args::component::{Join, StoreKind};
use crate::process::exit::{Code, Failure};

pub(super) fn join(command: &Join, shared: &Shared) -> Result<Code, Failure> {
    let Join { plugin: file, store, log_sink, output } = command;
    check_output(output, [Some(file), shared.component.as_ref()], shared)?;
    let (origin, program) = read(Some(file), shared)?;
    let mut parts = Parts::to_join();
    let program = match log_sink {
        true => parts.logging_program(&origin, &program)?,
        false => parts.plugin(&origin, &program)?,
    };
    let (origin, log) = read(None, shared)?;
    let (mut joined, allowed) = match store {
        Some(store) => {
            let log = parts.log_without_store(&origin, &log)?;
            (vec![adapters::store(&mut parts, *store)?, log], Imports::Wasi)
        }
        None => (vec![parts.log(&origin, &log)?], Imports::Any),
    };
    if joined.iter().all(|part| part.http_imports().is_empty()) {
        warn_of_http(&program, *store);
    }
    let is_run = program.is_only_run();
    let has_end =
        is_run && program.uses_logs() && joined.last().is_some_and(|log| log.flushes_open_logs());
    if has_end {
        joined.push(adapters::open_logs_exit(&mut parts)?);
    }
    if *log_sink {
        joined.extend(adapters::log_sink(&mut parts)?);
    }
    joined.push(program);
    if is_run && *log_sink {
        joined.push(adapters::log_sink_run(&mut parts)?);
    }
    if has_end {
        joined.push(adapters::open_logs_run(&mut parts)?);
    }
    let joined = compose(joined, allowed)?;
    write(output, &joined, shared)
}

/// Warns of a program that needs HTTP, which the other parts do not: most hosts have it off.
fn warn_of_http(program: &Part<'_>, store: Option<StoreKind>) {
    let imports = program.http_imports().join(", ");
    if imports.is_empty() {
        return;
    }
    let hosts = match store {
        Some(_) => "a host runs the file only if it permits HTTP, as `wasmtime run -S http` does",
        None => "`stratalog run` does not run the file, since components have no network there",
    };
    tracing::warn!(
        "{} imports {imports}: {hosts}. If it makes no requests, build it without HTTP; JavaScript \
         with `componentize-js --disable http fetch-event`",
        program.origin
    );
}
