//! The world's scheduler: it decides which actor runs when, which crashes and which stalls.

use std::cell::{RefCell, RefMut};
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::rc::Rc;

use corosensei::stack::DefaultStack;
use corosensei::{Coroutine, CoroutineResult, Yielder};

use crate::sim::history::{History, Trim};
use crate::sim::lies::Lie;
use crate::sim::named::Named;
use crate::sim::objects::Objects;
use crate::sim::random::Random;
use crate::sim::trace::Trace;

/// The panic payload that ends an actor that crashes.
pub struct Crash;

/// A run that takes more steps than this does not end.
const STEPS_MAX: u64 = 2_000_000;

const STACK_BYTES: usize = 1 << 20;

/// The fault rates of a run.
#[derive(Clone, Copy, Debug)]
pub struct FaultRates {
    /// Failures in a thousand operations.
    pub faults: u64,
    /// Failures in a thousand reads and lists.
    pub read_faults: u64,
    /// Crashes of the actor in a hundred thousand steps.
    pub crashes: u64,
    /// Stalls of the actor in a thousand steps, and the largest number of steps of one.
    pub stalls: u64,
    pub stall_steps_max: u64,
    /// Stalls right before a commit, in a hundred commits.
    pub commit_stalls: u64,
    /// Jumps of the clock by hours, in a hundred thousand steps.
    pub clock_jumps: u64,
    /// Lies in a thousand listings to actors that may be lied to.
    pub lies: u64,
}

impl FaultRates {
    pub const NONE: Self = Self {
        faults: 0,
        read_faults: 0,
        crashes: 0,
        stalls: 0,
        stall_steps_max: 1,
        commit_stalls: 0,
        clock_jumps: 0,
        lies: 0,
    };
}

pub struct World {
    state: RefCell<State>,
}

pub struct State {
    pub random: Random,
    pub rates: FaultRates,
    pub objects: Objects,
    pub history: History,
    pub named: Named,
    /// True if the log is copied to a mirror in this run.
    pub is_mirrored: bool,
    pub trace: Trace,
    pub steps: u64,
    /// Microseconds since 1970.
    pub clock: u64,
    actors: Vec<Actor>,
    /// Actors that begin.
    new: VecDeque<(usize, Job)>,
    failure: Option<String>,
}

/// One actor, as the scheduler sees it.
#[derive(Default)]
pub struct Actor {
    phase: Phase,
    /// Its current trim: any commit in the meantime is judged by it.
    pub trim: Option<Rc<Trim>>,
    /// True if it never stalls right before a commit.
    pub prompt: bool,
    /// True if it may be shown listings that lie.
    pub gullible: bool,
    /// The lie in every listing that it is shown.
    pub lie: Option<Lie>,
    /// True if it was lied to since the last reset: then it may fail in any way.
    pub deceived: bool,
}

#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Phase {
    #[default]
    Ready,
    /// Until this step.
    Stalled(u64),
    Done,
}

/// One actor's view of the world.
#[derive(Clone, Copy)]
pub struct ActorView<'y> {
    pub world: &'y World,
    pub actor: usize,
    yielder: &'y Yielder<(), ()>,
}

/// The work of an actor, which returns its failure.
pub type Job = Box<dyn FnOnce(ActorView<'_>) -> Result<(), String>>;

type Running = Coroutine<(), (), Result<(), String>, DefaultStack>;

thread_local! {
    /// Stacks for reuse: making one takes longer than most actors need.
    static STACKS: RefCell<Vec<DefaultStack>> = const { RefCell::new(Vec::new()) };
}

impl World {
    pub fn new(seed: u64, rates: FaultRates, recorded: bool) -> Rc<Self> {
        let state = State {
            random: Random::new(seed),
            rates,
            objects: Objects::default(),
            history: History::default(),
            named: Named::default(),
            is_mirrored: false,
            trace: Trace::new(recorded),
            steps: 0,
            clock: 10_000_000_000,
            actors: Vec::new(),
            new: VecDeque::new(),
            failure: None,
        };
        Rc::new(Self { state: RefCell::new(state) })
    }

    pub fn state(&self) -> RefMut<'_, State> {
        self.state.borrow_mut()
    }

    /// Runs the added actors, and those that they add, to their ends.
    pub fn run(self: &Rc<Self>) -> Result<(), String> {
        let mut running: Vec<Option<Running>> = Vec::new();
        loop {
            let new = std::mem::take(&mut self.state().new);
            for (actor, job) in new {
                running.resize_with(actor, || None);
                running.push(Some(self.begin(actor, job)));
            }
            let Some(actor) = self.state().next_to_run() else { break };
            let coroutine = running[actor].as_mut().unwrap();
            if let CoroutineResult::Return(outcome) = coroutine.resume(()) {
                let coroutine = running[actor].take().unwrap();
                STACKS.with_borrow_mut(|stacks| stacks.push(coroutine.into_stack()));
                let mut state = self.state();
                state.actors[actor].phase = Phase::Done;
                if let Err(failure) = outcome {
                    state.fail(failure);
                }
            }
        }
        match self.state().failure.take() {
            Some(failure) => Err(failure),
            None => Ok(()),
        }
    }

    fn begin(self: &Rc<Self>, actor: usize, job: Job) -> Running {
        let stack = STACKS.with_borrow_mut(Vec::pop);
        let stack = stack.unwrap_or_else(|| DefaultStack::new(STACK_BYTES).unwrap());
        let world = self.clone();
        Coroutine::with_stack(stack, move |yielder, ()| {
            let view = ActorView { world: &world, actor, yielder };
            match catch_unwind(AssertUnwindSafe(|| job(view))) {
                Ok(outcome) => outcome,
                Err(thrown) if thrown.is::<Crash>() => Ok(()),
                Err(thrown) => {
                    let text = thrown.downcast_ref::<String>().cloned();
                    let text =
                        text.or_else(|| thrown.downcast_ref().map(|text: &&str| text.to_string()));
                    Err(format!("panicked: {}", text.unwrap_or_default()))
                }
            }
        })
    }
}

