//! Appends directly from the plugin's memory to the writer's pack, without a copy in between.
//!
//! The generated bindings would first allocate a vector for each event, and a large future. If the
//! pack is full, the events are copied and the call waits.

use std::future::ready;
use std::sync::Arc;

use bytes::Bytes;
use wasmtime::StoreContextMut;
use wasmtime::component::{ComponentType, Linker, LinkerInstance, Lower, Resource, WasmList};

use super::call::AdmittedCall;
use super::errors::refuse_ungranted;
use super::wit;
use crate::error::Result;
use crate::log::Log;
use crate::numbers::to_u64;
use crate::plugin::handles::{LogHandle, Opened};
use crate::plugin::logs::LogsView;
use crate::plugin::quota::Accepted;
use crate::plugin::usage::Call;
use crate::sandbox::interface::{of_package, replace};

type Arguments = (Resource<LogHandle>, WasmList<u8>);

pub(super) fn add_to_linker<T: Send + 'static>(
    linker: &mut Linker<T>,
    view: fn(&mut T) -> LogsView<'_>,
) -> wasmtime::Result<()> {
    let functions = [<() as Append>::NAME, <u64 as Append>::NAME];
    replace(linker, of_package!("append-log"), &functions, |instance| {
        add::<T, ()>(instance, view)?;
        add::<T, u64>(instance, view)
    })
}

fn add<T: Send + 'static, A: Append>(
    instance: &mut LinkerInstance<'_, T>,
    view: fn(&mut T) -> LogsView<'_>,
) -> wasmtime::Result<()> {
    instance.func_wrap_async(
        A::NAME,
        move |mut context: StoreContextMut<'_, T>, (log, bytes): Arguments| {
            let step = first_step::<T, A>(&mut context, view, &log, &bytes);
            match step {
                Ok(FirstStep::Waits { opened, bytes, accepted, mut call }) => {
                    Box::new(async move {
                        let appended = waiting::<A>(&opened, &bytes, accepted).await;
                        if let Ok(appended) = &appended {
                            let (events, bytes) = (appended.events(), A::stored(bytes.len()));
                            call.moved(events, to_u64(bytes));
                            view(context.data_mut()).ctx.appended(events, bytes);
                        }
                        Ok((call.end(appended)?,))
                    })
                }
                Ok(FirstStep::Done(appended)) => Box::new(ready(Ok((appended,)))),
                Err(error) => Box::new(ready(Err(error))),
            }
        },
    )
}

/// The state of an append after all steps that need no waiting.
enum FirstStep<A> {
    Done(Result<A, wit::Error>),
    /// The pack has no room now.
    Waits {
        opened: Arc<Opened>,
        bytes: Bytes,
        /// None if the log must be listed first.
        accepted: Option<Accepted>,
        call: AdmittedCall,
    },
}

fn first_step<T: 'static, A: Append>(
    context: &mut StoreContextMut<'_, T>,
    view: fn(&mut T) -> LogsView<'_>,
    log: &Resource<LogHandle>,
    list: &WasmList<u8>,
) -> wasmtime::Result<FirstStep<A>> {
    let size = list.as_le_slice(&*context).len();
    let LogsView { ctx, table } = view(context.data_mut());
    let handle = table.get(log)?;
    let number = handle.opened.number;
    if let Err(error) = ctx.admit(&handle.opened.label.name, A::CALL, Some(number), size) {
        return Ok(FirstStep::Done(Err(refuse_ungranted(error))));
    }
    let opened = handle.opened.clone();
    let bytes = list.as_le_slice(&*context);
    let accepted = opened.accept_now(A::stored(size));
    let appended = match &accepted {
        Ok(Some(_)) => A::now(&opened.log, bytes),
        Ok(None) => None,
        Err(refused) => Some(Err(refused.clone())),
    };
    let accepted = accepted.ok().flatten();
    let failure = match appended {
        Some(Ok(appended)) => {
            if let Some(accepted) = accepted {
                accepted.keep();
            }
            let (events, bytes) = (appended.events(), A::stored(size));
            let ctx = view(context.data_mut()).ctx;
            ctx.appended_now((A::CALL, number), &opened.label.name, events, bytes);
            return Ok(FirstStep::Done(Ok(appended)));
        }
        Some(Err(error)) => Some(error),
        None => None,
    };
    let bytes = Bytes::copy_from_slice(bytes);
    let label = opened.label.clone();
    let record = view(context.data_mut()).ctx.begin_record(A::CALL, &label, Some(number));
    let call = AdmittedCall { label, record };
    Ok(match failure {
        Some(error) => FirstStep::Done(call.fail(error)),
        None => FirstStep::Waits { opened, bytes, accepted, call },
    })
}

/// Appends within the quota, and waits for both.
async fn waiting<A: Append>(
    opened: &Opened,
    bytes: &[u8],
    accepted: Option<Accepted>,
) -> Result<A> {
    let accepted = match accepted {
        Some(accepted) => accepted,
        None => opened.accept(A::stored(bytes.len())).await?,
    };
    let appended = A::waiting(&opened.log, bytes).await?;
    accepted.keep();
    Ok(appended)
}

/// One of the two append functions, by the type that it returns.
trait Append: Sized + ComponentType + Lower + Send + Sync + 'static {
    const NAME: &'static str;
    const CALL: Call;

    /// Appends if this needs no waiting; otherwise returns none.
    fn now(log: &Log, bytes: &[u8]) -> Option<Result<Self>>;
    fn waiting(log: &Log, bytes: &[u8]) -> impl Future<Output = Result<Self>> + Send;

    /// Returns the number of appended events.
    fn events(&self) -> u64;
    /// Returns the bytes of the events in a batch.
    fn stored(given: usize) -> usize;
}

/// Appends one event, passed without its LF.
impl Append for () {
    const NAME: &'static str = "[method]log.append";
    const CALL: Call = Call::Append;

    fn now(log: &Log, event: &[u8]) -> Option<Result<Self>> {
        log.append_now(event)
    }

    async fn waiting(log: &Log, event: &[u8]) -> Result<Self> {
        log.append(event).await
    }

    fn events(&self) -> u64 {
        1
    }

    fn stored(given: usize) -> usize {
        given + 1
    }
}

/// Appends lines and returns their number.
impl Append for u64 {
    const NAME: &'static str = "[method]log.append-lines";
    const CALL: Call = Call::AppendLines;

    fn now(log: &Log, lines: &[u8]) -> Option<Result<Self>> {
        log.append_lines_now(lines)
    }

    async fn waiting(log: &Log, lines: &[u8]) -> Result<Self> {
        log.append_lines(lines).await
    }

    fn events(&self) -> u64 {
        *self
    }

    fn stored(given: usize) -> usize {
        given
    }
}
