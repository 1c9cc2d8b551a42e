//! Where the findings of a batch belong: each incident is read once and written once, whatever joins it.

use std::collections::{BTreeMap, BTreeSet};

use quell_model::{Finding, FindingId, Incident, IncidentId, IncidentStatus, Timestamp};
use quell_store::{Batch, Document, Kind, Query, State, StoreError, Write};
use quell_triage::{Cause, Known, Placed, Trouble, place};

use super::respond::{Answer, respond};
use super::{open_incident, push_incident};
use crate::app::App;
use crate::begin;

/// The status of a finding that waits for more of its kind.
pub(super) const WAITING: &str = "waiting";
/// The status of one that an incident holds.
const NEW: &str = "new";
/// So many weak findings say as much as more of them would.
const WAITING_MAX: usize = 200;

/// What a batch says of incidents.
#[derive(Default)]
pub(super) struct Placing {
    causes: BTreeMap<String, OfCause>,
    /// Findings that are not stored yet, or not as they are now.
    pub(super) findings: BTreeMap<String, Write>,
    /// What could not be read.
    pub(super) aside: Vec<Write>,
    runs: Vec<Write>,
    /// Resources that the findings placed since this was last asked for are about.
    visits: Vec<Visit>,
    /// Incidents that are to be told of each other, and those of them that nothing else of the batch is about.
    links: BTreeSet<(IncidentId, IncidentId)>,
    others: Vec<(Incident, Option<Document>, bool)>,
}

/// Somebody's incident has a finding about a resource.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Visit {
    /// The resource's ARN.
    pub(super) resource: String,
    pub(super) incident: IncidentId,
    /// When it happened.
    pub(super) at: Timestamp,
}

/// What is known of a cause, with what the batch adds.
struct OfCause {
    /// Who opens an incident of it meanwhile makes the batch a conflict.
    document: Option<Document>,
    opened: Option<Timestamp>,
    /// The unresolved one that was stored, and those that were opened; the last is the newest.
    incidents: Vec<(Incident, Option<Document>, bool)>,
    /// Weak findings that no incident holds yet, with their documents when they are stored.
    waiting: Vec<(Finding, Option<Document>)>,
    /// Which of those say something else now.
    corrected: BTreeSet<FindingId>,
    /// Stored findings that an incident holds now.
    joined: Vec<Document>,
}

/// Findings that belong together, and whether somebody may have stored them already.
pub(super) struct Together<'a> {
    pub(super) findings: &'a [Finding],
    /// When the record came that completed them.
    pub(super) received_at: Timestamp,
    /// What is stored of them already.
    pub(super) stored: Stored,
}

/// What is stored of findings that are placed.
pub(super) enum Stored {
    /// Perhaps the very same: those of single records are stored only with their record.
    Perhaps,
    /// Nothing: who stores it meanwhile makes the batch a conflict.
    No,
    /// What was said before of the one finding that is placed.
    Before(Document),
}

impl Placing {
    /// Roughly how many writes there will be.
    pub(super) fn writes(&self) -> usize {
        self.findings.len() + self.aside.len() + self.runs.len() + self.causes.len() * 2
    }

    /// Whether a run begins.
    pub(super) fn begins_a_run(&self) -> bool {
        !self.runs.is_empty()
    }

    /// Whether a finding is stored already, or will be.
    pub(super) async fn is_known(
        &self,
        store: &dyn State,
        finding: &Finding,
    ) -> Result<bool, StoreError> {
        let id = finding.id.as_str();
        Ok(self.findings.contains_key(id) || store.get(Kind::Finding, id).await?.is_some())
    }

    /// Puts findings into the incident of their cause, and begins the run that answers it.
    pub(super) async fn add(
        &mut self,
        app: &App,
        together: Together<'_>,
    ) -> Result<(), StoreError> {
        let findings = together.findings;
        let Some(first) = findings.first() else {
            return Ok(());
        };
        let (answer, trouble, cause) = answer_to(app, findings, first);
        let of = match self.causes.remove(cause.key()) {
            Some(of) => of,
            None => OfCause::read(&*app.state, &cause).await?,
        };
        let of = self.causes.entry(cause.key().to_owned()).or_insert(of);
        let known = of.known(&cause, first);
        let Some(placed) = place(known, &cause, findings, trouble, together.received_at) else {
            return Ok(());
        };
        let is_waiting = placed == Placed::Waiting;
        for finding in findings {
            let status = if is_waiting { WAITING } else { NEW };
            let id = finding.id.as_str();
            let document = |finding: &Finding| {
                let new = Document::new(Kind::Finding, id, status, finding.event_time, finding)?;
                Ok::<_, StoreError>(new.under(cause.key()))
            };
            let write = match &together.stored {
                Stored::Perhaps => Write::InsertNew(document(finding)?),
                Stored::No => Write::Insert(document(finding)?),
                Stored::Before(before) => Write::Update(before.clone().with(status, finding)?),
            };
            self.findings.insert(id.to_owned(), write);
            if is_waiting {
                of.waiting.push((finding.clone(), None));
            }
        }
        let (mut incident, stored) = match placed {
            Placed::Opened(opened) => {
                of.opened = Some(opened.detected_at);
                (opened, None)
            }
            // What was not bad enough to begin for has become so: its product says more of it now.
            Placed::Known(known) if answer.is_none() || !is_untouched(&known) => return Ok(()),
            Placed::Joined(joined) | Placed::Known(joined) => {
                let (_, stored, _) = of.incidents.pop().unwrap_or((joined.clone(), None, true));
                (joined, stored)
            }
            Placed::Waiting => return Ok(()),
        };
        let waited = of.join_waiting(&cause, first, &mut self.findings);
        self.visits
            .extend(visits(&incident, findings.iter().chain(&waited)));
        let idle = matches!(
            incident.status,
            IncidentStatus::Open | IncidentStatus::Parked | IncidentStatus::Contained
        );
        if idle && begin::at_work(&*app.state, &incident.id).await?.is_none() {
            self.runs.extend(respond(app, &mut incident, answer).await?);
        }
        of.incidents.push((incident, stored, true));
        Ok(())
    }

