//! Backtests of PB-008 over records that were made up: exposures that are planted among much else, and all that can stand in the way.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use quell_collect::accept;
use quell_guard::exception::Scope;
use quell_guard::{Exception, Freeze, Level};
use quell_model::{Origin, Record, RecordId, Timestamp};
use quell_store::{Clock, SystemClock};
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::report::{Came, Guard};
use super::{Gatherer, Report, Window};
use crate::app::App;
use crate::config::{Account, Config, Secret};
use crate::orders::{exceptions, freezes};

const ACCOUNT: &str = "444455556666";
const ELSEWHERE: &str = "999988887777";
/// 2026-11-01T00:00:00Z.
const BEGIN: i64 = 1_793_491_200;
const DAYS: i64 = 30;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_millis((BEGIN + seconds) * 1000)
}

fn account(id: &str) -> Account {
    Account {
        id: id.to_owned(),
        name: String::new(),
        environment: "test".to_owned(),
        ou: None,
        read_role: "R".to_owned(),
        act_role_prefix: "A-".to_owned(),
    }
}

async fn app(folder: &Path, set: impl FnOnce(&mut Config)) -> Arc<App> {
    let mut config = Config {
        data: folder.join("data"),
        accounts: vec![account(ACCOUNT)],
        ..Config::default()
    };
    let none = Some(Secret::reference("env:QUELL_TEST_HAS_NONE"));
    config.aws.access_key_id = none.clone();
    config.aws.secret_access_key = none;
    set(&mut config);
    App::open(config).await.unwrap()
}

/// A record of EC2, as CloudTrail writes it.
fn record(
    n: usize,
    account: &str,
    seconds: i64,
    name: &str,
    request: Value,
    response: Value,
) -> Record {
    let id = format!("00000000-0000-4000-8000-{n:012}");
    let mut body = json!({
        "eventVersion": "1.10", "eventTime": at(seconds).to_string().replace(".000Z", "Z"),
        "eventSource": "ec2.amazonaws.com", "eventName": name, "awsRegion": "us-east-1", "sourceIPAddress": "203.0.113.77",
        "userAgent": "aws-cli/2.17.0", "requestParameters": request, "responseElements": response,
        "requestID": id, "eventID": id, "readOnly": name.starts_with("Describe"), "eventType": "AwsApiCall",
        "managementEvent": true, "recipientAccountId": account, "eventCategory": "Management",
        "userIdentity": {"type": "AssumedRole", "principalId": "AROAEXAMPLEEXAMPLE01:dana",
            "arn": format!("arn:aws:sts::{account}:assumed-role/Developer/dana"), "accountId": account,
            "accessKeyId": "ASIAEXAMPLEEXAMPLE01", "sessionContext": {"sessionIssuer": {"type": "Role",
                "principalId": "AROAEXAMPLEEXAMPLE01", "arn": format!("arn:aws:iam::{account}:role/Developer"),
                "accountId": account, "userName": "Developer"}}},
    });
    if response_is_refusal(&body) {
        body["errorCode"] = "Client.UnauthorizedOperation".into();
        body["responseElements"] = Value::Null;
    }
    Record {
        id: RecordId::of_name(account, &id),
        origin: Origin::File {
            path: "made up".into(),
        },
        received_at: at(seconds + 60),
        envelope: None,
        body: RawValue::from_string(body.to_string()).unwrap(),
    }
}

fn response_is_refusal(body: &Value) -> bool {
    body["responseElements"] == json!("refused")
}

/// A story: records in the order in which they are told.
#[derive(Default)]
struct Story {
    records: Vec<Record>,
    /// How many were told, also those that are in the store already.
    told: usize,
    account: Option<&'static str>,
}

impl Story {
    fn tell(&mut self, seconds: i64, name: &str, request: Value, response: Value) {
        let (n, account) = (self.told, self.account.unwrap_or(ACCOUNT));
        self.told += 1;
        self.records
            .push(record(n, account, seconds, name, request, response));
    }

    fn make(&mut self, seconds: i64, group: &str) {
        let request = json!({"groupName": group, "groupDescription": "d", "vpcId": "vpc-1"});
        self.tell(
            seconds,
            "CreateSecurityGroup",
            request,
            json!({"groupId": group, "_return": true}),
        );
    }

