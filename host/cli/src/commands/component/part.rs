//! A component to join with others, and the reasons to refuse it.

use wasm_compose::graph::Component;
use wasmparser::Validator;

use super::versions::{are_compatible, split};
use crate::process::exit::Failure;
use crate::terminal::human;

/// The interface by which a plugin uses logs.
const APPEND_LOG: &str = "stratalog:log/append-log";

/// The interface by which a log uses a store.
const OBJECT_STORE: &str = "stratalog:log/object-store";

/// The interface by which a program logs.
const LOGGING: &str = "wasi:logging/logging";

/// The interface by which the end of a program is made known to the log.
const OPEN_LOGS: &str = "stratalog:adapters/open-logs";

/// An export of every component of componentize-py, by which that tool itself starts the program
/// while it builds. No host calls it.
const OF_COMPONENTIZE_PY: &str = "exports";

/// The interface by which a host runs a program.
const RUN: (&str, &str) = ("wasi:cli/run", "0.2.0");

/// The package of the interfaces by which a program makes HTTP requests, and is called by them.
const HTTP: &str = "wasi:http/";

/// The cause for a log component in the place of a plugin.
const IS_LOG: &str = "it is a log component, not a plugin; name a plugin";

/// The first bytes of a core module.
const MODULE: &[u8] = b"\0asm\x01\0\0\0";

/// The use of a part.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    Store,
    Log,
    /// Flushes open logs before the program exits.
    LogExit,
    Sink,
    /// Flushes the sink before the program exits.
    SinkExit,
    Plugin,
    /// Flushes the sink when the program returns.
    SinkRun,
    /// Flushes open logs when the program returns.
    LogRun,
}

impl Role {
    fn name(self) -> &'static str {
        match self {
            Self::Store => "store",
            Self::Log => "log",
            Self::LogExit => "log-exit",
            Self::Sink => "log-sink",
            Self::SinkExit => "log-sink-exit",
            Self::Plugin => "plugin",
            Self::SinkRun => "log-sink-run",
            Self::LogRun => "log-run",
        }
    }

    /// Returns whether a part of this role provides an interface to one of another role. The
    /// objects of the store are for the log alone, and the sink does not end the program.
    pub(super) fn provides(self, interface: &str, importer: Self) -> bool {
        match self {
            Self::Store => importer == Self::Log || interface == LOGGING,
            Self::LogExit => importer != Self::Sink,
            Self::Log
            | Self::Sink
            | Self::SinkExit
            | Self::Plugin
            | Self::SinkRun
            | Self::LogRun => true,
        }
    }
}

pub(super) struct Part<'a> {
    pub(super) role: Role,
    /// Its name for messages.
    pub(super) origin: String,
    pub(super) component: Component<'a>,
}

/// Parses the parts of one component, which share the types.
pub(super) struct Parts {
    validator: Validator,
    /// The name of the action on them, for messages.
    verb: &'static str,
}

impl Parts {
    /// Makes a parser of parts to join.
    pub(super) fn to_join() -> Self {
        Self { validator: Validator::default(), verb: "join" }
    }

    /// Makes a parser of a component that is written as it is.
    pub(super) fn to_export() -> Self {
        Self { validator: Validator::default(), verb: "export" }
    }

    fn refusal(&self, origin: &str, cause: &str) -> Failure {
        Failure::input(format!("cannot {} {origin}: {}", self.verb, human::visible(cause)))
    }

