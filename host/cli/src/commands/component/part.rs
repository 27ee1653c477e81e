//! A component to join with others, and the reasons to refuse it.

use std::fmt;

use wasm_compose::graph::Component;
use wasmparser::Validator;

use super::versions::split;
use crate::process::exit::Failure;
use crate::terminal::human;

/// The interface by which a plugin uses logs.
const APPEND_LOG: &str = "stratalog:log/append-log";

/// The first bytes of a core module.
const MODULE: &[u8] = b"\0asm\x01\0\0\0";

pub(super) struct Part<'a> {
    /// Its name for messages.
    pub(super) origin: String,
    pub(super) component: Component<'a>,
}

/// Parses the parts of one component, which share the types.
#[derive(Default)]
pub(super) struct Parts {
    validator: Validator,
}

impl Parts {
    /// Parses a component. No other part has this `role`.
    pub(super) fn part<'a>(
        &mut self,
        role: &str,
        origin: &str,
        bytes: &'a [u8],
    ) -> Result<Part<'a>, Failure> {
        if bytes.starts_with(MODULE) {
            let cause = "it is a core WebAssembly module, not a component; build it for \
                         wasm32-wasip2";
            return Err(refusal(origin, cause));
        }
        // The parser would also take the text format.
        if !bytes.starts_with(b"\0asm") {
            let cause = "it is not a WebAssembly component; name one, as built for wasm32-wasip2";
            return Err(refusal(origin, cause));
        }
        let damaged = |cause: &dyn fmt::Display| {
            let cause = format!("it is damaged: {cause}; copy or build it again");
            refusal(origin, &cause)
        };
        // The parser of joined components does not look at code.
        Validator::new().validate_all(bytes).map_err(|error| damaged(&error))?;
        match Component::from_bytes(&mut self.validator, role, bytes) {
            Ok(component) => Ok(Part { origin: origin.to_owned(), component }),
            Err(error) => Err(damaged(error.root_cause())),
        }
    }

    /// Parses a component that provides logs.
    pub(super) fn log<'a>(&mut self, origin: &str, bytes: &'a [u8]) -> Result<Part<'a>, Failure> {
        let part = self.part("log", origin, bytes)?;
        if part.exports_logs() {
            return Ok(part);
        }
        let cause = format!("it exports no {APPEND_LOG}; name a log component by --component");
        Err(refusal(origin, &cause))
    }

    /// Parses a component that uses logs.
    pub(super) fn plugin<'a>(
        &mut self,
        origin: &str,
        bytes: &'a [u8],
    ) -> Result<Part<'a>, Failure> {
        let part = self.part("plugin", origin, bytes)?;
        if part.component.imports().any(|(_, name, _)| split(name).0 == APPEND_LOG) {
            return Ok(part);
        }
        let cause = match part.exports_logs() {
            true => "it is a log component, not a plugin; name a plugin".to_owned(),
            false => format!("it imports no {APPEND_LOG}; name a plugin that uses logs"),
        };
        Err(refusal(origin, &cause))
    }
}

impl Part<'_> {
    fn exports_logs(&self) -> bool {
        self.component.exports().any(|(_, name, ..)| split(name).0 == APPEND_LOG)
    }
}

/// Returns the failure for a component that cannot be joined.
pub(super) fn refusal(origin: &str, cause: &str) -> Failure {
    Failure::input(format!("cannot join {origin}: {}", human::visible(cause)))
}
