//! The `append-log` interface for plugins: admits calls, makes them and converts their results.
//!
//! All arguments from a plugin are hostile. They are checked here, or by the log's component, which
//! runs in its own sandbox.

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
use crate::read_options::of_pending;
use crate::sandbox::imports::access::KeyScope;

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
            Ok((grant, label)) => self.open_reader(&grant, label, None, options).await,
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
            Ok((grant, label)) => self.open_reader(&grant, label, Some(&position), options).await,
            Err(refused) => Ok(Err(refused)),
        }
    }

    async fn named_positions(&mut self, name: String) -> CallResult<Vec<wit::NamedPosition>> {
        let (grant, label) = match self.ctx.admitted(&name, Call::NamedPositions) {
            Ok(granted) => granted,
            Err(refused) => return Ok(Err(refused)),
        };
        let named =
            async { Ok::<_, Error>(grant.instance().await?.named_positions(&grant.name).await?) };
        Ok(named.await.map_err(|error| label.refuse(error)))
    }

    async fn forget_position(&mut self, name: String, position: String) -> CallResult<bool> {
        let (grant, label) = match self.ctx.admitted(&name, Call::ForgetPosition) {
            Ok(granted) => granted,
            Err(refused) => return Ok(Err(refused)),
        };
        let forgotten = grant.host.forget_position(&grant.store, &grant.name, &position).await;
        Ok(forgotten.map_err(|error| label.refuse_commit(error)))
    }

    async fn compact(
        &mut self,
        name: String,
        options: wit::CompactOptions,
    ) -> CallResult<wit::Compaction> {
        let (grant, label) = match self.ctx.admitted(&name, Call::Compact) {
            Ok(granted) => granted,
            Err(refused) => return Ok(Err(refused)),
        };
        let done = grant.host.compact(&grant.store, &grant.name, &options).await;
        Ok(done.map(|done| label.compaction(done)).map_err(|error| label.refuse(error)))
    }

    async fn plan_compaction(
        &mut self,
        name: String,
        options: wit::CompactOptions,
    ) -> CallResult<wit::CompactionPlan> {
        let (grant, label) = match self.ctx.admitted(&name, Call::PlanCompaction) {
            Ok(granted) => granted,
            Err(refused) => return Ok(Err(refused)),
        };
        let plan = grant.host.plan_compaction(&grant.store, &grant.name, &options).await;
        Ok(plan.map_err(|error| label.refuse(error)))
    }

    async fn plan_trim(
        &mut self,
        name: String,
        until: wit::TrimPoint,
        options: wit::TrimOptions,
    ) -> CallResult<wit::TrimResult> {
        let (grant, label) = match self.ctx.admitted(&name, Call::PlanTrim) {
            Ok(granted) => granted,
            Err(refused) => return Ok(Err(refused)),
        };
        let plan = async {
            let mut instance = grant.instance().await?;
            Ok::<_, Error>(instance.plan_trim(&grant.name, &until, options).await?)
        };
        Ok(plan.await.map_err(|error| label.refuse(error)))
    }

    async fn trim(
        &mut self,
        name: String,
        until: wit::TrimPoint,
        options: wit::TrimOptions,
    ) -> CallResult<wit::TrimResult> {
        let (grant, label) = match self.ctx.admitted(&name, Call::Trim) {
            Ok(granted) => granted,
            Err(refused) => return Ok(Err(refused)),
        };
        let done = async {
            let mut instance = grant.instance().await?;
            Ok::<_, Error>(instance.trim(&grant.name, &until, options).await?)
        };
        Ok(done.await.map_err(|error| label.refuse(error)))
    }

    async fn verify(&mut self, name: String) -> CallResult<Resource<VerifierHandle>> {
        let (grant, label) = match self.ctx.admitted(&name, Call::Verify) {
            Ok(granted) => granted,
            Err(refused) => return Ok(Err(refused)),
        };
        let permit = match self.ctx.permit_handle() {
            Ok(permit) => permit,
            Err(error) => return Ok(Err(label.refuse(error))),
        };
        match grant.host.verify(&grant.store, &grant.name).await {
            Ok(verifier) => {
                Ok(Ok(self.table.push(VerifierHandle { verifier, label, _permit: permit })?))
            }
            Err(error) => Ok(Err(label.refuse(error))),
        }
    }

    async fn stat(&mut self, name: String) -> CallResult<wit::Stats> {
        let (grant, label) = match self.ctx.admitted(&name, Call::Stat) {
            Ok(granted) => granted,
            Err(refused) => return Ok(Err(refused)),
        };
        let stats = async { Ok::<_, Error>(grant.instance().await?.stat(&grant.name).await?) };
        Ok(stats.await.map_err(|error| label.refuse(error)))
    }
}

