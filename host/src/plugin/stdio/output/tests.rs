use std::sync::mpsc;

use futures::FutureExt as _;

use super::*;

/// Passes writes on one by one, each when the test requests it.
struct Slow {
    allowed: mpsc::Receiver<()>,
    came: mpsc::Sender<Vec<u8>>,
}

impl Write for Slow {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.allowed.recv().map_err(|_| io::Error::from(io::ErrorKind::StorageFull))?;
        self.came.send(bytes.to_vec()).unwrap();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn slow() -> (Output, mpsc::Sender<()>, mpsc::Receiver<Vec<u8>>) {
    let ((allow, allowed), (came, comes)) = (mpsc::channel(), mpsc::channel());
    (Output::new(Slow { allowed, came }).unwrap(), allow, comes)
}

/// Returns true if this waits. Only a write that was not allowed yet would end the wait.
fn is_pending(waiting: impl Future<Output = ()>) -> bool {
    waiting.now_or_never().is_none()
}

#[tokio::test]
async fn plugin_waits_for_room_and_for_its_flush_and_blocks_nobody() {
    let (output, allow, comes) = slow();
    let mut stream = output.p2_stream();
    assert_eq!(stream.check_write().unwrap(), QUEUE_BYTES_MAX);
    stream.write(Bytes::from_static(b"ab")).unwrap();
    assert_eq!(stream.check_write().unwrap(), QUEUE_BYTES_MAX - 2);
    stream.flush().unwrap();
    assert_eq!(stream.check_write().unwrap(), 0);
    assert!(is_pending(stream.ready()));
    allow.send(()).unwrap();
    stream.ready().await;
    assert_eq!(comes.recv().unwrap(), b"ab");
    stream.write(Bytes::from(vec![b'x'; QUEUE_BYTES_MAX])).unwrap();
    assert_eq!(stream.check_write().unwrap(), 0);
    assert!(is_pending(stream.ready()));
    assert!(is_pending(output.written()));
    allow.send(()).unwrap();
    output.written().await;
    assert_eq!(comes.recv().unwrap().len(), QUEUE_BYTES_MAX);
}

#[tokio::test]
async fn kept_output_is_bounded_for_any_number_of_handles() {
    let (output, _allow, _comes) = slow();
    let mut streams: Vec<_> = (0..4).map(|_| output.p2_stream()).collect();
    let full = Bytes::from(vec![b'x'; QUEUE_BYTES_MAX]);
    let rooms: Vec<usize> = streams.iter_mut().map(|one| one.check_write().unwrap()).collect();
    assert_eq!(rooms, [QUEUE_BYTES_MAX; 4]);
    let taken = streams.iter_mut().map(|stream| stream.write(full.clone()));
    assert_eq!(taken.filter(Result::is_ok).count(), 2);
    assert_eq!(usize::try_from(output.give_up()), Ok(2 * QUEUE_BYTES_MAX));
}

#[tokio::test]
async fn failure_is_reported_once_and_then_the_stream_is_closed() {
    let (output, allow, _comes) = slow();
    let mut stream = output.p2_stream();
    stream.write(Bytes::from_static(b"ab")).unwrap();
    stream.flush().unwrap();
    drop(allow);
    stream.ready().await;
    match stream.check_write() {
        Err(StreamError::LastOperationFailed(error)) => {
            let error = error.downcast_ref::<io::Error>().unwrap();
            assert_eq!(error.kind(), io::ErrorKind::StorageFull);
        }
        other => panic!("{other:?}"),
    }
    assert!(matches!(stream.write(Bytes::from_static(b"c")), Err(StreamError::Closed)));
    output.written().await;
}

#[tokio::test]
async fn thread_goes_when_nobody_can_write_any_more() {
    let (output, allow, comes) = slow();
    let mut stream = output.p2_stream();
    stream.write(Bytes::from_static(b"last")).unwrap();
    drop(output);
    drop(stream);
    allow.send(()).unwrap();
    assert_eq!(comes.recv().unwrap(), b"last");
    // The writer is dropped, so nothing more can arrive.
    assert!(comes.recv().is_err());
}
