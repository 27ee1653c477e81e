//! Panics of the libraries below a store, turned into errors.
//!
//! Owns: catching a panic, and keeping its text from stderr: it may hold a secret.
//! Must not know: the work that panicked.
//!
//! 1. A panic within [`caught`] or [`Caught`] reaches only the caller.
//! 2. Any other panic is reported as before.

use std::any::Any;
use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::pin::Pin;
use std::sync::Once;
use std::task::{Context, Poll};

thread_local! {
    /// The number of catchers on the stack of this thread.
    static CATCHERS: Cell<u32> = const { Cell::new(0) };
}

/// The text of a panic that was caught. It may still hold secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Panicked(pub(crate) String);

impl Panicked {
    fn of(payload: &(dyn Any + Send)) -> Self {
        let text = payload.downcast_ref::<&str>().copied();
        let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
        Self(text.unwrap_or("without a message").to_owned())
    }
}

/// Runs the work and turns a panic in it into an error.
pub(crate) fn caught<T>(work: impl FnOnce() -> T) -> Result<T, Panicked> {
    let _quiet = Quiet::begin();
    catch_unwind(AssertUnwindSafe(work)).map_err(|payload| Panicked::of(payload.as_ref()))
}

/// A future whose panic is an error. It is not polled again afterwards.
pub(crate) struct Caught<F>(Pin<Box<F>>);

impl<F: Future> Caught<F> {
    pub(crate) fn new(work: F) -> Self {
        Self(Box::pin(work))
    }
}

impl<F: Future> Future for Caught<F> {
    type Output = Result<F::Output, Panicked>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match caught(|| self.0.as_mut().poll(context)) {
            Ok(poll) => poll.map(Ok),
            Err(panicked) => Poll::Ready(Err(panicked)),
        }
    }
}

/// Keeps the text of panics on this thread from stderr while it lives.
struct Quiet;

impl Quiet {
    fn begin() -> Self {
        static HOOK: Once = Once::new();
        // A thread that unwinds may not change the hook. The next one does.
        if std::thread::panicking() {
            return Self::enter();
        }
        HOOK.call_once(|| {
            let previous = take_hook();
            set_hook(Box::new(move |panic| {
                if CATCHERS.try_with(Cell::get).unwrap_or_default() == 0 {
                    previous(panic);
                }
            }));
        });
        Self::enter()
    }

    fn enter() -> Self {
        CATCHERS.with(|catchers| catchers.set(catchers.get() + 1));
        Self
    }
}

impl Drop for Quiet {
    fn drop(&mut self) {
        CATCHERS.with(|catchers| catchers.set(catchers.get() - 1));
    }
}

#[cfg(test)]
mod tests {
    use std::panic::panic_any;

    use super::*;

    #[tokio::test]
    async fn panics_are_caught_wherever_they_come_from() {
        assert_eq!(caught(|| 1), Ok(1));
        assert_eq!(caught(|| panic!("no {}", 2)), Err::<(), _>(Panicked("no 2".to_owned())));
        assert_eq!(caught(|| panic_any(3)), Err::<(), _>(Panicked("without a message".to_owned())));
        let late = Caught::new(async {
            tokio::task::yield_now().await;
            panic!("late")
        });
        assert_eq!(late.await, Err::<(), _>(Panicked("late".to_owned())));
        assert_eq!(Caught::new(async { 4 }).await, Ok(4));
        assert_eq!(CATCHERS.with(Cell::get), 0);
    }
}
