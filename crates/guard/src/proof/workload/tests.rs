use super::super::attributes::{Subject, prove, prove_respond};
use super::super::{Claim, Known, Proof, Unproven};
use super::*;
use quell_model::{Class, Plan, PlannedCall, Resource, UndoCall};
use serde_json::json;

const FUNCTION: &str = "arn:aws:lambda:us-east-1:444455556666:function:resize";
const TASK: &str = "arn:aws:ecs:us-east-1:444455556666:task/shop/0123456789abcdef";
const SERVICE: &str = "arn:aws:ecs:us-east-1:444455556666:service/shop/web";
const CLUSTER: &str = "arn:aws:eks:us-east-1:444455556666:cluster/prod";

fn back(call: &str, arguments: Value, sets: Value) -> UndoCall {
    UndoCall {
        resource: format!("arn:aws:states:::aws-sdk:{call}"),
        arguments,
        sets: sets.as_object().unwrap().clone(),
    }
}

fn call(class: Class, there: UndoCall, undo: Vec<UndoCall>) -> PlannedCall {
    PlannedCall {
        resource: there.resource,
        arguments: there.arguments,
        class,
        sets: there.sets,
        undo,
    }
}

/// A plan with what its calls set reckoned through: a hostile document does its sums as well.
fn plan(before: Value, calls: Vec<PlannedCall>) -> Plan {
    let mut after = before.as_object().unwrap().clone();
    for (key, value) in calls.iter().flat_map(|call| &call.sets) {
        match value {
            Value::Null => drop(after.remove(key)),
            value => drop(after.insert(key.clone(), value.clone())),
        }
    }
    Plan {
        playbook: "PB-015".into(),
        resource: String::new(),
        summary: String::new(),
        calls,
        before: json!({"attributes": before}),
        after: json!({"attributes": after}),
        facts: json!({}),
    }
}

struct About(Resource, &'static dyn Subject);

impl About {
    fn of(arn: &str) -> Self {
        let resource = Resource::of_arn(&arn.parse().unwrap()).unwrap();
        let subject: &dyn Subject = match resource.kind.as_str() {
            "AWS::Lambda::Function" => &Function,
            "AWS::ECS::Task" => &Task,
            "AWS::ECS::Service" => &Service,
            _ => &Cluster,
        };
        Self(resource, subject)
    }

    fn claim(&self) -> Claim<'_> {
        Claim {
            run: "run-1",
            resource: &self.0,
            facts: &Value::Null,
            undo: None,
            production: true,
            known: Known::default(),
        }
    }

    fn check(&self, before: &Value, calls: Vec<PlannedCall>) -> Result<(), Unproven> {
        prove_respond(self.1, &plan(before.clone(), calls), &self.claim())
    }

    fn proof(&self, before: &Value, calls: Vec<PlannedCall>) -> Proof {
        prove(self.1, &plan(before.clone(), calls), &self.claim()).unwrap()
    }

    fn refuses(&self, says: &str, before: &Value, calls: Vec<PlannedCall>) {
        let why = self.check(before, calls).expect_err(says).to_string();
        assert!(why.contains(says), "wanted «{says}», got «{why}»");
    }
}

fn throttle_to(name: &str, count: u64, class: Class) -> PlannedCall {
    let undo = back(
        "lambda:deleteFunctionConcurrency",
        json!({"FunctionName": "resize"}),
        json!({"function/concurrency": null}),
    );
    let there = back(
        "lambda:putFunctionConcurrency",
        json!({"FunctionName": name, "ReservedConcurrentExecutions": count}),
        json!({"function/concurrency": count}),
    );
    call(class, there, vec![undo])
}

fn throttle(class: Class) -> PlannedCall {
    throttle_to("resize", 0, class)
}

fn statement(principal: &Value) -> Value {
    json!({"Sid": "s", "Effect": "Allow", "Principal": principal, "Action": "lambda:InvokeFunction", "Resource": FUNCTION})
}

fn called_by(principal: &Value) -> Value {
    json!({"statement/$LATEST/s": statement(principal)})
}

