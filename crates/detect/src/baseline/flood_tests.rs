//! Somebody sends a million values to make baselines forget, fire or grow.

use quell_model::Timestamp;

use super::tests::{ANY, BEGIN, Call, DAY, HOUR, file, loaded, ordinary};
use super::{ENTITY_FINDINGS_MAX, Field, Fired, Memory, States, Subject};

/// How many values are sent, unless `QUELL_BASELINE_FLOOD` says otherwise.
const KEYS: i64 = 1_000_000;

/// What one entity's or one group's state takes up as text, at the very most: the stated bound.
const STATE_BYTES_MAX: usize = 512 * 1024;

#[test]
fn a_million_values_of_one_principal_change_no_answer_about_others_and_take_no_more_room() {
    let wanted = std::env::var_os("QUELL_BASELINE_FLOOD");
    let keys = wanted.map_or(KEYS, |n| n.to_str().unwrap().parse().unwrap());
    let learn = "learn: {days: 14, calls: 50}";
    let baselines = loaded(&[
        file(
            "net",
            &format!("{{kind: first-seen, fields: [network], {learn}}}"),
            ANY,
        ),
        file(
            "act",
            &format!("{{kind: first-seen, fields: [action], {learn}}}"),
            ANY,
        ),
        file(
            "iam",
            &format!("{{kind: first-seen, fields: [action], new-to: account, {learn}}}"),
            ANY,
        ),
        file(
            "rare",
            &format!("{{kind: rare, field: action, surprise: 4, {learn}}}"),
            ANY,
        ),
    ]);
    // An administrator who creates users, and an attacker of the same account; both are known.
    let mut memory = Memory::default();
    let admin = ordinary("user/admin")
        .into_iter()
        .map(|c| c.action("iam.amazonaws.com:CreateUser"));
    let mut calls: Vec<Call> = admin.chain(ordinary("user/eve")).collect();
    calls.sort_by_key(|call| call.at);
    let mut fired = 0;
    for call in &calls {
        let (record, at, subject) = call.record(0);
        fired += memory.step(&baselines, &record, at, &subject).len();
    }
    assert_eq!(fired, 0);
    // A new network, a new action and a new program with each of a million calls, over a day.
    let begin = 20 * DAY;
    let (record, _, mut subject) = Call::new(begin, "user/eve").record(0);
    for n in 0..keys {
        for (field, value) in &mut subject.values {
            *value = match field {
                Field::Action => format!("s3.amazonaws.com:Act{n}ion"),
                Field::Network => format!("2001:{:x}:{:x}::/48", n >> 16, n & 0xffff),
                Field::Agent => format!("tool{n}"),
                _ => continue,
            };
        }
        let at = Timestamp::from_millis(BEGIN + begin + n * 20 * HOUR / keys);
        fired += memory.step(&baselines, &record, at, &subject).len();
    }
    assert!(fired > 0 && fired <= 2 * ENTITY_FINDINGS_MAX, "{fired}");
    let mut step = |call: &Call| -> Vec<Fired> {
        let (record, at, subject) = call.record(0);
        memory.step(&baselines, &record, at, &subject)
    };
    // The administrator's answers are what they would have been.
    let later = begin + 21 * HOUR;
    let create = Call::new(later, "user/admin").action("iam.amazonaws.com:CreateUser");
    assert_eq!(
        step(&create),
        [],
        "what is known is not new because of the flood"
    );
    let names =
        |fired: Vec<Fired>| -> Vec<String> { fired.into_iter().map(|f| f.baseline).collect() };
    let attach = Call::new(later, "user/admin").action("iam.amazonaws.com:AttachUserPolicy");
    assert_eq!(
        names(step(&attach)),
        ["act.baseline", "iam.baseline", "rare.baseline"]
    );
    // So are the attacker's own where it matters.
    let key = Call::new(later, "user/eve").action("iam.amazonaws.com:CreateAccessKey");
    assert_eq!(
        names(step(&key)),
        ["act.baseline", "iam.baseline", "rare.baseline"]
    );
    let net = Call::new(later, "user/admin")
        .from("203.0.113.1")
        .action("iam.amazonaws.com:CreateUser");
    assert_eq!(names(step(&net)), ["net.baseline"]);
}

#[test]
fn a_state_never_takes_more_than_its_bound() {
    let baselines = loaded(&[file(
        "net",
        "{kind: first-seen, fields: [network], learn: {days: 14, calls: 50}}",
        ANY,
    )]);
    let mut states = States::default();
    let mut longest = 0;
    for n in 0..60_000_i64 {
        let mut call = Call::new(n * HOUR / 40, "role/stack-F1");
        call.from = format!("2001:db8:{n:x}::1");
        call.region = format!("r-{n}");
        call.agent = format!("tool{n}x");
        call.action = match n % 2 {
            0 => format!("s3.amazonaws.com:Act{n}ion"),
            _ => format!("iam.amazonaws.com:Act{n}ion"),
        };
        let (record, at, subject) = call.record(0);
        states = baselines.step(states, &record, at, &subject).states;
        if n % 2_000 == 0 {
            longest = longest.max(serde_json::to_string(&states.entity).unwrap().len());
            for peers in &states.peers {
                longest = longest.max(serde_json::to_string(peers).unwrap().len());
            }
        }
    }
    assert!(longest < STATE_BYTES_MAX, "{longest}");
    assert!(
        longest > STATE_BYTES_MAX / 4,
        "the bound is not far from the truth: {longest}"
    );
}

#[test]
fn more_entities_than_are_kept_are_learned_anew_and_nothing_fires() {
    let baselines = loaded(&[file(
        "net",
        "{kind: first-seen, fields: [network], learn: {days: 14, calls: 5}}",
        ANY,
    )]);
    let mut memory = Memory::default();
    let mut step = |call: &Call| {
        let (record, at, subject): (_, _, Subject) = call.record(0);
        let fired = memory.step(&baselines, &record, at, &subject);
        assert!(memory.len() <= super::STATES_MAX);
        fired
    };
    for n in 0..8 {
        step(&Call::new(n * 3 * DAY, "user/quiet").from("198.51.100.1"));
    }
    for n in 0..30_000 {
        step(&Call::new(24 * DAY + n, &format!("user/u{n}")));
    }
    // The quiet one is forgotten: its old network is not known, and it says nothing.
    assert_eq!(
        step(&Call::new(25 * DAY, "user/quiet").from("198.51.100.1")),
        []
    );
}
