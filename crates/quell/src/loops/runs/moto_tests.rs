//! Tasks against moto and a server of this machine: the document, the guard, the permit, the call, the result.

#[path = "../../../../aws/tests/range/mod.rs"]
mod range;

use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::test_content::*;
use crate::app::App;
use crate::config::Secret;
use crate::loops::{Tasks, drive_to_end};
use crate::runner::signal;

/// boto3, so that our own client is not what proves itself. The script prints JSON.
fn boto3(url: &str, script: &str, arguments: &[&str]) -> Value {
    let begin = "import sys, json, boto3, urllib.request\nurl, *rest = sys.argv[1:]\ndef client(name):\n    \
        return boto3.client(name, endpoint_url=url, region_name='us-east-1', \
        aws_access_key_id='AKIAIOSFODNN7EXAMPLE', aws_secret_access_key='secret')\n";
    let output = Command::new(range::python().unwrap())
        .args(["-c", &format!("{begin}{script}"), url])
        .args(arguments)
        .env("PYTHONUTF8", "1")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    serde_json::from_slice(&output.stdout).unwrap()
}

const SEED: &str = r"
sns, sqs, events, dynamodb, iam, awslambda = map(client, ['sns', 'sqs', 'events', 'dynamodb', 'iam', 'lambda'])
queue = sqs.create_queue(QueueName='q')['QueueUrl']
arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=['QueueArn'])['Attributes']['QueueArn']
topic = sns.create_topic(Name='t')['TopicArn']
sns.subscribe(TopicArn=topic, Protocol='sqs', Endpoint=arn, Attributes={'RawMessageDelivery': 'true'})
events.put_rule(Name='r', EventPattern=json.dumps({'source': ['quell.test']}))
events.put_targets(Rule='r', Targets=[{'Id': '1', 'Arn': arn}])
dynamodb.create_table(TableName='t', KeySchema=[{'AttributeName': 'id', 'KeyType': 'HASH'}],
    AttributeDefinitions=[{'AttributeName': 'id', 'AttributeType': 'S'}], BillingMode='PAY_PER_REQUEST')
dynamodb.put_item(TableName='t', Item={'id': {'S': 'a'}, 'nothing': {'NULL': True}})
simple = urllib.request.Request(url + '/moto-api/config', data=json.dumps({'lambda': {'use_docker': False}}).encode(), method='POST', headers={'Content-Type': 'application/json'})
urllib.request.urlopen(simple).read()
role = iam.create_role(RoleName='l', AssumeRolePolicyDocument='{}')['Role']['Arn']
function = awslambda.create_function(FunctionName='f', Role=role, Runtime='python3.12', Handler='h.h', Code={'ZipFile': b'x'})['FunctionArn']
connection = events.create_connection(Name='c', AuthorizationType='API_KEY', AuthParameters={
    'ApiKeyAuthParameters': {'ApiKeyName': 'X-Key', 'ApiKeyValue': 'hush'},
    'InvocationHttpParameters': {'QueryStringParameters': [{'Key': 'from', 'Value': 'connection', 'IsValueSecret': False}]}})['ConnectionArn']
basic = events.create_connection(Name='b', AuthorizationType='BASIC', AuthParameters={
    'BasicAuthParameters': {'Username': 'me', 'Password': 'hush'}})['ConnectionArn']
print(json.dumps({'queue': queue, 'topic': topic, 'function': function, 'connection': connection, 'basic': basic}))
";

const RECEIVE: &str = "
found = client('sqs').receive_message(QueueUrl=rest[0], MaxNumberOfMessages=10).get('Messages', [])
[client('sqs').delete_message(QueueUrl=rest[0], ReceiptHandle=m['ReceiptHandle']) for m in found]
print(json.dumps([m['Body'] for m in found]))
";

struct World {
    moto: range::Moto,
    folder: tempfile::TempDir,
    seed: Value,
    /// What is written into the content, a playbook each.
    playbooks: Vec<String>,
}

impl World {
    fn new() -> Option<Self> {
        let moto = range::Moto::start()?;
        let seed = boto3(&moto.url, SEED, &[]);
        let folder = tempfile::tempdir().unwrap();
        Some(World {
            moto,
            folder,
            seed,
            playbooks: Vec::new(),
        })
    }

    fn text(&self, name: &str) -> String {
        self.seed[name].as_str().unwrap().to_owned()
    }

    fn content(&self) -> std::path::PathBuf {
        self.folder.path().join("content")
    }

