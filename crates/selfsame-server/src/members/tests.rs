use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;

use selfsame_event::Time;
use selfsame_pipeline::workspace::Role;
use tempfile::TempDir;

use super::content::{IDLE, MEMBER_LINK};
use super::{Chosen, Content, Members, Place, Refused, for_backup, wrong_password};
use crate::vault::Vault;

const HOUR: i64 = 3_600 * 1_000_000;
const DAY: i64 = 24 * HOUR;

fn at(micros: i64) -> Time {
    Time::from_micros(1_800_000_000_000_000 + micros)
}

fn place() -> Place {
    Place { address: IpAddr::V4(Ipv4Addr::LOCALHOST), agent: "a browser\u{7}".to_owned() }
}

struct World {
    folder: TempDir,
    vault: Vault,
    members: Members,
}

impl World {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let vault = Vault::open(folder.path().join("key")).expect("a vault");
        let members = open(folder.path(), &vault);
        Self { folder, vault, members }
    }

    fn again(&mut self) {
        self.members = open(self.folder.path(), &self.vault);
    }

    async fn add(&self, email: &str, role: Role) -> String {
        let added = self.members.add(&self.vault, email, email, role, at(0)).await;
        added.expect("kept").expect("added").0.id
    }

    async fn sign_in(&self, member: &str, before: Option<&str>, now: i64) -> (String, String) {
        let begun = self.members.sign_in(&self.vault, member, &place(), before, at(now)).await;
        let (cookie, signed_in) = begun.expect("kept").expect("a member");
        (cookie, signed_in.session.id)
    }

    fn is_in(&self, cookie: &str, now: i64) -> bool {
        self.members.signed_in(cookie, at(now)).is_some()
    }
}

fn open(folder: &Path, vault: &Vault) -> Members {
    Members::open(folder.join("members.json"), vault).expect("members")
}

#[tokio::test]
async fn a_session_ends_when_it_is_idle_and_when_it_is_old() {
    let world = World::new();
    let ada = world.add("ada@example.com", Role::Owner).await;
    let (cookie, _) = world.sign_in(&ada, None, 0).await;
    assert!(world.is_in(&cookie, IDLE - 1));
    assert!(!world.is_in(&cookie, IDLE));
    assert!(!world.is_in("", 0) && !world.is_in("another", 0));
    // Used every hour, it goes on, but not for ever.
    let mut now = 0;
    while world.is_in(&cookie, now) {
        let session = world.members.signed_in(&cookie, at(now)).expect("in").session;
        world.members.touch(&world.vault, &session, at(now)).await.expect("kept");
        now += HOUR;
    }
    assert_eq!(now, 7 * DAY);
}

#[tokio::test]
async fn members_and_sessions_outlive_the_process_and_nothing_of_them_can_be_read() {
    let mut world = World::new();
    let ada = world.add("ada@example.com", Role::Admin).await;
    let hash = world.members.passwords.hash("a long enough one".to_owned()).await.expect("a hash");
    let (cookie, session) = world.sign_in(&ada, None, 0).await;
    let set = world.members.set_password(&world.vault, &ada, hash, &session, at(1)).await;
    set.expect("kept").expect("a member");
    world.again();
    assert!(world.is_in(&cookie, 1));
    let known = world.members.by_email("ada@example.com").expect("ada");
    assert_eq!((known.role, known.signed_in), (Role::Admin, Some(at(0).micros())));
    let text = std::fs::read_to_string(world.folder.path().join("members.json")).expect("a file");
    for secret in ["ada", "argon2", "browser", cookie.as_str(), session.as_str()] {
        assert!(!text.contains(secret), "{secret}");
    }
    // In a backup there is the member, and nobody is signed in.
    let copy = for_backup(&world.folder.path().join("members.json"), &world.vault);
    let copy = copy.expect("read").expect("a file");
    std::fs::write(world.folder.path().join("members.json"), copy).expect("written");
    world.again();
    assert!(!world.is_in(&cookie, 1));
    assert!(world.members.by_email("ada@example.com").is_some());
}

