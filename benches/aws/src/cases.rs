//! What is measured: a call, and the answer that the stand-in server gives to it.

use quell_aws::{Output, Part};
use serde_json::{Value, json};

/// One call with its canned answer.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) service: &'static str,
    pub(crate) operation: &'static str,
    pub(crate) params: Value,
    /// What is in the bytes of this request and of no other.
    pub(crate) needle: &'static str,
    pub(crate) content_type: &'static str,
    /// Headers of the answer beside type and length, each ended by CR LF.
    pub(crate) headers: &'static str,
    pub(crate) body: String,
    /// The list that a caller goes through; none when there is none.
    pub(crate) list: &'static str,
    /// What the caller reads of each item, or of the answer when there is no list: names of members, and indexes.
    pub(crate) reads: &'static [&'static [&'static str]],
}

const XML: &str = "text/xml";
const JSON: &str = "application/x-amz-json-1.1";
const ITEMS: usize = 1000;

/// All cases. Answers have the members, and about the sizes, of AWS's own.
pub(crate) fn all() -> Vec<Case> {
    vec![
        Case {
            name: "STS GetCallerIdentity",
            service: "sts",
            operation: "GetCallerIdentity",
            params: json!({}),
            needle: "Action=GetCallerIdentity",
            content_type: XML,
            headers: "x-amzn-RequestId: 5dd2ad5a-7c1c-4d0c-9a4b-1fb2d0b4c1d0\r\n",
            body: caller_identity(),
            list: "",
            reads: &[&["Account"], &["Arn"]],
        },
        Case {
            name: "S3 HeadObject",
            service: "s3",
            operation: "HeadObject",
            params: json!({"Bucket": "trail-logs", "Key": "AWSLogs/111122223333/a.json.gz"}),
            needle: "HEAD /trail-logs/",
            content_type: "application/json",
            headers: "x-amz-request-id: 4TZ6V1Q4Y2W5X3N7\r\nETag: \"9b2cf535f27731c974343645a3985328\"\r\n\
                      Last-Modified: Sat, 21 Nov 2026 10:00:00 GMT\r\nx-amz-server-side-encryption: AES256\r\n\
                      Accept-Ranges: bytes\r\nx-amz-meta-origin: cloudtrail\r\n",
            body: String::new(),
            list: "",
            reads: &[&["ETag"], &["LastModified"], &["Metadata", "origin"]],
        },
        Case {
            name: "S3 ListObjectsV2, 1,000 objects",
            service: "s3",
            operation: "ListObjectsV2",
            params: json!({"Bucket": "trail-logs", "Prefix": "AWSLogs/"}),
            needle: "list-type=2",
            content_type: "application/xml",
            headers: "x-amz-request-id: 4TZ6V1Q4Y2W5X3N7\r\n",
            body: objects(),
            list: "Contents",
            reads: &[&["Key"], &["Size"], &["LastModified"]],
        },
        Case {
            name: "EC2 DescribeSecurityGroups, 1",
            service: "ec2",
            operation: "DescribeSecurityGroups",
            params: json!({"GroupIds": ["sg-0123456789abcdef0"]}),
            needle: "Action=DescribeSecurityGroups",
            content_type: XML,
            headers: "x-amzn-RequestId: 5dd2ad5a-7c1c-4d0c-9a4b-1fb2d0b4c1d0\r\n",
            body: groups(),
            list: "SecurityGroups",
            reads: &[
                &["GroupId"],
                &["IpPermissions", "0", "IpRanges", "0", "CidrIp"],
            ],
        },
        Case {
            name: "EC2 DescribeInstances, 1,000",
            service: "ec2",
            operation: "DescribeInstances",
            params: json!({"MaxResults": 1000, "Filters": [{"Name": "instance-state-name", "Values": ["running"]}]}),
            needle: "Action=DescribeInstances",
            content_type: XML,
            headers: "x-amzn-RequestId: 5dd2ad5a-7c1c-4d0c-9a4b-1fb2d0b4c1d0\r\n",
            body: instances(),
            list: "Reservations",
            reads: &[
                &["Instances", "0", "InstanceId"],
                &["Instances", "0", "State", "Name"],
                &["Instances", "0", "LaunchTime"],
            ],
        },
        Case {
            name: "IAM ListRoles, 1,000",
            service: "iam",
            operation: "ListRoles",
            params: json!({"MaxItems": 1000}),
            needle: "Action=ListRoles",
            content_type: XML,
            headers: "x-amzn-RequestId: 5dd2ad5a-7c1c-4d0c-9a4b-1fb2d0b4c1d0\r\n",
            body: roles(),
            list: "Roles",
            reads: &[&["Arn"], &["CreateDate"]],
        },
        Case {
            name: "Logs FilterLogEvents, 1,000",
            service: "logs",
            operation: "FilterLogEvents",
            params: json!({"logGroupName": "trail", "filterPattern": "ERROR"}),
            needle: "Logs_20140328.FilterLogEvents",
            content_type: JSON,
            headers: "x-amzn-RequestId: 5dd2ad5a-7c1c-4d0c-9a4b-1fb2d0b4c1d0\r\n",
            body: log_events(),
            list: "events",
            reads: &[&["timestamp"], &["message"]],
        },
        Case {
            name: "GuardDuty ListFindings, 50",
            service: "guardduty",
            operation: "ListFindings",
            params: json!({"DetectorId": "12abc34d567e8fa901bc2d34e56789f0", "MaxResults": 50}),
            needle: "/detector/",
            content_type: "application/json",
            headers: "x-amzn-RequestId: 5dd2ad5a-7c1c-4d0c-9a4b-1fb2d0b4c1d0\r\n",
            body: json!({"findingIds": (0..50).map(|n| format!("{n:032x}")).collect::<Vec<_>>()})
                .to_string(),
            list: "FindingIds",
            reads: &[&[]],
        },
    ]
}

