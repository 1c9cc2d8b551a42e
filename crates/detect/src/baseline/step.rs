//! The step that a record makes: its entity's and its groups' states to the next, and what fires.

use quell_model::{FindingId, Record, RecordId, Timestamp};
use quell_normalize::{Outline, Reading};

use super::explain::{self, Others};
use super::peers::Peers;
use super::profile::Profile;
use super::rate::surprise;
use super::values::{Tally, Values};
use super::{
    Baseline, Baselines, DAY_MILLIS, Field, Fired, HOUR_MILLIS, Kind, LATENESS_MILLIS, Measure,
    REMEMBERED_DAYS, Scope, Subject, SubjectKind, day_of, hour_of,
};
use crate::tree::Tree;

/// The states that a record needs: `None` is one that is not there yet.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct States {
    /// The entity's.
    pub entity: Option<Profile>,
    /// Its groups', in the subject's order.
    pub peers: Vec<Option<Peers>>,
}

/// The states after a record, and what fires.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// The states.
    pub states: States,
    /// Which of them changed, in the order of [`Subject::keys`]. The others need not be kept anew.
    pub changed: Vec<bool>,
    /// What fires.
    pub fired: Vec<Fired>,
}

/// A value of the record, hashed.
#[derive(Clone, Copy)]
struct Value<'a> {
    field: Field,
    text: &'a str,
    hash: u64,
    privileged: bool,
}

/// All that a baseline looks at.
struct View<'a, 's> {
    at: Timestamp,
    subject: &'s Subject,
    profile: &'a Profile,
    peers: &'a [Peers],
    values: &'a [Value<'s>],
}

impl Baselines {
    /// Takes a record into the states of one of its subjects. A record that is too late for a state changes nothing in it.
    pub fn step(&self, states: States, record: &Record, at: Timestamp, subject: &Subject) -> Step {
        let mut profile = states.entity.unwrap_or_else(|| Profile::new(at));
        let held = subject.peers.iter().enumerate();
        let mut given = states.peers.into_iter();
        let mut peers: Vec<Peers> = held
            .map(|_| given.next().flatten().unwrap_or_else(|| Peers::new(at)))
            .collect();
        let mut changed = vec![false; 1 + peers.len()];
        let mut fired = Vec::new();
        if !profile.is_too_late(at) {
            profile.count(at, subject, self.key.hash(&[&subject.service]));
            let values = self.see(&mut profile, &mut peers, &mut changed, at, subject);
            fired = self.fire(&mut profile, &peers, &values, (record, at), subject);
        }
        let states = States {
            entity: Some(profile),
            peers: peers.into_iter().map(Some).collect(),
        };
        Step {
            states,
            changed,
            fired,
        }
    }

    /// Puts the record's values into the states.
    fn see<'s>(
        &self,
        profile: &mut Profile,
        peers: &mut [Peers],
        changed: &mut [bool],
        at: Timestamp,
        subject: &'s Subject,
    ) -> Vec<Value<'s>> {
        let mut out = Vec::new();
        for (field, text) in &subject.values {
            let hash = self.key.hash(&[text]);
            let privileged = subject.privileged && *field == Field::Action;
            let sight = profile.see(*field, privileged, hash, at);
            for (group, changed) in peers.iter_mut().zip(changed.iter_mut().skip(1)) {
                *changed |= group.see((*field, privileged, hash), sight, at, &subject.label);
            }
            out.push(Value {
                field: *field,
                text,
                hash,
                privileged,
            });
        }
        if let Some(entity) = changed.first_mut() {
            *entity = true;
        }
        out
    }

    fn fire(
        &self,
        profile: &mut Profile,
        peers: &[Peers],
        values: &[Value<'_>],
        (record, at): (&Record, Timestamp),
        subject: &Subject,
    ) -> Vec<Fired> {
        let view = View {
            at,
            subject,
            profile,
            peers,
            values,
        };
        let looks = self.all.iter().filter_map(|b| Some((b, view.look(b)?)));
        let looks: Vec<(&Baseline, Look<'_>)> = looks.collect();
        let (mut out, mut outline) = (Vec::new(), Outline::default());
        if looks.is_empty() {
            return out;
        }
        let Ok(reading) = Reading::new(&record.body, &mut outline) else {
            return out;
        };
        let tree = Tree::new(reading);
        for (baseline, (first, (stretch, what), explanation)) in looks {
            if !baseline.is_about(&tree) {
                continue;
            }
            let mut group = vec![subject.entity.clone()];
            group.extend(what.iter().map(|text| (*text).to_owned()));
            let id = FindingId::of_group(baseline.id(), &group, stretch);
            let privileged = values
                .iter()
                .any(|v| v.privileged && what.contains(&v.text));
            if profile.fires(self.key.hash(&[id.as_str()]), privileged, at) {
                out.push(fired(baseline, id, &record.id, first, explanation));
            }
        }
        out
    }
}

fn fired(
    baseline: &Baseline,
    finding: FindingId,
    record: &RecordId,
    first: Timestamp,
    explanation: String,
) -> Fired {
    Fired {
        baseline: baseline.id().to_owned(),
        finding,
        record: record.clone(),
        first,
        explanation,
    }
}

/// When the first of it happened; the stretch of time and the values that it fires once for; why.
type Look<'a> = (Timestamp, (Timestamp, Vec<&'a str>), String);

