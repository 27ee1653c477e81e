//! Changed bytes in a log's objects. Each command gives the right answer or reports damage that
//! names a changed object. A verification finds it. A command that ends with damage writes and
//! deletes nothing. Natively, in memory.
//!
//! A legacy batch (`batch_TIME.jsonl`) that is still live has nothing to check: a change of it
//! shows in its own events alone.
//!
//! `STRATALOG_MUTATION=S` repeats one random mutation, `STRATALOG_MUTATIONS=N` runs more of them.

mod answers;
mod every_byte;
mod random;
