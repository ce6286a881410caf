//! The inputs that the fuzz target `segment` starts from, and those it once failed on.

use std::path::Path;

use crate::hostile::check;

#[test]
fn the_corpus_of_hostile_segments() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/segment");
    let (mut inputs, mut failed) = (0, Vec::new());
    for entry in std::fs::read_dir(folder).expect("the corpus") {
        let path = entry.expect("an entry").path();
        let input = std::fs::read(&path).expect("read");
        if std::panic::catch_unwind(|| check(&input)).is_err() {
            failed.push(path);
        }
        inputs += 1;
    }
    assert!(failed.is_empty() && inputs >= 20, "{inputs} {failed:?}");
}
