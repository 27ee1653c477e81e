//! Plugins in their sandbox: what they are lent, what they are refused, and what is left when they end.

#[path = "sandbox/composed.rs"]
mod composed;
#[path = "sandbox/crowd.rs"]
mod crowd;
#[path = "sandbox/endings.rs"]
mod endings;
#[path = "sandbox/grants.rs"]
mod grants;
#[path = "sandbox/own_world.rs"]
mod own_world;
#[path = "sandbox/rates.rs"]
mod rates;
#[path = "sandbox/stage.rs"]
mod stage;
