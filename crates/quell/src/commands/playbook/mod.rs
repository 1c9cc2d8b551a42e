//! `quell playbook`.

mod promotion;
mod stats;

use clap::Subcommand;
use quell_guard::proof::Proof;
use quell_model::{Arn, Plan, Resource};
use quell_respond::Playbook;
use quell_states::Status;
use serde_json::{Value, json};

use super::when::past;
use super::{Failure, Global};
use crate::app::App;
use crate::loops::{Dry, dry_run};
use crate::output::{safe, table};

/// Playbooks: what there is, and what one would do (a dry run)
#[derive(Subcommand)]
pub enum PlaybookCommand {
    /// The playbooks there are
    List,
    /// What one is, how far it goes here, and what it has to show before it acts by itself
    Show {
        /// The playbook's id (PB-008)
        playbook: String,
    },
    /// What the responses came to, by playbook and by category, from what was recorded
    Stats {
        /// Since when: a moment (2026-12-24T18:00:00Z) or so long ago
        #[arg(long, value_name = "WHEN", default_value = "30d")]
        since: String,
    },
    /// Let a playbook act by itself as far as its level allows, once it has shown a clean backtest and clean runs
    Promote {
        /// The playbook's id (PB-008)
        playbook: String,
        /// Why
        #[arg(long)]
        reason: String,
    },
    /// Have a person asked again before a playbook acts
    Demote {
        /// The playbook's id (PB-008)
        playbook: String,
    },
    /// What a playbook would do to a resource now: the calls, the state afterwards, the way back. Changes nothing
    Plan {
        /// The playbook's id (PB-008)
        playbook: String,
        /// The resource's ARN (arn:aws:ec2:REGION:ACCOUNT:security-group/sg-…, arn:aws:s3:::BUCKET)
        #[arg(long)]
        resource: Arn,
        /// Its account, where the ARN does not say (a bucket)
        #[arg(long, default_value = "", hide_default_value = true)]
        account: String,
        /// Its Region, where the ARN does not say (a bucket)
        #[arg(long, default_value = "", hide_default_value = true)]
        region: String,
    },
}

impl PlaybookCommand {
    pub(super) async fn run(self, global: &Global) -> Result<(), Failure> {
        let app = global.app().await?;
        match self {
            Self::List => {
                let list: Vec<Value> = app
                    .content
                    .playbooks
                    .values()
                    .map(|p| summary(p, &app.content.detections_of(&p.id)))
                    .collect();
                global.output.print(&list, |list| {
                    let text = |v: &Value, n: &str| {
                        v.get(n)
                            .and_then(Value::as_str)
                            .unwrap_or_default()
                            .to_owned()
                    };
                    let rows = list.iter().map(|p| {
                        let types = p.get("resourceTypes").and_then(Value::as_array);
                        let types = types.into_iter().flatten().filter_map(Value::as_str);
                        let types = types.collect::<Vec<_>>().join(", ");
                        let mut row = ["id", "version", "name"].map(|n| text(p, n)).to_vec();
                        row.extend([types, text(p, "summary")]);
                        row
                    });
                    table(
                        &["playbook", "version", "name", "for", "what it does"],
                        rows,
                    )
                });
            }
            Self::Show { playbook } => {
                promotion::show(global, &app, app.playbook(&playbook)?).await?;
            }
            Self::Stats { since } => {
                let since = past(&since, app.clock.now()).map_err(Failure::Usage)?;
                stats::run(global, &app, since).await?;
            }
            Self::Promote { playbook, reason } => {
                let playbook = app.playbook(&playbook)?;
                promotion::promote(global, &app, playbook, reason).await?;
            }
            Self::Demote { playbook } => {
                promotion::demote(&app, app.playbook(&playbook)?).await?;
            }
            Self::Plan {
                playbook,
                resource,
                account,
                region,
            } => {
                let playbook = app.playbook(&playbook)?;
                let resource = resource_of(resource, playbook)?;
                let resource = in_scope(&app, resource, (&account, &region))?;
                let dry = dry_run(&app, playbook, resource)
                    .await
                    .map_err(Failure::Remote)?;
                return print(global, &dry);
            }
        }
        Ok(())
    }
}

