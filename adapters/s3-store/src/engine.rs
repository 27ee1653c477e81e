//! The requests in flight, each with its retries and its time limit.
//!
//! Owns: when a request is sent again, and whether an attempt may have had an effect.
//! Must not know: the meaning of a request.
//!
//! 1. A wait for one request moves all of them on.
//! 2. Only an answer that refuses, or a connection that was never made, proves that an attempt
//!    changed nothing.
//! 3. A flight that is dropped is abandoned, unless it was released.
//! 4. Time that the caller spends elsewhere does not count: no request moves on meanwhile.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::rc::Rc;
use std::time::Duration;

use stratalog_store_rules::reply::document::{error_in, is_transient};
use stratalog_store_rules::reply::head::is_without_effect;

use crate::exchange::{Answer, Broken, Transport};
use crate::request::{Method, Request};
use crate::settings::Settings;

/// The first pause before a request is sent again, and the longest.
const PAUSE_MIN: Duration = Duration::from_millis(100);
const PAUSE_MAX: Duration = Duration::from_secs(5);

/// Each pause is random, up to this many times the one before.
const PAUSE_GROWTH: u32 = 3;

/// An attempt ends after this part of the time limit without a byte: its connection may be dead.
const SILENT_ATTEMPTS: u32 = 3;

/// The most time between two calls that counts: no request moves on in between.
const AWAY_MAX: Duration = Duration::from_secs(1);

/// The requests in flight to one bucket.
pub struct Engine<T: Transport> {
    transport: T,
    settings: Settings,
    tasks: RefCell<BTreeMap<u64, Task<T::Exchange>>>,
    next: Cell<u64>,
    /// The time of the last call.
    seen: Cell<Duration>,
    /// The time between calls that does not count.
    away: Cell<Duration>,
}

/// A request in flight.
pub struct Flight<T: Transport> {
    engine: Rc<Engine<T>>,
    number: u64,
    is_released: bool,
}

/// The end of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct End {
    /// The last answer, or the reason why there is none.
    pub result: Result<Answer, GivenUp>,
    /// True if no attempt changed anything, for certain. A success is no such attempt.
    pub had_no_effect: bool,
    /// The number of attempts.
    pub attempts: u32,
}

/// Describes a request that was given up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GivenUp {
    /// The last failure. May have a secret.
    pub last: String,
    /// True if a retry would fail alike.
    pub is_permanent: bool,
}

struct Task<E> {
    request: Request,
    /// Returns the reason to repeat the request after this answer, if there is one.
    repeat_after: fn(&Answer) -> Option<String>,
    state: State<E>,
    deadline: Duration,
    /// The bytes that the current attempt has moved.
    moved: u64,
    /// The end of the current attempt, unless it moves more.
    attempt_deadline: Duration,
    pause: Duration,
    had_effect: bool,
    attempts: u32,
    last: String,
    is_released: bool,
}

enum State<E> {
    Pausing(Duration),
    Sending(E),
    Ended(End),
}

impl<T: Transport> Engine<T> {
    /// Makes an engine without requests.
    pub fn new(transport: T, settings: Settings) -> Self {
        let (seen, away) = (Cell::new(transport.monotonic()), Cell::default());
        Self { transport, settings, tasks: RefCell::default(), next: Cell::new(0), seen, away }
    }

    /// Returns the settings.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// Starts a request.
    pub fn start(self: &Rc<Self>, request: Request) -> Flight<T> {
        self.start_repeating(request, |_| None)
    }

    /// Starts a request that is also repeated after some successful answers.
    pub fn start_repeating(
        self: &Rc<Self>,
        request: Request,
        repeat_after: fn(&Answer) -> Option<String>,
    ) -> Flight<T> {
        let deadline = self.deadline();
        let task = Task {
            request,
            repeat_after,
            state: State::Pausing(Duration::ZERO),
            deadline,
            moved: 0,
            attempt_deadline: deadline,
            pause: PAUSE_MIN,
            had_effect: false,
            attempts: 0,
            last: String::new(),
            is_released: false,
        };
        let number = self.next.replace(self.next.get().wrapping_add(1));
        self.tasks.borrow_mut().insert(number, task);
        self.advance();
        Flight { engine: Rc::clone(self), number, is_released: false }
    }

    /// Returns the time at which an operation that begins now must have ended.
    pub fn deadline(&self) -> Duration {
        self.now().saturating_add(self.settings.timeout)
    }

    /// Returns whether the time limit of an operation has passed.
    pub fn is_past(&self, deadline: Duration) -> bool {
        self.now() >= deadline
    }

    /// Moves all requests on, without waiting.
    pub fn advance(&self) {
        let now = self.now();
        let mut tasks = self.tasks.borrow_mut();
        for task in tasks.values_mut() {
            task.advance(&self.transport, &self.settings, now);
        }
        tasks.retain(|_, task| !(task.is_released && task.has_ended()));
    }

    /// Waits until a request may move on.
    fn wait(&self) {
        let now = self.now();
        let tasks = self.tasks.borrow();
        let mut at_most = self.settings.timeout;
        let mut exchanges = Vec::new();
        for task in tasks.values() {
            let until = match &task.state {
                State::Ended(_) => continue,
                State::Pausing(until) => *until,
                State::Sending(exchange) => {
                    exchanges.push(exchange);
                    task.attempt_deadline
                }
            };
            at_most = at_most.min(until.saturating_sub(now));
        }
        self.transport.wait(&exchanges, at_most);
        self.seen.set(self.transport.monotonic());
    }

