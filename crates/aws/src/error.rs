//! What can go wrong with a call, and what it means.

use quell_guard::NotPermitted;
use quell_model::ErrorKind;

use crate::names;
use crate::validate::Fault;

/// A call failed, or was refused before it was sent.
#[derive(Debug, thiserror::Error)]
pub enum AwsError {
    /// There is no model of the service.
    #[error("there is no model of the service {service}{}", hint(.nearest))]
    UnknownService {
        /// The name asked for.
        service: String,
        /// The name that was perhaps meant.
        nearest: Option<String>,
    },
    /// The service's model has no such operation.
    #[error("{service} has no operation {operation}{}", hint(.nearest))]
    UnknownOperation {
        /// The service.
        service: String,
        /// The name asked for.
        operation: String,
        /// The name that was perhaps meant.
        nearest: Option<String>,
    },
    /// A built-in model is broken.
    #[error("the model of {service}: {what}")]
    Model {
        /// The service.
        service: String,
        /// What is wrong with it.
        what: String,
    },
    /// The parameters are wrong; nothing was sent. Values are not quoted.
    #[error("{service} {operation}: {}", list(.faults))]
    InvalidParams {
        /// The service.
        service: String,
        /// The operation.
        operation: String,
        /// Every fault.
        faults: Vec<Fault>,
    },
    /// The parameters cannot be written as the protocol wants them; nothing was sent.
    #[error("{service} {operation}: {what}")]
    Unwritable {
        /// The service.
        service: String,
        /// The operation.
        operation: String,
        /// What cannot be.
        what: String,
    },
    /// The rules of the service give no endpoint for the call; nothing was sent.
    #[error("{service} {operation} has no endpoint: {what}")]
    NoEndpoint {
        /// The service.
        service: String,
        /// The operation.
        operation: String,
        /// Why, in AWS's words where the rules have some.
        what: String,
    },
    /// The endpoint wants a kind of signature that is not made here; nothing was sent.
    #[error("{service} {operation} must be signed by {scheme}{}, and this client signs by sigv4 only", demanded_by(.scheme))]
    CannotSign {
        /// The service.
        service: String,
        /// The operation.
        operation: String,
        /// `sigv4a` or `sigv4-s3express`.
        scheme: String,
    },
    /// A read session was asked for a call that changes something (or may); nothing was sent.
    #[error("{service} {operation} does not only read: a read session may not make it")]
    NotReadOnly {
        /// The service.
        service: String,
        /// The operation.
        operation: String,
    },
    /// The home session has a list of what it may call, and this is not on it; nothing was sent.
    #[error("{service} {operation} is not one of the calls that Quell makes for itself")]
    NotAtHome {
        /// The service.
        service: String,
        /// The operation.
        operation: String,
    },
    /// The call is outside the permit; nothing was sent.
    #[error(transparent)]
    NotPermitted(#[from] NotPermitted),
    /// The credentials are of another account than the one asked for.
    #[error("the credentials are of account {actual}, and {asked} was asked for")]
    WrongAccount {
        /// The account of the scope.
        asked: String,
        /// The account of the credentials.
        actual: String,
    },
    /// The client cannot be made as configured.
    #[error("the AWS client: {what}")]
    Config {
        /// What is wrong.
        what: String,
    },
    /// There are no credentials.
    #[error("no AWS credentials: {reason}")]
    Credentials {
        /// Why.
        reason: String,
    },
    /// A role's credentials could not be had; nothing was sent with them.
    #[error("the role {role} could not be assumed: {source}{}", advice(.source))]
    RoleNotAssumed {
        /// The role's ARN.
        role: String,
        /// Why.
        source: Box<AwsError>,
    },
    /// More calls want to go to the same account, Region and service than its limit lets through; nothing was sent.
    #[error("{service} {operation} in {region} did not get its turn: {reason}")]
    Crowded {
        /// The service.
        service: String,
        /// The operation.
        operation: String,
        /// The Region.
        region: String,
        /// Why it did not wait.
        reason: String,
    },
    /// AWS said no.
    #[error(transparent)]
    Service(#[from] Box<ServiceError>),
    /// No connection, or a read without an answer: nothing happened.
    #[error("{service} {operation}: {reason} ({attempts} attempts)")]
    Unreachable {
        /// The service.
        service: String,
        /// The operation.
        operation: String,
        /// What was seen last.
        reason: String,
        /// How often it was tried.
        attempts: u32,
    },
    /// A changing call was sent and its answer was lost: it may have happened, and it was not sent again.
    #[error("{service} {operation} may have happened, its answer was lost: {reason}")]
    Unanswered {
        /// The service.
        service: String,
        /// The operation.
        operation: String,
        /// What was seen.
        reason: String,
    },
    /// The answer to a read is not what the model promises.
    #[error("{service} {operation}: the answer cannot be read: {what} (request {})", .request_id.as_deref().unwrap_or("unknown"))]
    Unreadable {
        /// The service.
        service: String,
        /// The operation.
        operation: String,
        /// What is wrong with it.
        what: String,
        /// AWS's request id.
        request_id: Option<String>,
    },
    /// The answer to a read is larger than allowed.
    #[error("{service} {operation}: the answer is larger than {bytes_max} bytes")]
    TooLarge {
        /// The service.
        service: String,
        /// The operation.
        operation: String,
        /// The limit.
        bytes_max: usize,
    },
}

/// AWS said no.
#[derive(Debug, thiserror::Error)]
#[error("{service} {operation}: {code}: {message} (status {status}, request {})", .request_id.as_deref().unwrap_or("unknown"))]
pub struct ServiceError {
    /// The service.
    pub service: String,
    /// The operation.
    pub operation: String,
    /// AWS's error code (`InvalidGroup.NotFound`).
    pub code: String,
    /// AWS's message.
    pub message: String,
    /// AWS's request id.
    pub request_id: Option<String>,
    /// The HTTP status.
    pub status: u16,
    /// The model's shape for the error (`QueueDoesNotExist`), when it has one.
    pub shape: Option<String>,
    /// How often it was tried.
    pub attempts: u32,
    /// Whether the call may change something.
    pub is_changing: bool,
    /// Whether the service's model says that the error means «slower».
    pub is_throttling: bool,
    /// The Region of the bucket, when S3 says that it is in another than the call went to.
    pub bucket_region: Option<String>,
}

fn hint(nearest: &Option<String>) -> String {
    nearest
        .as_ref()
        .map_or(String::new(), |n| format!(" (did you mean {n}?)"))
}

/// What to do about it, where AWS's words do not say.
fn advice(source: &AwsError) -> &'static str {
    match source.code() {
        Some("PackedPolicyTooLarge") => {
            "; shorten the session policy, or give the session fewer policies and tags"
        }
        Some("ExpiredTokenException" | "ExpiredToken") => {
            "; the credentials it is assumed with have expired: renew them"
        }
        _ => "",
    }
}

/// What it is that wants a kind of signature.
fn demanded_by(scheme: &str) -> &'static str {
    match scheme {
        "sigv4a" => {
            ", since it is for several Regions at once (name a resource of one Region instead)"
        }
        "sigv4-s3express" => ", since the bucket is a directory bucket",
        _ => "",
    }
}

