//! Compiled components, kept in a folder for later processes.
//!
//! Owns: the names and contents of the files, and the decision which file is run or removed.
//! Must not know: the purpose of a component.
//!
//! A compiled component is native code that runs outside the sandbox. Therefore:
//!
//! 1. Its file, the folder of the file and the cache folder belong to the user of this process. No
//!    other user may write to them. No link is followed below the cache folder. The open file is
//!    checked, and that open file is run, whatever its name leads to meanwhile.
//! 2. It is run only after all bytes of the file were compared with the digest in it. The digest
//!    also covers the key: the component, its purpose and the engine.
//! 3. A file gets its name when it is complete, and its bytes never change: a file that is mapped
//!    stays what was checked. A file that may not stay whole is read into memory, and is checked
//!    there.
//! 4. A refused file costs a compilation and one warning, and is replaced. A folder in which no
//!    file can be kept costs the same in each process.
//! 5. Processes do not wait for each other.

mod entry;
mod folder;
mod found;
mod surplus;
mod unusable;

use std::borrow::Cow;
use std::path::Path;
use std::time::Instant;

use sha2::{Digest as _, Sha256};
use wasmtime::Engine;
use wasmtime::component::Component;

use entry::{Fault, Key};
use folder::Folder;
use found::Found;
use unusable::Unusable;

/// A component to compile.
#[derive(Clone, Copy)]
pub(crate) struct Uncompiled<'a> {
    pub(crate) bytes: &'a [u8],
    /// Names the component in messages.
    pub(crate) origin: &'a str,
    /// The SHA-256 of the bytes in hexadecimal digits, if it is known.
    pub(crate) sha256: Option<&'a str>,
    /// Distinguishes uses of one component, each of which checks it before it is compiled.
    pub(crate) purpose: &'a str,
}

impl<'a> Uncompiled<'a> {
    /// Returns the SHA-256 of the bytes in hexadecimal digits.
    fn sha256(&self) -> Cow<'a, str> {
        self.sha256.map_or_else(|| sha256_of(self.bytes).into(), Cow::from)
    }
}

/// Returns a SHA-256 in hexadecimal digits.
pub(crate) fn sha256_of(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Takes the compiled form of a component from below the `cache` folder. If it is not there,
/// returns how to compile it.
pub(crate) fn find<'a>(
    engine: &Engine,
    component: Uncompiled<'a>,
    cache: Option<&Path>,
) -> Result<Component, Missing<'a>> {
    let origin = component.origin;
    let missing = |place| Missing { component, place };
    let Some(cache) = cache else { return Err(missing(Place::None)) };
    let folder = match Folder::open(cache) {
        Ok(folder) => folder,
        Err(unusable) => return Err(missing(Place::Unusable(unusable))),
    };
    let key = Key::of(engine, &component);
    let refused = match load(engine, &folder, &key) {
        Ok(Some((compiled, way))) => {
            let path = folder.path_of(&key);
            tracing::debug!("loaded {origin} from {} ({way})", path.display());
            return Ok(compiled);
        }
        Ok(None) => None,
        Err(unusable) => Some(unusable),
    };
    Err(missing(Place::File(Box::new(KeptFile { folder, key, refused }))))
}

/// A component that is not in the cache, or whose file there is refused.
pub(crate) struct Missing<'a> {
    component: Uncompiled<'a>,
    place: Place,
}

/// The place to keep the compiled form at.
enum Place {
    /// There is no cache.
    None,
    /// The folder is not used, for this reason.
    Unusable(Unusable),
    File(Box<KeptFile>),
}

struct KeptFile {
    folder: Folder,
    key: Key,
    /// The reason why the file that was there is not used.
    refused: Option<Unusable>,
}

impl Missing<'_> {
    /// Compiles the component, and keeps the compiled form.
    pub(crate) fn compile(self, engine: &Engine) -> wasmtime::Result<Component> {
        let Uncompiled { bytes, origin, .. } = self.component;
        match &self.place {
            Place::None => {}
            Place::Unusable(unusable) => unusable.report_once(&not_kept(origin)),
            Place::File(file) => {
                if let Some(unusable) = &file.refused {
                    unusable.report(&format!("{origin} is compiled again"));
                }
            }
        }
        let begun = Instant::now();
        let compiled = Component::from_binary(engine, bytes)?;
        tracing::debug!("compiled {origin} in {:?}", begun.elapsed());
        if let Place::File(file) = self.place {
            file.keep(&compiled, origin);
        }
        Ok(compiled)
    }
}

impl KeptFile {
    fn keep(&self, compiled: &Component, origin: &str) {
        let Self { folder, key, refused } = self;
        let keep = || {
            let code = compiled.serialize().map_err(|error| Unusable::of_code(&error))?;
            folder.keep(key, &code)?;
            folder.remove_surplus(key)
        };
        match keep() {
            Ok(()) => {}
            // The warning about the unusable file was given already.
            Err(unusable) if refused.is_some() => {
                tracing::debug!("{}: {unusable}", not_kept(origin));
            }
            Err(unusable) => unusable.report_once(&not_kept(origin)),
        }
    }
}

fn not_kept(origin: &str) -> String {
    format!("the compiled form of {origin} is not cached")
}

/// Loads the compiled form from the folder, if it is there.
fn load(
    engine: &Engine,
    folder: &Folder,
    key: &Key,
) -> Result<Option<(Component, &'static str)>, Unusable> {
    let Some(mut found) = folder.find(key)? else { return Ok(None) };
    if let Some(component) = map(engine, &mut found, key)? {
        return Ok(Some((component, "mapped")));
    }
    let code = found.read(key)?;
    #[expect(
        unsafe_code,
        reason = "these bytes in memory are what `serialize` returned for this component and an \
                  engine of this configuration: their digest is that of a file that only this user \
                  can write"
    )]
    // SAFETY: see the reason.
    let component = unsafe { Component::deserialize(engine, code) };
    match component {
        Ok(component) => Ok(Some((component, "read"))),
        Err(error) => Err(found.unusable(Fault::Content(format!("{error:#}")))),
    }
}

/// Maps the file, if it can be mapped. Only the pages that are used are then loaded, and processes
/// share them.
fn map(engine: &Engine, found: &mut Found, key: &Key) -> Result<Option<Component>, Unusable> {
    let Some(path) = found.path_to_map() else { return Ok(None) };
    found.check(key)?;
    #[expect(
        unsafe_code,
        reason = "the path leads to the open file whose bytes were just checked: they are what \
                  `serialize` returned for this component and an engine of this configuration. \
                  Only this user can write the file, and a file of the cache is never changed"
    )]
    // SAFETY: see the reason.
    let component = unsafe { Component::deserialize_file(engine, path) };
    match component {
        Ok(component) => Ok(Some(component)),
        // A system without /proc, a disk from which no code may be run: reading may still succeed.
        Err(error) => {
            tracing::debug!("cannot map {}: {error:#}", found.path.display());
            Ok(None)
        }
    }
}

#[cfg(test)]
mod tests;
