//! Objects of S3 as they come: no more than wanted, none of it missing, and the same bytes that S3 summed.

use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use http_body_util::BodyExt as _;
use hyper::body::Incoming;
use serde_json::{Value, json};

use crate::checksum::{Algorithm, Sum};
use crate::error::AwsError;
use crate::protocol::{self, WireResponse};
use crate::transport::chain;

/// The parameters that ask for a whole object and the sum that S3 keeps of it.
pub(crate) fn params(bucket: &str, key: &str) -> Value {
    json!({"Bucket": bucket, "Key": key, "ChecksumMode": "ENABLED"})
}

/// The bytes of an object, piece by piece. What was not read when it is dropped is not fetched.
pub struct ObjectStream {
    pieces: Incoming,
    arriving: Option<Arriving>,
    idle: Duration,
    request_id: Option<String>,
}

impl ObjectStream {
    pub(crate) fn new(
        head: &WireResponse,
        pieces: Incoming,
        bytes_max: usize,
        idle: Duration,
    ) -> Result<Self, AwsError> {
        let request_id = protocol::request_id(&head.headers);
        let arriving = Arriving::new(head, bytes_max);
        Ok(Self {
            arriving: Some(arriving.map_err(|broken| error(broken, request_id.clone()))?),
            pieces,
            idle,
            request_id,
        })
    }

    /// How many bytes S3 promises.
    pub fn length(&self) -> Option<u64> {
        self.arriving.as_ref()?.promised
    }

    /// The next bytes; `None` when all have come and they are the right ones. Take none of them for good before that.
    ///
    /// # Errors
    /// [`AwsError::TooLarge`] as soon as there are more than wanted, [`AwsError::Unreachable`] when the connection
    /// breaks or is silent for longer than an attempt may take, [`AwsError::Unreadable`] when bytes are missing or
    /// others than S3 summed. After an error there is nothing more.
    pub async fn next(&mut self) -> Result<Option<Bytes>, AwsError> {
        let Some(mut arriving) = self.arriving.take() else {
            return Ok(None);
        };
        let told = |broken| error(broken, self.request_id.clone());
        loop {
            let frame = tokio::time::timeout(self.idle, self.pieces.frame()).await;
            let frame = frame.map_err(|_| lost(format!("silent for {:?}", self.idle)))?;
            let Some(frame) = frame.transpose().map_err(|e| lost(chain(&e)))? else {
                arriving.finish().map_err(told)?;
                return Ok(None);
            };
            if let Ok(piece) = frame.into_data() {
                arriving.add(&piece).map_err(told)?;
                self.arriving = Some(arriving);
                return Ok(Some(piece));
            }
        }
    }
}

fn lost(reason: String) -> AwsError {
    AwsError::Unreachable {
        service: "s3".to_owned(),
        operation: "GetObject".to_owned(),
        reason,
        attempts: 1,
    }
}

fn error(broken: Broken, request_id: Option<String>) -> AwsError {
    let (service, operation) = ("s3".to_owned(), "GetObject".to_owned());
    match broken {
        Broken::TooLarge(bytes_max) => AwsError::TooLarge {
            service,
            operation,
            bytes_max,
        },
        Broken::Other(what) => AwsError::Unreadable {
            service,
            operation,
            what,
            request_id,
        },
    }
}

/// What is wrong with an object.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Broken {
    /// It has more bytes than these.
    TooLarge(usize),
    /// It is not the object.
    Other(String),
}

impl std::fmt::Display for Broken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::TooLarge(bytes_max) => write!(f, "it is larger than {bytes_max} bytes"),
            Self::Other(what) => f.write_str(what),
        }
    }
}

/// An object that is on its way.
pub(crate) struct Arriving {
    bytes_max: usize,
    bytes: usize,
    promised: Option<u64>,
    sum: Option<(Sum, String)>,
}

