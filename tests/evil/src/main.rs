//! Plugins that do what no plugin should: one program, whose first argument chooses the hazard.
//!
//! Each prints its outcome, one line at a time, so that a test can require it. Logs are opened
//! under the label `evil`, unless noted otherwise.

use std::process::ExitCode;

mod appends;
mod buffers;
mod endings;
mod handles;
mod host_bytes;
mod machine;
mod messages;
mod names;
mod quotas;
mod say;
mod streams;

#[allow(clippy::all, clippy::restriction, unsafe_code, unreachable_pub, reason = "generated")]
mod bindings {
    wit_bindgen::generate!({
        path: ["../../wit", "../../plugin-kit/wit/deps/cli-exit"],
        inline: r"
            package stratalog:evil;
            world evil {
                include stratalog:log/plugin@0.1.0;
                import stratalog:log/host-bytes@0.1.0;
                import stratalog:log/object-store@0.1.0;
                import wasi:logging/logging@0.1.0-draft;
                import wasi:cli/exit@0.2.12;
            }
        ",
        world: "stratalog:evil/evil",
        generate_all,
    });
}

/// The label of the log.
const LABEL: &str = "evil";

/// A hazard. A number behind the name, where it takes one, is the amount.
type Hazard = fn(u64);

/// Every hazard by its name.
const HAZARDS: &[(&str, Hazard)] = &[
    // Resources of the machine.
    ("endless-loop", |_| machine::endless_loop()),
    ("endless-clock", |_| machine::endless_clock()),
    ("endless-ticks", |_| machine::endless_ticks()),
    ("memory-bomb", |_| machine::memory_bomb()),
    ("stack-overflow", |_| machine::stack_overflow()),
    // Handles.
    ("log-flood", |_| handles::log_flood()),
    ("reader-flood", |_| handles::reader_flood()),
    ("read-flood", handles::read_flood),
    ("calls-after-close", |_| handles::calls_after_close()),
    ("read-after-trim", |_| handles::read_after_trim()),
    // Bytes that the host keeps.
    ("host-bytes-hoard", |_| host_bytes::hoard()),
    ("host-bytes-crumbs", |_| host_bytes::crumbs()),
    ("host-bytes-slices", |_| host_bytes::slices()),
    ("host-bytes-reads", |_| host_bytes::reads()),
    ("host-bytes-uploads", |_| host_bytes::uploads()),
    ("host-bytes-listings", host_bytes::listings),
    ("host-bytes-beyond", |_| host_bytes::beyond()),
    // Appended events.
    ("huge-event", appends::huge_event),
    ("huge-lines", appends::huge_lines),
    ("tiny-appends", appends::tiny_appends),
    ("append-until-stopped", |_| appends::until_stopped()),
    ("append-on", quotas::append_on),
    ("create-on", quotas::create_on),
    // Buffers of its logs.
    ("buffers-packed", |_| buffers::packed()),
    ("buffers-small", |_| buffers::small()),
    ("buffers-none", |_| buffers::none()),
    // Standard streams.
    ("write-lines", streams::write_lines),
    ("complain", streams::complain),
    ("read-without-end", |_| streams::read_without_end()),
    // Messages.
    ("message-flood", messages::flood),
    ("huge-message", messages::huge),
    ("escape-sequences", |_| messages::escape_sequences()),
    ("bad-names", |_| names::bad_names()),
    // Endings.
    ("trap-after-append", |_| endings::trap_after_append()),
    ("exit-without-close", |_| endings::exit_without_close()),
    ("return-without-close", |_| endings::return_without_close()),
    ("exit-with-code", endings::exit_with_code),
    ("exit-of-language", |_| endings::exit_of_language()),
];

fn main() -> ExitCode {
    let mut words = std::env::args().skip(1);
    let name = words.next().unwrap_or_default();
    let count = words.next().and_then(|count| count.parse().ok()).unwrap_or(u64::MAX);
    // Two endings that are returns of the program itself.
    match &*name {
        "fail-silently" => return ExitCode::FAILURE,
        "fail-with-words" => {
            eprintln!("there was no header");
            return ExitCode::FAILURE;
        }
        _ => {}
    }
    match HAZARDS.iter().find(|(hazard, _)| *hazard == name) {
        Some((_, run)) => {
            run(count);
            ExitCode::SUCCESS
        }
        None => {
            eprintln!("{name:?} is not a hazard");
            ExitCode::FAILURE
        }
    }
}