impl wit::HostLog for LogsView<'_> {
    async fn open(
        &mut self,
        name: String,
        options: wit::Options,
    ) -> CallResult<Resource<LogHandle>> {
        let (grant, label) = match self.ctx.admitted(&name, Call::Open) {
            Ok(granted) => granted,
            Err(refused) => return Ok(Err(refused)),
        };
        let permit = match self.ctx.permit_handle() {
            Ok(permit) => permit,
            Err(error) => return Ok(Err(label.refuse(error))),
        };
        match grant.host.open(&grant.store, &grant.name, options.into()).await {
            Ok(log) => {
                let handle = LogHandle::new(log, label, self.ctx.closing(), permit);
                Ok(Ok(self.table.push(handle)?))
            }
            Err(error) => Ok(Err(label.refuse(error))),
        }
    }

    async fn append(&mut self, log: Resource<LogHandle>, event: Vec<u8>) -> CallResult<()> {
        let handle = match self.log(&log, Call::Append, event.len())? {
            Ok(handle) => handle,
            Err(refused) => return Ok(Err(refused)),
        };
        let appended = handle
            .opened
            .log
            .append(&event)
            .await
            .map_err(|error| handle.opened.label.refuse(error));
        if appended.is_ok() {
            self.ctx.appended(1, event.len() + 1);
        }
        Ok(appended)
    }

    async fn append_lines(&mut self, log: Resource<LogHandle>, lines: Vec<u8>) -> CallResult<u64> {
        let handle = match self.log(&log, Call::AppendLines, lines.len())? {
            Ok(handle) => handle,
            Err(refused) => return Ok(Err(refused)),
        };
        let appended = handle.opened.log.append_lines(&lines).await;
        let appended = appended.map_err(|error| handle.opened.label.refuse(error));
        if let Ok(events) = appended {
            self.ctx.appended(events, lines.len());
        }
        Ok(appended)
    }

    async fn flush(&mut self, log: Resource<LogHandle>) -> CallResult<wit::Written> {
        Ok(match self.log(&log, Call::Flush, 0)? {
            Ok(handle) => {
                let written = handle.opened.log.flush().await;
                written.map_err(|error| handle.opened.label.refuse(error))
            }
            Err(refused) => Err(refused),
        })
    }

    /// Ticks immediately; the host also ticks by itself. A log that fails has nothing pending.
    async fn tick(&mut self, log: Resource<LogHandle>) -> wasmtime::Result<bool> {
        Ok(match self.log(&log, Call::Tick, 0)? {
            Ok(handle) => handle.opened.log.tick().await.unwrap_or(false),
            Err(_) => false,
        })
    }

    async fn pending(&mut self, log: Resource<LogHandle>) -> wasmtime::Result<wit::Pending> {
        let opened = match self.log(&log, Call::Pending, 0)? {
            Ok(handle) => Some(handle.opened.clone()),
            Err(_) => None,
        };
        let pending = match opened {
            Some(opened) => {
                // The call cannot return an error, and "nothing pending" would be false.
                self.ctx.memory().check_room(opened.log.pending_memory_bytes())?;
                opened.log.pending().await.ok()
            }
            None => None,
        };
        Ok(pending.unwrap_or_default())
    }

    async fn read_all(&mut self, log: Resource<LogHandle>) -> CallResult<Resource<ReaderHandle>> {
        let opened = self.table.get(&log)?.opened.clone();
        let (grant, label) = match self.ctx.admitted(&opened.label.name, Call::ReadAll) {
            Ok(granted) => granted,
            Err(refused) => return Ok(Err(refused)),
        };
        if let Err(exceeded) = self.ctx.memory().check_room(opened.log.pending_memory_bytes()) {
            return Ok(Err(label.refuse(exceeded.into())));
        }
        match opened.log.pending().await {
            Ok(pending) => self.open_reader(&grant, label, None, of_pending(pending)).await,
            Err(error) => Ok(Err(label.refuse(error))),
        }
    }

    async fn compact(
        &mut self,
        log: Resource<LogHandle>,
        options: wit::CompactOptions,
    ) -> CallResult<wit::Compaction> {
        Ok(match self.log(&log, Call::LogCompact, 0)? {
            Ok(handle) => {
                let done = handle.opened.log.compact(&options).await;
                let label = &handle.opened.label;
                done.map(|done| label.compaction(done)).map_err(|error| label.refuse(error))
            }
            Err(refused) => Err(refused),
        })
    }

    async fn file_count(&mut self, log: Resource<LogHandle>) -> CallResult<u64> {
        Ok(match self.log(&log, Call::FileCount, 0)? {
            Ok(handle) => handle
                .opened
                .log
                .file_count()
                .await
                .map_err(|error| handle.opened.label.refuse(error)),
            Err(refused) => Err(refused),
        })
    }

    async fn close(&mut self, log: Resource<LogHandle>) -> CallResult<wit::Written> {
        Ok(match self.log(&log, Call::Close, 0)? {
            Ok(handle) => {
                let written = handle.close().await;
                written.map_err(|error| handle.opened.label.refuse(error))
            }
            Err(refused) => Err(refused),
        })
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
        if let Err(refused) = ctx.admitted(&handle.label.name, Call::VerifierNext) {
            return Ok(Err(refused));
        }
        let label = &handle.label;
        let checked = handle.verifier.next().await.map_err(|error| label.refuse(error));
        Ok(checked.map(|checked| checked.map(|checked| label.checked(checked))))
    }

    async fn drop(&mut self, verifier: Resource<VerifierHandle>) -> wasmtime::Result<()> {
        self.table.delete(verifier)?;
        Ok(())
    }
}

impl LogsView<'_> {
    /// Returns an open log if the call on it is admitted.
    fn log(
        &mut self,
        log: &Resource<LogHandle>,
        call: Call,
        bytes: usize,
    ) -> CallResult<&mut LogHandle> {
        let handle = self.table.get_mut(log)?;
        let admitted = self.ctx.admit(&handle.opened.label.name, call, bytes);
        Ok(match admitted {
            Ok(_) => Ok(handle),
            Err(error) => Err(errors::refuse_ungranted(error)),
        })
    }
}

impl LogsCtx {
    /// Returns the log of a label if the call is admitted.
    fn admitted(&mut self, name: &str, call: Call) -> Result<(Grant, KeyScope), wit::Error> {
        match self.admit(name, call, 0) {
            Ok((grant, label)) => Ok((grant.clone(), label.clone())),
            Err(error) => Err(errors::refuse_ungranted(error)),
        }
    }
}
