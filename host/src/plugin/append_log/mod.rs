//! The `append-log` interface for plugins: admits calls, makes them and converts their results.
//!
//! All arguments from a plugin are hostile. They are checked here, or by the log's component, which
//! runs in its own sandbox.

mod call;
mod errors;
mod readers;
mod results;
mod zero_copy;

use wasmtime::component::{HasData, Linker, Resource};

use super::bindings::log::append_log as wit;
use super::grant::Grant;
use super::handles::{LogHandle, ReaderHandle, VerifierHandle};
use super::logs::{LogsCtx, LogsView};
use super::usage::Call;
use crate::error::{Error, Result};
use crate::numbers::to_u64;
use crate::read_options::of_pending;
use call::AdmittedCall;

type CallResult<T> = wasmtime::Result<Result<T, wit::Error>>;

/// Adds the `append-log` import to a linker, for plugins that use the logs that [`LogsCtx`] grants.
///
/// `view` returns the context and a resource table from the data of a wasmtime store.
///
/// # Errors
/// Fails if the linker already has the interface.
pub fn add_to_linker<T: Send + 'static>(
    linker: &mut Linker<T>,
    view: fn(&mut T) -> LogsView<'_>,
) -> wasmtime::Result<()> {
    wit::add_to_linker::<T, HasLogs>(linker, view)?;
    zero_copy::add_to_linker(linker, view)
}

struct HasLogs;

impl HasData for HasLogs {
    type Data<'a> = LogsView<'a>;
}

impl wit::Host for LogsView<'_> {
    async fn read(
        &mut self,
        name: String,
        options: wit::ReadOptions,
    ) -> CallResult<Resource<ReaderHandle>> {
        match self.ctx.admitted(&name, Call::Read) {
            Ok((grant, call)) => self.open_reader(&grant, call, None, options).await,
            Err(refused) => Ok(Err(refused)),
        }
    }

    async fn read_named(
        &mut self,
        name: String,
        position: String,
        options: wit::ReadOptions,
    ) -> CallResult<Resource<ReaderHandle>> {
        match self.ctx.admitted(&name, Call::ReadNamed) {
            Ok((grant, call)) => self.open_reader(&grant, call, Some(&position), options).await,
            Err(refused) => Ok(Err(refused)),
        }
    }

    async fn named_positions(&mut self, name: String) -> CallResult<Vec<wit::NamedPosition>> {
        let (grant, call) = match self.ctx.admitted(&name, Call::NamedPositions) {
            Ok(granted) => granted,
            Err(refused) => return Ok(Err(refused)),
        };
        let named =
            async { Ok::<_, Error>(grant.instance().await?.named_positions(&grant.name).await?) };
        call.end(named.await)
    }

    async fn forget_position(&mut self, name: String, position: String) -> CallResult<bool> {
        let (grant, call) = match self.ctx.admitted(&name, Call::ForgetPosition) {
            Ok(granted) => granted,
            Err(refused) => return Ok(Err(refused)),
        };
        let forgotten = async {
            grant.check_commit().await?;
            grant.host.forget_position(&grant.store, &grant.name, &position).await
        };
        call.end_commit(forgotten.await)
    }

    async fn compact(
        &mut self,
        name: String,
        options: wit::CompactOptions,
    ) -> CallResult<wit::Compaction> {
        let (grant, call) = match self.ctx.admitted(&name, Call::Compact) {
            Ok(granted) => granted,
            Err(refused) => return Ok(Err(refused)),
        };
        let done = grant.host.compact(&grant.store, &grant.name, &options).await;
        let label = call.label.clone();
        call.end(done.map(|done| label.compaction(done)))
    }

    async fn plan_compaction(
        &mut self,
        name: String,
        options: wit::CompactOptions,
    ) -> CallResult<wit::CompactionPlan> {
        let (grant, call) = match self.ctx.admitted(&name, Call::PlanCompaction) {
            Ok(granted) => granted,
            Err(refused) => return Ok(Err(refused)),
        };
        let plan = grant.host.plan_compaction(&grant.store, &grant.name, &options).await;
        call.end(plan)
    }

    async fn plan_trim(
        &mut self,
        name: String,
        until: wit::TrimPoint,
        options: wit::TrimOptions,
    ) -> CallResult<wit::TrimResult> {
        let (grant, call) = match self.ctx.admitted(&name, Call::PlanTrim) {
            Ok(granted) => granted,
            Err(refused) => return Ok(Err(refused)),
        };
        let plan = async {
            let mut instance = grant.instance().await?;
            Ok::<_, Error>(instance.plan_trim(&grant.name, &until, options).await?)
        };
        call.end(plan.await)
    }

    async fn trim(
        &mut self,
        name: String,
        until: wit::TrimPoint,
        options: wit::TrimOptions,
    ) -> CallResult<wit::TrimResult> {
        let (grant, call) = match self.ctx.admitted(&name, Call::Trim) {
            Ok(granted) => granted,
            Err(refused) => return Ok(Err(refused)),
        };
        let done = async {
            let mut instance = grant.instance().await?;
            Ok::<_, Error>(instance.trim(&grant.name, &until, options).await?)
        };
        call.end(done.await)
    }

    async fn verify(&mut self, name: String) -> CallResult<Resource<VerifierHandle>> {
        let (grant, call) = match self.ctx.admitted(&name, Call::Verify) {
            Ok(granted) => granted,
            Err(refused) => return Ok(Err(refused)),
        };
        let permit = match self.ctx.permit_handle() {
            Ok(permit) => permit,
            Err(error) => return call.end(Err(error)),
        };
        match grant.host.verify(&grant.store, &grant.name).await {
            Ok(verifier) => {
                let (label, number) = (call.label.clone(), call.number());
                let handle = VerifierHandle { verifier, label, number, _permit: permit };
                let handle = self.table.push(handle)?;
                call.end(Ok(handle))
            }
            Err(error) => call.end(Err(error)),
        }
    }

    async fn stat(&mut self, name: String) -> CallResult<wit::Stats> {
        let (grant, call) = match self.ctx.admitted(&name, Call::Stat) {
            Ok(granted) => granted,
            Err(refused) => return Ok(Err(refused)),
        };
        let stats = async { Ok::<_, Error>(grant.instance().await?.stat(&grant.name).await?) };
        call.end(stats.await)
    }
}

