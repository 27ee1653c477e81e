//! Limits on the calls of a plugin to a log: errors of the call that name the limit.

use stratalog::plugin::{PluginLimits, Rights};

use super::stage::{Stage, numbered};

#[test]
fn calls_beyond_the_rate_are_refused_and_taken_again_later() {
    let mut limits = PluginLimits::default();
    limits.calls_per_second = 20;
    let stage = Stage::with(limits);
    // Too many for even the slowest machine to grant them all.
    let script = ["open=errors", "append=a=100000", "stat=errors"];
    let (outcome, said) = stage.run(stage.granting(Rights::default()), &script);
    let refused = "calls_per_second = 20 is reached; raise it with --calls-per-second";
    assert_eq!(
        said[1],
        format!("append=a=100000: limit-reached: log.append on the log errors: {refused}")
    );
    assert_eq!(outcome.usage.limits_hit[0].to_string(), refused);
    let taken = usize::try_from(outcome.usage.events_appended).unwrap();
    assert!((19..100_000).contains(&taken), "{taken}");
    assert_eq!(stage.events(), numbered("a", taken));
}

#[test]
fn bytes_beyond_the_rate_are_refused() {
    let mut limits = PluginLimits::default();
    limits.bytes_per_second = 500;
    let stage = Stage::with(limits);
    let script = ["open=errors", "append-packed=3000"];
    let (outcome, said) = stage.run(stage.granting(Rights::default()), &script);
    assert_eq!(
        said[1],
        "append-packed=3000: limit-reached: log.append-lines on the log errors: \
         bytes_per_second = 500 bytes is reached; raise it with --bytes-per-second"
    );
    // The first packet is larger than the limit, and passes.
    assert_eq!(outcome.usage.events_appended, 1000);
}

#[test]
fn open_logs_and_readers_are_limited() {
    let mut limits = PluginLimits::default();
    limits.log_handles_max = 1;
    let stage = Stage::with(limits);
    let script = ["open=errors", "append=a", "read-all", "forget", "read=errors"];
    let (outcome, said) = stage.run(stage.granting(Rights::default()), &script);
    assert_eq!(
        said[2..],
        [
            "read-all: limit-reached: too many logs and readers are open: log_handles_max = 1 is \
             reached; raise it with --log-handles-max",
            "forget: done",
            "read=errors: 1 events, 0 missed",
        ]
    );
    assert_eq!(outcome.end.to_string(), "exited with code 0");
}
