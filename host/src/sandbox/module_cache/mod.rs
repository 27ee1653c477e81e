//! Compiled components, kept in a folder for later processes.
//!
//! Owns: the names and contents of the files, and the decision which file is run or removed.
//! Must not know: the purpose of a component.
//!
//! A compiled component is native code that runs outside the sandbox. Therefore:
//!
//! 1. It is run only from bytes in memory whose digest matches the head of their file. The digest
//!    also covers the component and the engine.
//! 2. Its file, the folder of the file and the cache folder belong to the user of this process. No
//!    other user may write to them. No link is followed below the cache folder.
//! 3. A refused file costs a compilation and one warning, and is replaced. A folder in which no
//!    file can be kept costs the same in each process.
//! 4. Processes do not wait for each other: a file gets its name when it is complete, and is never
//!    changed.

mod entry;
mod folder;
mod surplus;
mod unusable;

use std::path::Path;
use std::time::Instant;

use wasmtime::Engine;
use wasmtime::component::Component;

use entry::Key;
use folder::Folder;
use unusable::Unusable;

/// Compiles a component and keeps it below the `cache` folder, or takes the compiled form from
/// there. `origin` names the component in messages.
pub(crate) fn compile(
    engine: &Engine,
    component: &[u8],
    origin: &str,
    cache: Option<&Path>,
) -> wasmtime::Result<Component> {
    let Some(cache) = cache else { return compile_uncached(engine, component, origin) };
    let folder = match Folder::open(cache) {
        Ok(folder) => folder,
        Err(unusable) => {
            unusable.report_once(&not_kept(origin));
            return compile_uncached(engine, component, origin);
        }
    };
    let key = Key::of(engine, component);
    let refused = match load(engine, &folder, &key) {
        Ok(Some(compiled)) => {
            tracing::debug!("loaded {origin} from {}", folder.path_of(&key).display());
            return Ok(compiled);
        }
        Ok(None) => None,
        Err(unusable) => Some(unusable),
    };
    if let Some(unusable) = &refused {
        unusable.report(&format!("{origin} is compiled again"));
    }
    let compiled = compile_uncached(engine, component, origin)?;
    match keep(&compiled, &folder, &key) {
        Ok(()) => {}
        // The warning about the unusable file was given already.
        Err(unusable) if refused.is_some() => tracing::debug!("{}: {unusable}", not_kept(origin)),
        Err(unusable) => unusable.report_once(&not_kept(origin)),
    }
    Ok(compiled)
}

fn not_kept(origin: &str) -> String {
    format!("the compiled form of {origin} is not cached")
}

fn keep(compiled: &Component, folder: &Folder, key: &Key) -> Result<(), Unusable> {
    let code = compiled.serialize().map_err(|error| Unusable::of_code(&error))?;
    folder.keep(key, &code)?;
    folder.remove_surplus(key)
}

fn compile_uncached(
    engine: &Engine,
    component: &[u8],
    origin: &str,
) -> wasmtime::Result<Component> {
    let begun = Instant::now();
    let compiled = Component::from_binary(engine, component)?;
    tracing::debug!("compiled {origin} in {:?}", begun.elapsed());
    Ok(compiled)
}

/// Loads the compiled form from the folder, if it is there.
fn load(engine: &Engine, folder: &Folder, key: &Key) -> Result<Option<Component>, Unusable> {
    let Some(file) = folder.read(key)? else { return Ok(None) };
    let path = folder.path_of(key);
    let code = entry::code_of(&file, key).map_err(|fault| Unusable::damaged(&path, fault))?;
    #[expect(
        unsafe_code,
        reason = "these bytes in memory are what `serialize` returned for this component and an \
                  engine of this configuration: their digest is that of a file that only this user \
                  can write"
    )]
    // SAFETY: see the reason.
    let component = unsafe { Component::deserialize(engine, code) };
    component.map(Some).map_err(|error| Unusable::damaged(&path, format!("{error:#}")))
}

#[cfg(test)]
mod tests;
