use super::*;

fn of_bucket(mut arguments: Value) -> Value {
    arguments["Bucket"] = json!("shop-data");
    arguments["ExpectedBucketOwner"] = json!(OWNER);
    arguments
}

fn versions() -> Trial {
    let put = |status: &str| {
        let arguments = of_bucket(json!({"VersioningConfiguration": {"Status": status}}));
        said(
            "s3:putBucketVersioning",
            arguments,
            "bucket/versioning",
            json!(status),
        )
    };
    Trial::new(
        bucket(),
        json!({"bucket/versioning": "Suspended"}),
        put("Enabled"),
        Some(put("Suspended")),
    )
}

#[test]
fn versions_are_kept_again_and_never_suspended() {
    let put = |at: &str, status: &str| json!({"event": "PutBucketVersioning", "at": at, "status": status});
    let (old, new) = ("2026-10-01T10:00:00Z", "2026-11-21T10:00:00Z");
    versions().telling(json!([put(new, "Suspended")])).holds();
    versions()
        .telling(json!([put(new, "Suspended"), put(old, "Enabled")]))
        .holds();
    let doubt = "not known to have been kept";
    versions().doubted(doubt);
    versions()
        .telling(json!([put(new, "Suspended"), put(old, "Suspended")]))
        .doubted(doubt);
    versions()
        .telling(json!([put(new, "Enabled")]))
        .doubted(doubt);
    versions()
        .approved(json!({"bucket/versioning": "Enabled"}))
        .holds();
    versions().approved(json!({})).refused("nobody approved");
    let mut suspends = versions();
    suspends.before = json!({"bucket/versioning": "Enabled"});
    suspends
        .argument("VersioningConfiguration", json!({"Status": "Suspended"}))
        .refused("VersioningConfiguration is");
    versions()
        .argument(
            "VersioningConfiguration",
            json!({"Status": "Enabled", "MfaDelete": "Disabled"}),
        )
        .refused("VersioningConfiguration is");
    versions()
        .argument("ExpectedBucketOwner", json!("999988887777"))
        .refused("ExpectedBucketOwner");
    // What never had versions cannot go back to that.
    let mut never = versions();
    never.before = json!({});
    never.refused("bucket/versioning is null");
}

