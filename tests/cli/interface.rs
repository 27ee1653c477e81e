//! The interface of this version, compared with those of earlier ones. `tests/golden/interface`
//! keeps the WIT, a log component and a plugin of each.
//!
//! 1. What was made for an earlier version of a series runs on this one. Versions are of one series
//!    if they share the numbers up to the first that is not zero.
//! 2. What was added says in which version. So a plugin that does without it runs on earlier hosts.

mod changes;
mod earlier;
mod form;
mod kept;
