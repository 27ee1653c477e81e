//! The imported interfaces of `wasi:http`, and those of `wasi:io` that it needs.

wit_bindgen::generate!({
    path: ["../wit/deps/io", "../wit/bucket"],
    world: "stratalog:bucket/bucket",
    generate_all,
});
