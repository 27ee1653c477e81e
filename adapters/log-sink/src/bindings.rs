//! The imported log and the exported interface of log messages.

wit_bindgen::generate!({
    path: ["../../wit", "../wit"],
    world: "stratalog:adapters/sink",
    generate_all,
});