fn repeated(item: impl Fn(usize) -> String) -> String {
    (0..ITEMS).map(item).collect()
}

fn caller_identity() -> String {
    "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><GetCallerIdentityResult>\
     <Arn>arn:aws:iam::111122223333:user/quell</Arn><UserId>AIDACKCEVSQ6C2EXAMPLE</UserId><Account>111122223333</Account>\
     </GetCallerIdentityResult><ResponseMetadata><RequestId>01234567-89ab-cdef-0123-456789abcdef</RequestId>\
     </ResponseMetadata></GetCallerIdentityResponse>"
        .to_owned()
}

fn objects() -> String {
    let object = |n| {
        format!(
            "<Contents><Key>AWSLogs/111122223333/CloudTrail/us-east-1/2026/11/21/{n:08}.json.gz</Key>\
             <LastModified>2026-11-21T10:00:00.000Z</LastModified><ETag>&quot;{n:032x}&quot;</ETag><Size>{n}</Size>\
             <StorageClass>STANDARD</StorageClass></Contents>"
        )
    };
    format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">\
         <Name>trail-logs</Name><Prefix>AWSLogs/</Prefix><KeyCount>{ITEMS}</KeyCount><MaxKeys>1000</MaxKeys>\
         <IsTruncated>false</IsTruncated>{}</ListBucketResult>",
        repeated(object)
    )
}

fn groups() -> String {
    "<DescribeSecurityGroupsResponse xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\"><requestId>01234567</requestId>\
     <securityGroupInfo><item><ownerId>111122223333</ownerId><groupId>sg-0123456789abcdef0</groupId>\
     <groupName>web</groupName><groupDescription>web</groupDescription><vpcId>vpc-0123</vpcId><ipPermissions><item>\
     <ipProtocol>tcp</ipProtocol><fromPort>443</fromPort><toPort>443</toPort><groups/><ipRanges><item>\
     <cidrIp>0.0.0.0/0</cidrIp><description>everybody</description></item></ipRanges><ipv6Ranges/><prefixListIds/></item>\
     </ipPermissions><ipPermissionsEgress/><tagSet><item><key>Name</key><value>web</value></item></tagSet></item>\
     </securityGroupInfo></DescribeSecurityGroupsResponse>"
        .to_owned()
}

