//! The part of a proof that every subject shares. A plan says what each of its calls sets in the image, a flat map of
//! attributes; here that is held against what the call's own arguments say, as the subject's proof reads them, and then
//! the whole plan is reckoned through: the predicted state is the one that was read with every call applied, and what
//! takes a call back brings back exactly what was there before it.

use std::collections::BTreeSet;

use quell_model::{Call, Class, Plan, PlannedCall, UndoCall};
use serde_json::{Map, Value};

use super::{Claim, Proof, Unproven};

/// A flat map from what can be set to its value; what is not there has no key.
pub(super) type Image = Map<String, Value>;

/// Which way a call goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// It is part of a response.
    There,
    /// It takes a response back.
    Back,
}

/// A call as a proof is asked about it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Asked<'a> {
    /// `iam:AttachUserPolicy`, with the service as the task's resource names it.
    pub operation: &'a str,
    /// Its arguments.
    pub arguments: &'a Map<String, Value>,
    /// The image as it is when the call is made.
    pub image: &'a Image,
    /// Whether it does or takes back.
    pub way: Way,
    /// What else the plan says was read.
    pub facts: &'a Value,
    /// What the run is about.
    pub claim: &'a Claim<'a>,
}

impl<'a> Asked<'a> {
    /// The arguments, when they are these members and no others.
    pub(super) fn only(&self, names: &[&str]) -> Result<&'a Map<String, Value>, Unproven> {
        match self.arguments.keys().find(|k| !names.contains(&k.as_str())) {
            Some(stranger) => Err(no(format!(
                "{} has an argument «{stranger}» that no such call needs",
                self.operation
            ))),
            None => Ok(self.arguments),
        }
    }

    /// A member that has to be a text.
    pub(super) fn text(&self, name: &str) -> Result<&'a str, Unproven> {
        let text = self.arguments.get(name).and_then(Value::as_str);
        text.ok_or_else(|| no(format!("{} has no {name}", self.operation)))
    }

    /// A member that has to be this very value.
    pub(super) fn is(&self, name: &str, value: &Value) -> Result<(), Unproven> {
        match self.arguments.get(name) {
            Some(given) if given == value => Ok(()),
            Some(given) => Err(no(format!(
                "{}: {name} is {given}, and may only be {value}",
                self.operation
            ))),
            None => Err(no(format!("{} has no {name}", self.operation))),
        }
    }
}

/// What a call does.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Deed {
    /// What it sets: attribute to value, null for one that is gone.
    pub sets: Map<String, Value>,
    /// How far it reaches at least.
    pub class: Class,
    /// It is kept on purpose (evidence): nothing takes it back.
    pub kept: bool,
}

impl Deed {
    /// Sets one attribute; can be undone exactly.
    pub(super) fn setting(key: impl Into<String>, value: impl Into<Value>) -> Self {
        Self {
            sets: Map::from_iter([(key.into(), value.into())]),
            class: Class::R1,
            kept: false,
        }
    }

    /// It reaches as far as this.
    #[must_use]
    pub(super) fn of_class(self, class: Class) -> Self {
        Self { class, ..self }
    }

    /// Nothing takes it back.
    #[must_use]
    pub(super) fn kept(self) -> Self {
        Self { kept: true, ..self }
    }
}

/// What plans about one kind of resource may do.
pub(super) trait Subject {
    /// What a call does, from its arguments alone.
    ///
    /// # Errors
    /// [`Unproven`], when no such plan makes such a call: another operation, another resource, another value.
    fn read(&self, asked: &Asked<'_>) -> Result<Deed, Unproven>;

    /// What else the plan as a whole must keep.
    ///
    /// # Errors
    /// [`Unproven`] says what it does not.
    fn allows(&self, plan: &Plan, deeds: &[Deed], claim: &Claim<'_>) -> Result<(), Unproven> {
        let _ = (plan, deeds, claim);
        Ok(())
    }

    /// Whether a call of an undo stands for a recorded one though its arguments are not the same to the letter: a list that is written
    /// whole has others on it by now. What it sets is compared all the same.
    fn stands_for(&self, recorded: &Value, made: &Value) -> bool {
        recorded == made
    }

    /// Who else would feel such a plan, in words for the person who is asked; empty when nothing speaks against it.
    fn concerns(&self, plan: &Plan, claim: &Claim<'_>) -> Vec<String>;

    /// What is known of every plan that is proven as one of this kind, a sentence each, for whoever has to say yes to it.
    fn keeps(&self) -> &'static [&'static str];
}

pub(super) fn no(text: impl Into<String>) -> Unproven {
    Unproven(text.into())
}

/// The attributes of an image.
pub(super) fn attributes<'a>(image: &'a Value, name: &str) -> Result<&'a Image, Unproven> {
    let found = image.get("attributes").and_then(Value::as_object);
    let found = found.ok_or_else(|| no(format!("the {name} image has no attributes")))?;
    match found.iter().find(|(_, value)| value.is_null()) {
        Some((key, _)) => Err(no(format!("{key} is null in the {name} image"))),
        None => Ok(found),
    }
}

