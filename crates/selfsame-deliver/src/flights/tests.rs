use super::*;

/// Has each send what it may, in turns, until none may any more.
fn fill(most: usize, connections: usize) -> Vec<usize> {
    let flights = Flights::new(most);
    let mut own: Vec<Vec<Flight>> = (0..connections).map(|_| Vec::new()).collect();
    loop {
        let mut is_still = true;
        for one in &mut own {
            let room = flights.room(one.len());
            is_still &= room == 0;
            one.extend((0..room).map(|_| flights.begin()));
        }
        if is_still {
            return own.iter().map(Vec::len).collect();
        }
    }
}

#[test]
fn nobody_takes_all_of_it() {
    assert_eq!(fill(1_000, 1), [500]);
    // Who comes first takes more; it is given back as its requests end.
    assert_eq!(fill(1_000, 3), [500, 250, 125]);
}

#[test]
fn who_has_nothing_under_way_may_always_send() {
    let own = fill(10, 40);
    assert!(own.iter().all(|own| *own >= 1), "{own:?}");
    assert!(own.iter().sum::<usize>() <= 50, "{own:?}");
}

#[test]
fn shares_become_equal_as_requests_end() {
    let flights = Flights::new(100);
    let mut own: Vec<Vec<Flight>> = vec![Vec::new(), Vec::new(), Vec::new()];
    for turn in 0..1_000 {
        let one = &mut own[turn % 3];
        drop(one.pop());
        let room = flights.room(one.len());
        one.extend((0..room).map(|_| flights.begin()));
    }
    for one in &own {
        assert!((20..=30).contains(&one.len()), "{own:?}");
    }
    drop(own);
    assert_eq!(flights.room(0), 50);
}
