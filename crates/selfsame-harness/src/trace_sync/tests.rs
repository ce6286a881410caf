use super::lines::{Verdict, judge};

const POST: &str = r#"1 recvfrom(9<TCP:[a->b]>, "POST /v1/track HTTP/1.1\r\nHost: l"..., 8192, 0, NULL, NULL) = 700"#;
const MORE: &str = r#"1 recvfrom(9<TCP:[a->b]>, "\"messageId\":"..., 8192, 0, NULL, NULL) = 300"#;
const EMPTY: &str = r#"1 recvfrom(9<TCP:[a->b]>, 0x7f, 8192, 0, NULL, NULL) = -1 EAGAIN (Resource temporarily unavailable)"#;
const SYNC: &str = "2   fdatasync(7</tmp/data/0.log>) = 0";
const OTHER: &str =
    r#"1 sendto(8<TCP:[a->c]>, "HTTP/1.1 200 OK\r\n"..., 120, MSG_NOSIGNAL, NULL, 0) = 120"#;
const ANSWER: &str =
    r#"1 sendto(9<TCP:[a->b]>, "HTTP/1.1 200 OK\r\n"..., 120, MSG_NOSIGNAL, NULL, 0) = 120"#;

/// How many answers, syncs and early answers these lines hold.
fn check(lines: &[&str], answers: u64, syncs: u64, early: usize) {
    let Verdict { answers: a, syncs: s, early: e } = judge(&lines.join("\n"));
    assert_eq!((a, s, e.len()), (answers, syncs, early), "{lines:#?}: {e:?}");
}

#[test]
fn an_answer_after_its_sync_is_well() {
    check(&[POST, EMPTY, SYNC, ANSWER], 1, 1, 0);
    check(&[POST, EMPTY, MORE, SYNC, EMPTY, ANSWER], 1, 1, 0);
}

#[test]
fn an_answer_without_a_sync_or_after_a_failed_one_is_early() {
    check(&[POST, ANSWER], 1, 0, 1);
    check(&[POST, "2 fdatasync(7</f>) = -1 EIO (Input/output error)", ANSWER], 1, 0, 1);
}

#[test]
fn a_sync_that_began_before_the_last_bytes_came_does_not_count() {
    let (begin, end) = ("2 fdatasync(7</f> <unfinished ...>", "2 <... fdatasync resumed>) = 0");
    check(&[begin, POST, end, ANSWER], 1, 1, 1);
    check(&[POST, begin, MORE, end, ANSWER], 1, 1, 1);
    check(&[POST, begin, end, ANSWER], 1, 1, 0);
    check(&[POST, begin, ANSWER, end], 1, 1, 1);
    check(&[SYNC, POST, ANSWER], 1, 1, 1);
}

#[test]
fn a_read_counts_from_where_it_ended_and_an_answer_from_where_it_began() {
    let begin = "1 recvfrom(9<TCP:[a->b]>,  <unfinished ...>";
    let end = r#"1 <... recvfrom resumed>"POST /v1/track"..., 8192, 0, NULL, NULL) = 700"#;
    check(&[begin, SYNC, end, ANSWER], 1, 1, 1);
    check(&[begin, end, SYNC, ANSWER], 1, 1, 0);
    let begin =
        r#"1 writev(9<TCP:[a->b]>, [{iov_base="HTTP/1.1 200 OK", iov_len=90}], 1 <unfinished ...>"#;
    check(&[POST, begin, SYNC, "1 <... writev resumed>) = 90"], 1, 1, 1);
}

#[test]
fn answers_to_other_requests_are_not_judged() {
    let get = r#"1 recvfrom(9<TCP:[a->b]>, "GET /readyz HTTP/1.1"..., 8192, 0, NULL, NULL) = 60"#;
    check(&[get, ANSWER, POST, OTHER, SYNC, ANSWER], 1, 1, 0);
}