#[tokio::test]
async fn another_key_opens_nothing_and_changes_nothing_of_the_file() {
    let world = World::new();
    world.add("ada@example.com", Role::Owner).await;
    let file = world.folder.path().join("members.json");
    let before = std::fs::read(&file).expect("a file");
    let other = Vault::open(world.folder.path().join("other")).expect("a vault");
    let locked = open(world.folder.path(), &other);
    assert!(locked.locked().is_some() && locked.is_empty());
    assert_eq!(std::fs::read(&file).expect("a file"), before);
    locked.put_aside().expect("moved");
    assert!(locked.locked().is_none());
    let aside = world.folder.path().join("members.json.locked");
    assert_eq!(std::fs::read(aside).expect("a file"), before);
}

#[test]
fn a_file_of_a_later_version_and_a_damaged_one_are_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let vault = Vault::open(folder.path().join("key")).expect("a vault");
    let file = folder.path().join("members.json");
    for (text, why) in [
        (r#"{"selfsame_members":2,"other":true}"#, "has format 2"),
        ("{", "is damaged"),
        (r#"{"selfsame_members":1,"sealed":"{}"}"#, "is damaged"),
    ] {
        std::fs::write(&file, text).expect("written");
        let error = Members::open(file.clone(), &vault).expect_err("refused").to_string();
        assert!(error.contains(why), "{error}");
        assert_eq!(std::fs::read_to_string(&file).expect("a file"), text);
    }
}

/// Made apart from this program, by what `file.rs` and the vault draw: what every later one has to open.
#[test]
fn the_first_format_is_opened() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/members/v1");
    let vault = Vault::open(fixtures.join("key")).expect("a vault");
    let members = open(&fixtures, &vault);
    let ada = members.by_email("ada@example.com").expect("ada");
    assert_eq!((ada.name.as_str(), ada.role), ("Ada", Role::PrivacyOfficer));
    assert!(members.signed_in("a cookie of then", at(1)).is_some());
    assert!(members.link("a link of then", at(1)).is_some());
}

#[tokio::test]
async fn a_link_is_used_once_and_within_its_time() {
    let world = World::new();
    let (members, vault) = (&world.members, &world.vault);
    let chosen = |first: bool| Chosen {
        first: first.then(|| ("ada@example.com".to_owned(), "Ada".to_owned())),
        hash: "hash".to_owned(),
    };
    let (_, old) = members.offer(vault, None, at(0)).await.expect("kept").expect("a link");
    let (_, new) = members.offer(vault, None, at(0)).await.expect("kept").expect("a link");
    // Only the newest waits.
    assert!(members.link(&old.token, at(1)).is_none());
    assert!(members.link(&new.token, at(DAY)).is_none());
    let used = members.use_link(vault, &new.token, chosen(true), &place(), at(1)).await;
    let (cookie, ada) = used.expect("kept").expect("the first member");
    assert_eq!(ada.member.role, Role::Owner);
    assert!(world.is_in(&cookie, 2));
    let again = members.use_link(vault, &new.token, chosen(true), &place(), at(2)).await;
    assert_eq!(again.expect("nothing to keep").err(), Some(Refused::NoLink));
    // With a member there, no link makes another first one.
    let (_, late) = members.offer(vault, None, at(3)).await.expect("kept").expect("a link");
    let late = members.use_link(vault, &late.token, chosen(true), &place(), at(4)).await;
    assert_eq!(late.expect("nothing to keep").err(), Some(Refused::NoLink));
    // A new password ends what there was.
    let id = Some(ada.member.id.as_str());
    let (_, other) = members.offer(vault, id, at(5)).await.expect("kept").expect("a link");
    assert!(members.link(&other.token, at(5 + MEMBER_LINK)).is_none());
    assert!(world.is_in(&cookie, 5));
    let used = members.use_link(vault, &other.token, chosen(false), &place(), at(6)).await;
    let (newer, _) = used.expect("kept").expect("a member");
    assert!(!world.is_in(&cookie, 7) && world.is_in(&newer, 7));
}

