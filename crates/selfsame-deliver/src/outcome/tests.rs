use super::*;

fn check(status: u16, label: &str) {
    assert_eq!(Outcome::of_status(status, None).label(), label, "{status}");
}

#[test]
fn answers_mean_what_standard_webhooks_says() {
    for status in [200, 201, 202, 204, 299] {
        check(status, "delivered");
    }
    for status in [100, 101, 199, 300, 301, 302, 304, 307, 308, 399, 600, 999] {
        check(status, "unexpected");
    }
    for status in [400, 402, 406, 408, 409, 413, 415, 418, 422, 425, 499] {
        check(status, "refused");
    }
    for status in [401, 403, 404, 405, 407, 451] {
        check(status, "denied");
    }
    for status in [429, 502, 503, 504] {
        check(status, "throttled");
    }
    for status in [500, 501, 505, 507, 599] {
        check(status, "server");
    }
    check(410, "gone");
}

#[test]
fn failures_have_one_code_and_one_word_each() {
    for (index, failure) in Failure::ALL.iter().enumerate() {
        assert_eq!(Failure::from_code(*failure as u8), Some(*failure));
        for other in &Failure::ALL[index + 1..] {
            assert_ne!(failure.label(), other.label());
        }
    }
    assert_eq!(Failure::from_code(0), None);
    assert_eq!(Failure::from_code(200), None);
}
