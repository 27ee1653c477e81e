//! A whole log on a server whose requests fail.

use super::*;

#[test]
fn log_has_each_event_once_after_one_fault_of_each_request() {
    let host = host();
    on_each_server(|wire| {
        for fault in FAULTS {
            let store = wire.store_for(fault, REPEATED_MAX);
            let misbehave = || {
                wire.proxy.play(first_attempts(fault, |seen| {
                    is_object(seen) || seen.is_list() || seen.method == "POST"
                }))
            };
            misbehave();
            let done = wire.runtime.block_on(async {
                let log = host.open(&store, "log", LogOptions::new()).await?;
                let mut all = Vec::new();
                for number in 0..12 {
                    let event = format!("event {number}");
                    log.append(&event).await?;
                    all.push(event);
                    log.flush().await?;
                    if number == 7 {
                        log.compact(&CompactOptions::new()).await?;
                    }
                }
                assert_eq!(log.close().await?.events, 12);
                misbehave();
                assert_eq!(read(&host, &store).await?, all, "{fault:?}");
                misbehave();
                host.compact(&store, "log", &CompactOptions::new().full(true)).await?;
                misbehave();
                assert_eq!(read(&host, &store).await?, all, "{fault:?}");
                let stats = host.stat(&store, "log").await?;
                assert_eq!((stats.events, stats.batches), (12, 0), "{fault:?}");
                Ok::<_, Error>(())
            });
            done.unwrap_or_else(|error| panic!("{fault:?}: {error}"));
            assert!(wire.proxy.faults() > 0, "{fault:?} never happened");
        }
    });
}

#[test]
fn failed_flush_reports_its_fate_and_the_next_writes_events_once() {
    let host = host();
    on_each_server(|wire| {
        let table = [
            (WireFault::ReplyLost(Silence::Reset), WriteFate::Unknown),
            (WireFault::ReplyLost(Silence::Stall), WriteFate::Unknown),
            (WireFault::DoneButStatus("503 Slow Down"), WriteFate::Unknown),
            (WireFault::Lost(Silence::Reset), WriteFate::Unknown),
            (WireFault::Status("500 Internal Server Error"), WriteFate::Unknown),
            (WireFault::Status("403 Forbidden"), WriteFate::NotWritten),
        ];
        for (fault, expected) in table {
            let store = match fault.is_stall() {
                true => wire.store_at(&wire.place(), 0, LATE),
                false => wire.store(0),
            };
            wire.proxy.play(|_| WireFault::None);
            wire.runtime.block_on(async {
                let options = LogOptions::new().flush_interval(Duration::ZERO);
                let log = host.open(&store, "log", options).await.unwrap();
                log.append("one").await.unwrap();
                log.append("two").await.unwrap();
                wire.proxy.play(move |seen| match seen.method.as_str() {
                    "PUT" => fault,
                    _ => WireFault::None,
                });
                let failed = log.flush().await.unwrap_err();
                let Error::WriteFailed(WriteFailure { fate, events_pending, .. }) = &failed else {
                    panic!("{fault:?}: {failed}");
                };
                assert_eq!((*fate, *events_pending), (expected, 2), "{fault:?}: {failed}");
                log.append("three").await.unwrap();
                wire.proxy.play(|_| WireFault::None);
                assert_eq!(log.close().await.unwrap().events, 3, "{fault:?}");
                let events = read(&host, &store).await.unwrap();
                assert_eq!(events, ["one", "two", "three"], "{fault:?}");
            });
        }
    });
}
