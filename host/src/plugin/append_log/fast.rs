//! Appends without a copy on the way: from the plugin's memory straight into the writer's pack.
//!
//! The generated bindings would make a vector of each event first, and a large future. When the pack is
//! full, the events are copied and the call waits.

use std::future::ready;
use std::sync::Arc;

use bytes::Bytes;
use wasmtime::StoreContextMut;
use wasmtime::component::{Linker, Resource, WasmList};

use super::refusals::refuse_unlent;
use super::wit;
use crate::error::Result;
use crate::log::Log;
use crate::plugin::lent::{LentLog, Opened};
use crate::plugin::logs::LogsView;
use crate::plugin::usage::Call;

type Arguments = (Resource<LentLog>, WasmList<u8>);

pub(super) fn add_to_linker<T: Send + 'static>(
    linker: &mut Linker<T>,
    view: fn(&mut T) -> LogsView<'_>,
) -> wasmtime::Result<()> {
    linker.allow_shadowing(true);
    let mut instance = linker.instance("stratalog:log/append-log@0.1.0")?;
    instance.func_wrap_async(
        "[method]log.append",
        move |mut context: StoreContextMut<'_, T>, (log, event): Arguments| match begin(
            &mut context,
            view,
            &log,
            &event,
            Call::Append,
            Log::append_now,
        ) {
            Ok(Begun::Waits { opened, bytes }) => Box::new(async move {
                let appended = opened.log.append(&bytes).await;
                if appended.is_ok() {
                    let bytes = bytes.len().saturating_add(1);
                    view(context.data_mut()).ctx.appended(1, bytes);
                }
                Ok((appended.map_err(|error| opened.label.refuse(error)),))
            }),
            Ok(Begun::Done(appended)) => Box::new(ready(Ok((appended,)))),
            Err(error) => Box::new(ready(Err(error))),
        },
    )?;
    instance.func_wrap_async(
        "[method]log.append-lines",
        move |mut context: StoreContextMut<'_, T>, (log, lines): Arguments| {
            let append = Log::append_lines_now;
            match begin(&mut context, view, &log, &lines, Call::AppendLines, append) {
                Ok(Begun::Waits { opened, bytes }) => Box::new(async move {
                    let appended = opened.log.append_lines(&bytes).await;
                    if let Ok(events) = appended {
                        view(context.data_mut()).ctx.appended(events, bytes.len());
                    }
                    Ok((appended.map_err(|error| opened.label.refuse(error)),))
                }),
                Ok(Begun::Done(appended)) => Box::new(ready(Ok((appended,)))),
                Err(error) => Box::new(ready(Err(error))),
            }
        },
    )?;
    linker.allow_shadowing(false);
    Ok(())
}

/// An append as far as it goes without waiting.
enum Begun<A> {
    Done(Result<A, wit::Error>),
    /// There is no room now.
    Waits {
        opened: Arc<Opened>,
        bytes: Bytes,
    },
}

fn begin<T: 'static, A: Events>(
    context: &mut StoreContextMut<'_, T>,
    view: fn(&mut T) -> LogsView<'_>,
    log: &Resource<LentLog>,
    list: &WasmList<u8>,
    call: Call,
    append: fn(&Log, &[u8]) -> Option<Result<A>>,
) -> wasmtime::Result<Begun<A>> {
    let size = list.as_le_slice(&*context).len();
    let LogsView { ctx, table } = view(context.data_mut());
    let lent = table.get(log)?;
    if let Err(error) = ctx.admit(&lent.opened.label.name, call, size) {
        return Ok(Begun::Done(Err(refuse_unlent(error))));
    }
    let opened = lent.opened.clone();
    let bytes = list.as_le_slice(&*context);
    Ok(match append(&opened.log, bytes) {
        None => {
            let bytes = Bytes::copy_from_slice(bytes);
            Begun::Waits { opened, bytes }
        }
        Some(Ok(appended)) => {
            view(context.data_mut()).ctx.appended(appended.events(), appended.bytes(size));
            Begun::Done(Ok(appended))
        }
        Some(Err(error)) => Begun::Done(Err(opened.label.refuse(error))),
    })
}

/// What an append answers, as events and bytes.
trait Events {
    fn events(&self) -> u64;
    fn bytes(&self, given: usize) -> usize;
}

/// One event, given without its LF.
impl Events for () {
    fn events(&self) -> u64 {
        1
    }

    fn bytes(&self, given: usize) -> usize {
        given.saturating_add(1)
    }
}

/// So many lines.
impl Events for u64 {
    fn events(&self) -> u64 {
        *self
    }

    fn bytes(&self, given: usize) -> usize {
        given
    }
}