impl wit::HostLog for LogsView<'_> {
    async fn open(
        &mut self,
        name: String,
        options: wit::Options,
    ) -> CallResult<Resource<LogHandle>> {
        let (grant, call) = match self.ctx.admitted(&name, Call::Open) {
            Ok(granted) => granted,
            Err(refused) => return Ok(Err(refused)),
        };
        let permit = match self.ctx.permit_handle() {
            Ok(permit) => permit,
            Err(error) => return call.end(Err(error)),
        };
        match grant.open(options.into()).await {
            Ok(log) => {
                let scope = (call.label.clone(), call.number());
                let handle = LogHandle::new(log, scope, self.ctx.closing(), permit);
                let handle = self.table.push(handle)?;
                call.end(Ok(handle))
            }
            Err(error) => call.end(Err(error)),
        }
    }

    async fn append(&mut self, log: Resource<LogHandle>, event: Vec<u8>) -> CallResult<()> {
        let (handle, mut call) = match self.log(&log, Call::Append, event.len())? {
            Ok(admitted) => admitted,
            Err(refused) => return Ok(Err(refused)),
        };
        let opened = &handle.opened;
        let appended = async {
            let accepted = opened.accept(event.len() + 1).await?;
            opened.log.append(&event).await?;
            accepted.keep();
            Ok(())
        };
        let appended = appended.await;
        if appended.is_ok() {
            call.moved(1, to_u64(event.len() + 1));
            self.ctx.appended(1, event.len() + 1);
        }
        call.end(appended)
    }

    async fn append_lines(&mut self, log: Resource<LogHandle>, lines: Vec<u8>) -> CallResult<u64> {
        let (handle, mut call) = match self.log(&log, Call::AppendLines, lines.len())? {
            Ok(admitted) => admitted,
            Err(refused) => return Ok(Err(refused)),
        };
        let opened = &handle.opened;
        let appended = async {
            let accepted = opened.accept(lines.len()).await?;
            let events = opened.log.append_lines(&lines).await?;
            accepted.keep();
            Ok(events)
        };
        let appended = appended.await;
        if let Ok(events) = appended {
            call.moved(events, to_u64(lines.len()));
            self.ctx.appended(events, lines.len());
        }
        call.end(appended)
    }

    async fn flush(&mut self, log: Resource<LogHandle>) -> CallResult<wit::Written> {
        match self.log(&log, Call::Flush, 0)? {
            Ok((handle, call)) => call.end(handle.opened.log.flush().await),
            Err(refused) => Ok(Err(refused)),
        }
    }

    /// Ticks immediately; the host also ticks by itself. A log that fails has nothing pending.
    async fn tick(&mut self, log: Resource<LogHandle>) -> wasmtime::Result<bool> {
        Ok(match self.log(&log, Call::Tick, 0)? {
            Ok((handle, call)) => call.note(handle.opened.log.tick().await).unwrap_or(false),
            Err(_) => false,
        })
    }

    async fn pending(&mut self, log: Resource<LogHandle>) -> wasmtime::Result<wit::Pending> {
        let admitted = match self.log(&log, Call::Pending, 0)? {
            Ok((handle, call)) => Some((handle.opened.clone(), call)),
            Err(_) => None,
        };
        let pending = match admitted {
            Some((opened, call)) => {
                // The call cannot return an error, and "nothing pending" would be false.
                self.ctx.memory().check_room(opened.log.pending_memory_bytes())?;
                call.note(opened.log.pending().await).ok()
            }
            None => None,
        };
        Ok(pending.unwrap_or_default())
    }

    async fn read_all(&mut self, log: Resource<LogHandle>) -> CallResult<Resource<ReaderHandle>> {
        let opened = self.table.get(&log)?.opened.clone();
        let name = &opened.label.name;
        let (grant, call) = match self.ctx.admitted_on(name, Call::ReadAll, Some(opened.number)) {
            Ok(granted) => granted,
            Err(refused) => return Ok(Err(refused)),
        };
        if let Err(exceeded) = self.ctx.memory().check_room(opened.log.pending_memory_bytes()) {
            return call.end(Err(exceeded.into()));
        }
        match opened.log.pending().await {
            Ok(pending) => self.open_reader(&grant, call, None, of_pending(pending)).await,
            Err(error) => call.end(Err(error)),
        }
    }

    async fn compact(
        &mut self,
        log: Resource<LogHandle>,
        options: wit::CompactOptions,
    ) -> CallResult<wit::Compaction> {
        let opened = &self.table.get(&log)?.opened;
        let (name, number) = (&opened.label.name, Some(opened.number));
        let (grant, call) = match self.ctx.admitted_on(name, Call::LogCompact, number) {
            Ok(granted) => granted,
            Err(refused) => return Ok(Err(refused)),
        };
        // The store of the writer counts its batches, and so nothing else.
        let done = match grant.host.compact(&grant.store, &grant.name, &options).await {
            Err(Error::NoLog(_)) => Ok(wit::Compaction::default()),
            done => done,
        };
        let label = call.label.clone();
        call.end(done.map(|done| label.compaction(done)))
    }

    async fn file_count(&mut self, log: Resource<LogHandle>) -> CallResult<u64> {
        match self.log(&log, Call::FileCount, 0)? {
            Ok((handle, call)) => call.end(handle.opened.log.file_count().await),
            Err(refused) => Ok(Err(refused)),
        }
    }

    async fn close(&mut self, log: Resource<LogHandle>) -> CallResult<wit::Written> {
        match self.log(&log, Call::Close, 0)? {
            Ok((handle, call)) => call.end(handle.close().await),
            Err(refused) => Ok(Err(refused)),
        }
    }

    async fn drop(&mut self, log: Resource<LogHandle>) -> wasmtime::Result<()> {
        // A failed close is retried when the handle is dropped, and reported at the end.
        self.table.delete(log)?.close().await.ok();
        Ok(())
    }
}