    /// Returns the time that counts for time limits: between calls, at most [`AWAY_MAX`].
    fn now(&self) -> Duration {
        let now = self.transport.monotonic();
        let away = now.saturating_sub(self.seen.replace(now)).saturating_sub(AWAY_MAX);
        self.away.set(self.away.get().saturating_add(away));
        now.saturating_sub(self.away.get())
    }

    fn has_ended(&self, number: u64) -> bool {
        self.tasks.borrow().get(&number).is_none_or(Task::has_ended)
    }
}

impl<T: Transport> Flight<T> {
    /// Returns whether the request has ended; never waits.
    pub fn has_ended(&self) -> bool {
        self.engine.advance();
        self.engine.has_ended(self.number)
    }

    /// Waits for the end of the request.
    pub fn end(self) -> End {
        while !self.has_ended() {
            self.engine.wait();
        }
        let task = self.engine.tasks.borrow_mut().remove(&self.number);
        match task.map(|task| task.state) {
            Some(State::Ended(end)) => end,
            // A flight has its task until its end.
            _ => End { result: Err(GivenUp::new("the request was lost")), ..End::unknown() },
        }
    }

    /// Lets the request run to its end, although nobody waits for it.
    pub fn release(mut self) {
        self.is_released = true;
        if let Some(task) = self.engine.tasks.borrow_mut().get_mut(&self.number) {
            task.is_released = true;
        }
    }
}

impl<T: Transport> Drop for Flight<T> {
    fn drop(&mut self) {
        if !self.is_released {
            let task = self.engine.tasks.borrow_mut().remove(&self.number);
            drop(task);
        }
    }
}

impl End {
    fn unknown() -> Self {
        Self { result: Ok(Answer::default()), had_no_effect: false, attempts: 0 }
    }
}

impl GivenUp {
    fn new(last: impl Into<String>) -> Self {
        Self { last: last.into(), is_permanent: false }
    }
}

impl<E> Task<E> {
    fn has_ended(&self) -> bool {
        matches!(self.state, State::Ended(_))
    }

    fn advance<T: Transport<Exchange = E>>(
        &mut self,
        transport: &T,
        settings: &Settings,
        now: Duration,
    ) {
        loop {
            match &mut self.state {
                State::Ended(_) => return,
                State::Pausing(until) if now < *until => return,
                State::Pausing(_) => {
                    let request = self.request.signed(settings, transport.since_1970());
                    self.attempts += 1;
                    self.moved = 0;
                    self.attempt_deadline = self.end_of_silence(settings, now);
                    self.state = State::Sending(transport.send(request));
                }
                State::Sending(exchange) => match transport.advance(exchange) {
                    Some(Ok(answer)) => self.judge(answer, now),
                    Some(Err(broken)) => self.fail(broken, now),
                    None => {
                        let moved = transport.moved(exchange);
                        if moved != self.moved {
                            self.moved = moved;
                            self.attempt_deadline = self.end_of_silence(settings, now);
                        }
                        if now < self.attempt_deadline {
                            return;
                        }
                        self.fail(Broken::midway("no answer in time"), now);
                    }
                },
            }
        }
    }

    /// Returns the end of an attempt that moves no more bytes.
    fn end_of_silence(&self, settings: &Settings, now: Duration) -> Duration {
        self.deadline.min(now.saturating_add(settings.timeout / SILENT_ATTEMPTS))
    }

    fn judge(&mut self, answer: Answer, now: Duration) {
        let error = error_in(&answer.body);
        let code = error.as_ref().map_or("", |(code, _)| code.as_str());
        let again = match answer.status {
            501 | 505 => None,
            408 | 425 | 429 | 500.. => Some(code.to_owned()),
            _ if is_transient(code) => Some(code.to_owned()),
            _ => (self.repeat_after)(&answer),
        };
        if let Some(code) = again {
            let code = if code.is_empty() { code } else { format!(": {code}") };
            let text = format!("the status is {}{code}", answer.status);
            self.fail(Broken::midway(text), now);
            return;
        }
        if self.request.method() != Method::Head
            && let Some(announced) = answer.header("content-length")
            && announced.parse() != Ok(answer.body.len())
        {
            let found = answer.body.len();
            let text = format!("{announced} bytes were announced, {found} were received");
            self.fail(Broken::midway(text), now);
            return;
        }
        self.had_effect |= !is_without_effect(answer.status);
        self.end(Ok(answer));
    }

    fn fail(&mut self, broken: Broken, now: Duration) {
        let Broken { text, may_have_arrived, is_permanent } = broken;
        self.had_effect |= may_have_arrived;
        self.last = text;
        let pause = random_between(PAUSE_MIN, self.pause * PAUSE_GROWTH).min(PAUSE_MAX);
        let until = now.saturating_add(pause);
        if is_permanent || until >= self.deadline {
            let attempts = self.attempts;
            let last = if attempts > 1 && !is_permanent {
                format!("{}; {attempts} attempts failed", self.last)
            } else {
                self.last.clone()
            };
            self.end(Err(GivenUp { last, is_permanent }));
            return;
        }
        self.pause = pause;
        self.state = State::Pausing(until);
    }

    fn end(&mut self, result: Result<Answer, GivenUp>) {
        let end = End { result, had_no_effect: !self.had_effect, attempts: self.attempts };
        self.state = State::Ended(end);
    }
}

fn random_between(least: Duration, most: Duration) -> Duration {
    let random = u32::try_from(RandomState::new().build_hasher().finish() >> 40).unwrap_or(0);
    // 24 random bits: a part of the span, in steps of 1/4096.
    least.saturating_add(most.saturating_sub(least) / 4_096 * (random % 4_096))
}

#[cfg(test)]
mod tests;
