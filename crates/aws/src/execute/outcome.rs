//! What an attempt came to, and what may be done about it.

use std::time::Duration;

use quell_model::ErrorKind;

use super::{Ready, Safety, Tries};
use crate::endpoint::bucket_region;
use crate::error::{AwsError, ServiceError};
use crate::pace::NoTurn;
use crate::protocol::{self, ErrorAnswer, Malformed, Unread, WireResponse};
use crate::redact::redact;
use crate::retry::{Reason, asked_wait};
use crate::transport::NoAnswer;

/// The status that stands for an error in the body of a 200: the service failed while it was at it.
const REFUSED_LATE: u16 = 500;

/// An attempt that failed, and what may be done about it.
pub(super) struct Failed {
    pub(super) error: Box<AwsError>,
    pub(super) again: Again,
    /// How long AWS asks to wait.
    pub(super) asked_wait: Option<Duration>,
}

/// Whether there may be another attempt.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Again {
    No,
    /// After a wait.
    After(Reason),
    /// Once, with credentials that have not expired.
    WithNewCredentials,
    /// Once, signed for the time that the answer says it is.
    WithTheirTime,
}

impl Failed {
    fn new(error: AwsError, again: Again) -> Self {
        Self {
            error: Box::new(error),
            again,
            asked_wait: None,
        }
    }

    /// There is no use in another attempt.
    pub(super) fn last(error: AwsError) -> Self {
        Self::new(error, Again::No)
    }

    /// Whether AWS said «slower».
    pub(super) fn is_throttled(&self) -> bool {
        self.again == Again::After(Reason::Throttled)
    }
}

impl Ready<'_> {
    fn is_once(&self) -> bool {
        self.job.safety == Safety::Once
    }

    /// A changing call may have arrived.
    fn lost(&self, reason: String) -> Failed {
        Failed::last(AwsError::Unanswered {
            service: self.job.service.to_owned(),
            operation: self.job.operation.to_owned(),
            reason,
        })
    }

    fn unreachable(&self, reason: String, attempts: u32) -> AwsError {
        AwsError::Unreachable {
            service: self.job.service.to_owned(),
            operation: self.job.operation.to_owned(),
            reason,
            attempts,
        }
    }

    /// The deadline passed during an attempt.
    pub(super) fn out_of_time(&self, tries: &Tries) -> Failed {
        if tries.is_sent && self.is_once() {
            return self.lost("its deadline passed".to_owned());
        }
        Failed::last(self.unreachable("its deadline passed".to_owned(), tries.attempt))
    }

    /// Too many callers want the same. Nothing was sent.
    pub(super) fn no_turn(&self, no_turn: NoTurn) -> Failed {
        Failed::last(AwsError::Crowded {
            service: self.job.service.to_owned(),
            operation: self.job.operation.to_owned(),
            region: self.job.region.to_owned(),
            reason: no_turn.to_string(),
        })
    }

    /// There is no answer. What was not sent may be sent again; what may have arrived only if that is harmless.
    pub(super) fn unanswered(&self, no_answer: NoAnswer, attempt: u32) -> Failed {
        match no_answer {
            NoAnswer::Lost(reason) if self.is_once() => self.lost(reason),
            NoAnswer::TooLarge(bytes_max) if self.is_once() => {
                self.lost(format!("it is larger than {bytes_max} bytes"))
            }
            NoAnswer::NotSent(reason) | NoAnswer::Lost(reason) => Failed::new(
                self.unreachable(reason, attempt),
                Again::After(Reason::Transient),
            ),
            NoAnswer::TooLarge(bytes_max) => Failed::last(AwsError::TooLarge {
                service: self.job.service.to_owned(),
                operation: self.job.operation.to_owned(),
                bytes_max,
            }),
        }
    }

    /// AWS said no. Only «slower», «these credentials have expired» and «this signature is of another time» prove
    /// that nothing happened.
    pub(super) fn refused(
        &self,
        said: ErrorAnswer,
        status: u16,
        response: &WireResponse,
        attempt: u32,
    ) -> Failed {
        let shape = said.shape.as_deref();
        let (is_retryable, is_throttling) = shape.map_or((false, false), |s| self.traits_of(s));
        let input = self.operation.input.as_ref();
        let input = input.map(|input| self.service.view(input));
        let error = ServiceError {
            service: self.job.service.to_owned(),
            operation: self.job.operation.to_owned(),
            code: said.code,
            message: redact(said.message, input, self.job.params),
            request_id: said.request_id,
            status,
            shape: said.shape,
            attempts: attempt,
            is_changing: self.is_once(),
            is_throttling,
            bucket_region: bucket_region(self.job.service, &self.target.signing_region, response),
        };
        let again = match error.kind() {
            _ if error.is_expired() => Again::WithNewCredentials,
            ErrorKind::Throttled => Again::After(Reason::Throttled),
            _ if self.is_once() => Again::No,
            ErrorKind::Unavailable => Again::After(Reason::Transient),
            _ if is_retryable => Again::After(Reason::Transient),
            _ => Again::No,
        };
        Failed {
            error: Box::new(AwsError::Service(Box::new(error))),
            again,
            asked_wait: asked_wait(&response.headers),
        }
    }

    /// What the model says of an error: whether it may go away by itself, and whether it means «slower».
    fn traits_of(&self, shape: &str) -> (bool, bool) {
        let named = self.operation.errors.iter().map(|e| self.service.view(e));
        let found = named
            .chain(self.service.errors())
            .find(|error| error.shape_name() == shape);
        found.map_or((false, false), |error| {
            (error.is_retryable(), error.is_throttling())
        })
    }

    /// The status said yes, and the body says something else.
    pub(super) fn unread(&self, unread: Unread, response: &WireResponse, attempt: u32) -> Failed {
        match unread {
            Unread::Malformed(malformed) => self.unreadable(&malformed, response),
            Unread::Refused(said) => self.refused(*said, REFUSED_LATE, response, attempt),
        }
    }

    /// AWS said yes, in words that cannot be read.
    fn unreadable(&self, malformed: &Malformed, response: &WireResponse) -> Failed {
        let what = malformed.to_string();
        if self.is_once() {
            return self.lost(format!("it cannot be read: {what}"));
        }
        let error = AwsError::Unreadable {
            service: self.job.service.to_owned(),
            operation: self.job.operation.to_owned(),
            what,
            request_id: protocol::request_id(&response.headers),
        };
        Failed::new(error, Again::After(Reason::Transient))
    }
}