fn rule(id: &str, days: u64) -> Value {
    json!({"Id": id, "Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"Days": days}})
}

fn off(mut rule: Value) -> Value {
    rule["Status"] = json!("Disabled");
    rule
}

fn rules(from: &[Value], to: &[Value]) -> Trial {
    let put = |rules: &[Value]| {
        let configuration = json!({"Rules": rules});
        let arguments = of_bucket(json!({"LifecycleConfiguration": configuration}));
        said(
            "s3:putBucketLifecycleConfiguration",
            arguments,
            "bucket/lifecycle",
            configuration,
        )
    };
    Trial::new(
        bucket(),
        json!({"bucket/lifecycle": {"Rules": from}}),
        put(to),
        Some(put(from)),
    )
}

#[test]
fn only_new_rules_that_delete_are_switched_off_and_all_else_stays() {
    let put =
        |at: &str, rules: Value| json!({"event": "PutBucketLifecycle", "at": at, "rules": rules});
    let (archive, bad) = (rule("archive", 365), rule("pay", 1));
    let request = put(
        "2026-11-21T10:00:00Z",
        json!([{"id": "archive", "deletes": "365//"}, {"id": "pay", "deletes": "1//"}]),
    );
    let earlier = put(
        "2026-10-01T10:00:00Z",
        json!([{"id": "archive", "deletes": "365//"}]),
    );
    let known = json!([request, earlier]);
    let both = [archive.clone(), bad.clone()];
    let told = |to: &[Value]| rules(&both, to).telling(known.clone());
    told(&[archive.clone(), off(bad.clone())]).holds();
    told(&[off(archive.clone()), off(bad.clone())]).refused("archive\" is not known to be new");
    told(std::slice::from_ref(&archive)).refused("stays otherwise as it is");
    told(&[off(bad.clone()), archive.clone()]).refused("not known to be new");
    told(&[archive.clone(), off(bad.clone()), rule("more", 2)]).refused("stays otherwise");
    let mut sooner = archive.clone();
    sooner["Expiration"]["Days"] = json!(2);
    told(&[sooner, off(bad.clone())]).refused("archive\" is not known to be new");
    let mut other = off(bad.clone());
    other["Filter"]["Prefix"] = json!("x");
    told(&[archive.clone(), other]).refused("stays otherwise");
    let to = [archive.clone(), off(bad.clone())];
    rules(&both, &to).refused("not known to be new");
    told(&to)
        .fact("historyIsWhole", json!(false))
        .refused("not known to be new");
    let old = put(
        "2026-10-02T10:00:00Z",
        json!([{"id": "pay", "deletes": "1//"}]),
    );
    rules(&both, &to)
        .telling(json!([request, earlier, old]))
        .refused("not known to be new");
    // What moves objects and deletes none is no danger.
    let moves = json!({"Id": "cold", "Status": "Enabled", "Transitions": [{"Days": 1, "StorageClass": "GLACIER"}]});
    let cold = put(
        "2026-11-21T10:00:00Z",
        json!([{"id": "cold", "deletes": "//"}]),
    );
    rules(std::slice::from_ref(&moves), &[off(moves.clone())])
        .telling(json!([cold]))
        .refused("one that deletes");
    // What is off is not switched on.
    rules(&[off(bad.clone())], &[bad])
        .telling(json!([request]))
        .refused("off already");
}

#[test]
fn approved_rules_come_back_to_the_letter() {
    let (archive, bad) = (rule("archive", 365), rule("pay", 1));
    let approved = json!({"bucket/lifecycle": {"Rules": [archive]}});
    rules(std::slice::from_ref(&bad), std::slice::from_ref(&archive))
        .approved(approved.clone())
        .holds();
    rules(std::slice::from_ref(&bad), &[rule("archive", 364)])
        .approved(approved)
        .refused("nobody approved these");
    rules(std::slice::from_ref(&bad), &[off(bad.clone())])
        .approved(json!({}))
        .holds();
    rules(std::slice::from_ref(&bad), &[archive])
        .approved(json!({}))
        .refused("stays otherwise");
}

#[test]
fn keys_that_writers_bring_along_are_refused_and_the_rest_is_kept_word_for_word() {
    let is = |kinds: Option<&[&str]>| {
        let mut rule = json!({"ApplyServerSideEncryptionByDefault": {"SseAlgorithm": "aws:kms", "KmsMasterKeyID": KEY}, "BucketKeyEnabled": true});
        if let Some(kinds) = kinds {
            rule["BlockedEncryptionTypes"] = json!({"EncryptionType": kinds});
        }
        json!({"Rules": [rule]})
    };
    let put = |to: &Value| {
        said(
            "s3:putBucketEncryption",
            of_bucket(json!({"ServerSideEncryptionConfiguration": to})),
            "bucket/encryption",
            to.clone(),
        )
    };
    let plan = |from: &Value, to: &Value| {
        Trial::new(
            bucket(),
            json!({"bucket/encryption": from}),
            put(to),
            Some(put(from)),
        )
        .of_class(Class::R2)
    };
    let (open, refusing) = (is(None), is(Some(&["SSE-C"])));
    plan(&open, &refusing).holds();
    plan(&is(Some(&["NONE"])), &refusing).holds();
    plan(&open, &refusing)
        .of_class(Class::R1)
        .refused("class R2 at least");
    plan(&open, &refusing)
        .of_class(Class::R1)
        .approved(json!({"bucket/encryption": refusing}))
        .holds();
    plan(&refusing, &open).refused("only SSE-C is refused");
    plan(&refusing, &refusing).refused("refused already");
    let mut weaker = refusing.clone();
    weaker["Rules"][0]["ApplyServerSideEncryptionByDefault"] = json!({"SseAlgorithm": "AES256"});
    plan(&open, &weaker).refused("word for word");
    let mut unasked = plan(&open, &refusing);
    unasked.asks = json!({});
    unasked.refused("do not ask");
}
