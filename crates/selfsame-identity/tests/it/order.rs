//! Without limits, who is who does not depend on the order in which events arrive.

use proptest::prelude::*;

use crate::world::World;

const UNLIMITED: &str = "
types:
  - { name: user_id, priority: 1, limit: { count: 1000 } }
  - { name: email, priority: 2, limit: { count: 1000 } }
  - { name: anonymous_id, priority: 3, limit: { count: 1000 } }
  - { name: phone, priority: 4, limit: { count: 1000 } }
caps: { merges: 1000, mappings: 1000 }
";

fn partition<'e>(events: impl IntoIterator<Item = &'e String>) -> Vec<String> {
    let mut world = World::new(UNLIMITED);
    for event in events {
        let outcome = world.user(event);
        assert!(outcome.violations.is_empty() && outcome.refused.is_empty());
    }
    let profiles = world.profiles();
    let mut profiles: Vec<String> = profiles.split(" | ").map(str::to_owned).collect();
    profiles.sort();
    profiles
}

fn event() -> impl Strategy<Value = String> {
    let value = (prop::sample::select(vec!['u', 'e', 'a', 'p']), 1..6_u8)
        .prop_map(|(letter, number)| format!("{letter}{number}"));
    prop::collection::btree_set(value, 1..4)
        .prop_map(|values| values.into_iter().collect::<Vec<_>>().join(" "))
}

proptest! {
    #[test]
    fn any_order_of_arrival_gives_the_same_profiles(
        (told, shuffled) in prop::collection::vec(event(), 1..10)
            .prop_flat_map(|events| (Just(events.clone()), Just(events).prop_shuffle()))
    ) {
        prop_assert_eq!(partition(&told), partition(&shuffled));
    }

    /// A profile's id is that of its earliest mapped identifier, whatever merged meanwhile.
    #[test]
    fn the_oldest_profile_id_survives(events in prop::collection::vec(event(), 1..10)) {
        let mut world = World::new(UNLIMITED);
        let mut first = None;
        for event in &events {
            let outcome = world.user(event);
            first.get_or_insert(outcome.profile);
        }
        let oldest = world.rows.components.values().find(|row| row.parent.is_none());
        prop_assert_eq!(oldest.and_then(|row| row.profile()), first);
    }
}
