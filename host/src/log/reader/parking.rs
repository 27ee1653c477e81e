//! Gives the instance of a reader back, and gets another one.

use std::pin::pin;

use futures::FutureExt as _;
use tokio::time::timeout;

use super::{Answer, Live, Place, Reader};
use crate::error::Result;
use crate::limits::STEP_OUTSIDE_AFTER;
use crate::sandbox::calls::Calls;
use crate::sandbox::engine::SharedEngine;
use crate::sandbox::instance::{Handle, Instance};
use crate::sandbox::seats::Seat;

/// The fate of a reader's instance after a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::log) enum Park {
    /// It keeps its instance, also for the places of the events of its last page.
    Never,
    IfCrowded,
    Always,
}

impl Reader {
    /// Gives the instance back, if it should and the component says that nothing is lost. If the
    /// instance fails, the next call returns that.
    pub(in crate::log) async fn park(&mut self, when: Park) {
        let is_due = match when {
            Park::Never => false,
            Park::IfCrowded => self.engine.reader_seats().are_crowded(),
            Park::Always => true,
        };
        let Place::Live(live) = &mut self.place else { return };
        if !is_due {
            return;
        }
        let handle = live.handle;
        let parked = live.calls.end_or_make(move |instance| {
            let parked = instance.park_reader(handle);
            async move { Ok(Answer::Parked(parked.await?.map(Box::new))) }.boxed()
        });
        if let Ok(Answer::Parked(Some(parked))) = parked.await {
            self.place = Place::Parked(parked);
        }
    }

    /// Gets an instance, if the reader is parked. Returns the seat for this call.
    ///
    /// Cancel safe: the state can be used until there is a reader of it.
    pub(super) async fn wake(&mut self) -> Result<Option<Seat>> {
        let Place::Parked(parked) = &self.place else { return Ok(None) };
        let seat = self.engine.reader_seats().take().await?;
        let mut instance = self.engine.instantiate(&self.store).await?;
        let handle = instance.unpark_reader(&self.name, parked).await?;
        self.place = Place::live(&self.engine, instance, handle);
        Ok(Some(seat))
    }
}

impl Place {
    pub(super) fn live(engine: &SharedEngine, instance: Instance, handle: Handle) -> Self {
        let counted = engine.reader_seats().count();
        Self::Live(Box::new(Live { calls: Calls::new(instance), handle, _counted: counted }))
    }
}

/// Completes a call that waits for a store. If that takes long, its seat is left to another reader.
pub(super) async fn outside_if_slow<T>(
    mut seat: Option<&mut Seat>,
    call: impl Future<Output = T>,
) -> T {
    let mut call = pin!(call);
    loop {
        let Some(seat) = &mut seat else { return call.await };
        match timeout(STEP_OUTSIDE_AFTER, &mut call).await {
            Ok(answer) => return answer,
            Err(_) => seat.step_outside(),
        }
    }
}
