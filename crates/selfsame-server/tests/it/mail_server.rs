//! A mail server on a loopback port, which keeps what it is given.

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

/// A mail that came.
#[derive(Debug, Clone, Default)]
pub(crate) struct Mail {
    pub(crate) from: String,
    pub(crate) to: Vec<String>,
    pub(crate) text: String,
}

#[derive(Debug, Clone)]
pub(crate) struct MailServer {
    pub(crate) port: u16,
    extensions: Vec<String>,
    got: Arc<Mutex<Vec<Mail>>>,
    lines: Arc<Mutex<Vec<String>>>,
}

impl MailServer {
    /// One that says that it has these extensions.
    pub(crate) async fn start(extensions: &[&str]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let server = Self {
            port: listener.local_addr().expect("an address").port(),
            extensions: extensions.iter().map(|one| (*one).to_owned()).collect(),
            got: Arc::default(),
            lines: Arc::default(),
        };
        let serving = server.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let server = serving.clone();
                tokio::spawn(async move { server.speak(stream).await });
            }
        });
        server
    }

    /// The mails that came.
    pub(crate) fn got(&self) -> Vec<Mail> {
        self.got.lock().expect("no test panics here").clone()
    }

    /// The lines of commands that came.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.lines.lock().expect("no test panics here").clone()
    }

    async fn speak(&self, stream: TcpStream) -> Option<()> {
        let (read, mut write) = stream.into_split();
        let mut read = BufReader::new(read);
        write.write_all(b"220 test\r\n").await.ok()?;
        let mut mail = Mail::default();
        loop {
            let mut line = String::new();
            if read.read_line(&mut line).await.ok()? == 0 {
                return None;
            }
            let line = line.trim_end().to_owned();
            self.lines.lock().expect("no test panics here").push(line.clone());
            let answer = if line.starts_with("EHLO") {
                let all = self.extensions.iter().map(|one| format!("250-{one}\r\n"));
                format!("250-test\r\n{}250 8BITMIME", all.collect::<String>())
            } else if let Some(from) = line.strip_prefix("MAIL FROM:") {
                from.split(' ').next().unwrap_or_default().clone_into(&mut mail.from);
                "250 fine".to_owned()
            } else if let Some(to) = line.strip_prefix("RCPT TO:") {
                mail.to.push(to.to_owned());
                "250 fine".to_owned()
            } else if line == "DATA" {
                write.write_all(b"354 go on\r\n").await.ok()?;
                loop {
                    let mut line = String::new();
                    read.read_line(&mut line).await.ok()?;
                    if line == ".\r\n" {
                        break;
                    }
                    mail.text.push_str(&line);
                }
                self.got.lock().expect("no test panics here").push(std::mem::take(&mut mail));
                "250 taken".to_owned()
            } else if line == "QUIT" {
                write.write_all(b"221 bye\r\n").await.ok()?;
                return None;
            } else {
                "502 what".to_owned()
            };
            write.write_all(format!("{answer}\r\n").as_bytes()).await.ok()?;
        }
    }
}
