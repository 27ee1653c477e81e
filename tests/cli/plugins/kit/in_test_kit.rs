//! Runs the program next to this file in the test kit, without a test.

#[allow(dead_code, reason = "the test kit has no command line")]
#[path = "../src/main.rs"]
mod program;

use stratalog_plugin::testing::World;

fn main() {
    let world = World::new();
    world.grant("journal");
    world.grant("other");
    program::check().expect("the program ends well");
}
