//! The work of a call without the network: validate, write, find the endpoint, sign, and read the answer.

use std::sync::Arc;

use aws_credential_types::Credentials;
use cpu_time::ProcessTime;
use quell_aws::endpoint::Placing;
use quell_aws::protocol::{self, Protocol, WireResponse};
use quell_aws::sign::Signer;
use quell_aws::{Config, registry, validate};
use quell_model::Timestamp;

use crate::cases::Case;

/// CPU seconds for each call of each case, after a tenth as many to warm up.
pub(crate) fn ours(config: &Config, cases: &[Case], repeats: impl Fn(&Case) -> u32) -> Vec<f64> {
    let keys = Credentials::from_keys("AKIAIOSFODNN7EXAMPLE", "secret", None);
    let timed = |case: &Case| {
        let count = repeats(case);
        let answer = answer(case);
        for _ in 0..count.div_ceil(10) {
            call(case, config, &keys, &answer);
        }
        let before = ProcessTime::now();
        for _ in 0..count {
            call(case, config, &keys, &answer);
        }
        before.elapsed().as_secs_f64() / f64::from(count)
    };
    cases.iter().map(timed).collect()
}

fn answer(case: &Case) -> WireResponse {
    let mut answer = WireResponse {
        status: 200,
        body: case.body.clone().into(),
        ..WireResponse::default()
    };
    for line in case.headers.lines() {
        let (name, value) = line.split_once(": ").expect("a header");
        let name: http::HeaderName = name.parse().expect("a header's name");
        answer
            .headers
            .insert(name, value.parse().expect("a header's value"));
    }
    answer
}

fn call(case: &Case, config: &Config, keys: &Credentials, answer: &WireResponse) {
    let (service, operation) = registry::operation(case.service, case.operation).expect("a model");
    let protocol = Protocol::of(service).expect("a protocol");
    let input = operation.input.as_ref().map(|input| service.view(input));
    assert!(validate::faults(input, &case.params, protocol.has_null()).is_empty());
    let mut request =
        protocol::write(protocol, service, operation, &case.params).expect("a request");
    let placing = Placing {
        name: case.service,
        service,
        operation,
        params: &case.params,
        region: "us-east-1",
        account: Some("111122223333"),
        config,
    };
    let target = placing.target(&mut request).expect("an endpoint");
    let mut builder = http::Request::builder()
        .method(request.method.as_str())
        .uri(&target.url);
    for (name, value) in &request.headers {
        builder = builder.header(name, value);
    }
    let signer = Signer {
        credentials: Some(keys),
        service: &target.signing_name,
        region: &target.signing_region,
        now: Timestamp::from_millis(1_795_255_200_000),
        manner: target.manner,
    };
    let unsigned = builder.body(()).expect("a request");
    let signed = signer
        .sign(unsigned, Some(&request.body))
        .expect("a signature");
    std::hint::black_box(signed);
    let read = protocol::read(protocol, service, operation, answer);
    let read = read.unwrap_or_else(|_| panic!("{} cannot be read", case.name));
    std::hint::black_box(case.consume(&read.value));
}

/// What it takes serde_json to go over the body of each case that is JSON, and to keep nothing of it.
pub(crate) fn serde_json(cases: &[Case], repeats: impl Fn(&Case) -> u32) -> Vec<Option<f64>> {
    let timed = |case: &Case| {
        let count = repeats(case);
        let read = || serde_json::from_slice::<serde::de::IgnoredAny>(case.body.as_bytes());
        read().ok()?;
        let before = ProcessTime::now();
        for _ in 0..count {
            std::hint::black_box(read().is_ok());
        }
        Some(before.elapsed().as_secs_f64() / f64::from(count))
    };
    cases.iter().map(timed).collect()
}

/// What the client is told of endpoints: nothing.
pub(crate) fn config() -> Config {
    let now = || Timestamp::from_millis(1_795_255_200_000);
    Config::new("us-east-1", crate::credentials(), Arc::new(now))
}
