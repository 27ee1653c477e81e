//! A simulated world: a store, a clock, actors, and everything that can go wrong between them. A
//! seed determines a run completely.
//!
//! 1. Actors are coroutines on one thread. At each store operation the seed decides who runs next.
//!    A run is thus a sequence of choices, independent of thread timing.
//! 2. A listing visits each key at an instant of its own, in any order, and may come in pages.
//! 3. A create may be refused, be lost, land with its reply lost, or land later. A delete may fail,
//!    done or not. A get or a list may fail. A clock may step either way, by microseconds or hours.
//!    An actor may crash or stall for long at any operation. One that compacts or trims may be
//!    shown listings that omit existing objects, once or every time: see `lies`. In some runs
//!    objects are damaged, and actors repair the log.
//! 4. The world knows every object that was stored, and so the events that a reader must be shown:
//!    see `history`.
//!
//! The modules, from below:
//!
//! - `random` and `trace`.
//! - `damage`: the harm that the store has done to objects by itself.
//! - `history`: the true state of the log.
//! - `expectation`: the events that a reader must be shown, and those it was shown.
//! - `world`: the scheduler; `objects`: the store in it; `ports`: an actor's view of both.
//! - `logic`: the operations of an actor, `native` and in the `component`, whose `imports` the
//!   actor answers.
//! - `actors`: `writers`, `readers`, those of one name (`named`), `compactors`, `repairers` and
//!   `mirrors`.
//! - `schedule`: makes a run from a seed.

mod actors;
mod compactors;
pub mod component;
mod damage;
mod expectation;
mod history;
mod imports;
mod lies;
pub mod logic;
mod mirrors;
mod named;
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
