//! The end of a plugin's run, derived from wasmtime's errors.

use std::fmt;

use wasmtime::Trap;
use wasmtime::component::ResourceTableError;
use wasmtime_wasi::I32Exit;

use super::limits::{Limit, LimitHit, OPTION, PluginLimits};
use crate::sandbox::address_space;
use crate::sandbox::memory::MemoryExceeded;

/// The way in which a plugin ended.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum ExitReason {
    /// It ended by itself, with this exit code: 0 if it returned without an error.
    Exited(i32),
    /// Its `run` returned an error, which has neither text nor code. A command then ends with exit
    /// code 1. Language runtimes also return this for an error that the plugin did not catch.
    Failed,
    /// It trapped: by its own fault, such as a panic or a division by zero.
    Trapped(String),
    /// It reached a limit on what it may use.
    LimitReached(LimitHit),
    /// The caller stopped it.
    Stopped,
}

impl fmt::Display for ExitReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exited(code) => write!(f, "exited with code {code}"),
            Self::Failed => f.write_str("ended with an error"),
            Self::Trapped(trap) => write!(f, "trapped: {trap}"),
            Self::LimitReached(hit) => write!(f, "was stopped: {hit}"),
            Self::Stopped => f.write_str("was stopped"),
        }
    }
}

impl ExitReason {
    /// Returns the word for it in reports and records: `exited`, `failed`, `trapped`,
    /// `limit-reached` or `stopped`.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Exited(_) => "exited",
            Self::Failed => "failed",
            Self::Trapped(_) => "trapped",
            Self::LimitReached(_) => "limit-reached",
            Self::Stopped => "stopped",
        }
    }

    /// Returns the exit code of a plugin that ended by itself: 1 if its `run` returned an error.
    pub fn code(&self) -> Option<i32> {
        match self {
            Self::Exited(code) => Some(*code),
            Self::Failed => Some(1),
            Self::Trapped(_) | Self::LimitReached(_) | Self::Stopped => None,
        }
    }

    /// Converts the failure of a call into a plugin.
    pub(crate) fn of_failure(error: &wasmtime::Error, limits: &PluginLimits) -> Self {
        if let Some(exit) = error.downcast_ref::<I32Exit>() {
            return Self::Exited(exit.0);
        }
        match limit_hit(error, limits) {
            Some(hit) => Self::LimitReached(hit),
            None => Self::Trapped(
                address_space::lack(error, OPTION)
                    .unwrap_or_else(|| error.root_cause().to_string()),
            ),
        }
    }
}

/// Returns the limit that a failure is about. Wasmtime has no types for some of them, so tests pin
/// their texts.
fn limit_hit(error: &wasmtime::Error, limits: &PluginLimits) -> Option<LimitHit> {
    if let Some(hit) = error.downcast_ref::<LimitHit>() {
        return Some(hit.clone());
    }
    if error.is::<MemoryExceeded>() {
        return Some(limits.hit(Limit::Memory));
    }
    let cause = error.root_cause().to_string();
    let limit = match (error.downcast_ref::<Trap>(), error.downcast_ref::<ResourceTableError>()) {
        (Some(Trap::StackOverflow), _) => Limit::Stack,
        (Some(Trap::OutOfFuel), _) => Limit::Fuel,
        (_, Some(ResourceTableError::Full)) => Limit::Handles,
        _ if cause.contains("fuel allocated for hostcalls has been exhausted") => {
            Limit::HostCallBytes
        }
        _ if cause.contains("resource limit exceeded") => Limit::Instances,
        _ => return None,
    };
    Some(limits.hit(limit))
}
