//! A command that asks for no log: what any host of commands runs.

fn main() {
    println!("hello");
}
