//! A moto server for tests, and a client's configuration for it.
#![allow(dead_code, reason = "each test binary uses a part")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails so")]

use std::io::{BufRead as _, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Duration;

use quell_aws::{Config, Credentials, SharedCredentialsProvider};
use quell_model::Timestamp;

/// A moto server; it ends with the value.
pub(crate) struct Moto {
    process: Child,
    pub(crate) url: String,
}

impl Drop for Moto {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Says its port, serves until it is killed, and ends when its parent does.
const SERVE: &str = r"
import sys, threading, os
from werkzeug.serving import make_server
from moto.server import DomainDispatcherApplication, create_backend_app
server = make_server('127.0.0.1', 0, DomainDispatcherApplication(create_backend_app), threaded=True)
print(server.server_port, flush=True)
# Nobody reads on: what moto prints later must not end in a broken pipe, and an answer with it.
sys.stdout = open(os.devnull, 'w')
threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
server.serve_forever()
";

pub(crate) fn python() -> Option<PathBuf> {
    let named = std::env::var_os("QUELL_RANGE_PYTHON").map(PathBuf::from);
    let home = std::env::var_os("HOME").map(PathBuf::from);
    let usual = || Some(home?.join(".cache/quell/range-venv/bin/python"));
    named.or_else(usual).filter(|path| path.exists())
}

impl Moto {
    pub(crate) fn start() -> Option<Self> {
        let Some(python) = python() else {
            eprintln!("SKIPPED: no Python with moto; set QUELL_RANGE_PYTHON to one");
            return None;
        };
        let mut process = Command::new(python)
            .args(["-c", SERVE])
            // A thousand images and their snapshots, which no test wants, take ten seconds to make.
            .env("MOTO_EC2_LOAD_DEFAULT_AMIS", "false")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut port = String::new();
        let stdout = process.stdout.take().unwrap();
        BufReader::new(stdout).read_line(&mut port).unwrap();
        let port: u16 = port.trim().parse().expect("moto says its port");
        Some(Self {
            process,
            url: format!("http://127.0.0.1:{port}"),
        })
    }
}

/// A moment that signatures are made at; moto does not look at it.
pub(crate) fn now() -> Timestamp {
    "2026-11-21T10:00:00Z".parse().unwrap()
}

pub(crate) fn config(url: &str) -> Config {
    let keys = Credentials::from_keys("AKIAIOSFODNN7EXAMPLE", "secret", None);
    let clock = Arc::new(now);
    let mut config = Config::new("us-east-1", SharedCredentialsProvider::new(keys), clock);
    config.endpoint_url = Some(url.to_owned());
    config.timeouts.attempt = Duration::from_secs(20);
    config
}

/// Makes what a test needs with boto3, so that our own client is not what proves itself.
pub(crate) async fn setup(url: &str, what: &str, arguments: &[&str]) -> String {
    let script = r"
import sys, boto3
url, what, *rest = sys.argv[1:]
def client(name):
    return boto3.client(name, endpoint_url=url, region_name='us-east-1', aws_access_key_id='AKIAIOSFODNN7EXAMPLE', aws_secret_access_key='secret')
if what == 'ec2-group':
    ec2 = client('ec2')
    vpc = ec2.describe_vpcs()['Vpcs'][0]['VpcId']
    group = ec2.create_security_group(GroupName='g', Description='g', VpcId=vpc)['GroupId']
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[{'IpProtocol': 'tcp', 'FromPort': 22, 'ToPort': 22, 'IpRanges': [{'CidrIp': '0.0.0.0/0'}]}])
    print(group)
elif what == 'queue':
    print(client('sqs').create_queue(QueueName=rest[0])['QueueUrl'])
elif what == 'object':
    s3 = client('s3')
    s3.create_bucket(Bucket=rest[0])
    s3.put_object(Bucket=rest[0], Key=rest[1], Body=rest[2].encode())
    print('ok')
elif what == 'fetch':
    # By whoever has the URL: no client, no key.
    import urllib.request
    print(urllib.request.urlopen(rest[0]).read().decode())
elif what == 'objects':
    s3 = client('s3')
    s3.create_bucket(Bucket=rest[0])
    for key in rest[1:]:
        s3.put_object(Bucket=rest[0], Key=key, Body=b'x')
    print('ok')
elif what == 'checked-key':
    # An administrator's key, an object, and from here on moto checks every signature.
    import json, urllib.request
    iam = client('iam')
    iam.create_user(UserName='u')
    everything = {'Version': '2012-10-17', 'Statement': [{'Effect': 'Allow', 'Action': '*', 'Resource': '*'}]}
    iam.put_user_policy(UserName='u', PolicyName='p', PolicyDocument=json.dumps(everything))
    key = iam.create_access_key(UserName='u')['AccessKey']
    s3 = client('s3')
    s3.create_bucket(Bucket='logs')
    s3.put_object(Bucket='logs', Key=rest[0], Body=b'checked')
    ask = urllib.request.Request(url + '/moto-api/reset-auth', data=b'0', method='POST', headers={'Content-Type': 'text/plain'})
    urllib.request.urlopen(ask).read()
    print(key['AccessKeyId'], key['SecretAccessKey'])
";
    let output = Command::new(python().unwrap())
        .args(["-c", script, url, what])
        .args(arguments)
        .env("PYTHONUTF8", "1")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{said}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}
