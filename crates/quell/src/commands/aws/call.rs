//! A call that reads, its pages, or a wait for a state.

use std::sync::Arc;
use std::time::Duration;

use quell_aws::model::Service;
use quell_aws::{Client, PageLimits, ReadSession, RoleToAssume, Scope, WaitLimits, registry};
use quell_store::SystemClock;
use serde_json::Value;

use super::{Aws, names, shown};
use crate::app;
use crate::commands::{Failure, Global};
use crate::config::Config;
use crate::output::{note, spinner};

/// Makes the call and prints its answer.
pub(super) async fn run(
    args: &Aws,
    service: &'static str,
    operation: &'static str,
    params: &Value,
    global: &Global,
) -> Result<(), Failure> {
    let settings = global.settings()?;
    let Some(client) = app::client(&settings, Arc::new(SystemClock))? else {
        let text = "there are no AWS credentials: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or [aws] in \
                    quell.toml (quell doctor looks at them)";
        return Err(Failure::Setup(text.to_owned()));
    };
    let what = format!("{service} {operation}");
    let answered = patiently(&what, async {
        let scope = scope(args, &settings, &client).await?;
        let session = client.read_session(&scope).await?;
        match &args.wait {
            Some(waiter) => wait(&session, service, operation, waiter, params).await,
            None if args.all => all(args, &session, service, operation, params).await,
            None => once(&session, service, operation, params).await,
        }
    });
    let mut answer = answered.await?;
    if !args.show_sensitive {
        quell_aws::hide_sensitive(service, operation, &mut answer)?;
    }
    global.output.print(&answer, shown::answer);
    Ok(())
}

/// Where the call is made, and as whom: only Quell's own account, and those that the settings list.
async fn scope(args: &Aws, settings: &Config, client: &Client) -> Result<Scope, Failure> {
    let region = args.region.as_ref().unwrap_or(&settings.aws.region);
    let Some(id) = &args.account else {
        return Ok(Scope {
            account: client.home_account().await?,
            region: region.clone(),
            role: None,
        });
    };
    let Some(account) = settings.accounts.iter().find(|account| account.id == *id) else {
        let text =
            format!("account {id} is not in scope: list it under [[accounts]] in quell.toml");
        return Err(Failure::Denied(text));
    };
    let role = args.role.as_ref().unwrap_or(&account.read_role);
    let arn = format!("arn:{}:iam::{id}:role/{role}", partition(region));
    let mut role = RoleToAssume::new(arn, "quell-aws");
    role.external_id.clone_from(&settings.aws.external_id);
    Ok(Scope {
        account: id.clone(),
        region: region.clone(),
        role: Some(role),
    })
}

/// The partition of a Region, as roles' ARNs name it.
fn partition(region: &str) -> &'static str {
    match region {
        region if region.starts_with("cn-") => "aws-cn",
        region if region.starts_with("us-gov-") => "aws-us-gov",
        _ => "aws",
    }
}

async fn once(
    session: &ReadSession,
    service: &'static str,
    operation: &'static str,
    params: &Value,
) -> Result<Value, Failure> {
    let answer = session.call(service, operation, params).await?.value;
    let answer = answer.to_json();
    let paginator = registry::service(service)?.paginators.get(operation);
    let tokens = paginator.into_iter().flat_map(|p| &p.output_token);
    if tokens
        .into_iter()
        .any(|token| answer.get(token).is_some_and(|t| !t.is_null() && t != ""))
    {
        note("there are more pages: --all reads them");
    }
    Ok(answer)
}

async fn all(
    args: &Aws,
    session: &ReadSession,
    service: &'static str,
    operation: &'static str,
    params: &Value,
) -> Result<Value, Failure> {
    let limits = PageLimits {
        items_max: args.max_items,
        ..PageLimits::default()
    };
    let all = session
        .pages(service, operation, params, &limits)?
        .all()
        .await?;
    if all.has_more {
        note("there is more than --max-items lets through");
    }
    Ok(all.value)
}

async fn wait(
    session: &ReadSession,
    service: &'static str,
    operation: &'static str,
    waiter: &str,
    params: &Value,
) -> Result<Value, Failure> {
    let model: &'static Service = registry::service(service)?;
    let known = model.waiters.keys().map(String::as_str);
    let name = names::find(waiter, known).unwrap_or(waiter);
    if let Some(found) = model.waiters.get(name).filter(|w| w.operation != operation) {
        return Err(Failure::Usage(format!(
            "{name} is waited for with {service} {}, not with {operation}",
            found.operation
        )));
    }
    let waited = session
        .wait(service, name, params, &WaitLimits::default())
        .await?;
    note(&format!("{name} after {} call(s)", waited.attempts));
    Ok(waited.answer.map_or(Value::Null, |answer| answer.to_json()))
}

/// People are told that something goes on when it takes longer than this.
const PATIENCE: Duration = Duration::from_secs(2);

/// Does it, with a sign of life when it takes long.
async fn patiently<T>(what: &str, doing: impl Future<Output = T>) -> T {
    let mut doing = std::pin::pin!(doing);
    if let Ok(done) = tokio::time::timeout(PATIENCE, doing.as_mut()).await {
        return done;
    }
    let bar = spinner(what);
    let done = doing.await;
    bar.finish_and_clear();
    done
}
