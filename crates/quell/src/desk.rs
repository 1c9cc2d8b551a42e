//! What the API and the command line may ask for.

use async_trait::async_trait;
use quell_evidence::Act;
use quell_guard::{Approval, Rejection};
use quell_model::{
    Disposition, Incident, IncidentId, IncidentStatus, Plan, Record, RunId, Timestamp, Verdict,
};
use quell_respond::{Mode, Playbook, Run, RunStatus, Watch};
use quell_server::{Desk, DeskError, Remediation};
use quell_store::{Batch, Document, Kind, StoreError, Write};
use serde_json::{Value, json};

use crate::app::App;
use crate::audit;
use crate::begin;
use crate::orders::images;
use crate::runner::wake;
use crate::watched;

#[async_trait]
impl Desk for App {
    async fn accept(&self, records: Vec<Record>) -> Result<(), DeskError> {
        quell_collect::accept(&*self.state, &records, &[]).await?;
        self.records.notify_one();
        Ok(())
    }

    async fn remediate(&self, request: Remediation, by: &str) -> Result<Run, DeskError> {
        let id = request.incident_id.as_str();
        let document = self.document(Kind::Incident, "incident", id).await?;
        let mut incident: Incident = document.read()?;
        if incident.resource.arn.to_string() != request.resource_arn {
            let text = format!(
                "the incident is about {}, not {}",
                incident.resource.arn, request.resource_arn
            );
            return Err(DeskError::Invalid(text));
        }
        let playbook = self.playbook(&request.playbook)?;
        if !playbook.is_for(&incident.resource.kind) {
            let text = format!(
                "{} is for {}, not {}",
                playbook.id,
                playbook.resource_types.join(", "),
                incident.resource.kind
            );
            return Err(DeskError::Invalid(text));
        }
        self.refuse_a_second_run(&incident).await?;
        let run = begin::respond(
            &incident,
            &incident.resource,
            playbook,
            Some(by.to_owned()),
            self.clock.now(),
        );
        let run = images::told(&*self.state, run, playbook, self.clock.now()).await;
        incident.acknowledged_at.get_or_insert(self.clock.now());
        incident.status = IncidentStatus::Responding;
        incident.status_reason = None;
        self.begin(run, incident, document).await
    }

    async fn undo(&self, id: &RunId, by: &str) -> Result<Run, DeskError> {
        let first: Run = self.document(Kind::Run, "run", id.as_str()).await?.read()?;
        match (first.mode, first.status, &first.undo) {
            (Mode::Undo, ..) => return Err(DeskError::Invalid(format!("{id} is itself an undo"))),
            (_, RunStatus::Undone, _) => {
                return Err(DeskError::Conflict(format!("{id} is undone already")));
            }
            (_, RunStatus::Running, _) => {
                return Err(DeskError::Conflict(format!("{id} is still at work")));
            }
            (_, _, None) => {
                return Err(DeskError::Conflict(format!(
                    "{id} changed nothing: there is nothing to undo"
                )));
            }
            _ => {}
        }
        let playbook = self.playbook(&first.playbook)?;
        let document = self
            .document(Kind::Incident, "incident", first.incident.as_str())
            .await?;
        let incident: Incident = document.read()?;
        self.refuse_a_second_run(&incident).await?;
        let run = begin::undo(
            &first,
            &incident,
            playbook,
            incident.runs.len(),
            by,
            self.clock.now(),
        );
        self.begin(run, incident, document).await
    }

    async fn approve(&self, id: &RunId, plan_hash: &str, by: &str) -> Result<Run, DeskError> {
        self.rule(id, plan_hash, by, Ruling::Yes).await
    }

    async fn reject(
        &self,
        id: &RunId,
        plan_hash: &str,
        by: &str,
        reason: &str,
    ) -> Result<Run, DeskError> {
        self.rule(id, plan_hash, by, Ruling::No(reason)).await
    }
}

/// What a person says to a plan.
#[derive(Clone, Copy)]
enum Ruling<'a> {
    Yes,
    /// And why.
    No(&'a str),
}