#[test]
fn nothing_is_reserved_but_zero_and_for_no_other_function() {
    let about = About::of(FUNCTION);
    let image = json!({});
    about.check(&image, vec![throttle(Class::R2)]).unwrap();
    about.refuses(
        "may only be 0",
        &image,
        vec![throttle_to("resize", 5, Class::R2)],
    );
    about.refuses(
        "may only be \"resize\"",
        &image,
        vec![throttle_to("neighbour", 0, Class::R2)],
    );
    let reserved = json!({"function/concurrency": 25});
    about.refuses("does not bring back", &reserved, vec![throttle(Class::R2)]);
    let zero = json!({"function/concurrency": 0});
    about.refuses("may run already", &zero, vec![throttle(Class::R2)]);
    let warm = json!({"provisioned/live": 2});
    about.refuses("kept warm", &warm, vec![throttle(Class::R2)]);
    for operation in [
        "lambda:deleteFunction",
        "lambda:updateFunctionCode",
        "lambda:deleteFunctionConcurrency",
        "lambda:addPermission",
    ] {
        let other = back(
            operation,
            json!({"FunctionName": "resize"}),
            json!({"function/concurrency": null}),
        );
        about.refuses(
            "contains no function",
            &image,
            vec![call(Class::R3, other, vec![])],
        );
    }
}

#[test]
fn only_who_calls_later_again_is_throttled_without_a_person() {
    let about = About::of(FUNCTION);
    let queue = json!({"source/1": "arn:aws:sqs:us-east-1:444455556666:jobs"});
    let events = called_by(&json!({"Service": "s3.amazonaws.com"}));
    for waits in [&queue, &events] {
        about.check(waits, vec![throttle(Class::R1)]).unwrap();
        let proof = about.proof(waits, vec![throttle(Class::R1)]);
        assert!(proof.concerns.is_empty(), "{proof:?}");
    }
    let url = json!({"source/1": "queue", "url/$LATEST": "AWS_IAM"});
    let several = called_by(&json!({"Service": ["s3.amazonaws.com", "apigateway.amazonaws.com"]}));
    let both = called_by(&json!({"Service": "s3.amazonaws.com", "AWS": "*"}));
    let not = json!({"statement/$LATEST/s": {"Sid": "s", "Effect": "Allow", "NotPrincipal": {"Service": "s3.amazonaws.com"}}});
    let api = called_by(&json!({"Service": "apigateway.amazonaws.com"}));
    for image in [json!({}), url, several, both, not, api] {
        about.refuses("of class R2", &image, vec![throttle(Class::R1)]);
    }
    let api = called_by(&json!({"Service": "apigateway.amazonaws.com"}));
    let concerns = about.proof(&api, vec![throttle(Class::R2)]).concerns;
    assert!(
        concerns[0].contains("apigateway.amazonaws.com"),
        "{concerns:?}"
    );
}

fn remove(class: Class) -> PlannedCall {
    let undo = back(
        "lambda:addPermission",
        json!({"FunctionName": "resize", "StatementId": "s", "Principal": "*", "Action": "lambda:InvokeFunction"}),
        json!({"statement/$LATEST/s": statement(&json!("*"))}),
    );
    let there = back(
        "lambda:removePermission",
        json!({"FunctionName": "resize", "StatementId": "s"}),
        json!({"statement/$LATEST/s": null}),
    );
    call(class, there, vec![undo])
}

fn with(mut image: Value, key: &str, value: Value) -> Value {
    image[key] = value;
    image
}

