//! `stratalog component join`: joins a plugin, the log and a store into one file.

use super::compose::{Imports, compose};
use super::part::Parts;
use super::{check_output, read, stores, write};
use crate::args::Shared;
use crate::args::component::Join;
use crate::process::exit::{Code, Failure};

pub(super) fn join(command: &Join, shared: &Shared) -> Result<Code, Failure> {
    let Join { plugin: file, store, output } = command;
    check_output(output, [Some(file), shared.component.as_ref()])?;
    let (origin, plugin) = read(Some(file), shared)?;
    let mut parts = Parts::default();
    let plugin = parts.plugin(&origin, &plugin)?;
    let (origin, log) = read(None, shared)?;
    let log = parts.log(&origin, &log)?;
    let joined = match store {
        Some(store) => {
            compose(vec![stores::part(&mut parts, *store)?, log, plugin], Imports::Wasi)?
        }
        None => compose(vec![log, plugin], Imports::Any)?,
    };
    write(output, &joined, shared)
}
