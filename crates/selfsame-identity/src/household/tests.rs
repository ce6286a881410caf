use proptest::prelude::*;

use super::*;
use crate::rule::HouseholdRules;

fn households(blocked: Blocked) -> Households {
    let households = HouseholdRules { address: true, card: Some("card".to_owned()) };
    Households::compile(&RuleSet { households, blocked, ..RuleSet::default() }).expect("compiles")
}

/// Which household traits say, as one text.
fn of(by: HouseholdBy, traits: &str) -> Result<String, Lack> {
    let traits = Raw::check(traits.as_bytes()).expect("JSON");
    let households = households(RuleSet::default().blocked);
    let key = households.key(by, &|name: &str| traits.get(name))?;
    Ok(format!("{}/{}", key.place.replace('\n', "|"), key.name))
}

fn at(street: &str, code: &str, country: &str) -> Result<String, Lack> {
    let address = format!(r#"{{"street":"{street}","postalCode":"{code}","country":"{country}"}}"#);
    of(HouseholdBy::Address, &format!(r#"{{"address":{address},"lastName":"Hill"}}"#))
}

fn whole(text: &str) -> Result<String, Lack> {
    of(HouseholdBy::Address, &format!(r#"{{"address":"{text}","lastName":"Hill"}}"#))
}

fn named(names: &str) -> Result<String, Lack> {
    let address = r#""address":{"street":"1 Hill Road","postalCode":"AB1"}"#;
    of(HouseholdBy::Address, &format!("{{{address},{names}}}"))
}

#[test]
fn spellings_of_one_address_are_one() {
    let one: [&[(&str, &str, &str)]; 5] = [
        &[
            ("12 North Main Street, Apt. 4", "62701", "US"),
            ("12  N. MAIN ST #4", "62701-1234", "usa"),
            ("12 n main st. apt #4", " 62701 ", "United States"),
            ("12N Main Street Unit 4", "62701", "U.S.A."),
        ],
        &[
            ("Hauptstraße 5 a", "10115", "DE"),
            ("hauptstr. 5A", "10115", "Deutschland"),
            ("Hauptstrasse 5a", "1 0115", "GER"),
            ("HAUPTSTR.5a", "10115", "germany"),
        ],
        &[("10 King’s Road", "SW1A 2AA", "UK"), ("10 Kings Rd", "sw1a2aa", "Great Britain")],
        &[("5 Avenue de l'Opéra", "75001", ""), ("5 AV de lope\u{301}ra", "75001", " ")],
        &[("ул. Ленина, 5", "101000", "Россия"), ("УЛ ЛЕНИНА 5", "101000", "россия")],
    ];
    let mut places = Vec::new();
    for spellings in one {
        let place = at(spellings[0].0, spellings[0].1, spellings[0].2).expect("a house");
        for (street, code, country) in spellings {
            assert_eq!(at(street, code, country), Ok(place.clone()), "{street}");
        }
        places.push(place);
    }
    places.dedup();
    assert_eq!(places.len(), 5);
    assert_eq!(places[0], "12n main st unit 4|62701|us/hill");
}

#[test]
fn addresses_that_differ_are_not_one() {
    let house = at("12 Main Street", "62701", "US").expect("a house");
    for (street, code, country) in [
        ("12 Main Avenue", "62701", "US"),
        ("12 Main Street Apt 4", "62701", "US"),
        ("12 S Main Street", "62701", "US"),
        ("12a Main Street", "62701", "US"),
        ("1 2 Main Street", "62701", "US"),
        ("12 Maine Street", "62701", "US"),
        ("12 Main Street", "62702", "US"),
        ("12 Main Street", "62701", "CA"),
        // Nobody knows which country it is.
        ("12 Main Street", "62701", ""),
    ] {
        assert_ne!(at(street, code, country).expect("a house"), house, "{street} {code} {country}");
    }
}

#[test]
fn what_names_no_house_is_none() {
    let long = "x".repeat(400);
    for (street, code) in [
        ("Main Street", "62701"),
        ("5th Avenue", "10001"),
        ("12", "62701"),
        ("12 Main Street", ""),
        ("12 Main Street", "00000"),
        ("12 Main Street", "none"),
        ("12 Main Street", "6"),
        ("", "62701"),
        ("  ,.- ", "62701"),
        (&format!("12 {long}"), "62701"),
        ("12 Main Street", &long),
    ] {
        assert_eq!(at(street, code, "US"), Err(Lack::NoHouse), "{street} {code}");
    }
    assert_eq!(at("12 Main Street", "62701", &long), Err(Lack::NoHouse));
    for address in ["7", "[]", "true", "{}", r#"{"street":"12 Main Street"}"#, r#""""#] {
        let traits = format!(r#"{{"address":{address},"lastName":"Hill"}}"#);
        assert_eq!(of(HouseholdBy::Address, &traits), Err(Lack::NoHouse), "{address}");
    }
    assert_eq!(of(HouseholdBy::Address, r#"{"address":null}"#), Err(Lack::NoAddress));
    assert_eq!(of(HouseholdBy::Address, "{}"), Err(Lack::NoAddress));
}

#[test]
fn post_boxes_are_no_houses() {
    for street in
        ["PO Box 12", "P.O. Box 12", "p. o. box 12", "Post Office Box 12", "Postfach 12", "POBOX 9"]
    {
        assert_eq!(at(street, "62701", "US"), Err(Lack::PostBox), "{street}");
    }
    assert_eq!(whole("P.O. Box 12, Springfield, IL 62701"), Err(Lack::PostBox));
    assert!(at("12 Boxwood Road", "62701", "US").is_ok());
}

#[test]
fn an_address_in_one_text_is_compared_as_a_whole() {
    let one = whole("12 Main Street, Springfield, IL 62701").expect("a house");
    assert_eq!(whole("12 MAIN ST. Springfield IL, 62701"), Ok(one.clone()));
    assert_ne!(at("12 Main Street, Springfield, IL", "62701", ""), Ok(one));
    for text in ["Springfield", "12 Main Street", "62701 Springfield", "1 2 3 4", ""] {
        assert_eq!(whole(text), Err(Lack::NoHouse), "{text}");
    }
    assert_eq!(whole(&"1 a ".repeat(200)), Err(Lack::NoHouse));
}

#[test]
fn a_postal_code_may_be_a_number_and_keys_may_be_in_snake_case() {
    let text = at("12 Main Street", "62701", "").expect("a house");
    for address in [
        r#"{"street":"12 Main Street","postalCode":62701}"#,
        r#"{"street":"12 Main Street","postal_code":"62701","country":null,"city":"Anywhere"}"#,
    ] {
        let traits = format!(r#"{{"address":{address},"last_name":"hill"}}"#);
        assert_eq!(of(HouseholdBy::Address, &traits), Ok(text.clone()));
    }
    let odd = r#"{"address":{"street":"12 Main Street","postalCode":62701.5},"lastName":"hill"}"#;
    assert_eq!(of(HouseholdBy::Address, odd), Err(Lack::NoHouse));
}

#[test]
fn the_family_name_is_the_last_name_or_what_the_name_says_of_it() {
    let family =
        |names: &str| named(names).map(|key| key.rsplit('/').next().expect("a name").to_owned());
    for (names, expected) in [
        (r#""lastName":"O’Brien""#, "obrien"),
        (r#""lastName":"  OBRIEN Jr. ""#, "obrien"),
        (r#""lastName":"Smith-Jones","name":"Ann Other""#, "smith jones"),
        (r#""lastName":"van Gogh""#, "van gogh"),
        (r#""lastName":"Müller""#, "muller"),
        (r#""lastName":"","last_name":"Hill""#, "hill"),
        (r#""lastName":"王""#, "王"),
        (r#""name":"Ada Lovelace""#, "lovelace"),
        (r#""name":"Ada King Lovelace III""#, "lovelace"),
        (r#""name":"Lovelace, Ada""#, "lovelace"),
        (r#""name":"Ada Lovelace, Jr.""#, "lovelace"),
    ] {
        assert_eq!(family(names), Ok(expected.to_owned()), "{names}");
    }
    let long = format!(r#""lastName":"{}""#, "x".repeat(300));
    for names in [
        r#""firstName":"Ada""#,
        r#""name":"Ada""#,
        r#""name":"Ada Jr""#,
        r#""name":"Acme Inc.""#,
        r#""name":"Acme, Inc""#,
        r#""name":"Acme,""#,
        r#""lastName":"x""#,
        r#""lastName":"X 1""#,
        r#""lastName":7"#,
        r#""lastName":null"#,
        &long,
    ] {
        assert_eq!(family(names), Err(Lack::NoFamilyName), "{names}");
    }
}

#[test]
fn a_card_is_a_hash_and_never_a_number() {
    let hash = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
    let card = |text: &str| of(HouseholdBy::Card, &format!(r#"{{"card":{text}}}"#));
    assert_eq!(card(&format!(r#"" {} ""#, hash.to_uppercase())), Ok(format!("{hash}/")));
    assert_eq!(card(r#""Xt5EWLLDS7FJjR1c""#), Ok("Xt5EWLLDS7FJjR1c/".to_owned()));
    assert_ne!(card(r#""xt5ewllds7fjjr1c""#), card(r#""Xt5EWLLDS7FJjR1c""#));
    let nothing = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
    let long = format!(r#""{}""#, hash.repeat(5));
    for value in [
        "4111111111111111",
        r#""4111111111111111""#,
        r#""4111 1111 1111 1111""#,
        r#""xxxxxxxxxxxx1234""#,
        r#""short""#,
        r#""has a space in its middle""#,
        r#""aaaaaaaaaaaaaaaaaaaaaaaa""#,
        &format!(r#""{nothing}""#),
        &long,
        "{}",
        r#""""#,
    ] {
        assert_eq!(card(value), Err(Lack::NotAHash), "{value}");
    }
    assert_eq!(of(HouseholdBy::Card, r#"{"card":null}"#), Err(Lack::NoCard));
}

#[test]
fn values_that_the_space_blocks_make_no_household() {
    let blocked = Blocked {
        exact: vec![
            "N/A Unknown".to_owned(),
            "1 Test Road".to_owned(),
            "Placeholder00aA99bB".into(),
        ],
        regex: vec!["^unknown$".to_owned(), "^[0-]*$".to_owned()],
    };
    let households = households(blocked);
    let lack = |by, traits: &str| {
        let traits = Raw::check(traits.as_bytes()).expect("JSON");
        households.key(by, &|name: &str| traits.get(name)).err()
    };
    let at = |street: &str, names: &str| {
        let address = format!(r#""address":{{"street":"{street}","postalCode":"AB1 2CD"}}"#);
        lack(HouseholdBy::Address, &format!("{{{address},{names}}}"))
    };
    assert_eq!(at("2 Test Road", r#""lastName":"Hill""#), None);
    assert_eq!(at("1 TEST Road ", r#""lastName":"Hill""#), Some(Lack::Blocked));
    assert_eq!(at("2 Test Road", r#""lastName":"Unknown""#), Some(Lack::Blocked));
    assert_eq!(at("2 Test Road", r#""name":"Ada Unknown""#), Some(Lack::Blocked));
    assert_eq!(at("2 Test Road", r#""name":"n/a unknown""#), Some(Lack::Blocked));
    let card = |value: &str| lack(HouseholdBy::Card, &format!(r#"{{"card":"{value}"}}"#));
    assert_eq!(card("Placeholder00aA99bB"), Some(Lack::Blocked));
    assert_eq!(card("Placeholder00aA99bC"), None);
}

#[test]
fn what_is_looked_under_does_not_depend_on_what_is_blocked_or_on_the_name() {
    let traits =
        r#"{"address":{"street":"1 Hill Road","postalCode":"AB1 2"},"card":"Xt5EWLLDS7FJjR1c"}"#;
    let traits = Raw::check(traits.as_bytes()).expect("JSON");
    let blocked = Blocked { exact: vec!["1 Hill Road".to_owned()], regex: Vec::new() };
    let places = |blocked| households(blocked).places(traits).collect::<Vec<_>>();
    let expected = [
        (HouseholdBy::Address, "1 hill rd\nab12\n".to_owned()),
        (HouseholdBy::Card, "Xt5EWLLDS7FJjR1c".to_owned()),
    ];
    assert_eq!(places(blocked), expected);
    assert_eq!(places(Blocked::default()), expected);
    assert!(Households::default().places(traits).next().is_none(), "nobody is one by default");
}

#[test]
fn rules_of_households_are_checked_and_left_out_where_there_are_none() {
    let rules = RuleSet::default();
    assert!(!serde_json::to_string(&rules).expect("JSON").contains("households"));
    let yaml = "households: { address: true, card: cardHash }";
    let mut rules: RuleSet = serde_yaml_ng::from_str(yaml).expect("rules");
    assert_eq!(rules.households.card.as_deref(), Some("cardHash"));
    let again = serde_json::to_string(&rules).expect("JSON");
    assert_eq!(serde_json::from_str::<RuleSet>(&again).expect("rules"), rules);
    for name in [String::new(), "x".repeat(513)] {
        rules.households.card = Some(name);
        assert_eq!(Households::compile(&rules).err(), Some(RuleError::Card));
    }
    assert!(serde_yaml_ng::from_str::<RuleSet>("households: { adress: true }").is_err());
}

#[test]
fn debug_shows_nothing_personal() {
    let traits = r#"{"address":{"street":"1 Hill Road","postalCode":"AB1 2"},"lastName":"Secret"}"#;
    let traits = Raw::check(traits.as_bytes()).expect("JSON");
    let households = households(Blocked::default());
    let key = households.key(HouseholdBy::Address, &|name: &str| traits.get(name)).expect("one");
    assert_eq!(key.traits.as_slice(), ["address", "lastName"]);
    let shown = format!("{key:?}");
    assert!(!shown.contains("Secret") && !shown.contains("hill"), "{shown}");
}

proptest! {
    /// Whatever is sent, it is read without a panic, and a spelling is its own spelling.
    #[test]
    fn a_spelling_is_spelled_as_itself(street in "\\PC{0,60}", code in "\\PC{0,12}", name in "\\PC{0,20}") {
        if let Ok(once) = spelling::street(&street) {
            prop_assert_eq!(spelling::street(&once), Ok(once));
        }
        if let Some(once) = spelling::postal_code(&code) {
            prop_assert_eq!(spelling::postal_code(&once), Some(once));
        }
        if let Some(once) = spelling::family_name(&name) {
            prop_assert_eq!(spelling::family_name(&once), Some(once));
        }
        if let Ok(once) = spelling::whole_address(&street) {
            prop_assert_eq!(spelling::whole_address(&once), Ok(once));
        }
        if let Some(once) = spelling::country(&code) {
            prop_assert_eq!(spelling::country(&once), Some(once));
        }
        if let Some(once) = spelling::hash(&street) {
            prop_assert_eq!(spelling::hash(&once), Some(once));
        }
        if let Some(part) = spelling::family_of(&street) {
            prop_assert!(street.contains(part));
        }
    }

    /// Case and outer punctuation never make two of one.
    #[test]
    fn case_and_punctuation_make_no_difference(words in prop::collection::vec("[a-z]{1,8}|[0-9]{1,3}[a-z]?", 1..6)) {
        let plain = words.join(" ");
        let loud = format!("  {} ", words.join(", ").to_uppercase());
        prop_assert_eq!(spelling::street(&plain), spelling::street(&loud));
        prop_assert_eq!(spelling::whole_address(&plain), spelling::whole_address(&loud));
    }
}

#[test]
fn the_words_that_are_looked_up_are_in_order() {
    spelling::check_tables();
}
