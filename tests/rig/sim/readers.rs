//! Actors that read: repeatedly from a position, or a part of the log.

use stratalog_guest::drive::reader::ReadOptions;

use crate::sim::actors::{Actor, DAMAGED_TRIES, unless_wrong};
use crate::sim::damage;
use crate::sim::expectation::Expectation;
use crate::sim::logic::{Page, Pass};
use crate::sim::random::Random;

impl<'y> Actor<'y> {
    /// Records a page, and checks it.
    pub fn show(
        &self,
        expectation: &mut Expectation,
        page: &Page,
        what: &str,
    ) -> Result<(), String> {
        let mut state = self.view.state();
        let missed = page.missed.to_string();
        let lines = page.lines.as_deref().unwrap_or_default();
        state.trace.note(self.view.actor, what, &missed, lines);
        let shown = expectation.show(lines, page.events, page.missed, &state.history);
        shown.map_err(|failure| format!("{what}: {failure}"))
    }

    /// Reads to the end of the stored events, which must be right.
    pub fn finish_pass(
        &mut self,
        pass: &mut (dyn Pass + 'y),
        expectation: &mut Expectation,
        what: &str,
    ) -> Result<(), String> {
        let mut refused = 0;
        loop {
            match unless_wrong(what, pass.next_page())? {
                Some(Some(page)) => self.show(expectation, &page, what)?,
                Some(None) => break,
                None => refused += 1,
            }
            if refused > DAMAGED_TRIES && damage::is_expected() {
                return Ok(());
            }
        }
        self.note(what, "end");
        let ended = expectation.end_pass(&self.view.state().history);
        ended.map_err(|failure| format!("{what}: {failure}"))
    }

    /// Reads repeatedly from one position, stopping in the middle and continuing elsewhere.
    pub fn follow(&mut self, passes: u64) -> Result<(), String> {
        let (mut position, mut expectation) = self.take_saved_position().unwrap_or_default();
        let mut pass: Option<Box<dyn Pass + 'y>> = None;
        for _ in 0..passes {
            self.follow_once(&mut pass, &mut position, &mut expectation)?;
            if self.plan.chance(1, 2) {
                pass = None;
            }
            if self.plan.chance(1, 2) {
                self.saved.borrow_mut().push((position.clone(), expectation.clone()));
            }
            let steps = self.plan.below(80);
            self.view.pause(steps);
        }
        self.saved.borrow_mut().push((position, expectation));
        Ok(())
    }

    /// Makes one pass, by one reader or several that follow each other.
    pub fn follow_once(
        &mut self,
        pass: &mut Option<Box<dyn Pass + 'y>>,
        position: &mut Option<String>,
        expectation: &mut Expectation,
    ) -> Result<(), String> {
        expectation.begin_pass(&self.view.state().history);
        // The events that the current reader may still show.
        let mut left = None;
        // What is compacted while a reader polls may be new to its next poll only.
        let mut polls = if pass.is_some() { 2 } else { 1 };
        let is_impatient = pass.is_some() && self.plan.chance(1, 2);
        let mut refused = 0;
        loop {
            if refused > DAMAGED_TRIES && damage::is_expected() {
                *pass = None;
                return Ok(());
            }
            if pass.is_none() {
                left = self.plan.chance(1, 3).then(|| self.plan.up_to(6));
                let start = position.clone();
                let options = ReadOptions { start, limit: left, ..ReadOptions::default() };
                *pass = unless_wrong("read", self.logic.read(options))?;
                polls = 1;
            }
            let Some(reader) = pass else {
                refused += 1;
                continue;
            };
            match unless_wrong("read", reader.next_page())? {
                Some(Some(page)) => {
                    *position = reader.position();
                    self.note("position", position.as_deref().unwrap_or_default());
                    self.show(expectation, &page, "read")?;
                    if let Some(left) = &mut left {
                        *left = left
                            .checked_sub(page.events)
                            .ok_or_else(|| format!("{} events, limit {left}", page.events))?;
                    }
                    if self.plan.chance(1, 8) {
                        self.saved.borrow_mut().push((position.clone(), expectation.clone()));
                    }
                    if self.plan.chance(1, 4) {
                        *pass = None;
                    }
                    self.rest(pass)?;
                }
                Some(None) => {
                    *position = reader.position();
                    self.note("position", position.as_deref().unwrap_or_default());
                    if left.is_some() {
                        // Such a reader does not load the log again.
                        *pass = None;
                    }
                    if left != Some(0) {
                        polls -= 1;
                        if polls == 0 {
                            break;
                        }
                        if is_impatient {
                            return Ok(());
                        }
                    }
                    self.rest(pass)?;
                }
                None => {
                    refused += 1;
                    if self.plan.chance(1, 2) {
                        *pass = None;
                    }
                }
            }
        }
        let ended = expectation.end_pass(&self.view.state().history);
        ended.map_err(|failure| format!("read: {failure}"))
    }

    /// Parks the reader and makes it again, in half of the cases.
    fn rest(&self, pass: &mut Option<Box<dyn Pass + 'y>>) -> Result<(), String> {
        // With its own numbers, as for writers.
        if let Some(reader) = pass
            && Random::new(self.plan.clone().draw()).chance(1, 2)
        {
            unless_wrong("rest", reader.rest())?;
        }
        Ok(())
    }

    /// Reads a part of the log: the last events, or those of some time.
    pub fn read_part(&mut self) -> Result<(), String> {
        let mut expectation = Expectation::default();
        let mut options = ReadOptions::default();
        if self.plan.chance(1, 2) {
            let last = self.plan.below(12);
            (options.last, expectation.last) = (Some(last), Some(last));
        } else {
            let since = self.plan.chance(2, 3).then(|| self.some_time());
            let until = self.plan.chance(2, 3).then(|| self.some_time());
            (options.since, expectation.since) = (since, since);
            (options.until, expectation.until) = (until, until);
        }
        let what = format!("read {options:?}");
        expectation.begin_pass(&self.view.state().history);
        let Some(mut pass) = unless_wrong(&what, self.logic.read(options))? else { return Ok(()) };
        self.finish_pass(&mut *pass, &mut expectation, &what)
    }
}
