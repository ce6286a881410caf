use serde_json::json;

use super::*;

fn verdict(items: Value) -> Verdict {
    let outcome = Meaning::PerItem;
    Verdict { outcome, after_seconds: None, message: None, items: Some(items) }
}

#[test]
fn items_are_found_by_their_place_or_their_index() {
    for (items, outcomes) in [
        (json!(["ok", "reject", "retry"]), [Meaning::Ok, Meaning::Reject, Meaning::Retry]),
        (json!([{"outcome": "retry"}]), [Meaning::Retry, Meaning::Ok, Meaning::Ok]),
        (
            json!([{"index": 2, "outcome": "reject"}, {"index": 0, "outcome": "throttle"}]),
            [Meaning::Throttle, Meaning::Ok, Meaning::Reject],
        ),
        (json!([{"index": 1, "outcome": "per_item"}]), [Meaning::Ok, Meaning::Reject, Meaning::Ok]),
        (json!("nonsense"), [Meaning::Ok; 3]),
    ] {
        let found = [0, 1, 2].map(|place| of_item(&verdict(items.clone()), place).outcome);
        assert_eq!(found, outcomes, "{items}");
    }
}

fn member(size: usize) -> Member {
    let (ended, _) = mpsc::channel(1);
    Member { event: Arc::new(Value::Null), key: String::new(), size, company: 0, place: 0, ended }
}

#[test]
fn a_batch_closes_when_it_is_full_and_when_no_more_can_come() {
    let batches = Batches::default();
    let room = Room { events: 3, bytes: 100, wait: MOST_WAIT, ordered: true };
    let join =
        |size, most| batches.join(&(0, String::new()), vec![vec![member(size)]], room, most).pop();
    let first = join(10, 9).expect("it leads");
    assert!(join(10, 9).is_none() && join(10, 9).is_none());
    let second = join(10, 9).expect("the first is full");
    assert_eq!(batches.take(first.number).len(), 3);
    let third = join(95, 9).expect("it is too large for the second");
    assert_eq!((batches.take(second.number).len(), batches.take(third.number).len()), (1, 1));
    let fourth = join(10, 2).expect("it leads");
    assert!(join(10, 2).is_none());
    assert!(join(10, 2).is_some(), "it closed: two were all that could come");
    assert_eq!(batches.take(fourth.number).len(), 2);
    assert!(batches.take(99).is_empty());
}

#[test]
fn those_that_come_together_are_in_one_batch() {
    let batches = Batches::default();
    let room = Room { events: 3, bytes: 100, wait: MOST_WAIT, ordered: true };
    let join = |sizes: &[usize]| {
        let members = sizes.iter().map(|size| member(*size)).collect();
        batches.join(&(0, String::new()), vec![members], room, 9).pop()
    };
    let first = join(&[10, 20]).expect("it leads");
    let second = join(&[30, 40]).expect("they do not fit beside the first");
    let sizes = |number| batches.take(number).iter().map(|one| one.size).collect::<Vec<_>>();
    assert_eq!(sizes(first.number), [10, 20]);
    let third = join(&[90]).expect("it is too large beside them");
    let companies: BTreeSet<u64> =
        batches.lock().full[&second.number].iter().map(|one| one.company).collect();
    assert_eq!(companies.len(), 1);
    assert_eq!((sizes(second.number), sizes(third.number)), (vec![30, 40], vec![90]));
}
