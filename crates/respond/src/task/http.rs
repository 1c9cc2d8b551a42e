//! `http:invoke`: a request to a server, authorised by an EventBridge connection.
//!
//! See <https://docs.aws.amazon.com/step-functions/latest/dg/call-https-apis.html>.

use std::fmt;

use quell_model::Call;
use serde_json::{Map, Value, json};

use super::TaskFault;
use super::connection::{Authorization, Connection};
use super::encoding::{Arrays, Pairs, encoded, form, query, text};

/// A request as a task describes it.
#[derive(Clone, Debug, PartialEq)]
pub struct HttpTask {
    call: Call,
    endpoint: String,
    method: String,
    headers: Pairs,
    query: Pairs,
    body: Value,
    /// How arrays are written, when the body is a form.
    form: Option<Arrays>,
    connection: String,
}

/// A request as it is sent. It has secrets in it, so only its address is printed, without the query.
#[derive(Clone, PartialEq, Eq)]
pub struct HttpRequest {
    /// `GET`, `POST`, …
    pub method: String,
    /// The URL with its query, encoded.
    pub url: String,
    /// The headers; their names differ.
    pub headers: Vec<(String, String)>,
    /// The body, when there is one.
    pub body: Option<String>,
}

/// What a server answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpAnswer {
    /// The status code.
    pub status: u16,
    /// What stood beside it, or what usually does.
    pub reason: String,
    /// The headers, in order.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// What may be asked of a server.
const METHODS: &[&str] = &["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD"];
/// Those that ask for nothing to be changed (RFC 9110, 9.2.1).
const SAFE_METHODS: &[&str] = &["GET", "HEAD", "OPTIONS"];
/// As much of an answer as is asked for, in bytes.
const RANGE: &str = "bytes=0-262144";

/// Headers that are not the task's to set.
const FORBIDDEN: &[&str] = &[
    "a-im",
    "accept-charset",
    "accept-datetime",
    "accept-encoding",
    "authorization",
    "cache-control",
    "connection",
    "content-encoding",
    "content-length",
    "content-md5",
    "date",
    "expect",
    "forwarded",
    "from",
    "host",
    "http2-settings",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "if-range",
    "if-unmodified-since",
    "max-forwards",
    "origin",
    "pragma",
    "proxy-authorization",
    "referer",
    "server",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "via",
    "warning",
];
const FORBIDDEN_BEGINNINGS: &[&str] = &["x-forwarded-", "x-amz-", "x-amzn-"];

const MEMBERS: &[&str] = &[
    "ApiEndpoint",
    "Authentication",
    "Headers",
    "InvocationConfig",
    "Method",
    "QueryParameters",
    "RequestBody",
    "Transform",
];

impl HttpTask {
    /// # Errors
    /// `States.Runtime` names the argument that cannot be carried out.
    pub(super) fn of(call: Call) -> Result<Self, TaskFault> {
        let unfit = |what: &str| TaskFault::arguments(format!("http:invoke: {what}"));
        let given = call.params.as_object();
        let given = given.ok_or_else(|| unfit("the arguments must be an object"))?;
        if let Some(unknown) = given.keys().find(|name| !MEMBERS.contains(&name.as_str())) {
            return Err(unfit(&format!("there is no parameter '{unknown}'")));
        }
        let word = |name: &str| given.get(name).and_then(Value::as_str);
        let endpoint = word("ApiEndpoint")
            .filter(|url| is_url(url))
            .ok_or_else(|| {
                unfit("ApiEndpoint must be an http: or https: URL without a name or password in it")
            })?;
        let method = word("Method").filter(|method| METHODS.contains(method));
        let method = method.ok_or_else(|| unfit(&format!("Method must be one of {METHODS:?}")))?;
        Ok(Self {
            endpoint: endpoint.to_owned(),
            method: method.to_owned(),
            headers: headers(given.get("Headers")).map_err(|what| unfit(&what))?,
            query: given.get("QueryParameters").map(query).unwrap_or_default(),
            body: given.get("RequestBody").cloned().unwrap_or_default(),
            form: transform(given.get("Transform")).map_err(|what| unfit(&what))?,
            connection: connection(given).ok_or_else(|| {
                unfit("InvocationConfig must have the ConnectionArn of an EventBridge connection")
            })?,
            call,
        })
    }

