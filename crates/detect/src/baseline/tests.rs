//! What baselines say of short stories.

use quell_model::{Actor, Arn, Diagnostic, Event, Record, RecordId, Resource, Timestamp};

use super::{Baselines, Fired, HashKey, Memory, Subject};
use crate::content::DetectionFile;
use crate::engine_tests::record;

pub(super) const HOUR: i64 = 3_600_000;
pub(super) const DAY: i64 = 24 * HOUR;
/// 2026-11-02, a Monday, and the beginning of one of the stretches in which something fires once.
pub(super) const BEGIN: i64 = 20_759 * DAY;

pub(super) fn file(name: &str, section: &str, detection: &str) -> DetectionFile {
    DetectionFile {
        path: format!("{name}.baseline.yml"),
        text: format!(
            "title: {name}\nlogsource: {{product: aws, service: cloudtrail}}\nbaseline: {section}\ndetection:\n  {detection}\nlevel: low\ntags: [attack.t1078]\n"
        ),
    }
}

pub(super) const ANY: &str = "calls:\n    eventName: '*'\n  condition: calls";

pub(super) fn loaded(files: &[DetectionFile]) -> Baselines {
    let (baselines, faults) = Baselines::load(files, HashKey::new([7; 16]));
    assert_eq!(faults, []);
    baselines
}

/// A call, as little of it as counts.
#[derive(Clone, Debug)]
pub(super) struct Call {
    pub(super) at: i64,
    pub(super) who: String,
    pub(super) action: String,
    pub(super) from: String,
    pub(super) region: String,
    pub(super) agent: String,
    pub(super) error: Option<String>,
}

impl Call {
    pub(super) fn new(at: i64, who: &str) -> Self {
        Self {
            at: BEGIN + at,
            who: who.into(),
            action: "s3.amazonaws.com:ListBuckets".into(),
            from: "198.51.100.7".into(),
            region: "eu-central-1".into(),
            agent: "aws-cli/2.1".into(),
            error: None,
        }
    }

    pub(super) fn action(mut self, action: &str) -> Self {
        self.action = action.into();
        self
    }

    pub(super) fn from(mut self, from: &str) -> Self {
        self.from = from.into();
        self
    }

    pub(super) fn record(&self, n: usize) -> (Record, Timestamp, Subject) {
        let (source, name) = self.action.split_once(':').unwrap();
        let mut record = record(
            &serde_json::json!({"eventName": name, "sourceIPAddress": self.from}).to_string(),
        );
        record.id = RecordId::of_name("1", &n.to_string());
        let arn: Arn = format!("arn:aws:iam::111122223333:{}", self.who)
            .parse()
            .unwrap();
        let (kind, id) = self.who.rsplit_once('/').unwrap();
        let kind = if kind == "role" {
            "AWS::IAM::Role"
        } else {
            "AWS::IAM::User"
        };
        let principal = Resource::new(arn, kind, id);
        let event = Event {
            record: record.id.clone(),
            time: Timestamp::from_millis(self.at),
            received_at: Timestamp::from_millis(self.at),
            account: "111122223333".into(),
            region: self.region.clone(),
            source: source.into(),
            name: name.into(),
            error_code: self.error.clone(),
            read_only: false,
            actor: Actor {
                kind: "IAMUser".into(),
                name: Some(id.into()),
                ..Actor::default()
            },
            source_ip: Some(self.from.clone()),
            user_agent: Some(self.agent.clone()),
        };
        let subject = Subject::of_principal(&event, &principal).unwrap();
        (record, event.time, subject)
    }
}

pub(super) fn run(baselines: &Baselines, memory: &mut Memory, calls: &[Call]) -> Vec<Fired> {
    let mut out = Vec::new();
    for (n, call) in calls.iter().enumerate() {
        let (record, at, subject) = call.record(n);
        out.extend(memory.step(baselines, &record, at, &subject));
    }
    out
}

/// A call every six hours for 20 days.
pub(super) fn ordinary(who: &str) -> Vec<Call> {
    (0..80).map(|n| Call::new(n * 6 * HOUR, who)).collect()
}

