//! All detections over one record.

use std::collections::BTreeSet;
use std::sync::Arc;

use quell_model::{
    Diagnostic, Event, Finding, FindingId, Product, Record, Resource, Severity, Timestamp,
};
use quell_normalize::{Outline, Reading, Top};
use quell_pattern::Pattern;
use serde_json::Value;

use crate::candidates::{Calls, could_match, names, too_broad};
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
    /// The playbook that answers it, by its id.
    pub playbook: Option<String>,
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

/// All detections.
#[derive(Debug)]
pub struct Engine {
    /// Those that fire by themselves, then the base rules of correlations that do not.
    detections: Vec<Detection>,
    /// How many fire by themselves.
    loud: usize,
    correlations: Correlations,
    program: Program,
    /// Of each detection, when it matches; `None` for event patterns.
    checks: Vec<Option<Check>>,
    /// What a scratch knows of this engine is not said of another.
    mark: Arc<()>,
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
    calls: Calls,
    /// The engine that it was last used with.
    mark: Option<Arc<()>>,
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
            match Language::of(&file.path) {
                Some((Language::Correlation, id)) => {
                    match Draft::load(id, file) {
                        Ok(draft) => drafts.push(draft),
                        Err(mut more) => faults.append(&mut more),
                    }
                    continue;
                }
                // `Baselines::load` and `Network::load` read those.
                Some((Language::Baseline | Language::Network, _)) => continue,
                _ => {}
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
        let engine = Engine {
            loud,
            correlations,
            checks: detections.iter().map(&mut check).collect(),
            program: compiler.program(),
            detections,
            mark: Arc::default(),
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
        let Work { memo, calls, mark } = work;
        if !mark
            .as_ref()
            .is_some_and(|mark| Arc::ptr_eq(mark, &self.mark))
        {
            *mark = Some(Arc::clone(&self.mark));
            *memo = Memo::new(&self.program);
            calls.clear();
        }
        memo.begin();
        let record = *subject.tree.reading();
        let could = |at: &usize| self.could_match(*at, subject, memo);
        let candidates = calls.of(&record, self.detections.len(), could).iter();
        let wanted = candidates.copied().filter(|at| wanted(*at));
        wanted
            .filter(|at| self.matches(*at, subject, memo))
            .collect()
    }

    /// Whether a rule could match a record that has a name and a service, by these alone.
    fn could_match(&self, at: usize, subject: &Subject<'_>, memo: &mut Memo) -> bool {
        let tree = &subject.tree;
        match self.checks.get(at) {
            Some(Some(check)) => self.program.holds_for_call(check, tree, memo) != Some(false),
            _ => {
                let text = |top| tree.reading().top(top).and_then(|part| part.plain());
                let (name, source) = (text(Top::EventName), text(Top::EventSource));
                let could = |detail| match (name, source) {
                    (Some(name), Some(source)) => could_match(detail, name, source),
                    _ => true,
                };
                match self.detections.get(at).map(|d| &d.matcher) {
                    Some(Matcher::Pattern(pattern)) => pattern.inside.as_ref().is_none_or(could),
                    _ => false,
                }
            }
        }
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
        initiator: None,
        report: None,
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

    /// How many rules are looked at for a call that no rule names.
    #[test]
    fn what_follows_from_the_project_s_rules_is_enough_to_look_at_few() {
        let (engine, _) = Engine::load(&crate::engine_tests::content());
        let record = record(r#"{"eventName":"Nothing","eventSource":"nowhere.amazonaws.com"}"#);
        let mut outline = Outline::default();
        let subject = Subject::of(&record, &mut outline).unwrap();
        let mut memo = Memo::new(&engine.program);
        memo.begin();
        let all = 0..engine.detections.len();
        let looked_at = all.filter(|at| engine.could_match(*at, &subject, &mut memo));
        let ids: Vec<&str> = looked_at
            .map(|at| engine.detections[at].id.as_str())
            .collect();
        assert!(ids.len() <= 12, "{ids:?}");
    }

    /// What is kept of a call is nothing that another field of its record decides.
    #[test]
    fn the_same_call_again_is_looked_at_again() {
        for selection in [
            "eventName|fieldref: p.items",
            "p.items: Open",
            "eventName|re: ^Op",
        ] {
            let text = SIGMA.replace(
                "eventName: Open\n    p.items.cidr|endswith: '/0'",
                selection,
            );
            let (engine, faults) = Engine::load(&[file("a.yml", &text)]);
            assert_eq!(faults, []);
            let mut scratch = Scratch::default();
            for (name, items, hits) in
                [("Open", "Close", 0), ("Open", "Open", 1), ("Close", "x", 0)]
            {
                let body = format!(
                    r#"{{"eventName":"{name}","eventSource":"s","p":{{"items":"{items}"}}}}"#
                );
                let hits = if selection.contains("re:") {
                    usize::from(name == "Open")
                } else {
                    hits
                };
                assert_eq!(
                    engine.matching(&record(&body), &mut scratch).len(),
                    hits,
                    "{selection} {body}"
                );
            }
        }
    }

    #[test]
    fn a_scratch_that_was_used_with_another_engine_knows_nothing() {
        let other = SIGMA.replace("eventName: Open", "eventName: Close");
        let [open, close] = [SIGMA, &other].map(|text| Engine::load(&[file("a.yml", text)]).0);
        let hit = record(r#"{"eventName":"Open","eventSource":"s","p":{"items":{"cidr":"/0"}}}"#);
        let mut scratch = Scratch::default();
        for _ in 0..2 {
            assert_eq!(open.matching(&hit, &mut scratch).len(), 1);
            assert_eq!(close.matching(&hit, &mut scratch).len(), 0);
        }
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
