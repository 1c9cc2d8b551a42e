//! What a call tells the endpoint rules: its operation, its input, and what the client knows.

use serde_json::{Map, Value as Json};

use super::rules::{BuiltIn, RuleSet};
use crate::model::{Operation, Service};

/// What the client knows that the rules may ask for.
#[derive(Clone, Debug, Default)]
#[expect(missing_docs, reason = "the names of the rules' own built-ins")]
pub struct BuiltIns<'a> {
    pub region: Option<&'a str>,
    pub endpoint: Option<&'a str>,
    pub use_fips: bool,
    pub use_dual_stack: bool,
    pub account_id: Option<&'a str>,
    pub account_id_endpoint_mode: Option<&'a str>,
    pub s3_accelerate: bool,
    pub s3_force_path_style: bool,
    pub s3_use_global_endpoint: bool,
    pub s3_use_arn_region: Option<bool>,
    pub s3_disable_multi_region_access_points: bool,
    pub s3control_use_arn_region: Option<bool>,
    pub sts_use_global_endpoint: bool,
}

impl BuiltIns<'_> {
    fn value(&self, built_in: BuiltIn) -> Json {
        match built_in {
            BuiltIn::Region => self.region.into(),
            BuiltIn::Endpoint => self.endpoint.into(),
            BuiltIn::UseFips => self.use_fips.into(),
            BuiltIn::UseDualStack => self.use_dual_stack.into(),
            BuiltIn::AccountId => self.account_id.into(),
            BuiltIn::AccountIdEndpointMode => self.account_id_endpoint_mode.into(),
            BuiltIn::S3Accelerate => self.s3_accelerate.into(),
            BuiltIn::S3ForcePathStyle => self.s3_force_path_style.into(),
            BuiltIn::S3UseGlobalEndpoint => self.s3_use_global_endpoint.into(),
            BuiltIn::S3UseArnRegion => self.s3_use_arn_region.into(),
            BuiltIn::S3DisableMultiRegionAccessPoints => {
                self.s3_disable_multi_region_access_points.into()
            }
            BuiltIn::S3ControlUseArnRegion => self.s3control_use_arn_region.into(),
            BuiltIn::StsUseGlobalEndpoint => self.sts_use_global_endpoint.into(),
        }
    }
}

/// The parameters of a call, by name. What the operation says comes first, then the call's `input`, then what the
/// client knows.
pub fn parameters(
    rules: &RuleSet,
    service: &Service,
    operation: &Operation,
    input: &Json,
    built_ins: &BuiltIns<'_>,
) -> Map<String, Json> {
    let mut from_input = Map::new();
    let view = operation.input.as_ref().map(|input| service.view(input));
    for (member, view) in view.into_iter().flat_map(|view| view.members()) {
        if let (Some(name), Some(value)) = (view.context_param(), input.get(member)) {
            from_input.insert(name.to_owned(), value.clone());
        }
    }
    let value = |name: &str, built_in: Option<BuiltIn>| {
        let fixed = operation.static_context_params.get(name);
        fixed
            .map(|fixed| fixed.value.clone())
            .or_else(|| from_input.get(name).cloned())
            .or_else(|| at_path(&operation.operation_context_params.get(name)?.path, input))
            .or_else(|| built_in.map(|built_in| built_ins.value(built_in)))
    };
    let all = rules.parameters.iter();
    all.filter_map(|p| Some((p.name.clone(), value(&p.name, p.built_in)?)))
        .collect()
}

/// What the input has at a JMESPath.
fn at_path(path: &str, input: &Json) -> Option<Json> {
    let found = jmespath::compile(path).ok()?.search(input).ok()?;
    let found = serde_json::to_value(&*found).ok()?;
    (!found.is_null()).then_some(found)
}