    /// Puts who began it into a finding that is stored, and into its incident. Which findings an incident holds stays as it is.
    pub(super) async fn correct(
        &mut self,
        store: &dyn State,
        document: Document,
        finding: &Finding,
    ) -> Result<(), StoreError> {
        // One of this batch is not stored yet.
        if self.findings.contains_key(finding.id.as_str()) {
            return Ok(());
        }
        let cause = Cause::Principal(document.parent.clone());
        let of = match self.causes.remove(cause.key()) {
            Some(of) => of,
            None => OfCause::read(store, &cause).await?,
        };
        let of = self.causes.entry(cause.key().to_owned()).or_insert(of);
        if document.status == WAITING {
            // It is written with those that wait, or with the incident that takes it in.
            if let Some(waits) = of.waiting.iter_mut().find(|(f, _)| f.id == finding.id) {
                *waits = (finding.clone(), Some(document));
                of.corrected.insert(finding.id.clone());
            }
            return Ok(());
        }
        let held = of.incidents.iter_mut();
        for (incident, _, changed) in held.filter(|(i, ..)| i.findings.contains(&finding.id)) {
            if incident.initiator.is_none() {
                incident.initiator.clone_from(&finding.initiator);
                *changed = true;
            }
        }
        let id = finding.id.to_string();
        self.findings.insert(id, Write::Update(document));
        Ok(())
    }

    /// The resources that are new in incidents since this was last asked for.
    pub(super) fn take_visits(&mut self) -> Vec<Visit> {
        std::mem::take(&mut self.visits)
    }

    /// Two incidents are to be told of each other.
    pub(super) fn link(&mut self, one: IncidentId, other: IncidentId) {
        self.links.insert((one, other));
    }

    pub(super) fn take_links(&mut self) -> BTreeSet<(IncidentId, IncidentId)> {
        std::mem::take(&mut self.links)
    }

    /// Tells an incident that the batch has in its hands of another; answers whether it has it.
    pub(super) fn knows(&mut self, id: &IncidentId, related: &IncidentId) -> bool {
        let of_causes = self.causes.values_mut().flat_map(|of| &mut of.incidents);
        let mut all = of_causes.chain(&mut self.others);
        let Some((incident, _, changed)) = all.find(|(incident, ..)| incident.id == *id) else {
            return false;
        };
        if !incident.related.contains(related) && incident.related.len() < Incident::RELATED_MAX {
            incident.related.push(related.clone());
            *changed = true;
        }
        true
    }

    /// An incident that nothing else of the batch is about.
    pub(super) fn read(&mut self, incident: Incident, document: Document) {
        self.others.push((incident, Some(document), false));
    }

    /// Takes a finding out of those that wait for more of their cause: it is placed anew.
    pub(super) async fn stop_waiting(
        &mut self,
        app: &App,
        cause: &Cause,
        id: &FindingId,
    ) -> Result<(), StoreError> {
        let of = self.of(app, cause).await?;
        of.waiting.retain(|(waiting, _)| waiting.id != *id);
        Ok(())
    }

    /// Says on the unresolved incident that holds a finding, if there is one, what is known of it now.
    pub(super) async fn tell(
        &mut self,
        app: &App,
        cause: &Cause,
        finding: &Finding,
    ) -> Result<(), StoreError> {
        let of = self.of(app, cause).await?;
        if let Some((incident, _, changed)) = of.incidents.last_mut()
            && incident.findings.contains(&finding.id)
        {
            let before = incident.clone();
            incident.severity = incident.severity.max(finding.severity);
            incident.first_event_at = incident.first_event_at.min(finding.first_event_time);
            incident.last_event_at = incident.last_event_at.max(finding.event_time);
            *changed |= *incident != before;
        }
        Ok(())
    }

    async fn of(&mut self, app: &App, cause: &Cause) -> Result<&mut OfCause, StoreError> {
        let of = match self.causes.remove(cause.key()) {
            Some(of) => of,
            None => OfCause::read(&*app.state, cause).await?,
        };
        Ok(self.causes.entry(cause.key().to_owned()).or_insert(of))
    }

