//! `quell demo`: the main job, once, on a real AWS API stand-in, with the real `aws` command line as the culprit.

use std::path::Path;
use std::sync::Arc;

use clap::Args;
use quell_model::{Incident, IncidentStatus, Timestamp};
use quell_respond::Run;
use quell_store::Kind;
use serde_json::{Value, json};
use tokio::process::Command;

use super::serve::wait_for_signal;
use super::{Failure, Global, incident};
use crate::app::App;
use crate::config::load;
use crate::loops::{self, Tasks};
use crate::output::{line, note, table};
use crate::range_host::{self, Info, Key, Running};

/// Do the whole job once, on a test range that this starts: open, detect, fix, verify
///
/// A security group is opened to the world with the real `aws` command line, and is detected, planned, permitted,
/// fixed and verified while you watch. Then the server stays up.
#[derive(Args)]
pub struct Demo {
    /// End when it is done, instead of leaving the server up
    #[arg(long)]
    once: bool,
    /// Address and port for the server
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8480")]
    listen: String,
}

const RESOLVED_SECONDS_MAX: u64 = 30;
const REGION: &str = "us-east-1";

impl Demo {
    pub(super) async fn run(self, global: &Global) -> Result<(), Failure> {
        let data = global.settings()?.data.join("demo");
        begin_with_nothing(&data)?;
        note("1. starting a test range: an AWS API stand-in (moto) that records CloudTrail");
        let range = range_host::up(&data, 0, &[]).await?;
        note(&format!(
            "   {} with {} accounts",
            range.info.endpoint,
            range.info.accounts.len()
        ));
        let mut settings = load(global.config.as_deref(), Some(&data))?;
        settings.server.listen.clone_from(&self.listen);
        let app = App::open(settings).await?;
        let tasks = Tasks::new(app.stop.clone());
        let listener = loops::bind(&app).await.map_err(|e| {
            Failure::Setup(format!(
                "{} cannot be listened on: {e} (--listen gives another; port 0 a free one)",
                self.listen
            ))
        })?;
        let address = listener
            .local_addr()
            .map_err(|e| Failure::Remote(e.to_string()))?;
        loops::start(&app, &tasks)
            .await
            .map_err(|e| Failure::Remote(e.to_string()))?;
        loops::start_server(&app, &tasks, listener);
        let done = story(global, &app, &range).await;
        if done.is_ok() && !self.once {
            note(&format!(
                "\nthe server stays up at http://{address} and the range at {} (Ctrl-C ends both)",
                range.info.endpoint
            ));
            wait_for_signal(&tasks).await?;
        }
        tasks.stop().await;
        app.claims.leave().await;
        range.down().await;
        done
    }
}

/// Empties the folder of an earlier demonstration, and no other: it must be empty or hold a state of Quell's.
fn begin_with_nothing(data: &Path) -> Result<(), Failure> {
    let fail = |e: std::io::Error| Failure::Setup(format!("{}: {e}", data.display()));
    let is_empty = match std::fs::read_dir(data) {
        Ok(mut entries) => entries.next().is_none(),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        Err(e) => return Err(fail(e)),
    };
    let is_ours = data.join(crate::place::STATE_FILE).exists() || data.join("range").exists();
    if !is_empty && !is_ours {
        let text = format!(
            "{} is not the folder of a demonstration, so it is not emptied: --data gives another",
            data.display()
        );
        return Err(Failure::Setup(text));
    }
    std::fs::remove_dir_all(data).map_err(fail)
}

async fn story(global: &Global, app: &Arc<App>, range: &Running) -> Result<(), Failure> {
    let stage = Stage::new(&range.info).await?;
    let group = stage.seed().await?;
    let before = stage.rules(&group).await?;
    note(&format!(
        "2. a security group with {} legitimate ingress rules: {group}",
        before.len()
    ));
    note("3. a developer opens it to the world:");
    let exposure = exposure(&group);
    note(&format!("   aws {}", exposure.join(" ")));
    let opened = stage.aws(&exposure).await?;
    let opened = opened
        .get("SecurityGroupRules")
        .and_then(Value::as_array)
        .cloned()
        .unwrap_or_default();
    let exposed = [before, opened].concat();
    note("4. quell at work …");
    let (incident, runs) = resolved(app, &group).await?;
    let after = stage.rules(&group).await?;
    print(
        global,
        app,
        &Told {
            incident,
            runs,
            exposed,
            after,
            group,
            opened: stage.opened().await,
        },
    )
}

/// SSH and remote desktop, to everybody, over IPv4 and IPv6.
fn exposure(group: &str) -> Vec<String> {
    let text = format!(
        "ec2 authorize-security-group-ingress --group-id {group} --ip-permissions \
         IpProtocol=tcp,FromPort=22,ToPort=22,IpRanges=[{{CidrIp=0.0.0.0/0}}] \
         IpProtocol=tcp,FromPort=3389,ToPort=3389,Ipv6Ranges=[{{CidrIpv6=::/0}}]"
    );
    text.split(' ')
        .filter(|w| !w.is_empty())
        .map(str::to_owned)
        .collect()
}