/// A reason is for people to read.
const REASON_CHARS_MAX: usize = 1000;

/// A parked run is looked at every few seconds, so the second try finds it at rest.
const APPROVALS_TRIED_MAX: usize = 10;

impl App {
    /// The document, or a clear no.
    async fn document(
        &self,
        kind: Kind,
        what: &'static str,
        id: &str,
    ) -> Result<Document, DeskError> {
        let found = self.state.get(kind, id).await?;
        found.ok_or_else(|| DeskError::NotFound {
            what,
            id: id.to_owned(),
        })
    }

    /// Puts a ruling on the run as it stands. The loop looks at parked runs too, and writes them when it does.
    async fn rule(
        &self,
        id: &RunId,
        plan_hash: &str,
        by: &str,
        ruling: Ruling<'_>,
    ) -> Result<Run, DeskError> {
        for _ in 0..APPROVALS_TRIED_MAX {
            match self.rule_once(id, plan_hash, by, ruling).await {
                Err(DeskError::Store(StoreError::Conflict { .. })) => {}
                other => return other,
            }
        }
        Err(DeskError::Conflict(format!(
            "{id} is being changed all the time: try again"
        )))
    }

    async fn rule_once(
        &self,
        id: &RunId,
        plan_hash: &str,
        by: &str,
        ruling: Ruling<'_>,
    ) -> Result<Run, DeskError> {
        let document = self.document(Kind::Run, "run", id.as_str()).await?;
        let mut run: Run = document.read()?;
        let (act, details) = put(&mut run, plan_hash, by, ruling, self.clock.now())?;
        let told = audit::entry(self.clock.now(), act, by, run.id.as_str(), details);
        let update = Write::Update(document.with(run.status.as_str(), &run)?);
        let mut batch = Batch::new().with(update).with(audit::write(&told)?);
        for write in wake::at(&run.id, &run.resource.account, self.clock.now())? {
            batch.push(write);
        }
        self.state.commit(batch).await?;
        self.runs.notify_one();
        Ok(run)
    }

    /// The playbook, or a clear no.
    ///
    /// # Errors
    /// [`DeskError::NotFound`].
    pub fn playbook(&self, id: &str) -> Result<&Playbook, DeskError> {
        let found = self.content.playbooks.get(id);
        found.ok_or_else(|| DeskError::NotFound {
            what: "playbook",
            id: id.to_owned(),
        })
    }

    /// Stores a new run together with the incident that it belongs to, and rings for it.
    async fn begin(
        &self,
        run: Run,
        mut incident: Incident,
        document: Document,
    ) -> Result<Run, DeskError> {
        incident.runs.push(run.id.clone());
        let mut batch = Batch::new().with(Write::Update(
            document.with(incident.status.as_str(), &incident)?,
        ));
        for write in begin::writes(&run)? {
            batch.push(write);
        }
        self.state.commit(batch).await?;
        self.runs.notify_one();
        Ok(run)
    }

    /// A person says what an incident was: it is over. What a playbook contained stays contained.
    ///
    /// # Errors
    /// [`DeskError`]: there is none, or something is being done about it at this moment.
    pub async fn judge(
        &self,
        id: &IncidentId,
        verdict: Verdict,
        note: &str,
        by: &str,
    ) -> Result<Incident, DeskError> {
        let document = self
            .document(Kind::Incident, "incident", id.as_str())
            .await?;
        let mut incident: Incident = document.read()?;
        self.refuse_a_second_run(&incident).await?;
        let at = self.clock.now();
        let note: String = note.chars().take(REASON_CHARS_MAX).collect();
        let by = by.to_owned();
        let details = json!({"verdict": verdict, "note": note});
        let told = audit::entry(at, Act::Judged, &by, id.as_str(), details);
        incident.disposition = Some(Disposition {
            verdict,
            by,
            at,
            note,
        });
        incident.acknowledged_at.get_or_insert(at);
        incident.resolved_at.get_or_insert(at);
        incident.status = IncidentStatus::Resolved;
        incident.status_reason = Some(format!("judged: {}", verdict.as_str()));
        let update = Write::Update(document.with(incident.status.as_str(), &incident)?);
        let batch = Batch::new().with(update).with(audit::write(&told)?);
        self.state.commit(batch).await?;
        Ok(incident)
    }

