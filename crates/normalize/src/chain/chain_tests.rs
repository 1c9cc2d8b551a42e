//! Chains as records tell them: cases, forgeries, and random graphs in random orders of arrival.

use quell_model::{Event, InitiatorKind, Origin, Record, RecordId, Timestamp};
use serde_json::{Value, json};

use super::{Chains, Session, Step};

const A: &str = "111122223333";
const B: &str = "444455556666";
const C: &str = "777788889999";

fn read(body: &Value) -> (Event, Record) {
    let record = Record {
        id: RecordId::of_name("1", body["eventID"].as_str().unwrap()),
        origin: Origin::File { path: "t".into() },
        received_at: Timestamp::default(),
        envelope: None,
        body: serde_json::value::RawValue::from_string(body.to_string()).unwrap(),
    };
    (crate::event(&record).unwrap(), record)
}

fn at(second: i64) -> String {
    Timestamp::from_millis(1_795_255_200_000 + second * 1000)
        .to_string()
        .replace(".000Z", "Z")
}

fn user(account: &str, name: &str) -> Value {
    json!({"type":"IAMUser","principalId":format!("AIDA{name}"),"arn":format!("arn:aws:iam::{account}:user/{name}"),"accountId":account,"accessKeyId":"AKIA1","userName":name})
}

/// The identity of calls by a session of a role.
fn session(account: &str, role: &str, name: &str, made: i64, key: &str) -> Value {
    json!({"type":"AssumedRole","principalId":format!("AROA{role}:{name}"),"arn":format!("arn:aws:sts::{account}:assumed-role/{role}/{name}"),
        "accountId":account,"accessKeyId":key,"sessionContext":{"sessionIssuer":{"type":"Role","arn":format!("arn:aws:iam::{account}:role/{role}"),"accountId":account,"userName":role},
        "attributes":{"creationDate":at(made),"mfaAuthenticated":"false"}}})
}

fn foreign(identity: &Value) -> Value {
    json!({"type":"AWSAccount","principalId":identity["principalId"],"accountId":identity["accountId"]})
}

/// A call, as recorded in an account.
fn call(id: &str, account: &str, who: &Value, source: &str, name: &str, second: i64) -> Value {
    json!({"eventID":id,"eventTime":at(second),"eventSource":source,"eventName":name,"awsRegion":"us-east-1","recipientAccountId":account,"userIdentity":who})
}

/// `AssumeRole`, as recorded in an account.
fn assume(
    id: &str,
    account: &str,
    who: &Value,
    (to, role, name): (&str, &str, &str),
    second: i64,
    key: Option<&str>,
) -> Value {
    let mut body = call(id, account, who, "sts.amazonaws.com", "AssumeRole", second);
    body["requestParameters"] = json!({"roleArn":format!("arn:aws:iam::{to}:role/team/{role}"),"roleSessionName":name,"durationSeconds":3600});
    body["responseElements"] =
        json!({"assumedRoleUser":{"arn":format!("arn:aws:sts::{to}:assumed-role/{role}/{name}")}});
    if let Some(key) = key {
        body["responseElements"]["credentials"] =
            json!({"accessKeyId":key,"expiration":"Nov 21, 2026, 11:00:00 AM"});
    }
    body
}

/// Who began what ended in the last record, after all of them.
fn resolve(bodies: &[Value]) -> Step {
    let mut chains = Chains::default();
    for body in bodies {
        let (event, record) = read(body);
        chains.take(&event, &record);
    }
    let (event, record) = read(bodies.last().unwrap());
    chains.resolve(&event, &record, "fnd-1")
}

fn found(bodies: &[Value]) -> (InitiatorKind, String, usize) {
    match resolve(bodies) {
        Step::Found(initiator) => (initiator.kind, initiator.id, initiator.hops.len()),
        step => panic!("{step:?}"),
    }
}

const EVE: &str = "arn:aws:iam::111122223333:user/eve";