    /// Parses a component. No other part has its role.
    pub(super) fn part<'a>(
        &mut self,
        role: Role,
        origin: &str,
        bytes: &'a [u8],
    ) -> Result<Part<'a>, Failure> {
        if bytes.starts_with(MODULE) {
            let cause = "it is a core WebAssembly module, not a component; build it for \
                         wasm32-wasip2";
            return Err(self.refusal(origin, cause));
        }
        // The parser would also take the text format.
        if !bytes.starts_with(b"\0asm") {
            let cause = "it is not a WebAssembly component; name one, as built for wasm32-wasip2";
            return Err(self.refusal(origin, cause));
        }
        // The parser of joined components does not look at code.
        let is_valid = Validator::new().validate_all(bytes);
        let parsed = is_valid.map_err(|error| error.to_string()).and_then(|_| {
            let parsed = Component::from_bytes(&mut self.validator, role.name(), bytes);
            parsed.map_err(|error| error.root_cause().to_string())
        });
        match parsed {
            Ok(component) => Ok(Part { role, origin: origin.to_owned(), component }),
            Err(cause) => {
                let cause = format!("it is damaged: {cause}; copy or build it again");
                Err(self.refusal(origin, &cause))
            }
        }
    }

    /// Parses a component that provides logs.
    pub(super) fn log<'a>(&mut self, origin: &str, bytes: &'a [u8]) -> Result<Part<'a>, Failure> {
        let part = self.part(Role::Log, origin, bytes)?;
        if part.exports(APPEND_LOG) {
            return Ok(part);
        }
        let is = match (part.exports(RUN.0), part.imports(APPEND_LOG)) {
            (true, true) => "is a plugin, not a log component",
            (true, false) => "is a program, not a log component",
            (false, _) => "is not a log component",
        };
        let cause = format!(
            "it {is}: it exports no {APPEND_LOG}; name a log component by --component, or leave \
             that out"
        );
        Err(self.refusal(origin, &cause))
    }

    /// Parses a component that provides logs and takes a store.
    pub(super) fn log_without_store<'a>(
        &mut self,
        origin: &str,
        bytes: &'a [u8],
    ) -> Result<Part<'a>, Failure> {
        let log = self.log(origin, bytes)?;
        if log.imports(OBJECT_STORE) {
            return Ok(log);
        }
        let cause = format!(
            "it already has a store, since it imports no {OBJECT_STORE}; leave out --store, or \
             name a log component without a store by --component"
        );
        Err(self.refusal(origin, &cause))
    }

    /// Parses a component that uses logs.
    pub(super) fn plugin<'a>(
        &mut self,
        origin: &str,
        bytes: &'a [u8],
    ) -> Result<Part<'a>, Failure> {
        let part = self.part(Role::Plugin, origin, bytes)?;
        if part.imports(APPEND_LOG) {
            return Ok(part);
        }
        let cause = match (part.is_log(), part.imports(LOGGING)) {
            (true, _) => IS_LOG.to_owned(),
            (false, _) if part.imports(OBJECT_STORE) => {
                "it is already joined with the log; join the original plugin".to_owned()
            }
            (false, true) => format!(
                "it imports no {APPEND_LOG}; add --log-sink to make its log messages the events of \
                 a log"
            ),
            (false, false) => format!(
                "it imports no {APPEND_LOG}; name a plugin that uses logs, and that is not joined \
                 yet"
            ),
        };
        Err(self.refusal(origin, &cause))
    }

    /// Parses a component whose log messages become events. It may use logs, too.
    pub(super) fn logging_program<'a>(
        &mut self,
        origin: &str,
        bytes: &'a [u8],
    ) -> Result<Part<'a>, Failure> {
        let part = self.part(Role::Plugin, origin, bytes)?;
        let cause = if part.is_log() {
            IS_LOG.to_owned()
        } else if part.imports(LOGGING) {
            return Ok(part);
        } else {
            format!("it imports no {LOGGING}, so it has no log messages; leave out --log-sink")
        };
        Err(self.refusal(origin, &cause))
    }
}

impl Part<'_> {
    /// Returns whether all that a host does with the component is to run it.
    pub(super) fn is_only_run(&self) -> bool {
        let (interface, version) = RUN;
        let exports = self.component.exports().filter(|(_, name, ..)| *name != OF_COMPONENTIZE_PY);
        let mut exports = exports.peekable();
        exports.peek().is_some()
            && exports.all(|(_, name, ..)| {
                split(name).0 == interface && are_compatible(split(name).1, version)
            })
    }

    /// Returns whether the component provides logs that it does not get from another one.
    fn is_log(&self) -> bool {
        self.exports(APPEND_LOG) && !self.imports(APPEND_LOG)
    }

    /// Returns whether the component uses logs.
    pub(super) fn uses_logs(&self) -> bool {
        self.imports(APPEND_LOG)
    }

    /// Returns whether the component can flush the logs that a program has left open.
    pub(super) fn flushes_open_logs(&self) -> bool {
        self.exports(OPEN_LOGS)
    }

    /// Returns the imports that need a host that permits HTTP.
    pub(super) fn http_imports(&self) -> Vec<&str> {
        let names = self.component.imports().map(|(_, name, _)| name);
        names.filter(|name| name.starts_with(HTTP)).collect()
    }

    fn exports(&self, interface: &str) -> bool {
        self.component.exports().any(|(_, name, ..)| split(name).0 == interface)
    }

    fn imports(&self, interface: &str) -> bool {
        self.component.imports().any(|(_, name, _)| split(name).0 == interface)
    }
}

/// Returns the failure for a component that cannot be joined.
pub(super) fn refusal(origin: &str, cause: &str) -> Failure {
    Failure::input(format!("cannot join {origin}: {}", human::visible(cause)))
}