fn apply(image: &mut Image, sets: &Map<String, Value>) {
    for (key, value) in sets {
        match value {
            Value::Null => drop(image.remove(key)),
            value => drop(image.insert(key.clone(), value.clone())),
        }
    }
}

/// Reads the calls of one plan.
struct Reader<'a> {
    subject: &'a dyn Subject,
    facts: &'a Value,
    claim: &'a Claim<'a>,
}

impl Reader<'_> {
    /// What a call does, once what it is said to set is what its arguments say.
    fn deed(&self, image: &Image, way: Way, said: &UndoCall) -> Result<Deed, Unproven> {
        let call = Call::of_task(&said.resource, &said.arguments);
        let call = call.ok_or_else(|| no(format!("{} is no call", said.resource)))?;
        let operation = format!("{}:{}", call.service, call.operation);
        let arguments = said.arguments.as_object();
        let arguments = arguments.ok_or_else(|| no(format!("{operation} has no arguments")))?;
        let deed = self.subject.read(&Asked {
            operation: &operation,
            arguments,
            image,
            way,
            facts: self.facts,
            claim: self.claim,
        })?;
        if deed.sets.is_empty() {
            return Err(no(format!("{operation} would do nothing that can be seen")));
        }
        if deed.sets != said.sets {
            return Err(no(format!(
                "{operation} is said to set {}, and sets {}",
                Value::Object(said.sets.clone()),
                Value::Object(deed.sets)
            )));
        }
        Ok(deed)
    }
}

/// A planned call without its class and its way back.
fn said(call: &PlannedCall) -> UndoCall {
    UndoCall {
        resource: call.resource.clone(),
        arguments: call.arguments.clone(),
        sets: call.sets.clone(),
    }
}

/// Proves a plan, and says what was shown.
pub(super) fn prove(
    subject: &dyn Subject,
    plan: &Plan,
    claim: &Claim<'_>,
) -> Result<Proof, Unproven> {
    let calls = plan.calls.len();
    if let Some(undo) = claim.undo {
        prove_undo(subject, plan, claim, undo)?;
        return Ok(Proof {
            shown: vec![
                format!(
                    "all {calls} calls were recorded by the run that is taken back, in this order"
                ),
                "nobody else has changed since what they set".to_owned(),
                "afterwards everything that the run had changed is as it was before it".to_owned(),
            ],
            ..Proof::default()
        });
    }
    prove_respond(subject, plan, claim)?;
    let ways_back = plan
        .calls
        .iter()
        .filter(|call| !call.undo.is_empty())
        .count();
    let mut shown = vec![
        format!(
            "each of the {calls} calls sets what the plan says of it and nothing else, by its own arguments"
        ),
        "the predicted state is the one that was read, with these calls applied".to_owned(),
        format!(
            "{ways_back} of the {calls} calls have a way back, which brings back exactly what was there"
        ),
    ];
    shown.extend(subject.keeps().iter().map(|&rule| rule.to_owned()));
    Ok(Proof {
        shown,
        concerns: subject.concerns(plan, claim),
        ..Proof::default()
    })
}