/// Eve of A takes a role in B, and from there one in C; both records of each call, and a call at the end.
fn three_accounts() -> Vec<Value> {
    let eve = user(A, "eve");
    let b = session(B, "ops", "eve-b", 10, "ASIAB");
    let c = session(C, "admin", "eve-c", 20, "ASIAC");
    vec![
        assume("1", A, &eve, (B, "ops", "eve-b"), 10, Some("ASIAB")),
        assume(
            "2",
            B,
            &foreign(&eve),
            (B, "ops", "eve-b"),
            10,
            Some("ASIAB"),
        ),
        assume("3", B, &b, (C, "admin", "eve-c"), 20, Some("ASIAC")),
        assume(
            "4",
            C,
            &foreign(&b),
            (C, "admin", "eve-c"),
            20,
            Some("ASIAC"),
        ),
        call("5", C, &c, "iam.amazonaws.com", "CreateUser", 30),
    ]
}

#[test]
fn role_chaining_over_three_accounts() {
    let Step::Found(initiator) = resolve(&three_accounts()) else {
        panic!()
    };
    assert_eq!(
        (initiator.kind, initiator.id.as_str()),
        (InitiatorKind::User, EVE)
    );
    assert_eq!(initiator.label, "user eve of 111122223333");
    let hops: Vec<&str> = initiator
        .hops
        .iter()
        .map(|hop| hop.session.as_str())
        .collect();
    assert_eq!(
        hops,
        [
            "arn:aws:sts::444455556666:assumed-role/ops/eve-b",
            "arn:aws:sts::777788889999:assumed-role/admin/eve-c"
        ]
    );
    // The callers' records are enough; the roles' alone are not.
    let all = three_accounts();
    assert_eq!(
        found(&[all[0].clone(), all[2].clone(), all[4].clone()]).1,
        EVE
    );
    let step = resolve(&[
        all[0].clone(),
        all[1].clone(),
        all[3].clone(),
        all[4].clone(),
    ]);
    assert!(
        matches!(step, Step::Unknown(Session { ref arn, .. }) if arn.contains("admin/eve-c")),
        "{step:?}"
    );
    // The caller's account may leave the key out.
    let mut keyless = all.clone();
    keyless[0]["responseElements"] = Value::Null;
    keyless[2]["responseElements"] = Value::Null;
    assert_eq!(found(&keyless).1, EVE);
}

#[test]
fn a_link_that_comes_late_tells_who_waited() {
    let all = three_accounts();
    let mut chains = Chains::default();
    let (event, record) = read(&all[4]);
    let wanted = |step: Step| match step {
        Step::Unknown(session) => session.arn,
        step => panic!("{step:?}"),
    };
    assert!(wanted(chains.resolve(&event, &record, "fnd-5")).contains("admin/eve-c"));
    for (n, told) in [
        (3, vec!["fnd-5"]),
        (2, vec!["fnd-5"]),
        (1, vec!["fnd-5"]),
        (0, vec!["fnd-5"]),
    ] {
        let (of, by) = read(&all[n]);
        assert_eq!(chains.take(&of, &by), told, "{n}");
        assert!(
            chains.take(&of, &by).is_empty(),
            "the same again is no news"
        );
        let step = chains.resolve(&event, &record, "fnd-5");
        assert_eq!(matches!(step, Step::Found(_)), n == 0, "{n} {step:?}");
    }
}

