//! The built component, run in a simulated world. Each handle, reader, compaction and trim has an
//! instance of its own.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::pin::pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use stratalog::{TrimResult, VerifyProgress};
use stratalog_guest::decide::cursor::Pending;
use stratalog_guest::decide::options::{CompactInput, OptionsInput};
use stratalog_guest::drive::reader::ReadOptions;
use stratalog_guest::drive::trimmer::{TrimOptions, TrimPoint};
use stratalog_guest::format::names::BatchName;
use wasmtime::component::{Component, Linker, ResourceAny};
use wasmtime::{Config, Store};

mod copying;

use crate::memory::LOG;
use crate::records::{compact_options, trim_point, wit};
use crate::sim::imports::{self, ActorPorts, State};
use crate::sim::logic::{
    Compacted, Counted, Handle, Logic, Mended, Outcome, Page, Pass, Refusal, Verified, check_step,
    hidden,
};
use crate::sim::world::ActorView;
use bindings::exports::stratalog::log::append_log::Guest;

#[allow(clippy::all, clippy::pedantic, clippy::restriction, unreachable_pub, reason = "generated")]
pub mod bindings {
    wasmtime::component::bindgen!({
        path: "../wit",
        world: "log-component",
        imports: { default: async | trappable },
        exports: { default: async },
        with: { "stratalog:log/types": crate::records::wit },
    });
}

/// The compiled component. Cheap to clone.
#[derive(Clone)]
pub struct Engine {
    engine: wasmtime::Engine,
    component: bindings::LogComponentPre<State>,
}

impl Engine {
    /// Compiles the component that is built with the host.
    pub fn new() -> wasmtime::Result<Self> {
        let mut config = Config::new();
        config.concurrency_support(false);
        let engine = wasmtime::Engine::new(&config)?;
        let component = Component::from_binary(&engine, stratalog::Host::embedded_component())?;
        let mut linker = Linker::new(&engine);
        imports::add_to_linker(&mut linker, &component, &engine)?;
        let component = bindings::LogComponentPre::new(linker.instantiate_pre(&component)?)?;
        Ok(Self { engine, component })
    }
}

/// Makes instances for one actor.
#[derive(Clone)]
pub struct Instances<'y> {
    engine: Engine,
    view: ActorView<'y>,
}

/// One instance.
struct Instance<'y> {
    store: Store<State>,
    component: bindings::LogComponent,
    actor: ActorPorts<'y>,
}

type Shared<'y> = Rc<RefCell<Instance<'y>>>;

/// Continues a call of the component, and answers its imports on the way. An actor that crashes
/// drops the call, and with it the work of the instance.
fn drive<R>(
    mailbox: &imports::Mailbox,
    actor: &mut ActorPorts<'_>,
    call: impl Future<Output = wasmtime::Result<R>>,
) -> Outcome<R> {
    let mut context = Context::from_waker(Waker::noop());
    let crashed = {
        let mut call = pin!(call);
        loop {
            if let Poll::Ready(outcome) = call.as_mut().poll(&mut context) {
                return outcome.map_err(|error| Refusal::Wrong(format!("it traps: {error:?}")));
            }
            let import = mailbox.lock().unwrap().take().unwrap();
            if let Err(crash) = catch_unwind(AssertUnwindSafe(|| import(actor))) {
                break crash;
            }
        }
    };
    resume_unwind(crashed)
}

impl<'y> Instance<'y> {
    fn call<R, E: Into<Refusal>>(
        &mut self,
        call: impl AsyncFnOnce(&Guest, &mut Store<State>) -> wasmtime::Result<Result<R, E>>,
    ) -> Outcome<R> {
        let mailbox = self.store.data().mailbox.clone();
        let guest = self.component.stratalog_log_append_log();
        drive(&mailbox, &mut self.actor, call(guest, &mut self.store))?.map_err(Into::into)
    }
}

impl<'y> Instances<'y> {
    pub fn new(engine: Engine, view: ActorView<'y>) -> Self {
        Self { engine, view }
    }

    fn instance(&self) -> Outcome<Instance<'y>> {
        let mut store = Store::new(&self.engine.engine, State::default());
        let mailbox = store.data().mailbox.clone();
        let mut actor = ActorPorts::new(self.view);
        let component = self.engine.component.instantiate_async(&mut store);
        let component = drive(&mailbox, &mut actor, component)?;
        Ok(Instance { store, component, actor })
    }
}

impl From<wit::Error> for Refusal {
    fn from(error: wit::Error) -> Self {
        stratalog::Error::from(error).into()
    }
}

fn sealed_batch((name, lines): (BatchName, Vec<u8>)) -> wit::SealedBatch {
    wit::SealedBatch { name: name.to_string(), lines }
}

