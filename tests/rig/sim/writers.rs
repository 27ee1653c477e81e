//! Actors that write, and read their own events.

use stratalog_guest::decide::cursor::Pending;
use stratalog_guest::decide::options::OptionsInput;
use stratalog_guest::drive::reader::ReadOptions;
use stratalog_guest::format::names::{BatchName, BatchTime, Digest, Origin, WriterId};
use stratalog_guest::mutants::{self, Mutant};

use crate::memory::log;
use crate::sim::actors::{Actor, unless_wrong};
use crate::sim::damage;
use crate::sim::expectation::Expectation;
use crate::sim::history::{read_events, write_event};
use crate::sim::logic::{Handle, Page};
use crate::sim::objects::Fate;
use crate::sim::random::Random;

impl<'y> Actor<'y> {
    /// Writes this many events as one writer, flushing and reading now and then.
    pub fn write(&mut self, writer: usize, events: usize) -> Result<(), String> {
        let plan = &mut self.plan;
        let threshold = u32::try_from(plan.up_to(5)).unwrap();
        let options = OptionsInput {
            flush_threshold: Some(threshold),
            flush_interval_ms: Some(1),
            event_bytes_max: Some(32),
            buffer_bytes_max: Some(plan.pick(&[33, 64, 1 << 20])),
            creates_max: Some(plan.pick(&[1, 2, 4])),
            ..OptionsInput::default()
        };
        // It is killed in the middle: creates in flight may still land, or not.
        let is_killed = plan.chance(1, 4);
        let flushes = plan.pick(&[1, 3]);
        let Some(mut handle) = unless_wrong("open", self.logic.open(options))? else {
            return Ok(());
        };
        // Its own numbers, since a rest changes nothing in the world.
        let mut rests = Random::new(plan.clone().draw());
        let mut rounds = 0;
        while self.view.state().history.writer(writer).written < events {
            rounds += 1;
            if damage::is_expected() && rounds > 20 + 3 * events {
                // Its batch was damaged before it knew that it was there: no flush succeeds any
                // more.
                return Ok(());
            }
            self.append_some(&mut *handle, writer)?;
            check_sealed(&handle.pending(), threshold)?;
            if rests.chance(1, 3) {
                unless_wrong("rest", handle.rest())?;
            }
            if is_killed && self.plan.chance(1, 8) {
                self.note("killed", "");
                return Ok(());
            }
            match self.plan.below(10) {
                0 => _ = handle.tick(),
                4 => self.read_all(&mut *handle, writer)?,
                5 => self.read_all_elsewhere(handle.pending(), writer),
                6..8 => {
                    let steps = self.plan.below(10);
                    self.view.pause(steps);
                }
                other if other <= flushes => self.flush(&mut *handle, writer)?,
                _ => {}
            }
        }
        loop {
            if let Some(durable) = unless_wrong("close", handle.close())? {
                return self.flushed(writer, durable);
            }
            if self.plan.chance(1, 10) {
                // It stops permanently, and cannot know if its last events are there.
                return Ok(());
            }
        }
    }

    /// Writes this many events as programs did before batches were numbered: a create is confirmed
    /// before the next one begins.
    pub fn write_unnumbered(&mut self, writer: usize, events: usize) -> Result<(), String> {
        let id = WriterId(self.plan.below(1 << 32));
        let mut last = BatchTime::default();
        let mut next = 0;
        while next < events {
            let steps = self.plan.below(40);
            self.view.pause(steps);
            let count = 1 + self.plan.index(4);
            let lines = (next..next + count).map(|at| write_event((writer, at), 0) + "\n");
            let lines = lines.collect::<String>().into_bytes();
            next += count;
            self.view.state().history.writer(writer).written = next;
            last = last.next(self.view.state().clock).ok_or("the clock is at its end")?;
            let events = u64::try_from(count).unwrap();
            let digest = Digest::of(&lines);
            let origin = Origin { writer: id, sequence: None, events, digest };
            let key = log().key(BatchName { time: last, origin: Some(origin) });
            while !matches!(self.view.create_object(&key, &lines), Fate::Done | Fate::Exists) {
                if self.plan.chance(1, 10) {
                    // It stops permanently.
                    return Ok(());
                }
            }
            self.acknowledged(writer)?;
        }
        Ok(())
    }

    /// Appends one event, or a few in one call. Refused events are not appended.
    fn append_some(&mut self, handle: &mut dyn Handle<'y>, writer: usize) -> Result<(), String> {
        let first = self.view.state().history.writer(writer).written;
        let event = |plan: &mut Random, number| write_event((writer, number), plan.index(8));
        let (count, outcome) = if self.plan.chance(1, 4) {
            let count = 1 + self.plan.index(2);
            let lines: String =
                (0..count).map(|at| event(&mut self.plan, first + at) + "\n").collect();
            (count, handle.append_lines(lines.into()).map(|_| ()))
        } else {
            (1, handle.append(event(&mut self.plan, first).as_bytes()))
        };
        if unless_wrong("append", outcome)?.is_some() {
            self.view.state().history.writer(writer).written += count;
        }
        Ok(())
    }

