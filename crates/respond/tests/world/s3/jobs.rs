//! Batch jobs, as S3 Control describes them. What was cancelled stays so, and is kept apart from what can be taken back.

use quell_model::Call;
use serde_json::{Value, json};

use super::{Answer, S3};

/// How a job ends.
const ENDED: [&str; 3] = ["Cancelled", "Complete", "Failed"];
/// So many jobs are in a page here.
const PAGE: usize = 3;

pub fn call(s3: &mut S3, call: &Call) -> Option<Answer> {
    let params = &call.params;
    let id = params["JobId"].as_str().unwrap_or_default();
    Some(match call.operation.as_str() {
        "ListJobs" => Ok(list(s3, params)),
        "DescribeJob" => job(s3, id).map(|job| json!({"Job": job})),
        "UpdateJobStatus" => cancel(s3, id, params),
        _ => return None,
    })
}

fn job<'a>(s3: &'a mut S3, id: &str) -> Result<&'a mut Value, String> {
    let found = s3.jobs.iter_mut().find(|job| job["JobId"] == id);
    found.ok_or_else(|| "S3Control.NotFoundException: no such job".to_owned())
}

fn list(s3: &S3, params: &Value) -> Value {
    let wanted = params["JobStatuses"].as_array().unwrap();
    let from = params["NextToken"]
        .as_str()
        .map_or(0, |t| t.parse().unwrap());
    let fit: Vec<&Value> = { s3.jobs.iter() }
        .filter(|job| wanted.contains(&job["Status"]))
        .collect();
    let shown = fit.iter().skip(from).take(PAGE);
    let shown: Vec<Value> = shown
        .map(|job| json!({"JobId": job["JobId"], "Status": job["Status"], "CreationTime": job["CreationTime"]}))
        .collect();
    match from + PAGE < fit.len() {
        true => json!({"Jobs": shown, "NextToken": (from + PAGE).to_string()}),
        false => json!({"Jobs": shown}),
    }
}

fn cancel(s3: &mut S3, id: &str, params: &Value) -> Answer {
    assert_eq!(params["RequestedJobStatus"], "Cancelled");
    let job = job(s3, id)?;
    if ENDED.iter().any(|ended| job["Status"] == *ended) {
        return Err("S3Control.JobStatusException: the job has ended".to_owned());
    }
    job["Status"] = json!("Cancelled");
    Ok(json!({"JobId": id, "Status": "Cancelled"}))
}