impl Arriving {
    pub(crate) fn new(head: &WireResponse, bytes_max: usize) -> Result<Self, Broken> {
        let promised = head.headers.get("content-length");
        let promised = promised.and_then(|length| length.to_str().ok()?.parse().ok());
        if promised.is_some_and(|length: u64| length > bytes_max as u64) {
            return Err(Broken::TooLarge(bytes_max));
        }
        // The sum is of the whole object, a 206 is a part of it.
        let sum = (head.status == 200)
            .then(|| kept_sum(&head.headers))
            .flatten();
        Ok(Self {
            bytes_max,
            bytes: 0,
            promised,
            sum: sum.map(|(algorithm, sum)| (algorithm.start(), sum)),
        })
    }

    pub(crate) fn add(&mut self, piece: &[u8]) -> Result<(), Broken> {
        self.bytes = self.bytes.saturating_add(piece.len());
        if self.bytes > self.bytes_max {
            return Err(Broken::TooLarge(self.bytes_max));
        }
        if let Some((sum, _)) = &mut self.sum {
            sum.add(piece);
        }
        Ok(())
    }

    /// There is no more of it.
    pub(crate) fn finish(self) -> Result<(), Broken> {
        if let Some(length) = self.promised.filter(|length| *length != self.bytes as u64) {
            let bytes = self.bytes;
            let what = format!("{bytes} bytes of the object came, not {length}");
            return Err(Broken::Other(what));
        }
        let is_right = self.sum.is_none_or(|(sum, kept)| sum.finish() == kept);
        let wrong = || Broken::Other("the object's bytes are not those that S3 summed".to_owned());
        is_right.then_some(()).ok_or_else(wrong)
    }
}

/// A sum of the whole object. That of an object in parts is a sum of their sums (`…-2`), and says nothing here.
fn kept_sum(headers: &HeaderMap) -> Option<(Algorithm, String)> {
    let text = |name: &str| headers.get(name)?.to_str().ok();
    if text("x-amz-checksum-type") == Some("COMPOSITE") {
        return None;
    }
    Algorithm::ALL.into_iter().find_map(|algorithm| {
        let sum = text(&algorithm.header()).filter(|sum| !sum.contains('-'))?;
        Some((algorithm, sum.to_owned()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `123456789`, in two pieces.
    fn arrives(
        status: u16,
        headers: &[(&'static str, &str)],
        bytes_max: usize,
    ) -> Result<(), Broken> {
        let mut head = WireResponse {
            status,
            headers: HeaderMap::new(),
            body: Bytes::new(),
        };
        for (name, value) in headers {
            head.headers.insert(*name, value.parse().unwrap());
        }
        let mut arriving = Arriving::new(&head, bytes_max)?;
        arriving.add(b"12345")?;
        arriving.add(b"6789")?;
        arriving.finish()
    }

    #[test]
    fn an_object_must_be_whole_and_within_its_limit() {
        assert_eq!(arrives(200, &[], 9), Ok(()));
        assert_eq!(arrives(200, &[("content-length", "9")], 9), Ok(()));
        assert_eq!(arrives(200, &[], 8), Err(Broken::TooLarge(8)));
        let length = [("content-length", "10")];
        assert_eq!(arrives(200, &length, 9), Err(Broken::TooLarge(9)));
        let what = "9 bytes of the object came, not 10".to_owned();
        assert_eq!(arrives(200, &length, 10), Err(Broken::Other(what)));
    }

    #[test]
    fn the_bytes_must_be_those_that_were_summed() {
        let wrong = |name| [(name, "AAAA")];
        for algorithm in Algorithm::ALL {
            let name: &'static str = algorithm.header().leak();
            assert_eq!(
                arrives(200, &[(name, &algorithm.of(b"123456789"))], 9),
                Ok(())
            );
            assert!(arrives(200, &wrong(name), 9).is_err(), "{name}");
        }
        assert_eq!(arrives(206, &wrong("x-amz-checksum-crc32"), 9), Ok(()));
        let parts = [("x-amz-checksum-sha256", "AAAA-2")];
        assert_eq!(arrives(200, &parts, 9), Ok(()));
        let composite = [
            ("x-amz-checksum-crc32", "AAAA"),
            ("x-amz-checksum-type", "COMPOSITE"),
        ];
        assert_eq!(arrives(200, &composite, 9), Ok(()));
    }
}
