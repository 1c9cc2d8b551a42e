//! `quell image`.

use std::sync::Arc;

use clap::{Args, Subcommand};
use quell_model::{Arn, Resource, Timestamp};
use quell_respond::Playbook;
use serde_json::{Value, json};

use super::playbook::{in_scope, resource_of};
use super::undo::person;
use super::when::moment;
use super::{Failure, Global};
use crate::app::App;
use crate::loops::read_image;
use crate::orders::images::{self, ApprovedImage};
use crate::output::{note, safe, table};

/// Approved images: what a resource is to be like, as a person says it, for playbooks that ask
///
/// A playbook that looks at drift takes back what goes beyond the approved image, and leaves what is in it. docs/images.md says what
/// one means.
#[derive(Subcommand)]
pub enum ImageCommand {
    /// Read a resource as it is now, as a playbook reads it. Stores nothing
    Read(Target),
    Approve(Approve),
    /// What is approved, the first to expire first
    List,
    /// What is approved of a resource
    Show(Named),
    /// Remove an approved image: the playbook acts as without one
    Remove(Named),
}

/// Whose image.
#[derive(Args)]
pub struct Named {
    /// The resource's ARN
    resource: Arn,
    /// The playbook that reads it (PB-004)
    #[arg(long)]
    playbook: String,
}

/// Whose image, and where it is.
#[derive(Args)]
pub struct Target {
    #[command(flatten)]
    named: Named,
    /// Its account, where the ARN does not say (a bucket)
    #[arg(long, default_value = "", hide_default_value = true)]
    account: String,
    /// Its Region, where the ARN does not say (a bucket)
    #[arg(long, default_value = "", hide_default_value = true)]
    region: String,
}

/// Read a resource as it is now, show it, and store it as approved by you, in place of the one before
#[derive(Args)]
pub struct Approve {
    #[command(flatten)]
    target: Target,
    /// Why it is right as it is
    #[arg(long)]
    reason: String,
    /// Until when: a moment (2026-12-24T18:00:00Z) or so long from now (90d), 365 days at most
    #[arg(long, value_name = "WHEN", default_value = "365d")]
    expires: String,
    /// Only when the image is this one, as `quell image read` shows its hash
    #[arg(long, value_name = "HASH")]
    hash: Option<String>,
}

impl ImageCommand {
    pub(super) async fn run(self, global: &Global) -> Result<(), Failure> {
        let app = global.app().await?;
        let now = app.clock.now();
        match self {
            Self::Read(target) => {
                let (playbook, resource) = target.named.find(&app)?;
                let resource = in_scope(&app, resource, (&target.account, &target.region))?;
                let image = read(&app, playbook, &resource).await?;
                let value = json!({"image": image, "hash": images::hash(&image), "stored": false});
                global.output.print(&value, |_| shown(&image));
            }
            Self::Approve(approve) => approve.run(global, &app).await?,
            Self::List => {
                let those = images::list(&*app.state).await?;
                let rows: Vec<_> = those.iter().map(|i| (i, standing(&app, i, now))).collect();
                list(global, &rows);
            }
            Self::Show(named) => {
                let (playbook, resource) = named.find(&app)?;
                let image = images::one(&*app.state, &playbook.id, &resource).await?;
                let standing = standing(&app, &image, now);
                let value = json!({"approved": image, "status": standing});
                global.output.print(&value, |_| {
                    format!(
                        "{} for {} {}: {standing}\napproved by {} at {}, until {}: {}\n\n{}",
                        image.resource.arn,
                        image.playbook,
                        image.playbook_version,
                        safe(&image.approved_by),
                        image.approved_at,
                        image.expires_at,
                        safe(&image.reason),
                        shown(&image.image)
                    )
                });
            }
            Self::Remove(named) => {
                let (playbook, resource) = named.find(&app)?;
                images::remove(&*app.state, &playbook.id, &resource, &person(), now).await?;
                note(&format!(
                    "{} has no approved image for {} any more",
                    resource.arn, playbook.id
                ));
            }
        }
        Ok(())
    }
}

impl Named {
    fn find<'a>(&self, app: &'a App) -> Result<(&'a Playbook, Resource), Failure> {
        let playbook = app.playbook(&self.playbook)?;
        let resource = resource_of(self.resource.clone(), playbook)?;
        if !playbook.uses_approved_image {
            let those = app.content.playbooks.values();
            let those = those.filter(|p| p.uses_approved_image);
            let those: Vec<&str> = those.map(|p| p.id.as_str()).collect();
            return Err(Failure::Denied(format!(
                "{} does not look at approved images; these do: {}",
                playbook.id,
                those.join(", ")
            )));
        }
        Ok((playbook, resource))
    }
}

impl Approve {
    async fn run(self, global: &Global, app: &Arc<App>) -> Result<(), Failure> {
        let now = app.clock.now();
        let expires_at = moment(&self.expires, now).map_err(Failure::Usage)?;
        let (playbook, resource) = self.target.named.find(app)?;
        let place = (self.target.account.as_str(), self.target.region.as_str());
        let resource = in_scope(app, resource, place)?;
        let image = read(app, playbook, &resource).await?;
        let hash = images::hash(&image);
        if self.hash.as_ref().is_some_and(|wanted| *wanted != hash) {
            return Err(Failure::Check(format!(
                "it is not as you saw it: its hash is {hash} now. Nothing is approved"
            )));
        }
        let approved = ApprovedImage {
            playbook: playbook.id.clone(),
            playbook_version: playbook.version.clone(),
            resource,
            image,
            hash,
            approved_by: person(),
            approved_at: now,
            reason: self.reason,
            expires_at,
        };
        images::approve(&*app.state, &approved).await?;
        global.output.print(&approved, |a| {
            format!(
                "{}\n\napproved for {} until {}",
                shown(&a.image),
                a.playbook,
                a.expires_at
            )
        });
        Ok(())
    }
}

async fn read(app: &App, playbook: &Playbook, resource: &Resource) -> Result<Value, Failure> {
    read_image(app, playbook, resource.clone())
        .await
        .map_err(Failure::Remote)
}

/// Whether it counts.
fn standing(app: &App, image: &ApprovedImage, now: Timestamp) -> &'static str {
    let playbook = app.content.playbooks.get(&image.playbook);
    match playbook {
        _ if now >= image.expires_at => "expired",
        Some(playbook) if image.counts(&playbook.version, now) => "in force",
        _ => "read by another version: approve it again",
    }
}

fn list(global: &Global, those: &[(&ApprovedImage, &'static str)]) {
    let value: Vec<_> = those
        .iter()
        .map(|(image, standing)| json!({"approved": image, "status": standing}))
        .collect();
    global.output.print(&value, |_| {
        let rows = those.iter().map(|(image, standing)| {
            vec![
                image.resource.arn.to_string(),
                image.playbook.clone(),
                image.expires_at.to_string(),
                (*standing).to_owned(),
                image.approved_by.clone(),
                image.reason.clone(),
            ]
        });
        let head = ["resource", "playbook", "until", "status", "by", "reason"];
        table(&head, rows)
    });
}

/// An image for people: what attackers may have written in it is made harmless.
fn shown(image: &Value) -> String {
    let attributes = image.get("attributes").and_then(Value::as_object);
    let rows = attributes
        .into_iter()
        .flatten()
        .map(|(key, value)| vec![key.clone(), value.to_string()]);
    format!(
        "{}\nhash {}",
        table(&["what", "is"], rows),
        images::hash(image)
    )
}