fn read_options(options: ReadOptions) -> wit::ReadOptions {
    wit::ReadOptions {
        start: options.start,
        last: options.last,
        limit: options.limit,
        since: options.since,
        until: options.until,
        pending: options.pending.map(|pending| wit::Pending {
            writer: pending.writer,
            last_time: pending.last_time,
            sealed: pending.sealed.into_iter().map(sealed_batch).collect(),
            lines: pending.lines,
        }),
    }
}

impl<'y> Logic<'y> for Instances<'y> {
    fn open(&self, options: OptionsInput) -> Outcome<Box<dyn Handle<'y> + 'y>> {
        let options = wit::Options {
            flush_threshold: options.flush_threshold,
            flush_bytes: options.flush_bytes,
            flush_interval_ms: options.flush_interval_ms,
            event_bytes_max: options.event_bytes_max,
            buffer_bytes_max: options.buffer_bytes_max,
            creates_max: options.creates_max,
        };
        let mut instance = self.instance()?;
        let log =
            instance.call(async |guest, store| guest.log().call_open(store, LOG, options).await)?;
        let instances = self.clone();
        Ok(Box::new(Opened { instances, instance: Rc::new(RefCell::new(instance)), log }))
    }

    fn read(&self, options: ReadOptions) -> Outcome<Box<dyn Pass + 'y>> {
        let (mut instance, options) = (self.instance()?, read_options(options));
        let reader =
            instance.call(async |guest, store| guest.call_read(store, LOG, &options).await)?;
        let instance = Rc::new(RefCell::new(instance));
        Ok(Box::new(Reading { instances: self.clone(), instance, reader }))
    }

    fn read_named(&self, name: &str, options: ReadOptions) -> Outcome<Box<dyn Pass + 'y>> {
        let (mut instance, options) = (self.instance()?, read_options(options));
        let reader = instance
            .call(async |guest, store| guest.call_read_named(store, LOG, name, &options).await)?;
        let instance = Rc::new(RefCell::new(instance));
        Ok(Box::new(Reading { instances: self.clone(), instance, reader }))
    }

    fn compact(&self, options: CompactInput) -> Outcome<Compacted> {
        let options = compact_options(options);
        let done = self
            .instance()?
            .call(async |guest, store| guest.call_compact(store, LOG, options).await)?;
        Ok(done.into())
    }

    fn trim(&self, point: TrimPoint, options: TrimOptions) -> Outcome<TrimResult> {
        let TrimOptions { lazy, keep_unread } = options;
        let options = wit::TrimOptions { lazy, keep_unread };
        let point = trim_point(point).into();
        self.instance()?
            .call(async |guest, store| guest.call_trim(store, LOG, &point, options).await)
    }

    fn plan_trim(&self, point: TrimPoint, options: TrimOptions) -> Outcome<TrimResult> {
        let TrimOptions { lazy, keep_unread } = options;
        let options = wit::TrimOptions { lazy, keep_unread };
        let point = trim_point(point).into();
        self.instance()?
            .call(async |guest, store| guest.call_plan_trim(store, LOG, &point, options).await)
    }

    fn verify(&self) -> Outcome<Verified> {
        let mut instance = self.instance()?;
        let verifier = instance.call(async |guest, store| guest.call_verify(store, LOG).await)?;
        let (mut last, mut findings) = (VerifyProgress::default(), Vec::new());
        loop {
            let hidden = hidden(self.view);
            let step = async |guest: &Guest, store: &mut _| {
                guest.verifier().call_next(store, verifier).await
            };
            let Some(checked) = instance.call(step)? else { break };
            last = checked;
            check_step(&last, &hidden)?;
            findings.append(&mut last.findings);
        }
        Ok(VerifyProgress { findings, ..last }.into())
    }

    fn stat(&self) -> Outcome<Counted> {
        let stats =
            self.instance()?.call(async |guest, store| guest.call_stat(store, LOG).await)?;
        Ok(stratalog::Stats::from(stats).into())
    }

    fn repair(&self) -> Outcome<Vec<Mended>> {
        let mut instance = self.instance()?;
        let Instance { store, component, actor } = &mut instance;
        let mailbox = store.data().mailbox.clone();
        let call = component.stratalog_log_repairs().call_repair(&mut *store, LOG, false);
        let steps = drive(&mailbox, actor, call)?.map_err(Refusal::from)?;
        Ok(steps.into_iter().map(Mended::from).collect())
    }
}

/// A handle that appends, in its instance.
struct Opened<'y> {
    instances: Instances<'y>,
    instance: Shared<'y>,
    log: ResourceAny,
}

