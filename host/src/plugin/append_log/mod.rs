//! The `append-log` interface for plugins: admits calls, makes them and converts their results.
//!
//! All arguments from a plugin are hostile. They are checked here, or by the log's component, which
//! runs in its own sandbox.

mod answers;
mod errors;
mod zero_copy;

use wasmtime::component::{HasData, Linker, Resource};

use super::bindings::log::append_log as wit;
use super::grant::Grant;
use super::handles::{LentLog, LentReader, LentVerifier};
use super::logs::{LogsCtx, LogsView};
use super::usage::Call;
use crate::error::{Error, Result};
use crate::log::reader::Reader;
use crate::read_options::of_pending;
use crate::sandbox::imports::access::KeyScope;

type Answer<T> = wasmtime::Result<Result<T, wit::Error>>;

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
    ) -> Answer<Resource<LentReader>> {
        match self.ctx.admitted(&name, Call::Read) {
            Ok((grant, label)) => self.open_reader(&grant, label, options).await,
            Err(refused) => Ok(Err(refused)),
        }
    }

    async fn compact(
        &mut self,
        name: String,
        options: wit::CompactOptions,
    ) -> Answer<wit::Compaction> {
        let (grant, label) = match self.ctx.admitted(&name, Call::Compact) {
            Ok(lent) => lent,
            Err(refused) => return Ok(Err(refused)),
        };
        let done = grant.host.compact(&grant.store, &grant.name, &options).await;
        Ok(done.map(|done| label.compaction(done)).map_err(|error| label.refuse(error)))
    }

    async fn plan_compaction(
        &mut self,
        name: String,
        options: wit::CompactOptions,
    ) -> Answer<wit::CompactionPlan> {
        let (grant, label) = match self.ctx.admitted(&name, Call::PlanCompaction) {
            Ok(lent) => lent,
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
    ) -> Answer<wit::Trimmed> {
        let (grant, label) = match self.ctx.admitted(&name, Call::PlanTrim) {
            Ok(lent) => lent,
            Err(refused) => return Ok(Err(refused)),
        };
        let plan = grant.host.plan_trim(&grant.store, &grant.name, until, options).await;
        Ok(plan.map_err(|error| label.refuse(error)))
    }

    async fn trim(
        &mut self,
        name: String,
        until: wit::TrimPoint,
        options: wit::TrimOptions,
    ) -> Answer<wit::Trimmed> {
        let (grant, label) = match self.ctx.admitted(&name, Call::Trim) {
            Ok(lent) => lent,
            Err(refused) => return Ok(Err(refused)),
        };
        let done = grant.host.trim(&grant.store, &grant.name, until, options).await;
        Ok(done.map_err(|error| label.refuse(error)))
    }

    async fn verify(&mut self, name: String) -> Answer<Resource<LentVerifier>> {
        let (grant, label) = match self.ctx.admitted(&name, Call::Verify) {
            Ok(lent) => lent,
            Err(refused) => return Ok(Err(refused)),
        };
        let held = match self.ctx.hold() {
            Ok(held) => held,
            Err(error) => return Ok(Err(label.refuse(error))),
        };
        match grant.host.verify(&grant.store, &grant.name).await {
            Ok(verifier) => {
                Ok(Ok(self.table.push(LentVerifier { verifier, label, _held: held })?))
            }
            Err(error) => Ok(Err(label.refuse(error))),
        }
    }

    async fn stat(&mut self, name: String) -> Answer<wit::Stats> {
        let (grant, label) = match self.ctx.admitted(&name, Call::Stat) {
            Ok(lent) => lent,
            Err(refused) => return Ok(Err(refused)),
        };
        let stats = grant.host.stat(&grant.store, &grant.name).await;
        Ok(stats.map_err(|error| label.refuse(error)))
    }
}