    /// Opens a group and answers the ids of the rules.
    fn open(
        &mut self,
        seconds: i64,
        group: &str,
        protocol: &str,
        port: i64,
        cidrs: &[&str],
    ) -> Vec<String> {
        let n = self.told;
        let rule = |at: usize, cidr: &str| {
            let family = if cidr.contains(':') {
                "cidrIpv6"
            } else {
                "cidrIpv4"
            };
            json!({"groupOwnerId": ACCOUNT, "groupId": group, "securityGroupRuleId": format!("sgr-{n:08x}{at:02}"),
                "isEgress": false, "ipProtocol": protocol, "fromPort": port, "toPort": port, family: cidr})
        };
        let made: Vec<Value> = cidrs
            .iter()
            .enumerate()
            .map(|(at, cidr)| rule(at, cidr))
            .collect();
        let of = |family: &str, six: bool| -> Vec<Value> {
            let those = cidrs.iter().filter(|cidr| cidr.contains(':') == six);
            those.map(|cidr| json!({family: cidr})).collect()
        };
        let permission = json!({"ipProtocol": protocol, "fromPort": port, "toPort": port, "groups": {}, "prefixListIds": {},
            "ipRanges": {"items": of("cidrIp", false)}, "ipv6Ranges": {"items": of("cidrIpv6", true)}});
        let request = json!({"groupId": group, "ipPermissions": {"items": [permission]}});
        let response = json!({"_return": true, "securityGroupRuleSet": {"items": made}});
        self.tell(seconds, "AuthorizeSecurityGroupIngress", request, response);
        made.iter()
            .map(|rule| rule["securityGroupRuleId"].as_str().unwrap().to_owned())
            .collect()
    }

    fn revoke(&mut self, seconds: i64, group: &str, rules: &[String]) {
        let ids: Vec<Value> = rules
            .iter()
            .map(|id| json!({"securityGroupRuleId": id}))
            .collect();
        let request =
            json!({"groupId": group, "ipPermissions": {}, "securityGroupRuleIds": {"items": ids}});
        self.tell(
            seconds,
            "RevokeSecurityGroupIngress",
            request,
            json!({"_return": true}),
        );
    }
}

fn window() -> Window {
    Window {
        since: at(0),
        until: at(DAYS * 86_400),
        level_max: Level::Auto,
    }
}

async fn backtest(app: &Arc<App>, story: &Story, window: &Window) -> Report {
    let playbook = &app.content.playbooks["PB-008"];
    let mut gatherer = Gatherer::new(app, playbook, window);
    let records = story.records.clone();
    gatherer.add(move || (records, Vec::new())).await.unwrap();
    gatherer.report().await.unwrap()
}

fn came(report: &Report) -> Vec<Came> {
    report.acts.iter().map(|act| act.came).collect()
}

fn guards(report: &Report) -> Vec<Guard> {
    report.guards.keys().copied().collect()
}

const WORLD: &[&str] = &["0.0.0.0/0"];

#[tokio::test]
async fn it_acts_once_says_what_held_and_notices_who_closed_it_in_truth() {
    let folder = tempfile::tempdir().unwrap();
    let app = app(folder.path(), |_| {}).await;
    let mut story = Story::default();
    story.make(0, "sg-1");
    story.open(5, "sg-1", "tcp", 443, WORLD);
    let opened = story.open(
        10,
        "sg-1",
        "tcp",
        22,
        &["0.0.0.0/1", "128.0.0.0/1", "198.51.100.0/24"],
    );
    story.revoke(500, "sg-1", &opened[..1]);
    story.revoke(600, "sg-1", &opened[1..]);
    story.open(700, "sg-1", "tcp", 3389, &["::/0"]);
    let report = backtest(&app, &story, &window()).await;
    assert_eq!(
        came(&report),
        [Came::Nothing, Came::Acts, Came::Acts],
        "{report:#?}"
    );
    let [_, first, second] = &report.acts[..] else {
        panic!()
    };
    let revoked = &first.plan["calls"][0]["arguments"]["SecurityGroupRuleIds"];
    assert_eq!(*revoked, json!(opened[..2]), "the office stays");
    assert_eq!(first.closed_in_truth_at, Some(at(600)));
    assert_eq!(first.next_begins_at, Some(at(700)));
    assert_eq!(
        (second.closed_in_truth_at, second.next_begins_at),
        (None, None)
    );
    assert!(
        second
            .would_have_read
            .iter()
            .any(|what| what.contains("network interfaces"))
    );
    assert_eq!(report.unclean, Vec::<String>::new());
    assert_eq!(
        report.totals.incidents, 3,
        "what was fixed is over: the next exposure is another"
    );
}

