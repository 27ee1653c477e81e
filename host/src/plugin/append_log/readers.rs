//! Reading passes of plugins.

use wasmtime::component::Resource;

use super::{CallResult, wit};
use crate::error::Error;
use crate::log::reader::Reader;
use crate::plugin::grant::Grant;
use crate::plugin::handles::ReaderHandle;
use crate::plugin::logs::LogsView;
use crate::plugin::usage::Call;
use crate::sandbox::imports::access::KeyScope;

impl wit::HostReader for LogsView<'_> {
    async fn next(&mut self, reader: Resource<ReaderHandle>) -> CallResult<Option<wit::Page>> {
        let LogsView { ctx, table } = self;
        let handle = table.get_mut(&reader)?;
        if let Err(refused) = ctx.admitted(&handle.label.name, Call::ReaderNext) {
            return Ok(Err(refused));
        }
        // The memory of the page counts until the plugin has it.
        let page = handle.reader.next_counted().await.map_err(|error| handle.label.refuse(error));
        if let Ok(Some((page, _))) = &page {
            ctx.read(page.events, page.lines.len());
        }
        Ok(page.map(|page| page.map(|(page, _)| page.into())))
    }

    async fn position(
        &mut self,
        reader: Resource<ReaderHandle>,
    ) -> wasmtime::Result<Option<String>> {
        let LogsView { ctx, table } = self;
        let handle = table.get_mut(&reader)?;
        if ctx.admitted(&handle.label.name, Call::ReaderPosition).is_err() {
            return Ok(None);
        }
        match handle.reader.position().await {
            Ok(position) => Ok(Some(position)),
            Err(Error::InvalidInput(_)) => Ok(None),
            Err(error) => Err(wasmtime::Error::new(error)),
        }
    }

    async fn batches(
        &mut self,
        reader: Resource<ReaderHandle>,
    ) -> wasmtime::Result<Vec<wit::BatchEvents>> {
        let LogsView { ctx, table } = self;
        let handle = table.get_mut(&reader)?;
        if ctx.admitted(&handle.label.name, Call::ReaderBatches).is_err() {
            return Ok(Vec::new());
        }
        handle.reader.batches().await.map_err(wasmtime::Error::new)
    }

    async fn positions(
        &mut self,
        reader: Resource<ReaderHandle>,
        first: u64,
    ) -> wasmtime::Result<Option<String>> {
        let LogsView { ctx, table } = self;
        let handle = table.get_mut(&reader)?;
        if ctx.admitted(&handle.label.name, Call::ReaderPositions).is_err() {
            return Ok(None);
        }
        handle.reader.positions(first).await.map_err(wasmtime::Error::new)
    }

    async fn commit(
        &mut self,
        reader: Resource<ReaderHandle>,
        position: Option<String>,
    ) -> CallResult<()> {
        let LogsView { ctx, table } = self;
        let handle = table.get_mut(&reader)?;
        if let Err(refused) = ctx.admitted(&handle.label.name, Call::ReaderCommit) {
            return Ok(Err(refused));
        }
        let committed = handle.reader.commit_text(position).await;
        Ok(committed.map_err(|error| handle.label.refuse_commit(error)))
    }

    async fn drop(&mut self, reader: Resource<ReaderHandle>) -> wasmtime::Result<()> {
        self.table.delete(reader)?;
        Ok(())
    }
}

impl LogsView<'_> {
    pub(super) async fn open_reader(
        &mut self,
        grant: &Grant,
        label: KeyScope,
        position: Option<&str>,
        options: wit::ReadOptions,
    ) -> CallResult<Resource<ReaderHandle>> {
        let permit = match self.ctx.permit_handle() {
            Ok(permit) => permit,
            Err(error) => return Ok(Err(label.refuse(error))),
        };
        let engine = grant.host.engine();
        match Reader::open(engine, &grant.store, &grant.name, position, &options).await {
            Ok(reader) => {
                Ok(Ok(self.table.push(ReaderHandle { reader, label, _permit: permit })?))
            }
            Err(error) => Ok(Err(label.refuse(error))),
        }
    }
}
