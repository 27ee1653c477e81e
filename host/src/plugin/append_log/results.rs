//! Converts the library's results for plugins: objects are named below the label.

use crate::page::Page;
use crate::sandbox::imports::access::KeyScope;
use crate::types::interface as wit;
use crate::types::{Compaction, Damage, Finding, Garbage, Stranded, VerifyProgress};

impl KeyScope {
    pub(super) fn compaction(&self, done: Compaction) -> Compaction {
        let new_key = done.new_key.map(|key| self.object(&key));
        Compaction { new_key, ..done }
    }

    pub(super) fn checked(&self, checked: VerifyProgress) -> VerifyProgress {
        let findings = checked.findings.into_iter().map(|finding| self.finding(finding)).collect();
        VerifyProgress { findings, ..checked }
    }

    fn finding(&self, finding: Finding) -> Finding {
        match finding {
            Finding::Damaged(damage) => Finding::Damaged(self.damage(damage)),
            Finding::Garbage(garbage) => {
                let object = self.object(&garbage.object);
                Finding::Garbage(Garbage { object, ..garbage })
            }
            Finding::Stranded(stranded) => {
                let object = self.object(&stranded.object);
                let before = self.object(&stranded.before);
                Finding::Stranded(Stranded { object, before, ..stranded })
            }
        }
    }

    pub(super) fn damage(&self, damage: Damage) -> Damage {
        Damage { object: self.object(&damage.object), ..damage }
    }
}

impl From<Page> for wit::Page {
    fn from(page: Page) -> Self {
        let Page { lines, events, missed } = page;
        Self { lines: lines.into(), events, missed }
    }
}
