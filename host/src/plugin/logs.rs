//! The logs granted to one plugin: the context, and the one place that admits calls.
//!
//! 1. Every call is admitted before it has an effect: the label is granted, the right is there, the
//!    rate allows it.
//! 2. Every call is counted, with any result.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use wasmtime::component::ResourceTable;

use super::grant::Grant;
use super::handles::{Closing, HandlePermit, Handles};
use super::label::{check_label, shown};
use super::limits::{Limit, PluginLimits};
use super::quota::ObjectQuota;
use super::rate::Rate;
use super::recorder::{
    CallRecord, GrantedLog as RecordedLog, ObjectCall, Record, Recorder, Streak,
};
use super::usage::{Call, Calls, Usage};
use crate::error::{Error, Result};
use crate::numbers::to_u64;
use crate::sandbox::bindings::stratalog::log::object_store as wit;
use crate::sandbox::engine::Charge;
use crate::sandbox::imports::access::KeyScope;
use crate::sandbox::imports::access::{
    Access, StepOutcomes, StoreAccess, Target, WriteQuota, is_position,
};
use crate::sandbox::memory::Memory;
use crate::telemetry;

/// The logs granted to one plugin, by label, and their usage.
pub struct LogsCtx {
    granted: BTreeMap<String, GrantedLog>,
    limits: PluginLimits,
    calls: Calls,
    usage: Usage,
    handles: Handles,
    closing: Closing,
    charge: Charge,
    /// The latest calls of the record, if there is one.
    streak: Option<Streak>,
    /// The time of the last call that was admitted.
    admitted_at: Instant,
}

/// Builds a [`LogsCtx`].
#[derive(Debug, Default)]
pub struct LogsCtxBuilder {
    grants: BTreeMap<String, Grant>,
    limits: PluginLimits,
}

/// A context and its resource table, borrowed from the data of a wasmtime store.
pub struct LogsView<'a> {
    /// The logs.
    pub ctx: &'a mut LogsCtx,
    /// The table of handles; it may be shared with other interfaces.
    pub table: &'a mut ResourceTable,
}

struct GrantedLog {
    grant: Grant,
    label: KeyScope,
    calls: Rate,
    bytes: Rate,
}

impl LogsCtxBuilder {
    /// Grants a log under a label: 1 to 64 letters, digits, `-`, `_` or `.`. A later grant replaces
    /// an earlier one under the same label.
    #[must_use]
    pub fn grant(mut self, label: impl Into<String>, grant: Grant) -> Self {
        self.grants.insert(label.into(), grant);
        self
    }

    /// Limits the plugin's requests to its logs, and the memory for them; see [`PluginLimits`]. The
    /// plugin's wasmtime store limits its other usage (its own memories, time).
    #[must_use]
    pub fn limits(mut self, limits: &PluginLimits) -> Self {
        self.limits = limits.clone();
        self
    }

    /// Builds the context.
    ///
    /// # Errors
    /// [`Error::InvalidInput`] names an invalid label.
    pub fn build(self) -> Result<LogsCtx> {
        let Self { grants, limits } = self;
        let now = Instant::now();
        let mut granted = BTreeMap::new();
        for (name, grant) in grants {
            check_label(&name)?;
            let label = KeyScope { name: name.as_str().into(), log: grant.name.as_str().into() };
            let calls = Rate::new(u64::from(limits.calls_per_second), now);
            let bytes = Rate::new(limits.bytes_per_second, now);
            granted.insert(name, GrantedLog { grant, label, calls, bytes });
        }
        let (calls, usage) = (Calls::default(), Usage::default());
        let (handles, closing) = (Handles::default(), Closing::default());
        let charge = Charge::to(Memory::of_plugin(limits.memory_bytes_max));
        let (streak, admitted_at) = (None, now);
        let mut logs = LogsCtx {
            granted,
            limits,
            calls,
            usage,
            handles,
            closing,
            charge,
            streak,
            admitted_at,
        };
        logs.charge_hosts();
        Ok(logs)
    }
}

impl LogsCtx {
    /// Returns a builder of a context. Without a grant every call is denied.
    pub fn builder() -> LogsCtxBuilder {
        LogsCtxBuilder::default()
    }

