//! Counts events, and formats the counts.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::fmt;

use serde_json::Value;

/// The counts of one run.
#[derive(Debug, Default)]
pub(crate) struct Summary {
    pub(crate) lines: u64,
    pub(crate) not_understood: u64,
    pub(crate) journalled: u64,
    /// The errors in the log, including those of earlier runs.
    pub(crate) logged: u64,
    /// The events in the log that another program wrote.
    pub(crate) foreign: u64,
    by_path: BTreeMap<(String, u64), u64>,
}

impl Summary {
    /// Counts the events of a page, each ended by LF.
    pub(crate) fn count(&mut self, lines: &[u8]) {
        for event in lines.split_inclusive(|byte| *byte == b'\n') {
            match logged_error(event) {
                Some(key) => {
                    self.logged += 1;
                    *self.by_path.entry(key).or_default() += 1;
                }
                None => self.foreign += 1,
            }
        }
    }
}

/// Returns the path and the status of an event of this job.
fn logged_error(event: &[u8]) -> Option<(String, u64)> {
    let event: Value = serde_json::from_slice(event).ok()?;
    let path = event.get("path")?.as_str()?;
    let status = event.get("status")?.as_u64()?;
    (500..=599).contains(&status).then(|| (path.to_owned(), status))
}

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "lines read: {}", self.lines)?;
        writeln!(f, "lines not understood: {}", self.not_understood)?;
        writeln!(f, "errors journalled: {}", self.journalled)?;
        writeln!(f, "errors in the log: {}", self.logged)?;
        // The most frequent first, then by path and status.
        let mut counts: Vec<_> = self.by_path.iter().collect();
        counts.sort_by_key(|(_, count)| Reverse(**count));
        for ((path, status), count) in counts {
            // As JSON, so that a path with any characters stays on its line.
            writeln!(f, "{count} times {status} {}", Value::from(path.as_str()))?;
        }
        if self.foreign > 0 {
            writeln!(f, "events of others in the log: {}", self.foreign)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_are_by_frequency_then_path_then_status() {
        let mut summary = Summary::default();
        summary.count(b"{\"path\":\"/b\",\"status\":500}\n{\"path\":\"/a\",\"status\":503}\n");
        summary.count(b"{\"path\":\"/a\",\"status\":500}\n{\"path\":\"/c\\n\",\"status\":500}\n");
        summary.count(
            b"{\"path\":\"/c\\n\",\"status\":500}\nno json\n{\"path\":\"/a\",\"status\":200}\n",
        );
        let expected = "lines read: 0\nlines not understood: 0\nerrors journalled: 0\n\
            errors in the log: 5\n2 times 500 \"/c\\n\"\n1 times 500 \"/a\"\n1 times 503 \"/a\"\n\
            1 times 500 \"/b\"\nevents of others in the log: 2\n";
        assert_eq!(summary.to_string(), expected);
    }
}
