//! All detections over one record.

use std::collections::BTreeSet;

use quell_model::{
    Diagnostic, Event, Finding, FindingId, Product, Record, Resource, Severity, Timestamp,
};
use quell_normalize::{Outline, Reading};
use quell_pattern::Pattern;
use serde_json::Value;

use crate::candidates::{Candidates, Cases, cases, cases_of_pattern, names, too_broad};
use crate::content::{DetectionFile, Language};
use crate::correlation::{Base, Correlation, Correlations, Draft, Group, Hit};
use crate::envelope::enveloped;
use crate::program::{Check, Compiler, Memo, Program};
use crate::rule::Rule;
use crate::tree::Tree;

/// A detection, ready to run.
#[derive(Debug)]
pub struct Detection {
    /// Its path under `content/detections`, without the ending.
    pub id: String,
    /// One line for people.
    pub title: String,
    /// How bad a match is.
    pub severity: Severity,
    /// ATT&CK technique ids.
    pub attack: Vec<String>,
    /// What correlations call it: its Sigma id and its name.
    pub(crate) names: Vec<String>,
    pub(crate) matcher: Matcher,
}

#[derive(Debug)]
pub(crate) enum Matcher {
    Sigma(Box<Rule>),
    Pattern(Box<EventPattern>),
}

#[derive(Debug)]
pub(crate) struct EventPattern {
    pub(crate) pattern: Pattern,
    /// What it asks of the record inside the envelope.
    pub(crate) inside: Option<Value>,
}

impl Matcher {
    /// The ways in which a record can match; `None` when nothing is known.
    fn cases(&self) -> Cases {
        match self {
            Self::Sigma(rule) => cases(rule.condition()),
            Self::Pattern(pattern) => pattern.inside.as_ref().and_then(cases_of_pattern),
        }
    }
}

/// All detections.
#[derive(Debug)]
pub struct Engine {
    /// Those that fire by themselves, then the base rules of correlations that do not.
    detections: Vec<Detection>,
    /// How many fire by themselves.
    loud: usize,
    correlations: Correlations,
    candidates: Candidates,
    program: Program,
    /// Of each detection, when it matches; `None` for event patterns.
    checks: Vec<Option<Check>>,
}

/// What the rules say of a record.
pub(crate) struct Said<'e> {
    /// Those that fire by themselves.
    pub(crate) findings: Vec<Finding>,
    /// What the record is to the correlations: the hits of its groups.
    pub(crate) hits: Vec<(&'e Correlation, Group, Hit)>,
}

/// Memory for matching, which one thread uses again from record to record.
#[derive(Debug, Default)]
pub struct Scratch {
    pub(crate) outline: Outline,
    pub(crate) work: Work,
}

#[derive(Debug, Default)]
pub(crate) struct Work {
    memo: Memo,
    lower: String,
}

impl Engine {
    /// The engine with the detections that are right, and the faults of those that are not: one bad rule does not
    /// stop the others.
    pub fn load(files: &[DetectionFile]) -> (Engine, Vec<Diagnostic>) {
        let mut detections: Vec<Detection> = Vec::new();
        let mut ids = BTreeSet::new();
        let mut faults = Vec::new();
        let mut drafts = Vec::new();
        for file in files {
            if let Some((Language::Correlation, id)) = Language::of(&file.path) {
                match Draft::load(id, file) {
                    Ok(draft) => drafts.push(draft),
                    Err(mut more) => faults.append(&mut more),
                }
                continue;
            }
            match file.load() {
                Ok(detection) if ids.insert(detection.id.clone()) => detections.push(detection),
                Ok(_) => faults.push(Diagnostic::new(
                    &file.path,
                    "there is a detection with this id already",
                )),
                Err(mut more) => faults.append(&mut more),
            }
        }
        let (correlations, loud) = Correlations::new(drafts, &mut detections, &mut faults);
        let mut compiler = Compiler::default();
        let mut check = |d: &Detection| match &d.matcher {
            Matcher::Sigma(rule) => Some(compiler.check(rule.condition())),
            Matcher::Pattern(_) => None,
        };
        let checks: Vec<Option<Check>> = detections.iter().map(&mut check).collect();
        let program = compiler.program();
        let guard = |check: &Option<Check>| check.as_ref().and_then(|c| program.guard(c));
        let cases = detections.iter().map(|d| d.matcher.cases());
        let engine = Engine {
            loud,
            correlations,
            candidates: Candidates::new(cases.zip(checks.iter().map(guard))),
            program,
            checks,
            detections,
        };
        (engine, faults)
    }

    /// The detections that fire by themselves.
    pub fn detections(&self) -> &[Detection] {
        self.detections.get(..self.loud).unwrap_or_default()
    }

    /// The correlations.
    pub fn correlations(&self) -> &[Correlation] {
        self.correlations.all()
    }

