//! The waits of a writer's task, besides those for commands.

use std::sync::Arc;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

/// The turns of the runtime without a command before a seal. Each takes about a microsecond.
const TURNS_BEFORE_SEAL: usize = 4;

/// Waits until the tasks that are ready have run: they may append more, and that is one batch less.
/// Those of another thread may take more than one turn of this one.
pub(super) async fn others_have_run() {
    for _ in 0..TURNS_BEFORE_SEAL {
        tokio::task::yield_now().await;
    }
}

/// Waits until `at`; forever if it is none.
pub(super) async fn reached(at: Option<Instant>) {
    match at {
        Some(at) => sleep_until(at).await,
        None => std::future::pending().await,
    }
}

/// Waits for a notification; forever if it is none.
pub(super) async fn notified(notify: Option<Arc<Notify>>) {
    match notify {
        Some(notify) => notify.notified().await,
        None => std::future::pending().await,
    }
}
