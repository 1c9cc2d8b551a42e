//! Approved images in the store: what a person says a resource is to be like, as one playbook reads it. docs/images.md says what one
//! means.
//!
//! It fails closed: what cannot be read, has expired, or was read by another version of the playbook counts as nobody's approval.

use quell_evidence::Act;
use quell_model::{Resource, Timestamp, canonical_json, sha256_hex};
use quell_respond::{Mode, Playbook, Run};
use quell_store::{Batch, Document, Kind, State, StoreError, Write};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::{CONFLICTS_MAX, OrderError, all};
use crate::audit;

/// The image of a resource as a person approved it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ApprovedImage {
    /// The playbook that read it, and for which it counts.
    pub playbook: String,
    /// Its version: another one may read more, or otherwise.
    pub playbook_version: String,
    /// What it is the image of.
    pub resource: Resource,
    /// `{"attributes": {…}}`.
    pub image: Value,
    /// SHA-256 of the image.
    pub hash: String,
    /// Who answers for it.
    pub approved_by: String,
    /// When it was read and approved.
    pub approved_at: Timestamp,
    /// Why it is right as it is.
    pub reason: String,
    /// From then on it counts no more.
    pub expires_at: Timestamp,
}

/// Nobody can say after a longer time that a resource is still as it should be.
pub const LASTS_MILLIS_MAX: i64 = 365 * 24 * 3_600_000;
/// A plan carries an image twice, and may have 120,000 characters.
const IMAGE_BYTES_MAX: usize = 60_000;
const REASON_CHARS_MAX: usize = 1000;
const APPROVED: &str = "approved";

/// The hash that an image is known by.
pub fn hash(image: &Value) -> String {
    sha256_hex(canonical_json(image))
}

impl ApprovedImage {
    /// The id of the document: one for each playbook and resource.
    fn id(playbook: &str, resource: &Resource) -> String {
        format!("{playbook}|{}", resource.arn)
    }

    /// Whether it counts now for a playbook of this version.
    pub fn counts(&self, version: &str, now: Timestamp) -> bool {
        now < self.expires_at && self.playbook_version == version
    }

    fn check(&self) -> Result<(), OrderError> {
        let no = |text: String| Err(OrderError::Refused(text));
        let attributes = self.image.get("attributes").and_then(Value::as_object);
        if attributes.is_none_or(serde_json::Map::is_empty) {
            return no("the playbook read nothing of it that could be approved".to_owned());
        }
        let bytes = self.image.to_string().len();
        if bytes > IMAGE_BYTES_MAX {
            return no(format!(
                "the image has {bytes} bytes, and {IMAGE_BYTES_MAX} are the most that a plan can carry"
            ));
        }
        if self.reason.trim().is_empty() || self.reason.chars().count() > REASON_CHARS_MAX {
            return no(format!(
                "an approved image has a reason of 1 to {REASON_CHARS_MAX} characters"
            ));
        }
        let lasts = self.expires_at.millis_since(self.approved_at);
        if !(1..=LASTS_MILLIS_MAX).contains(&lasts) {
            return no("an approved image expires within 365 days, and not before now".to_owned());
        }
        Ok(())
    }

    /// What the audit log is told: the hash, since the image itself may be long.
    fn told(&self, act: Act, by: &str, at: Timestamp) -> quell_evidence::Entry {
        let details = json!({
            "playbook": self.playbook, "version": self.playbook_version, "hash": self.hash, "reason": self.reason,
            "expiresAt": self.expires_at,
        });
        audit::entry(at, act, by, &self.resource.arn.to_string(), details)
    }
}

