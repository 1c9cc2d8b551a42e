//! What baselines say of a record, against what is remembered of who did it.

use quell_detect::baseline::Subject;
use quell_model::{Event, Finding, Record};
use quell_normalize::principal;
use quell_store::StoreError;

use super::Worker;
use super::placing::{Placing, Stored, Together};
use crate::app::App;

impl Worker {
    /// Takes a record into the pasts of its subjects; the findings of what fires are placed.
    pub(super) async fn compare(
        &mut self,
        app: &App,
        (record, event): (&Record, &Event),
        subjects: &[Subject],
        placing: &mut Placing,
    ) -> Result<(), StoreError> {
        let baselines = &app.content.baselines;
        // Else whoever can send a record could make all that comes after it too late.
        let at = event.time.min(record.received_at);
        let (mut findings, principal) = (Vec::new(), principal(event));
        for subject in subjects {
            let (keys, now) = (subject.keys(), app.clock.now());
            let step = |kept| baselines.step_kept(kept, record, at, subject);
            let fired = self.pasts.together(&*app.state, baselines, &keys, step);
            let new = fired.await?.into_iter();
            findings.extend(new.filter_map(|f| baselines.finding(&f, event, &principal, now)));
        }
        self.initiate(app, event, record, &mut findings).await?;
        let mut new: Vec<Finding> = Vec::new();
        for finding in findings {
            // A past that was forgotten is learned anew, and may say the same again.
            if !placing.is_known(&*app.state, &finding).await? {
                new.push(finding);
            }
        }
        let together = Together {
            findings: &new,
            received_at: record.received_at,
            stored: Stored::No,
        };
        placing.add(app, together).await
    }
}
