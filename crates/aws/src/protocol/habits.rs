//! What single services are used to from every SDK, and no model says.

use serde_json::Value;

use super::WireRequest;
use crate::model::{Operation, Service};

/// Route 53 answers with ids as paths (`/hostedzone/Z1`) and wants them without (`Z1`).
const ROUTE_53_IDS: &[&str] = &["ResourceId", "DelegationSetId", "ChangeId"];

/// The parameters as the service wants them, where those are not what it takes for them.
pub(super) fn mend_params(
    service: &Service,
    operation: &Operation,
    params: &Value,
) -> Option<Value> {
    if service.metadata.service_id != "Route 53" {
        return None;
    }
    let input = service.view(operation.input.as_ref()?);
    let mut mended = params.clone();
    for (name, given) in mended.as_object_mut()? {
        let is_id = |member: crate::model::View<'_>| ROUTE_53_IDS.contains(&member.shape_name());
        if let Some(text) = given
            .as_str()
            .filter(|_| input.member(name).is_some_and(is_id))
        {
            *given = text.rsplit('/').next().unwrap_or(text).into();
        }
    }
    Some(mended)
}

/// API Gateway answers in HAL, not as its model says, unless it is asked for plain JSON. Exports are asked for in a
/// form of the caller's own.
pub(super) fn mend_request(service: &Service, request: &mut WireRequest) {
    let asks = |(name, _): &(String, String)| name.eq_ignore_ascii_case("accept");
    if service.metadata.service_id == "API Gateway" && !request.headers.iter().any(asks) {
        let accept = ("Accept".to_owned(), "application/json".to_owned());
        request.headers.push(accept);
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::Model;
    use serde_json::json;

    #[test]
    fn ids_and_accepted_types() {
        let input = json!({"type": "structure", "members": {
            "Id": {"shape": "ResourceId", "location": "uri", "locationName": "Id"},
            "Name": {"shape": "Text", "location": "querystring", "locationName": "name"},
            "Form": {"shape": "Text", "location": "header", "locationName": "accept"}}});
        let shapes =
            json!({"In": input, "ResourceId": {"type": "string"}, "Text": {"type": "string"}});
        let operation =
            json!({"http": {"method": "GET", "requestUri": "/zone/{Id}"}, "shapes": shapes});
        let params = json!({"Id": "/hostedzone/Z1", "Name": "a/b"});

        let route53 = Model::of_service("rest-xml", "Route 53", &operation);
        let request = route53.request(&params).unwrap();
        assert_eq!(
            (request.path.as_str(), request.query.as_str()),
            ("/zone/Z1", "name=a%2Fb")
        );
        assert!(request.headers.is_empty());

        let gateway = Model::of_service("rest-json", "API Gateway", &operation);
        let request = gateway.request(&params).unwrap();
        assert_eq!(request.path, "/zone/%2Fhostedzone%2FZ1");
        let accept = ("Accept".to_owned(), "application/json".to_owned());
        assert_eq!(request.headers, [accept]);
        let export = json!({"Id": "1", "Form": "application/yaml"});
        let own = ("accept".to_owned(), "application/yaml".to_owned());
        assert_eq!(gateway.request(&export).unwrap().headers, [own]);
    }
}
