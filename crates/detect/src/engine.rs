//! All detections over one record.

use std::collections::BTreeSet;

use quell_model::{
    Diagnostic, Event, Finding, FindingId, Product, Record, Resource, Severity, Timestamp,
};
use quell_pattern::Pattern;

use crate::candidates::{Candidates, names, patterns, too_broad};
use crate::content::{DetectionFile, Language};
use crate::correlation::{Base, Correlation, Correlations, Draft, Group, Hit};
use crate::envelope::enveloped;
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
    pub(crate) inside: Option<Pattern>,
}

impl Matcher {
    /// Patterns over the record of which one fits every record that matches; `None` when nothing is known.
    fn needs(&self) -> Option<Vec<Pattern>> {
        match self {
            Self::Sigma(rule) => patterns(rule.condition()),
            Self::Pattern(pattern) => pattern.inside.clone().map(|inside| vec![inside]),
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
}

/// Memory for matching, which one thread uses again from record to record.
#[derive(Debug, Default)]
pub struct Scratch {
    scratch: quell_pattern::Scratch,
    candidates: Vec<usize>,
}

/// What the rules say of a record.
#[derive(Debug)]
pub struct Said<'e> {
    /// Those that fire by themselves.
    pub findings: Vec<Finding>,
    /// What the record is to the correlations: the hits of its groups.
    pub hits: Vec<(&'e Correlation, Group, Hit)>,
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
        let needs = detections.iter().map(|d| d.matcher.needs()).enumerate();
        let candidates = Candidates::new(needs);
        let engine = Engine {
            detections,
            loud,
            correlations,
            candidates,
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
        let loud = |at: &usize| *at < self.loud;
        let matching = self.matched(record, &mut Subject::new(record), loud, scratch);
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
        let mut subject = Subject::new(record);
        let is_base = |at: &usize| self.correlations.is_base(*at);
        let matched = self.matched(record, &mut subject, is_base, scratch);
        self.correlations
            .hits(record, time, &matched, || subject.tree())
    }

    /// The numbers of the wanted rules that match.
    fn matched(
        &self,
        record: &Record,
        subject: &mut Subject<'_>,
        wanted: impl Fn(&usize) -> bool,
        scratch: &mut Scratch,
    ) -> Vec<usize> {
        let Scratch {
            scratch,
            candidates,
        } = scratch;
        self.candidates
            .of(record.body.get().as_bytes(), scratch, candidates);
        let mut matches = |at: &usize| {
            let detection = self.detections.get(*at);
            detection.is_some_and(|d| subject.matches(&d.matcher))
        };
        let candidates = candidates.iter().filter(|at| wanted(at));
        candidates.copied().filter(|at| matches(at)).collect()
    }

    /// What the rules say of a record, in one look. `about` gives the resource that findings are about, and the principal; it is asked only
    /// when there are findings.
    pub fn said(
        &self,
        record: &Record,
        event: &Event,
        about: impl FnOnce() -> (Resource, Resource),
        now: Timestamp,
        scratch: &mut Scratch,
    ) -> Said<'_> {
        let mut subject = Subject::new(record);
        let wanted = |at: &usize| *at < self.loud || self.correlations.is_base(*at);
        let matched = self.matched(record, &mut subject, wanted, scratch);
        let hits = self
            .correlations
            .hits(record, event.time, &matched, || subject.tree());
        let loud = matched.iter().filter(|at| **at < self.loud);
        let matching: Vec<&Detection> = loud.filter_map(|at| self.detections.get(*at)).collect();
        let mut said = Said {
            findings: Vec::new(),
            hits,
        };
        if matching.is_empty() {
            return said;
        }
        let (resource, principal) = about();
        let arn = resource.arn.to_string();
        let finding = |d: &Detection| Finding {
            id: FindingId::of(&d.id, &record.id, &arn),
            detection: d.id.clone(),
            title: d.title.clone(),
            severity: d.severity,
            product: Product::Quell,
            record: record.id.clone(),
            records: vec![record.id.clone()],
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
        said.findings = matching.into_iter().map(finding).collect();
        said
    }
}

/// A record in the two forms that detections look at, each made when it is first asked for.
struct Subject<'a> {
    record: &'a Record,
    tree: Option<Tree<'a>>,
    event: Option<Option<quell_pattern::Event>>,
}

impl<'a> Subject<'a> {
    fn new(record: &'a Record) -> Self {
        Self {
            record,
            tree: None,
            event: None,
        }
    }

    fn tree(&mut self) -> &Tree<'a> {
        self.tree
            .get_or_insert_with(|| Tree::new(&self.record.body))
    }

    fn matches(&mut self, matcher: &Matcher) -> bool {
        let record = self.record;
        match matcher {
            Matcher::Sigma(rule) => {
                let tree = self.tree();
                rule.condition().matches(tree)
            }
            Matcher::Pattern(pattern) => {
                let made = || quell_pattern::Event::parse(enveloped(record).as_bytes()).ok();
                let event = self.event.get_or_insert_with(made).as_ref();
                event.is_some_and(|event| pattern.pattern.matches(event))
            }
        }
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
