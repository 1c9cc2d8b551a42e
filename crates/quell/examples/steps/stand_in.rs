//! Calls of a stand-in for AWS, by the client's own parts: names, models, protocols, endpoints and signatures.

use std::sync::Arc;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use quell_aws::endpoint::{Placing, Target};
use quell_aws::model::{Operation, Service};
use quell_aws::names::{answer_to_states, params_from_states};
use quell_aws::protocol::{self, ErrorAnswer, Protocol, Unread, WireRequest, WireResponse};
use quell_aws::sign::Signer;
use quell_aws::{
    AwsError, Config, Credentials, ServiceError, SharedCredentialsProvider, Spelling, registry,
    validate,
};
use quell_model::{Call as Sent, Timestamp};
use quell_respond::task::Answer;
use serde_json::Value;

/// What a call that gives no idempotency token gets.
const TOKEN: &str = "00000000-0000-4000-8000-000000000000";

/// The stand-in, and as whom it is called.
pub(crate) struct StandIn {
    http: Client<HttpConnector, Full<Bytes>>,
    config: Config,
    credentials: Credentials,
    account: String,
    now: Timestamp,
}

/// A call by its model.
#[derive(Clone, Copy)]
struct Call {
    name: &'static str,
    service: &'static Service,
    operation: &'static Operation,
    protocol: Protocol,
    spelling: Spelling,
}

impl StandIn {
    pub(crate) fn new(endpoint: &str, region: &str, account: &str, now: Timestamp) -> Self {
        let credentials = Credentials::from_keys("AKIDEXAMPLE", "secret", None);
        let provider = SharedCredentialsProvider::new(credentials.clone());
        let mut config = Config::new(region, provider, Arc::new(move || now));
        config.endpoint_url = Some(endpoint.to_owned());
        Self {
            http: Client::builder(TokioExecutor::new()).build_http(),
            config,
            credentials,
            account: account.to_owned(),
            now,
        }
    }

    /// Makes a call, parameters and answer in a spelling of Step Functions.
    pub(crate) async fn task(&self, sent: &Sent, spelling: Spelling) -> Result<Answer, AwsError> {
        let call = Call::named(
            quell_aws::sdk_service(&sent.service),
            &sent.operation,
            spelling,
        )?;
        let (mut request, params) = call.written(&sent.params)?;
        let placing = Placing {
            name: call.name,
            service: call.service,
            operation: call.operation,
            params: &params,
            region: &self.config.region,
            account: Some(&self.account),
            config: &self.config,
        };
        let target = placing.target(&mut request)?;
        let response = self.sent(request, target).await;
        call.read(&response.map_err(|reason| call.lost(reason))?)
    }

    async fn sent(&self, request: WireRequest, target: Target) -> Result<WireResponse, String> {
        let mut built = http::Request::builder()
            .method(request.method.as_str())
            .uri(&target.url);
        for (name, value) in &request.headers {
            built = built.header(name, value);
        }
        let signer = Signer {
            credentials: Some(&self.credentials),
            service: &target.signing_name,
            region: &target.signing_region,
            now: self.now,
            manner: target.manner,
        };
        let built = built
            .body(Full::new(request.body.clone()))
            .map_err(|why| why.to_string())?;
        let signed = signer.sign(built, Some(&request.body))?;
        let answer = self.http.request(signed).await;
        let (head, body) = answer.map_err(|why| why.to_string())?.into_parts();
        let body = body.collect().await.map_err(|why| why.to_string())?;
        Ok(WireResponse {
            status: head.status.as_u16(),
            headers: head.headers,
            body: body.to_bytes(),
        })
    }
}

impl Call {
    fn named(name: &str, operation: &str, spelling: Spelling) -> Result<Self, AwsError> {
        let (service, operation) = registry::operation(name, operation)?;
        let known = registry::SERVICES.iter().find(|known| **known == name);
        let (Some(name), Some(protocol)) = (known, Protocol::of(service)) else {
            return Err(AwsError::Model {
                service: name.to_owned(),
                what: "none of its protocols is built".to_owned(),
            });
        };
        Ok(Self {
            name,
            service,
            operation,
            protocol,
            spelling,
        })
    }

    /// The request, and the parameters in the API's own spelling.
    fn written(self, params: &Value) -> Result<(WireRequest, Value), AwsError> {
        let input = self.operation.input.as_ref();
        let input = input.map(|input| self.service.view(input));
        let invalid = |faults| AwsError::InvalidParams {
            service: self.name.to_owned(),
            operation: self.operation.name.clone(),
            faults,
        };
        let mut params = params_from_states(input, params, self.spelling).map_err(invalid)?;
        let faults = validate::faults(input, &params, self.protocol.has_null());
        if !faults.is_empty() {
            return Err(invalid(faults));
        }
        protocol::fill_tokens(self.service, self.operation, &mut params, || {
            TOKEN.to_owned()
        });
        match protocol::write(self.protocol, self.service, self.operation, &params) {
            Ok(request) => Ok((request, params)),
            Err(why) => Err(AwsError::Unwritable {
                service: self.name.to_owned(),
                operation: self.operation.name.clone(),
                what: why.to_string(),
            }),
        }
    }

    fn read(self, response: &WireResponse) -> Result<Answer, AwsError> {
        let Self {
            service,
            operation,
            protocol,
            ..
        } = self;
        if response.status >= 300 {
            let said = protocol::read_error(protocol, service, operation, response);
            return Err(self.refused(said, response.status));
        }
        match protocol::read(protocol, service, operation, response) {
            Ok(answer) => {
                let output = operation.output.as_ref();
                let output = output.map(|output| service.view(output));
                let headers = response.headers.iter().map(|(name, value)| {
                    let value = String::from_utf8_lossy(value.as_bytes());
                    (name.to_string(), value.into_owned())
                });
                Ok(Answer {
                    value: answer_to_states(output, answer.value.to_json(), self.spelling),
                    status: response.status,
                    headers: headers.collect(),
                    request_id: answer.request_id,
                })
            }
            Err(Unread::Refused(said)) => Err(self.refused(*said, response.status)),
            Err(Unread::Malformed(why)) => Err(self.lost(why.to_string())),
        }
    }

    fn refused(self, said: ErrorAnswer, status: u16) -> AwsError {
        AwsError::from(Box::new(ServiceError {
            service: self.name.to_owned(),
            operation: self.operation.name.clone(),
            code: said.code,
            message: said.message,
            request_id: said.request_id,
            status,
            shape: said.shape,
            attempts: 1,
            is_changing: true,
            is_throttling: false,
            bucket_region: None,
        }))
    }

    fn lost(self, reason: String) -> AwsError {
        AwsError::Unanswered {
            service: self.name.to_owned(),
            operation: self.operation.name.clone(),
            reason,
        }
    }
}
