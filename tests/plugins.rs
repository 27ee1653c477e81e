//! Plugins in their sandbox: what they are lent, what they are refused, and what is left when they end.

#[path = "plugins/composed.rs"]
mod composed;
#[path = "plugins/crowd.rs"]
mod crowd;
#[path = "plugins/endings.rs"]
mod endings;
#[path = "plugins/grants.rs"]
mod grants;
#[path = "plugins/own_world.rs"]
mod own_world;
#[path = "plugins/rates.rs"]
mod rates;
#[path = "plugins/stage.rs"]
mod stage;