    /// Returns the plugin's usage of its logs so far. The times are zero here. The memory is that
    /// of its logs, its readers and everything else that works for it.
    pub fn usage(&self) -> Usage {
        let memory = &self.charge.memory;
        let memory_bytes_peak = memory.bytes_peak();
        let mut usage =
            Usage { calls: self.calls.by_name(), memory_bytes_peak, ..self.usage.clone() };
        if memory.was_refused() {
            usage.hit(&self.limits.hit(Limit::Memory));
        }
        for (label, log) in &self.granted {
            let Some(ledger) = &log.grant.ledger else { continue };
            ledger.hits().iter().for_each(|hit| usage.hit(hit));
            if let Some(used) = ledger.usage() {
                usage.quotas.insert(label.clone(), used);
            }
        }
        usage
    }

    /// Returns the memory for the plugin outside of its own memories. It includes them if the
    /// plugin is run here.
    pub(crate) fn memory(&self) -> &Memory {
        &self.charge.memory
    }

    /// Counts memory against this one from now on; called before the plugin is run.
    pub(crate) fn charge(&mut self, memory: &Memory, limits: &PluginLimits) {
        self.limits.memory_bytes_max = limits.memory_bytes_max;
        self.charge = Charge::to(memory.clone());
        self.charge_hosts();
    }

    fn charge_hosts(&mut self) {
        for log in self.granted.values_mut() {
            log.grant.host = log.grant.host.charging(&self.charge);
            log.grant.count(&log.label.name, &self.charge.memory);
        }
    }

    /// Returns a handle to wait, after the plugin's wasmtime store is dropped, until its open logs
    /// are flushed.
    pub fn closing(&self) -> Closing {
        self.closing.clone()
    }

    /// Checks that no grant reaches the log of a record.
    pub(super) fn check_apart(&self, record: &Record) -> Result<()> {
        let grants = self.granted.iter();
        record.check_apart(grants.map(|(label, log)| (label.as_str(), &log.grant)))
    }

    /// Records every call from now on.
    pub(super) fn record_to(&mut self, recorder: Recorder) {
        self.streak = Some(Streak::new(recorder));
    }

    pub(super) fn limits(&self) -> &PluginLimits {
        &self.limits
    }

    pub(super) fn recorder(&self) -> Option<&Recorder> {
        self.streak.as_ref().map(Streak::recorder)
    }

    /// Returns the granted logs for a record.
    pub(super) fn recorded_logs(&self) -> Vec<RecordedLog> {
        let logs = self.granted.iter().map(|(label, log)| {
            let Grant { store, name, rights, quota, .. } = &log.grant;
            let (label, log) = (label.clone(), store.shown_log(name));
            RecordedLog { label, log, rights: *rights, quota: *quota }
        });
        logs.collect()
    }

    /// Begins the record of an admitted call.
    pub(super) fn begin_record(
        &self,
        call: Call,
        label: &KeyScope,
        handle: Option<u64>,
    ) -> Option<CallRecord> {
        let recorder = self.recorder()?;
        Some(CallRecord::begin(recorder, call, &label.name, handle, self.admitted_at))
    }

    /// Admits a call that appends this many bytes, or records and returns the refusal.
    pub(crate) fn admit(
        &mut self,
        label: &str,
        call: Call,
        handle: Option<u64>,
        bytes: usize,
    ) -> Result<(&Grant, &KeyScope)> {
        if let Err(error) = self.check(label, call, bytes) {
            telemetry::plugin_called(call.name(), error.kind_name());
            if let Some(recorder) = self.recorder() {
                recorder.refused(call, label, handle, &error);
            }
            return Err(error);
        }
        telemetry::plugin_called(call.name(), "admitted");
        // Always there: checked above.
        self.granted.get(label).map(|log| (&log.grant, &log.label)).ok_or(Error::Closed)
    }

