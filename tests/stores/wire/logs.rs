//! A whole log on a server whose requests fail.

use rig::subject::{FULL, Settings};

use super::*;

#[test]
fn log_has_each_event_once_after_one_fault_of_each_request() {
    on_each_server(|wire| {
        wire.each(FAULTS, |wire, fault| {
            let world = wire.world_at(&wire.place(), Tries::many(fault));
            let misbehave = || {
                wire.proxy.play(first_attempts(fault, |seen| {
                    is_object(seen) || seen.is_list() || seen.method == "POST"
                }))
            };
            misbehave();
            let done = || {
                let log = world.open_with("log", Settings::default())?;
                let mut all = Vec::new();
                for number in 0..12 {
                    let event = format!("event {number}");
                    log.append(&event)?;
                    all.push(event);
                    log.flush()?;
                    if number == 7 {
                        log.compact()?;
                    }
                }
                assert_eq!(log.close()?.events, 12);
                misbehave();
                assert_eq!(world.read("log")?, all, "{fault:?}");
                misbehave();
                world.compact_with("log", FULL)?;
                misbehave();
                assert_eq!(world.read("log")?, all, "{fault:?}");
                let stats = world.stat("log")?;
                assert_eq!((stats.events, stats.batches), (12, 0), "{fault:?}");
                Ok::<_, Error>(())
            };
            done().unwrap_or_else(|error| panic!("{fault:?}: {error}"));
            assert!(wire.proxy.faults() > 0, "{fault:?} never happened");
        });
    });
}

#[test]
fn failed_flush_reports_its_fate_and_the_next_writes_events_once() {
    on_each_server(|wire| {
        let table = [
            (WireFault::ReplyLost(Silence::Reset), WriteFate::Unknown),
            (WireFault::ReplyLost(Silence::Stall), WriteFate::Unknown),
            (WireFault::DoneButStatus("503 Slow Down"), WriteFate::Unknown),
            (WireFault::Lost(Silence::Reset), WriteFate::Unknown),
            (WireFault::Status("500 Internal Server Error"), WriteFate::Unknown),
            (WireFault::Status("403 Forbidden"), WriteFate::NotWritten),
        ];
        wire.each(table, |wire, (fault, expected)| {
            let tries = if fault.is_stall() { Tries::patient(0) } else { Tries::few(0) };
            let world = wire.world_at(&wire.place(), tries.ending_soon());
            wire.proxy.play(|_| WireFault::None);
            let log = world.open("log");
            log.append("one").unwrap();
            log.append("two").unwrap();
            wire.proxy.play(move |seen| match seen.method.as_str() {
                "PUT" => fault,
                _ => WireFault::None,
            });
            let failed = log.flush().unwrap_err();
            let Error::WriteFailed(WriteFailure { fate, events_pending, .. }) = &failed else {
                panic!("{fault:?}: {failed}");
            };
            assert_eq!((*fate, *events_pending), (expected, 2), "{fault:?}: {failed}");
            log.append("three").unwrap();
            wire.proxy.play(|_| WireFault::None);
            assert_eq!(log.close().unwrap().events, 3, "{fault:?}");
            assert_eq!(world.read("log").unwrap(), ["one", "two", "three"], "{fault:?}");
        });
    });
}
