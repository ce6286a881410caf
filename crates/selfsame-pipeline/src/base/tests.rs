use super::*;

#[test]
fn a_copy_is_the_same_and_keeps_holes() {
    let folder = tempfile::tempdir().unwrap();
    let (from, to) = (folder.path().join("from"), folder.path().join("to"));
    std::fs::create_dir_all(from.join("inner")).unwrap();
    let file = File::create(from.join("inner/a")).unwrap();
    file.write_all_at(b"begin", 0).unwrap();
    file.write_all_at(b"end", (10 << 20) + 7).unwrap();
    std::fs::write(from.join("empty"), b"").unwrap();
    copy_folder(&from, &to).unwrap();
    assert_eq!(
        std::fs::read(from.join("inner/a")).unwrap(),
        std::fs::read(to.join("inner/a")).unwrap()
    );
    assert!(to.join("empty").exists());
    let blocks = std::os::unix::fs::MetadataExt::blocks(&to.join("inner/a").metadata().unwrap());
    assert!(blocks * 512 < 1 << 20, "{blocks}");
}
