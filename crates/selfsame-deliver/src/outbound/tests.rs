use super::*;

fn outbound(ports: Option<Vec<u16>>) -> Outbound {
    // Another test may have been first; one provider is as good as the other.
    rustls::crypto::ring::default_provider().install_default().ok();
    let config = OutboundConfig { ports, ..OutboundConfig::default() };
    Outbound::new(config, Arc::new(SystemResolver)).expect("a client")
}

fn check(expected: Result<(), UrlError>, allow_loopback: bool, urls: &str) {
    let outbound = outbound(None);
    for url in urls.split_whitespace() {
        assert_eq!(outbound.check(url, allow_loopback).map(drop), expected, "{url}");
    }
}

#[test]
fn every_spelling_of_an_address_is_checked() {
    let refused = Err(UrlError::Address);
    check(refused, false, "http://127.0.0.1 http://127.1 http://127.0.1 http://2130706433");
    check(
        refused,
        false,
        "http://0x7f.0.0.1 http://0x7f000001 http://0177.0.0.1 http://017700000001",
    );
    check(
        refused,
        false,
        "http://0x7F.1 http://127.0.0.1. http://%31%32%37.0.0.1 http://１２７.0.0.1",
    );
    check(refused, false, "http://0 http://0.0.0.0 http://10.0.0.1 http://0xa.1 http://012.0.0.1");
    check(
        refused,
        false,
        "http://169.254.169.254 http://2852039166 http://0xa9fea9fe http://0251.0376.1",
    );
    check(refused, false, "http://100.100.100.200/ http://192.168.0.1 http://172.16.0.1:8080/x");
    check(
        refused,
        false,
        "http://[::1] http://[::] http://[::ffff:127.0.0.1] http://[::ffff:7f00:1]",
    );
    check(refused, false, "http://[::127.0.0.1] http://[64:ff9b::7f00:1] http://[2002:7f00:1::]");
    check(
        refused,
        false,
        "http://[fe80::1] http://[fd00:ec2::254] http://[ff02::1] http://[5f00::1]",
    );
    check(
        refused,
        false,
        "http://[3fff::1] http://[2001:db8::1] http://192.88.99.1 http://240.0.0.1",
    );
}

#[test]
fn loopback_is_allowed_only_where_it_is_said() {
    check(Ok(()), true, "http://127.0.0.1:9000/hook http://2130706433 http://[::1]:80");
    check(Err(UrlError::Address), true, "http://10.0.0.1 http://169.254.169.254 http://0.0.0.0");
    check(Err(UrlError::Address), true, "http://[::] http://[fd00::1] http://[::ffff:10.0.0.1]");
}

#[test]
fn public_urls_pass() {
    check(
        Ok(()),
        false,
        "https://example.com/hook http://8.8.8.8 https://[2606:4700:4700::1111]:8443/",
    );
    check(Ok(()), false, "HTTPS://Example.com http://134744072");
}

#[test]
fn other_urls_do_not() {
    check(
        Err(UrlError::Scheme),
        false,
        "ftp://example.com file:///etc/passwd gopher://example.com",
    );
    check(
        Err(UrlError::Scheme),
        false,
        "data:text/plain,x javascript:0 unix:/run/x ws://example.com",
    );
    check(Err(UrlError::Invalid), false, "example.com /hook http:// https://[::1 http://1.2.3.4.5");
    check(Err(UrlError::Credentials), false, "http://user@example.com https://u:p@example.com");
}

#[test]
fn ports_can_be_limited() {
    let outbound = outbound(Some(vec![80, 443]));
    let check = |url: &str| outbound.check(url, false).map(drop);
    assert_eq!(check("http://example.com"), Ok(()));
    assert_eq!(check("https://example.com:443"), Ok(()));
    assert_eq!(check("http://example.com:22"), Err(UrlError::Port(22)));
    assert_eq!(check("https://example.com:6379"), Err(UrlError::Port(6379)));
}

#[test]
fn retry_after_is_read_as_seconds_or_date() {
    let now = Time::parse("1994-11-06T08:49:00Z").expect("a time");
    let read = |text: &'static str| {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, text.parse().expect("a header"));
        retry_after(&headers, now)
    };
    assert_eq!(read("120"), Some(Duration::from_secs(120)));
    assert_eq!(read("99999999999999999999999"), Some(Duration::from_secs(u64::MAX)));
    assert_eq!(read("Sun, 06 Nov 1994 08:49:37 GMT"), Some(Duration::from_secs(37)));
    assert_eq!(read("Sun, 06 Nov 1994 08:48:37 GMT"), None);
    assert_eq!(read("-5"), None);
    assert_eq!(read("soon"), None);
    assert_eq!(retry_after(&HeaderMap::new(), now), None);
}