fn list(faults: &[Fault]) -> String {
    let texts: Vec<String> = faults.iter().map(Fault::to_string).collect();
    texts.join("; ")
}

impl ServiceError {
    /// What kind of error the code and the status tell of.
    pub fn kind(&self) -> ErrorKind {
        if self.is_throttling {
            return ErrorKind::Throttled;
        }
        kind_of_code(&self.code).unwrap_or(match self.status {
            401 | 403 => ErrorKind::Denied,
            404 => ErrorKind::NotFound,
            409 => ErrorKind::Conflict,
            429 => ErrorKind::Throttled,
            408 | 500.. => ErrorKind::Unavailable,
            _ => ErrorKind::Invalid,
        })
    }

    /// Whether AWS refused because the credentials have expired.
    pub(crate) fn is_expired(&self) -> bool {
        matches!(
            self.code.as_str(),
            "ExpiredToken" | "ExpiredTokenException" | "RequestExpired" | "ExpiredCredentials"
        )
    }
}

/// Codes that mean «slower»: proof that nothing happened.
const THROTTLED: &[&str] = &[
    "BandwidthLimitExceeded",
    "EC2ThrottledException",
    "LimitExceededException",
    "PriorRequestNotComplete",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "RequestThrottled",
    "RequestThrottledException",
    "SlowDown",
    "ThrottledException",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
    "TransactionInProgressException",
];