    /// Adds all of it to a batch.
    pub(super) fn write(self, batch: &mut Batch) -> Result<(), StoreError> {
        let mut incidents = self.others;
        for (key, of) in self.causes {
            if let Some(at) = of.opened {
                batch.push(match of.document {
                    Some(before) => Write::Update(before),
                    None => Write::Insert(Document::new(Kind::Cause, key, "opened", at, &())?),
                });
            }
            let still = of.waiting.into_iter();
            let corrected = still.filter(|(f, _)| of.corrected.contains(&f.id));
            for document in corrected.filter_map(|(_, document)| document) {
                batch.push(Write::Update(document));
            }
            for document in of.joined {
                batch.push(Write::Update(document));
            }
            incidents.extend(of.incidents);
        }
        for (incident, stored, _) in incidents.into_iter().filter(|(.., changed)| *changed) {
            push_incident(&incident, stored, batch)?;
        }
        for write in self
            .findings
            .into_values()
            .chain(self.aside)
            .chain(self.runs)
        {
            batch.push(write);
        }
        Ok(())
    }
}

impl OfCause {
    async fn read(store: &dyn State, cause: &Cause) -> Result<Self, StoreError> {
        // Read first: who opens an incident of this cause after that makes the batch a conflict.
        let document = store.get(Kind::Cause, cause.key()).await?;
        let stored = open_incident(store, cause.key()).await?;
        let incidents = stored
            .map(|document| Ok((document.read()?, Some(document), false)))
            .into_iter()
            .collect::<Result<_, StoreError>>()?;
        let query = Query::all(Kind::Finding)
            .parent(cause.key())
            .status(WAITING)
            .newest()
            .limit(WAITING_MAX);
        let waiting = store.list(&query).await?.documents.into_iter();
        let waiting = waiting.map(|document| Ok((document.read()?, Some(document))));
        Ok(Self {
            document,
            opened: None,
            incidents,
            waiting: waiting.collect::<Result<_, StoreError>>()?,
            corrected: BTreeSet::new(),
            joined: Vec::new(),
        })
    }

    /// What is known before findings are placed of which `first` is one.
    fn known(&self, cause: &Cause, first: &Finding) -> Known {
        let waiting = self
            .waiting
            .iter()
            .filter(|(w, _)| belongs(cause, w, first));
        Known {
            open: self.incidents.last().map(|(incident, ..)| incident.clone()),
            waiting: waiting.map(|(finding, _)| finding.clone()).collect(),
        }
    }

    /// What waited is held by an incident now; answers it.
    fn join_waiting(
        &mut self,
        cause: &Cause,
        first: &Finding,
        findings: &mut BTreeMap<String, Write>,
    ) -> Vec<Finding> {
        let mut waited = Vec::new();
        for (finding, document) in std::mem::take(&mut self.waiting) {
            if !belongs(cause, &finding, first) {
                self.waiting.push((finding, document));
                continue;
            }
            let status = NEW.to_owned();
            match (document, findings.get_mut(finding.id.as_str())) {
                (Some(document), _) => self.joined.push(Document { status, ..document }),
                (
                    None,
                    Some(
                        Write::Insert(document)
                        | Write::InsertNew(document)
                        | Write::Update(document),
                    ),
                ) => {
                    document.status = status;
                }
                (None, _) => {}
            }
            waited.push(finding);
        }
        waited
    }
}

/// The resources that somebody's findings are about. What he is himself is nobody else's.
fn visits<'f>(
    incident: &Incident,
    findings: impl Iterator<Item = &'f Finding>,
) -> impl Iterator<Item = Visit> {
    let others = findings.filter(|f| f.resource.arn != f.principal.arn);
    let visit = |finding: &Finding| Visit {
        resource: finding.resource.arn.to_string(),
        incident: incident.id.clone(),
        at: finding.event_time,
    };
    others.map(visit).collect::<BTreeSet<_>>().into_iter()
}

/// The playbook that answers findings of which `first` is one, with what its run is about; what kind of trouble they are; and
/// their cause.
pub(super) fn answer_to<'a>(
    app: &'a App,
    findings: &'a [Finding],
    first: &Finding,
) -> (Option<Answer<'a>>, Trouble<'a>, Cause) {
    let answer = findings.iter().find_map(|f| {
        let playbook = app.content.playbook_for(f)?;
        let target = playbook.target(f)?;
        playbook.may_begin_for(f).then_some((playbook, target))
    });
    let playbook = answer.map(|(playbook, _)| playbook);
    let trouble = app.content.trouble(playbook, findings.iter());
    (answer, trouble, Cause::of(trouble, first))
}

/// Whether nothing was done about an incident yet.
fn is_untouched(incident: &Incident) -> bool {
    incident.status == IncidentStatus::Open && incident.runs.is_empty()
}

/// Whether a finding that waits is near enough to what happens now.
fn belongs(cause: &Cause, waiting: &Finding, first: &Finding) -> bool {
    cause
        .since(first.event_time)
        .is_none_or(|since| waiting.event_time >= since)
}
