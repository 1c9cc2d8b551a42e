//! The checksum of a request's body, in a header, where the model demands one or the caller names an algorithm.

use serde_json::Value;

use super::{Malformed, Protocol, WireRequest};
use crate::checksum::Algorithm;
use crate::model::{Operation, Service};

/// Adds the headers, unless a parameter is such a header already.
pub(super) fn add(
    protocol: Protocol,
    service: &Service,
    operation: &Operation,
    params: &Value,
    request: &mut WireRequest,
) -> Result<(), Malformed> {
    if request.headers.iter().any(|(name, _)| is_sum(name)) {
        return Ok(());
    }
    let demands = operation.http_checksum.as_ref();
    let chooses = demands.and_then(|demands| demands.request_algorithm_member.as_deref());
    let chosen = chooses.and_then(|member| params.get(member)?.as_str());
    let is_demanded = demands.is_some_and(|demands| demands.request_checksum_required);
    let algorithm = match chosen {
        Some(name) => Algorithm::named(name).ok_or_else(|| not_built(name))?,
        // Smithy's own trait means MD5. S3's family takes what the newer trait means.
        None if operation.http_checksum_required && protocol != Protocol::RestXml => {
            let sum = Algorithm::Md5.of(&request.body);
            request.headers.push(("Content-MD5".to_owned(), sum));
            return Ok(());
        }
        None if is_demanded || operation.http_checksum_required => Algorithm::Crc32,
        None => return Ok(()),
    };
    if chosen.is_none() {
        let input = operation.input.as_ref().map(|input| service.view(input));
        let member = chooses.and_then(|member| input?.member(member));
        if let Some(header) = member.and_then(|member| member.wire_name()) {
            let name = algorithm.name().to_owned();
            request.headers.push((header.to_owned(), name));
        }
    }
    let sum = algorithm.of(&request.body);
    request.headers.push((algorithm.header(), sum));
    Ok(())
}

fn is_sum(header: &str) -> bool {
    let header = header.to_ascii_lowercase();
    let kind = header.strip_prefix("x-amz-checksum-");
    kind.is_some_and(|kind| !matches!(kind, "algorithm" | "mode" | "type"))
}

fn not_built(algorithm: &str) -> Malformed {
    let built: Vec<&str> = Algorithm::ALL.iter().map(|a| a.name()).collect();
    let built = built.join(", ");
    Malformed::new(format!(
        "the checksum {algorithm} cannot be made; these can: {built}"
    ))
}

#[cfg(test)]
mod tests {
    use super::super::tests::Model;
    use serde_json::json;

    fn headers(operation: &serde_json::Value, params: &serde_json::Value) -> Vec<String> {
        let model = Model::of("rest-xml", operation);
        let mut headers = Vec::new();
        for (name, value) in model.request(params).unwrap().headers {
            if name.contains("hecksum") || name.contains("MD5") {
                headers.push(format!("{name}: {value}"));
            }
        }
        headers
    }

    #[test]
    fn what_is_demanded_or_chosen_is_summed() {
        let input = json!({"type": "structure", "payload": "Body", "members": {
            "Body": {"shape": "Text"},
            "Algorithm": {"shape": "Text", "location": "header", "locationName": "x-amz-sdk-checksum-algorithm"},
            "ChecksumSHA1": {"shape": "Text", "location": "header", "locationName": "x-amz-checksum-sha1"}}});
        let demanded = json!({"httpChecksum": {"requestAlgorithmMember": "Algorithm", "requestChecksumRequired": true},
            "shapes": {"In": input, "Text": {"type": "string"}}});
        let digits = json!({"Body": "123456789"});
        assert_eq!(
            headers(&demanded, &digits),
            [
                "x-amz-sdk-checksum-algorithm: CRC32",
                "x-amz-checksum-crc32: y/Q5Jg=="
            ]
        );
        let chosen = json!({"Body": "123456789", "Algorithm": "CRC32C"});
        assert_eq!(
            headers(&demanded, &chosen),
            [
                "x-amz-sdk-checksum-algorithm: CRC32C",
                "x-amz-checksum-crc32c: 4waSgw=="
            ]
        );
        let given = json!({"Body": "123456789", "ChecksumSHA1": "sum"});
        assert_eq!(headers(&demanded, &given), ["x-amz-checksum-sha1: sum"]);
        let older = json!({"httpChecksumRequired": true, "shapes": {"In": input, "Text": {"type": "string"}}});
        assert_eq!(headers(&older, &digits), ["x-amz-checksum-crc32: y/Q5Jg=="]);

        let model = Model::of("rest-json", &older);
        let sent = model.request(&digits).unwrap().headers;
        let sum = (
            "Content-MD5".to_owned(),
            "JfnnlDI7RTiF9RgfG2JNCw==".to_owned(),
        );
        assert!(sent.contains(&sum), "{sent:?}");
        let model = Model::of("rest-xml", &demanded);
        assert!(model.request(&json!({"Algorithm": "XXHASH3"})).is_err());
    }
}
