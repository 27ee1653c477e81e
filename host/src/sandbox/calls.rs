//! An instance that a handle owns, and the call in progress in it.
//!
//! 1. A call in progress is owned by the handle, not by the future that waits for it. If the future
//!    is dropped, the call pauses, and the next call on the handle completes it. A component cannot
//!    be called again once a call has been torn out of it.
//! 2. A call that failed as a whole, by a trap, is the last one. The instance and its memory are
//!    dropped, and every later call fails in the same way.

use futures::FutureExt as _;
use futures::future::BoxFuture;

use crate::error::Error;
use crate::sandbox::instance::{CallError, Called, Instance};

/// An instance whose calls return an `A` each.
pub(crate) struct Calls<A> {
    state: State<A>,
}

enum State<A> {
    Idle(Box<Instance>),
    InProgress(BoxFuture<'static, (Box<Instance>, Called<A>)>),
    Over(Error),
}

/// A call on an instance.
pub(crate) type Call<'a, A> = BoxFuture<'a, Called<A>>;

impl<A: Send + 'static> Calls<A> {
    pub(crate) fn new(instance: Instance) -> Self {
        Self { state: State::Idle(Box::new(instance)) }
    }

    /// Returns true if a call was dropped half way.
    pub(crate) fn is_in_progress(&self) -> bool {
        matches!(self.state, State::InProgress(_))
    }

    /// Completes the call that was dropped half way, if there is one; otherwise makes this call.
    /// Cancel safe.
    ///
    /// # Errors
    /// [`CallError::Trapped`] for a failure of the instance, by this call or an earlier one.
    pub(crate) async fn end_or_make(
        &mut self,
        call: impl FnOnce(&mut Instance) -> Call<'_, A> + Send + 'static,
    ) -> Called<A> {
        // Nothing is awaited before the handle owns the call.
        if let State::Idle(_) = self.state
            && let State::Idle(mut instance) = std::mem::replace(&mut self.state, lost())
        {
            let call = async move {
                let answer = call(&mut instance).await;
                (instance, answer)
            };
            self.state = State::InProgress(call.boxed());
        }
        let (instance, answer) = match &mut self.state {
            State::InProgress(call) => call.await,
            State::Over(error) => return Err(CallError::Trapped(error.clone())),
            State::Idle(_) => return Err(CallError::Trapped(Error::Closed)),
        };
        self.state = match &answer {
            Ok(_) | Err(CallError::Returned(_)) => State::Idle(instance),
            Err(CallError::Trapped(error)) => State::Over(error.clone()),
        };
        answer
    }
}

fn lost<A>() -> State<A> {
    State::Over(Error::Guest("the instance of the component is gone".to_owned()))
}