const NEW_NETWORK: &str = "{kind: first-seen, fields: [network], learn: {days: 14, calls: 50}}";

#[test]
fn a_new_network_is_said_once_with_its_reason() {
    let baselines = loaded(&[file("net", NEW_NETWORK, ANY)]);
    let mut memory = Memory::default();
    let mut calls = ordinary("user/eve");
    assert_eq!(run(&baselines, &mut memory, &calls), []);
    calls = vec![Call::new(20 * DAY, "user/eve").from("203.0.113.9"); 3];
    let fired = run(&baselines, &mut memory, &calls);
    assert_eq!(fired.len(), 1);
    assert_eq!(
        fired[0].explanation,
        "user eve is known since 2026-11-02 by 81 calls. The network «203.0.113.0/24» is new for it; in 111122223333 nobody had it before, since 2026-11-02."
    );
    // The same network again, much later, is known.
    assert_eq!(
        run(
            &baselines,
            &mut memory,
            &[Call::new(50 * DAY, "user/eve").from("203.0.113.77")]
        ),
        []
    );
}

#[test]
fn nothing_is_said_before_there_is_a_past() {
    let baselines = loaded(&[file("net", NEW_NETWORK, ANY)]);
    for keep in [10, 48] {
        let mut memory = Memory::default();
        let mut calls: Vec<Call> = ordinary("user/eve").into_iter().take(keep).collect();
        calls.push(Call::new(13 * DAY, "user/eve").from("203.0.113.9"));
        calls.push(Call::new(19 * DAY, "user/eve").from("192.0.2.1"));
        assert_eq!(run(&baselines, &mut memory, &calls), [], "{keep}");
    }
}

#[test]
fn a_newcomer_is_judged_by_its_account() {
    let baselines = loaded(&[file("net", NEW_NETWORK, ANY)]);
    let mut memory = Memory::default();
    run(&baselines, &mut memory, &ordinary("user/eve"));
    let calls = [
        Call::new(20 * DAY + 2 * HOUR, "user/new"),
        Call::new(20 * DAY + 2 * HOUR, "user/new").from("203.0.113.9"),
    ];
    let fired = run(&baselines, &mut memory, &calls);
    assert_eq!(
        fired.len(),
        1,
        "the account's own network is not new: {fired:?}"
    );
    assert!(fired[0].explanation.contains("203.0.113.0/24"));
}

#[test]
fn what_peers_do_is_said_and_can_be_asked_for() {
    let (own, account) = (
        file("own", NEW_NETWORK, ANY),
        file(
            "all",
            "{kind: first-seen, fields: [network], new-to: account, learn: {days: 14, calls: 50}}",
            ANY,
        ),
    );
    let baselines = loaded(&[own, account]);
    let mut memory = Memory::default();
    let bob = ordinary("user/bob")
        .into_iter()
        .map(|c| c.from("203.0.113.9"));
    let mut calls = ordinary("user/eve");
    calls.extend(bob);
    calls.sort_by_key(|call| call.at);
    run(&baselines, &mut memory, &calls);
    let fired = run(
        &baselines,
        &mut memory,
        &[Call::new(20 * DAY, "user/eve").from("203.0.113.9")],
    );
    assert_eq!(fired.len(), 1);
    assert_eq!(fired[0].baseline, "own.baseline");
    let says = "in 111122223333, user bob had it first, on 2026-11-02, and it was seen 19 times a principal and day.";
    assert!(
        fired[0].explanation.ends_with(says),
        "{}",
        fired[0].explanation
    );
}

#[test]
fn two_new_things_within_an_hour_agree() {
    let both = "{kind: first-seen, fields: [network, action], learn: {days: 14, calls: 50}}";
    let baselines = loaded(&[file("both", both, ANY)]);
    let at = 20 * DAY;
    for (gap, fires) in [(HOUR, 1), (HOUR + 1000, 0)] {
        let mut memory = Memory::default();
        run(&baselines, &mut memory, &ordinary("user/eve"));
        let calls = [
            Call::new(at, "user/eve").from("203.0.113.9"),
            Call::new(at + gap, "user/eve")
                .from("203.0.113.9")
                .action("iam.amazonaws.com:CreateUser"),
        ];
        assert_eq!(run(&baselines, &mut memory, &calls).len(), fires);
    }
}