impl wit::HostLog for LogsView<'_> {
    async fn open(&mut self, name: String, options: wit::Options) -> Answer<Resource<LentLog>> {
        let (grant, label) = match self.ctx.admitted(&name, Call::Open) {
            Ok(lent) => lent,
            Err(refused) => return Ok(Err(refused)),
        };
        let held = match self.ctx.hold() {
            Ok(held) => held,
            Err(error) => return Ok(Err(label.refuse(error))),
        };
        match grant.host.open(&grant.store, &grant.name, options.into()).await {
            Ok(log) => {
                let lent = LentLog::new(log, label, self.ctx.closing(), held);
                Ok(Ok(self.table.push(lent)?))
            }
            Err(error) => Ok(Err(label.refuse(error))),
        }
    }

    async fn append(&mut self, log: Resource<LentLog>, event: Vec<u8>) -> Answer<()> {
        let lent = match self.log(&log, Call::Append, event.len())? {
            Ok(lent) => lent,
            Err(refused) => return Ok(Err(refused)),
        };
        let appended =
            lent.opened.log.append(&event).await.map_err(|error| lent.opened.label.refuse(error));
        if appended.is_ok() {
            self.ctx.appended(1, event.len().saturating_add(1));
        }
        Ok(appended)
    }

    async fn append_lines(&mut self, log: Resource<LentLog>, lines: Vec<u8>) -> Answer<u64> {
        let lent = match self.log(&log, Call::AppendLines, lines.len())? {
            Ok(lent) => lent,
            Err(refused) => return Ok(Err(refused)),
        };
        let appended = lent.opened.log.append_lines(&lines).await;
        let appended = appended.map_err(|error| lent.opened.label.refuse(error));
        if let Ok(events) = appended {
            self.ctx.appended(events, lines.len());
        }
        Ok(appended)
    }

    async fn flush(&mut self, log: Resource<LentLog>) -> Answer<wit::Written> {
        Ok(match self.log(&log, Call::Flush, 0)? {
            Ok(lent) => {
                let written = lent.opened.log.flush().await;
                written.map_err(|error| lent.opened.label.refuse(error))
            }
            Err(refused) => Err(refused),
        })
    }

    /// Ticks immediately; the host also ticks by itself. A log that fails has nothing pending.
    async fn tick(&mut self, log: Resource<LentLog>) -> wasmtime::Result<bool> {
        Ok(match self.log(&log, Call::Tick, 0)? {
            Ok(lent) => lent.opened.log.tick().await.unwrap_or(false),
            Err(_) => false,
        })
    }

    async fn pending(&mut self, log: Resource<LentLog>) -> wasmtime::Result<wit::Pending> {
        let opened = match self.log(&log, Call::Pending, 0)? {
            Ok(lent) => Some(lent.opened.clone()),
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

    async fn read_all(&mut self, log: Resource<LentLog>) -> Answer<Resource<LentReader>> {
        let opened = self.table.get(&log)?.opened.clone();
        let (grant, label) = match self.ctx.admitted(&opened.label.name, Call::ReadAll) {
            Ok(lent) => lent,
            Err(refused) => return Ok(Err(refused)),
        };
        if let Err(exceeded) = self.ctx.memory().check_room(opened.log.pending_memory_bytes()) {
            return Ok(Err(label.refuse(exceeded.into())));
        }
        match opened.log.pending().await {
            Ok(pending) => self.open_reader(&grant, label, of_pending(pending)).await,
            Err(error) => Ok(Err(label.refuse(error))),
        }
    }

    async fn compact(
        &mut self,
        log: Resource<LentLog>,
        options: wit::CompactOptions,
    ) -> Answer<wit::Compaction> {
        Ok(match self.log(&log, Call::LogCompact, 0)? {
            Ok(lent) => {
                let done = lent.opened.log.compact(&options).await;
                let label = &lent.opened.label;
                done.map(|done| label.compaction(done)).map_err(|error| label.refuse(error))
            }
            Err(refused) => Err(refused),
        })
    }

    async fn file_count(&mut self, log: Resource<LentLog>) -> Answer<u64> {
        Ok(match self.log(&log, Call::FileCount, 0)? {
            Ok(lent) => {
                lent.opened.log.file_count().await.map_err(|error| lent.opened.label.refuse(error))
            }
            Err(refused) => Err(refused),
        })
    }

    async fn close(&mut self, log: Resource<LentLog>) -> Answer<wit::Written> {
        Ok(match self.log(&log, Call::Close, 0)? {
            Ok(lent) => {
                let written = lent.close().await;
                written.map_err(|error| lent.opened.label.refuse(error))
            }
            Err(refused) => Err(refused),
        })
    }

    async fn drop(&mut self, log: Resource<LentLog>) -> wasmtime::Result<()> {
        // A failed close is retried when the handle is dropped, and reported at the end.
        self.table.delete(log)?.close().await.ok();
        Ok(())
    }
}

impl wit::HostReader for LogsView<'_> {
    async fn next(&mut self, reader: Resource<LentReader>) -> Answer<Option<wit::Page>> {
        let LogsView { ctx, table } = self;
        let lent = table.get_mut(&reader)?;
        if let Err(refused) = ctx.admitted(&lent.label.name, Call::ReaderNext) {
            return Ok(Err(refused));
        }
        // The memory of the page counts until the plugin has it.
        let page = lent.reader.next_counted().await.map_err(|error| lent.label.refuse(error));
        if let Ok(Some((page, _))) = &page {
            ctx.read(page.events, page.lines.len());
        }
        Ok(page.map(|page| page.map(|(page, _)| page.into())))
    }

    async fn position(&mut self, reader: Resource<LentReader>) -> wasmtime::Result<Option<String>> {
        let LogsView { ctx, table } = self;
        let lent = table.get_mut(&reader)?;
        if ctx.admitted(&lent.label.name, Call::ReaderPosition).is_err() {
            return Ok(None);
        }
        match lent.reader.position().await {
            Ok(position) => Ok(Some(position)),
            Err(Error::InvalidInput(_)) => Ok(None),
            Err(error) => Err(wasmtime::Error::new(error)),
        }
    }

    async fn drop(&mut self, reader: Resource<LentReader>) -> wasmtime::Result<()> {
        self.table.delete(reader)?;
        Ok(())
    }
}

