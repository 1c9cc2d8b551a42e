//! `quell aws`: any call that reads, by name; and what the models know of services and operations.

mod call;
mod describe;
mod draft;
mod lists;
mod names;
mod shown;
mod suggest;

use super::{Failure, Global};
use crate::input;
use crate::output::safe;
use clap::{Args, ValueHint};
use clap_complete::engine::ArgValueCompleter;
use quell_aws::{AwsError, PageError, WaitError};
use quell_model::ErrorKind;

const EXAMPLES: &str = "\
Examples:
  quell aws                                         the services
  quell aws ec2                                     its operations, those that read marked
  quell aws ec2 describe-instances --describe       the parameters of one

  Every security group of an account in scope, with its read role:
    quell aws ec2 describe-security-groups --all --account 444455556666 --output json

  Wait until an instance runs:
    quell aws ec2 describe-instances --wait InstanceRunning --params '{\"InstanceIds\": [\"i-0abc\"]}'

Only operations that read are called. Changes go through playbooks, whose plans the guard permits
(quell playbook list). --dry-run shows any request without sending it.";

/// Make an AWS call that reads, any by name; or list services, operations and their parameters
///
/// Services go by botocore's names or those of Step Functions (events or eventbridge); operations in any spelling
/// (DescribeInstances, describe-instances, describeInstances). Parameters and answers are JSON in the API's own
/// spelling.
#[derive(Args)]
#[command(after_help = EXAMPLES)]
pub struct Aws {
    /// The service; without one, the services there are
    #[arg(add = ArgValueCompleter::new(suggest::services))]
    service: Option<String>,
    /// The operation; without one, the operations of the service
    #[arg(add = ArgValueCompleter::new(suggest::operations))]
    operation: Option<String>,
    /// The parameters: JSON, @FILE, or - for standard input [default: {}]
    #[arg(long, value_name = "JSON", value_hint = ValueHint::Other)]
    params: Option<String>,
    /// The Region [default: aws.region of the settings]
    #[arg(long, value_hint = ValueHint::Other)]
    region: Option<String>,
    /// An account in scope, as its read role [default: Quell's own account and credentials]
    #[arg(long, value_name = "ID", value_hint = ValueHint::Other)]
    account: Option<String>,
    /// The name of another role of that account
    #[arg(long, value_name = "NAME", requires = "account", value_hint = ValueHint::Other)]
    role: Option<String>,
    /// Read all pages, as one answer
    #[arg(long, requires = "operation", conflicts_with = "wait")]
    all: bool,
    /// With --all: no more items than this
    #[arg(long, value_name = "N", requires = "all", value_hint = ValueHint::Other)]
    max_items: Option<usize>,
    /// Call again and again until this state is reached (InstanceRunning); --describe names them
    #[arg(long, value_name = "WAITER", requires = "operation", add = ArgValueCompleter::new(suggest::waiters))]
    wait: Option<String>,
    /// Show the request, sensitive members as asterisks, and send nothing
    #[arg(long, requires = "operation", conflicts_with_all = ["all", "wait", "describe"])]
    dry_run: bool,
    /// Say what the operation takes and answers, and send nothing
    #[arg(long, requires = "operation", conflicts_with_all = ["all", "wait"])]
    describe: bool,
    /// Show what the model calls sensitive instead of (sensitive)
    #[arg(long)]
    show_sensitive: bool,
}

impl Aws {
    pub(super) async fn run(self, global: &Global) -> Result<(), Failure> {
        let Some(service) = &self.service else {
            return lists::services(global);
        };
        let service = names::service(service)?;
        let Some(operation) = &self.operation else {
            return lists::operations(service, global);
        };
        let operation = names::operation(service, operation)?;
        if self.describe {
            return describe::run(service, operation, global);
        }
        let params = input::json("--params", self.params.as_deref().unwrap_or("{}"))?;
        if self.dry_run {
            return draft::run(&self, service, operation, &params, global);
        }
        if !quell_aws::is_read_only(service, operation) {
            return Err(Failure::Denied(format!(
                "{service} {operation} does not only read, and this command makes no other calls. Changes go through \
                 playbooks, whose plans the guard permits: see quell playbook list. (--dry-run shows the request, \
                 --describe its parameters)"
            )));
        }
        call::run(&self, service, operation, &params, global).await
    }
}

impl From<AwsError> for Failure {
    fn from(error: AwsError) -> Self {
        let text = safe(&error.to_string());
        match &error {
            AwsError::InvalidParams { .. } | AwsError::Unwritable { .. } => Self::Usage(text),
            AwsError::UnknownService { .. }
            | AwsError::UnknownOperation { .. }
            | AwsError::NotReadOnly { .. } => Self::Denied(text),
            AwsError::Config { .. } | AwsError::Credentials { .. } => Self::Setup(text),
            _ => of_kind(error.kind(), text),
        }
    }
}

impl From<PageError> for Failure {
    fn from(error: PageError) -> Self {
        match error {
            PageError::Call(error) => error.into(),
            PageError::NotPaged { .. } => {
                Self::Usage(format!("{error}: it needs no --all (--describe says so)"))
            }
            _ => of_kind(error.kind(), safe(&error.to_string())),
        }
    }
}

impl From<WaitError> for Failure {
    fn from(error: WaitError) -> Self {
        match error {
            WaitError::Call(error) => error.into(),
            WaitError::UnknownWaiter { .. } => Self::Denied(error.to_string()),
            WaitError::Hopeless { .. } | WaitError::TooLong { .. } => {
                Self::Check(safe(&error.to_string()))
            }
        }
    }
}

fn of_kind(kind: ErrorKind, text: String) -> Failure {
    match kind {
        ErrorKind::Denied | ErrorKind::NotFound => Failure::Denied(text),
        ErrorKind::Throttled | ErrorKind::Unavailable => Failure::Remote(text),
        ErrorKind::Invalid | ErrorKind::Conflict | ErrorKind::Bug => Failure::Check(text),
    }
}
