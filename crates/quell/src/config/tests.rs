use super::*;

#[test]
fn a_setting_says_where_it_came_from_and_a_secret_is_never_shown() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("q.toml");
    let text =
        "[aws]\nsecret_access_key = \"hunter2hunter2\"\n[server]\nlisten = \"127.0.0.1:1\"\n";
    std::fs::write(&file, text).unwrap();
    let of = |key: &str| explain(Some(&file), Some(folder.path()), key).unwrap();
    assert_eq!(of("server.listen").0, "\"127.0.0.1:1\"");
    assert!(
        of("server.listen").1.contains("q.toml"),
        "{:?}",
        of("server.listen")
    );
    assert_eq!(of("aws.region").1, "the built-in default");
    assert_eq!(of("aws.secret_access_key").0, "«hidden»");
    assert_eq!(of("aws.retry_mode").0, "\"standard\"");
    let config = load(Some(&file), Some(folder.path())).unwrap();
    let printed = format!("{config:?}{}", serde_json::to_string(&config).unwrap());
    assert!(!printed.contains("hunter2"), "{printed}");
}

#[test]
fn a_limit_is_changed_and_another_added() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("q.toml");
    let text = "[aws.limits.ec2]\nreads.per_second = 5\n\
                [aws.limits.iam]\nreads = {per_second = 2, burst = 4}\nchanges = {per_second = 1, burst = 1}\n";
    std::fs::write(&file, text).unwrap();
    let limits = load(Some(&file), Some(folder.path())).unwrap().aws.limits.0;
    assert_eq!(limits["ec2"].reads.per_second, 5.0);
    assert_eq!(limits["ec2"].changes, Limits::default().0["ec2"].changes);
    assert_eq!(limits["iam"].reads.burst, 4.0);
}

#[test]
fn a_misspelt_key_is_offered_the_right_one() {
    let error = explain(None, None, "respond.level_mx")
        .unwrap_err()
        .to_string();
    assert_eq!(
        error,
        "there is no setting «respond.level_mx»; did you mean «respond.level_max»?"
    );
}

#[test]
fn an_unknown_key_and_a_wrong_account_are_named() {
    let folder = tempfile::tempdir().unwrap();
    for (text, says) in [
        ("[respond]\nlevle_max = \"auto\"\n", "levle_max"),
        ("[respond]\nlevel_max = \"full\"\n", "full"),
        ("[[accounts]]\nid = \"12\"\n", "twelve digits"),
        (
            "[organization]\nmanagement_account = \"r-1\"\n",
            "«r-1» is not twelve digits",
        ),
        (
            "[[accounts]]\nid = \"111122223333\"\nou = \"Root/\"\n",
            "«Root/» is no path",
        ),
        (
            "[respond.changes_per_ou_hour]\n\"/Root\" = 1\n",
            "«/Root» is no path",
        ),
        (
            "[respond.changes_per_action_hour]\n\"ec2.StopInstances\" = 1\n",
            "«ec2.StopInstances» is no call",
        ),
        (
            "[respond]\npipelines = [\"arn:aws:sts::111122223333:assumed-role/a/b\"]\n",
            "no role or user",
        ),
        ("[respond]\npipelines = [\"*\"]\n", "«*» is no ARN to match"),
        (
            "[respond]\nhttp_hosts = [\"https://x\"]\n",
            "«https://x» is no host",
        ),
        ("[aws]\nretry_mode = \"never\"\n", "never"),
        ("[aws.limits.ec2.reads]\nper_minute = 5\n", "per_minute"),
        ("[aws]\nhttps_proxy = \"http://me:x@p:1\"\n", "HTTPS_PROXY"),
        (
            "[store]\nurl = \"postgres://q:planted@h/d\"\n",
            "store.password",
        ),
        ("[store]\nurl = \"redis://h\"\n", "sqlite:PATH"),
    ] {
        let file = folder.path().join("q.toml");
        std::fs::write(&file, text).unwrap();
        let error = load(Some(&file), Some(folder.path()))
            .unwrap_err()
            .to_string();
        assert!(
            error.contains(says) && !error.contains("planted"),
            "{error}"
        );
        let key = "store.url";
        let (shown, _) = explain(Some(&file), Some(folder.path()), key).unwrap();
        assert!(!shown.contains("planted"), "{shown}");
    }
}
