use super::{Network, NetworkError};

#[test]
fn a_network_holds_what_shares_its_prefix() {
    let check = |network: &str, address: &str, expected: bool| {
        let network: Network = network.parse().expect("a network");
        assert_eq!(network.contains(address.parse().expect("an address")), expected, "{network}");
    };
    check("10.0.0.0/8", "10.255.1.2", true);
    check("10.0.0.0/8", "11.0.0.0", false);
    check("0.0.0.0/0", "1.2.3.4", true);
    check("192.0.2.1", "192.0.2.1", true);
    check("192.0.2.1", "192.0.2.2", false);
    check("10.0.0.0/8", "::ffff:10.1.1.1", true);
    check("2001:db8::/32", "2001:db8:ffff::1", true);
    check("2001:db8::/32", "2001:db9::1", false);
    check("::/0", "1.2.3.4", false);
    check("::/0", "::1", true);
}

#[test]
fn text_that_is_none_is_refused() {
    for text in ["", "10.0.0.0/33", "10.0.0/8", "::/129", "a/8", "10.0.0.0/", "10.0.0.0/-1"] {
        assert_eq!(text.parse::<Network>(), Err(NetworkError), "{text}");
    }
}
