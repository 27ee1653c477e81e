//! Errors with a known cause: the message names it and the remedy.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

use super::http::{Answer, Server};
use crate::store::config::opening::Opening;
use crate::store::config::proxy;
use crate::store::{Location, OpenError, Store, StoreError, StoreErrorKind as Kind, StoreOptions};

fn open(url: &str, options: &[&str]) -> Store {
    let root = Location::parse(url).unwrap().root;
    Store::open_in(&root, &StoreOptions::parse(options).unwrap(), &Vec::new()).unwrap()
}

async fn list(store: &Store) -> StoreError {
    store.list("log/b_", None, 10).await.unwrap_err()
}

fn has(error: &StoreError, parts: &[&str]) {
    for part in parts {
        assert!(error.message.contains(part), "no {part:?} in: {}", error.message);
    }
    for page in ["<", "DOCTYPE"] {
        assert!(!error.message.contains(page), "{}", error.message);
    }
}

/// A server that answers every request as one of plain HTTP does, and counts connections.
fn plain_server() -> (String, Arc<AtomicU32>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let came = Arc::new(AtomicU32::new(0));
    let count = Arc::clone(&came);
    thread::spawn(move || {
        for connection in listener.incoming() {
            let mut connection = connection.unwrap();
            let mut begun = [0; 512];
            // A few bytes show that they are no request.
            if connection.read(&mut begun).unwrap_or(0) > 0 {
                count.fetch_add(1, Ordering::Relaxed);
                connection.write_all(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n").ok();
            }
        }
    });
    (address, came)
}

#[tokio::test]
async fn server_without_tls_is_distinguished_from_one_that_is_away() {
    let (address, came) = plain_server();
    let error = list(&open(&format!("https://{address}/dav/log"), &[])).await;
    has(&error, &["does not speak HTTPS", "http://", "allow_http=true", "log/b_"]);
    assert_eq!(came.load(Ordering::Relaxed), 1, "it is asked once");
}

#[tokio::test]
async fn proxy_that_refuses_is_named() {
    let closed = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let proxy = format!("proxy_url=http://me:hunter2@{closed}");
    for (url, limit) in [
        ("http://dav.test/dav/log", "retry_max=0"),
        ("https://dav.test/dav/log", "retry_max=0"),
        ("http://dav.test/dav/log", "retry_timeout=1"),
    ] {
        let error = list(&open(url, &[&proxy, limit])).await;
        let named = format!("@{closed} of the store option proxy_url");
        has(&error, &["requests go through the proxy", &named, "NO_PROXY"]);
        assert!(!error.message.contains("hunter2"), "{}", error.message);
    }
    let asks = Server::start(|_| Answer::new(407, "<html>log in</html>"));
    let proxy = format!("proxy_url={}", asks.url());
    let error = list(&open("http://dav.test/dav/log", &[&proxy, "retry_max=0"])).await;
    has(&error, &["the proxy requires a user and a password", "proxy_url"]);
    assert_eq!(error.kind, Kind::PermissionDenied);
}

#[test]
fn store_that_is_left_out_names_its_feature() {
    let root = "s3://bucket".to_owned();
    let error = OpenError::LeftOut { root, store: "S3", feature: "s3" };
    let expected = "cannot open s3://bucket: this program was built without S3; build it with the \
                    feature `s3` of stratalog";
    assert_eq!(error.to_string(), expected);
}

#[test]
fn proxy_is_that_of_the_option_or_of_the_variable_that_counts() {
    let named = |root: &str, options: &[&str], variables: &[(&str, &str)]| {
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        let environment = variables.iter().map(own).collect();
        let options = StoreOptions::parse(options).unwrap();
        proxy::named(&Opening { root, options: &options, environment: &environment })
    };
    let both = [("HTTP_PROXY", "http://u:hunter2@p:1"), ("https_proxy", "q:2")];
    let plain = "the proxy http://***@p:1 of HTTP_PROXY".to_owned();
    assert_eq!(named("http://h/x", &[], &both), Some(plain.clone()));
    assert_eq!(named("s3://b/x", &["aws_endpoint=http://h:9000"], &both), Some(plain));
    let secure = "the proxy http://q:2 of https_proxy".to_owned();
    assert_eq!(named("s3://b/x", &[], &both), Some(secure));
    let option = named("s3://b/x", &["proxy_url=http://o:3"], &both);
    assert_eq!(option, Some("the proxy http://o:3 of the store option proxy_url".to_owned()));
    assert_eq!(named("s3://b/x", &[], &[("HTTPS_PROXY", "")]), None);
}

#[tokio::test]
async fn absent_bucket_is_explained_in_a_few_words() {
    for (scheme, code) in
        [("s3", "NoSuchBucket"), ("gs", "NoSuchBucket"), ("az", "ContainerNotFound")]
    {
        let server = Server::start(move |_| {
            Answer::new(404, format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code></Error>"))
        });
        let error = list(&server.store(scheme)).await;
        has(&error, &["no such bucket; create it, or correct its name"]);
        assert!(error.message.len() < 160, "{}", error.message);
        assert_eq!(error.kind, Kind::NotFound);
    }
}

#[tokio::test]
async fn server_that_is_none_of_webdav_is_an_error_that_says_so() {
    for status in [405, 501] {
        let page = "<!DOCTYPE html>\n<html><body>Unsupported method</body></html>";
        let server = Server::start(move |_| Answer::new(status, page));
        let store = server.store("http");
        let error = list(&store).await;
        has(&error, &["does not speak WebDAV", "check the URL", &status.to_string()]);
        assert_eq!(error.kind, Kind::Unsupported);
        let created = store.create("log/b_1", bytes::Bytes::from_static(b"x"), false).await;
        let created = created.unwrap_err();
        has(created.store_error().unwrap(), &["does not speak WebDAV"]);
    }
}

#[test]
fn credentials_in_a_url_are_sent_where_they_can_be_given() {
    let words = |url: &str| Location::parse(url).unwrap_err().to_string();
    let dav = words("https://me:hunter2@host/log");
    assert!(dav.contains("WebDAV") && dav.contains("rclone") && !dav.contains("environment"));
    let s3 = words("s3://me:hunter2@bucket/log");
    assert!(s3.contains("environment") && !s3.contains("WebDAV"), "{s3}");
}

#[test]
fn relative_file_url_is_answered_with_the_absolute_one() {
    let message = Location::parse("file:./journal").unwrap_err().to_string();
    let here = std::path::absolute("journal").unwrap();
    assert!(message.contains(&format!("file://{}", here.display())), "{message}");
}