#[test]
fn everybody_with_whom_a_chain_can_begin() {
    let direct = |who: Value| found(&[call("1", A, &who, "s3.amazonaws.com", "ListBuckets", 0)]);
    assert_eq!(
        direct(user(A, "eve")),
        (InitiatorKind::User, EVE.to_owned(), 0)
    );
    let root =
        json!({"type":"Root","accountId":A,"arn":format!("arn:aws:iam::{A}:root"),"principalId":A});
    assert_eq!(direct(root).1, format!("arn:aws:iam::{A}:root"));
    // GetFederationToken: the name is the user's to choose, the user is not.
    let federated = json!({"type":"FederatedUser","principalId":format!("{A}:bob"),"accountId":A,"arn":format!("arn:aws:sts::{A}:federated-user/bob"),
        "sessionContext":{"sessionIssuer":{"type":"IAMUser","arn":EVE,"accountId":A,"userName":"eve"}}});
    assert_eq!(direct(federated), (InitiatorKind::User, EVE.to_owned(), 0));
    let sso = session(
        B,
        "AWSReservedSSO_Admin_0123456789abcdef",
        "kim@example.com",
        0,
        "ASIA1",
    );
    assert_eq!(
        direct(sso),
        (
            InitiatorKind::IdentityCenterUser,
            "identity-center/kim@example.com".to_owned(),
            0
        )
    );
    let mut instance = session(A, "web", "i-0123456789abcdef0", 0, "ASIA1");
    instance["sessionContext"]["ec2RoleDelivery"] = "2.0".into();
    assert_eq!(
        direct(instance),
        (InitiatorKind::Instance, "i-0123456789abcdef0".to_owned(), 0)
    );
    let mut function = session(A, "fn-role", "fn", 0, "ASIA1");
    let arn = format!("arn:aws:lambda:eu-west-1:{A}:function:fn");
    function["inScopeOf"] = json!({"issuerType":"AWS::Lambda::Function","credentialsIssuedTo":arn});
    assert_eq!(direct(function), (InitiatorKind::Service, arn, 0));
}

#[test]
fn federated_and_service_sessions() {
    let with = |kind: &str, who: Value, name: &str| {
        let mut made = assume("1", A, &who, (A, "r", name), 0, Some("ASIA1"));
        made["eventName"] = kind.into();
        found(&[
            made,
            call(
                "2",
                A,
                &session(A, "r", name, 0, "ASIA1"),
                "s3.amazonaws.com",
                "ListBuckets",
                5,
            ),
        ])
    };
    let saml = json!({"type":"SAMLUser","principalId":"x:kim@example.com","userName":"kim@example.com","identityProvider":format!("arn:aws:iam::{A}:saml-provider/okta")});
    assert_eq!(
        with("AssumeRoleWithSAML", saml, "kim"),
        (
            InitiatorKind::SamlUser,
            "okta/kim@example.com".to_owned(),
            1
        )
    );
    let web = json!({"type":"WebIdentityUser","principalId":"p","userName":"repo:example/app:ref:refs/heads/main","identityProvider":format!("arn:aws:iam::{A}:oidc-provider/token.actions.githubusercontent.com")});
    let (kind, id, _) = with("AssumeRoleWithWebIdentity", web, "ci");
    assert_eq!(
        (kind, id.as_str()),
        (
            InitiatorKind::WebIdentity,
            "token.actions.githubusercontent.com/repo:example/app:ref:refs/heads/main"
        )
    );
    // Credentials of an instance, used from outside: EC2 hands out another key than it is given, and AWS says where they come from.
    let mut outside = session(A, "web", "i-0123456789abcdef0", 0, "ASIA8");
    outside["sessionContext"]["ec2RoleDelivery"] = "2.0".into();
    let used = call("2", A, &outside, "s3.amazonaws.com", "ListBuckets", 5);
    assert_eq!(
        found(&[used]),
        (InitiatorKind::Instance, "i-0123456789abcdef0".to_owned(), 0)
    );
    let ec2 = json!({"type":"AWSService","invokedBy":"ec2.amazonaws.com"});
    assert_eq!(
        with("AssumeRole", ec2, "i-0123456789abcdef0").1,
        "i-0123456789abcdef0"
    );
    let lambda = json!({"type":"AWSService","invokedBy":"lambda.amazonaws.com"});
    let (kind, id, _) = with("AssumeRole", lambda, "awslambda_1");
    assert_eq!(
        (kind, id),
        (
            InitiatorKind::Service,
            format!("arn:aws:iam::{A}:role/team/r")
        )
    );
}

#[test]
fn the_consoles_change_of_role() {
    let who = session(B, "ops", "eve", 10, "ASIA1");
    let mut switch = call("1", B, &who, "signin.amazonaws.com", "SwitchRole", 10);
    switch["responseElements"] = json!({"SwitchRole":"Success"});
    switch["additionalEventData"] = json!({"SwitchFrom":EVE});
    let used = call("2", B, &who, "iam.amazonaws.com", "CreateUser", 30);
    assert_eq!(
        found(&[switch.clone(), used.clone()]),
        (InitiatorKind::User, EVE.to_owned(), 1)
    );
    switch["responseElements"] = json!({"SwitchRole":"Failure"});
    assert!(matches!(resolve(&[switch, used]), Step::Unknown(_)));
}

