//! The versions of the interface that a component was made for, looked at before it is compiled.
//!
//! 1. Only the names of a component's imports and exports are read here, not its code.

use std::fmt;

use wasmparser::{Chunk, Parser, Payload};

use crate::error::{Error, Result};

/// The package of the interface, and the version that this crate has.
const PACKAGE: &str = "stratalog:log/";
const OURS: Version = Version { major: 0, minor: 1, patch: 0 };

/// Refuses what is not a component, and a component made for a version that this host cannot serve.
/// What else is wrong with it the compiler says.
pub(crate) fn check(bytes: &[u8], origin: &str) -> Result<()> {
    if Parser::is_core_wasm(bytes) {
        return Err(Error::Component(format!(
            "{origin} is a core WebAssembly module, not a WebAssembly component: build it for \
             wasm32-wasip2, or make it one with `wasm-tools component new`"
        )));
    }
    if !Parser::is_component(bytes) {
        return Err(Error::Component(format!("{origin} is not a WebAssembly component")));
    }
    for name in names(bytes) {
        let Some((interface, version)) =
            name.strip_prefix(PACKAGE).and_then(|name| name.split_once('@'))
        else {
            continue;
        };
        if Version::parse(version).is_none_or(|version| !version.is_served()) {
            return Err(Error::Component(format!(
                "{origin} was made for {PACKAGE}{interface}@{version}, and this host has version \
                 {OURS}: build it against the wit/ of version {OURS}, or use a stratalog of version \
                 {version}"
            )));
        }
    }
    Ok(())
}

/// The names of what the component imports and exports itself, as far as they can be read.
fn names(bytes: &[u8]) -> Vec<String> {
    let (mut parser, mut rest) = (Parser::new(0), bytes);
    let mut names = Vec::new();
    while let Ok(Chunk::Parsed { consumed, payload }) = parser.parse(rest, true) {
        let mut skipped = consumed;
        match payload {
            Payload::ModuleSection { unchecked_range, .. }
            | Payload::ComponentSection { unchecked_range, .. } => {
                skipped = consumed.saturating_add(unchecked_range.len());
            }
            Payload::ComponentImportSection(section) => {
                names.extend(section.into_iter().flatten().map(|one| one.name.name.to_owned()));
            }
            Payload::ComponentExportSection(section) => {
                names.extend(section.into_iter().flatten().map(|one| one.name.name.to_owned()));
            }
            Payload::End(_) => break,
            _ => {}
        }
        rest = rest.get(skipped..).unwrap_or_default();
    }
    names
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Version {
    major: u64,
    minor: u64,
    patch: u64,
}

impl Version {
    fn parse(text: &str) -> Option<Self> {
        // What follows a `-` or `+` does not decide.
        let numbers = text.split(['-', '+']).next()?;
        let mut numbers = numbers.split('.').map(str::parse);
        let mut next = || numbers.next()?.ok();
        Some(Self { major: next()?, minor: next()?, patch: next()? })
    }

    /// Semantic versioning: the first number that is not zero says what goes together.
    fn is_served(self) -> bool {
        self.major == OURS.major && (self.major > 0 || self.minor == OURS.minor)
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_component_of_another_version_is_refused_by_name() {
        let table = [("0.1.0", true), ("0.1.7", true), ("0.2.0", false), ("1.0.0", false)];
        for (version, served) in table {
            let version = Version::parse(version).unwrap();
            assert_eq!(version.is_served(), served, "{version}");
        }
        assert_eq!(Version::parse("1"), None);
        assert_eq!(OURS.to_string(), "0.1.0");
    }

    #[test]
    fn the_embedded_component_passes() {
        let bytes = crate::Host::embedded_component();
        check(bytes, "it").unwrap();
        assert!(names(bytes).iter().any(|name| name == "stratalog:log/append-log@0.1.0"));
    }

    #[test]
    fn what_is_no_component_is_refused() {
        for (bytes, word) in [
            (&b"\0asm\x01\0\0\0"[..], "core WebAssembly module"),
            (b"#!/bin/sh", "is not a WebAssembly component"),
            (b"", "is not a WebAssembly component"),
        ] {
            let error = check(bytes, "it").unwrap_err().to_string();
            assert!(error.contains(word), "{error}");
        }
    }
}