#[test]
fn a_statement_goes_only_when_it_lets_everybody_in_and_can_be_put_back_to_the_letter() {
    let about = About::of(FUNCTION);
    let open = with(called_by(&json!("*")), "function/concurrency", json!(0));
    about.check(&open, vec![remove(Class::R1)]).unwrap();
    about.refuses(
        "of class R2",
        &called_by(&json!("*")),
        vec![remove(Class::R1)],
    );
    for principal in [
        json!({"AWS": "*"}),
        json!({"Service": "s3.amazonaws.com"}),
        json!({"AWS": "arn:aws:iam::1:root"}),
    ] {
        about.refuses(
            "a person's to say",
            &called_by(&principal),
            vec![remove(Class::R2)],
        );
    }
    for condition in [
        json!({"StringEquals": {"aws:PrincipalOrgID": "o-1"}}),
        json!({"StringEquals": {"lambda:FunctionUrlAuthType": "NONE", "aws:PrincipalOrgID": "o-1"}}),
        json!({"StringEquals": {"lambda:FunctionUrlAuthType": "AWS_IAM"}}),
        json!({"ArnLike": {"AWS:SourceArn": "*"}}),
    ] {
        let mut image = called_by(&json!("*"));
        image["statement/$LATEST/s"]["Condition"] = condition;
        about.refuses("has a condition", &image, vec![remove(Class::R2)]);
    }
    let mut denies = called_by(&json!("*"));
    denies["statement/$LATEST/s"]["Effect"] = "Deny".into();
    about.refuses(
        "does not let everybody in",
        &denies,
        vec![remove(Class::R2)],
    );
    // What is said beside what Lambda would say again does not come back.
    let mut more = open.clone();
    more["statement/$LATEST/s"]["Action"] = json!(["lambda:InvokeFunction"]);
    about.refuses("does not bring back", &more, vec![remove(Class::R2)]);
    let mut wider = remove(Class::R1);
    wider.undo[0].arguments["Action"] = "lambda:*".into();
    wider.undo[0].sets["statement/$LATEST/s"]["Action"] = "lambda:*".into();
    about.refuses("does not bring back", &open, vec![wider]);
}

#[test]
fn a_url_is_only_ever_closed_and_keeps_all_else() {
    let about = About::of(FUNCTION);
    let set = |auth: &str, more: Value| {
        let mut arguments = json!({"FunctionName": "resize", "AuthType": auth});
        for (name, value) in more.as_object().unwrap() {
            arguments[name] = value.clone();
        }
        let undo = back(
            "lambda:updateFunctionUrlConfig",
            json!({"FunctionName": "resize", "AuthType": "NONE"}),
            json!({"url/$LATEST": "NONE"}),
        );
        let there = back(
            "lambda:updateFunctionUrlConfig",
            arguments,
            json!({"url/$LATEST": auth}),
        );
        vec![call(Class::R2, there, vec![undo])]
    };
    let open = json!({"url/$LATEST": "NONE"});
    about.check(&open, set("AWS_IAM", json!({}))).unwrap();
    about.refuses("may only be", &open, set("NONE", json!({})));
    about.refuses(
        "no such call needs",
        &open,
        set("AWS_IAM", json!({"Cors": {}})),
    );
    about.refuses(
        "is closed already",
        &json!({"url/$LATEST": "AWS_IAM"}),
        set("AWS_IAM", json!({})),
    );
    about.refuses("is not there", &json!({}), set("AWS_IAM", json!({})));
}

fn deny(name: &str, session: &str) -> PlannedCall {
    let document = json!({"Version": "2012-10-17", "Statement": [{
        "Sid": "QuellSession", "Effect": "Deny", "Action": "*", "Resource": "*",
        "Condition": {"StringEquals": {"aws:userid": session}},
    }]});
    let policy = format!("QuellSession-{name}");
    let key = format!("role/app/inline/{policy}");
    let undo = back(
        "iam:deleteRolePolicy",
        json!({"RoleName": "app", "PolicyName": policy}),
        json!({(key.as_str()): null}),
    );
    let there = back(
        "iam:putRolePolicy",
        json!({"RoleName": "app", "PolicyName": policy, "PolicyDocument": document.to_string()}),
        json!({(key.as_str()): document}),
    );
    call(Class::R1, there, vec![undo])
}

