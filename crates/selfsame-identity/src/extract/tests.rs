use selfsame_event::{KeyHasher, Shared};

use super::*;
use crate::number::TypeNumbers;
use crate::rule::{EventNames, RuleSet, TypeRule};

fn rules(change: impl FnOnce(&mut RuleSet)) -> Rules {
    let mut set = RuleSet::default();
    set.types.push(TypeRule::new("phone", 20));
    set.types.push(TypeRule { key: Some("appId".to_owned()), ..TypeRule::new("app", 21) });
    set.types.push(TypeRule { collection: Collection::Accounts, ..TypeRule::new("domain", 22) });
    change(&mut set);
    Rules::compile(&set, &mut TypeNumbers::default()).expect("valid")
}

/// `type:value …`, first of users, then of accounts; then what is blocked and too long.
fn found_by(rules: &Rules, event: &str, shared: &Shared<'_>) -> [String; 3] {
    let raw = Raw::check(event.as_bytes()).expect("valid JSON");
    let event = Event::read(raw, shared).expect("accepted");
    let hasher = KeyHasher::new([1; 32]);
    let claims = extract(&event, rules, &Keys { hasher: &hasher, space: 9 });
    for claim in claims.users.iter().chain(&claims.accounts) {
        let one = rules.of(claim.number).expect("listed");
        let key = hasher.identifier(9, one.collection, &one.name, &claim.value);
        assert_eq!(claim.key, key);
    }
    let text = |number, value: &str| format!("{}:{value}", rules.name(number).expect("listed"));
    let claims_text = claims.users.iter().chain(&claims.accounts);
    let unfit = |list: &[Unfit<'_>]| -> Vec<String> {
        list.iter().map(|one| text(one.number, &one.value)).collect()
    };
    [
        claims_text.map(|claim| text(claim.number, &claim.value)).collect::<Vec<_>>().join(" "),
        unfit(&claims.blocked).join(" "),
        unfit(&claims.too_long).join(" "),
    ]
}

fn check(event: &str, found: &str) {
    assert_eq!(found_by(&rules(|_| ()), event, &Shared::default())[0], found, "{event}");
}