fn instances() -> String {
    let instance = |n| {
        format!(
            "<item><reservationId>r-{n:017x}</reservationId><ownerId>111122223333</ownerId><groupSet/><instancesSet><item>\
             <instanceId>i-{n:017x}</instanceId><imageId>ami-0123456789abcdef0</imageId><instanceState><code>16</code>\
             <name>running</name></instanceState><privateDnsName>ip-10-0-0-1.ec2.internal</privateDnsName>\
             <keyName>ops</keyName><amiLaunchIndex>0</amiLaunchIndex><instanceType>m7g.large</instanceType>\
             <launchTime>2026-11-21T10:00:00.000Z</launchTime><placement><availabilityZone>us-east-1a</availabilityZone>\
             <tenancy>default</tenancy></placement><monitoring><state>disabled</state></monitoring>\
             <subnetId>subnet-0123</subnetId><vpcId>vpc-0123</vpcId><privateIpAddress>10.0.0.1</privateIpAddress>\
             <sourceDestCheck>true</sourceDestCheck><groupSet><item><groupId>sg-0123456789abcdef0</groupId>\
             <groupName>web</groupName></item></groupSet><architecture>arm64</architecture>\
             <rootDeviceType>ebs</rootDeviceType><rootDeviceName>/dev/xvda</rootDeviceName><blockDeviceMapping><item>\
             <deviceName>/dev/xvda</deviceName><ebs><volumeId>vol-{n:017x}</volumeId><status>attached</status>\
             <attachTime>2026-11-21T10:00:00.000Z</attachTime><deleteOnTermination>true</deleteOnTermination></ebs></item>\
             </blockDeviceMapping><virtualizationType>hvm</virtualizationType><tagSet><item><key>Name</key>\
             <value>worker-{n}</value></item><item><key>team</key><value>payments &amp; billing</value></item></tagSet>\
             <iamInstanceProfile><arn>arn:aws:iam::111122223333:instance-profile/worker</arn><id>AIPA0123</id>\
             </iamInstanceProfile><ebsOptimized>true</ebsOptimized><metadataOptions><state>applied</state>\
             <httpTokens>required</httpTokens><httpPutResponseHopLimit>1</httpPutResponseHopLimit>\
             <httpEndpoint>enabled</httpEndpoint></metadataOptions></item></instancesSet></item>"
        )
    };
    format!(
        "<DescribeInstancesResponse xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\"><requestId>01234567</requestId>\
         <reservationSet>{}</reservationSet></DescribeInstancesResponse>",
        repeated(instance)
    )
}

fn roles() -> String {
    let role = |n| {
        format!(
            "<member><Path>/</Path><RoleName>role-{n}</RoleName><RoleId>AROA{n:017}</RoleId>\
             <Arn>arn:aws:iam::111122223333:role/role-{n}</Arn><CreateDate>2026-11-21T10:00:00Z</CreateDate>\
             <AssumeRolePolicyDocument>%7B%22Version%22%3A%222012-10-17%22%2C%22Statement%22%3A%5B%7B%22Effect%22%3A%22Allow\
             %22%7D%5D%7D</AssumeRolePolicyDocument><Description>made for tests</Description>\
             <MaxSessionDuration>3600</MaxSessionDuration></member>"
        )
    };
    format!(
        "<ListRolesResponse xmlns=\"https://iam.amazonaws.com/doc/2010-05-08/\"><ListRolesResult>\
         <IsTruncated>false</IsTruncated><Roles>{}</Roles></ListRolesResult><ResponseMetadata>\
         <RequestId>01234567</RequestId></ResponseMetadata></ListRolesResponse>",
        repeated(role)
    )
}

fn log_events() -> String {
    let event = |n| {
        json!({
            "logStreamName": "111122223333_CloudTrail_us-east-1",
            "timestamp": 1_795_255_200_000_u64 + n as u64,
            "message": format!("{{\"eventVersion\":\"1.11\",\"eventName\":\"DescribeInstances\",\"n\":{n}}}"),
            "ingestionTime": 1_795_255_201_000_u64 + n as u64,
            "eventId": format!("{n:056}"),
        })
    };
    json!({"events": (0..ITEMS).map(event).collect::<Vec<_>>(), "searchedLogStreams": []})
        .to_string()
}

impl Case {
    /// Reads an answer as a caller does. How much was read, so that nobody can leave it out.
    pub(crate) fn consume(&self, answer: &Output<'_>) -> usize {
        let read = |item: Part<'_>| -> usize {
            let reads = self.reads.iter().map(|path| {
                let found = path.iter().try_fold(item, |part, step| {
                    if part.is_list() {
                        part.items().nth(step.parse().expect("an index"))
                    } else {
                        part.get(step)
                    }
                });
                let found = found.unwrap_or_else(|| panic!("{} has no {path:?}", self.name));
                found.as_str().map_or(1, str::len)
            });
            reads.sum()
        };
        if self.list.is_empty() {
            return read(answer.root());
        }
        let list = answer.get(self.list).expect("the list");
        list.items().map(read).sum()
    }
}