#[test]
fn only_its_own_session_is_denied() {
    for (arn, name) in [(FUNCTION, "resize"), (TASK, "0123456789abcdef")] {
        let about = About::of(arn);
        let image = json!({"role": {"name": "app", "id": "AROA1"}});
        about
            .check(&image, vec![deny(name, &format!("AROA1:{name}"))])
            .unwrap();
        for session in ["AROA1:*", "AROA1:neighbour", "*", "AROA2:resize"] {
            about.refuses("is not exactly a Deny", &image, vec![deny(name, session)]);
        }
        about.refuses(
            "may only be",
            &image,
            vec![deny("neighbour", "AROA1:neighbour")],
        );
        about.refuses(
            "has no role",
            &json!({}),
            vec![deny(name, &format!("AROA1:{name}"))],
        );
        let ours = json!({"role": {"name": "QuellReader", "id": "AROA1"}});
        about.refuses(
            "it works as «QuellReader», not as «app»",
            &ours,
            vec![deny(name, &format!("AROA1:{name}"))],
        );
        let key = format!("role/app/inline/QuellSession-{name}");
        let there = with(image, &key, json!({}));
        about.refuses(
            "would be overwritten",
            &there,
            vec![deny(name, &format!("AROA1:{name}"))],
        );
    }
    let ours = json!({"role": {"name": "QuellReader", "id": "AROA1"}});
    About::of(FUNCTION).refuses("Quell's own", &ours, vec![throttle(Class::R2)]);
}

fn stop(cluster: &str, task: &str, class: Class) -> PlannedCall {
    let there = back(
        "ecs:stopTask",
        json!({"Cluster": cluster, "Task": task, "Reason": "Quell: inc-1"}),
        json!({"task/state": "stopped"}),
    );
    call(class, there, vec![])
}

#[test]
fn a_task_that_nothing_starts_again_takes_two_people() {
    let about = About::of(TASK);
    let id = "0123456789abcdef";
    let of = |group: &str| json!({"task/state": "running", "task/group": group, "role": {"name": "app", "id": "AROA1"}});
    let served = of("service:web");
    about
        .check(&served, vec![stop("shop", id, Class::R2)])
        .unwrap();
    about
        .check(&of("family:batch"), vec![stop("shop", id, Class::R3)])
        .unwrap();
    about.refuses(
        "of class R3",
        &of("family:batch"),
        vec![stop("shop", id, Class::R2)],
    );
    about.refuses("of class R2", &served, vec![stop("shop", id, Class::R1)]);
    about.refuses(
        "may only be \"shop\"",
        &served,
        vec![stop("other", id, Class::R2)],
    );
    about.refuses(
        "may only be",
        &served,
        vec![stop("shop", "other", Class::R2)],
    );
    about.refuses(
        "does not run",
        &json!({"task/state": "stopped"}),
        vec![stop("shop", id, Class::R3)],
    );
    let both = vec![
        deny(id, &format!("AROA1:{id}")),
        stop("shop", id, Class::R2),
    ];
    about.refuses("a plan of its own", &served, both);
    let mut said = stop("shop", id, Class::R2);
    said.undo.push(back(
        "ecs:runTask",
        json!({}),
        json!({"task/state": "running"}),
    ));
    about.refuses("contains no task", &served, vec![said]);
}

fn scale(count: u64, more: Value) -> PlannedCall {
    let arguments =
        |count: u64| json!({"Cluster": "shop", "Service": "web", "DesiredCount": count});
    let mut there = back(
        "ecs:updateService",
        arguments(count),
        json!({"service/desired": count}),
    );
    for (name, value) in more.as_object().unwrap() {
        there.arguments[name] = value.clone();
    }
    let undo = back(
        "ecs:updateService",
        arguments(3),
        json!({"service/desired": 3}),
    );
    call(Class::R2, there, vec![undo])
}