#[tokio::test]
async fn each_guard_that_stands_in_the_way_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let app = app(folder.path(), |config| {
        config.accounts.push(account("111122223333"));
        config.respond.never_touch.accounts = vec!["111122223333".to_owned()];
        config.respond.changes_per_account_hour = 2;
    })
    .await;
    let exposed = |account: Option<&'static str>, times: &[i64]| {
        let mut story = Story {
            account,
            ..Story::default()
        };
        story.make(0, "sg-1");
        for seconds in times {
            story.open(*seconds, "sg-1", "tcp", 22, WORLD);
        }
        story
    };
    let run = async |story: &Story, window: &Window| backtest(&app, story, window).await;

    let scope = run(&exposed(Some(ELSEWHERE), &[10]), &window()).await;
    assert_eq!(
        (came(&scope), guards(&scope)),
        (vec![Came::NotBegun], vec![Guard::Scope])
    );
    let never = run(&exposed(Some("111122223333"), &[10]), &window()).await;
    assert_eq!(
        (came(&never), guards(&never)),
        (vec![Came::Refused], vec![Guard::NeverTouch])
    );
    assert_ne!(never.unclean, Vec::<String>::new());
    for (level_max, is, by) in [
        (Level::Observe, Came::NotBegun, Guard::Level),
        (Level::Suggest, Came::Asks, Guard::Level),
    ] {
        let narrow = Window {
            level_max,
            ..window()
        };
        let level = run(&exposed(None, &[10]), &narrow).await;
        assert_eq!((came(&level), guards(&level)), (vec![is], vec![by]));
    }
    // Twice within a day is too often, and three changes an hour beyond the budget; the next day all is well.
    let often = run(
        &exposed(None, &[10, 20, 30, 40, 4 * 3600 + 31, 90_000]),
        &window(),
    )
    .await;
    assert_eq!(
        came(&often),
        [Came::Acts, Came::Acts, Came::Asks, Came::Asks, Came::Acts]
    );
    assert_eq!(
        often.totals.joined_waiting, 1,
        "what comes while a person is asked begins nothing"
    );
    assert_eq!(guards(&often), [Guard::Budget, Guard::ComesBack]);
}

#[tokio::test]
async fn exceptions_and_freezes_count_as_they_did_then() {
    let folder = tempfile::tempdir().unwrap();
    let app = app(folder.path(), |_| {}).await;
    let exception = Exception {
        id: String::new(),
        owner: "web team".into(),
        reason: "a load test".into(),
        scope: Scope {
            playbook: Some("PB-008".into()),
            account: Some(ACCOUNT.into()),
            ..Scope::default()
        },
        approved_by: "ann".into(),
        created_at: at(100),
        expires_at: at(1000),
        ended: None,
    };
    let added = exceptions::add(&*app.state, exception).await.unwrap();
    exceptions::end(&*app.state, &added.id, "bob", at(200))
        .await
        .unwrap();
    let freeze = Freeze {
        id: String::new(),
        reason: "end of year".into(),
        from: at(300),
        until: at(400),
        accounts: Vec::new(),
        environments: Vec::new(),
        by: "ann".into(),
        ended: None,
    };
    freezes::add(&*app.state, freeze, at(250)).await.unwrap();
    let mut story = Story::default();
    for (n, seconds) in [50, 150, 250, 350, 450].into_iter().enumerate() {
        let group = format!("sg-{n}");
        story.make(seconds - 1, &group);
        story.open(seconds, &group, "tcp", 22, WORLD);
    }
    let report = backtest(&app, &story, &window()).await;
    use Came::{Acts, Asks, NotBegun};
    assert_eq!(came(&report), [Acts, NotBegun, Acts, Asks, Acts]);
    assert_eq!(guards(&report), [Guard::Exception, Guard::Freeze]);
}