#[test]
fn the_selection_says_which_records_it_is_about() {
    let only = "s:\n    eventName: DeleteBucket\n  condition: s";
    let baselines = loaded(&[file(
        "x",
        "{kind: first-seen, fields: [action], learn: {days: 14, calls: 50}}",
        only,
    )]);
    let mut memory = Memory::default();
    run(&baselines, &mut memory, &ordinary("user/eve"));
    let calls = [
        "s3.amazonaws.com:PutObject",
        "s3.amazonaws.com:DeleteBucket",
    ];
    let calls = calls.map(|action| Call::new(20 * DAY, "user/eve").action(action));
    let fired = run(&baselines, &mut memory, &calls);
    assert_eq!(fired.len(), 1);
    assert!(
        fired[0]
            .explanation
            .contains("s3.amazonaws.com:DeleteBucket")
    );
}

#[test]
fn rare_is_what_neither_it_nor_its_account_does() {
    let baselines = loaded(&[file(
        "rare",
        "{kind: rare, field: action, surprise: 8, learn: {days: 14, calls: 50}}",
        ANY,
    )]);
    let mut memory = Memory::default();
    let often = ordinary("user/bob").into_iter();
    let often = often.map(|c| c.action("ec2.amazonaws.com:RunInstances"));
    let all = ["user/eve", "user/bob", "user/cyd"].map(ordinary);
    let mut calls: Vec<Call> = all.into_iter().flatten().chain(often).collect();
    calls.sort_by_key(|call| call.at);
    run(&baselines, &mut memory, &calls);
    let calls = [
        "ec2.amazonaws.com:RunInstances",
        "lambda.amazonaws.com:CreateFunction",
    ];
    let calls = calls.map(|action| Call::new(20 * DAY, "user/eve").action(action));
    let fired = run(&baselines, &mut memory, &calls);
    assert_eq!(fired.len(), 1, "{fired:#?}");
    assert!(
        fired[0]
            .explanation
            .contains("«lambda.amazonaws.com:CreateFunction» is one in"),
        "{fired:?}"
    );
}

#[test]
fn too_many_denied_calls_for_this_hour_of_the_week() {
    let rate =
        "{kind: rate, measure: denied, surprise: 20, at-least: 10, learn: {days: 14, calls: 50}}";
    let baselines = loaded(&[file("denied", rate, ANY)]);
    let mut memory = Memory::default();
    run(&baselines, &mut memory, &ordinary("user/eve"));
    let denied = |n: i64| Call {
        error: Some("AccessDenied".into()),
        ..Call::new(20 * DAY + n * 1000, "user/eve")
    };
    let calls: Vec<Call> = (0..60).map(denied).collect();
    let fired = run(&baselines, &mut memory, &calls);
    assert_eq!(fired.len(), 1);
    assert!(
        fired[0]
            .explanation
            .contains("denied calls in this hour; usual"),
        "{fired:?}"
    );
    // Who is always denied is not news.
    let calls: Vec<Call> = (0..20 * 24)
        .flat_map(|h| {
            (0..30).map(move |n| Call {
                at: BEGIN + h * HOUR + n,
                who: "user/bot".into(),
                ..denied(0)
            })
        })
        .collect();
    let mut memory = Memory::default();
    run(&baselines, &mut memory, &calls);
    let calls: Vec<Call> = (0..35)
        .map(|n| Call {
            who: "user/bot".into(),
            ..denied(n)
        })
        .collect();
    assert_eq!(run(&baselines, &mut memory, &calls), []);
}

