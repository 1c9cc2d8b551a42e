//! Calls as the tasks of playbooks write them: parameters and answers in the spelling of Step Functions.

use serde_json::Value;

use crate::client::Inner;
use crate::error::AwsError;
use crate::execute::Job;
use crate::names::{Spelling, answer_to_states, params_from_states, sdk_service};
use crate::registry;
use crate::session::Response;
use crate::withheld::withhold;

impl Inner {
    /// Makes a call whose parameters are spelled as Step Functions spells them, and answers in the same spelling, without what no log
    /// may have.
    pub(crate) async fn task(
        &self,
        job: &Job<'_>,
        spelling: Spelling,
    ) -> Result<Response<Value>, AwsError> {
        let (service, operation) = registry::operation(job.service, job.operation)?;
        let input = operation.input.as_ref().map(|input| service.view(input));
        let params = params_from_states(input, job.params, spelling).map_err(|faults| {
            AwsError::InvalidParams {
                service: job.service.to_owned(),
                operation: job.operation.to_owned(),
                faults,
            }
        })?;
        let call = Job {
            params: &params,
            ..*job
        };
        let answer = self.call(&call).await?;
        let output = operation.output.as_ref().map(|output| service.view(output));
        let mut value = answer.value.to_json();
        withhold(sdk_service(job.service), &mut value);
        Ok(Response {
            value: answer_to_states(output, value, spelling),
            request_id: answer.request_id,
            date: answer.date,
            status: answer.status,
            headers: answer.headers,
        })
    }
}