    /// The call by which it is declared and permitted.
    pub fn call(&self) -> &Call {
        &self.call
    }

    /// Whether the method asks for nothing to be changed.
    pub fn only_reads(&self) -> bool {
        SAFE_METHODS.contains(&self.method.as_str())
    }

    /// The URL that is asked, without the query that is added.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// The ARN of the EventBridge connection.
    pub fn connection(&self) -> &str {
        &self.connection
    }

    /// The request that is sent from `region`: what the connection says wins over what the task says.
    ///
    /// # Errors
    /// `States.Runtime` when the two do not go together.
    pub fn request(&self, connection: &Connection, region: &str) -> Result<HttpRequest, TaskFault> {
        let added = &connection.parameters;
        let mut headers = over(&self.headers, &added.headers, str::eq_ignore_ascii_case);
        let body = self.body(&added.body)?;
        if body.is_some() && !has(&headers, "content-type") {
            let json = "application/json; charset=UTF-8";
            headers.push(("Content-Type".to_owned(), json.to_owned()));
        }
        let agent = format!("Amazon|StepFunctions|HttpInvoke|{region}");
        let mut last = vec![
            ("User-Agent".to_owned(), agent),
            ("Range".to_owned(), RANGE.to_owned()),
        ];
        match &connection.authorization {
            Some(Authorization::ApiKey { name, value }) => last.push((name.clone(), value.clone())),
            Some(Authorization::Header(value)) => {
                last.push(("Authorization".to_owned(), value.clone()));
            }
            None => {}
        }
        let headers = over(&headers, &last, str::eq_ignore_ascii_case);
        let query = encoded(&over(&self.query, &added.query, |a, b| a == b));
        Ok(HttpRequest {
            method: self.method.clone(),
            url: with_query(&self.endpoint, &query),
            headers,
            body,
        })
    }

    fn body(&self, added: &[(String, String)]) -> Result<Option<String>, TaskFault> {
        let mut body = self.body.clone();
        if !added.is_empty() {
            if body.is_null() {
                body = Value::Object(Map::new());
            }
            let members = body.as_object_mut().ok_or_else(|| {
                TaskFault::arguments(
                    "http:invoke: the connection adds to the body, and RequestBody is not an object",
                )
            })?;
            for (name, value) in added {
                members.insert(name.clone(), value.as_str().into());
            }
        }
        Ok(match (body, self.form) {
            (Value::Null, _) => None,
            (Value::String(text), _) => Some(text),
            (body @ Value::Object(_), Some(arrays)) => Some(encoded(&form(&body, arrays))),
            (body, _) => Some(body.to_string()),
        })
    }

    /// The task's result.
    ///
    /// # Errors
    /// `States.Http.StatusCode.404` and the like, with the server's own words, for every status but 2xx;
    /// `States.Runtime` for an answer that is no text.
    pub fn answered(&self, answer: HttpAnswer) -> Result<Value, TaskFault> {
        let kind = answer.header("content-type").unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default().trim();
        let kind = kind.to_ascii_lowercase();
        let unreadable = ["image/", "video/", "audio/", "application/octet-stream"];
        let is_unreadable = unreadable
            .iter()
            .any(|beginning| kind.starts_with(beginning));
        let unfit = |what| TaskFault::arguments(format!("http:invoke: the answer is {what}"));
        if is_unreadable {
            return Err(unfit(format!("of the type {kind}, which is not supported")));
        }
        let body = String::from_utf8(answer.body).map_err(|_| unfit("no text".to_owned()))?;
        if !(200..300).contains(&answer.status) {
            let error = format!("States.Http.StatusCode.{}", answer.status);
            let cause = if body.is_empty() { answer.reason } else { body };
            return Err(TaskFault::new(error, cause));
        }
        let is_json = kind == "application/json" || kind.ends_with("+json");
        let parsed = is_json.then(|| serde_json::from_str(&body).ok()).flatten();
        let mut headers: Map<String, Value> = Map::new();
        for (name, value) in answer.headers {
            let values = headers.entry(name).or_insert_with(|| json!([]));
            if let Some(values) = values.as_array_mut() {
                values.push(value.into());
            }
        }
        Ok(json!({
            "Headers": headers, "ResponseBody": parsed.unwrap_or(Value::String(body)),
            "StatusCode": answer.status, "StatusText": answer.reason,
        }))
    }

