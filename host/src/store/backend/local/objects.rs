//! A local folder behind the library's store interface.
//!
//! Owns: where file system work may block, and the meaning of the library's calls for files.
//! Must not know: a step of a write, or the permitted entries of a folder.

use std::ops::Range;
use std::path::{Path as FilePath, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;
use std::{fmt, io};

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use futures::stream::{self, BoxStream};
use futures::{StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetRange, GetResult, GetResultPayload, ListResult,
    MultipartUpload, ObjectMeta, ObjectStore, PutMode, PutMultipartOptions, PutOptions, PutPayload,
    PutResult, Result, UploadPart,
};
use stratalog_store_rules::folder::entry::What;
use stratalog_store_rules::folder::failure::Step;
use stratalog_store_rules::key::split;

use super::below::Folder;
use super::deletes::Deletes;
use super::failure::{Cause, Failure};
use super::folder_sync::FolderSyncs;
use super::new_file::{NewFile, Published};
use super::{LOCAL, checked_key, is_object_name};

use crate::numbers::to_u64;

/// The files below an existing root folder.
#[derive(Debug, Clone)]
pub(crate) struct FolderObjects {
    root: Arc<FilePath>,
    syncs: Arc<FolderSyncs>,
}

impl FolderObjects {
    pub(crate) fn new(root: PathBuf) -> Self {
        Self { root: root.into(), syncs: Arc::default() }
    }

    /// Runs blocking work where it may block.
    async fn work<T, F>(&self, work: F) -> Result<T>
    where
        T: Send + 'static,
        F: FnOnce(&FilePath) -> std::result::Result<T, Failure> + Send + 'static,
    {
        let root = Arc::clone(&self.root);
        let done = tokio::task::spawn_blocking(move || work(&root)).await;
        done.map_err(|source| Error::JoinError { source })?.map_err(Failure::into_library)
    }

    pub(crate) fn root(&self) -> Arc<FilePath> {
        Arc::clone(&self.root)
    }

    fn key_of(&self, location: &Path) -> Result<String> {
        let refused = |cause| {
            let path = self.root.join(location.as_ref());
            Failure::new(Step::Staging, "use", &path, cause).into_library()
        };
        checked_key(location.as_ref()).map(str::to_owned).map_err(refused)
    }

    /// Returns the objects directly in a folder, and its folders.
    async fn entries(&self, folder: Path) -> Result<ListResult> {
        self.work(move |root| {
            let failed = |cause: Cause| {
                Failure::new(Step::Looking, "list", &root.join(folder.as_ref()), cause)
            };
            let mut found = ListResult {
                common_prefixes: Vec::new(),
                objects: Vec::new(),
                extensions: Default::default(),
            };
            let open = match Folder::open(root, folder.as_ref()) {
                Err(cause) if cause.is_not_found() => return Ok(found),
                open => open.map_err(failed)?,
            };
            for name in open.names().map_err(|error| failed(error.into()))? {
                let (name, _) = name.map_err(|error| failed(error.into()))?;
                // An entry that has vanished in the meantime is left out.
                let Ok(entry) = open.inspect(&name) else { continue };
                let location = match folder.as_ref() {
                    "" => Path::parse(&name),
                    folder => Path::parse(format!("{folder}/{name}")),
                };
                let Ok(location) = location else { continue };
                match entry.what {
                    What::Folder => found.common_prefixes.push(location),
                    What::File if is_object_name(&name) => {
                        found.objects.push(meta(location, entry.size, entry.modified));
                    }
                    _ => {}
                }
            }
            Ok(found)
        })
        .await
    }
}

impl fmt::Display for FolderObjects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the folder {}", self.root.display())
    }
}

#[async_trait]
impl ObjectStore for FolderObjects {
    async fn put_opts(
        &self,
        location: &Path,
        payload: PutPayload,
        options: PutOptions,
    ) -> Result<PutResult> {
        if options.mode != PutMode::Create || !options.attributes.is_empty() {
            return Err(unsupported("anything but a create of a new file"));
        }
        let key = self.key_of(location)?;
        let syncs = Arc::clone(&self.syncs);
        let published = self.work(move |root| {
            let mut file = NewFile::begin(root, &key)?;
            payload.iter().try_for_each(|bytes| file.write(bytes))?;
            file.publish(&syncs)
        });
        put_result(published.await?, location)
    }

