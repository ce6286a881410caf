use super::Members;

#[test]
fn days_have_their_numbers_whenever_they_come() {
    let mut members = Members::default();
    for (day, enters) in [(5, true), (5, true), (7, true), (7, false), (6, true), (9, false)] {
        members.note(day, enters);
    }
    let days: Vec<_> = members.days().collect();
    assert_eq!(days, [(5, [2, 0, 2]), (6, [1, 0, 3]), (7, [1, 1, 2]), (9, [0, 1, 2])]);
    members.merged(9);
    members.merged(20);
    assert_eq!((members.count, members.days().last()), (0, Some((9, [0, 1, 1]))));
    for day in 10..1_000 {
        members.note(day, true);
    }
    assert_eq!(members.days().count(), Members::DAYS_KEPT);
    assert_eq!(members.days().last().map(|(day, _)| day), Some(999));
}