    /// A playbook with one call under a permit; its output says in `outcome` what came, or the error.
    fn change(&mut self, step: (&str, &str), planned: &Value, made: &Value, says: &str) {
        let id = format!("PB-9{:02}", self.playbooks.len());
        let mut state = task(made, ends(says));
        if is_of_aws(made) {
            let family = quell_guard::Family::of(step.0, step.1);
            state["Credentials"] = role(&format!("A-{}", family.name()));
        }
        let states = json!({"Gate": gate(&id, planned, "Tell"), "Tell": state, "Caught": {"Type": "Succeed"}});
        let (service, operation) = step;
        write(
            &self.content(),
            &id,
            &document("Gate", states),
            &[("Tell", service, operation)],
        );
        self.playbooks.push(id);
    }

    fn read(&mut self, step: (&str, &str), made: &Value, says: &str) {
        let id = format!("PB-9{:02}", self.playbooks.len());
        let mut state = task(made, ends(says));
        if is_of_aws(made) {
            state["Credentials"] = role("R");
        }
        let states = json!({"Tell": state, "Caught": {"Type": "Succeed"}});
        let (service, operation) = step;
        write(
            &self.content(),
            &id,
            &document("Tell", states),
            &[("Tell", service, operation)],
        );
        self.playbooks.push(id);
    }

    async fn app(&self, hosts: Vec<String>) -> Arc<App> {
        let secret = |name: &str, text: &str| {
            let file = self.folder.path().join(name);
            std::fs::write(&file, text).unwrap();
            Some(Secret::reference(&format!("file:{}", file.display())))
        };
        let (id, key) = (
            secret("id", "AKIAIOSFODNN7EXAMPLE"),
            secret("key", "secret"),
        );
        app(self.folder.path(), |config| {
            config.aws.endpoint_url = Some(self.moto.url.clone());
            config.aws.access_key_id = id;
            config.aws.secret_access_key = key;
            config.respond.http_hosts = hosts;
        })
        .await
    }

    /// The outcomes of all playbooks, run one after another.
    async fn outcomes(&self, app: &Arc<App>) -> Vec<String> {
        let mut outcomes = Vec::new();
        for id in &self.playbooks {
            let id = store(app, id).await;
            drive_to_end(app, &id).await.unwrap();
            let ended = run(app, &id).await;
            println!("{}: {:?} {:?}", ended.playbook, ended.outcome, ended.reason);
            outcomes.push(ended.outcome.unwrap());
        }
        outcomes
    }

    fn received(&self) -> Vec<String> {
        let bodies = boto3(&self.moto.url, RECEIVE, &[&self.text("queue")]);
        serde_json::from_value(bodies).unwrap()
    }
}

fn is_of_aws(call: &Value) -> bool {
    !call["resource"].as_str().unwrap().ends_with("http:invoke")
}

fn role(name: &str) -> Value {
    json!({"RoleArn": format!("arn:aws:iam::{ACCOUNT}:role/{name}")})
}

fn ends(says: &str) -> Value {
    json!({"Output": {"outcome": says}, "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "Caught",
        "Output": {"outcome": "{% $states.errorOutput.Error %}", "reason": "{% $states.errorOutput.Cause %}"}}]})
}