/// Parts of codes, and what they mean; the first that fits is taken.
const PARTS: &[(&str, ErrorKind)] = &[
    ("Throttl", ErrorKind::Throttled),
    ("AccessDenied", ErrorKind::Denied),
    ("Unauthorized", ErrorKind::Denied),
    ("NotAuthorized", ErrorKind::Denied),
    ("AuthFailure", ErrorKind::Denied),
    ("OptInRequired", ErrorKind::Denied),
    ("Forbidden", ErrorKind::Denied),
    ("InvalidClientTokenId", ErrorKind::Denied),
    ("UnrecognizedClient", ErrorKind::Denied),
    ("SignatureDoesNotMatch", ErrorKind::Denied),
    ("InvalidSignature", ErrorKind::Denied),
    ("IncompleteSignature", ErrorKind::Denied),
    ("InvalidAccessKeyId", ErrorKind::Denied),
    ("MissingAuthenticationToken", ErrorKind::Denied),
    ("Expired", ErrorKind::Denied),
    ("NotFound", ErrorKind::NotFound),
    ("NoSuch", ErrorKind::NotFound),
    ("NonExistent", ErrorKind::NotFound),
    ("DoesNotExist", ErrorKind::NotFound),
    ("AlreadyExists", ErrorKind::Conflict),
    ("AlreadyOwned", ErrorKind::Conflict),
    ("Duplicate", ErrorKind::Conflict),
    ("Conflict", ErrorKind::Conflict),
    ("Concurrent", ErrorKind::Conflict),
    ("IncorrectState", ErrorKind::Conflict),
    ("IncorrectInstanceState", ErrorKind::Conflict),
    ("ResourceInUse", ErrorKind::Conflict),
    ("InUse", ErrorKind::Conflict),
    ("DependencyViolation", ErrorKind::Conflict),
    ("OperationAborted", ErrorKind::Conflict),
    ("PreconditionFailed", ErrorKind::Conflict),
    ("InternalError", ErrorKind::Unavailable),
    ("InternalFailure", ErrorKind::Unavailable),
    ("InternalServerError", ErrorKind::Unavailable),
    ("ServiceUnavailable", ErrorKind::Unavailable),
    ("Unavailable", ErrorKind::Unavailable),
    ("RequestTimeout", ErrorKind::Unavailable),
    ("IDPCommunicationError", ErrorKind::Unavailable),
];

fn kind_of_code(code: &str) -> Option<ErrorKind> {
    if THROTTLED.contains(&code) {
        return Some(ErrorKind::Throttled);
    }
    let part = PARTS.iter().find(|(part, _)| code.contains(part));
    part.map(|(_, kind)| *kind)
}

impl AwsError {
    /// What kind of error it is.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::UnknownService { .. }
            | Self::UnknownOperation { .. }
            | Self::InvalidParams { .. }
            | Self::Unwritable { .. }
            | Self::NoEndpoint { .. }
            | Self::CannotSign { .. }
            | Self::TooLarge { .. }
            | Self::Config { .. } => ErrorKind::Invalid,
            Self::Model { .. } | Self::NotReadOnly { .. } | Self::NotAtHome { .. } => {
                ErrorKind::Bug
            }
            Self::NotPermitted(_) | Self::WrongAccount { .. } => ErrorKind::Denied,
            Self::Credentials { .. }
            | Self::Unreachable { .. }
            | Self::Unanswered { .. }
            | Self::Unreadable { .. } => ErrorKind::Unavailable,
            Self::Crowded { .. } => ErrorKind::Throttled,
            Self::RoleNotAssumed { source, .. } => source.kind(),
            Self::Service(error) => error.kind(),
        }
    }

    /// Whether the same call may well succeed later, and does no harm twice.
    pub fn is_retryable(&self) -> bool {
        let may_pass = matches!(self.kind(), ErrorKind::Throttled | ErrorKind::Unavailable);
        may_pass && !self.may_have_happened()
    }

    /// Whether a changing call may have taken effect although it failed. Then read the live state before anything
    /// else; never simply send it again.
    pub fn may_have_happened(&self) -> bool {
        match self {
            Self::Unanswered { .. } => true,
            Self::Service(error) => error.is_changing && error.kind() == ErrorKind::Unavailable,
            _ => false,
        }
    }

    /// AWS's error code, when AWS said no.
    pub fn code(&self) -> Option<&str> {
        match self {
            Self::Service(error) => Some(&error.code),
            Self::RoleNotAssumed { source, .. } => source.code(),
            _ => None,
        }
    }

    /// AWS's request id, when there was an answer.
    pub fn request_id(&self) -> Option<&str> {
        match self {
            Self::Service(error) => error.request_id.as_deref(),
            Self::Unreadable { request_id, .. } => request_id.as_deref(),
            Self::RoleNotAssumed { source, .. } => source.request_id(),
            _ => None,
        }
    }

    /// The error's name in Step Functions: `Ec2.Ec2Exception`, `Sqs.QueueDoesNotExistException`, `States.Runtime`.
    pub fn error_name(&self) -> String {
        match self {
            Self::Service(error) => {
                let prefix = names::error_prefix(&error.service);
                let shape = error.shape.as_deref().unwrap_or(&prefix);
                format!("{prefix}.{}", names::exception(shape))
            }
            Self::Unreachable { service, .. }
            | Self::Unanswered { service, .. }
            | Self::Unreadable { service, .. }
            | Self::Crowded { service, .. }
            | Self::TooLarge { service, .. } => {
                format!("{}.SdkClientException", names::error_prefix(service))
            }
            Self::NotReadOnly { .. }
            | Self::NotAtHome { .. }
            | Self::NotPermitted(_)
            | Self::WrongAccount { .. } => "States.Permissions".to_owned(),
            Self::Credentials { .. } => "States.TaskFailed".to_owned(),
            Self::RoleNotAssumed { source, .. } => source.error_name(),
            _ => "States.Runtime".to_owned(),
        }
    }
}

