//! Frequent calls: those that succeed and need no waiting, mostly many equal ones in a row.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::super::usage::Call;
use super::calls::{CallOutcome, Key};
use super::shared::Recorder;
use super::streak::Counted;

/// The streak that the plugin's thread counts.
pub(in crate::plugin) struct Streak {
    recorder: Recorder,
    of: Option<(Call, u64)>,
    counted: Counted,
}

impl Streak {
    pub(in crate::plugin) fn new(recorder: Recorder) -> Self {
        Self { recorder, of: None, counted: Counted::default() }
    }

    pub(in crate::plugin) fn recorder(&self) -> &Recorder {
        &self.recorder
    }

    /// Counts a call on a handle that returned successfully and did not wait.
    pub(in crate::plugin) fn succeeded(
        &mut self,
        of: (Call, u64),
        label: &Arc<str>,
        (events, bytes): (u64, u64),
        begun: Instant,
    ) {
        let last = nanoseconds(begun.saturating_duration_since(self.recorder.begun()));
        let counters = self.recorder.counters();
        if self.of != Some(of) || counters.is_over() {
            self.of = Some(of);
            self.counted = Counted { count: 1, events, bytes, last };
            let (label, outcome) = (label.clone(), CallOutcome::Succeeded);
            let key = Key { call: of.0, label, handle: Some(of.1), outcome };
            return self.recorder.begin_streak(key, begun, self.counted);
        }
        let counted = &mut self.counted;
        counted.count += 1;
        counted.events = counted.events.saturating_add(events);
        counted.bytes = counted.bytes.saturating_add(bytes);
        counted.last = last;
        counters.write(*counted);
    }
}

fn nanoseconds(time: Duration) -> u64 {
    time.as_secs().saturating_mul(1_000_000_000).saturating_add(time.subsec_nanos().into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::bindings::wasi::logging::logging::Level;

    const OF: (Call, u64) = (Call::Append, 1);

    #[test]
    fn calls_of_a_streak_are_recorded_once_however_often_they_are_taken() {
        const CALLS: u64 = 300_000;
        let (recorder, label) = (Recorder::new(), Arc::from("errors"));
        let mut streak = Streak::new(recorder.clone());
        let mut taken = Vec::new();
        std::thread::scope(|scope| {
            let plugin = scope.spawn(|| {
                (0..CALLS).for_each(|_| streak.succeeded(OF, &label, (1, 10), Instant::now()));
            });
            while !plugin.is_finished() {
                taken.extend(recorder.take(Instant::now()).calls);
            }
        });
        taken.extend(recorder.take(Instant::now()).calls);
        let mut number = 0;
        for group in taken {
            assert_eq!((group.first.0, group.last.0), (number + 1, number + group.count));
            assert_eq!((group.amount.events, group.amount.bytes), (group.count, 10 * group.count));
            assert!(group.first.1 <= group.last.1);
            number = group.last.0;
        }
        assert_eq!(number, CALLS);
    }

    #[test]
    fn streak_ends_with_the_time_of_its_last_call() {
        let (recorder, label) = (Recorder::new(), Arc::from("errors"));
        let mut streak = Streak::new(recorder.clone());
        let times = [1, 2, 9_001].map(|millis| recorder.begun() + Duration::from_millis(millis));
        for time in times {
            streak.succeeded(OF, &label, (1, 10), time);
        }
        assert!(!recorder.counters().is_over(), "equal calls need no lock");
        let calls = recorder.take(Instant::now()).calls;
        assert_eq!(calls.len(), 1);
        assert_eq!((calls[0].first, calls[0].last), ((1, times[0]), (3, times[2])));
        assert!(recorder.counters().is_over());
        assert!(recorder.take(Instant::now()).calls.is_empty());
    }

    #[test]
    fn numbers_of_calls_and_of_messages_are_in_their_order() {
        let (recorder, label) = (Recorder::new(), Arc::from("errors"));
        let mut streak = Streak::new(recorder.clone());
        let mut append = |of| streak.succeeded(of, &label, (1, 10), Instant::now());
        append(OF);
        append(OF);
        recorder.message(Level::Info, "half of it");
        append(OF);
        append((Call::AppendLines, 1));
        append((Call::Append, 2));
        let stretch = recorder.take(Instant::now());
        assert_eq!(stretch.texts.kept[0].at.0, 3);
        let seen = stretch.calls.iter().map(|group| (group.count, group.first.0, group.last.0));
        assert_eq!(seen.collect::<Vec<_>>(), [(3, 1, 4), (1, 5, 5), (1, 6, 6)]);
    }
}
