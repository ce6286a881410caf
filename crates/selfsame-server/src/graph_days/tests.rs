use super::*;

fn graph(largest: u32) -> DayGraph {
    DayGraph { sizes: vec![1, 2, 3, 4, 5, 6], largest, giants: 1, shared: 2, over_rules: 3 }
}

#[test]
fn the_last_look_of_each_of_thirty_days_outlives_a_restart() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("graph-days.json");
    let days = GraphDays::open(file.clone());
    for day in 100..140 {
        for largest in [day, day + 1] {
            days.note(&[("shop".to_owned(), Collection::Users, day, graph(largest))]);
        }
    }
    days.note(&[("shop".to_owned(), Collection::Accounts, 100, graph(7))]);
    let kept = GraphDays::open(file.clone()).of("shop", Collection::Users);
    let expected: BTreeMap<_, _> = (110..140).map(|day| (day, graph(day + 1))).collect();
    assert_eq!(kept, expected);
    assert_eq!(GraphDays::open(file).of("shop", Collection::Accounts).len(), 1);
}

#[test]
fn a_file_that_cannot_be_read_begins_anew() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("graph-days.json");
    std::fs::write(&file, "{").expect("writes");
    let days = GraphDays::open(file.clone());
    assert_eq!(days.of("shop", Collection::Users), BTreeMap::new());
    days.note(&[("shop".to_owned(), Collection::Users, 1, graph(2))]);
    assert_eq!(GraphDays::open(file).of("shop", Collection::Users).len(), 1);
}
