//! The imported interfaces of `wasi:filesystem`.

wit_bindgen::generate!({
    path: ["../../wit", "../wit"],
    world: "stratalog:adapters/folder",
    generate_all,
});
