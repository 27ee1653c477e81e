//! The host and the port of a URL.

/// Checks a host, and the port behind it if there is one.
///
/// # Errors
/// The fault, without the text: it may have a password.
pub fn check(authority: &str) -> Result<(), &'static str> {
    let (host, port) = match authority.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, port),
        _ => (authority, "443"),
    };
    let is_host = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        Some(address) => {
            address.contains(':')
                && address.bytes().all(|byte| byte.is_ascii_hexdigit() || b":.".contains(&byte))
        }
        None => {
            let is_of_name = |byte: u8| byte.is_ascii_alphanumeric() || b".-_~".contains(&byte);
            !host.is_empty() && host.bytes().all(is_of_name)
        }
    };
    if !is_host {
        return Err("it has no valid host");
    }
    let is_port = !port.starts_with('+') && port.parse::<u16>().is_ok_and(|port| port > 0);
    if is_port { Ok(()) } else { Err("its port is not a number from 1 to 65535") }
}

#[cfg(test)]
mod tests {
    use super::check;

    #[test]
    fn host_is_a_name_or_an_address_and_a_port_is_a_number() {
        for authority in ["h", "s3.example.org:443", "127.0.0.1:9000", "[::1]", "[::1]:80", "a_b~c"]
        {
            assert_eq!(check(authority), Ok(()), "{authority}");
        }
        for authority in ["", ":443", "a b", "u@h", "[::1", "[a.b]", "[::1]9000", "a:1:2"] {
            assert_eq!(check(authority), Err("it has no valid host"), "{authority}");
        }
        for authority in ["h:", "h:b", "h:0", "h:+1", "h:65536", "[::1]:", "[::1]:0"] {
            let fault = "its port is not a number from 1 to 65535";
            assert_eq!(check(authority), Err(fault), "{authority}");
        }
    }
}