/// Stores an image that a person approved, in place of the one before.
///
/// # Errors
/// [`OrderError`]: it may not be approved, or not be stored.
pub async fn approve(state: &dyn State, image: &ApprovedImage) -> Result<(), OrderError> {
    image.check()?;
    let id = ApprovedImage::id(&image.playbook, &image.resource);
    let told = image.told(Act::ImageApproved, &image.approved_by, image.approved_at);
    for _ in 0..CONFLICTS_MAX {
        let write = match state.get(Kind::ApprovedImage, &id).await? {
            Some(mut document) => {
                document.at = image.expires_at;
                Write::Update(document.with(APPROVED, image)?)
            }
            None => {
                let (kind, until) = (Kind::ApprovedImage, image.expires_at);
                Write::Insert(Document::new(kind, id.clone(), APPROVED, until, image)?)
            }
        };
        let batch = Batch::new().with(write).with(audit::write(&told)?);
        match state.commit(batch).await {
            Ok(_) => return Ok(()),
            Err(StoreError::Conflict { .. }) => {}
            Err(error) => return Err(error.into()),
        }
    }
    let kind = Kind::ApprovedImage.as_str();
    Err(StoreError::Conflict { kind, id }.into())
}

/// All that are stored, the first to expire first; also those that count no more.
///
/// # Errors
/// [`StoreError`].
pub async fn list(state: &dyn State) -> Result<Vec<ApprovedImage>, StoreError> {
    all(state, Kind::ApprovedImage, None, None).await
}

/// The one of a playbook and a resource, whether it counts or not.
///
/// # Errors
/// [`OrderError`]: there is none, or it cannot be read.
pub async fn one(
    state: &dyn State,
    playbook: &str,
    resource: &Resource,
) -> Result<ApprovedImage, OrderError> {
    let id = ApprovedImage::id(playbook, resource);
    let stored = state.get(Kind::ApprovedImage, &id).await?;
    let none =
        || OrderError::NotFound(format!("image of {} approved for {playbook}", resource.arn));
    Ok(stored.ok_or_else(none)?.read()?)
}

/// Removes one: from then on the playbook acts as without it, runs that are under way too.
///
/// # Errors
/// [`OrderError`]: there is none, or it cannot be removed.
pub async fn remove(
    state: &dyn State,
    playbook: &str,
    resource: &Resource,
    by: &str,
    now: Timestamp,
) -> Result<ApprovedImage, OrderError> {
    let image = one(state, playbook, resource).await?;
    let id = ApprovedImage::id(playbook, resource);
    let batch = Batch::new()
        .with(Write::Delete(Kind::ApprovedImage, id))
        .with(audit::write(&image.told(Act::ImageRemoved, by, now))?);
    state.commit(batch).await?;
    Ok(image)
}

/// The one that counts now for a playbook and a resource. What cannot be read is none.
async fn in_force(
    state: &dyn State,
    (playbook, version): (&str, &str),
    resource: &Resource,
    now: Timestamp,
) -> Option<ApprovedImage> {
    match one(state, playbook, resource).await {
        Ok(image) => Some(image).filter(|image| image.counts(version, now)),
        Err(OrderError::NotFound(_)) => None,
        Err(error) => {
            tracing::error!(%error, playbook, resource = %resource.arn, "an approved image cannot be read: it counts for nothing");
            None
        }
    }
}

/// The run, told of the image that counts when it begins: it goes on with that one, so that its log gives the same again.
pub async fn told(state: &dyn State, mut run: Run, playbook: &Playbook, now: Timestamp) -> Run {
    if playbook.uses_approved_image && run.mode == Mode::Respond {
        let by = (playbook.id.as_str(), playbook.version.as_str());
        let image = in_force(state, by, &run.resource, now).await;
        run.told.baseline = image.map(|image| image.image);
    }
    run
}

/// The image that a run was told of, while it still is the one that counts. That is what the guard goes by.
pub async fn of_run(state: &dyn State, run: &Run, now: Timestamp) -> Option<Value> {
    let told = run.told.baseline.as_ref()?;
    let by = (run.playbook.as_str(), run.playbook_version.as_str());
    let image = in_force(state, by, &run.resource, now).await?.image;
    (image == *told).then_some(image)
}

