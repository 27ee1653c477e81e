//! The events that a reader has been shown over the life of its position, and their judge.
//!
//! 1. The events of each writer come one by one, from the first on. An omitted event must be
//!    trimmed by then, or not wanted.
//! 2. Only visible events are shown. At the end of a pass, everything that was visible at its
//!    beginning has been shown.
//! 3. Events that were trimmed or lost before the reader came to them are counted exactly.

use std::collections::BTreeSet;

use crate::sim::history::{Event, History, read_events};

/// The expected events of a reader, and those shown so far.
#[derive(Clone, Debug, Default)]
pub struct Expectation {
    /// The number of the next event of each writer.
    next: Vec<usize>,
    /// Events that were left out.
    gaps: Vec<Event>,
    pub shown: u64,
    pub missed: u64,
    /// Only events of batches sealed at or after `since` and before `until` are wanted.
    pub since: Option<u64>,
    pub until: Option<u64>,
    /// The pass began at the last N events: earlier ones are not wanted.
    pub last: Option<u64>,
    /// A writer, and the number of its events that the reader knows from the writer itself.
    pub own: Option<(usize, usize)>,
    /// The state of the log when the pass began.
    start: Start,
    /// True once the reader has given anything. Events that were trimmed before its first load of
    /// the log are not missed; these are the lowest and highest first positions then.
    begun: bool,
    beginning: (u64, u64),
}

#[derive(Clone, Debug, Default)]
struct Start {
    stored: Vec<usize>,
    events: u64,
    first_position: u64,
    lost: BTreeSet<Event>,
}

impl Expectation {
    /// Makes the expectation of a reader that knows this many events from a writer itself.
    pub fn of_writer(writer: usize, written: usize) -> Self {
        Self { own: Some((writer, written)), ..Self::default() }
    }

    /// True if the event was shown, or left out for a reason.
    pub fn has_passed(&self, (writer, number): Event) -> bool {
        self.next.get(writer).is_some_and(|next| number < *next)
    }

    /// True if the writer that the reader depends on had appended the event before.
    pub fn knows(&self, (writer, number): Event) -> bool {
        self.own.is_some_and(|(own, end)| own == writer && number < end)
    }

    /// Begins a pass now.
    pub fn begin_pass(&mut self, history: &History) {
        self.start = Start {
            stored: history.stored(),
            events: history.stored_events(),
            first_position: history.first_position,
            lost: history.damage.lost().clone(),
        };
        if !self.begun {
            self.beginning.0 = history.first_position;
        }
    }

    /// Records that the reader has given something.
    fn begin(&mut self, history: &History) {
        if !self.begun {
            (self.begun, self.beginning.1) = (true, history.first_position);
        }
    }

    /// Checks a page that has been shown.
    pub fn show(
        &mut self,
        lines: &[u8],
        events: u64,
        missed: u64,
        history: &History,
    ) -> Result<(), String> {
        self.begin(history);
        let read = read_events(lines)?;
        if u64::try_from(read.len()) != Ok(events) {
            return Err(format!("a page of {events} events has {}", read.len()));
        }
        self.shown += events;
        self.missed += missed;
        read.into_iter().try_for_each(|event| self.show_event(event, history))
    }

    fn show_event(&mut self, event: Event, history: &History) -> Result<(), String> {
        let (writer, number) = event;
        let pending = self.knows(event);
        if !pending && history.time(event).is_none() {
            return Err(format!("{writer}-{number} is shown and is not visible"));
        }
        if self.own.is_some_and(|(own, end)| own == writer && number >= end) {
            return Err(format!(
                "{writer}-{number} is shown and was appended after the pass began"
            ));
        }
        if self.has_passed(event) {
            return Err(format!("{writer}-{number} is shown twice, or behind what came after it"));
        }
        if !pending && history.position(event).is_some_and(|at| at < self.start.first_position) {
            return Err(format!("{writer}-{number} is shown and had been trimmed before"));
        }
        if !self.wants(event, history) {
            return Err(format!("{writer}-{number} is shown and not wanted"));
        }
        self.pass_over(writer, number, history)?;
        self.next[writer] += 1;
        Ok(())
    }