impl wit::HostVerifier for LogsView<'_> {
    async fn next(&mut self, verifier: Resource<LentVerifier>) -> Answer<Option<wit::Checked>> {
        let LogsView { ctx, table } = self;
        let lent = table.get_mut(&verifier)?;
        if let Err(refused) = ctx.admitted(&lent.label.name, Call::VerifierNext) {
            return Ok(Err(refused));
        }
        let label = &lent.label;
        let checked = lent.verifier.next().await.map_err(|error| label.refuse(error));
        Ok(checked.map(|checked| checked.map(|checked| label.checked(checked))))
    }

    async fn drop(&mut self, verifier: Resource<LentVerifier>) -> wasmtime::Result<()> {
        self.table.delete(verifier)?;
        Ok(())
    }
}

impl LogsView<'_> {
    /// Returns an open log if the call on it is admitted.
    fn log(&mut self, log: &Resource<LentLog>, call: Call, bytes: usize) -> Answer<&mut LentLog> {
        let lent = self.table.get_mut(log)?;
        let admitted = self.ctx.admit(&lent.opened.label.name, call, bytes);
        Ok(match admitted {
            Ok(_) => Ok(lent),
            Err(error) => Err(errors::refuse_unlent(error)),
        })
    }

    async fn open_reader(
        &mut self,
        grant: &Grant,
        label: KeyScope,
        options: wit::ReadOptions,
    ) -> Answer<Resource<LentReader>> {
        let held = match self.ctx.hold() {
            Ok(held) => held,
            Err(error) => return Ok(Err(label.refuse(error))),
        };
        let engine = grant.host.engine();
        match Reader::open(engine, &grant.store, &grant.name, &options).await {
            Ok(reader) => Ok(Ok(self.table.push(LentReader { reader, label, _held: held })?)),
            Err(error) => Ok(Err(label.refuse(error))),
        }
    }
}

impl LogsCtx {
    /// Returns the log of a label if the call is admitted.
    fn admitted(&mut self, name: &str, call: Call) -> Result<(Grant, KeyScope), wit::Error> {
        match self.admit(name, call, 0) {
            Ok((grant, label)) => Ok((grant.clone(), label.clone())),
            Err(error) => Err(errors::refuse_unlent(error)),
        }
    }
}