    fn flush(&self, handle: &mut dyn Handle<'y>, writer: usize) -> Result<(), String> {
        match unless_wrong("flush", handle.flush())? {
            Some(durable) => self.flushed(writer, durable),
            None => Ok(()),
        }
    }

    /// Checks that the handle says that everything appended is durable, and that it is.
    fn flushed(&self, writer: usize, durable: u64) -> Result<(), String> {
        let written = self.view.state().history.writer(writer).written;
        if durable != u64::try_from(written).unwrap() {
            return Err(format!("{durable} of {written} events of writer {writer} are durable"));
        }
        self.acknowledged(writer)
    }

    /// Checks that everything appended is stored and visible, since it was reported as durable.
    fn acknowledged(&self, writer: usize) -> Result<(), String> {
        let mut state = self.view.state();
        let of_writer = state.history.writer(writer);
        let (written, stored) = (of_writer.written, of_writer.times.len());
        state.trace.note(self.view.actor, "acknowledged", &format!("{writer}-{written}"), b"");
        if stored < written {
            return Err(format!(
                "{written} events of writer {writer} are durable, {stored} visible"
            ));
        }
        Ok(())
    }

    /// Returns the expectation of a pass that begins now, read by this writer.
    fn expectation_of_own(&self, writer: usize) -> Expectation {
        let mut state = self.view.state();
        let written = state.history.writer(writer).written;
        let mut expectation = Expectation::of_writer(writer, written);
        expectation.begin_pass(&state.history);
        expectation
    }

    /// Reads through the handle while it continues to write.
    fn read_all(&mut self, handle: &mut dyn Handle<'y>, writer: usize) -> Result<(), String> {
        let mut expectation = self.expectation_of_own(writer);
        if mutants::is(Mutant::PendingLast) {
            return self.read_pending_last(handle, writer, expectation);
        }
        let Some(mut pass) = unless_wrong("read-all", handle.read_all())? else { return Ok(()) };
        self.continue_writing(handle, writer)?;
        self.finish_pass(&mut *pass, &mut expectation, "read-all")
    }

    fn continue_writing(
        &mut self,
        handle: &mut dyn Handle<'y>,
        writer: usize,
    ) -> Result<(), String> {
        for _ in 0..self.plan.below(3) {
            self.append_some(handle, writer)?;
            self.flush(handle, writer)?;
        }
        Ok(())
    }

    /// Reads in the wrong order: first the store, and then the pending events of the handle.
    fn read_pending_last(
        &mut self,
        handle: &mut dyn Handle<'y>,
        writer: usize,
        mut expectation: Expectation,
    ) -> Result<(), String> {
        let stored = self.logic.read(ReadOptions::default());
        let Some(mut pass) = unless_wrong("read-all", stored)? else { return Ok(()) };
        while let Some(page) = unless_wrong("read-all", pass.next_page())?.flatten() {
            self.show(&mut expectation, &page, "read-all")?;
        }
        self.continue_writing(handle, writer)?;
        let pending = handle.pending();
        let mut lines = pending.sealed.into_iter().flat_map(|(_, lines)| lines).collect::<Vec<_>>();
        lines.extend(pending.lines);
        for event in read_events(&lines)? {
            if !expectation.has_passed(event) && expectation.knows(event) {
                let lines = Some(write_event(event, 0).into_bytes());
                self.show(&mut expectation, &Page { lines, events: 1, missed: 0 }, "read-all")?;
            }
        }
        expectation.end_pass(&self.view.state().history)
    }

    /// Reads the pending events of the handle in another actor, while this one continues.
    fn read_all_elsewhere(&mut self, pending: Pending, writer: usize) {
        let mut expectation = self.expectation_of_own(writer);
        let work = move |other: &mut Actor<'_>| {
            let options = ReadOptions { pending: Some(pending), ..ReadOptions::default() };
            let pass = unless_wrong("read-all", other.logic.read(options))?;
            let Some(mut pass) = pass else { return Ok(()) };
            other.finish_pass(&mut *pass, &mut expectation, "read-all elsewhere")
        };
        self.send(work);
    }
}

/// Checks that the open events were sealed when they reached the threshold: with no batch in flight
/// there is room for another.
fn check_sealed(pending: &Pending, threshold: u32) -> Result<(), String> {
    let open = read_events(&pending.lines)?.len();
    if pending.sealed.is_empty() && open >= usize::try_from(threshold).unwrap() {
        return Err(format!("{open} events are in no batch, and one is made of {threshold}"));
    }
    Ok(())
}
