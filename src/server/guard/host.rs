//! The host that a request names -> its name, or why the request has no valid host.
//!
//! RFC 9110, 7.2, and RFC 9112, 3.2: an HTTP/1.1 request has one `Host`: a name or an address, and optionally a port. If the request
//! target is an absolute address, the host in that address counts.

use std::net::{IpAddr, Ipv6Addr};

use hyper::{Request, Version, header};

/// The name in lower case, or the address without brackets; `None` if a request of HTTP/1.0 names no host.
pub(super) fn host_of<B>(request: &Request<B>) -> Result<Option<String>, &'static str> {
    let mut hosts = request.headers().get_all(header::HOST).iter();
    let named = hosts.next();
    if hosts.next().is_some() {
        return Err("it has more than one Host");
    }
    if named.is_none() && request.version() >= Version::HTTP_11 {
        return Err("it has no Host");
    }
    // Both must be well-formed, because proxies may use either.
    let named = named.map(|host| name_of(&String::from_utf8_lossy(host.as_bytes()))).transpose()?;
    let target = request.uri().authority().map(|authority| name_of(authority.as_str())).transpose()?;
    Ok(target.or(named))
}

/// Whether it is an IP address, or a name that means this machine on every machine.
pub(super) fn is_local(name: &str) -> bool {
    name == "localhost" || name.ends_with(".localhost") || name.parse::<IpAddr>().is_ok()
}

/// Whether it is the address that means all addresses of this machine.
pub(super) fn is_unspecified(name: &str) -> bool {
    name.parse::<IpAddr>().is_ok_and(|address| address.to_canonical().is_unspecified())
}

fn name_of(authority: &str) -> Result<String, &'static str> {
    if authority.contains('@') {
        return Err("its address contains a user name");
    }
    let (name, port) = if let Some(rest) = authority.strip_prefix('[') {
        let (address, port) = rest.split_once(']').ok_or("its host has a bracket without a closing one")?;
        let address: Ipv6Addr =
            address.parse().map_err(|_| "the brackets in its host do not hold an IPv6 address")?;
        (address.to_string(), port)
    } else {
        let end = authority.find(':').unwrap_or(authority.len());
        let name = authority[..end].to_ascii_lowercase();
        if !name.strip_suffix('.').unwrap_or(&name).split('.').all(is_label) {
            return Err("its host is not a valid name");
        }
        (name, &authority[end..])
    };
    let is_port = |port: &str| {
        port.bytes().all(|digit| digit.is_ascii_digit()) && (port.is_empty() || port.parse::<u16>().is_ok())
    };
    if port.is_empty() || port.strip_prefix(':').is_some_and(is_port) {
        Ok(name)
    } else {
        Err("its host ends in something that is not a port")
    }
}

/// A part of a name between dots. Names in private networks may have underscores.
fn is_label(label: &str) -> bool {
    !label.is_empty() && label.bytes().all(|letter| letter.is_ascii_alphanumeric() || b"-_".contains(&letter))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(target: &str, hosts: &[&str], expected: Result<Option<&str>, ()>) {
        let request = hosts
            .iter()
            .fold(Request::builder().uri(target), |request, host| request.header(header::HOST, *host));
        let found = host_of(&request.body(()).unwrap());
        let found = found.as_ref().map(Option::as_deref).map_err(|_| ());
        assert_eq!(found, expected, "{target} {hosts:?}");
    }

    #[test]
    fn names_and_addresses_come_without_their_port() {
        check("/", &["Gpu-Box:6007"], Ok(Some("gpu-box")));
        check("/", &["gpu-box"], Ok(Some("gpu-box")));
        check("/", &["gpu-box:"], Ok(Some("gpu-box")));
        check("/", &["[::1]:6007"], Ok(Some("::1")));
        check("/", &["127.0.0.1:80"], Ok(Some("127.0.0.1")));
        check("/", &["gpu_box.local."], Ok(Some("gpu_box.local.")));
        check("http://other:1/x", &["localhost"], Ok(Some("other")));
    }

    #[test]
    fn what_is_no_host_is_refused() {
        for host in
            ["[::1]evil", "[::1", "[::1]:80x", "[localhost]", "[127.0.0.1]", "::1", "a:b", "a:1:2", "u@a"]
        {
            check("/", &[host], Err(()));
        }
        for host in [
            "",
            ".",
            ".localhost",
            "a..localhost",
            "evil/.localhost",
            "evil#.localhost",
            "evil, a.localhost",
            "localhost:99999",
        ] {
            check("/", &[host], Err(()));
        }
        check("/", &[], Err(()));
        check("/", &["localhost", "localhost"], Err(()));
        check("http://evil@localhost/", &["localhost"], Err(()));
        check("http://localhost/", &[], Err(()));
        check("http://localhost/", &["[::1]evil"], Err(()));
    }

    #[test]
    fn old_http_needs_none() {
        let request = Request::builder().version(Version::HTTP_10).uri("/").body(()).unwrap();
        assert_eq!(host_of(&request), Ok(None));
    }
}