fn call(resource: &str, arguments: Value) -> Value {
    let resource = match resource.starts_with("arn:") {
        true => resource.to_owned(),
        false => format!("arn:aws:states:::{resource}"),
    };
    json!({"resource": resource, "arguments": arguments})
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_of_every_service_are_made_and_their_results_and_errors_are_those_of_step_functions()
{
    let Some(mut world) = World::new() else {
        return;
    };
    let (queue, topic, function) = (
        world.text("queue"),
        world.text("topic"),
        world.text("function"),
    );
    let mut expected = Vec::new();
    let ok = "{% $string($states.result.SdkHttpMetadata.HttpStatusCode) & ($exists($states.result.MessageId) ? 'm' : '') %}";
    let publish = ("sns", "Publish");
    let told = call(
        "sns:publish",
        json!({"TopicArn": topic, "Message": {"from": "sns"}}),
    );
    world.change(publish, &told, &told, ok);
    expected.push("200m");
    let nowhere = call(
        "sns:publish",
        json!({"TopicArn": format!("{topic}x"), "Message": "m"}),
    );
    world.change(publish, &nowhere, &nowhere, ok);
    expected.push("SNS.NotFoundException");
    let unfit = call("sns:publish", json!({"TopicArn": topic, "Massage": "m"}));
    world.change(publish, &unfit, &unfit, ok);
    expected.push("SNS.AmazonSNSException");
    let sent = call(
        "sqs:sendMessage",
        json!({"QueueUrl": queue, "MessageBody": {"from": "sqs"}}),
    );
    world.change(
        ("sqs", "SendMessage"),
        &sent,
        &sent,
        "{% $states.result.MD5OfMessageBody ? 'md5' : '-' %}",
    );
    expected.push("md5");
    let gone = call(
        "sqs:sendMessage",
        json!({"QueueUrl": format!("{queue}x"), "MessageBody": "m"}),
    );
    world.change(("sqs", "SendMessage"), &gone, &gone, ok);
    expected.push("SQS.QueueDoesNotExistException");
    let entry = json!({"Source": "quell.test", "DetailType": "t", "Detail": {"from": "events"}});
    let event = call("events:putEvents", json!({"Entries": [entry]}));
    world.change(
        ("events", "PutEvents"),
        &event,
        &event,
        "{% $string($states.result.FailedEntryCount) %}",
    );
    expected.push("0");
    let payload = json!({"FunctionName": function, "Payload": {"a": 1}});
    let invoked = call("lambda:invoke", payload);
    let says = "{% $string($states.result.StatusCode) & $states.result.Payload %}";
    world.change(("lambda", "Invoke"), &invoked, &invoked, says);
    expected.push("200{\"a\":1}");
    let bare = call(&function, json!({"a": 1}));
    world.change(
        ("lambda", "Invoke"),
        &bare,
        &bare,
        "{% $string($states.result) %}",
    );
    expected.push("{\"a\":1}");
    let item = call(
        "dynamodb:getItem",
        json!({"TableName": "t", "Key": {"id": {"S": "a"}}}),
    );
    let says = "{% $states.result.Item.id.S & $string($states.result.Item.nothing.NULL) %}";
    world.read(("dynamodb", "GetItem"), &item, says);
    expected.push("atrue");
    let none = call(
        "dynamodb:getItem",
        json!({"TableName": "u", "Key": {"id": {"S": "a"}}}),
    );
    world.read(("dynamodb", "GetItem"), &none, ok);
    expected.push("DynamoDB.ResourceNotFoundException");
    // A table is no message: no proof speaks for it, and nothing is put into it.
    let put = call(
        "dynamodb:putItem",
        json!({"TableName": "t", "Item": {"id": {"S": "b"}}}),
    );
    world.change(("dynamodb", "PutItem"), &put, &put, ok);
    expected.push("Quell.Refused");

    let app = world.app(Vec::new()).await;
    assert_eq!(world.outcomes(&app).await, expected);
    let mut received = world.received();
    received.sort();
    assert_eq!(received.len(), 3, "{received:?}");
    assert_eq!(&received[..2], ["{\"from\":\"sns\"}", "{\"from\":\"sqs\"}"]);
    let event: Value = serde_json::from_str(&received[2]).unwrap();
    assert_eq!(event["detail"], json!({"from": "events"}));
    let resources = event["resources"].as_array().unwrap();
    assert_eq!(resources[0], "quell:playbook/PB-905");
    assert!(
        resources[1].as_str().unwrap().starts_with("run-"),
        "{resources:?}"
    );
}

/// Whoever has the message says how its task ends; a word too late or twice is refused.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_with_a_token_waits_for_whoever_has_it() {
    let Some(mut world) = World::new() else {
        return;
    };
    let queue = world.text("queue");
    let resource = "sqs:sendMessage.waitForTaskToken";
    let message = |token: &str| json!({"QueueUrl": queue, "MessageBody": {"token": token}});
    let planned = call(resource, message("quell:task-token"));
    let made = call(resource, message("{% $states.context.Task.Token %}"));
    world.change(
        ("sqs", "SendMessage"),
        &planned,
        &made,
        "{% $states.result.said %}",
    );
    world.change(
        ("sqs", "SendMessage"),
        &planned,
        &made,
        "{% $states.result.said %}",
    );
    let app = world.app(Vec::new()).await;
    let tasks = serve(&app);
    let now = || app.clock.now();
    for (playbook, word, outcome) in [
        (
            "PB-900",
            signal::Word::Success(json!({"said": "yes"})),
            "yes",
        ),
        (
            "PB-901",
            signal::Word::Failure {
                error: "Custom".to_owned(),
                cause: "c".to_owned(),
            },
            "Custom",
        ),
    ] {
        let id = store(&app, playbook).await;
        app.runs.notify_one();
        let log = until("an open task, or an end", async || {
            let log = app.state.read_log(id.as_str(), 0, 100).await.unwrap();
            let has = |text: &str| log.iter().any(|entry| entry.body.contains(text));
            let ended = run(&app, &id).await.outcome.is_some();
            (ended || has("TaskSubmitted"))
                .then(|| log.iter().map(|e| e.body.clone()).collect::<Vec<_>>())
        })
        .await;
        let body = world
            .received()
            .pop()
            .unwrap_or_else(|| panic!("no message: {log:#?}"));
        let body: Value = serde_json::from_str(&body).unwrap();
        let token = body["token"].as_str().unwrap().to_owned();
        assert!(
            !log.iter().any(|entry| entry.contains(&token)),
            "no log has the token"
        );
        signal::tell(&*app.state, &token, signal::Word::Heartbeat, now())
            .await
            .unwrap();
        signal::tell(&*app.state, &token, word.clone(), now())
            .await
            .unwrap();
        let ended = until("an end", async || run(&app, &id).await.outcome).await;
        assert_eq!(ended, outcome);
        let again = signal::tell(&*app.state, &token, word, now()).await;
        assert!(
            matches!(again, Err(signal::SignalError::NoTask)),
            "{again:?}"
        );
    }
    tasks.stop().await;
}

