use super::*;

fn check(expected: bool, addresses: &str) {
    for text in addresses.split_whitespace() {
        let address: IpAddr = text.parse().expect("an address");
        assert_eq!(is_public(address), expected, "{text}");
    }
}

#[test]
fn public_addresses_may_be_sent_to() {
    check(true, "1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.0 93.184.216.34 100.63.255.255 100.128.0.0");
    check(true, "126.255.255.255 128.0.0.0 169.253.255.255 169.255.0.0 172.15.255.255 172.32.0.0");
    check(true, "192.0.1.0 192.0.3.0 192.88.98.255 192.88.100.0 192.167.255.255 192.169.0.0");
    check(true, "198.17.255.255 198.20.0.0 198.51.99.255 198.51.101.0 203.0.112.255 203.0.114.0");
    check(true, "223.255.255.255 2606:4700:4700::1111 2001:4860:4860::8888 2a00:1450:4001::1");
    check(true, "2001:200:: 2003::1 3ffe::1 3fff:1000::1 ::ffff:8.8.8.8");
}

#[test]
fn other_ipv4_addresses_may_not() {
    check(false, "0.0.0.0 0.1.2.3 0.255.255.255 10.0.0.0 10.1.2.3 10.255.255.255");
    check(false, "100.64.0.0 100.100.100.200 100.127.255.255 127.0.0.1 127.1.2.3 127.255.255.255");
    check(
        false,
        "169.254.0.0 169.254.169.254 169.254.255.255 172.16.0.0 172.20.1.1 172.31.255.255",
    );
    check(false, "192.0.0.0 192.0.0.8 192.0.0.170 192.0.0.255 192.0.2.0 192.0.2.255");
    check(false, "192.31.196.1 192.52.193.1 192.88.99.0 192.88.99.255 192.168.0.0 192.168.255.255");
    check(false, "192.175.48.1 198.18.0.0 198.19.255.255 198.51.100.0 198.51.100.255");
    check(false, "203.0.113.0 203.0.113.255 224.0.0.0 239.255.255.255 240.0.0.0 255.255.255.255");
}

#[test]
fn other_ipv6_addresses_may_not() {
    check(false, ":: ::1 ::2 ::8.8.8.8 ::ffff:0:8.8.8.8 100::1 200::1 1fff:ffff::1 4000::1");
    check(false, "64:ff9b::808:808 64:ff9b::a00:1 64:ff9b:1::1 64:ff9b::7f00:1");
    check(false, "2001::1 2001:0:1234::5 2001:2::1 2001:10::1 2001:20::1 2001:1ff:ffff::1");
    check(false, "2001:db8::1 2001:db8:ffff::1 2002::1 2002:7f00:1:: 2002:a9fe:a9fe::1");
    check(false, "2620:4f:8000::1 3fff::1 3fff:fff:ffff::1 5f00::1 5fff::1");
    check(false, "fc00::1 fd00::1 fd00:ec2::254 fdff:ffff::1 fe80::1 febf::1 fec0::1 feff::1");
    check(
        false,
        "ff00::1 ff02::1 ff0e::1 ffff::1 2606:4700::5efe:7f00:1 2606:4700::200:5efe:a00:1",
    );
}

#[test]
fn an_address_inside_a_mapped_one_is_what_counts() {
    check(false, "::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:169.254.169.254 ::ffff:0.0.0.0");
    check(false, "::ffff:192.168.1.1 ::ffff:100.64.0.1 ::ffff:255.255.255.255 ::ffff:7f00:1");
}

#[test]
fn loopback_is_this_machine_only() {
    let is = |text: &str| is_loopback(text.parse().expect("an address"));
    assert!(is("127.0.0.1") && is("127.9.9.9") && is("::1") && is("::ffff:127.0.0.1"));
    assert!(!is("0.0.0.0") && !is("::") && !is("10.0.0.1") && !is("169.254.169.254"));
    assert!(!is("64:ff9b::7f00:1") && !is("2002:7f00:1::") && !is("::127.0.0.1"));
}

proptest::proptest! {
    /// Mapped into IPv6, an IPv4 address is judged as it is.
    #[test]
    fn mapping_changes_nothing(bits: u32) {
        let address = Ipv4Addr::from_bits(bits);
        let mapped = IpAddr::V6(address.to_ipv6_mapped());
        proptest::prop_assert_eq!(is_public(IpAddr::V4(address)), is_public(mapped));
    }
}
