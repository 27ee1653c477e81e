//! A simulated world: a store, a clock, actors, and everything that can go wrong between them. One
//! seed is one run, always the same.
//!
//! 1. Actors are coroutines on one thread. Each store operation is a point where the seed decides
//!    who runs next, so a run is a sequence of choices and no thread's timing is in it.
//! 2. A listing looks at each key at an instant of its own, in any order, and may come in pages.
//! 3. A create may be refused, be lost, land with its reply lost, or land later. A delete may fail,
//!    done or not. A get or a list may fail. A clock may step either way, by microseconds or hours.
//!    An actor may crash or stall for long at any operation. One that compacts or trims may be shown
//!    listings that leave out what is there, once or every time: see `lies`. In some runs objects
//!    are damaged, and actors repair the log.
//! 4. The world knows what was stored, and so what a reader must be shown: see `history`.
//!
//! From below: `random`, `trace`; `damage`, what the store has done to objects by itself; `history`,
//! what is true of the log; `ledger`, what a reader was shown of it; `world`, the scheduler;
//! `objects`, the store in it; `ports`, what an actor sees of both; `logic`, what an actor can do,
//! `native` and in the `component`, whose `imports` the actor answers; `actors`, who are `writers`,
//! `readers`, `compactors` and `repairers`; `schedule`, which makes a run of a seed.

mod actors;
mod compactors;
pub mod component;
mod damage;
mod history;
mod imports;
mod ledger;
mod lies;
pub mod logic;
mod native;
mod objects;
mod ports;
pub mod random;
mod readers;
mod repairers;
pub mod schedule;
pub mod trace;
mod world;
mod writers;