    /// Leaves out a writer's events up to a number, if that is right.
    fn pass_over(&mut self, writer: usize, end: usize, history: &History) -> Result<(), String> {
        if self.next.len() <= writer {
            self.next.resize(writer + 1, 0);
        }
        let at_start = self.last.is_some() && self.next[writer] == 0;
        for number in self.next[writer]..end {
            let event = (writer, number);
            let is_gone = history.is_trimmed(event) || history.damage.is_lost(event);
            if !at_start && !is_gone && self.wants(event, history) {
                return Err(format!("{writer}-{number} is lost, or shown out of order"));
            }
            self.gaps.push(event);
        }
        self.next[writer] = self.next[writer].max(end);
        Ok(())
    }

    fn wants(&self, event: Event, history: &History) -> bool {
        let Some(time) = history.time(event) else { return true };
        self.since.is_none_or(|since| time >= since) && self.until.is_none_or(|until| time < until)
    }

    /// Checks that the pass has come to its end.
    pub fn end_pass(&mut self, history: &History) -> Result<(), String> {
        self.begin(history);
        let start = std::mem::take(&mut self.start);
        if let Some(last) = self.last {
            return self.end_last(last, &start, history);
        }
        for (writer, mut end) in start.stored.into_iter().enumerate() {
            if let Some((_, own_end)) = self.own.filter(|(own, _)| *own == writer) {
                end = own_end;
            }
            self.pass_over(writer, end, history)?;
        }
        if self.own.is_none() && self.since.is_none() && self.until.is_none() {
            let least = self.count_missed(start.first_position, history);
            let least = least.saturating_sub(self.beginning.1);
            let most = self.count_missed(history.first_position, history) - self.beginning.0;
            let least = least + self.count_lost(&start.lost, history);
            let most = most + self.count_lost(history.damage.lost(), history);
            // A position does not contain the number of events shown of a legacy batch.
            let shown = history
                .legacy_writer
                .and_then(|writer| self.next.get(writer))
                .copied()
                .unwrap_or(0);
            let most = most + u64::try_from(shown).unwrap();
            if self.missed < least || self.missed > most {
                return Err(format!(
                    "{} events are said to be missed, and it was {least} to {most}",
                    self.missed
                ));
            }
        }
        Ok(())
    }

    /// Counts the events before a position that were not shown.
    fn count_missed(&self, position: u64, history: &History) -> u64 {
        let before = |writer: &Vec<u64>| writer.partition_point(|at| *at < position);
        let writers = self.next.iter().zip(&history.writers);
        let passed: usize =
            writers.map(|(next, writer)| before(&writer.positions).min(*next)).sum();
        let gaps = self.gaps.iter();
        let left_out =
            gaps.filter(|gap| history.position(**gap).is_some_and(|at| at < position)).count();
        position - u64::try_from(passed - left_out).unwrap()
    }

    /// Counts the lost events that were neither shown nor trimmed since.
    fn count_lost(&self, lost: &BTreeSet<Event>, history: &History) -> u64 {
        let is_shown = |event: &Event| self.has_passed(*event) && !self.gaps.contains(event);
        let missing = lost.iter().filter(|event| !is_shown(event) && !history.is_trimmed(**event));
        u64::try_from(missing.count()).unwrap()
    }

    /// Checks a pass over the last N events. It shows at least N, unless there were fewer at its
    /// beginning or some were trimmed on the way. It shows at most N and the events added since.
    fn end_last(&self, last: u64, start: &Start, history: &History) -> Result<(), String> {
        let least = last.min(start.events.saturating_sub(history.first_position));
        let most = last + (history.stored_events() - start.events);
        let counted = self.shown + self.missed;
        if counted < least || self.shown > most {
            return Err(format!(
                "of the last {last} events {} are shown and {} missed; there were {least} to {most}",
                self.shown, self.missed
            ));
        }
        Ok(())
    }
}
