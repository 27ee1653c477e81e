//! Plugins in their sandbox: their grants, the refusals, and the state after their end.

mod composed;
mod crowd;
mod endings;
mod grants;
mod killed;
mod own_world;
mod quotas;
mod rates;
mod scenarios;
mod stage;
