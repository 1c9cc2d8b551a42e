//! An SQS queue: EventBridge events, or S3 notifications about CloudTrail files.

use async_trait::async_trait;
use quell_aws::{AwsError, HomeSession, Part};
use quell_model::{ErrorKind, Origin, Timestamp};
use quell_normalize::{DELIVERY_BYTES_MAX, split};
use quell_store::Clock;
use serde_json::json;

use crate::message::{Message, understand, unwrap_sns};
use crate::{CollectError, Delivery, Quarantined, Source, record};

/// SQS gives at most ten messages a call, and waits at most twenty seconds for the first.
const MESSAGES_MAX: u32 = 10;
/// A compressed CloudTrail file is rarely over 5 MB.
const OBJECT_BYTES_MAX: usize = 64 * 1024 * 1024;

/// An SQS queue as a source.
pub struct QueueSource {
    aws: HomeSession,
    url: String,
    wait_seconds: u32,
}

impl QueueSource {
    /// The queue at `url`, waiting up to `wait_seconds` (0 to 20) for messages.
    pub fn new(aws: HomeSession, url: String, wait_seconds: u32) -> Self {
        Self {
            aws,
            url,
            wait_seconds: wait_seconds.min(20),
        }
    }

    fn fail(&self, source: AwsError) -> CollectError {
        CollectError::Aws {
            source_name: self.name(),
            source: Box::new(source),
        }
    }

    /// One message read. `Err` leaves it in the queue: it comes again once its visibility time-out is over.
    async fn open(&self, body: &str, handle: String, now: Timestamp) -> Result<Delivery, AwsError> {
        let unwrapped = unwrap_sns(body);
        let body = unwrapped.as_deref().unwrap_or(body);
        let mut delivery = Delivery {
            records: Vec::new(),
            quarantined: Vec::new(),
            handle,
        };
        match understand(body) {
            Message::Test => {}
            Message::Records => take(
                &mut delivery,
                body.as_bytes(),
                &Origin::Queue {
                    url: self.url.clone(),
                },
                now,
            ),
            Message::Objects(objects) => {
                for (bucket, key) in objects {
                    self.fetch(&mut delivery, bucket, key, now).await?;
                }
            }
        }
        Ok(delivery)
    }

    async fn fetch(
        &self,
        into: &mut Delivery,
        bucket: String,
        key: String,
        now: Timestamp,
    ) -> Result<(), AwsError> {
        let fetched = self.aws.object(&bucket, &key, OBJECT_BYTES_MAX).await;
        let origin = Origin::Object { bucket, key };
        match fetched {
            Ok(bytes) => take(into, &bytes, &origin, now),
            // What can come right is tried again, by leaving the message; what cannot is put aside.
            Err(e) if e.kind().is_retryable() || e.kind() == ErrorKind::Denied => return Err(e),
            Err(e) => into
                .quarantined
                .push(Quarantined::new(origin, e.to_string(), b"", now)),
        }
        Ok(())
    }
}

/// Splits bytes into a delivery.
pub(crate) fn take(into: &mut Delivery, bytes: &[u8], origin: &Origin, now: Timestamp) {
    debug_assert!(bytes.len() <= DELIVERY_BYTES_MAX);
    let parts = split(bytes);
    into.records.extend(
        parts
            .records
            .into_iter()
            .map(|raw| record(raw, origin, now)),
    );
    into.quarantined.extend(
        parts
            .faults
            .into_iter()
            .map(|f| Quarantined::new(origin.clone(), f, bytes, now)),
    );
}

#[async_trait]
impl Source for QueueSource {
    fn name(&self) -> String {
        format!("queue {}", self.url)
    }

    async fn receive(&mut self, clock: &dyn Clock) -> Result<Vec<Delivery>, CollectError> {
        let params = json!({
            "QueueUrl": self.url, "MaxNumberOfMessages": MESSAGES_MAX, "WaitTimeSeconds": self.wait_seconds,
        });
        let answer = self
            .aws
            .call("sqs", "ReceiveMessage", &params)
            .await
            .map_err(|e| self.fail(e))?;
        let messages = answer.value.get("Messages");
        let now = clock.now();
        let mut deliveries = Vec::new();
        for message in messages.into_iter().flat_map(Part::items) {
            let text = |name: &str| message.get(name).and_then(Part::as_str).unwrap_or_default();
            match self
                .open(text("Body"), text("ReceiptHandle").to_owned(), now)
                .await
            {
                Ok(delivery) => deliveries.push(delivery),
                Err(error) => {
                    tracing::warn!(source = self.name(), %error, "a message is left in the queue for later")
                }
            }
        }
        Ok(deliveries)
    }

    async fn acknowledge(&mut self, delivery: Delivery) -> Result<(), CollectError> {
        let params = json!({"QueueUrl": self.url, "ReceiptHandle": delivery.handle});
        self.aws
            .call("sqs", "DeleteMessage", &params)
            .await
            .map(drop)
            .map_err(|e| self.fail(e))
    }
}
