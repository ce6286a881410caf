//! Exchanges of several requests, and the process killed between them.

#![expect(clippy::unwrap_used, reason = "helpers of a test")]

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::json;

use crate::process::{Server, wait_for};

const CRM: &str = r#"
manifest: 1
id: crm
name: CRM
category: test
version: 1.0.0
status: beta
docs: [https://example.com]
settings:
  base: {type: string, required: true}
limits: {daily_requests: 1000}
actions:
  contact:
    title: Contact
    trigger: type = "track"
    fields:
      user: {type: string, required: true, default: {'@path': $.userId}}
    steps:
      - id: create
        request: {url: '{{ raw(settings.base) }}/contacts', json: {user: =payload.user}}
      - id: note
        request: {url: '{{ raw(settings.base) }}/contacts/{{ steps.create.body.id }}/notes', json: {}}
presets:
  - {name: Contacts, action: contact, trigger: type = "track"}
"#;

/// A tool that makes contacts, and keeps whoever brings notes waiting until it is told to answer.
#[derive(Clone)]
struct Crm {
    url: String,
    lines: Arc<Mutex<Vec<String>>>,
    answers_notes: Arc<AtomicBool>,
}

impl Crm {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let crm = Self { url, lines: Arc::default(), answers_notes: Arc::default() };
        let serving = crm.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (one, stream) = (serving.clone(), stream.unwrap());
                std::thread::spawn(move || one.serve(stream));
            }
        });
        crm
    }

    fn serve(&self, mut stream: TcpStream) {
        let mut reader = BufReader::new(stream.try_clone().unwrap());
        loop {
            let (mut line, mut length) = (String::new(), 0);
            if reader.read_line(&mut line).unwrap_or(0) == 0 {
                return;
            }
            loop {
                let mut header = String::new();
                reader.read_line(&mut header).unwrap();
                let header = header.trim().to_ascii_lowercase();
                if let Some(value) = header.strip_prefix("content-length: ") {
                    length = value.parse().unwrap();
                }
                if header.is_empty() {
                    break;
                }
            }
            let mut body = vec![0; length];
            reader.read_exact(&mut body).unwrap();
            let path = line.split(' ').nth(1).unwrap().to_owned();
            let is_note = path.ends_with("/notes");
            self.lines.lock().unwrap().push(path);
            if is_note && !self.answers_notes.load(Ordering::SeqCst) {
                // Whoever waits here is killed.
                let mut rest = Vec::new();
                drop(reader.read_to_end(&mut rest));
                return;
            }
            let answer = r#"{"id": "c1"}"#;
            let head = format!("HTTP/1.1 201 Created\r\ncontent-length: {}\r\n\r\n", answer.len());
            if stream.write_all(format!("{head}{answer}").as_bytes()).is_err() {
                return;
            }
        }
    }

    fn count(&self, path: &str) -> usize {
        self.lines.lock().unwrap().iter().filter(|line| *line == path).count()
    }
}

fn delivered(server: &Server) -> u64 {
    server.get("/api/destinations/crm")["status"]["delivered"].as_u64().unwrap_or(0)
}

#[test]
fn what_was_taken_before_a_kill_is_not_sent_again() {
    let folder = tempfile::tempdir().unwrap();
    let (data, manifests) = (folder.path().join("data"), folder.path().join("destinations"));
    std::fs::create_dir_all(manifests.join("crm")).unwrap();
    std::fs::write(manifests.join("crm/manifest.yaml"), CRM).unwrap();
    let start = |data: &Path| Server::with_destinations(data, &manifests);
    let crm = Crm::start();

    let server = start(&data);
    let body = json!({"name": "crm", "kind": "crm", "settings": {"base": crm.url}});
    let (status, answer) = server.request("POST", "/api/destinations", &body.to_string());
    assert_eq!(status, 201, "{answer}");
    assert!(server.batch(&[json!({"type": "track", "userId": "ada", "event": "Hi"})]));
    // The contact is made, and the note is on its way.
    wait_for("the first note", || (crm.count("/contacts/c1/notes") == 1).then_some(()));
    server.kill();

    // Killed again, before the note is answered.
    let server = start(&data);
    wait_for("the second note", || (crm.count("/contacts/c1/notes") == 2).then_some(()));
    server.kill();

    crm.answers_notes.store(true, Ordering::SeqCst);
    let server = start(&data);
    wait_for("its delivery", || (delivered(&server) == 1).then_some(()));
    assert_eq!((crm.count("/contacts"), crm.count("/contacts/c1/notes")), (1, 3));
    // What was sent of the vendor's day is counted over all of them, and what a kill left reserved.
    let daily = server.get("/api/destinations/crm")["status"]["daily_requests"].clone();
    let used = daily["used"].as_u64().unwrap();
    assert!((4..=304).contains(&used) && daily["waits_until"].is_null(), "{daily}");

    // Somebody else has a contact of their own.
    assert!(server.batch(&[json!({"type": "track", "userId": "bob", "event": "Hi"})]));
    wait_for("another delivery", || (delivered(&server) == 2).then_some(()));
    assert_eq!(crm.count("/contacts"), 2);
    server.stop();
}
