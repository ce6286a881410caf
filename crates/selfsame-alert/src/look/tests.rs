use super::{Verdict, changed, share};

fn word(verdict: &Verdict) -> &'static str {
    match verdict {
        Verdict::Bad(_) => "bad",
        Verdict::Good => "good",
        Verdict::Between => "between",
    }
}

#[test]
fn shares_have_room_between_bad_and_good() {
    for (bad, all, wanted) in [
        (0, 0, "good"),
        (19, 19, "good"),
        (20, 400, "bad"),
        (20, 450, "between"),
        (20, 501, "good"),
        (u64::MAX, u64::MAX, "bad"),
    ] {
        assert_eq!(word(&share((bad, all), 5, 20, "x")), wanted, "{bad} of {all}");
    }
}

#[test]
fn changes_have_room_between_bad_and_good() {
    for (before, now, wanted) in [
        (0, 0, "good"),
        (0, 99, "good"),
        (0, 100, "bad"),
        (100, 150, "bad"),
        (100, 50, "bad"),
        (100, 145, "between"),
        (100, 139, "good"),
        (1_000, 0, "bad"),
        (0, u64::MAX, "bad"),
    ] {
        assert_eq!(word(&changed((before, now), 50, 100, "x")), wanted, "{before} to {now}");
    }
}
