//! `stratalog component`: writes the log's component to a file, and inspects components.

use std::fmt::Write as _;
use std::path::Path;

use serde::Serialize;
use sha2::{Digest as _, Sha256};
use stratalog::Host;
use wit_component::{DecodedWasm, WitPrinter};

use crate::args::Shared;
use crate::args::commands::{Component, ComponentCommand};
use crate::numbers::to_u64;
use crate::process::exit::{Code, Failure, write_stdout};
use crate::replaced_file;
use crate::report::{print_json, print_line};
use crate::terminal::human::{self, count, size};

#[derive(Serialize)]
struct Exported {
    bytes: usize,
    sha256: String,
}

#[derive(Serialize)]
struct Inspected {
    bytes: usize,
    sha256: String,
    imports: Vec<String>,
    exports: Vec<String>,
    wit: String,
}

pub(crate) fn run(command: &Component, shared: &Shared) -> Result<Code, Failure> {
    match &command.command {
        ComponentCommand::Export { file } => export(file, shared),
        ComponentCommand::Inspect { file } => inspect(file.as_deref(), shared),
    }
}

fn export(file: &Path, shared: &Shared) -> Result<Code, Failure> {
    let (_, component) = read(None, shared)?;
    if file == Path::new("-") {
        write_stdout(&component)?;
        return Ok(Code::Done);
    }
    replaced_file::write(file, &component).map_err(|error| {
        let error = replaced_file::explained(&error);
        Failure::new(Code::Failed, format!("cannot write {}: {error}", file.display()))
    })?;
    let exported = Exported { bytes: component.len(), sha256: sha256(&component) };
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

fn inspect(file: Option<&Path>, shared: &Shared) -> Result<Code, Failure> {
    let (origin, component) = read(file, shared)?;
    let inspected = look(&component).map_err(|error| {
        Failure::input(format!(
            "cannot inspect {origin}: it is not a WebAssembly component: {error:#}"
        ))
    })?;
    if shared.json {
        print_json(&inspected)?;
        return Ok(Code::Done);
    }
    let Inspected { bytes, sha256, imports, exports, wit } = inspected;
    let bytes = count(to_u64(bytes), "byte", "bytes");
    let mut text = format!("{origin}\n{bytes}, sha256 {sha256}\n");
    for (kind, names) in [("imports", imports), ("exports", exports)] {
        // Writing to a string does not fail.
        writeln!(text, "\n{kind}:").ok();
        names.iter().for_each(|name| {
            writeln!(text, "  {name}").ok();
        });
    }
    write!(text, "\n{wit}").ok();
    write_stdout(text.as_bytes())?;
    Ok(Code::Done)
}

fn look(component: &[u8]) -> anyhow::Result<Inspected> {
    let DecodedWasm::Component(resolve, world) = wit_component::decode(component)? else {
        anyhow::bail!("it is a WIT package");
    };
    let world = resolve.worlds.get(world).ok_or_else(|| anyhow::anyhow!("it has no world"))?;
    let imports = world.imports.keys().map(|key| resolve.name_world_key(key)).collect();
    let exports = world.exports.keys().map(|key| resolve.name_world_key(key)).collect();
    let package = world.package.ok_or_else(|| anyhow::anyhow!("its world has no package"))?;
    let others: Vec<_> =
        resolve.packages.iter().map(|(id, _)| id).filter(|id| *id != package).collect();
    let mut printer = WitPrinter::default();
    printer.print(&resolve, package, &others)?;
    let wit = String::from(printer.output);
    let (bytes, sha256) = (component.len(), sha256(component));
    Ok(Inspected { bytes, sha256, imports, exports, wit })
}

/// Returns a component and its name for messages.
fn read(file: Option<&Path>, shared: &Shared) -> Result<(String, Vec<u8>), Failure> {
    let Some(file) = file.or(shared.component.as_deref()) else {
        return Ok(("the built-in component".to_owned(), Host::embedded_component().to_vec()));
    };
    let origin = file.display().to_string();
    match std::fs::read(file) {
        Ok(bytes) => Ok((origin, bytes)),
        Err(error) => {
            let error = human::cause(&error);
            Err(Failure::input(format!("cannot read the component {origin}: {error}")))
        }
    }
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}
