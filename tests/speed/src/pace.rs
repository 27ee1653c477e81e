//! The pace of tasks that each do one thing after another.

use std::time::{Duration, Instant};

/// The time before anything counts.
const WARM_UP: Duration = Duration::from_millis(500);

/// A measured pace.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    /// Completed calls of all tasks in a second.
    pub(crate) per_second: f64,
    /// The median time of a call, in milliseconds.
    pub(crate) median_ms: f64,
}

/// Runs this many tasks for a while. Each calls `step` again and again.
///
/// # Panics
/// When a task panics, or completes no call.
pub(crate) async fn pace<S, F>(tasks: usize, time: Duration, step: S) -> Pace
where
    S: Fn() -> F + Clone + Send + 'static,
    F: Future<Output = ()> + Send + 'static,
{
    let begun = Instant::now() + WARM_UP;
    let end = begun + time;
    let running: Vec<_> =
        (0..tasks).map(|_| tokio::spawn(timed(begun, end, step.clone()))).collect();
    let mut times = Vec::new();
    for task in running {
        times.extend(task.await.expect("a task"));
    }
    times.sort_unstable();
    let median = times.get(times.len() / 2).expect("a completed call");
    Pace {
        per_second: times.len() as f64 / time.as_secs_f64(),
        median_ms: median.as_secs_f64() * 1_000.0,
    }
}

/// Returns the times of the calls that ended between `begun` and `end`.
async fn timed<F: Future<Output = ()>>(
    begun: Instant,
    end: Instant,
    step: impl Fn() -> F,
) -> Vec<Duration> {
    let mut times = Vec::new();
    loop {
        let start = Instant::now();
        step().await;
        let now = Instant::now();
        if now >= end {
            return times;
        }
        if now >= begun {
            times.push(now - start);
        }
    }
}
