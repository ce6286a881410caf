use super::*;

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const HOOK: Purpose<'static> = Purpose::Destination("hook");

fn vault(folder: &tempfile::TempDir) -> Vault {
    Vault::open(folder.path().join(KEY_FILE)).expect("a vault")
}

#[test]
fn what_is_sealed_is_opened_by_the_same_key_for_the_same_purpose_only() {
    let folder = tempfile::tempdir().expect("a folder");
    let first = vault(&folder);
    let sealed = first.seal(HOOK, SECRET).expect("sealed");
    assert!(sealed.starts_with("sealed:1:") && !sealed.contains("MfKQ9r8G"), "{sealed}");
    assert_ne!(sealed, first.seal(HOOK, SECRET).expect("sealed"), "a nonce of its own");
    let again = vault(&folder);
    assert_eq!(again.unseal(HOOK, &sealed).as_deref(), Ok(SECRET));
    assert_eq!(again.unseal(Purpose::Destination("other"), &sealed), Err(Locked::Damaged));
    assert_eq!(again.unseal(Purpose::IdentityKey("hook", ""), &sealed), Err(Locked::Damaged));
    let elsewhere = tempfile::tempdir().expect("a folder");
    let other = vault(&elsewhere);
    assert_eq!(other.unseal(HOOK, &sealed), Err(Locked::NoKey(first.ids().remove(0))));
}

#[test]
fn every_changed_byte_is_noticed() {
    let folder = tempfile::tempdir().expect("a folder");
    let vault = vault(&folder);
    let sealed = vault.seal(HOOK, SECRET).expect("sealed");
    for at in 0..sealed.len() {
        let mut bytes = sealed.clone().into_bytes();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(bytes).expect("ASCII");
        let opened = vault.unseal(HOOK, &changed);
        assert_ne!(opened.as_deref(), Ok(SECRET), "byte {at}");
        if at >= PREFIX.len() {
            assert!(opened.is_err(), "byte {at}");
        }
        assert!(
            at < PREFIX.len() || vault.unseal(HOOK, sealed.get(..at).expect("ASCII")).is_err(),
            "cut at {at}"
        );
    }
}

#[test]
fn a_text_from_before_is_what_it_says() {
    let folder = tempfile::tempdir().expect("a folder");
    assert_eq!(vault(&folder).unseal(HOOK, SECRET).as_deref(), Ok(SECRET));
}

#[test]
fn the_first_key_seals_and_all_of_them_open() {
    let folder = tempfile::tempdir().expect("a folder");
    let old = vault(&folder);
    let sealed = old.seal(HOOK, SECRET).expect("sealed");
    let file = folder.path().join(KEY_FILE);
    let before = std::fs::read_to_string(&file).expect("a file");
    let new = format!("{KEY_PREFIX}{}", URL_SAFE_NO_PAD.encode([7; 32]));
    std::fs::write(&file, format!("{new}\n\n{before}")).expect("written");
    let both = vault(&folder);
    assert_eq!(both.unseal(HOOK, &sealed).as_deref(), Ok(SECRET));
    assert_eq!(both.ids().len(), 2);
    assert!(both.seal(HOOK, SECRET).expect("sealed").contains(&both.ids()[0]));
    assert_eq!(both.ids()[1], old.ids()[0]);
}

#[test]
fn the_key_file_is_for_this_user_only_and_kept() {
    let folder = tempfile::tempdir().expect("a folder");
    let vault = vault(&folder);
    assert!(vault.ids().is_empty() && !vault.file().exists(), "nothing is made by looking");
    vault.ensure_key().expect("a key");
    let mode = std::fs::metadata(vault.file()).expect("a file").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    assert!(!vault.is_exposed());
    let ids = vault.ids();
    vault.ensure_key().expect("the same key");
    assert_eq!(vault.ids(), ids);
    std::fs::set_permissions(vault.file(), std::fs::Permissions::from_mode(0o640)).expect("set");
    assert!(vault.is_exposed());
}

#[test]
fn a_line_that_is_no_key_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join(KEY_FILE);
    for wrong in ["hello", "sfk_", "sfk_AAAA", "sfk_%"] {
        std::fs::write(&file, format!("# mine\n{wrong}\n")).expect("written");
        let error = Vault::open(file.clone()).expect_err("no key");
        assert!(error.to_string().contains("line 2"), "{error}");
        assert!(wrong.len() < 5 || !format!("{error:?}").contains(wrong), "a key is not shown");
    }
}