    /// Whether a Sigma rule names this call of this service.
    pub fn names(&self, source: &str, name: &str) -> bool {
        let is = |d: &Detection| matches!(&d.matcher, Matcher::Sigma(rule) if names(rule.condition(), source, name));
        self.detections.iter().any(is)
    }

    /// Whether a detection is about calls that it names, and does not match whatever the call; or a correlation, all of whose base
    /// rules are.
    pub fn names_its_calls(&self, id: &str) -> bool {
        let names = |d: &Detection| match &d.matcher {
            Matcher::Sigma(rule) => too_broad(rule.condition()).is_none(),
            Matcher::Pattern(pattern) => pattern.inside.is_some(),
        };
        let base = |base: &Base| self.detections.get(base.detection).is_some_and(names);
        let correlation = self.correlations().iter().find(|c| c.id == id);
        let detection = || self.detections().iter().find(|d| d.id == id);
        match correlation {
            Some(correlation) => correlation.bases.iter().all(base),
            None => detection().is_some_and(names),
        }
    }

    /// Which detections match a record, in their order.
    pub fn matching(&self, record: &Record, scratch: &mut Scratch) -> Vec<&Detection> {
        let Scratch { outline, work } = scratch;
        let Some(mut subject) = Subject::of(record, outline) else {
            return Vec::new();
        };
        let matching = self.matched(&mut subject, |at| at < self.loud, work);
        let matching = matching.into_iter();
        matching.filter_map(|at| self.detections.get(at)).collect()
    }

    /// What a record that happened at `time` is to the correlations: the hits of its groups.
    pub fn hits(
        &self,
        record: &Record,
        time: Timestamp,
        scratch: &mut Scratch,
    ) -> Vec<(&Correlation, Group, Hit)> {
        let Scratch { outline, work } = scratch;
        let Some(mut subject) = Subject::of(record, outline) else {
            return Vec::new();
        };
        let is_base = |at: usize| self.correlations.is_base(at);
        let matched = self.matched(&mut subject, is_base, work);
        let tree = &subject.tree;
        self.correlations.hits(&record.id, time, &matched, tree)
    }

    /// The numbers of the rules that match and say something by it: that fire, or are base rules of correlations.
    pub(crate) fn speaking(&self, subject: &mut Subject<'_>, work: &mut Work) -> Vec<usize> {
        let speaks = |at: usize| at < self.loud || self.correlations.is_base(at);
        self.matched(subject, speaks, work)
    }

    /// What the rules with the numbers `matched` say of a record. `about` has the resource that findings are about, and the principal.
    pub(crate) fn said(
        &self,
        matched: &[usize],
        subject: &Subject<'_>,
        event: &Event,
        about: (&Resource, &Resource),
        now: Timestamp,
    ) -> Said<'_> {
        let (id, tree) = (&event.record, &subject.tree);
        let hits = self.correlations.hits(id, event.time, matched, tree);
        let loud = matched.iter().filter(|at| **at < self.loud);
        let matching: Vec<&Detection> = loud.filter_map(|at| self.detections.get(*at)).collect();
        Said {
            findings: findings(&matching, event, about, now),
            hits,
        }
    }

    /// The numbers of the wanted rules that match, in order.
    fn matched(
        &self,
        subject: &mut Subject<'_>,
        wanted: impl Fn(usize) -> bool,
        work: &mut Work,
    ) -> Vec<usize> {
        let mut out = Vec::new();
        work.memo.begin(&self.program);
        let record = *subject.tree.reading();
        let Work { memo, lower } = work;
        self.candidates.of(&record, lower, |group| {
            let guard = group.guard;
            if guard.is_some_and(|guard| !self.program.answer(guard, &subject.tree, memo)) {
                return;
            }
            for at in &group.rules {
                if wanted(*at) && self.matches(*at, subject, memo) {
                    out.push(*at);
                }
            }
        });
        out.sort_unstable();
        out.dedup();
        out
    }

    fn matches(&self, at: usize, subject: &mut Subject<'_>, memo: &mut Memo) -> bool {
        match self.checks.get(at) {
            Some(Some(check)) => self.program.holds(check, &subject.tree, memo),
            _ => match self.detections.get(at).map(|d| &d.matcher) {
                Some(Matcher::Pattern(pattern)) => subject.fits(&pattern.pattern),
                _ => false,
            },
        }
    }
}

