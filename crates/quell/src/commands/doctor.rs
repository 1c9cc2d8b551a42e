//! `quell doctor`.

use clap::Args;
use quell_aws::Part;
use quell_collect::Quarantined;
use quell_model::{Resource, RunId};
use quell_store::Kind;
use serde::Serialize;
use serde_json::json;

use super::{Failure, Global};
use crate::app::App;
use crate::output::{safe, table};
use crate::{brake, orders, sealing};

/// Look at the whole installation and say what is wrong and how to mend it
///
/// It only reads.
#[derive(Args)]
pub struct Doctor {}

#[derive(Serialize)]
struct Check {
    what: String,
    ok: bool,
    found: String,
    mend: String,
}

/// Signatures are refused when the clock is further off.
const CLOCK_SKEW_SECONDS_MAX: i64 = 60;

impl Doctor {
    pub(super) async fn run(self, global: &Global) -> Result<(), Failure> {
        let app = global.app().await?;
        let mut checks = local(&app).await?;
        checks.extend(remote(&app).await);
        global.output.print(&checks, |list| {
            let rows = list.iter().map(|c| {
                vec![
                    if c.ok { "ok" } else { "WRONG" }.to_owned(),
                    c.what.clone(),
                    c.found.clone(),
                    c.mend.clone(),
                ]
            });
            table(&["", "what", "found", "mend"], rows)
        });
        match checks.iter().filter(|c| !c.ok).count() {
            0 => Ok(()),
            n => Err(Failure::Check(format!("{n} thing(s) to mend"))),
        }
    }
}

fn check(what: &str, result: Result<String, String>, mend: &str) -> Check {
    let ok = result.is_ok();
    let found = result.unwrap_or_else(|e| e);
    Check {
        what: what.to_owned(),
        ok,
        found,
        mend: if ok { String::new() } else { mend.to_owned() },
    }
}

async fn local(app: &App) -> Result<Vec<Check>, Failure> {
    let records = app.state.count(Kind::Record).await?;
    let records: Vec<String> = records
        .iter()
        .map(|(status, n)| format!("{n} {status}"))
        .collect();
    let aside: Vec<Quarantined> = app
        .newest(Kind::Record, Some("quarantined".to_owned()), 1)
        .await?;
    let aside = match aside.first() {
        Some(newest) => format!("the newest: {}", safe(&newest.reason)),
        None => "none".to_owned(),
    };
    let faults: Vec<String> = app.content.faults.iter().map(ToString::to_string).collect();
    let content = match faults.is_empty() {
        true => Ok(format!(
            "{} detection(s), {} playbook(s)",
            app.content.engine.detections().len(),
            app.content.playbooks.len()
        )),
        false => Err(faults.join("; ")),
    };
    let scope = match app.config.accounts.len() {
        0 => Err("no account is in scope: nothing will be done anywhere".to_owned()),
        n => Ok(format!(
            "{n} account(s), level at most {}",
            app.config.respond.level_max
        )),
    };
    let halted = match brake::pulled(&*app.state).await {
        Ok(None) => Ok("changes are allowed".to_owned()),
        Ok(Some(moved)) => Err(format!(
            "changes are halted by {} since {}",
            safe(&moved.by),
            moved.at
        )),
        Err(error) => Err(format!("it counts as pulled: {error}")),
    };
    let sharing = match app.claims.others().await? {
        0 => "no process at work".to_owned(),
        1 => "1 process at work".to_owned(),
        n => format!("{n} processes share it"),
    };
    let state = if records.is_empty() {
        format!("readable, empty, {sharing}")
    } else {
        format!("readable, records: {}, {sharing}", records.join(", "))
    };
    Ok(vec![
        check(&format!("state in {}", app.place), Ok(state), ""),
        check("records put aside", Ok(aside), ""),
        check("content", content, "quell content check"),
        check(
            "scope",
            scope,
            "list accounts under [[accounts]] in quell.toml",
        ),
        check(
            "API keys",
            sealing::look(&*app.state, &app.sealing).await,
            "give store.key the secret of the processes that made them, or put the file back that was beside the state",
        ),
        check("brake", halted, "quell resume"),
        check(
            "exceptions",
            exceptions(app).await,
            "look again at what is excepted: mend it, or add an exception anew (quell exception list)",
        ),
        check("freezes", freezes(app).await, "quell freeze list"),
        check(
            "organisational units",
            units(app),
            "correct the name in the policy or under [respond.changes_per_ou_hour], or give accounts their `ou` under [[accounts]]",
        ),
    ])
}

/// Whether exceptions can be read, and none of them ends within seven days.
async fn exceptions(app: &App) -> Result<String, String> {
    let now = app.clock.now();
    let those = orders::exceptions::in_force(&*app.state, now).await;
    let those = those.map_err(|e| format!("nothing is changed while they cannot be read: {e}"))?;
    let soon = those.iter().filter(|e| e.ends_soon(now));
    let soon: Vec<String> = soon
        .map(|e| format!("{} of {} ends {}", e.id, e.owner, e.expires_at))
        .collect();
    match soon.is_empty() {
        true => Ok(format!("{} in force", those.len())),
        false => Err(soon.join("; ")),
    }
}