#[cfg(test)]
mod tests {
    use super::*;
    use quell_store::Query;
    use quell_store::sqlite::SqliteState;

    fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    fn image(attributes: &Value) -> ApprovedImage {
        let arn = "arn:aws:iam::444455556666:user/eve".parse().unwrap();
        let image = json!({ "attributes": attributes });
        ApprovedImage {
            playbook: "PB-004".into(),
            playbook_version: "1.0.0".into(),
            resource: Resource::new(arn, "AWS::IAM::User", "eve"),
            hash: hash(&image),
            image,
            approved_by: "ann".into(),
            approved_at: at(0),
            reason: "she is the administrator".into(),
            expires_at: at(20),
        }
    }

    async fn state(folder: &tempfile::TempDir) -> SqliteState {
        SqliteState::open(&folder.path().join("q.db"))
            .await
            .unwrap()
    }

    #[tokio::test]
    async fn the_last_one_counts_until_its_moment_for_the_version_that_read_it_and_each_act_is_told()
     {
        let folder = tempfile::tempdir().unwrap();
        let state = state(&folder).await;
        let (first, second) = (image(&json!({"a": 1})), image(&json!({"a": 2})));
        approve(&state, &first).await.unwrap();
        approve(&state, &second).await.unwrap();
        let counts = async |version, now| {
            let by = ("PB-004", version);
            in_force(&state, by, &first.resource, at(now)).await
        };
        assert_eq!(counts("1.0.0", 19).await, Some(second.clone()));
        assert_eq!(counts("1.0.0", 20).await, None);
        assert_eq!(counts("1.0.1", 19).await, None);
        assert_eq!(list(&state).await.unwrap(), std::slice::from_ref(&second));
        remove(&state, "PB-004", &first.resource, "bob", at(5))
            .await
            .unwrap();
        assert_eq!(counts("1.0.0", 6).await, None);
        let again = remove(&state, "PB-004", &first.resource, "bob", at(5)).await;
        assert!(matches!(again, Err(OrderError::NotFound(_))));
        let told = state.list(&Query::all(Kind::AuditEntry)).await.unwrap();
        let acts = told.documents.iter().map(|d| &d.body);
        let count = |act: &str| acts.clone().filter(|body| body.contains(act)).count();
        assert_eq!((count("image-approved"), count("image-removed")), (2, 1));
    }

    #[tokio::test]
    async fn what_says_nothing_or_too_much_or_lasts_too_long_is_not_approved() {
        let folder = tempfile::tempdir().unwrap();
        let state = state(&folder).await;
        let long = "x".repeat(IMAGE_BYTES_MAX);
        let mut bad = vec![image(&json!({})), image(&json!({ "a": long }))];
        bad.push(ApprovedImage {
            reason: " ".into(),
            ..image(&json!({"a": 1}))
        });
        for lasts in [0, LASTS_MILLIS_MAX + 1] {
            bad.push(ApprovedImage {
                expires_at: at(lasts),
                ..image(&json!({"a": 1}))
            });
        }
        for image in &bad {
            let no = approve(&state, image).await;
            assert!(matches!(no, Err(OrderError::Refused(_))), "{no:?}");
        }
        assert_eq!(list(&state).await.unwrap(), []);
    }

    /// The trap: what nobody can read is taken for nobody's objection. Here it is nobody's approval.
    #[tokio::test]
    async fn what_cannot_be_read_was_approved_by_nobody() {
        let folder = tempfile::tempdir().unwrap();
        let state = state(&folder).await;
        let image = image(&json!({"a": 1}));
        let id = ApprovedImage::id(&image.playbook, &image.resource);
        let broken = Document::new(Kind::ApprovedImage, id, APPROVED, at(20), &5).unwrap();
        let batch = Batch::new().with(Write::Insert(broken));
        state.commit(batch).await.unwrap();
        let by = ("PB-004", "1.0.0");
        assert_eq!(in_force(&state, by, &image.resource, at(1)).await, None);
    }
}