    async fn put_multipart_opts(
        &self,
        location: &Path,
        options: PutMultipartOptions,
    ) -> Result<Box<dyn MultipartUpload>> {
        if !options.attributes.is_empty() {
            return Err(unsupported("attributes"));
        }
        let key = self.key_of(location)?;
        let file = self.work(move |root| NewFile::begin(root, &key)).await?;
        let file = Arc::new(Mutex::new(Some(file)));
        let objects = self.clone();
        Ok(Box::new(FileUpload { objects, location: location.clone(), file, bytes: 0 }))
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        let key = self.key_of(location)?;
        let (path, (file, metadata)) = self
            .work(move |root| {
                let path = root.join(&key);
                let (folder, name) = split(&key);
                let open = Folder::open(root, folder).and_then(|folder| folder.open_file(name));
                open.map(|open| (path.clone(), open))
                    .map_err(|cause| Failure::new(Step::Looking, "read", &path, cause))
            })
            .await?;
        let meta = meta(location.clone(), metadata.len(), metadata.modified().ok());
        options.check_preconditions(&meta)?;
        let range = within(options.range, meta.size)?;
        Ok(GetResult {
            payload: GetResultPayload::File(file, path),
            meta,
            range,
            attributes: Default::default(),
            extensions: Default::default(),
        })
    }

    fn delete_stream(
        &self,
        locations: BoxStream<'static, Result<Path>>,
    ) -> BoxStream<'static, Result<Path>> {
        Deletes::new(self.root(), locations).into_stream()
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        let first = vec![prefix.cloned().unwrap_or_default()];
        let listed = stream::try_unfold((self.clone(), first), |(objects, mut folders)| async {
            let Some(folder) = folders.pop() else { return Ok(None) };
            let found = objects.entries(folder).await?;
            folders.extend(found.common_prefixes);
            Ok::<_, Error>(Some((stream::iter(found.objects).map(Ok), (objects, folders))))
        });
        listed.try_flatten().boxed()
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.entries(prefix.cloned().unwrap_or_default()).await
    }

    async fn copy_opts(&self, _: &Path, _: &Path, _: CopyOptions) -> Result<()> {
        Err(unsupported("copies"))
    }
}

/// A large file being written.
struct FileUpload {
    objects: FolderObjects,
    location: Path,
    /// None when the upload is over.
    file: Arc<Mutex<Option<NewFile>>>,
    /// Of all parts so far.
    bytes: u64,
}

impl fmt::Debug for FileUpload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FileUpload").field("location", &self.location).finish_non_exhaustive()
    }
}

#[async_trait]
impl MultipartUpload for FileUpload {
    fn put_part(&mut self, part: PutPayload) -> UploadPart {
        let mut at = self.bytes;
        let length = to_u64(part.content_length());
        self.bytes = at + length;
        let (objects, file) = (self.objects.clone(), Arc::clone(&self.file));
        let path = self.objects.root.join(self.location.as_ref());
        Box::pin(async move {
            let written = objects.work(move |_| {
                let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
                let file = file.as_mut().ok_or_else(|| over(&path))?;
                for bytes in &part {
                    file.write_at(at, bytes)?;
                    at += to_u64(bytes.len());
                }
                Ok(())
            });
            written.await
        })
    }

    async fn complete(&mut self) -> Result<PutResult> {
        let file = self.take();
        let path = self.objects.root.join(self.location.as_ref());
        let syncs = Arc::clone(&self.objects.syncs);
        let published = self.objects.work(move |_| {
            let file = file.ok_or_else(|| over(&path))?;
            file.publish(&syncs)
        });
        put_result(published.await?, &self.location)
    }

    async fn abort(&mut self) -> Result<()> {
        let file = self.take();
        self.objects
            .work(move |_| {
                drop(file);
                Ok(())
            })
            .await
    }
}

impl FileUpload {
    fn take(&self) -> Option<NewFile> {
        self.file.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

fn over(path: &FilePath) -> Failure {
    Failure::new(Step::Staging, "write", path, io::Error::other("the upload is over"))
}

fn put_result(published: Published, location: &Path) -> Result<PutResult> {
    match published {
        Published::Created => {
            Ok(PutResult { e_tag: None, version: None, extensions: Default::default() })
        }
        Published::AlreadyExists => Err(Error::AlreadyExists {
            path: location.to_string(),
            source: "a file of that name exists".into(),
        }),
    }
}

fn within(range: Option<GetRange>, size: u64) -> Result<Range<u64>> {
    let range = match range {
        None => return Ok(0..size),
        Some(GetRange::Bounded(range)) => range.start..range.end.min(size),
        Some(GetRange::Offset(start)) => start..size,
        Some(GetRange::Suffix(length)) => size.saturating_sub(length)..size,
    };
    match range.start < range.end {
        true => Ok(range),
        false => Err(Error::Generic { store: LOCAL, source: "Requested range was invalid".into() }),
    }
}

fn meta(location: Path, size: u64, modified: Option<SystemTime>) -> ObjectMeta {
    let last_modified = modified.map(DateTime::<Utc>::from).unwrap_or_default();
    ObjectMeta { location, last_modified, size, e_tag: None, version: None }
}

fn unsupported(operation: &str) -> Error {
    Error::NotImplemented {
        operation: operation.to_owned(),
        implementer: "a local folder".to_owned(),
    }
}
