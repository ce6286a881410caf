use selfsame_pipeline::workspace::Announce;

use super::destinations;

#[test]
fn a_destination_says_as_which_events_it_is_told() {
    let given = |all: &[&str]| all.iter().map(|one| (*one).to_owned()).collect::<Vec<_>>();
    assert!(destinations(&[]).expect("right").is_none(), "what is not given stays");
    let none = destinations(&given(&["none"])).expect("right").expect("given");
    assert!(none.is_empty());
    let two = destinations(&given(&["crm", "ads:track"])).expect("right").expect("given");
    let two: Vec<_> = two.iter().map(|one| (one.destination.as_str(), one.send)).collect();
    assert_eq!(two, [("crm", Some(Announce::Both)), ("ads", Some(Announce::Track))]);
    let wrong = destinations(&given(&["crm:email"])).expect_err("wrong").to_string();
    assert!(wrong.contains("both, track or identify"), "{wrong}");
}
