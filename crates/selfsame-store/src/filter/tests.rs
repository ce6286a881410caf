use super::*;

fn hash(key: u64) -> u64 {
    let bytes = blake3::hash(&key.to_le_bytes());
    let mut first = [0; 8];
    first.copy_from_slice(&bytes.as_bytes()[..8]);
    u64::from_le_bytes(first)
}

#[test]
fn every_key_that_was_added_may_be_there_and_few_others() {
    let filter = Filter::default();
    assert!(!filter.may_have(hash(1)));
    let keys = 300_000;
    (0..keys).for_each(|key| filter.add(hash(key)));
    assert!((0..keys).all(|key| filter.may_have(hash(key))));
    let wrong = (keys..2 * keys).filter(|key| filter.may_have(hash(*key))).count();
    assert!(wrong < 3_000, "{wrong} of 300,000");
    assert!(filter.bytes() < 2 * 2 * 300_000 * 2, "{}", filter.bytes());
}