#[tokio::test]
async fn what_no_event_tells_is_said_and_not_made_up() {
    let folder = tempfile::tempdir().unwrap();
    let app = app(folder.path(), |_| {}).await;
    let mut story = Story::default();
    // A group that was there before.
    story.open(10, "sg-old", "tcp", 22, WORLD);
    // A list, whose entries no event has.
    story.make(20, "sg-list");
    let request = json!({"groupId": "sg-list", "ipPermissions": {"items": [{"ipProtocol": "tcp", "fromPort": 22, "toPort": 22,
        "prefixListIds": {"items": [{"prefixListId": "pl-1"}]}}]}});
    let made = json!({"securityGroupRuleSet": {"items": [{"groupId": "sg-list", "securityGroupRuleId": "sgr-1", "isEgress": false,
        "ipProtocol": "tcp", "fromPort": 22, "toPort": 22, "prefixListId": "pl-1"}]}});
    story.tell(30, "AuthorizeSecurityGroupIngress", request, made);
    // An older record, without the rules that were made; a person revokes it by what it says.
    story.make(40, "sg-plain");
    let plain = json!({"groupId": "sg-plain", "ipPermissions": {}, "ipProtocol": "tcp", "fromPort": 22, "toPort": 22, "cidrIp": "0.0.0.0/0"});
    story.tell(
        50,
        "AuthorizeSecurityGroupIngress",
        plain.clone(),
        json!({"_return": true}),
    );
    story.tell(
        60,
        "RevokeSecurityGroupIngress",
        plain,
        json!({"_return": true}),
    );
    // Opened and deleted within one second.
    story.make(70, "sg-gone");
    story.tell(
        71,
        "DeleteSecurityGroup",
        json!({"groupId": "sg-gone"}),
        json!({"_return": true}),
    );
    story.open(71, "sg-gone", "tcp", 22, WORLD);
    let report = backtest(&app, &story, &window()).await;
    assert_eq!(
        came(&report),
        [Came::Acts, Came::Unknown, Came::Acts, Came::Nothing],
        "{report:#?}"
    );
    let [old, list, plain, _] = &report.acts[..] else {
        panic!()
    };
    assert!(
        old.would_have_read
            .iter()
            .any(|what| what.contains("rules from before"))
    );
    assert!(
        list.would_have_read
            .contains("ec2:GetManagedPrefixListEntries"),
        "{list:?}"
    );
    assert_eq!(plain.closed_in_truth_at, Some(at(60)));
    assert!(plain.plan.to_string().contains("sgr-untold-"));
}

#[tokio::test]
async fn without_a_world_of_events_only_triggers_and_guards_are_known() {
    let folder = tempfile::tempdir().unwrap();
    let app = app(folder.path(), |_| {}).await;
    let text = include_str!("../../../../content/detections/aws/s3/bucket-policy-public.hit.json");
    let bodies: Vec<Value> = serde_json::from_str(text).unwrap();
    let records: Vec<Record> = bodies
        .iter()
        .enumerate()
        .map(|(n, body)| Record {
            body: RawValue::from_string(body.to_string()).unwrap(),
            ..record(n, ACCOUNT, 0, "x", Value::Null, Value::Null)
        })
        .collect();
    let playbook = &app.content.playbooks["PB-003"];
    let all = Window {
        since: Timestamp::EPOCH,
        ..window()
    };
    let mut gatherer = Gatherer::new(&app, playbook, &all);
    gatherer
        .add(move || (records, vec!["no record".to_owned()]))
        .await
        .unwrap();
    let report = gatherer.report().await.unwrap();
    assert!(
        !report.is_reconstructed && report.totals.triggers > 0,
        "{report:#?}"
    );
    assert!(
        came(&report)
            .iter()
            .all(|came| matches!(came, Came::Unknown | Came::NotBegun))
    );
    assert_eq!(report.counts.quarantined, 1);
}

