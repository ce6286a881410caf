use super::of;

/// These are on disk, as name keys and as which traits a full section keeps.
#[test]
fn hashes_never_change() {
    assert_eq!(format!("{:x} {:x}", of(b""), of(b"email")), "f52a15e9a9b5e89b 80aa851951df944c");
}
