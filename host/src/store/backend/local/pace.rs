//! The pace of a file system: the time that it takes for one small file.
//!
//! Decides how many files are handled in one call where it may block, and how many such calls run
//! concurrently. A file system in memory takes microseconds, and a task for each file costs more
//! than the file. One on the network takes milliseconds, and many of its files must be in flight.
//!
//! 1. A run of files takes about [`RUN_TIME`], so a caller that stops waits little longer.
//! 2. Until the first file is measured, a run has one file.

use std::time::Duration;

/// The time that one run of files should take.
pub(crate) const RUN_TIME: Duration = Duration::from_millis(2);

/// The most files in a run. With more, the task is no smaller part of the cost.
pub(crate) const RUN_FILES_MAX: usize = 128;

/// Runs of this many files keep a processor busy: few of them are needed concurrently.
const BUSY_RUN_FILES: usize = 16;

/// The pace so far.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Pace {
    /// The files of the next run, once one was measured.
    run: Option<usize>,
    /// The runs that were measured.
    #[cfg(test)]
    pub(crate) runs: usize,
}

impl Pace {
    /// Records that some files took this long.
    pub(crate) fn measured(&mut self, files: usize, took: Duration) {
        #[cfg(test)]
        (self.runs += 1);
        let Ok(count) = u32::try_from(files.max(1)) else { return };
        let nanos = (took / count).as_nanos().max(1);
        let fitting = RUN_TIME.as_nanos() / nanos;
        let fitting = usize::try_from(fitting).unwrap_or(RUN_FILES_MAX).clamp(1, RUN_FILES_MAX);
        // One file that was slow or fast by chance decides little.
        let before = self.run.unwrap_or(fitting);
        self.run = Some(fitting.clamp(before.div_ceil(4), before.saturating_mul(4)));
    }

    /// Returns the number of files of the next run.
    pub(crate) fn run_files(self) -> usize {
        self.run.unwrap_or(1)
    }

    /// Returns whether the time of a run is that of the processor rather than of a device.
    pub(crate) fn is_busy(self) -> bool {
        self.run.is_some_and(|run| run >= BUSY_RUN_FILES)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_long_where_files_are_fast_and_short_where_they_are_slow() {
        let mut pace = Pace::default();
        assert_eq!((pace.run_files(), pace.is_busy()), (1, false));
        pace.measured(1, Duration::from_micros(10));
        assert_eq!((pace.run_files(), pace.is_busy()), (RUN_FILES_MAX, true));
        // One slow run in between.
        pace.measured(128, Duration::from_secs(2));
        assert_eq!(pace.run_files(), 32);
        pace.measured(32, Duration::from_micros(320));
        assert_eq!(pace.run_files(), RUN_FILES_MAX);
        for _ in 0..4 {
            pace.measured(1, Duration::from_millis(5));
        }
        assert_eq!((pace.run_files(), pace.is_busy()), (1, false));
        pace.measured(0, Duration::ZERO);
        assert_eq!(pace.run_files(), 4);
    }
}