/// Proves a response.
pub(super) fn prove_respond(
    subject: &dyn Subject,
    plan: &Plan,
    claim: &Claim<'_>,
) -> Result<(), Unproven> {
    let mut image = attributes(&plan.before, "before")?.clone();
    let reader = Reader {
        subject,
        facts: &plan.facts,
        claim,
    };
    let mut deeds = Vec::new();
    for call in &plan.calls {
        let done = reader.deed(&image, Way::There, &said(call))?;
        if call.class < done.class {
            return Err(no(format!(
                "{} is of class {:?} at least, and the plan says {:?}",
                call.resource, done.class, call.class
            )));
        }
        let was = image.clone();
        apply(&mut image, &done.sets);
        let mut back = image.clone();
        for undo in &call.undo {
            let undone = reader.deed(&back, Way::Back, undo)?;
            apply(&mut back, &undone.sets);
        }
        match done.kept {
            true if !call.undo.is_empty() => {
                return Err(no(format!("{} is kept, and has a way back", call.resource)));
            }
            false if back != was => {
                return Err(no(format!(
                    "what takes {} back does not bring back what was there",
                    call.resource
                )));
            }
            _ => {}
        }
        deeds.push(done);
    }
    if image != *attributes(&plan.after, "after")? {
        return Err(no(
            "the predicted state is not the one that was read, with the plan's calls applied",
        ));
    }
    subject.allows(plan, &deeds, claim)
}

/// Proves an undo: it makes calls that were recorded, in their order, on attributes that nobody else has changed since, and
/// leaves them as they were before the response. What somebody else changed beside them stays.
pub(super) fn prove_undo(
    subject: &dyn Subject,
    plan: &Plan,
    claim: &Claim<'_>,
    undo: &Value,
) -> Result<(), Unproven> {
    let recorded = undo.get("calls").and_then(Value::as_array);
    let recorded = recorded.ok_or_else(|| no("nothing was recorded to undo"))?;
    let mut left = recorded.iter();
    let reader = Reader {
        subject,
        facts: &plan.facts,
        claim,
    };
    let live = attributes(&plan.before, "before")?;
    let mut image = live.clone();
    for call in &plan.calls {
        let same = |r: &Value| {
            r.get("resource").and_then(Value::as_str) == Some(&call.resource)
                && r.get("arguments")
                    .is_some_and(|recorded| subject.stands_for(recorded, &call.arguments))
                && r.get("sets").and_then(Value::as_object) == Some(&call.sets)
        };
        if !left.any(same) {
            return Err(no(
                "a call is none of the recorded undo calls, in their order",
            ));
        }
        let done = reader.deed(&image, Way::Back, &said(call))?;
        apply(&mut image, &done.sets);
    }
    prove_untouched(recorded, live, undo)?;
    if image != *attributes(&plan.after, "after")? {
        return Err(no(
            "the predicted state is not the one that was read, with the plan's calls applied",
        ));
    }
    let mut target = Map::new();
    for sets in recorded.iter().filter_map(sets_of) {
        target.extend(sets.clone());
    }
    for (key, value) in &target {
        if image.get(key) != Some(value).filter(|v| !v.is_null()) {
            return Err(no(format!(
                "{key} would not be as it was before the response"
            )));
        }
    }
    Ok(())
}

fn sets_of(call: &Value) -> Option<&Map<String, Value>> {
    call.get("sets").and_then(Value::as_object)
}

/// Nobody else has changed what would be taken back: it is as before the response, as after it, or between.
fn prove_untouched(recorded: &[Value], live: &Image, undo: &Value) -> Result<(), Unproven> {
    let image = |name: &str| {
        let found = undo
            .get(name)
            .ok_or_else(|| no(format!("no {name} image was recorded")))?;
        attributes(found, name)
    };
    let (before, after) = (image("before")?, image("after")?);
    let keys: BTreeSet<&String> = recorded
        .iter()
        .filter_map(sets_of)
        .flat_map(Map::keys)
        .collect();
    for key in keys {
        let between = || {
            let all = recorded.iter().filter_map(sets_of);
            let mut all = all.filter_map(|sets| sets.get(key));
            all.any(|value| live.get(key) == Some(value).filter(|v| !v.is_null()))
        };
        let now = live.get(key);
        if now != before.get(key) && now != after.get(key) && !between() {
            return Err(no(format!("somebody else has changed {key} since")));
        }
    }
    Ok(())
}

#[cfg(test)]
#[path = "attributes_tests.rs"]
mod tests;
