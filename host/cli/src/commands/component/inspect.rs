//! `stratalog component inspect`: describes a component.

use std::fmt::Write as _;
use std::path::Path;

use serde::Serialize;
use wit_component::{DecodedWasm, WitPrinter};

use super::{read, sha256};
use crate::args::Shared;
use crate::numbers::to_u64;
use crate::process::exit::{Code, Failure, write_stdout};
use crate::report::print_json;
use crate::terminal::human::{count, visible};

#[derive(Serialize)]
struct Inspected {
    bytes: usize,
    sha256: String,
    imports: Vec<String>,
    exports: Vec<String>,
    wit: String,
}

pub(super) fn inspect(file: Option<&Path>, shared: &Shared) -> Result<Code, Failure> {
    let (origin, component) = read(file, shared)?;
    // The parser would also take the text format.
    if !component.starts_with(b"\0asm") {
        let cause = "it is not a WebAssembly component; name one, as built for wasm32-wasip2";
        return Err(Failure::input(format!("cannot inspect {origin}: {cause}")));
    }
    let inspected = look(&component).map_err(|error| {
        let cause = visible(&format!("{error:#}"));
        Failure::input(format!(
            "cannot inspect {origin}: it is not a WebAssembly component: {cause}"
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
