//! Reading passes of plugins.

use wasmtime::component::Resource;

use super::call::AdmittedCall;
use super::{CallResult, wit};
use crate::error::Error;
use crate::log::reader::Reader;
use crate::numbers::to_u64;
use crate::plugin::grant::Grant;
use crate::plugin::handles::ReaderHandle;
use crate::plugin::logs::{LogsCtx, LogsView};
use crate::plugin::usage::Call;

impl wit::HostReader for LogsView<'_> {
    async fn next(&mut self, reader: Resource<ReaderHandle>) -> CallResult<Option<wit::Page>> {
        let (ctx, handle, mut call) = match self.reader(&reader, Call::ReaderNext)? {
            Ok(admitted) => admitted,
            Err(refused) => return Ok(Err(refused)),
        };
        // The memory of the page counts until the plugin has it.
        let page = handle.reader.next_counted().await;
        if let Ok(Some((page, _))) = &page {
            ctx.read(page.events, page.lines.len());
            call.moved(page.events, to_u64(page.lines.len()));
        }
        call.end(page.map(|page| page.map(|(page, _)| page.into())))
    }

    async fn position(
        &mut self,
        reader: Resource<ReaderHandle>,
    ) -> wasmtime::Result<Option<String>> {
        let Ok((_, handle, call)) = self.reader(&reader, Call::ReaderPosition)? else {
            return Ok(None);
        };
        match call.note(handle.reader.position().await) {
            Ok(position) => Ok(Some(position)),
            Err(Error::InvalidInput(_)) => Ok(None),
            Err(error) => Err(wasmtime::Error::new(error)),
        }
    }

    async fn batches(
        &mut self,
        reader: Resource<ReaderHandle>,
    ) -> wasmtime::Result<Vec<wit::BatchEvents>> {
        let Ok((_, handle, call)) = self.reader(&reader, Call::ReaderBatches)? else {
            return Ok(Vec::new());
        };
        call.note(handle.reader.batches().await).map_err(wasmtime::Error::new)
    }

    async fn positions(
        &mut self,
        reader: Resource<ReaderHandle>,
        first: u64,
    ) -> wasmtime::Result<Option<String>> {
        let Ok((_, handle, call)) = self.reader(&reader, Call::ReaderPositions)? else {
            return Ok(None);
        };
        call.note(handle.reader.positions(first).await).map_err(wasmtime::Error::new)
    }

    async fn commit(
        &mut self,
        reader: Resource<ReaderHandle>,
        position: Option<String>,
    ) -> CallResult<()> {
        let LogsView { ctx, table } = self;
        let handle = table.get_mut(&reader)?;
        let (name, number) = (&handle.label.name, Some(handle.number));
        let (grant, call) = match ctx.admitted_on(name, Call::ReaderCommit, number) {
            Ok(granted) => granted,
            Err(refused) => return Ok(Err(refused)),
        };
        let committed = async {
            grant.check_commit().await?;
            handle.reader.commit_text(position).await
        };
        call.end_commit(committed.await)
    }

    async fn drop(&mut self, reader: Resource<ReaderHandle>) -> wasmtime::Result<()> {
        self.table.delete(reader)?;
        Ok(())
    }
}

impl LogsView<'_> {
    /// Returns a reader and the call on it, if that is admitted.
    fn reader(
        &mut self,
        reader: &Resource<ReaderHandle>,
        call: Call,
    ) -> CallResult<(&mut LogsCtx, &mut ReaderHandle, AdmittedCall)> {
        let LogsView { ctx, table } = self;
        let handle = table.get_mut(reader)?;
        let admitted = ctx.admitted_on(&handle.label.name, call, Some(handle.number));
        Ok(admitted.map(|(_, call)| (&mut **ctx, handle, call)))
    }

    /// Opens a reader, and ends the call that asked for it.
    pub(super) async fn open_reader(
        &mut self,
        grant: &Grant,
        call: AdmittedCall,
        position: Option<&str>,
        options: wit::ReadOptions,
    ) -> CallResult<Resource<ReaderHandle>> {
        let permit = match self.ctx.permit_handle() {
            Ok(permit) => permit,
            Err(error) => return call.end(Err(error)),
        };
        let engine = grant.host.engine();
        match Reader::open(engine, &grant.store, &grant.name, position, &options).await {
            Ok(reader) => {
                let (label, number) = (call.label.clone(), call.number());
                let handle = ReaderHandle { reader, label, number, _permit: permit };
                let handle = self.table.push(handle)?;
                call.end(Ok(handle))
            }
            Err(error) => call.end(Err(error)),
        }
    }
}