#[tokio::test]
async fn the_last_owner_stays_and_whoever_goes_is_out_at_once() {
    let world = World::new();
    let (members, vault) = (&world.members, &world.vault);
    let ada = world.add("ada@example.com", Role::Owner).await;
    let bob = world.add("bob@example.com", Role::Editor).await;
    let twice = members.add(vault, "bob@example.com", "Bob", Role::Viewer, at(0)).await;
    assert_eq!(twice.expect("nothing to keep").err(), Some(Refused::Taken));
    let last = Err(Refused::LastOwner);
    assert_eq!(members.remove(vault, &ada, at(0)).await.expect("read"), last);
    let lower = members.set(vault, &ada, (None, Some(Role::Admin)), at(0)).await;
    assert_eq!(lower.expect("read").err(), Some(Refused::LastOwner));
    let same = members.set(vault, &ada, (Some("Ada".to_owned()), Some(Role::Owner)), at(0)).await;
    assert_eq!(same.expect("read").map(|ada| ada.name), Ok("Ada".to_owned()));
    members.set(vault, &bob, (None, Some(Role::Owner)), at(0)).await.expect("kept").expect("bob");
    let (cookie, _) = world.sign_in(&ada, None, 0).await;
    assert!(world.is_in(&cookie, 1));
    members.remove(vault, &ada, at(2)).await.expect("kept").expect("two owners");
    assert!(!world.is_in(&cookie, 2));
    assert_eq!(members.remove(vault, &ada, at(0)).await.expect("read"), Err(Refused::NoMember));
}

#[tokio::test]
async fn signing_in_again_replaces_the_browsers_session_and_many_push_out_the_oldest() {
    let world = World::new();
    let ada = world.add("ada@example.com", Role::Owner).await;
    let (first, id) = world.sign_in(&ada, None, 0).await;
    let (second, _) = world.sign_in(&ada, Some(&id), 1).await;
    assert!(!world.is_in(&first, 2) && world.is_in(&second, 2));
    let mut cookies = Vec::new();
    for now in 2..22 {
        cookies.push(world.sign_in(&ada, None, now).await.0);
    }
    assert!(!world.is_in(&second, 30));
    assert!(cookies.iter().all(|cookie| world.is_in(cookie, 30)));
    assert_eq!(world.members.sessions(&ada, at(30)).len(), 20);
    let agent = &world.members.sessions(&ada, at(30))[0].agent;
    assert_eq!(agent, "a browser");
}

#[tokio::test]
async fn only_the_right_password_is_right() {
    let world = World::new();
    let passwords = &world.members.passwords;
    let hash = passwords.hash("correct horse battery".to_owned()).await.expect("a hash");
    assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
    let other = passwords.hash("correct horse battery".to_owned()).await.expect("a hash");
    assert_ne!(hash, other, "each has its own salt");
    let is = async |text: &str, hash: Option<&String>| {
        passwords.is(text.to_owned(), hash.cloned()).await.expect("there is room")
    };
    assert!(is("correct horse battery", Some(&hash)).await);
    for wrong in ["", "correct horse batter", "correct horse battery "] {
        assert!(!is(wrong, Some(&hash)).await, "{wrong:?}");
    }
    assert!(!is("correct horse battery", None).await);
    assert!(!is("anything", Some(&"no hash".to_owned())).await);
}

#[tokio::test]
async fn the_owner_whom_everybody_knows_is_in_no_file() {
    let mut world = World::new();
    world.members.add_known(("dev@example.com", "known"), at(0));
    let (cookie, _) = world.sign_in("mem_known", None, 0).await;
    assert!(world.is_in(&cookie, 1));
    let file = world.folder.path().join("members.json");
    assert_eq!(for_backup(&file, &world.vault).expect("read"), None);
    world.again();
    assert!(world.members.is_empty() && !world.is_in(&cookie, 1));
    world.members.add_known(("dev@example.com", "known"), at(1));
    assert!(world.is_in(&cookie, 1));
    let known = world.members.by_email("dev@example.com").and_then(|member| member.password);
    let passwords = &world.members.passwords;
    assert_eq!(passwords.is("known".to_owned(), known).await, Ok(true));
}

#[test]
fn passwords_are_long_and_not_the_address() {
    let email = "ada.lovelace@example.com";
    assert!(wrong_password("eleven lett", email).is_some());
    assert!(wrong_password("twelve lette", email).is_none());
    assert!(wrong_password("пароль-пароль", email).is_none());
    assert!(wrong_password(&"a".repeat(201), email).is_some());
    assert!(wrong_password("Ada.Lovelace@example.com ", email).is_some());
}

#[test]
fn what_is_kept_is_read_as_it_was_written() {
    let text = r#"{"members":[{"id":"mem_1","email":"a@b","name":"A","role":"privacy_officer","password":null,"created":1,"signed_in":null}],"sessions":[],"links":[{"hash":"h","member":null,"until":2}]}"#;
    let content: Content = serde_json::from_str(text).expect("JSON");
    assert_eq!(serde_json::to_string(&content).expect("JSON"), text);
}