/// What detections that match a record say of it.
fn findings(
    matching: &[&Detection],
    event: &Event,
    (resource, principal): (&Resource, &Resource),
    now: Timestamp,
) -> Vec<Finding> {
    if matching.is_empty() {
        return Vec::new();
    }
    let arn = resource.arn.to_string();
    let finding = |d: &&Detection| Finding {
        id: FindingId::of(&d.id, &event.record, &arn),
        detection: d.id.clone(),
        title: d.title.clone(),
        severity: d.severity,
        product: Product::Quell,
        record: event.record.clone(),
        records: vec![event.record.clone()],
        record_count: 1,
        event_name: event.name.clone(),
        first_event_time: event.time,
        event_time: event.time,
        detected_at: now,
        resource: resource.clone(),
        principal: principal.clone(),
        actor: event.actor.clone(),
        attack: d.attack.clone(),
        sample: false,
        outsider: false,
        explanation: None,
    };
    matching.iter().map(finding).collect()
}

/// A record in the two forms that detections look at; the event around it is made when it is first asked for.
pub(crate) struct Subject<'t> {
    tree: Tree<'t>,
    envelope: Option<&'t Value>,
    event: Option<Option<quell_pattern::Event>>,
}

impl<'t> Subject<'t> {
    /// A record that was read, and the envelope in which it came.
    pub(crate) fn new(reading: Reading<'t>, envelope: Option<&'t Value>) -> Self {
        Self {
            tree: Tree::new(reading),
            envelope,
            event: None,
        }
    }

    fn of(record: &'t Record, outline: &'t mut Outline) -> Option<Self> {
        let reading = Reading::new(&record.body, outline).ok()?;
        Some(Self::new(reading, record.envelope.as_ref()))
    }

    fn fits(&mut self, pattern: &Pattern) -> bool {
        let made = || {
            let text = enveloped(self.tree.reading(), self.envelope);
            quell_pattern::Event::parse(text.as_bytes()).ok()
        };
        let event = self.event.get_or_insert_with(made).as_ref();
        event.is_some_and(|event| pattern.matches(event))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine_tests::record;

    fn file(path: &str, text: &str) -> DetectionFile {
        DetectionFile {
            path: path.into(),
            text: text.into(),
        }
    }

    fn matching<'e>(engine: &'e Engine, record: &Record) -> Vec<&'e Detection> {
        engine.matching(record, &mut Scratch::default())
    }

    const SIGMA: &str = "title: T\nlogsource:\n  product: aws\n  service: cloudtrail\ndetection:\n  s:\n    eventName: Open\n    p.items.cidr|endswith: '/0'\n  condition: s\nlevel: high\ntags: [attack.t1562.007, attack.defense_evasion]\n";
    const PATTERN: &str = r#"{"title":"P","severity":"HIGH","pattern":{"source":["aws.ec2"],"detail":{"eventName":["Open"]}}}"#;

    #[test]
    fn both_languages_see_the_same_record_on_either_path() {
        let (engine, faults) =
            Engine::load(&[file("a.yml", SIGMA), file("b.pattern.json", PATTERN)]);
        assert_eq!(faults, []);
        assert_eq!(engine.detections()[0].attack, ["T1562.007"]);
        let hit = record(
            r#"{"eventName":"Open","eventSource":"ec2.amazonaws.com","p":{"items":[{"cidr":"1.2.3.4/32"},{"cidr":"0.0.0.0/0"}]}}"#,
        );
        assert_eq!(matching(&engine, &hit).len(), 2);
        let mut enveloped = hit.clone();
        enveloped.envelope = Some(serde_json::json!({"source":"aws.ec2"}));
        assert_eq!(matching(&engine, &enveloped).len(), 2);
        let mut foreign = hit.clone();
        foreign.envelope = Some(serde_json::json!({"source":"custom"}));
        assert_eq!(
            matching(&engine, &foreign).len(),
            1,
            "the pattern asks for aws.ec2"
        );
        assert!(matching(&engine, &record(r#"{"eventName":"Close"}"#)).is_empty());
    }

    #[test]
    fn a_typo_is_named_with_its_line_and_the_others_still_load() {
        let typo = SIGMA.replace("level:", "levle:");
        let (engine, faults) = Engine::load(&[
            file("typo.yml", &typo),
            file("b.pattern.json", PATTERN),
            file(
                "c.pattern.json",
                &PATTERN.replace("\"source\"", "\"source\":[],\"x\""),
            ),
            file("d.yml", "title: [unclosed"),
            file(
                "e.yml",
                &SIGMA.replace("condition: s", "condition: s and t"),
            ),
            file("f.yml", &SIGMA.replace("|endswith", "|endswiht")),
        ]);
        assert_eq!(engine.detections().len(), 1, "{faults:#?}");
        let first = faults[0].to_string();
        assert_eq!(
            first,
            "typo.yml:10: unknown key «levle» (did you mean «level»?)"
        );
        for name in ["c.pattern.json", "d.yml", "e.yml", "f.yml"] {
            assert!(faults.iter().any(|f| f.file == name), "{name}: {faults:#?}");
        }
    }
}
