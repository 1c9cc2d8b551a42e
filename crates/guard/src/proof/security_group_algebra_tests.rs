//! The sets that the proof reckons with, against a model that counts: a small universe laid over the real one, in which counting leaves
//! nothing out.

use quell_model::{Class, PlannedCall, UndoCall};
use serde_json::json;

use super::super::{Known, Lost};
use super::*;
use crate::traffic::Traffic;

#[path = "security_group_model.rs"]
mod model;

use model::{Counted, Dice, GROUPS, Source, Universe, public_below};

/// How many rule sets are tried, unless `QUELL_ALGEBRA_CASES` says otherwise.
const CASES: u64 = 3_000;

fn id(rule: &Value) -> &str {
    rule["SecurityGroupRuleId"].as_str().unwrap()
}

/// The plan that revokes these rules.
fn plan(universe: &Universe, rules: &[Value], revoked: &[&str]) -> Plan {
    let (gone, kept): (Vec<&Value>, Vec<&Value>) =
        rules.iter().partition(|rule| revoked.contains(&id(rule)));
    let undo = |rule: &&Value| {
        let mut permission = json!({"IpProtocol": rule["IpProtocol"]});
        if rule["IpProtocol"] != "-1" {
            permission["FromPort"] = rule["FromPort"].clone();
            permission["ToPort"] = rule["ToPort"].clone();
        }
        for (of, list, member) in [
            ("CidrIpv4", "IpRanges", "CidrIp"),
            ("CidrIpv6", "Ipv6Ranges", "CidrIpv6"),
            ("PrefixListId", "PrefixListIds", "PrefixListId"),
        ] {
            if let Some(source) = rule.get(of) {
                permission[list] = json!([{member: source}]);
            }
        }
        UndoCall {
            resource: AUTHORIZE.into(),
            arguments: json!({"GroupId": "sg-1", "IpPermissions": [permission]}),
            sets: Map::new(),
        }
    };
    Plan {
        playbook: "PB-008".into(),
        resource: "arn:aws:ec2:us-east-1:111122223333:security-group/sg-1".into(),
        summary: String::new(),
        calls: vec![PlannedCall {
            resource: REVOKE.into(),
            arguments: json!({"GroupId": "sg-1", "SecurityGroupRuleIds": revoked}),
            class: Class::R1,
            sets: Map::new(),
            undo: gone.iter().map(undo).collect(),
        }],
        before: json!({"securityGroupRules": rules}),
        after: json!({"securityGroupRules": kept}),
        facts: json!({"prefixLists": universe.lists, "attachments": [], "groupName": "web", "isDefault": false}),
    }
}

fn proven(universe: &Universe, plan: &Plan) -> Result<Proof, Unproven> {
    let group = quell_model::Resource::security_group("aws", "us-east-1", "111122223333", "sg-1");
    let mut facts = json!({"criticalPorts": universe.critical, "exposedShare": universe.share});
    if let Some(web) = &universe.web {
        facts["webPorts"] = json!(web);
    }
    super::prove(
        plan,
        &Claim {
            run: "run-1",
            resource: &group,
            facts: &facts,
            undo: None,
            production: true,
            known: Known::default(),
        },
    )
}

/// What the proof says is lost, read again as rules are.
fn read_again(lost: &[Lost], exposed: Option<bool>) -> Traffic {
    let wanted = lost
        .iter()
        .filter(|part| exposed.is_none_or(|is| part.exposed == is));
    let flows: Vec<Flow> = wanted
        .map(|part| {
            assert_eq!(part.more, 0);
            let mut sources = Sources::default();
            for source in &part.sources {
                match cidr(source) {
                    Some((Family::V4, set)) => sources.v4 = sources.v4.union(&set),
                    Some((Family::V6, set)) => sources.v6 = sources.v6.union(&set),
                    None => drop(sources.groups.insert(source.clone())),
                }
            }
            Flow {
                protocols: part.protocols,
                ports: part.ports,
                sources,
            }
        })
        .collect();
    Traffic::of(&flows)
}

/// What came of the cases, so that a test that tries nothing is seen.
#[derive(Debug, Default)]
struct Tally {
    proven: u64,
    refused: u64,
    beside: u64,
    meant: u64,
    nothing_lost: u64,
}

fn both(a: &[u32], b: &[u32], of: impl Fn(u32, u32) -> u32) -> Counted {
    a.iter().zip(b).map(|(a, b)| of(*a, *b)).collect()
}