/// The `Error` and `Cause` with which Step Functions would fail the task.
pub fn states_error(error: &AwsError) -> (String, String) {
    let cause = match error {
        AwsError::Service(e) => format!(
            "{} (Service: {}, Status Code: {}, Request ID: {}) (SDK Attempt Count: {})",
            e.message,
            names::error_prefix(&e.service),
            e.status,
            e.request_id.as_deref().unwrap_or("null"),
            e.attempts
        ),
        other => other.to_string(),
    };
    (error.error_name(), cause)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(service: &str, code: &str, status: u16, shape: Option<&str>) -> AwsError {
        AwsError::from(Box::new(ServiceError {
            service: service.to_owned(),
            operation: "Op".to_owned(),
            code: code.to_owned(),
            message: "No.".to_owned(),
            request_id: Some("r-1".to_owned()),
            status,
            shape: shape.map(str::to_owned),
            attempts: 1,
            is_changing: true,
            is_throttling: false,
            bucket_region: None,
        }))
    }

    #[test]
    fn codes_have_kinds() {
        for (code, status, kind) in [
            ("RequestLimitExceeded", 503, ErrorKind::Throttled),
            ("Throttling", 400, ErrorKind::Throttled),
            ("InvalidGroup.NotFound", 400, ErrorKind::NotFound),
            ("InvalidPermission.NotFound", 400, ErrorKind::NotFound),
            ("InvalidPermission.Duplicate", 400, ErrorKind::Conflict),
            ("UnauthorizedOperation", 403, ErrorKind::Denied),
            (
                "AWS.SimpleQueueService.NonExistentQueue",
                400,
                ErrorKind::NotFound,
            ),
            ("InternalError", 500, ErrorKind::Unavailable),
            ("502", 502, ErrorKind::Unavailable),
            ("InvalidParameterValue", 400, ErrorKind::Invalid),
            ("403", 403, ErrorKind::Denied),
        ] {
            assert_eq!(refused("ec2", code, status, None).kind(), kind, "{code}");
        }
    }

    #[test]
    fn step_functions_names_and_causes() {
        let (name, cause) = states_error(&refused("ec2", "InvalidGroup.NotFound", 400, None));
        assert_eq!(name, "Ec2.Ec2Exception");
        assert_eq!(
            cause,
            "No. (Service: Ec2, Status Code: 400, Request ID: r-1) (SDK Attempt Count: 1)"
        );
        let error = refused(
            "sqs",
            "AWS.SimpleQueueService.NonExistentQueue",
            400,
            Some("QueueDoesNotExist"),
        );
        assert_eq!(error.error_name(), "Sqs.QueueDoesNotExistException");
        let error = refused(
            "events",
            "ResourceNotFoundException",
            400,
            Some("ResourceNotFoundException"),
        );
        assert_eq!(error.error_name(), "EventBridge.ResourceNotFoundException");
    }

    #[test]
    fn only_an_unclear_end_of_a_changing_call_may_have_happened() {
        assert!(refused("ec2", "InternalError", 500, None).may_have_happened());
        assert!(!refused("ec2", "RequestLimitExceeded", 503, None).may_have_happened());
        assert!(!refused("ec2", "InvalidGroup.NotFound", 400, None).may_have_happened());
    }
}