/// The range as the developer of its production account sees it.
struct Stage {
    python: std::path::PathBuf,
    endpoint: String,
    account: String,
    key: Key,
}

impl Stage {
    async fn new(info: &Info) -> Result<Self, Failure> {
        let found = info.accounts.iter().find(|a| a.environment == "production");
        let (account, key) = found
            .and_then(|a| Some((a.id.clone(), a.developer.clone()?)))
            .ok_or_else(|| Failure::Remote("the range has no production account".to_owned()))?;
        Ok(Self {
            python: range_host::python().await?,
            endpoint: info.endpoint.clone(),
            account,
            key,
        })
    }

    /// The real `aws` command line.
    async fn aws(&self, arguments: &[String]) -> Result<Value, Failure> {
        let bin = self.python.parent().unwrap_or(Path::new(".")).join("aws");
        let out = Command::new(&self.python)
            .arg(bin)
            .args(arguments)
            .args(["--output", "json"])
            .env("AWS_ENDPOINT_URL", &self.endpoint)
            .env("AWS_ACCESS_KEY_ID", &self.key.access_key_id)
            .env("AWS_SECRET_ACCESS_KEY", &self.key.secret_access_key)
            .env("AWS_DEFAULT_REGION", REGION)
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .output()
            .await
            .map_err(|e| Failure::Remote(format!("aws: {e}")))?;
        if !out.status.success() {
            return Err(Failure::Remote(format!(
                "aws: {}",
                String::from_utf8_lossy(&out.stderr)
            )));
        }
        Ok(serde_json::from_slice(&out.stdout).unwrap_or_default())
    }

    async fn rules(&self, group: &str) -> Result<Vec<Value>, Failure> {
        let words = ["ec2", "describe-security-group-rules", "--filters"].map(str::to_owned);
        let answer = self
            .aws(
                &[
                    words.to_vec(),
                    vec![format!("Name=group-id,Values={group}")],
                ]
                .concat(),
            )
            .await?;
        let all = answer
            .get("SecurityGroupRules")
            .and_then(Value::as_array)
            .cloned()
            .unwrap_or_default();
        Ok(all
            .into_iter()
            .filter(|r| r.get("IsEgress") == Some(&Value::Bool(false)))
            .collect())
    }

    /// A group with three legitimate rules.
    async fn seed(&self) -> Result<String, Failure> {
        let body = json!({"account": self.account, "region": REGION, "kind": "security-group"});
        let answer = self.control("POST", "/range-api/seed", Some(body)).await?;
        let id = ["group_id", "id", "GroupId"]
            .iter()
            .find_map(|n| answer.get(n).and_then(Value::as_str));
        id.map(str::to_owned)
            .ok_or_else(|| Failure::Remote(format!("the range seeded nothing: {answer}")))
    }

    /// The range's own control interface, through the Python that is there anyway.
    async fn control(
        &self,
        method: &str,
        path: &str,
        body: Option<Value>,
    ) -> Result<Value, Failure> {
        const FETCH: &str = "import sys,urllib.request as u;b=sys.argv[3].encode() or None;\
            r=u.Request(sys.argv[2],data=b,method=sys.argv[1],headers={'content-type':'application/json'});\
            sys.stdout.write(u.urlopen(r,timeout=20).read().decode())";
        let body = body.map(|b| b.to_string()).unwrap_or_default();
        let url = format!("{}{path}", self.endpoint);
        let out = Command::new(&self.python)
            .args(["-c", FETCH, method, &url, &body])
            .output()
            .await;
        let out = out.map_err(|e| Failure::Remote(format!("the range: {e}")))?;
        if !out.status.success() {
            return Err(Failure::Remote(format!(
                "the range: {}",
                String::from_utf8_lossy(&out.stderr)
            )));
        }
        serde_json::from_slice(&out.stdout).map_err(|e| Failure::Remote(format!("the range: {e}")))
    }

    /// When the range served the first opening call, to the millisecond: CloudTrail itself says only the second.
    async fn opened(&self) -> Option<Timestamp> {
        let journal = self
            .control("GET", "/range-api/journal?changing=true", None)
            .await
            .ok()?;
        let calls = journal.get("calls")?.as_array()?;
        let ours = |c: &&Value| {
            let text = |n: &str| c.get(n).and_then(Value::as_str).unwrap_or_default();
            text("operation") == "AuthorizeSecurityGroupIngress"
                && text("user_agent").contains("aws-cli")
        };
        let time = calls.iter().find(ours)?.get("time")?;
        match time.as_f64() {
            #[expect(
                clippy::cast_possible_truncation,
                reason = "milliseconds since the epoch fit"
            )]
            Some(seconds) => Some(Timestamp::from_millis((seconds * 1000.0) as i64)),
            None => time.as_str()?.parse().ok(),
        }
    }
}

