//! An instance that a handle owns, and the call under way in it.
//!
//! 1. A call under way belongs to the handle and not to the future that waits for it: when that is
//!    dropped, the call stands still, and the next one that is made on the handle goes on with it. A
//!    component that a call has been torn out of cannot be called again.
//! 2. A call that failed as a whole, by a trap, is the last one: the instance goes, with the memory
//!    that it takes, and every later call fails in the same way.

use futures::FutureExt as _;
use futures::future::BoxFuture;

use crate::error::{Error, Result};
use crate::sandbox::instance::Instance;

/// An instance whose calls come to an `A` each.
pub(crate) struct Calls<A> {
    state: State<A>,
}

enum State<A> {
    Idle(Box<Instance>),
    UnderWay(BoxFuture<'static, (Box<Instance>, Result<A>)>),
    Over(Error),
}

/// A call on an instance: what it came to, or how the instance failed.
pub(crate) type Call<'a, A> = BoxFuture<'a, Result<A>>;

impl<A: Send + 'static> Calls<A> {
    pub(crate) fn new(instance: Instance) -> Self {
        Self { state: State::Idle(Box::new(instance)) }
    }

    /// Ends the call that was given up half way, if one was; or else makes this one. Cancel safe.
    ///
    /// # Errors
    /// How the instance failed, this time or before.
    pub(crate) async fn end_or_make(
        &mut self,
        call: impl FnOnce(&mut Instance) -> Call<'_, A> + Send + 'static,
    ) -> Result<A> {
        // Nothing is awaited before the call is where it belongs.
        if let State::Idle(_) = self.state
            && let State::Idle(mut instance) = std::mem::replace(&mut self.state, lost())
        {
            let call = async move {
                let answer = call(&mut instance).await;
                (instance, answer)
            };
            self.state = State::UnderWay(call.boxed());
        }
        let (instance, answer) = match &mut self.state {
            State::UnderWay(call) => call.await,
            State::Over(error) => return Err(error.clone()),
            State::Idle(_) => return Err(Error::Closed),
        };
        self.state = match &answer {
            Ok(_) => State::Idle(instance),
            Err(error) => State::Over(error.clone()),
        };
        answer
    }
}

fn lost<A>() -> State<A> {
    State::Over(Error::Guest("its instance is gone".to_owned()))
}