/// What else happens: much that is about something else, and near misses.
fn noise(story: &mut Story, n: usize, seconds: i64) {
    let group = format!("sg-n{n}");
    let refused = json!("refused");
    match n % 500 {
        0 => drop(story.open(seconds, &group, "tcp", 443, WORLD)),
        1 => drop(story.open(seconds, &group, "tcp", 22, &["10.0.0.0/8"])),
        2 => drop(story.open(
            seconds,
            &group,
            "tcp",
            22,
            &["198.51.100.0/24", "2001:db8::/48"],
        )),
        3 => {
            let request = json!({"groupId": group, "ipPermissions": {}, "ipProtocol": "tcp", "fromPort": 22, "toPort": 22, "cidrIp": "0.0.0.0/0"});
            story.tell(seconds, "AuthorizeSecurityGroupIngress", request, refused);
        }
        4 => {
            let request = json!({"groupId": group, "ipPermissions": {"items": [{"ipProtocol": "-1", "ipRanges": {"items": [{"cidrIp": "0.0.0.0/0"}]}}]}});
            story.tell(
                seconds,
                "AuthorizeSecurityGroupEgress",
                request,
                json!({"_return": true}),
            );
        }
        5..20 => story.make(seconds, &group),
        20..60 => story.tell(
            seconds,
            "DescribeSecurityGroups",
            json!({"securityGroupIdSet": {"items": [{"groupId": group}]}}),
            Value::Null,
        ),
        60..100 => story.tell(
            seconds,
            "DescribeNetworkInterfaces",
            json!({"filterSet": {}}),
            Value::Null,
        ),
        _ => story.tell(
            seconds,
            "DescribeInstances",
            json!({"instancesSet": {"items": [{"instanceId": format!("i-{n}")}]}, "filterSet": {}}),
            Value::Null,
        ),
    }
}

/// Exposures of 200 groups among `QUELL_BACKTEST_EVENTS` records in the store: it finds exactly those, twice the same. The time is printed;
/// run it with `--release --nocapture` and a million to measure.
#[tokio::test]
async fn it_finds_exactly_the_planted_exposures_and_twice_the_same() {
    let events: usize =
        crate::config::environment("QUELL_BACKTEST_EVENTS").map_or(20_000, |n| n.parse().unwrap());
    const PLANTED: usize = 200;
    let folder = tempfile::tempdir().unwrap();
    let app = app(folder.path(), |_| {}).await;
    let mut planted = BTreeSet::new();
    let every = events / PLANTED;
    let span = DAYS * 86_400 - 3600;
    let mut story = Story::default();
    for n in 0..events {
        let seconds = 60 + i64::try_from(n).unwrap() * span / i64::try_from(events).unwrap();
        let k = n / every;
        if n % every != every / 2 || k >= PLANTED {
            noise(&mut story, n, seconds);
            continue;
        }
        let group = format!("sg-p{k}");
        let (protocol, port, cidrs): (_, _, &[&str]) = match k % 5 {
            0 => ("tcp", 22, WORLD),
            1 => ("tcp", 3389, &["::/0"]),
            2 => ("-1", -1, WORLD),
            3 => ("tcp", 5432, &["0.0.0.0/1", "128.0.0.0/1"]),
            _ => ("udp", 11211, &["203.0.113.7/0", "198.51.100.0/24"]),
        };
        if k.is_multiple_of(2) {
            story.make(seconds - 30, &group);
        }
        let rules = story.open(seconds, &group, protocol, port, cidrs);
        if k.is_multiple_of(3) {
            story.revoke(seconds + 900, &group, &rules);
        }
        planted.insert(group);
        if story.records.len() > 20_000 {
            store(&app, &mut story).await;
        }
    }
    store(&app, &mut story).await;
    let playbook = &app.content.playbooks["PB-008"];
    let mut reports = Vec::new();
    for _ in 0..2 {
        let begun = SystemClock.now();
        let mut gatherer = Gatherer::new(&app, playbook, &window());
        gatherer.add_stored().await.unwrap();
        let report = gatherer.report().await.unwrap();
        println!(
            "{} records in {:.1} s: {:?}",
            report.counts.records,
            quell_triage::seconds(begun, SystemClock.now()),
            report.totals
        );
        reports.push(report);
    }
    let found = reports[0]
        .acts
        .iter()
        .filter(|act| matches!(act.came, Came::Acts | Came::Asks));
    let found: Vec<String> = found.map(|act| act.resource.id.clone()).collect();
    let distinct: BTreeSet<String> = found.iter().cloned().collect();
    assert_eq!((distinct, found.len()), (planted, PLANTED));
    assert!(reports[0].counts.records >= u64::try_from(events).unwrap());
    assert_eq!(reports[0].counts.quarantined, 0, "{:?}", reports[0].counts);
    let [first, second] = [0, 1].map(|n| serde_json::to_value(&reports[n]).unwrap());
    assert_eq!(first, second);
}

/// Puts a part of the story into the store. Ids go on from part to part.
async fn store(app: &App, story: &mut Story) {
    for part in story.records.chunks(2_000) {
        accept(&*app.state, part, &[]).await.unwrap();
    }
    story.records.clear();
}