impl<'y> Handle<'y> for Opened<'y> {
    fn append(&mut self, event: &[u8]) -> Outcome<()> {
        let log = self.log;
        let append =
            async |guest: &Guest, store: &mut _| guest.log().call_append(store, log, event).await;
        self.instance.borrow_mut().call(append)
    }

    fn append_lines(&mut self, lines: Vec<u8>) -> Outcome<u64> {
        let log = self.log;
        self.instance
            .borrow_mut()
            .call(async |guest, store| guest.log().call_append_lines(store, log, &lines).await)
    }

    fn tick(&mut self) -> bool {
        let log = self.log;
        let ticked = self.instance.borrow_mut().call(async |guest, store| {
            guest.log().call_tick(store, log).await.map(Ok::<_, Refusal>)
        });
        ticked.unwrap()
    }

    fn flush(&mut self) -> Outcome<u64> {
        let log = self.log;
        let mut instance = self.instance.borrow_mut();
        let flushed = instance.call(async |guest, store| guest.log().call_flush(store, log).await);
        Ok(flushed?.events)
    }

    fn pending(&mut self) -> Pending {
        let log = self.log;
        let pending = self.instance.borrow_mut().call(async |guest, store| {
            guest.log().call_pending(store, log).await.map(Ok::<_, Refusal>)
        });
        let pending = pending.unwrap();
        Pending {
            writer: pending.writer,
            last_time: pending.last_time,
            sealed: pending
                .sealed
                .into_iter()
                .map(|sealed| (BatchName::parse(&sealed.name).unwrap(), sealed.lines))
                .collect(),
            lines: pending.lines,
        }
    }

    fn read_all(&mut self) -> Outcome<Box<dyn Pass + 'y>> {
        let log = self.log;
        let reader = self
            .instance
            .borrow_mut()
            .call(async |guest, store| guest.log().call_read_all(store, log).await)?;
        let (instances, instance) = (self.instances.clone(), self.instance.clone());
        Ok(Box::new(Reading { instances, instance, reader }))
    }

    fn close(&mut self) -> Outcome<u64> {
        let log = self.log;
        let mut instance = self.instance.borrow_mut();
        let closed = instance.call(async |guest, store| guest.log().call_close(store, log).await);
        Ok(closed?.events)
    }

    fn rest(&mut self) -> Outcome<()> {
        let mut instance = self.instance.borrow_mut();
        let Instance { store, component, actor } = &mut *instance;
        let mailbox = store.data().mailbox.clone();
        let parking = component.stratalog_log_parking();
        let parked = drive(&mailbox, actor, parking.call_park(&mut *store, self.log))?;
        let Some(mut parked) = parked else { return Ok(()) };
        let mut next = self.instances.instance()?;
        if let Some(open) = &mut parked.open {
            open.lines = next.store.data_mut().keep_bytes(store.data_mut().take_bytes(&open.lines));
        }
        drop(instance);
        let Instance { store, component, actor } = &mut next;
        let mailbox = store.data().mailbox.clone();
        let unpark = component.stratalog_log_parking().call_unpark(&mut *store, LOG, parked);
        self.log = drive(&mailbox, actor, unpark)?.map_err(Refusal::from)?;
        self.instance = Rc::new(RefCell::new(next));
        Ok(())
    }
}

/// A reader, in its own instance or in that of the handle that it reads for.
struct Reading<'y> {
    instances: Instances<'y>,
    instance: Shared<'y>,
    reader: ResourceAny,
}

impl Pass for Reading<'_> {
    fn next_page(&mut self) -> Outcome<Option<Page>> {
        let reader = self.reader;
        let page = self
            .instance
            .borrow_mut()
            .call(async |guest, store| guest.reader().call_next(store, reader).await)?;
        Ok(page.map(|page| Page {
            lines: Some(page.lines),
            events: page.events,
            missed: page.missed,
        }))
    }

    fn position(&mut self) -> Option<String> {
        let reader = self.reader;
        let position = self.instance.borrow_mut().call(async |guest, store| {
            guest.reader().call_position(store, reader).await.map(Ok::<_, Refusal>)
        });
        position.unwrap()
    }

    fn commit(&mut self) -> Outcome<()> {
        let reader = self.reader;
        let mut instance = self.instance.borrow_mut();
        instance.call(async |guest, store| guest.reader().call_commit(store, reader, None).await)
    }

    fn rest(&mut self) -> Outcome<()> {
        let mut instance = self.instance.borrow_mut();
        let Instance { store, component, actor } = &mut *instance;
        let mailbox = store.data().mailbox.clone();
        let parking = component.stratalog_log_parking();
        let parked = drive(&mailbox, actor, parking.call_park_reader(&mut *store, self.reader))?;
        let Some(parked) = parked else { return Ok(()) };
        drop(instance);
        let mut next = self.instances.instance()?;
        let Instance { store, component, actor } = &mut next;
        let mailbox = store.data().mailbox.clone();
        let parking = component.stratalog_log_parking();
        let unpark = parking.call_unpark_reader(&mut *store, LOG, &parked);
        self.reader = drive(&mailbox, actor, unpark)?.map_err(Refusal::from)?;
        self.instance = Rc::new(RefCell::new(next));
        Ok(())
    }
}