/// Whether freezes can be read. One that lasts is nothing to mend.
async fn freezes(app: &App) -> Result<String, String> {
    let now = app.clock.now();
    let those = orders::freezes::in_force(&*app.state, now).await;
    let those = those.map_err(|e| format!("nothing is changed while they cannot be read: {e}"))?;
    Ok(match those.first() {
        None => "changes are not frozen".to_owned(),
        Some(freeze) => format!("changes are frozen until {}", freeze.until),
    })
}

/// Whether every unit that a policy or a budget names has an account in it: one that is misspelt is about nothing.
fn units(app: &App) -> Result<String, String> {
    let accounts = app.config.accounts.iter().filter_map(|a| a.ou.as_ref());
    let known: Vec<&str> = accounts.flat_map(|ou| ou.up_to_root()).collect();
    let of_policies = app.content.policies.entries().flat_map(|entry| {
        let told = move |unit: &String| (unit.clone(), format!("policy {}", entry.id));
        entry.units.iter().map(told)
    });
    let budgets = app.config.respond.changes_per_ou_hour.keys();
    let of_budgets = budgets.map(|unit| (unit.to_string(), "a budget".to_owned()));
    let strange: Vec<String> = of_policies
        .chain(of_budgets)
        .filter(|(unit, _)| !known.contains(&unit.as_str()))
        .map(|(unit, who)| format!("no account is in «{}», which {who} names", safe(&unit)))
        .collect();
    match strange.is_empty() {
        true => Ok("every unit that is named has an account".to_owned()),
        false => Err(strange.join("; ")),
    }
}

async fn remote(app: &App) -> Vec<Check> {
    let mend = "give credentials as to the aws command line (a profile, AWS_ACCESS_KEY_ID, a role of the instance), or name a key under [aws] in quell.toml; or start `quell range up`";
    let Some(aws) = &app.aws else {
        return vec![check(
            "AWS credentials",
            Err("there are none".to_owned()),
            mend,
        )];
    };
    let home = aws.home_session();
    let identity = home.call("sts", "GetCallerIdentity", &json!({})).await;
    let mut checks = Vec::new();
    match identity {
        Ok(answer) => {
            let arn = answer
                .value
                .get("Arn")
                .and_then(Part::as_str)
                .unwrap_or_default()
                .to_owned();
            checks.push(check("AWS credentials", Ok(arn), ""));
            if let Some(date) = answer.date {
                let off = date.millis_since(app.clock.now()) / 1000;
                let result = if off.abs() <= CLOCK_SKEW_SECONDS_MAX {
                    Ok(format!("{off} s from AWS"))
                } else {
                    Err(format!("{off} s from AWS"))
                };
                checks.push(check("clock", result, "set this machine's clock (NTP)"));
            }
        }
        Err(e) => checks.push(check("AWS credentials", Err(e.to_string()), mend)),
    }
    for url in &app.config.collect.queues {
        let params = json!({"QueueUrl": url, "AttributeNames": ["ApproximateNumberOfMessages"]});
        let answer = home.call("sqs", "GetQueueAttributes", &params).await;
        let found = answer
            .map(|a| a.value.to_json().to_string())
            .map_err(|e| e.to_string());
        checks.push(check(
            &format!("queue {url}"),
            found,
            "allow sqs:GetQueueAttributes, ReceiveMessage, DeleteMessage",
        ));
    }
    for account in &app.config.accounts {
        checks.push(role(app, aws, account).await);
    }
    if let Some(id) = &app.config.organization.management_account {
        checks.push(organization(app, aws, id).await);
    }
    checks
}

/// Whether the account that manages the organisation can be read, and is that one.
async fn organization(app: &App, aws: &quell_aws::Client, id: &str) -> Check {
    let [read, _] = app.config.organization.roles();
    let read = format!("arn:aws:iam::{id}:role/{read}");
    let run = RunId::of(app.clock.now(), "doctor", 0, id, "doctor");
    let answer = async {
        let resource = Resource::security_group("aws", "us-east-1", id, "sg-0");
        let session = aws.read_session(&app.scope(&resource, &read, &run)).await?;
        session
            .call("organizations", "DescribeOrganization", &json!({}))
            .await
    };
    let managing = answer.await.map(|answer| {
        let said = answer.value.to_json();
        let id = said.pointer("/Organization/MasterAccountId");
        id.and_then(|id| id.as_str()).unwrap_or_default().to_owned()
    });
    let found = match managing {
        Ok(own) if own == *id => Ok(format!("{read} can read it")),
        Ok(other) => Err(format!("its organisation is managed by account {other}")),
        Err(error) => Err(error.to_string()),
    };
    check(
        &format!("organisation, managed by account {id}"),
        found,
        "make the role there, and let Quell's account assume it: docs/organization.md",
    )
}

async fn role(app: &App, aws: &quell_aws::Client, account: &crate::config::Account) -> Check {
    let resource = Resource::security_group("aws", &app.config.aws.region, &account.id, "sg-0");
    let run = RunId::of(app.clock.now(), "doctor", 0, &account.id, "doctor");
    let read = App::roles(account, "aws").read;
    let answer = async {
        let session = aws.read_session(&app.scope(&resource, &read, &run)).await?;
        session
            .call("ec2", "DescribeSecurityGroups", &json!({"MaxResults": 5}))
            .await
    };
    let found = answer
        .await
        .map(|_| format!("{read} can read"))
        .map_err(|e| e.to_string());
    check(
        &format!("account {} ({})", account.id, account.name),
        found,
        "make the role, and let Quell's account assume it",
    )
}