    /// There is no answer.
    pub fn unanswered(&self, reason: &str) -> TaskFault {
        TaskFault::new("States.Http.Socket", reason)
    }
}

impl HttpAnswer {
    fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        let found = headers.find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }
}

impl fmt::Debug for HttpRequest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let address = self.url.split('?').next().unwrap_or_default();
        write!(f, "{} {address}", self.method)
    }
}

/// A name and a password in a URL would be credentials in a document.
fn is_url(url: &str) -> bool {
    let rest = url.strip_prefix("https://").or(url.strip_prefix("http://"));
    let sound = |rest: &str| {
        let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
        !host.is_empty() && !host.contains('@')
    };
    rest.is_some_and(sound) && url.bytes().all(|b| b.is_ascii_graphic() && b != b'#')
}

fn connection(given: &Map<String, Value>) -> Option<String> {
    let of = |name: &str| given.get(name)?.get("ConnectionArn")?.as_str();
    let arn = of("InvocationConfig").or_else(|| of("Authentication"))?;
    Some(arn.to_owned())
}

fn headers(given: Option<&Value>) -> Result<Pairs, String> {
    let given = match given {
        None | Some(Value::Null) => return Ok(Pairs::new()),
        Some(Value::Object(given)) => given,
        Some(_) => return Err("Headers must be an object".to_owned()),
    };
    let mut headers = Pairs::new();
    for (name, value) in given {
        let plain = name.to_ascii_lowercase();
        let is_forbidden = FORBIDDEN.contains(&plain.as_str())
            || FORBIDDEN_BEGINNINGS.iter().any(|b| plain.starts_with(b));
        if is_forbidden {
            return Err(format!("the header '{name}' is not the task's to set"));
        }
        let value = match value {
            Value::Array(items) => items.iter().map(text).collect::<Vec<_>>().join(", "),
            other => text(other),
        };
        let is_name = |b: u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&b);
        let is_sound = !name.is_empty()
            && name.bytes().all(is_name)
            && value
                .bytes()
                .all(|b| b == b'\t' || (b >= b' ' && b != 0x7f));
        if !is_sound {
            return Err(format!(
                "the header '{name}' has characters that no header may have"
            ));
        }
        headers.push((name.clone(), value));
    }
    Ok(headers)
}

fn transform(given: Option<&Value>) -> Result<Option<Arrays>, String> {
    let encoding = given.and_then(|given| given.get("RequestBodyEncoding"));
    let arrays = given.and_then(|given| given.pointer("/RequestEncodingOptions/ArrayFormat"));
    match encoding.and_then(Value::as_str) {
        None if encoding.is_none() => Ok(None),
        Some("NONE") => Ok(None),
        Some("URL_ENCODED") => match arrays {
            None => Ok(Some(Arrays::Indices)),
            Some(name) => name
                .as_str()
                .and_then(Arrays::named)
                .map(Some)
                .ok_or_else(|| {
                    "ArrayFormat must be INDICES, REPEAT, COMMAS or BRACKETS".to_owned()
                }),
        },
        _ => Err("RequestBodyEncoding must be NONE or URL_ENCODED".to_owned()),
    }
}

/// The first pairs, without those that the second has too, and then the second.
fn over(
    first: &[(String, String)],
    second: &[(String, String)],
    same: fn(&str, &str) -> bool,
) -> Pairs {
    let kept = first
        .iter()
        .filter(|(name, _)| !second.iter().any(|(n, _)| same(n, name)));
    kept.chain(second).cloned().collect()
}

fn has(headers: &[(String, String)], name: &str) -> bool {
    headers
        .iter()
        .any(|(known, _)| known.eq_ignore_ascii_case(name))
}

fn with_query(url: &str, query: &str) -> String {
    match (query.is_empty(), url.contains('?')) {
        (true, _) => url.to_owned(),
        (false, true) => format!("{url}&{query}"),
        (false, false) => format!("{url}?{query}"),
    }
}