#[test]
fn a_role_has_those_who_assume_it() {
    let section = "{kind: first-seen, fields: [source-account], learn: {days: 14, calls: 20}}";
    let baselines = loaded(&[file("from", section, ANY)]);
    let mut memory = Memory::default();
    let arn = "arn:aws:iam::111122223333:role/deploy".parse().unwrap();
    let role = Resource::new(arn, "AWS::IAM::Role", "deploy");
    let mut step = |n: i64, from: &str| {
        let (record, at, _) = Call::new(n * 6 * HOUR, "user/x").record(0);
        memory.step(&baselines, &record, at, &Subject::of_role(&role, from))
    };
    for n in 0..80 {
        assert_eq!(step(n, "111122223333"), []);
    }
    let fired = step(80, "999988887777");
    assert_eq!(fired.len(), 1);
    assert!(
        fired[0]
            .explanation
            .contains("Being assumed from «999988887777» is new for it"),
        "{fired:?}"
    );
}

#[test]
fn what_the_caller_wrote_is_harmless_in_the_text() {
    let section = "{kind: first-seen, fields: [agent], learn: {days: 14, calls: 50}}";
    let baselines = loaded(&[file("agent", section, ANY)]);
    let mut memory = Memory::default();
    run(&baselines, &mut memory, &ordinary("user/eve"));
    let agent = format!("ev\u{202e}il»\n\u{7}{}", "x".repeat(3000));
    let fired = run(
        &baselines,
        &mut memory,
        &[Call {
            agent,
            ..Call::new(20 * DAY, "user/eve")
        }],
    );
    assert_eq!(fired.len(), 1);
    let text = &fired[0].explanation;
    assert!(
        text.len() < 400
            && text.matches('»').count() == 1
            && !text.contains(['\n', '\u{7}', '\u{202e}']),
        "{text}"
    );
}

#[test]
fn faults_have_a_place_and_a_mend() {
    let fault = |section: &str| {
        let (baselines, faults) =
            Baselines::load(&[file("x", section, ANY)], HashKey::new([0; 16]));
        assert!(baselines.all().is_empty());
        faults
            .iter()
            .map(Diagnostic::to_string)
            .collect::<Vec<_>>()
            .join("; ")
    };
    let learn = "learn: {days: 14, calls: 50}";
    assert!(
        fault(&format!("{{kind: first-sen, fields: [network], {learn}}}"))
            .starts_with("x.baseline.yml:3 at /baseline: unknown variant `first-sen`")
    );
    for (section, says) in [
        (
            format!("{{kind: first-seen, fields: [], {learn}}}"),
            "one to four fields",
        ),
        (
            format!("{{kind: first-seen, fields: [asn], {learn}}}"),
            "unknown variant `asn`",
        ),
        (
            format!("{{kind: first-seen, fields: [source-account, action], {learn}}}"),
            "no baseline together",
        ),
        (
            format!("{{kind: rare, field: action, surprise: 0, {learn}}}"),
            "one in a million",
        ),
        (
            format!("{{kind: rare, field: action, suprise: 9, {learn}}}"),
            "suprise",
        ),
        (
            "{kind: rare, field: action, surprise: 9, learn: {days: 0, calls: 5}}".to_owned(),
            "1 to 56 days",
        ),
        (
            "{kind: rare, field: action, surprise: 9, learn: {days: 90, calls: 5}}".to_owned(),
            "1 to 56 days",
        ),
    ] {
        let text = fault(&section);
        assert!(text.contains(says), "{text}");
    }
    let mut without = file("x", "{}", ANY);
    without.text = without.text.replace("baseline: {}\n", "");
    let (_, faults) = Baselines::load(&[without.clone()], HashKey::new([0; 16]));
    assert!(faults[0].to_string().contains("no section «baseline»"));
    // A fault of the rule has its own line.
    without.text = file("x", NEW_NETWORK, ANY).text.replace("level:", "levle:");
    let (_, faults) = Baselines::load(&[without], HashKey::new([0; 16]));
    assert_eq!(
        faults[0].to_string(),
        "x.baseline.yml:8: unknown key «levle» (did you mean «level»?)"
    );
}
