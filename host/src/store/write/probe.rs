//! Probing whether a store honours create-if-absent.
//!
//! Owns: the probe, its verdict, and the removal of its objects.
//! Must not know: the caller that needs the answer.
//!
//! 1. The answer is "yes" only after a second create was refused and a race had no second winner.
//! 2. Doubt is an error, not an answer. Only answers are kept.
//! 3. The probe's objects have new random names, so it can destroy nothing.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::Arc;

use bytes::Bytes;
use futures::future::join_all;
use object_store::{ObjectStore, PutMode, PutPayload};

use crate::store::error::{StoreError, StoreErrorKind, WriteError};
use crate::store::write::create::put;
use crate::store::{ConditionalCreate, Inner, Store};

/// The number of racing creates. A server that checks, but not atomically, lets several of these
/// win.
const RACERS: usize = 4;

impl Store {
    /// Returns whether the store honours create-if-absent. Probes it once if that is unknown.
    ///
    /// The probe creates two small objects `{near}probe_{16 hex digits}` and deletes them again.
    /// `near` is empty or a folder ended by a slash. The probe costs six creates and one delete,
    /// and all clones of this store keep its answer. A call that is dropped may leave the objects
    /// behind.
    ///
    /// # Errors
    /// [`WriteError`] if a create failed in a way that leaves the question open. Retry later.
    pub async fn honours_exclusive(&self, near: &str) -> Result<bool, WriteError> {
        self.inner.probe_exclusive(near).await
    }
}

impl Inner {
    pub(crate) async fn probe_exclusive(&self, near: &str) -> Result<bool, WriteError> {
        match self.conditional {
            ConditionalCreate::Honoured => return Ok(true),
            ConditionalCreate::Absent => return Ok(false),
            ConditionalCreate::Unproven => {}
        }
        let verdict = self.honours_exclusive.get_or_try_init(|| async {
            let store = self.for_write(near).await.map_err(WriteError::NotWritten)?;
            let keys = [probe_key(near), probe_key(near)];
            let verdict = self.probe(&store, &keys).await;
            for failure in self.delete(keys.to_vec()).await {
                let error = failure.error;
                tracing::warn!(object = failure.key, %error, "cannot delete a probe object");
            }
            verdict
        });
        verdict.await.copied()
    }

    async fn probe(
        &self,
        store: &Arc<dyn ObjectStore>,
        [twice, raced]: &[String; 2],
    ) -> Result<bool, WriteError> {
        // A first "already exists" is the echo of this very create, which the library repeated.
        if self.probe_create(store, twice, 0).await? == ProbeOutcome::NoSuchAbility {
            return Ok(false);
        }
        if self.probe_create(store, twice, 1).await? != ProbeOutcome::Exists {
            return Ok(false);
        }
        let race = (0..RACERS).map(|racer| self.probe_create(store, raced, racer));
        let mut winners = 0_usize;
        let mut doubt = None;
        for outcome in join_all(race).await {
            match outcome {
                Ok(ProbeOutcome::Created) => winners += 1,
                Ok(ProbeOutcome::Exists | ProbeOutcome::NoSuchAbility) => {}
                Err(error) => doubt = Some(error),
            }
        }
        match doubt {
            _ if winners > 1 => Ok(false),
            Some(error) => Err(error),
            None => Ok(true),
        }
    }

    pub(crate) async fn probe_create(
        &self,
        store: &Arc<dyn ObjectStore>,
        key: &str,
        racer: usize,
    ) -> Result<ProbeOutcome, WriteError> {
        let path = self.path(key).map_err(WriteError::NotWritten)?;
        let payload = PutPayload::from(Bytes::from(format!("probe {racer}\n")));
        let created = async {
            let Err(error) = put(store, &path, payload, PutMode::Create).await else {
                return Ok(());
            };
            match self.context.write_error(key, &error) {
                WriteError::AlreadyExists => self.confirm_existing(store, key, &path, &error).await,
                fate => Err(fate),
            }
        };
        let fate = match self.run_operation("create", key, created).await {
            Ok(Ok(())) => return Ok(ProbeOutcome::Created),
            Ok(Err(fate)) => fate,
            Err(abandoned) => self.context.abandoned_write("create", key, &abandoned),
        };
        match fate {
            WriteError::AlreadyExists => Ok(ProbeOutcome::Exists),
            WriteError::NotWritten(StoreError { kind, .. })
            | WriteError::Unknown(StoreError { kind, .. })
                if kind == StoreErrorKind::Unsupported =>
            {
                Ok(ProbeOutcome::NoSuchAbility)
            }
            error => Err(error),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ProbeOutcome {
    Created,
    Exists,
    NoSuchAbility,
}

fn probe_key(near: &str) -> String {
    format!("{near}probe_{}", random_name())
}

/// Returns a unique name: 64 bits of the system's randomness, by way of a hash seed.
pub(crate) fn random_name() -> String {
    let mut hasher = RandomState::new().build_hasher();
    hasher.write_u32(std::process::id());
    format!("{:016x}", hasher.finish())
}