impl wit::HostVerifier for LogsView<'_> {
    async fn next(
        &mut self,
        verifier: Resource<VerifierHandle>,
    ) -> CallResult<Option<wit::VerifyProgress>> {
        let LogsView { ctx, table } = self;
        let handle = table.get_mut(&verifier)?;
        let number = Some(handle.number);
        let call = match ctx.admitted_on(&handle.label.name, Call::VerifierNext, number) {
            Ok((_, call)) => call,
            Err(refused) => return Ok(Err(refused)),
        };
        let label = &handle.label;
        let checked = handle.verifier.next().await;
        call.end(checked.map(|checked| checked.map(|checked| label.checked(checked))))
    }

    async fn drop(&mut self, verifier: Resource<VerifierHandle>) -> wasmtime::Result<()> {
        self.table.delete(verifier)?;
        Ok(())
    }
}

impl LogsView<'_> {
    /// Returns an open log and the call on it, if that is admitted.
    fn log(
        &mut self,
        log: &Resource<LogHandle>,
        call: Call,
        bytes: usize,
    ) -> CallResult<(&mut LogHandle, AdmittedCall)> {
        let handle = self.table.get_mut(log)?;
        let (label, number) = (&handle.opened.label, Some(handle.opened.number));
        Ok(match self.ctx.admit(&label.name, call, number, bytes) {
            Ok(_) => {
                let record = self.ctx.begin_record(call, label, number);
                let label = label.clone();
                Ok((handle, AdmittedCall { label, record }))
            }
            Err(error) => Err(errors::refuse_ungranted(error)),
        })
    }
}

impl LogsCtx {
    /// Returns the log of a label and the call on it, if that is admitted.
    fn admitted(&mut self, name: &str, call: Call) -> Result<(Grant, AdmittedCall), wit::Error> {
        self.admitted_on(name, call, None)
    }

    /// As [`LogsCtx::admitted`], for a call on the handle that the call of this number opened.
    fn admitted_on(
        &mut self,
        name: &str,
        call: Call,
        handle: Option<u64>,
    ) -> Result<(Grant, AdmittedCall), wit::Error> {
        let (grant, label) = match self.admit(name, call, handle, 0) {
            Ok((grant, label)) => (grant.clone(), label.clone()),
            Err(error) => return Err(errors::refuse_ungranted(error)),
        };
        let record = self.begin_record(call, &label, handle);
        Ok((grant, AdmittedCall { label, record }))
    }
}
