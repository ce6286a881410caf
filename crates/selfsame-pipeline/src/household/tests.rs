use super::*;

fn id(by: HouseholdBy, place: &str, name: &str, secret: u8, space: u32) -> HouseholdId {
    let key = HouseholdKey {
        by,
        place: place.to_owned(),
        name: name.to_owned(),
        traits: Default::default(),
    };
    HouseholdId::of(&KeyHasher::new([secret; 32]), space, &key)
}

#[test]
fn an_id_is_read_as_it_is_written_and_nothing_else_is_one() {
    let one = id(HouseholdBy::Address, "1 hill rd", "hill", 1, 0);
    let text = one.to_string();
    assert_eq!(text.len(), "household:".len() + 32);
    assert_eq!(HouseholdId::parse(&text), Some(one));
    let upper = text.to_uppercase().replace("HOUSEHOLD", "household");
    let cut = [text.get(1..).expect("longer"), text.get(..41).expect("longer")];
    for other in [cut[0], cut[1], &format!("{text}0"), &upper, "household:", "use_1"] {
        assert_eq!(HouseholdId::parse(other), None, "{other}");
    }
    assert_eq!(HouseholdId::parse(&format!("household:{}", "+1".repeat(16))), None);
}

#[test]
fn ids_differ_by_all_that_makes_a_household() {
    let one = id(HouseholdBy::Address, "1 hill rd", "hill", 1, 0);
    assert_eq!(one, id(HouseholdBy::Address, "1 hill rd", "hill", 1, 0));
    let others = [
        id(HouseholdBy::Card, "1 hill rd", "hill", 1, 0),
        id(HouseholdBy::Address, "2 hill rd", "hill", 1, 0),
        id(HouseholdBy::Address, "1 hill rd", "dale", 1, 0),
        id(HouseholdBy::Address, "1 hill rd", "hill", 2, 0),
        id(HouseholdBy::Address, "1 hill rd", "hill", 1, 1),
    ];
    assert!(others.iter().all(|other| *other != one));
    // All of one address are found under one prefix.
    assert_eq!(one.prefix(0), others[2].prefix(0));
}
