//! What a reader has been shown over the life of its position, and whether that is right.
//!
//! 1. Of each writer the events come one by one, from the first on. One that is left out must have
//!    been trimmed by then, or not be wanted.
//! 2. At the end of a pass everything that was stored when the pass began has been shown.
//! 3. What was trimmed or lost before the reader came to it is counted, to the event.

use std::collections::BTreeSet;

use crate::sim::history::{Event, History, read_events};

/// What to expect of a reader, and what it has shown so far.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    /// Of each line, the number of the next event.
    next: Vec<usize>,
    /// Events that were left out.
    gaps: Vec<Event>,
    pub shown: u64,
    pub missed: u64,
    /// Only events of batches sealed from `since` on and before `until` are wanted.
    pub since: Option<u64>,
    pub until: Option<u64>,
    /// The pass began at the last so many events: what comes before is not wanted.
    pub last: Option<u64>,
    /// A line, and how many of its events the reader knows by its writer's own word.
    pub own: Option<(usize, usize)>,
    /// What was in force when the pass began.
    start: Start,
    /// Whether the reader has given anything yet, and where the log began when it looked at it
    /// first, at least and at most: what was trimmed by then is not missed.
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

impl Ledger {
    /// Of a reader that knows so many events of a line by its writer's own word.
    pub fn of_writer(line: usize, written: usize) -> Self {
        Self { own: Some((line, written)), ..Self::default() }
    }

    /// Whether the event was shown, or left out for a reason.
    pub fn has_passed(&self, (line, number): Event) -> bool {
        self.next.get(line).is_some_and(|next| number < *next)
    }

    /// Whether the writer whose word the reader has had appended the event before.
    pub fn knows(&self, (line, number): Event) -> bool {
        self.own.is_some_and(|(own, end)| own == line && number < end)
    }

    /// A pass begins now.
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

    /// The reader has given something.
    fn begin(&mut self, history: &History) {
        if !self.begun {
            (self.begun, self.beginning.1) = (true, history.first_position);
        }
    }

    /// A page has been shown.
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
        let (line, number) = event;
        let pending = self.knows(event);
        if !pending && history.time(event).is_none() {
            return Err(format!("{line}-{number} is shown and was never stored"));
        }
        if self.own.is_some_and(|(own, end)| own == line && number >= end) {
            return Err(format!("{line}-{number} is shown and was appended after the pass began"));
        }
        if self.has_passed(event) {
            return Err(format!("{line}-{number} is shown twice, or behind what came after it"));
        }
        if !pending && history.position(event).is_some_and(|at| at < self.start.first_position) {
            return Err(format!("{line}-{number} is shown and had been trimmed before"));
        }
        if !self.wants(event, history) {
            return Err(format!("{line}-{number} is shown and not wanted"));
        }
        self.pass_over(line, number, history)?;
        self.next[line] += 1;
        Ok(())
    }

    /// Leaves out a line's events up to a number, if that is right.
    fn pass_over(&mut self, line: usize, end: usize, history: &History) -> Result<(), String> {
        if self.next.len() <= line {
            self.next.resize(line + 1, 0);
        }
        let at_start = self.last.is_some() && self.next[line] == 0;
        for number in self.next[line]..end {
            let event = (line, number);
            let is_gone = history.is_trimmed(event) || history.damage.is_lost(event);
            if !at_start && !is_gone && self.wants(event, history) {
                return Err(format!("{line}-{number} is lost, or shown out of order"));
            }
            self.gaps.push(event);
        }
        self.next[line] = self.next[line].max(end);
        Ok(())
    }

    fn wants(&self, event: Event, history: &History) -> bool {
        let Some(time) = history.time(event) else { return true };
        self.since.is_none_or(|since| time >= since) && self.until.is_none_or(|until| time < until)
    }

    /// The pass has come to its end.
    pub fn end_pass(&mut self, history: &History) -> Result<(), String> {
        self.begin(history);
        let start = std::mem::take(&mut self.start);
        if let Some(last) = self.last {
            return self.end_last(last, &start, history);
        }
        for (line, mut end) in start.stored.into_iter().enumerate() {
            if let Some((_, own_end)) = self.own.filter(|(own, _)| *own == line) {
                end = own_end;
            }
            self.pass_over(line, end, history)?;
        }
        if self.own.is_none() && self.since.is_none() && self.until.is_none() {
            let least = self.count_missed(start.first_position, history);
            let least = least.saturating_sub(self.beginning.1);
            let most = self.count_missed(history.first_position, history) - self.beginning.0;
            let least = least + self.count_lost(&start.lost, history);
            let most = most + self.count_lost(history.damage.lost(), history);
            // A position does not tell how many events of a batch of old were shown.
            let shown = history.old_line.and_then(|line| self.next.get(line)).copied().unwrap_or(0);
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

    /// Of the events before a position, how many were not shown.
    fn count_missed(&self, position: u64, history: &History) -> u64 {
        let before = |line: &Vec<u64>| line.partition_point(|at| *at < position);
        let lines = self.next.iter().zip(&history.lines);
        let passed: usize = lines.map(|(next, line)| before(&line.positions).min(*next)).sum();
        let gaps = self.gaps.iter();
        let left_out =
            gaps.filter(|gap| history.position(**gap).is_some_and(|at| at < position)).count();
        position - u64::try_from(passed - left_out).unwrap()
    }

    /// How many of the lost events were neither shown nor trimmed since.
    fn count_lost(&self, lost: &BTreeSet<Event>, history: &History) -> u64 {
        let is_shown = |event: &Event| self.has_passed(*event) && !self.gaps.contains(event);
        let missing = lost.iter().filter(|event| !is_shown(event) && !history.is_trimmed(**event));
        u64::try_from(missing.count()).unwrap()
    }

    /// A pass over the last so many events shows at least as many, if there were as many at its
    /// beginning and they were not trimmed on the way, and at most those that came on top.
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
