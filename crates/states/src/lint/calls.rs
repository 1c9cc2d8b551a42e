//! Calls of `aws-sdk` that do not exist, and parameters that an action has not.

use super::Catalog;
use super::nearest::{advice, nearest};
use crate::diagnostic::{DiagnosticCode, Faults};
use crate::document::walk::Written;
use crate::resource::Resource;
use serde_json::Value;

pub(super) fn check(written: Written<'_, '_>, catalog: &dyn Catalog, faults: &mut Faults) {
    let resource = written.state.get("Resource").and_then(Value::as_str);
    let Some(Ok(Resource::AwsSdk {
        service, action, ..
    })) = resource.map(str::parse)
    else {
        return;
    };
    let at = format!("{}/Resource", written.at);
    let Some(actions) = catalog.actions(&service) else {
        let help = advice(&nearest(&service, &catalog.services()));
        let fault = format!("The service '{service}' is not known");
        faults.warning(DiagnosticCode::UnknownAction, at, fault, help);
        return;
    };
    if !actions.contains(&action) {
        let help = advice(&nearest(&action, &actions));
        let fault = format!("The service '{service}' has no action '{action}'");
        faults.warning(DiagnosticCode::UnknownAction, at, fault, help);
        return;
    }
    if let Some(known) = catalog.parameters(&service, &action) {
        check_parameters(written, &action, &known, faults);
    }
}

fn check_parameters(written: Written<'_, '_>, action: &str, known: &[String], faults: &mut Faults) {
    for field in ["Arguments", "Parameters"] {
        let given = written.state.get(field).and_then(Value::as_object);
        for name in given.into_iter().flat_map(|given| given.keys()) {
            let plain = name.strip_suffix(".$").unwrap_or(name);
            if known.iter().any(|known| known == plain) {
                continue;
            }
            faults.warning(
                DiagnosticCode::UnknownParameter,
                format!("{}/{field}/{name}", written.at),
                format!("The action '{action}' has no parameter '{plain}'"),
                advice(&nearest(plain, known)),
            );
        }
    }
}