#[test]
fn a_service_is_only_ever_scaled_to_nothing() {
    let about = About::of(SERVICE);
    let image = json!({"service/desired": 3, "service/scheduling": "REPLICA", "service/targets": ["arn:tg"]});
    about.check(&image, vec![scale(0, json!({}))]).unwrap();
    let concerns = about.proof(&image, vec![scale(0, json!({}))]).concerns;
    assert!(concerns[0].contains("arn:tg"), "{concerns:?}");
    about.refuses("may only be 0", &image, vec![scale(5, json!({}))]);
    about.refuses(
        "may only be",
        &image,
        vec![scale(0, json!({"Service": "other"}))],
    );
    about.refuses(
        "may only be",
        &image,
        vec![scale(0, json!({"Cluster": "other"}))],
    );
    about.refuses(
        "no such call needs",
        &image,
        vec![scale(0, json!({"ForceNewDeployment": true}))],
    );
    about.refuses(
        "no such call needs",
        &image,
        vec![scale(0, json!({"TaskDefinition": "evil"}))],
    );
    about.refuses(
        "no count",
        &with(image.clone(), "service/scheduling", json!("DAEMON")),
        vec![scale(0, json!({}))],
    );
    about.refuses(
        "wanted already",
        &with(image.clone(), "service/desired", json!(0)),
        vec![scale(0, json!({}))],
    );
    about.refuses(
        "does not bring back",
        &with(image.clone(), "service/desired", json!(4)),
        vec![scale(0, json!({}))],
    );
    let mut gentle = scale(0, json!({}));
    gentle.class = Class::R1;
    about.refuses("of class R2", &image, vec![gentle]);
    let mut old = About::of(SERVICE);
    old.0.arn.resource = "service/web".into();
    old.refuses(
        "does not say which cluster",
        &image,
        vec![scale(0, json!({}))],
    );
}

fn shut(config: Value) -> PlannedCall {
    let there = back(
        "eks:updateClusterConfig",
        json!({"Name": "prod", "ResourcesVpcConfig": config}),
        json!({"endpoint/public": null, "endpoint/private": true}),
    );
    let opened = json!({"EndpointPublicAccess": true, "EndpointPrivateAccess": false, "PublicAccessCidrs": ["0.0.0.0/0"]});
    let undo = back(
        "eks:updateClusterConfig",
        json!({"Name": "prod", "ResourcesVpcConfig": opened}),
        json!({"endpoint/public": ["0.0.0.0/0"], "endpoint/private": false}),
    );
    call(Class::R2, there, vec![undo])
}

#[test]
fn an_api_server_is_shut_to_the_internet_and_stays_reachable_from_within() {
    let about = About::of(CLUSTER);
    let private = json!({"EndpointPublicAccess": false, "EndpointPrivateAccess": true});
    let image = json!({"endpoint/public": ["0.0.0.0/0"], "endpoint/private": false});
    about.check(&image, vec![shut(private.clone())]).unwrap();
    let concerns = about.proof(&image, vec![shut(private.clone())]).concerns;
    assert!(
        concerns[0].contains("0.0.0.0/0"),
        "a person is always asked: {concerns:?}"
    );
    for config in [
        json!({"EndpointPublicAccess": false}),
        json!({"EndpointPublicAccess": false, "EndpointPrivateAccess": false}),
        json!({"EndpointPublicAccess": true, "EndpointPrivateAccess": true}),
        json!({"EndpointPublicAccess": false, "EndpointPrivateAccess": true, "SecurityGroupIds": ["sg-1"]}),
    ] {
        about.refuses("may only be", &image, vec![shut(config)]);
    }
    about.refuses(
        "it is not public",
        &json!({"endpoint/private": true}),
        vec![shut(private.clone())],
    );
    let narrower = json!({"endpoint/public": ["198.51.100.0/24"], "endpoint/private": false});
    about.refuses(
        "does not bring back",
        &narrower,
        vec![shut(private.clone())],
    );
    let mut more = shut(private.clone());
    more.arguments["AccessConfig"] = json!({"AuthenticationMode": "CONFIG_MAP"});
    about.refuses("no such call needs", &image, vec![more]);
    let entry = back(
        "eks:deleteAccessEntry",
        json!({"Name": "prod"}),
        json!({"endpoint/private": true}),
    );
    about.refuses(
        "contains no cluster",
        &image,
        vec![call(Class::R2, entry, vec![])],
    );
}

/// The way back is only ever made to take back, never as a response.
#[test]
fn nothing_is_opened_as_a_response() {
    let about = About::of(FUNCTION);
    let image = json!({"function/concurrency": 0});
    let open = back(
        "lambda:deleteFunctionConcurrency",
        json!({"FunctionName": "resize"}),
        json!({"function/concurrency": null}),
    );
    about.refuses(
        "contains no function",
        &image,
        vec![call(Class::R3, open, vec![])],
    );
}