/// Answers each request with JSON that says what it was asked; what is below `/status/` with that status.
async fn server() -> u16 {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    Tasks::default().start("server", async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = Vec::new();
            let mut piece = [0; 4096];
            while !request.windows(4).any(|end| end == b"\r\n\r\n") {
                let read = stream.read(&mut piece).await.unwrap();
                request.extend_from_slice(&piece[..read]);
                if read == 0 {
                    break;
                }
            }
            let asked = String::from_utf8(request).unwrap();
            let status = asked.split("/status/").nth(1).and_then(|rest| rest.get(..3)).unwrap_or("200");
            let body = json!({"asked": asked.replace("hush", "heard")}).to_string();
            let answer = format!(
                "HTTP/1.1 {status} X\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
                body.len()
            );
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    port
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_goes_to_an_allowed_host_with_its_connections_credentials() {
    let Some(mut world) = World::new() else {
        return;
    };
    let port = server().await;
    let at = format!("http://127.0.0.1:{port}");
    let (key, basic) = (world.text("connection"), world.text("basic"));
    let ask = |url: String, method: &str, connection: &str| {
        call(
            "http:invoke",
            json!({"ApiEndpoint": url, "Method": method, "InvocationConfig": {"ConnectionArn": connection}}),
        )
    };
    let step = ("http", "Invoke");
    let asked = "{% $states.result.ResponseBody.asked %}";
    let mut expected = Vec::new();
    let line = "{% $split($states.result.ResponseBody.asked, '\\r\\n')[0] & ($contains($states.result.ResponseBody.asked, 'x-key: heard') ? ' with key' : '') %}";
    world.read(step, &ask(format!("{at}/p"), "GET", &key), line);
    expected.push("GET /p?from=connection HTTP/1.1 with key");
    let says = "{% $contains($states.result.ResponseBody.asked, 'authorization: Basic bWU6aHVzaA==') ? 'basic' : '-' %}";
    world.read(step, &ask(format!("{at}/p"), "GET", &basic), says);
    expected.push("basic");
    world.read(step, &ask(format!("{at}/status/404"), "GET", &key), asked);
    expected.push("States.Http.StatusCode.404");
    world.read(step, &ask(format!("{at}/status/503"), "GET", &key), asked);
    expected.push("States.Http.StatusCode.503");
    world.read(
        step,
        &ask("http://127.0.0.1:1/".to_owned(), "GET", &key),
        asked,
    );
    expected.push("Quell.NotPermitted");
    world.read(
        step,
        &ask("http://127.0.0.2:1/".to_owned(), "GET", &key),
        asked,
    );
    expected.push("States.Http.Socket");
    world.read(step, &ask(at.clone(), "GET", &format!("{key}x")), asked);
    expected.push("Events.ConnectionResource.ResourceNotFound");
    world.read(
        step,
        &ask(at.clone(), "GET", &key.replace(ACCOUNT, "111111111111")),
        asked,
    );
    expected.push("Events.ConnectionResource.AccessDenied");
    world.read(step, &ask(at.clone(), "POST", &key), asked);
    expected.push("Quell.Refused");
    let post = ask(at.clone(), "POST", &key);
    world.change(
        step,
        &post,
        &post,
        "{% $split($states.result.ResponseBody.asked, ' ')[0] %}",
    );
    expected.push("POST");
    let app = world.app(vec![at, "http://127.0.0.2:1".to_owned()]).await;
    assert_eq!(world.outcomes(&app).await, expected);
    nothing_has(&app, world.folder.path(), "hush").await;
}

/// No secret is in the store: neither in a log, nor in a document.
async fn nothing_has(app: &App, folder: &Path, secret: &str) {
    app.state
        .get(quell_store::Kind::Run, "run-none")
        .await
        .unwrap();
    for entry in std::fs::read_dir(folder.join("data")).unwrap() {
        let path = entry.unwrap().path();
        let bytes = std::fs::read(&path).unwrap_or_default();
        let has = bytes
            .windows(secret.len())
            .any(|window| window == secret.as_bytes());
        assert!(!has, "{} has the secret", path.display());
    }
}