#[test]
fn each_default_type_is_found_at_its_place() {
    check(r#"{"type":"identify","userId":"U","anonymousId":"A"}"#, "user_id:U anonymous_id:A");
    check(
        r#"{"type":"identify","userId":"U","traits":{"email":" Ada@X.io"}}"#,
        "user_id:U email:ada@x.io",
    );
    check(
        r#"{"type":"page","anonymousId":"A","context":{"traits":{"email":"e@x"}}}"#,
        "email:e@x anonymous_id:A",
    );
    check(
        r#"{"type":"page","anonymousId":"A","context":{"integrations":{"Google Analytics":{"clientId":"G.1"}}}}"#,
        "anonymous_id:A ga_client_id:G.1",
    );
    check(r#"{"type":"group","userId":"U","groupId":"G"}"#, "user_id:U group_id:G");
}

#[test]
fn devices_are_found_by_their_type_and_advertising_ids_with_tracking_only() {
    let device = |device: &str, found: &str| {
        let event = format!(r#"{{"type":"page","userId":"U","context":{{"device":{device}}}}}"#);
        check(&event, found);
    };
    device(
        r#"{"type":"android","id":"I","advertisingId":"D","adTrackingEnabled":true,"token":"T"}"#,
        "user_id:U android.id:I android.idfa:D android.push_token:T",
    );
    device(
        r#"{"type":"ios","id":"I","advertisingId":"D","adTrackingEnabled":true,"token":"T"}"#,
        "user_id:U ios.id:I ios.idfa:D ios.push_token:T",
    );
    device(r#"{"type":"ios","id":"I","advertisingId":"D"}"#, "user_id:U ios.id:I");
    device(
        r#"{"type":"ios","id":"I","advertisingId":"D","adTrackingEnabled":"true"}"#,
        "user_id:U ios.id:I",
    );
    device(r#"{"type":"tv","id":"I"}"#, "user_id:U");
}

#[test]
fn a_key_written_with_escapes_is_the_same_key() {
    check(
        r#"{"type":"page","userId":"U","context":{"tr\u0061its":{"email":"e@x"}}}"#,
        "user_id:U email:e@x",
    );
}

#[test]
fn custom_types_are_found_by_key_in_either_spelling() {
    check(r#"{"type":"identify","userId":"U","traits":{"app_id":"1"}}"#, "user_id:U app:1");
    check(r#"{"type":"identify","userId":"U","traits":{"appId":"1"}}"#, "user_id:U app:1");
    check(
        r#"{"type":"page","userId":"U","context":{"traits":{"appId":"1","phone":4912345}}}"#,
        "user_id:U phone:4912345 app:1",
    );
    check(r#"{"type":"identify","userId":"U","traits":{"app_id":1.5,"phone":true}}"#, "user_id:U");
    check(r#"{"type":"identify","userId":"U","traits":{"undeclared_id":"1"}}"#, "user_id:U");
}

#[test]
fn external_ids_need_all_four_members_and_a_listed_type() {
    let external = |element: &str, found: &str| {
        let event =
            format!(r#"{{"type":"page","userId":"U","context":{{"externalIds":[{element}]}}}}"#);
        check(&event, found);
    };
    external(
        r#"{"id":"P","type":"phone","collection":"users","encoding":"none"}"#,
        "user_id:U phone:P",
    );
    external(
        r#"{"id":"D","type":"domain","collection":"accounts","encoding":"none"}"#,
        "user_id:U domain:D",
    );
    for element in [
        r#"{"id":"P","type":"phone","collection":"users"}"#,
        r#"{"id":"P","type":"Phone","collection":"users","encoding":"none"}"#,
        r#"{"id":"P","type":"phone","collection":"accounts","encoding":"none"}"#,
        r#"{"id":"G","type":"group_id","collection":"users","encoding":"none"}"#,
        r#"{"id":"P","type":"fax","collection":"users","encoding":"none"}"#,
        r#""P""#,
    ] {
        external(element, "user_id:U");
    }
}

#[test]
fn properties_identify_only_where_an_event_is_named() {
    let invited = r#"{"type":"track","event":"Invited","userId":"U","properties":{"email":"e@x","phone":"P"}}"#;
    let signed_up = invited.replace("Invited", "Signed Up");
    check(invited, "user_id:U");
    let named =
        |names: &[&str]| EventNames::These(names.iter().map(|name| (*name).into()).collect());
    let rules = rules(|set| {
        set.options.properties_email = named(&["Signed Up"]);
        set.options.custom_ids_in_properties = named(&["Page Viewed"]);
    });
    let found = |event: &str| found_by(&rules, event, &Shared::default())[0].clone();
    assert_eq!(found(invited), "user_id:U");
    assert_eq!(found(&signed_up), "user_id:U email:e@x");
    let page = r#"{"type":"page","userId":"U","properties":{"email":"e@x","phone":"P"}}"#;
    assert_eq!(found(page), "user_id:U phone:P");
}

#[test]
fn group_traits_identify_accounts_and_context_traits_users() {
    check(
        r#"{"type":"group","userId":"U","groupId":"G","traits":{"email":"office@x","phone":"1","domain":"x.io"},
            "context":{"traits":{"email":"ada@x"}}}"#,
        "user_id:U email:ada@x group_id:G domain:x.io",
    );
}

#[test]
fn what_a_batch_shares_identifies_too_and_the_events_own_wins() {
    let context = r#"{"traits":{"email":"batch@x"},"device":{"type":"ios","id":"I"}}"#;
    let shared = Shared { context: Some(Raw::trusted(context)), ..Shared::default() };
    let found = |event: &str| found_by(&rules(|_| ()), event, &shared)[0].clone();
    assert_eq!(found(r#"{"type":"page","userId":"U"}"#), "user_id:U email:batch@x ios.id:I");
    assert_eq!(
        found(r#"{"type":"page","userId":"U","context":{"traits":{"email":"own@x"}}}"#),
        "user_id:U email:own@x ios.id:I"
    );
}

#[test]
fn blocked_and_long_values_do_not_identify_and_are_told() {
    let rules = rules(|set| {
        set.types[0].blocked.exact.push("root".to_owned());
        set.types[1].blocked.regex.push("@test\\.example$".to_owned());
    });
    let found = |event: &str| found_by(&rules, event, &Shared::default());
    for value in ["00000-000", "-1", "null", "anonymous", "root", "0"] {
        let event = format!(r#"{{"type":"page","userId":"{value}","anonymousId":"A"}}"#);
        assert_eq!(
            found(&event),
            ["anonymous_id:A".to_owned(), format!("user_id:{value}"), String::new()]
        );
    }
    let event = r#"{"type":"identify","userId":"U","anonymousId":"root","traits":{"email":"A@Test.example"}}"#;
    assert_eq!(found(event)[..2], ["user_id:U anonymous_id:root", "email:a@test.example"]);
    let (fits, long) = ("é".repeat(500), "é".repeat(501));
    let event = format!(r#"{{"type":"page","userId":"{long}","anonymousId":"{fits}"}}"#);
    assert_eq!(
        found(&event),
        [format!("anonymous_id:{fits}"), String::new(), format!("user_id:{long}")]
    );
}

#[test]
fn values_are_found_once_in_the_order_of_trust() {
    check(
        r#"{"type":"identify","anonymousId":"A","traits":{"email":"b@x"},
            "context":{"traits":{"email":"a@x"},
            "externalIds":[{"id":"B@x","type":"email","collection":"users","encoding":"none"}]}}"#,
        "email:a@x email:b@x anonymous_id:A",
    );
}

#[test]
fn values_never_show_in_debug_output() {
    let raw = Raw::trusted(r#"{"type":"page","userId":"secret","anonymousId":"-1"}"#);
    let event = Event::read(raw, &Shared::default()).expect("accepted");
    let hasher = KeyHasher::new([1; 32]);
    let claims = extract(&event, &rules(|_| ()), &Keys { hasher: &hasher, space: 9 });
    let shown = format!("{claims:?}");
    assert!(!shown.contains("secret") && !shown.contains("\"-1\""), "{shown}");
}
