use super::*;

fn manifest(format: u32) -> Manifest {
    Manifest {
        selfsame_backup: format,
        data_format: 1,
        program: "0".to_owned(),
        created: "2026-01-01T00:00:00.000Z".to_owned(),
        first: 0,
        position: 3,
        state_hash: None,
        keys: Vec::new(),
        has_key: false,
        files: Vec::new(),
    }
}

#[test]
fn a_newer_backup_is_refused_and_says_so() {
    let folder = tempfile::tempdir().unwrap();
    manifest(1).store(folder.path()).unwrap();
    assert_eq!(Manifest::load(folder.path()).unwrap(), manifest(1));
    manifest(2).store(folder.path()).unwrap();
    let error = Manifest::load(folder.path()).unwrap_err().to_string();
    assert!(error.contains("newer selfsame"), "{error}");
}

#[test]
fn a_file_with_other_content_or_outside_is_found() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a"), b"one").unwrap();
    let (bytes, blake3) = digest(&folder.path().join("a")).unwrap();
    let entry = FileEntry { path: "a".to_owned(), bytes, blake3 };
    let mut manifest = Manifest { files: vec![entry], ..manifest(1) };
    manifest.check(folder.path(), |_| ()).unwrap();
    std::fs::write(folder.path().join("a"), b"two").unwrap();
    let error = manifest.check(folder.path(), |_| ()).unwrap_err().to_string();
    assert!(error.contains("is damaged"), "{error}");
    "../a".clone_into(&mut manifest.files[0].path);
    let error = manifest.check(folder.path(), |_| ()).unwrap_err().to_string();
    assert!(error.contains("outside"), "{error}");
}

#[test]
fn a_folder_with_something_in_it_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("a"), b"one").unwrap();
    assert!(ensure_empty(folder.path()).is_err());
    assert!(ensure_empty(&folder.path().join("not-there")).is_ok());
}
