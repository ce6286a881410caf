use proptest::prelude::*;

use super::*;

fn link() -> impl Strategy<Value = Link> {
    (0..9_u8, 0..9_i64, 0..3_u32).prop_map(|(anchor, since, source)| Link {
        anchor: IdentifierKey([anchor; 16]),
        since: Time::from_micros(since),
        source: SourceNumber(source),
    })
}

fn added(links: &[Link], cap: usize) -> List {
    let mut list = List::new();
    for link in links {
        add(&mut list, *link, cap);
    }
    list
}

proptest! {
    /// The earliest of each anchor, and of these the earliest, whatever the order.
    #[test]
    fn the_earliest_stay(mut links in prop::collection::vec(link(), 0..30), cap in 0..6_usize) {
        let list = added(&links, cap);
        let mut packed = Scratch::new();
        write_all(&list, &mut packed);
        prop_assert!(check(&packed));
        prop_assert_eq!(&read_all(&packed).collect::<List>(), &list);

        links.sort();
        links.dedup_by_key(|link| link.anchor);
        links.sort_by_key(|link| (link.since, link.anchor));
        links.truncate(cap);
        links.sort();
        prop_assert_eq!(list.as_slice(), links);
    }
}

#[test]
fn a_full_list_says_what_it_did() {
    let link = |anchor: u8, since| Link {
        anchor: IdentifierKey([anchor; 16]),
        since: Time::from_micros(since),
        source: SourceNumber(1),
    };
    let mut list = List::new();
    for (anchor, since, expected) in [
        (1, 5, Linked::Written),
        (2, 9, Linked::Written),
        (3, 9, Linked::Refused),
        (3, 8, Linked::Displaced),
        (2, 9, Linked::Refused),
        (3, 8, Linked::Known),
        (3, 7, Linked::Written),
    ] {
        assert_eq!(add(&mut list, link(anchor, since), 2), expected, "{anchor} {since}");
    }
}