    fn check(&mut self, label: &str, call: Call, bytes: usize) -> Result<()> {
        self.calls.count(call);
        let Some(log) = self.granted.get_mut(label) else {
            self.usage.calls_denied += 1;
            return Err(Error::Denied(not_granted(label, self.granted.keys())));
        };
        let rights = log.grant.rights;
        if !call.allowed_by().iter().any(|right| rights.has(*right)) {
            self.usage.calls_denied += 1;
            return Err(Error::Denied(format!(
                "{} on the log {label} needs the right to {}; granted: {rights}",
                call.name(),
                call.allowed_by().first().map_or("", |right| right.name()),
            )));
        }
        let now = Instant::now();
        self.admitted_at = now;
        let bytes = to_u64(bytes);
        let limit = if !log.calls.take(1, now) {
            Some(Limit::Calls)
        } else if bytes > 0 && !log.bytes.take(bytes, now) {
            Some(Limit::Bytes)
        } else {
            None
        };
        if let Some(limit) = limit {
            let hit = self.limits.hit(limit);
            self.usage.hit(&hit);
            return Err(Error::LimitReached(format!("{} on the log {label}: {hit}", call.name())));
        }
        Ok(())
    }

    /// Counts one more handle to a log, reader or verifier, if the limit allows it.
    pub(crate) fn permit_handle(&mut self) -> Result<HandlePermit> {
        self.handles.permit(self.limits.log_handles_max).ok_or_else(|| {
            let hit = self.limits.hit(Limit::LogHandles);
            self.usage.hit(&hit);
            Error::LimitReached(format!("too many logs and readers are open: {hit}"))
        })
    }

    /// Counts and records a successful append through a handle that needed no waiting.
    pub(crate) fn appended_now(
        &mut self,
        (call, handle): (Call, u64),
        label: &Arc<str>,
        events: u64,
        bytes: usize,
    ) {
        self.appended(events, bytes);
        if let Some(streak) = &mut self.streak {
            let amount = (events, to_u64(bytes));
            streak.succeeded((call, handle), label, amount, self.admitted_at);
        }
    }

    /// Counts the events of a successful append.
    pub(crate) fn appended(&mut self, events: u64, bytes: usize) {
        let usage = &mut self.usage;
        let bytes = to_u64(bytes);
        usage.events_appended += events;
        usage.bytes_appended += bytes;
    }

    /// Counts the events that a reader returned.
    pub(crate) fn read(&mut self, events: u64, bytes: usize) {
        let usage = &mut self.usage;
        let bytes = to_u64(bytes);
        usage.events_read = usage.events_read.saturating_add(events);
        usage.bytes_read += bytes;
    }
}

/// For a log component that the plugin carries: its keys begin with a label.
impl StoreAccess for LogsCtx {
    fn resolve(
        &mut self,
        key: &str,
        access: Access,
        bytes: usize,
    ) -> Result<Target, wit::StoreError> {
        let call = match access {
            Access::Create | Access::CreateExclusively if is_position(key) => Call::CommitPosition,
            Access::Delete if is_position(key) => Call::DeletePositions,
            Access::Get if is_position(key) => Call::GetPosition,
            Access::Create => Call::CreateObject,
            Access::CreateExclusively => Call::CommitObject,
            Access::Get => Call::GetObject,
            Access::List => Call::ListObjects,
            Access::Delete => Call::DeleteObjects,
        };
        let (label, _) = key.split_once('/').unwrap_or((key, ""));
        match self.admit(label, call, None, bytes) {
            Ok((grant, label)) => {
                let (store, label) = (grant.store.clone(), label.clone());
                let quota = grant.ledger.as_ref().map(|ledger| -> Arc<dyn WriteQuota> {
                    ObjectQuota::of(ledger, key, grant.rights)
                });
                let steps = self.recorder().map(|recorder| -> Arc<dyn StepOutcomes> {
                    let (bytes, at) = (to_u64(bytes), self.admitted_at);
                    Arc::new(ObjectCall::begin(recorder, call, &label.name, bytes, at))
                });
                Ok(Target::below(&store, &label, key, steps)?.within(quota))
            }
            Err(error) => {
                let kind = match error {
                    Error::LimitReached(_) => wit::StoreErrorKind::Unavailable,
                    _ => wit::StoreErrorKind::PermissionDenied,
                };
                Err(wit::StoreError { kind, message: error.to_string() })
            }
        }
    }
}

fn not_granted<'a>(label: &str, granted: impl Iterator<Item = &'a String>) -> String {
    let granted: Vec<_> = granted.map(String::as_str).collect();
    let granted = if granted.is_empty() { "none".to_owned() } else { granted.join(", ") };
    format!("no log is granted under the label {}; granted: {granted}", shown(label))
}

impl fmt::Debug for LogsCtx {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogsCtx").field("labels", &self.granted.keys()).finish_non_exhaustive()
    }
}
