use super::*;

#[test]
fn what_is_wrong_is_read_from_the_metrics() {
    let text = "# TYPE x gauge\nselfsame_log_clock_held_seconds 7\nselfsame_engine_lag_records 3\n\
                selfsame_delivery_dead_events{space=\"0\",destination=\"a b\"} 2\n";
    let mut findings = Findings::default();
    judge(&metrics(text), &mut findings);
    let shown = format!("{findings:?}");
    assert!(shown.contains("jumped 7 s ahead"), "{shown}");
    assert!(shown.contains("3 requests wait"), "{shown}");
    assert!(shown.contains("a b") && shown.contains("2 dead letters"), "{shown}");
}
