use super::thirds;

#[test]
fn warm_up_is_left_out_and_one_peak_is_not_growth() {
    assert_eq!(thirds(&[1, 2, 3, 10, 10, 10, 10, 90, 10]), Some((10, 10)));
}

#[test]
fn growth_is_seen() {
    assert_eq!(thirds(&[1, 2, 3, 4, 5, 6, 7, 8, 9]), Some((5, 8)));
}

#[test]
fn no_samples_say_nothing() {
    assert_eq!(thirds(&[]), None);
}