#[test]
fn nobody_forges_a_link() {
    let eve = user(A, "eve");
    let good = || assume("1", A, &eve, (B, "ops", "s"), 10, Some("ASIA1"));
    let used = call(
        "9",
        B,
        &session(B, "ops", "s", 10, "ASIA1"),
        "iam.amazonaws.com",
        "CreateUser",
        30,
    );
    assert_eq!(found(&[good(), used.clone()]).1, EVE);
    let mut bad = Vec::new();
    let mut change = |pointer: &str, to: Value| {
        let mut body = good();
        match body.pointer_mut(pointer) {
            Some(place) => *place = to,
            None => body[pointer.trim_start_matches('/')] = to,
        }
        bad.push(body);
    };
    change("/errorCode", "AccessDenied".into());
    change("/eventSource", "evil.amazonaws.com".into());
    change("/eventName", "GetCallerIdentity".into());
    // Recorded in an account that has no part in it.
    change("/recipientAccountId", C.into());
    change(
        "/responseElements/assumedRoleUser/arn",
        format!("arn:aws:sts::{C}:assumed-role/ops/s").into(),
    );
    change(
        "/requestParameters/roleArn",
        "arn:aws:iam::nobody:role/ops".into(),
    );
    change("/requestParameters/roleSessionName", "s/../t".into());
    for body in bad {
        assert!(
            matches!(resolve(&[body.clone(), used.clone()]), Step::Unknown(_)),
            "{body}"
        );
    }
    // Somebody's own source, in CloudTrail's form.
    let (event, mut record) = read(&good());
    record.envelope = Some(json!({"source":"custom"}));
    assert_eq!(super::made(&event, &record), None);
    // A name alone makes no instance.
    let named = session(A, "web", "i-0123456789abcdef0", 0, "ASIA1");
    assert!(matches!(
        resolve(&[call("1", A, &named, "s3.amazonaws.com", "ListBuckets", 0)]),
        Step::Unknown(_)
    ));
    // Two parents of one name and one second: the key decides; without it, nobody is named.
    let bob = assume("2", A, &user(A, "bob"), (B, "ops", "s"), 10, Some("ASIA2"));
    assert_eq!(found(&[good(), bob.clone(), used.clone()]).1, EVE);
    let other = call(
        "9",
        B,
        &session(B, "ops", "s", 10, "ASIA3"),
        "iam.amazonaws.com",
        "CreateUser",
        30,
    );
    assert!(matches!(resolve(&[good(), bob, other]), Step::Unknown(_)));
    // The role's account saw another caller than the one who says it was.
    let saw = assume(
        "3",
        B,
        &foreign(&user(A, "bob")),
        (B, "ops", "s"),
        10,
        Some("ASIA1"),
    );
    assert!(matches!(
        resolve(&[good(), saw, used.clone()]),
        Step::Unknown(_)
    ));
    // A session that is over.
    let late = call(
        "9",
        B,
        &session(B, "ops", "s", 10, "ASIA1"),
        "iam.amazonaws.com",
        "CreateUser",
        10 + 3600 + 301,
    );
    assert!(matches!(resolve(&[good(), late]), Step::Unknown(_)));
}

struct Dice(u64);

impl Dice {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        usize::try_from((z ^ (z >> 31)) % n as u64).unwrap()
    }
}

