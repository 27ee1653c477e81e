//! Copies manifests and named positions, and deletes what is superfluous then.

use super::{Copier, Done};
use crate::decide::agreement;
use crate::drive::catalog::{Catalog, Scope};
use crate::drive::commit::Committer;
use crate::drive::named;
use crate::error::Error;
use crate::format::listed::sizes;
use crate::format::manifest::{Manifest, StandIn};
use crate::format::named_position::NamedPosition;
use crate::format::names::{Digest, Generation, LogName, ObjectName, PositionObject};
use crate::limits::MISSING_TRIES;
use crate::mutants::{self, Mutant};
use crate::ports::{EntryKind, Store, System};

impl<S: Store, Y: System> Copier<S, Y> {
    /// Copies the manifest, once the target lists all that it names.
    pub(super) fn commit(&mut self, manifest: &Manifest) -> Result<Done, Error> {
        if !mutants::is(Mutant::CopyManifestFirst) {
            self.check_named(manifest)?;
        }
        let generation = manifest.generation;
        let Some(bytes) = self.from.get(generation)? else {
            self.gone = Some(ObjectName::Manifest(generation));
            return Ok(Done::Overtaken);
        };
        if manifest.digest != Some(Digest::of(&bytes)) {
            Manifest::decode(generation, &bytes).map_err(keyed(&self.from.name))?;
            // It is whole, and another one than was loaded: the log was replaced.
            self.gone = None;
            return Ok(Done::Overtaken);
        }
        self.create(&self.to.name.key(generation), &bytes)?;
        self.to.record_generation(generation);
        Ok(Done::Whole)
    }

    /// Fails unless the target lists the segments of a manifest, with their bytes, and the indexes.
    fn check_named(&mut self, manifest: &Manifest) -> Result<(), Error> {
        let listed = sizes(&self.to.list_others(Scope::Full)?);
        for segment in &manifest.segments {
            let found = listed.get(&ObjectName::Segment(segment.name)).copied();
            let has_index = listed.contains_key(&ObjectName::Index(segment.name.index()));
            if found != Some(segment.bytes) || !has_index {
                let found = match found {
                    Some(found) if found == segment.bytes => "no index".to_owned(),
                    Some(found) => format!("{found} bytes"),
                    None => "no such object".to_owned(),
                };
                return Err(self.to.not_kept(segment.name, segment.bytes, &found));
            }
        }
        Ok(())
    }

    /// Copies a manifest below the current one, or its stand-in.
    pub(super) fn copy_older(&mut self, generation: Generation) -> Result<Done, Error> {
        let Some(bytes) = self.from.get(generation)? else {
            self.gone = Some(ObjectName::Manifest(generation));
            return Ok(Done::Overtaken);
        };
        if StandIn::decode(generation, &bytes).is_none() {
            Manifest::decode(generation, &bytes).map_err(keyed(&self.from.name))?;
        }
        self.create(&self.to.name.key(generation), &bytes)?;
        Ok(Done::Whole)
    }

    /// Copies the newest object of a named position.
    pub(super) fn copy_position(&mut self, object: &PositionObject) -> Result<Done, Error> {
        let Some(bytes) = self.from.get(object)? else {
            // It was replaced: a later plan has the next one.
            self.gone = None;
            return Ok(Done::Overtaken);
        };
        NamedPosition::decode(object.clone(), &bytes).map_err(keyed(&self.from.name))?;
        self.create(&self.to.name.key(object), &bytes)?;
        Ok(Done::Whole)
    }

    /// Deletes what the current manifest of the target makes superfluous, and older positions. A
    /// listing that contradicts itself deletes nothing: the next copy does it.
    pub(super) fn clean_up(&mut self) -> Result<(), Error> {
        for _ in 0..MISSING_TRIES {
            let state = self.to.load(Scope::Full)?;
            let committer = Committer::new(self.to.clone(), &self.system);
            committer.delete(&older_positions(&self.to));
            let Some(current) = state.manifest.as_deref() else { return Ok(()) };
            if agreement::disagreement(Some(current), &state.others).is_some() {
                continue;
            }
            if let Some(marker) = self.to.marker(current.generation)? {
                return Err(self.to.used_before(current.generation, marker));
            }
            let absorbed: Vec<_> = state.absorbed.iter().map(|batch| batch.name).collect();
            committer.clean(current, &absorbed, &state.others);
            return Ok(());
        }
        let to = self.to.name.as_str();
        self.system.warn(&format!(
            "no listing of the mirror {to} agrees with its manifest; nothing is deleted, and the \
             next copy deletes what is superfluous"
        ));
        Ok(())
    }
}

/// Names a damaged object of a log by its key.
fn keyed(log: &LogName) -> impl Fn(Error) -> Error + '_ {
    |error| match error {
        Error::Damaged(damage) => damage.of(log),
        error => error,
    }
}

/// The objects of named positions, as listed last, that are not the newest of their names.
pub(super) fn older_positions<S: Store>(catalog: &Catalog<S>) -> Vec<PositionObject> {
    let listed = catalog.positions().iter().filter(|(_, (kind, _))| *kind == EntryKind::Object);
    let listed: Vec<_> = listed.map(|(object, _)| object).collect();
    let newest = named::newest(listed.iter().copied());
    let is_older =
        |object: &PositionObject| newest.get(&object.name).is_some_and(|n| object.number < *n);
    listed.into_iter().filter(|object| is_older(object)).cloned().collect()
}