    /// Lets the containment by a run last longer, from now on.
    ///
    /// # Errors
    /// [`DeskError`]: there is no such run, or what it did is not watched as a containment.
    pub async fn keep(&self, id: &RunId, hours: u32, by: &str) -> Result<Watch, DeskError> {
        let run: Run = self.document(Kind::Run, "run", id.as_str()).await?.read()?;
        // What ends by itself has its own end, as many runs as there are about the resource.
        let stored = match self.state.get(Kind::Watch, id.as_str()).await? {
            Some(own) => own,
            None => {
                let watch = Watch::id(&run.playbook, &run.resource);
                self.document(Kind::Watch, "containment of run", &watch)
                    .await?
            }
        };
        let mut watch: Watch = stored.read()?;
        if watch.run != *id || !run.is_containment() || run.status != RunStatus::Done {
            let text = format!("{id} is no containment that stands");
            return Err(DeskError::Conflict(text));
        }
        let now = self.clock.now();
        watch.keep(hours, now);
        let details = json!({"hours": hours, "until": watch.until});
        let told = audit::entry(now, Act::Kept, by, id.as_str(), details);
        let mut batch = Batch::new().with(watched::write(Some(stored), &watch)?);
        batch.push(audit::write(&told)?);
        let found = self
            .state
            .get(Kind::Incident, run.incident.as_str())
            .await?;
        if let Some(document) = found {
            let mut incident: Incident = document.read()?;
            // What a person judged stays judged.
            if incident.status != IncidentStatus::Resolved {
                incident.status = IncidentStatus::Contained;
                incident.status_reason = Some(format!("{by} keeps the containment"));
                let status = incident.status.as_str();
                batch.push(Write::Update(document.with(status, &incident)?));
            }
        }
        self.state.commit(batch).await?;
        Ok(watch)
    }

    /// One run at a time for one incident.
    async fn refuse_a_second_run(&self, incident: &Incident) -> Result<(), DeskError> {
        match begin::at_work(&*self.state, &incident.id).await? {
            None => Ok(()),
            Some(run) => Err(DeskError::Conflict(format!(
                "{} is still {}",
                run.id,
                run.status.as_str()
            ))),
        }
    }
}

/// Writes what a person says into a run that waits for it, and says what the audit log is to know.
fn put(
    run: &mut Run,
    plan_hash: &str,
    by: &str,
    ruling: Ruling<'_>,
    at: Timestamp,
) -> Result<(Act, Value), DeskError> {
    if run.status != RunStatus::Parked || run.outcome.is_some() {
        let text = format!("{} does not wait for an approval", run.id);
        return Err(DeskError::Conflict(text));
    }
    let planned = run.plan.as_ref().map(Plan::hash).unwrap_or_default();
    if planned != plan_hash {
        let text = format!("the plan's hash is {planned}: look at that plan before you decide");
        return Err(DeskError::Conflict(text));
    }
    let (by, plan_hash) = (by.to_owned(), planned);
    let details = json!({"planHash": plan_hash});
    let told = match ruling {
        Ruling::Yes if run.requested_by.as_ref() == Some(&by) => {
            let text = format!("{by} asked for {}: somebody else has to say yes", run.id);
            return Err(DeskError::Conflict(text));
        }
        Ruling::Yes => {
            // Said again it is the same yes, at a later moment.
            run.approvals.retain(|a| a.by != by);
            run.approvals.push(Approval { by, plan_hash, at });
            (Act::Approved, details)
        }
        Ruling::No(reason) => {
            let reason: String = reason.chars().take(REASON_CHARS_MAX).collect();
            let details = json!({"planHash": plan_hash, "reason": reason});
            run.rejection = Some(Rejection {
                by,
                plan_hash,
                at,
                reason,
            });
            (Act::Rejected, details)
        }
    };
    run.status = RunStatus::Running;
    run.reason = None;
    Ok(told)
}
