//! `quell range`.

use clap::Subcommand;
use serde_json::{Value, json};

use super::{Failure, Global};
use crate::loops::Tasks;
use crate::output::{note, table};
use crate::range_host::{self, Info, RangeError};

/// The test range: an AWS stand-in that records what is done to it
#[derive(Subcommand)]
pub enum Range {
    /// Start it, and keep it up until interrupted
    ///
    /// `quell serve` with the same --data collects from it and acts in it. Any AWS client works against it with
    /// --endpoint-url. Python 3.11 is wanted; everything else is installed into a cache folder.
    Up {
        /// The port (0: a free one)
        #[arg(long, default_value_t = 0)]
        port: u16,
        /// More for the range itself, after --: see range/README.md
        #[arg(last = true)]
        more: Vec<String>,
    },
    /// The range that is up with this --data: its endpoint, accounts and keys
    Info,
    /// Do to the range that is up what a playbook answers, with real clients: `quell serve` has something to find
    Attack {
        /// The playbook (PB-008); `list` says which attacks there are
        playbook: String,
        /// The account that is attacked (the production account)
        #[arg(long, value_name = "ACCOUNT")]
        account: Option<String>,
    },
}

impl From<RangeError> for Failure {
    fn from(e: RangeError) -> Self {
        match e {
            RangeError::Data(e) => e.into(),
            RangeError::None(_) => Self::Denied(e.to_string()),
            other => Self::Remote(other.to_string()),
        }
    }
}

impl Range {
    pub(super) async fn run(self, global: &Global) -> Result<(), Failure> {
        let settings = global.settings()?;
        match self {
            Self::Up { port, more } => {
                let tasks = Tasks::default();
                let mut range = range_host::up(&settings.data, port, &more).await?;
                global.output.print(&range.info, how_to);
                tokio::select! {
                    () = range.ended() => return Err(Failure::Remote("the range ended by itself; its log is in the data folder, range/range.log".to_owned())),
                    stopped = super::serve::wait_for_signal(&tasks) => stopped?,
                }
                note("the range is going down");
                range.down().await;
                Ok(())
            }
            Self::Attack { playbook, account } => {
                let told =
                    range_host::attack(&settings.data, &playbook, account.as_deref()).await?;
                global.output.print(&told, attacked);
                Ok(())
            }
            Self::Info => {
                let path = settings.data.join("range/info.json");
                let text = std::fs::read_to_string(&path).map_err(|_| RangeError::None(path))?;
                let info: Info =
                    serde_json::from_str(&text).map_err(|e| Failure::Setup(e.to_string()))?;
                global.output.print(&json!(info), |_| how_to(&info));
                Ok(())
            }
        }
    }
}

/// For people: what was attacked, or which attacks there are.
fn attacked(told: &Value) -> String {
    let text = |name: &str| told.get(name).and_then(Value::as_str).unwrap_or_default();
    match told.get("playbook") {
        Some(_) => format!(
            "{} {} in {}\n{}\n\nsee what becomes of it:   quell incident list",
            text("playbook"),
            text("resource"),
            text("account"),
            text("what")
        ),
        None => {
            let all = told.as_object().into_iter().flatten();
            let rows = all.map(|(name, what)| {
                vec![name.clone(), what.as_str().unwrap_or_default().to_owned()]
            });
            table(&["attack", "what happens"], rows)
        }
    }
}

fn how_to(info: &Info) -> String {
    let rows = info.accounts.iter().map(|a| {
        let key = a.developer.as_ref();
        vec![
            a.id.clone(),
            a.name.clone(),
            a.environment.clone(),
            key.map(|k| k.access_key_id.clone()).unwrap_or_default(),
            key.map(|k| k.secret_access_key.clone()).unwrap_or_default(),
        ]
    });
    format!(
        "the range is up at {}\n\n{}\n\ntry it:\n  export AWS_ENDPOINT_URL={} AWS_DEFAULT_REGION={} AWS_ACCESS_KEY_ID=… AWS_SECRET_ACCESS_KEY=…\n  aws ec2 describe-security-groups",
        info.endpoint,
        table(
            &[
                "account",
                "name",
                "environment",
                "developer's key",
                "secret"
            ],
            rows
        ),
        info.endpoint,
        info.quell.region
    )
}
