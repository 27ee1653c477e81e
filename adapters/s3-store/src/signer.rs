//! Signatures of requests: AWS Signature Version 4.
//!
//! Must not know: the purpose of a request.
//!
//! 1. Every header that the request has is signed, and the host.
//! 2. A secret is never shown, not even by `Debug`.

use std::fmt;

use hmac::{Hmac, Mac as _};
use sha2::{Digest as _, Sha256};

use crate::encoding::hex;

const ALGORITHM: &str = "AWS4-HMAC-SHA256";
const SERVICE: &str = "s3";

/// The keys of a user or of a role.
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// The name of the key.
    pub key_id: String,
    /// The secret key.
    pub secret: String,
    /// The token of temporary credentials.
    pub token: Option<String>,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials(***)")
    }
}

/// A request as it is signed.
#[derive(Debug)]
pub struct Signed<'a> {
    /// The method, in capitals.
    pub method: &'a str,
    /// The path, encoded.
    pub path: &'a str,
    /// The query, encoded and sorted.
    pub query: &'a str,
    /// All headers, with `host`: names in small letters, and values without outer spaces.
    pub headers: &'a [(String, String)],
    /// The digest of the body, as the header `x-amz-content-sha256` has it.
    pub body_digest: &'a str,
}

impl Signed<'_> {
    /// Returns the header `authorization`. `timestamp` is that of the header `x-amz-date`.
    pub fn authorization(
        &self,
        credentials: &Credentials,
        region: &str,
        timestamp: &str,
    ) -> String {
        let date = timestamp.get(..8).unwrap_or_default();
        let mut headers: Vec<_> = self.headers.iter().collect();
        headers.sort_unstable();
        let names: Vec<_> = headers.iter().map(|(name, _)| name.as_str()).collect();
        let names = names.join(";");
        let lines: String =
            headers.iter().map(|(name, value)| format!("{name}:{value}\n")).collect();
        let Self { method, path, query, body_digest, .. } = self;
        let canonical = format!("{method}\n{path}\n{query}\n{lines}\n{names}\n{body_digest}");
        let scope = format!("{date}/{region}/{SERVICE}/aws4_request");
        let digest = hex(&Sha256::digest(canonical.as_bytes()));
        let text = format!("{ALGORITHM}\n{timestamp}\n{scope}\n{digest}");
        let first = mac(format!("AWS4{}", credentials.secret).as_bytes(), date);
        let key = [region, SERVICE, "aws4_request"].iter().fold(first, |key, text| mac(&key, text));
        let signature = hex(&mac(&key, &text));
        let key_id = &credentials.key_id;
        format!(
            "{ALGORITHM} Credential={key_id}/{scope},SignedHeaders={names},Signature={signature}"
        )
    }
}

/// Returns the digest of a body in pieces.
pub fn digest<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> String {
    let mut digest = Sha256::new();
    pieces.into_iter().for_each(|piece| digest.update(piece));
    hex(&digest.finalize())
}

fn mac(key: &[u8], text: &str) -> Vec<u8> {
    // A key of any length is allowed.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else { return Vec::new() };
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The digest of an empty body.
    const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    /// Signs as in the examples of the manual of Amazon S3.
    fn signature(
        (method, path, query): (&str, &str, &str),
        more: &[(&str, &str)],
        body: &str,
    ) -> String {
        let secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".to_owned();
        let key_id = "AKIAIOSFODNN7EXAMPLE".to_owned();
        let credentials = Credentials { key_id, secret, token: None };
        let usual = [
            ("host", "examplebucket.s3.amazonaws.com"),
            ("x-amz-content-sha256", body),
            ("x-amz-date", "20130524T000000Z"),
        ];
        let headers = usual.iter().chain(more);
        let headers: Vec<_> =
            headers.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let signed = Signed { method, path, query, headers: &headers, body_digest: body };
        let header = signed.authorization(&credentials, "us-east-1", "20130524T000000Z");
        assert!(header.starts_with(
            "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request,\
             SignedHeaders="
        ));
        header.rsplit_once('=').unwrap().1.to_owned()
    }

    #[test]
    fn signatures_are_those_of_the_manual() {
        assert_eq!(
            signature(("GET", "/test.txt", ""), &[("range", "bytes=0-9")], EMPTY),
            "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"
        );
        let body = "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072";
        let more = [
            ("date", "Fri, 24 May 2013 00:00:00 GMT"),
            ("x-amz-storage-class", "REDUCED_REDUNDANCY"),
        ];
        assert_eq!(
            signature(("PUT", "/test%24file.text", ""), &more, body),
            "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd"
        );
        assert_eq!(digest([&b"Welcome to "[..], b"Amazon S3."]), body);
        assert_eq!(
            signature(("GET", "/", "lifecycle="), &[], EMPTY),
            "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"
        );
        assert_eq!(
            signature(("GET", "/", "max-keys=2&prefix=J"), &[], EMPTY),
            "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"
        );
    }

    #[test]
    fn credentials_are_never_shown() {
        let secret = |text: &str| text.to_owned();
        let credentials = Credentials {
            key_id: secret("AKI"),
            secret: secret("SEC"),
            token: Some(secret("TOK")),
        };
        assert_eq!(format!("{credentials:?}"), "Credentials(***)");
    }
}