/// Waits until the group's incident is resolved and nothing is under way.
async fn resolved(app: &App, group: &str) -> Result<(Incident, Vec<Run>), Failure> {
    for _ in 0..RESOLVED_SECONDS_MAX * 20 {
        let all: Vec<Incident> = app.newest(Kind::Incident, None, 100).await?;
        let ours: Vec<&Incident> = all.iter().filter(|i| i.resource.id == group).collect();
        let quiet = ours
            .iter()
            .all(|i| matches!(i.status, IncidentStatus::Resolved | IncidentStatus::Parked));
        let findings: u64 = ours.iter().map(|i| i.finding_count).sum();
        if let (true, Some(first)) = (quiet && findings > 0, ours.last()) {
            return incident::read(app, &first.id).await;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    Err(Failure::Remote(format!(
        "the exposure was not resolved in {RESOLVED_SECONDS_MAX} s; QUELL_LOG=debug says more"
    )))
}

struct Told {
    incident: Incident,
    runs: Vec<Run>,
    exposed: Vec<Value>,
    after: Vec<Value>,
    group: String,
    opened: Option<Timestamp>,
}

fn print(global: &Global, app: &App, told: &Told) -> Result<(), Failure> {
    let Told {
        incident,
        runs,
        exposed,
        after,
        group,
        opened,
    } = told;
    let opened = opened.unwrap_or(incident.first_event_at);
    let run = runs
        .iter()
        .find(|r| r.outcome.as_deref() == Some("fixed"))
        .or(runs.last());
    let mut timeline = incident::timeline(incident, run);
    if let Some(first) = timeline.first_mut() {
        first.1 = opened;
    }
    let verified = timeline
        .iter()
        .find(|(w, _)| *w == "verified")
        .map(|(_, at)| *at);
    let detect = incident.detected_at.millis_since(opened);
    let respond = verified.map(|v| v.millis_since(incident.detected_at));
    let value = json!({
        "incident": incident.id, "run": run.map(|r| &r.id), "group": group, "status": incident.status,
        "timeline": timeline.iter().map(|(w, at)| json!({"stage": w, "at": at, "millis": at.millis_since(opened)})).collect::<Vec<_>>(),
        "mttdMillis": detect, "mttrMillis": respond, "rulesExposed": exposed, "rulesAfter": after,
    });
    global.output.print(&value, |_| {
        let data = app.config.data.display();
        // As it was called here: it need not be on the PATH.
        let quell = std::env::args().next().unwrap_or_else(|| "quell".to_owned());
        let run = run.map(|r| r.id.to_string()).unwrap_or_default();
        format!(
            "\n{} {}\n\n{}\n\nMTTD {detect} ms   MTTR {} ms\n\ningress rules of {group}:\n{}\n\nto take it back:   {quell} undo {run} --data {data}\nto look closer:    {quell} incident show {} --data {data}",
            incident.id,
            incident.status.as_str(),
            incident::timeline_table(&timeline),
            respond.map_or_else(|| "?".to_owned(), |m| m.to_string()),
            rules_table(exposed, after),
            incident.id,
        )
    });
    check(incident, exposed, after)
}

fn rules_table(exposed: &[Value], after: &[Value]) -> String {
    let rows = exposed.iter().map(|r| {
        let text = |n: &str| {
            r.get(n)
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        let port = |n: &str| r.get(n).and_then(Value::as_i64).unwrap_or(-1);
        let group = r
            .pointer("/ReferencedGroupInfo/GroupId")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let kept = after.contains(r);
        vec![
            if kept { "kept" } else { "revoked" }.to_owned(),
            text("SecurityGroupRuleId"),
            text("IpProtocol"),
            format!("{}–{}", port("FromPort"), port("ToPort")),
            format!(
                "{}{}{}{group}",
                text("CidrIpv4"),
                text("CidrIpv6"),
                text("PrefixListId")
            ),
            text("Description"),
        ]
    });
    table(
        &["", "rule", "protocol", "ports", "source", "description"],
        rows,
    )
}

/// The demonstration's own claim, checked against what the API says.
fn check(incident: &Incident, exposed: &[Value], after: &[Value]) -> Result<(), Failure> {
    let gone = exposed.iter().filter(|r| !after.contains(r)).count();
    if incident.status != IncidentStatus::Resolved || gone != 2 || after.len() != 3 {
        let reason = incident.status_reason.clone().unwrap_or_default();
        return Err(Failure::Check(format!(
            "the demonstration did not end as it should: {gone} rules gone, {} left, {reason}",
            after.len()
        )));
    }
    line("");
    note("the exposed rules are gone, the three legitimate ones are as they were");
    Ok(())
}
