//! A table of locations that a user may type.

use super::TempFolder;
use crate::store::{Location, LocationError, Root, Store, StoreOptions};

fn check(text: &str, root: &str, name: &str) {
    let location = Location::parse(text).unwrap_or_else(|error| panic!("{text:?}: {error}"));
    assert_eq!(
        (location.root.to_string().as_str(), location.name.as_str()),
        (root, name),
        "{text}"
    );
    let again = Location::parse(&location.to_string()).unwrap();
    assert_eq!(again, location, "{text:?} is not what its own text says");
}

#[test]
fn location_splits_into_root_and_name() {
    let here = std::env::current_dir().unwrap();
    let here = here.to_str().unwrap();
    check("/var/logs/events", "/var/logs", "events");
    check("/var/logs/events/", "/var/logs", "events");
    check("/var/./logs//events", "/var/logs", "events");
    check("events", here, "events");
    check("./events", here, "events");
    check("logs/my events", &format!("{here}/logs"), "my events");
    check("logs:2024/größe", &format!("{here}/logs:2024"), "größe");
    check("/events", "/", "events");
    check("file:///var/my%20logs/events", "/var/my logs", "events");
    check("memory:events", "memory:", "events");
    check("memory:///events", "memory:", "events");
    check("s3://bucket/events", "s3://bucket", "events");
    check("s3://bucket/a/b/events/", "s3://bucket/a/b", "events");
    check("S3://my.bucket_1/a b/größe%20", "s3://my.bucket_1/a b", "größe%20");
    check("gs://bucket/a/events", "gs://bucket/a", "events");
    check("az://container/a/events", "az://container/a", "events");
    check(
        "abfss://container@account.dfs.core.windows.net/a/events",
        "abfss://container@account.dfs.core.windows.net/a",
        "events",
    );
    check("https://host/dav/events", "https://host/dav", "events");
    check("http://127.0.0.1:8080/events", "http://127.0.0.1:8080", "events");
    check("https://host/a@b/events", "https://host/a@b", "events");
}

#[test]
fn location_of_a_dot_is_the_current_folder() {
    let here = std::env::current_dir().unwrap();
    let location = Location::parse(".").unwrap();
    assert_eq!(location.root, Root::folder(here.parent().unwrap()));
    assert_eq!(location.name, here.file_name().unwrap().to_str().unwrap());
}

#[cfg(unix)]
#[test]
fn location_with_parent_segments_follows_links() {
    let temp = TempFolder::new();
    let base = temp.0.to_str().unwrap();
    std::fs::create_dir_all(temp.0.join("real/deep")).unwrap();
    std::fs::create_dir(temp.0.join("here")).unwrap();
    std::os::unix::fs::symlink(temp.0.join("real/deep"), temp.0.join("here/link")).unwrap();
    check(&format!("{base}/here/link/../events"), &format!("{base}/real"), "events");
    check(&format!("{base}/here/../here"), base, "here");
    check(&format!("{base}/here/link/.."), base, "real");
    let missing = Location::parse(&format!("{base}/none/../events"));
    assert!(matches!(missing, Err(LocationError::ParentSegment { .. })), "{missing:?}");
}