fn summary(p: &Playbook, detections: &[&str]) -> Value {
    json!({
        "id": p.id, "version": p.version, "name": p.name, "summary": p.summary, "resourceTypes": p.resource_types,
        "category": p.category, "attack": p.attack, "detections": detections,
        "responseTargetSeconds": p.response_target_seconds, "levelProduction": p.level.production,
        "levelNonProduction": p.level.non_production, "iam": {"read": p.iam.read, "act": p.iam.act},
        "steps": p.steps.iter().map(|s| json!({"document": s.document, "state": s.state, "class": s.class})).collect::<Vec<_>>(),
    })
}

/// The resource, told where it is, when its account is looked after.
pub(super) fn in_scope(
    app: &App,
    resource: Resource,
    (account, region): (&str, &str),
) -> Result<Resource, Failure> {
    let resource = resource.told_to_be_in(account, region);
    if resource.account.is_empty() || resource.region.is_empty() {
        let text = format!(
            "{} does not say where it is: give --account and --region",
            resource.arn
        );
        return Err(Failure::Denied(text));
    }
    if app.account(&resource.account).is_none() {
        let text = format!(
            "account {} is not in scope: list it under [[accounts]] in quell.toml",
            resource.account
        );
        return Err(Failure::Denied(text));
    }
    Ok(resource)
}

/// The resource that an ARN names, when it is of a type that the playbook is for.
pub(super) fn resource_of(arn: Arn, playbook: &Playbook) -> Result<Resource, Failure> {
    let no = || {
        Failure::Denied(format!(
            "{arn} is not of a type that {} is for: {}",
            playbook.id,
            playbook.resource_types.join(", ")
        ))
    };
    let resource = Resource::of_arn(&arn).ok_or_else(no)?;
    match playbook.is_for(&resource.kind) {
        true => Ok(resource),
        false => Err(no()),
    }
}

fn print(global: &Global, dry: &Dry) -> Result<(), Failure> {
    match dry {
        Dry::Planned {
            plan,
            decision,
            reasons,
            proof,
        } => {
            let value = json!({"plan": plan, "planHash": plan.hash(), "decision": decision, "reasons": reasons, "proof": proof, "changed": false});
            global.output.print(&value, |_| {
                let why = if reasons.is_empty() {
                    String::new()
                } else {
                    format!(" ({})", reasons.join("; "))
                };
                format!(
                    "{}\n{}\nthe guard would say: {decision}{}\nnothing was changed",
                    plan_table(plan),
                    proof_text(proof.as_ref()),
                    safe(&why)
                )
            });
            Ok(())
        }
        Dry::Ended {
            status: Status::Succeeded { output },
            ..
        } => {
            let value = json!({"plan": null, "output": output, "changed": false});
            global.output.print(&value, |_| {
                format!(
                    "nothing to do: {}\nnothing was changed",
                    safe(&output.to_string())
                )
            });
            Ok(())
        }
        Dry::Ended { status, .. } => Err(Failure::Check(format!(
            "the dry run failed, and changed nothing: {status:?}"
        ))),
    }
}

/// A plan for people.
pub(super) fn plan_table(plan: &Plan) -> String {
    let rows = plan.calls.iter().map(|c| {
        vec![
            c.resource
                .rsplit("aws-sdk:")
                .next()
                .unwrap_or_default()
                .to_owned(),
            format!("{:?}", c.class),
            c.arguments.to_string(),
            format!("{} call(s)", c.undo.len()),
        ]
    });
    format!(
        "{}\n{}",
        safe(&plan.summary),
        table(&["call", "class", "with", "undo"], rows)
    )
}

/// What was shown of a plan, a line each, and then what a person has to decide about.
pub(super) fn proof_text(proof: Option<&Proof>) -> String {
    let Some(proof) = proof else {
        return String::new();
    };
    let lines = |heading: &str, all: &[String]| match all.is_empty() {
        true => String::new(),
        false => {
            let all = all.iter().map(|text| format!("\n  * {}", safe(text)));
            format!("\n{heading}:{}\n", all.collect::<String>())
        }
    };
    lines("proven of it", &proof.shown) + &lines("for a person to weigh", &proof.concerns)
}