impl<'a, 's> View<'a, 's> {
    fn look(&self, baseline: &Baseline) -> Option<Look<'s>> {
        let role = matches!(&baseline.kind, Kind::FirstSeen { fields, .. } if fields.contains(&Field::SourceAccount))
            || matches!(
                baseline.kind,
                Kind::Rare {
                    field: Field::SourceAccount,
                    ..
                }
            );
        if role != (self.subject.kind == SubjectKind::Role) {
            return None;
        }
        match &baseline.kind {
            Kind::FirstSeen { fields, scope } => self.first_seen(baseline, fields, *scope),
            Kind::Rare { field, surprise } => self.rare(baseline, *field, *surprise),
            Kind::Rate {
                measure,
                surprise,
                at_least,
            } => self.rate(baseline, *measure, *surprise, *at_least),
        }
    }

    fn value(&self, field: Field) -> Option<Value<'s>> {
        self.values.iter().find(|v| v.field == field).copied()
    }

    fn first_seen(&self, baseline: &Baseline, fields: &[Field], scope: Scope) -> Option<Look<'s>> {
        let values: Vec<Value<'s>> = fields
            .iter()
            .map(|f| self.value(*f))
            .collect::<Option<_>>()?;
        // Almost every record ends here.
        if !values.iter().all(|v| self.is_new(0, *v, baseline)) {
            return None;
        }
        for value in &values {
            let wanted = match scope {
                Scope::Principal => 0,
                Scope::Peers => 1.min(self.peers.len()),
                Scope::Account => self.peers.len(),
            };
            let level =
                (wanted..=self.peers.len()).find(|l| self.speaks(*l, value.field, baseline))?;
            if !self.is_new(level, *value, baseline) {
                return None;
            }
        }
        let mut parts = vec![explain::known(self.subject, self.profile)];
        parts.extend(
            values
                .iter()
                .map(|v| explain::value(v.field, v.text, "new for it", &self.others(*v))),
        );
        let first = values.iter().filter_map(|v| self.first(*v)).min();
        let texts = values.iter().map(|v| v.text).collect();
        Some((
            first.unwrap_or(self.at),
            (self.stretch(), texts),
            explain::join(&parts),
        ))
    }

    /// Whether the entity (level 0) or one of its groups has learned enough to say what is new.
    fn speaks(&self, level: usize, field: Field, baseline: &Baseline) -> bool {
        match level.checked_sub(1).and_then(|at| self.peers.get(at)) {
            Some(group) => group.is_mature(field, baseline.learn, self.at),
            None => level == 0 && self.profile.is_mature(baseline.learn, self.at),
        }
    }

    fn held(&self, level: usize, value: Value<'_>) -> Option<&'a Values> {
        match level.checked_sub(1) {
            Some(at) => self.peers.get(at)?.values(value.field, value.privileged),
            None => self.profile.values(value.field, value.privileged),
        }
    }

    fn is_new(&self, level: usize, value: Value<'_>, baseline: &Baseline) -> bool {
        let learning = i64::from(baseline.learn.days) * DAY_MILLIS + LATENESS_MILLIS;
        self.held(level, value).is_some_and(|values| {
            let again = values
                .again()
                .is_some_and(|at| self.at.millis_since(at) < learning);
            !again && values.is_fresh(value.hash, self.at)
        })
    }

    fn first(&self, value: Value<'_>) -> Option<Timestamp> {
        self.held(0, value)?.known(value.hash)?.first
    }

    fn rare(&self, baseline: &Baseline, field: Field, bound: f64) -> Option<Look<'s>> {
        let value = self.value(field)?;
        if !self.profile.is_mature(baseline.learn, self.at) || !self.is_new(0, value, baseline) {
            return None;
        }
        let account = self.peers.len();
        if !self.speaks(account, field, baseline) || self.learns(value, baseline) {
            return None;
        }
        let surprise = self.surprise_of(value);
        if surprise < bound {
            return None;
        }
        let how = format!(
            "one in {:.0} for it and its peers",
            surprise.exp().min(1e12)
        );
        let parts = [
            explain::known(self.subject, self.profile),
            explain::value(field, value.text, &how, &self.others(value)),
        ];
        let first = self.first(value).unwrap_or(self.at);
        Some((
            first,
            (self.stretch(), vec![value.text]),
            explain::join(&parts),
        ))
    }

    /// Whether one of the groups has forgotten so much that it learns again.
    fn learns(&self, value: Value<'_>, baseline: &Baseline) -> bool {
        let learning = i64::from(baseline.learn.days) * DAY_MILLIS + LATENESS_MILLIS;
        (1..=self.peers.len())
            .filter_map(|level| self.held(level, value)?.again())
            .any(|at| self.at.millis_since(at) < learning)
    }

    /// −ln of how probable something as unusual as this value is: what the principal has seen before, else what Good and Turing leave
    /// for the unseen, shared out as its peers would without it, and those as the account would without them.
    fn surprise_of(&self, value: Value<'_>) -> f64 {
        let day = day_of(self.at.plus_millis(-LATENESS_MILLIS));
        let (mut likely, mut inner) = (1.0, Tally::default());
        for level in 0..=self.peers.len() {
            let values = self.held(level, value);
            let tally = values.map(|v| v.tally(value.hash, day)).unwrap_or_default();
            // Who is inside has had its say.
            let rest = tally.without(inner);
            let unseen = rest.unseen_share();
            if rest.of_value > 0 {
                let share = rest.of_value as f64 / rest.of_all as f64;
                return -f64::ln(likely * (1.0 - unseen) * share);
            }
            likely *= unseen;
            inner = tally;
        }
        -f64::ln(likely)
    }

    fn others(&self, value: Value<'_>) -> Vec<Others<'_>> {
        let day = day_of(self.at.plus_millis(-LATENESS_MILLIS));
        let groups = self.subject.peers.iter().zip(self.peers);
        let others = groups.map(|(group, peers)| {
            let values = peers.values(value.field, value.privileged);
            Others {
                group,
                since: peers.first(),
                seen: values.and_then(|v| v.known(value.hash)),
                before: values.map_or(0, |v| v.tally(value.hash, day).of_value),
            }
        });
        others.collect()
    }

    fn rate(
        &self,
        baseline: &Baseline,
        measure: Measure,
        bound: f64,
        at_least: u32,
    ) -> Option<Look<'s>> {
        let (count, usual) = self.profile.hour(measure, self.at);
        if count < at_least || usual.hours < baseline.learn.days * 24 {
            return None;
        }
        let mean = usual.mean.max(usual.peak);
        if surprise(count, mean) < bound || !self.profile.is_mature(baseline.learn, self.at) {
            return None;
        }
        let hour = Timestamp::from_millis(hour_of(self.at) * HOUR_MILLIS);
        let parts = [
            explain::known(self.subject, self.profile),
            explain::hour(measure, count, usual),
        ];
        Some((hour, (hour, Vec::new()), explain::join(&parts)))
    }

    /// The beginning of the stretch in which something fires once.
    fn stretch(&self) -> Timestamp {
        let days = day_of(self.at).div_euclid(REMEMBERED_DAYS) * REMEMBERED_DAYS;
        Timestamp::from_millis(days * DAY_MILLIS)
    }
}
