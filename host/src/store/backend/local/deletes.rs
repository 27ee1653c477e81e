//! Deletes of files: many in one call where it may block.
//!
//! Owns: the size of such a call, and the number of concurrent ones.
//! Must not know: the reason for the deletes.
//!
//! 1. Outcomes come in the order of the files. Each failure is that of its own file.

use std::path::Path as FilePath;
use std::sync::Arc;
use std::time::{Duration, Instant};

use futures::future::BoxFuture;
use futures::stream::{self, BoxStream, FuturesOrdered};
use futures::{FutureExt, StreamExt};
use object_store::path::Path;
use object_store::{Error, Result};
use stratalog_store_rules::folder::failure::Step;
use stratalog_store_rules::key::split;

use super::below::OpenFolder;
use super::failure::Failure;
use super::pace::Pace;
use super::{LOCAL, checked_key};

/// The number of runs of files that are deleted concurrently where each waits for a device. Where
/// they keep a processor busy, it is one: they would only wait for each other's folder.
const DELETES_CONCURRENT_MAX: usize = 10;

/// Deletes in progress: runs of files, each in one call where it may block.
pub(super) struct Deletes {
    root: Arc<FilePath>,
    locations: BoxStream<'static, Result<Path>>,
    pace: Pace,
    runs: FuturesOrdered<BoxFuture<'static, Deleted>>,
}

/// The outcomes of a run, in order, and its time.
type Deleted = (Vec<Result<Path>>, Duration);

impl Deletes {
    pub(super) fn new(root: Arc<FilePath>, locations: BoxStream<'static, Result<Path>>) -> Self {
        Self { root, locations, pace: Pace::default(), runs: FuturesOrdered::new() }
    }

    /// Returns the outcomes, in the order of the files.
    pub(super) fn into_stream(self) -> BoxStream<'static, Result<Path>> {
        let runs = stream::unfold(self, async |mut deletes| {
            let deleted = deletes.next_run().await?;
            Some((stream::iter(deleted), deletes))
        });
        runs.flatten().boxed()
    }

    /// Returns the outcomes of the next files, or none at the end.
    async fn next_run(&mut self) -> Option<Vec<Result<Path>>> {
        let runs_max = if self.pace.is_busy() { 1 } else { DELETES_CONCURRENT_MAX };
        while self.runs.len() < runs_max {
            let files = self.pace.run_files();
            let run: Vec<_> = self.locations.by_ref().take(files).collect().await;
            if run.is_empty() {
                break;
            }
            self.runs.push_back(delete_run(Arc::clone(&self.root), run).boxed());
        }
        let (deleted, took) = self.runs.next().await?;
        self.pace.measured(deleted.len(), took);
        Some(deleted)
    }
}

/// Deletes files, in one call where it may block.
async fn delete_run(root: Arc<FilePath>, run: Vec<Result<Path>>) -> Deleted {
    let files = run.len();
    let work = move || {
        let (begun, mut folders) = (Instant::now(), OpenFolder::default());
        let deleted: Vec<_> =
            run.into_iter().map(|file| delete_one(&mut folders, &root, file?)).collect();
        (deleted, begun.elapsed())
    };
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| {
        let error = error.to_string();
        let stopped = || Error::Generic { store: LOCAL, source: error.clone().into() };
        ((0..files).map(|_| Err(stopped())).collect(), Duration::ZERO)
    })
}

fn delete_one(folders: &mut OpenFolder, root: &FilePath, location: Path) -> Result<Path> {
    let key = location.as_ref();
    let failed =
        |step, verb: &str, cause| Failure::new(step, verb, &root.join(key), cause).into_library();
    let key = checked_key(key).map_err(|cause| failed(Step::Staging, "use", cause))?;
    let (folder, name) = split(key);
    let removed = folders.get(root, folder).and_then(|folder| folder.remove(name));
    removed.map_err(|cause| failed(Step::Looking, "remove", cause))?;
    Ok(location)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn files_are_deleted_many_in_one_call() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("log")).unwrap();
        let paths: Vec<Path> =
            (0..1_000).map(|number| Path::from(format!("log/{number}"))).collect();
        for path in paths.iter().skip(1) {
            std::fs::write(folder.path().join(path.as_ref()), "x").unwrap();
        }
        let locations = stream::iter(paths.clone()).map(Ok).boxed();
        let mut deletes = Deletes::new(folder.path().into(), locations);
        let mut deleted = Vec::new();
        while let Some(run) = deletes.next_run().await {
            deleted.extend(run);
        }
        // In order, and the failure of the one that was gone is its own.
        assert!(matches!(deleted.remove(0), Err(Error::NotFound { .. })));
        let found: Vec<Path> = deleted.into_iter().map(Result::unwrap).collect();
        assert_eq!(found, paths[1..]);
        assert_eq!(std::fs::read_dir(folder.path().join("log")).unwrap().count(), 0);
        assert!(deletes.pace.runs < 250, "{} calls", deletes.pace.runs);
    }
}