impl State {
    /// Adds an actor that begins after some steps. Returns its number.
    pub fn add(&mut self, after: u64, job: Job) -> usize {
        let phase = Phase::Stalled(self.steps + after);
        self.actors.push(Actor { phase, ..Actor::default() });
        let actor = self.actors.len() - 1;
        self.new.push_back((actor, job));
        actor
    }

    /// Records a failure: only the first one counts. All actors crash from then on.
    pub fn fail(&mut self, failure: String) {
        self.failure.get_or_insert(failure);
    }

    pub fn actor(&mut self, actor: usize) -> &mut Actor {
        &mut self.actors[actor]
    }

    /// Ends all faults, and completes the creates in flight.
    pub fn calm_down(&mut self) {
        self.rates = FaultRates::NONE;
        self.lose_some();
        while self.objects.is_any_in_flight() {
            self.land_one();
        }
    }

    fn next_to_run(&mut self) -> Option<usize> {
        let steps = self.steps;
        let ready = |actor: &Actor| match actor.phase {
            Phase::Ready => true,
            Phase::Stalled(until) => until <= steps,
            Phase::Done => false,
        };
        let mut count = self.actors.iter().filter(|actor| ready(actor)).count();
        if count == 0 {
            // All actors stall: time passes until the first one continues.
            let stalls = self.actors.iter().filter_map(|actor| match actor.phase {
                Phase::Stalled(until) => Some(until),
                _ => None,
            });
            self.steps = stalls.min()?;
            count = 1;
        }
        let steps = self.steps;
        let ready = |actor: &Actor| match actor.phase {
            Phase::Ready => true,
            Phase::Stalled(until) => until <= steps,
            Phase::Done => false,
        };
        let chosen = if count == 1 { 0 } else { self.random.index(count) };
        let mut able = (0..self.actors.len()).filter(|&actor| ready(&self.actors[actor]));
        let actor = able.nth(chosen).unwrap();
        self.actors[actor].phase = Phase::Ready;
        Some(actor)
    }

    /// Applies the effects of time.
    fn pass_time(&mut self) {
        let tick = self.random.pick(&[0, 0, 1, 3, -2, 50, -40]);
        self.clock = self.clock.saturating_add_signed(tick);
        let jumps = self.rates.clock_jumps;
        if jumps > 0 && self.random.chance(jumps, 100_000) {
            let seconds = self.random.pick(&[2, 2, 2, 600, 10_000]);
            let ahead = self.random.chance(1, 2);
            let micros = seconds * 1_000_000;
            let now = self.clock;
            self.clock = if ahead { now + micros } else { now.saturating_sub(micros).max(1_000) };
        }
        if self.objects.is_any_in_flight() && self.random.chance(1, 6) {
            self.land_one();
        }
    }
}

impl<'y> ActorView<'y> {
    /// Marks a point where another actor may run; this one may crash or stall there.
    pub fn step(&self) -> RefMut<'y, State> {
        let mut state = self.world.state();
        state.steps += 1;
        if state.steps > STEPS_MAX {
            state.fail("the run does not end".to_owned());
        }
        let (stalls, most) = (state.rates.stalls, state.rates.stall_steps_max);
        if stalls > 0 && state.random.chance(stalls, 1000) {
            let until = state.steps + state.random.below(most);
            state.actors[self.actor].phase = Phase::Stalled(until);
        }
        drop(state);
        self.give_way();
        let mut state = self.world.state();
        state.pass_time();
        let crashes = state.rates.crashes;
        if crashes > 0 && state.random.chance(crashes, 100_000) {
            state.trace.note(self.actor, "crash", "", b"");
            drop(state);
            resume_unwind(Box::new(Crash));
        }
        state
    }

    /// Lets others run for about this many steps.
    pub fn pause(&self, steps: u64) {
        let mut state = self.world.state();
        let until = state.steps + steps;
        state.actors[self.actor].phase = Phase::Stalled(until);
        drop(state);
        drop(self.step());
    }

    /// May stall an actor that is about to commit, while others continue.
    pub fn stall_before_commit(&self) {
        let mut state = self.world.state();
        let (stalls, most) = (state.rates.commit_stalls, state.rates.stall_steps_max);
        let prompt = state.actors[self.actor].prompt;
        if stalls > 0 && !prompt && state.random.chance(stalls, 100) {
            let steps = state.random.below(most);
            drop(state);
            self.pause(steps);
        }
    }

    fn give_way(&self) {
        self.yielder.suspend(());
        if self.world.state().failure.is_some() {
            resume_unwind(Box::new(Crash));
        }
    }

    pub fn state(&self) -> RefMut<'y, State> {
        self.world.state()
    }
}
