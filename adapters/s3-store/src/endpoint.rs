//! The address of a bucket.

use stratalog_store_rules::authority;

/// The address of a bucket: requests go to it, and keys are below it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    /// True for HTTPS.
    pub is_https: bool,
    /// The host, with a port that is not the usual one.
    pub authority: String,
    /// The path of the bucket, without the last slash; empty if the host names the bucket.
    pub path: String,
}

impl Endpoint {
    /// Returns the address of a bucket of Amazon S3.
    pub fn of_amazon(bucket: &str, region: &str, is_virtual_hosted: bool) -> Self {
        let host = format!("s3.{region}.amazonaws.com");
        match is_virtual_hosted {
            true => Self { is_https: true, authority: format!("{bucket}.{host}"), path: "".into() },
            false => Self { is_https: true, authority: host, path: format!("/{bucket}") },
        }
    }

    /// Reads the URL of a server. With virtual hosts, the URL names the bucket.
    ///
    /// # Errors
    /// The reason, without the URL: it may have a password.
    pub fn parse(url: &str, bucket: &str, is_virtual_hosted: bool) -> Result<Self, &'static str> {
        let (is_https, rest) = match url.split_once("://") {
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("https") => (true, rest),
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("http") => (false, rest),
            _ => return Err("it does not begin with https:// or http://"),
        };
        let (authority, path) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
        if authority.contains('@') {
            return Err("it has a user; set AWS_ACCESS_KEY_ID instead");
        }
        authority::check(authority)?;
        let is_plain = |c: char| c.is_ascii_alphanumeric() || ".-_~/%".contains(c);
        if !path.chars().all(is_plain) {
            return Err("its path has other characters than letters, digits and .-_~/%");
        }
        let usual = if is_https { ":443" } else { ":80" };
        let authority = authority.strip_suffix(usual).unwrap_or(authority).to_ascii_lowercase();
        let path = path.trim_end_matches('/');
        let path = if is_virtual_hosted { path.to_owned() } else { format!("{path}/{bucket}") };
        Ok(Self { is_https, authority, path })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(endpoint: &Endpoint) -> String {
        let scheme = if endpoint.is_https { "https" } else { "http" };
        format!("{scheme}://{}{}", endpoint.authority, endpoint.path)
    }

    #[test]
    fn bucket_is_in_the_path_or_in_the_host() {
        let amazon = [false, true].map(|is| shown(&Endpoint::of_amazon("logs", "eu-west-1", is)));
        assert_eq!(
            amazon,
            ["https://s3.eu-west-1.amazonaws.com/logs", "https://logs.s3.eu-west-1.amazonaws.com"]
        );
        let cases = [
            ("http://127.0.0.1:9000", false, "http://127.0.0.1:9000/logs"),
            ("HTTPS://S3.example.org:443/", false, "https://s3.example.org/logs"),
            ("https://s3.example.org/v1/", false, "https://s3.example.org/v1/logs"),
            ("https://logs.s3.example.org", true, "https://logs.s3.example.org"),
            ("http://[::1]:80", false, "http://[::1]/logs"),
        ];
        for (url, is_virtual_hosted, expected) in cases {
            let found = Endpoint::parse(url, "logs", is_virtual_hosted);
            assert_eq!(found.map(|found| shown(&found)), Ok(expected.to_owned()));
        }
        for url in [
            "s3.example.org",
            "ftp://a",
            "https://",
            "https://a b",
            "https://u:p@a",
            "https://a/?b",
            "https://:443",
            "https://a:b",
            "https://a:",
            "https://a:0",
            "https://a:+1",
            "https://a:65536",
            "https://a:1:2",
            "https://[::1",
            "https://[a.b]",
            "https://[::1]9000",
            "https://[::1]:0",
        ] {
            assert!(Endpoint::parse(url, "logs", false).is_err(), "{url}");
        }
    }
}
