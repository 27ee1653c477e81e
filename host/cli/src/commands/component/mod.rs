//! `stratalog component`: writes the log's component to a file, joins components and inspects them.

mod adapters;
mod compose;
mod inspect;
mod join;
mod part;
mod versions;
mod wasi;

use std::io::{self, IsTerminal as _};
use std::path::{Path, PathBuf};

use serde::Serialize;
use sha2::{Digest as _, Sha256};
use stratalog::Host;

use self::compose::{Imports, compose};
use self::part::Parts;
use crate::args::Shared;
use crate::args::component::{Component, ComponentCommand, Export};
use crate::numbers::to_u64;
use crate::process::exit::{Code, Failure, write_stdout};
use crate::replaced_file;
use crate::report::{print_json, print_line};
use crate::terminal::human::size;

#[derive(Serialize)]
struct Exported {
    bytes: usize,
    sha256: String,
}

pub(crate) fn run(command: &Component, shared: &Shared) -> Result<Code, Failure> {
    match &command.command {
        ComponentCommand::Export(command) => export(command, shared),
        ComponentCommand::Join(command) => join::join(command, shared),
        ComponentCommand::Inspect(command) => inspect::inspect(command.file.as_deref(), shared),
    }
}

fn export(command: &Export, shared: &Shared) -> Result<Code, Failure> {
    let Export { file, store } = command;
    check_output(file, [shared.component.as_ref()], shared)?;
    let (origin, component) = read(None, shared)?;
    let Some(store) = store else {
        Parts::to_export().log(&origin, &component)?;
        return write(file, &component, shared);
    };
    let mut parts = Parts::to_join();
    let log = parts.log_without_store(&origin, &component)?;
    let joined = compose(vec![adapters::store(&mut parts, *store)?, log], Imports::Wasi)?;
    write(file, &joined, shared)
}

/// Checks that the output can be written, before there is something to write. Refuses to replace a
/// file from which it is made, and to write two things to stdout.
fn check_output<const N: usize>(
    output: &Path,
    inputs: [Option<&PathBuf>; N],
    shared: &Shared,
) -> Result<(), Failure> {
    if shared.json && is_stdout(output) {
        let message = "--json: the component goes to stdout, and the summary would, too; name a \
                       file for the component, or leave out --json";
        return Err(Failure::usage(message));
    }
    if is_stdout(output) {
        return Ok(());
    }
    let refused =
        |cause: &str| Failure::input(format!("cannot write {}: {cause}", output.display()));
    let is_output = |input: &PathBuf| {
        let paths = [input, output].map(|path| path.canonicalize());
        matches!(paths, [Ok(input), Ok(output)] if input == output)
    };
    if inputs.into_iter().flatten().any(is_output) {
        return Err(refused("it is an input; name another file"));
    }
    let checked = replaced_file::check(output);
    checked.map_err(|error| refused(&replaced_file::explained(&error)))
}

/// Returns a component and its name for messages.
fn read(file: Option<&Path>, shared: &Shared) -> Result<(String, Vec<u8>), Failure> {
    let Some(file) = file.or(shared.component.as_deref()) else {
        return Ok(("the built-in component".to_owned(), Host::embedded_component().to_vec()));
    };
    Ok((file.display().to_string(), Host::read_component(file)?))
}

fn is_stdout(file: &Path) -> bool {
    file == Path::new("-")
}

/// Writes a component to a file or to stdout, and prints its size and its digest.
fn write(file: &Path, component: &[u8], shared: &Shared) -> Result<Code, Failure> {
    if is_stdout(file) {
        if io::stdout().is_terminal() {
            let message = "cannot write a component to a terminal; redirect stdout, or name a file";
            return Err(Failure::input(message));
        }
        write_stdout(component)?;
        return Ok(Code::Done);
    }
    replaced_file::write(file, component).map_err(|error| {
        let error = replaced_file::explained(&error);
        Failure::new(Code::Failed, format!("cannot write {}: {error}", file.display()))
    })?;
    let exported = Exported { bytes: component.len(), sha256: sha256(component) };
    if shared.json {
        print_json(&exported)?;
        return Ok(Code::Done);
    }
    let Exported { bytes, sha256 } = exported;
    let bytes = size(to_u64(bytes));
    let written = format!("{} ({bytes}, sha256 {sha256})", file.display());
    print_line(shared.quiet, &written);
    Ok(Code::Done)
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
