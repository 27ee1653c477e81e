//! Plugins in their sandbox: their grants, the refusals, and the state after their end.

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
