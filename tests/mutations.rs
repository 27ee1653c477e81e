//! Changed bytes: whatever happens to the bytes of a log's objects, each command gives the right answer
//! or damage that names a changed object, and a verification finds it. Nothing is written or deleted
//! by a command that ends with damage. Natively, in memory.
//!
//! An old batch (`batch_TIME.jsonl`) that is still live has nothing to check: a change of it shows in
//! its own events alone.
//!
//! `STRATALOG_MUTATION=S` repeats one random mutation, `STRATALOG_MUTATIONS=N` runs more of them.

#[path = "mutations/answers.rs"]
mod answers;
#[path = "mutations/every_byte.rs"]
mod every_byte;
#[path = "mutations/random.rs"]
mod random;
