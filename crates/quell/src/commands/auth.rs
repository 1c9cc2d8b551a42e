//! `quell auth`.

use clap::{Subcommand, ValueEnum};
use quell_evidence::Act;
use quell_server::{AccessKey, Role, new_key};
use quell_store::{Batch, Kind, Query, Write};
use serde_json::json;

use super::undo::person;
use super::{Failure, Global};
use crate::output::table;
use crate::{audit, random, sealing};

/// Access keys for the API
#[derive(Subcommand)]
pub enum Auth {
    /// Keys that sign requests (AWS Signature Version 4)
    #[command(subcommand)]
    Key(KeyCommand),
}

/// Keys.
#[derive(Subcommand)]
pub enum KeyCommand {
    /// Make a key. The secret is shown this once
    Create {
        /// Whose it is
        #[arg(long)]
        owner: String,
        /// What its holder may do
        #[arg(long, value_enum, default_value = "viewer")]
        role: RoleName,
    },
    /// The keys there are, without their secrets
    List,
}

/// The roles, as words.
#[derive(Clone, Copy, ValueEnum)]
pub enum RoleName {
    /// Read
    Viewer,
    /// Read; start, approve and undo runs
    Responder,
    /// Send events of its own sources, and nothing else
    Sender,
    /// Send events that come from AWS, and nothing else
    Forwarder,
}

impl Auth {
    pub(super) async fn run(self, global: &Global) -> Result<(), Failure> {
        let Self::Key(command) = self;
        let app = global.app().await?;
        match command {
            KeyCommand::Create { owner, role } => {
                let role = match role {
                    RoleName::Viewer => Role::Viewer,
                    RoleName::Sender => Role::Sender,
                    RoleName::Responder => Role::Responder,
                    RoleName::Forwarder => Role::Forwarder,
                };
                let random = random::bytes().map_err(|e| Failure::Remote(e.to_string()))?;
                let key = new_key(&random, role, &owner, app.clock.now());
                let document = sealing::document(&app.sealing, key.clone());
                let document = document.map_err(|e| Failure::Setup(e.to_string()))?;
                let details = json!({"role": key.role, "owner": key.owner});
                let by = person();
                let told = audit::entry(key.created_at, Act::KeyIssued, &by, &key.id, details);
                let batch = Batch::new()
                    .with(Write::Insert(document))
                    .with(audit::write(&told)?);
                app.state.commit(batch).await?;
                let value = json!({"accessKeyId": key.id, "secretAccessKey": key.secret, "role": key.role, "owner": key.owner});
                global.output.print(&value, |_| {
                    let listen = &app.config.server.listen;
                    format!(
                        "access key  {}\nsecret      {}   (shown this once)\nrole        {}\n\ntry it:  curl --aws-sigv4 aws:amz:us-east-1:execute-api --user {}:SECRET http://{listen}/api/v1/metrics",
                        key.id, key.secret, key.role.as_str(), key.id
                    )
                });
            }
            KeyCommand::List => {
                let page = app
                    .state
                    .list(&Query::all(Kind::AccessKey).limit(Query::LIMIT_MAX))
                    .await?;
                let keys: Vec<AccessKey> = page.read()?;
                let list: Vec<_> = keys
                    .iter()
                    .map(|k| json!({"accessKeyId": k.id, "role": k.role, "owner": k.owner, "createdAt": k.created_at}))
                    .collect();
                global.output.print(&list, |_| {
                    let rows = keys.iter().map(|k| {
                        vec![
                            k.id.clone(),
                            k.role.as_str().into(),
                            k.owner.clone(),
                            k.created_at.to_string(),
                        ]
                    });
                    table(&["access key", "role", "owner", "created"], rows)
                });
            }
        }
        Ok(())
    }
}
