use super::*;

fn path(name: &str) -> PathBuf {
    Path::new("/log").join(name)
}

fn image_bytes(fs: &FaultFs, seed: u64, name: &str) -> Option<Vec<u8>> {
    fs.image(seed).bytes(&path(name))
}

#[test]
fn what_was_not_synced_may_be_lost_or_kept() {
    let fs = FaultFs::default();
    let file = fs.create(&path("a")).expect("create");
    file.write_at(b"one", 0).expect("write");
    assert_eq!(image_bytes(&fs, 0, "a"), None);
    assert_eq!(image_bytes(&fs, 1, "a").as_deref(), Some(&b"one"[..]));
    fs.sync_dir(Path::new("/log")).expect("sync");
    assert_eq!(image_bytes(&fs, 0, "a").as_deref(), Some(&b""[..]));
    file.sync_data().expect("sync");
    for seed in 0..20 {
        assert_eq!(image_bytes(&fs, seed, "a").as_deref(), Some(&b"one"[..]));
    }
}

#[test]
fn sectors_of_one_write_are_torn() {
    let fs = FaultFs::default();
    let file = fs.create(&path("a")).expect("create");
    fs.sync_dir(Path::new("/log")).expect("sync");
    file.write_at(&[7; 2048], 100).expect("write");
    let images = (0..64).filter_map(|seed| image_bytes(&fs, seed, "a"));
    let kept: BTreeSet<_> = images
        .map(|image| [100, 512, 1024, 1536, 2048].map(|at| image.get(at) == Some(&7)))
        .collect();
    assert!(kept.len() > 10, "{kept:?}");
}

#[test]
fn a_failed_sync_loses_what_no_later_sync_brings_back() {
    let fs = FaultFs::default();
    let file = fs.create(&path("a")).expect("create");
    fs.sync_dir(Path::new("/log")).expect("sync");
    let mut lost = 0;
    for at in 0..20 {
        file.write_at(&[7; 1], at * SECTOR_STEP).expect("write");
        fs.fail(Call::Sync, 0, Failure::Broken, 1);
        file.sync_data().expect_err("told to fail");
        file.sync_data().expect("only once");
        let place = usize::try_from(at * SECTOR_STEP).expect("small");
        lost += usize::from(image_bytes(&fs, 1, "a").is_none_or(|b| b.get(place) != Some(&7)));
    }
    assert!(lost > 0, "the process sees more than is durable");
    assert_eq!(file.size().expect("size"), 19 * SECTOR_STEP + 1);
}

const SECTOR_STEP: u64 = 512;

#[test]
fn names_are_changed_whole() {
    let fs = FaultFs::default();
    fs.put(&path("a"), b"old".to_vec());
    fs.put(&path("b"), b"new".to_vec());
    fs.rename(&path("b"), &path("a")).expect("rename");
    for seed in 0..20 {
        let (a, b) = (image_bytes(&fs, seed, "a"), image_bytes(&fs, seed, "b"));
        let before = (Some(b"old".to_vec()), Some(b"new".to_vec()));
        assert!((a.clone(), b.clone()) == before || (a, b) == (Some(b"new".to_vec()), None));
    }
    assert_eq!(fs.list(Path::new("/log")).expect("list"), ["a"]);
}

#[test]
fn a_folder_is_locked_once() {
    let fs = FaultFs::default();
    let lock = fs.lock(Path::new("/log")).expect("lock");
    fs.lock(Path::new("/log")).expect_err("taken");
    drop(lock);
    fs.lock(Path::new("/log")).expect("free");
}
