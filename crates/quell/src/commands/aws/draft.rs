//! A request, shown and not sent.

use std::sync::Arc;

use quell_aws::{Credentials, SharedCredentialsProvider};
use quell_store::SystemClock;
use serde_json::{Value, json};

use super::Aws;
use crate::app;
use crate::commands::{Failure, Global};
use crate::output::safe;

/// Prints the request of a call. Nothing is sent, and no credentials are needed.
pub(super) fn run(
    args: &Aws,
    service: &str,
    operation: &str,
    params: &Value,
    global: &Global,
) -> Result<(), Failure> {
    let settings = global.settings()?;
    let nobody = Credentials::from_keys("nobody", "nothing", None);
    let nobody = SharedCredentialsProvider::new(nobody);
    let client = app::client_with(&settings, nobody, Arc::new(SystemClock))?;
    let region = args.region.as_ref().unwrap_or(&settings.aws.region);
    let draft = client.draft(service, operation, params, region)?;
    let body = String::from_utf8(draft.body.to_vec())
        .unwrap_or_else(|_| format!("({} bytes that are no text)", draft.body.len()));
    let headers: Vec<Value> = draft
        .headers
        .iter()
        .map(|(name, value)| json!({"name": name, "value": value}))
        .collect();
    let shown = json!({
        "service": service, "operation": operation, "method": draft.method, "url": draft.url,
        "headers": headers, "body": body, "sent": false,
    });
    global.output.print(&shown, |_| {
        let mut out = format!("{} {}", draft.method, safe(&draft.url));
        for (name, value) in &draft.headers {
            out.push_str(&format!("\n{name}: {}", safe(value)));
        }
        if !body.is_empty() {
            out.push_str(&format!("\n\n{}", safe(&body)));
        }
        out + "\n\nnothing was sent; signing would add the credentials and the date"
    });
    Ok(())
}