/// Random forests of sessions over three accounts, with names that meet: every session is resolved to the user at its root, in every order of arrival, and
/// whoever asked before is told.
#[test]
fn every_session_of_a_random_forest_is_resolved_in_every_order() {
    let (mut resolved, mut deep) = (0, 0);
    for case in 0..300_u64 {
        let dice = &mut Dice(case);
        let accounts = [A, B, C];
        let mut nodes: Vec<(Value, String, usize, i64)> = Vec::new();
        let mut records = Vec::new();
        for n in 0..3 {
            let account = accounts[n % 3];
            nodes.push((
                user(account, &format!("u{n}")),
                format!("arn:aws:iam::{account}:user/u{n}"),
                0,
                0,
            ));
        }
        for n in 0..2 + dice.below(30) {
            let (who, root, depth, made) = nodes[dice.below(nodes.len())].clone();
            let (to, second) = (accounts[dice.below(3)], made + dice.below(3) as i64 * 60);
            let (role, name) = (format!("r{}", dice.below(2)), format!("s{}", dice.below(3)));
            let key = format!("ASIA{n}");
            let here = who["accountId"].as_str().unwrap().to_owned();
            records.push(assume(
                &format!("{n}a"),
                &here,
                &who,
                (to, &role, &name),
                second,
                Some(&key),
            ));
            if here != to {
                records.push(assume(
                    &format!("{n}b"),
                    to,
                    &foreign(&who),
                    (to, &role, &name),
                    second,
                    Some(&key),
                ));
            }
            nodes.push((
                session(to, &role, &name, second, &key),
                root,
                depth + 1,
                second,
            ));
        }
        let uses: Vec<(Value, String, usize)> = nodes
            .iter()
            .enumerate()
            .map(|(n, (who, root, depth, made))| {
                let account = who["accountId"].as_str().unwrap();
                (
                    call(
                        &format!("u{n}"),
                        account,
                        who,
                        "s3.amazonaws.com",
                        "ListBuckets",
                        made + 1,
                    ),
                    root.clone(),
                    *depth,
                )
            })
            .collect();
        let mut chains = Chains::default();
        // Some ask before all is known.
        for n in (1..records.len()).rev() {
            records.swap(n, dice.below(n + 1));
        }
        let mut told = std::collections::BTreeSet::new();
        let mut asked = std::collections::BTreeSet::new();
        for record in &records {
            let (event, record) = read(record);
            told.extend(chains.take(&event, &record));
            let (body, root, _) = &uses[dice.below(uses.len())];
            let (event, record) = read(body);
            match chains.resolve(&event, &record, record.id.as_str()) {
                Step::Found(initiator) => assert_eq!(
                    &initiator.id, root,
                    "case {case}: what is said early is right"
                ),
                Step::Unknown(_) => drop(asked.insert(record.id.as_str().to_owned())),
                _ => {}
            }
        }
        for (body, root, depth) in &uses {
            let (event, record) = read(body);
            match chains.resolve(&event, &record, record.id.as_str()) {
                Step::Found(initiator) => {
                    assert_eq!(
                        (&initiator.id, initiator.hops.len()),
                        (root, *depth),
                        "case {case}"
                    );
                    assert!(
                        !asked.contains(record.id.as_str()) || told.contains(record.id.as_str()),
                        "case {case}: told"
                    );
                    resolved += 1;
                    deep += usize::from(*depth > 2);
                }
                // Only where more sessions of one name were made in one second than are told apart, or the chain is too long.
                step => assert!(
                    matches!(step, Step::Unknown(_) | Step::Nobody) && records.len() > 16,
                    "case {case}: {step:?}"
                ),
            }
        }
    }
    assert!(resolved > 3_000 && deep > 300, "{resolved} {deep}");
}

#[test]
fn memory_is_bounded_and_circles_end() {
    let mut chains = Chains::default();
    for n in 0..super::CHAINS_MAX as i64 + 10_000 {
        let (event, record) = read(&assume(
            &n.to_string(),
            A,
            &user(A, "eve"),
            (B, "ops", &format!("s{n}")),
            n / 100,
            None,
        ));
        chains.take(&event, &record);
        assert!(chains.len() <= super::CHAINS_MAX);
    }
    // Two sessions of one second that say of each other that they made them.
    let (x, y) = (
        session(A, "x", "s", 0, "ASIAX"),
        session(A, "y", "s", 0, "ASIAY"),
    );
    let circle = [
        assume("1", A, &y, (A, "x", "s"), 0, Some("ASIAX")),
        assume("2", A, &x, (A, "y", "s"), 0, Some("ASIAY")),
        call("3", A, &x, "s3.amazonaws.com", "ListBuckets", 1),
    ];
    assert_eq!(resolve(&circle), Step::Nobody);
}
