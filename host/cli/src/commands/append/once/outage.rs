//! Failures of a store that may pass: reported once, and tried again less and less often.

use std::time::Duration;

use stratalog::Error;
use stratalog::store::Location;

use crate::process::exit::{Code, Failure};
use crate::process::signals::Signals;

const REST_MIN: Duration = Duration::from_secs(1);
const REST_MAX: Duration = Duration::from_secs(30);

/// The reason why a failure is not waited out.
pub(super) enum Halt {
    Signal(Code),
    Failed(Failure),
}

pub(super) struct Outage<'a> {
    location: &'a Location,
    pub(super) signals: &'a Signals,
    /// The text of the failure, and the next rest; none while all is well.
    on: Option<(String, Duration)>,
    /// False if no failure is waited out: those of the store were repeated already.
    is_patient: bool,
}

impl<'a> Outage<'a> {
    pub(super) fn new(location: &'a Location, signals: &'a Signals, is_patient: bool) -> Self {
        Self { location, signals, on: None, is_patient }
    }

    /// Returns true if the last try has failed.
    pub(super) fn is_on(&self) -> bool {
        self.on.is_some()
    }

    /// Rests after a failure of the store, if it may pass.
    pub(super) async fn pass(&mut self, error: Error) -> Result<(), Halt> {
        let may_pass = error.is_transient();
        let failure = Failure::from(error);
        if !may_pass || !self.is_patient {
            return Err(Halt::Failed(failure));
        }
        let what = format!("cannot append to {}", self.location);
        self.pass_failure(failure.context(what)).await
    }

    /// Rests after a failure.
    pub(super) async fn pass_failure(&mut self, failure: Failure) -> Result<(), Halt> {
        if !self.is_patient {
            return Err(Halt::Failed(failure));
        }
        let text = failure.text();
        let rest = match &self.on {
            Some((_, rest)) => *rest,
            None => REST_MIN,
        };
        if self.on.as_ref().is_none_or(|(reported, _)| *reported != text) {
            tracing::warn!("{text}; the events stay in their files until it can be written again");
        }
        self.on = Some((text, (rest * 2).min(REST_MAX)));
        let rested = async {
            tokio::time::sleep(rest).await;
            Ok::<(), Halt>(())
        };
        match self.signals.or(rested).await? {
            Ok(()) => Ok(()),
            Err(code) => Err(Halt::Signal(code)),
        }
    }

    /// Records that a try has succeeded.
    pub(super) fn is_over(&mut self) {
        if self.on.take().is_some() {
            tracing::warn!("writing to {} again", self.location);
        }
    }
}