#[test]
fn location_that_is_wrong_is_refused_without_its_secrets() {
    use LocationError as E;
    type Case = (&'static str, fn(&LocationError) -> bool);
    let cases: [Case; 29] = [
        ("", |e| matches!(e, E::Empty)),
        ("  ", |e| matches!(e, E::Empty)),
        ("ftp://host/x", |e| matches!(e, E::UnknownScheme { .. })),
        ("s4://bucket/x", |e| matches!(e, E::UnknownScheme { .. })),
        ("/", |e| matches!(e, E::MissingName { .. })),
        ("memory:", |e| matches!(e, E::MissingName { .. })),
        ("memory:a/b", |e| matches!(e, E::BadSegment { .. })),
        ("s3://", |e| matches!(e, E::MissingBucket { .. })),
        ("s3:///events", |e| matches!(e, E::MissingBucket { .. })),
        ("s3:////events", |e| matches!(e, E::MissingBucket { .. })),
        ("s3://bucket", |e| matches!(e, E::MissingName { .. })),
        ("s3://bucket/", |e| matches!(e, E::MissingName { .. })),
        ("s3://bucket//events", |e| matches!(e, E::BadSegment { .. })),
        ("s3://bucket/../events", |e| matches!(e, E::ParentSegment { .. })),
        ("s3://bucket/a\nb", |e| matches!(e, E::BadSegment { .. })),
        ("s3://id:hunter2@bucket/events", |e| matches!(e, E::Credentials { .. })),
        ("s3://id:hunter2/events", |e| matches!(e, E::Credentials { .. })),
        ("az://id:hunter2@c/events", |e| matches!(e, E::Credentials { .. })),
        ("https://u:hunter2@host/events", |e| matches!(e, E::Credentials { .. })),
        ("https://u:hunt/er2@host/events", |e| matches!(e, E::Credentials { .. })),
        ("https://hunter2@host/events", |e| matches!(e, E::Credentials { .. })),
        ("https://host/events?sig=hunter2", |e| matches!(e, E::QueryOrFragment { .. })),
        ("s3://bucket/events#hunter2", |e| matches!(e, E::QueryOrFragment { .. })),
        ("file:///a/b?hunter2", |e| matches!(e, E::QueryOrFragment { .. })),
        ("https://host/a/%2e%2E/events", |e| matches!(e, E::ParentSegment { .. })),
        ("file:///a/../events", |e| matches!(e, E::ParentSegment { .. })),
        ("file:events", |e| matches!(e, E::NotFileUrl { .. })),
        ("https://host", |e| matches!(e, E::MissingName { .. })),
        ("https://b.s3.eu-west-1.amazonaws.com/x", |e| matches!(e, E::OtherScheme { .. })),
    ];
    for (text, is_expected) in cases {
        let error = Location::parse(text).expect_err(text);
        assert!(is_expected(&error), "{text:?}: {error:?}");
        let shown = format!("{error} {error:?}");
        assert!(!shown.contains("hunt") && !shown.contains("er2"), "{text:?}: {shown}");
    }
    let error = Location::parse("ftp://host/x").unwrap_err().to_string();
    assert!(error.contains("s3://") && error.contains("memory:"), "{error}");
}

#[test]
fn location_with_too_few_slashes_is_refused_with_the_right_url() {
    let table = [
        ("s3:/bucket/app/log", "s3://bucket/app/log"),
        ("s3:bucket/log", "s3://bucket/log"),
        ("S3:/bucket/log", "S3://bucket/log"),
        ("s3//bucket/log", "s3://bucket/log"),
        ("s3a:/bucket/log", "s3a://bucket/log"),
        ("gs:/bucket/log", "gs://bucket/log"),
        ("az:/container/log", "az://container/log"),
        ("azure:container/log", "azure://container/log"),
        ("abfss:/c@a.dfs.core.windows.net/log", "abfss://c@a.dfs.core.windows.net/log"),
        ("http:/host/log", "http://host/log"),
        ("https:/host/log", "https://host/log"),
        ("https:host/log", "https://host/log"),
        ("file:/var/log/app", "file:///var/log/app"),
        ("file:var/log/app", "file:///var/log/app"),
        ("file://var/log/app", "file:///var/log/app"),
    ];
    for (text, url) in table {
        let error = Location::parse(text).expect_err(text).to_string();
        let said = error.contains(&format!("{text:?} is not a URL"));
        assert!(said && error.contains(&format!("write {url}, ")), "{text}: {error}");
    }
    let here = std::env::current_dir().unwrap();
    let here = here.to_str().unwrap();
    check("./s3:/bucket/log", &format!("{here}/s3:/bucket"), "log");
    check("s3/log", &format!("{here}/s3"), "log");
    check("https/log", &format!("{here}/https"), "log");
    for text in [
        "s3:/id:hunter2@bucket/log",
        "s3:/hunter2@bucket/log",
        "https:/u:hunt/er2@host/log",
        "user:hunter2@host/log",
        "https%3A//user:hunter2@host/log",
        "az:/c/log?sig=hunter2",
    ] {
        let error = Location::parse(text).expect_err(text);
        let shown = format!("{error} {error:?}");
        assert!(!shown.contains("hunt") && !shown.contains("er2"), "{text:?}: {shown}");
    }
}

#[tokio::test]
async fn memory_roots_are_fresh_each_time() {
    let root = Location::parse("memory:events").unwrap().root;
    let first = Store::open(&root, &StoreOptions::new()).unwrap();
    first.create("events/a", bytes::Bytes::new(), false).await.unwrap();
    assert!(first.clone().get("events/a", None).await.is_ok());
    let second = Store::open(&root, &StoreOptions::new()).unwrap();
    assert!(second.get("events/a", None).await.is_err());
}
