use super::of;

/// These are on disk, as name keys and as which traits a full section keeps.
#[test]
fn hashes_never_change() {
    assert_eq!(format!("{:x} {:x}", of(b""), of(b"email")), "0 3085def8c7a05474");
}

#[test]
fn texts_that_differ_little_rank_apart() {
    let texts =
        ["", "\0", "\0\0", "a", "a\0", "order 1", "order 2", "Order Completed", "Order Complete"];
    let mut hashes: Vec<u64> = texts.iter().map(|text| of(text.as_bytes())).collect();
    hashes.sort_unstable();
    hashes.dedup();
    assert_eq!(hashes.len(), texts.len());
}
