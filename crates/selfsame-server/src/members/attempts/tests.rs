use super::{Attempts, Counted, MOST, SECOND};

fn account(name: &str) -> Counted {
    Counted::Account(name.to_owned())
}

fn address(text: &str) -> Counted {
    Counted::address(text.parse().expect("an address"))
}

/// Tries every second for so long; how many attempts were let through.
fn tries(who: &[Counted], seconds: u64) -> usize {
    let mut attempts = Attempts::default();
    (0..seconds).filter(|second| attempts.begin(who, second * SECOND).is_ok()).count()
}

#[test]
fn an_account_is_tried_a_few_times_and_then_ever_more_slowly() {
    assert_eq!(tries(&[account("ada")], 5), 5);
    assert_eq!(tries(&[account("ada")], 60), 10);
    // A day: no more than one each quarter of an hour, once it is slow.
    assert!(tries(&[account("ada")], 86_400) < 120);
}

#[test]
fn an_address_is_slowed_down_over_all_accounts() {
    let mut attempts = Attempts::default();
    let through = (0..100_u64)
        .filter(|number| {
            let who = [account(&number.to_string()), address("192.0.2.7")];
            attempts.begin(&who, SECOND).is_ok()
        })
        .count();
    assert_eq!(through, 20);
    // Another address is not, and neighbours in one IPv6 network are one.
    assert!(attempts.begin(&[address("192.0.2.8")], SECOND).is_ok());
    assert_eq!(address("2001:db8::1"), address("2001:db8::ffff:1"));
    assert_ne!(address("2001:db8::1"), address("2001:db8:0:1::1"));
}

#[test]
fn many_at_once_are_no_more_than_one_after_the_other() {
    let mut attempts = Attempts::default();
    let through = (0..50).filter(|_| attempts.begin(&[account("ada")], SECOND).is_ok()).count();
    assert_eq!(through, 5);
    assert_eq!(attempts.begin(&[account("ada")], SECOND), Err(1));
}

#[test]
fn a_success_and_an_hour_of_peace_forget() {
    let mut attempts = Attempts::default();
    let who = [account("ada"), address("192.0.2.7")];
    for _ in 0..4 {
        assert!(attempts.begin(&who, SECOND).is_ok());
    }
    attempts.succeeded(&who);
    let more = (0..50).filter(|_| attempts.begin(&who, SECOND).is_ok()).count();
    assert_eq!(more, 5);
    assert!(attempts.begin(&who, 3_700 * SECOND).is_ok());
}

#[test]
fn memory_is_bounded_and_keeps_who_guesses() {
    let mut attempts = Attempts::default();
    for _ in 0..5 {
        assert!(attempts.begin(&[account("ada")], SECOND).is_ok());
    }
    for number in 0..3 * MOST {
        assert!(attempts.begin(&[account(&number.to_string())], SECOND).is_ok());
    }
    assert!(attempts.0.len() <= MOST);
    assert!(attempts.begin(&[account("ada")], SECOND).is_err());
}