fn try_case(case: u64, below: &[Vec<u32>; 2], tally: &mut Tally) {
    let dice = &mut Dice(case.wrapping_mul(0x2545_f491_4f6c_dd1d));
    let universe = Universe::new(dice, below);
    let rules: Vec<Value> = (0..1 + dice.below(8) as usize)
        .map(|n| universe.rule(dice, n))
        .collect();
    let all: Vec<&Value> = rules.iter().collect();
    let exposed = universe.exposed(&all);
    let guilty: Vec<&str> = { all.iter() }
        .filter(|r| universe.guilty(r, &exposed))
        .map(|r| id(r))
        .collect();
    let mut revoked = guilty.clone();
    match dice.below(4) {
        0 => {
            revoked = rules
                .iter()
                .filter(|_| dice.below(2) == 0)
                .map(id)
                .collect()
        }
        1 => drop(revoked.pop()),
        2 if dice.below(2) == 0 => {
            revoked.push(id(&rules[dice.below(rules.len() as u64) as usize]))
        }
        _ => {}
    }
    revoked.sort_unstable();
    revoked.dedup();
    let (gone, kept): (Vec<&Value>, Vec<&Value>) =
        all.iter().partition(|rule| revoked.contains(&id(rule)));

    // The sets themselves.
    let read = |rules: &[&Value]| -> Vec<Flow> {
        let rules = ingress(
            (&json!({"securityGroupRules": rules}), "before"),
            "sg-1",
            Some(&universe.lists),
        );
        rules.unwrap().into_iter().map(|rule| rule.flow).collect()
    };
    let [of_all, of_gone, of_kept] = [&all, &gone, &kept].map(|rules| Traffic::of(&read(rules)));
    let [in_all, in_gone, in_kept] =
        [&all, &gone, &kept].map(|rules| universe.all_of(rules.iter().copied()));
    let lost = of_gone.difference(&of_kept);
    let in_lost = both(&in_gone, &in_kept, |a, b| a & !b);
    assert_eq!(
        universe.asked(&of_all),
        in_all,
        "case {case}: what is let in"
    );
    assert_eq!(
        universe.asked(&of_gone.union(&of_kept)),
        in_all,
        "case {case}: the union"
    );
    assert_eq!(
        universe.asked(&of_gone.intersection(&of_kept)),
        both(&in_gone, &in_kept, |a, b| a & b),
        "case {case}: the intersection"
    );
    assert_eq!(universe.asked(&lost), in_lost, "case {case}: what is lost");

    // One form: what is equal is so to the letter, whichever way it was come by.
    let mut turned = read(&all);
    turned.reverse();
    assert_eq!(
        Traffic::of(&turned),
        of_all,
        "case {case}: the order of rules"
    );
    assert_eq!(of_gone.union(&of_kept), of_all, "case {case}");
    assert_eq!(
        of_all.difference(&lost),
        of_kept,
        "case {case}: after = before − lost"
    );
    assert!(lost.intersection(&of_kept).is_empty(), "case {case}");
    assert_eq!(lost.union(&of_kept), of_all, "case {case}");
    assert_eq!(
        of_gone
            .difference(&of_kept)
            .union(&of_gone.intersection(&of_kept)),
        of_gone,
        "case {case}"
    );

    // The proof as a whole.
    let left = universe.exposed(&kept);
    let of_the_plan = |rule: &&Value| rule["IsEgress"] == false && universe.guilty(rule, &exposed);
    let is_right = !revoked.is_empty() && gone.iter().all(of_the_plan) && left.is_empty();
    let proof = proven(&universe, &plan(&universe, &rules, &revoked));
    assert_eq!(
        proof.is_ok(),
        is_right,
        "case {case}: {proof:?}, of {exposed:?}, {left:?} is left; {revoked:?} of {rules:#?} {}",
        universe.lists
    );
    let Ok(proof) = proof else {
        tally.refused += 1;
        return;
    };
    tally.proven += 1;
    let critical = |(protocol, number): &(u16, u16), source: usize| {
        matches!(protocol, 6 | 17)
            && match &universe.sources[source] {
                Source::Address(family, _) => exposed.contains(&(i64::from(*number), *family)),
                Source::Group(_) => false,
            }
    };
    let mask = |row: &(u16, u16)| {
        (0..universe.sources.len())
            .map(|at| u32::from(critical(row, at)) << at)
            .sum::<u32>()
    };
    let masks: Counted = universe.rows.iter().map(mask).collect();
    let beside = both(&in_lost, &masks, |a, b| a & !b);
    let is_beside = beside.iter().any(|row| *row > 0);
    tally.beside += u64::from(is_beside);
    let addresses = (1_u32 << (universe.sources.len() - GROUPS.len())) - 1;
    let mut meant = universe.rows.iter().zip(&beside);
    let is_meant = meant.any(|((protocol, number), row)| match &universe.web {
        None => *row > 0,
        Some(web) => {
            let is_web = matches!(protocol, 6 | 17) && web.contains(&i64::from(*number));
            is_web && row & addresses > 0
        }
    });
    tally.meant += u64::from(is_meant);
    let asks = { proof.concerns.iter() }.any(|c| c.starts_with("what may be open on purpose"));
    assert_eq!(asks, is_meant, "case {case}: {proof:?}");
    tally.nothing_lost += u64::from(lost.is_empty());
    if proof.lost.len() < 100 && proof.lost.iter().all(|part| part.more == 0) {
        assert_eq!(
            read_again(&proof.lost, None),
            lost,
            "case {case}: what is told is what is lost"
        );
        assert_eq!(
            universe.asked(&read_again(&proof.lost, Some(false))),
            beside,
            "case {case}: what goes with it"
        );
    }
}

#[test]
fn the_sets_are_what_counting_says_and_so_is_the_verdict() {
    let wanted = std::env::var_os("QUELL_ALGEBRA_CASES");
    let cases = wanted.map_or(CASES, |n| n.to_str().unwrap().parse().unwrap());
    let below = [Family::V4, Family::V6].map(public_below);
    let mut tally = Tally::default();
    for case in 0..cases {
        try_case(case, &below, &mut tally);
    }
    println!("{cases} rule sets: {tally:?}");
    // Something of each kind was tried.
    for of_a_kind in [tally.proven, tally.refused, tally.beside, tally.meant] {
        assert!(of_a_kind > cases / 50, "{tally:?}");
    }
}
