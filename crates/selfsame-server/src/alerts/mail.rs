//! Mail: one message through a mail server, over TLS.
//!
//! A password goes only over TLS. The address that is dialled is one that the guarded client would dial,
//! unless the settings name the host as a relay; the certificate has to be the host's.

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, SystemTime};

use lettre::Message;
use lettre::message::Mailbox;
use lettre::message::header::ContentType;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{
    AsyncSmtpConnection, Certificate, TlsParameters, TlsParametersBuilder,
};
use lettre::transport::smtp::extension::ClientId;
use serde_json::{Map, Value};

use super::notice::Notice;
use crate::node::Node;

/// How long a connection may take to open, and an answer to come.
const PATIENCE: Duration = Duration::from_secs(10);
/// To how many addresses mail goes.
const RECIPIENTS: usize = 20;

/// How a mail server is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Security {
    /// TLS after a word in the clear; without it nothing is sent.
    StartTls,
    /// TLS from the first byte on.
    Tls,
    /// In the clear.
    None,
}

/// Where mail goes, and through which server.
#[derive(Debug)]
pub(crate) struct Mail {
    host: String,
    port: u16,
    security: Security,
    login: Option<Login>,
    ca: Option<Certificate>,
    from: Mailbox,
    to: Vec<Mailbox>,
}

/// `Debug` shows nothing of it.
struct Login(Credentials);

impl std::fmt::Debug for Login {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Login")
    }
}

impl Mail {
    /// What settings say; else which of them is wrong, and why.
    pub(super) fn of(
        settings: &Map<String, Value>,
        password: &str,
    ) -> Result<Self, (&'static str, String)> {
        let text = |name: &'static str| match settings.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) => Ok(Some(text.as_str()).filter(|text| !text.is_empty())),
            Some(_) => Err((name, "it is a text".to_owned())),
        };
        let needed = |name| text(name)?.ok_or_else(|| (name, "it is needed".to_owned()));
        let host = needed("host")?.to_owned();
        if host.contains(|letter: char| letter.is_control() || letter.is_whitespace()) {
            return Err(("host", "it is no name of a host".to_owned()));
        }
        let security = match text("security")?.unwrap_or("starttls") {
            "starttls" => Security::StartTls,
            "tls" => Security::Tls,
            "none" => Security::None,
            _ => return Err(("security", "it is starttls, tls or none".to_owned())),
        };
        let port = match settings.get("port") {
            None | Some(Value::Null) => match security {
                Security::StartTls => 587,
                Security::Tls => 465,
                Security::None => 25,
            },
            Some(port) => {
                let port = port.as_u64().and_then(|port| u16::try_from(port).ok());
                port.filter(|port| *port > 0).ok_or_else(|| ("port", "it is no port".to_owned()))?
            }
        };
        let user = text("user")?;
        if user.is_some() == password.is_empty() {
            return Err(("user", "a user and the secret `password` go together".to_owned()));
        }
        if user.is_some() && security == Security::None {
            return Err(("security", "a password goes only over starttls or tls".to_owned()));
        }
        let login = user.map(|user| Login(Credentials::new(user.to_owned(), password.to_owned())));
        let ca = match text("ca_certificate")? {
            None => None,
            Some(pem) => Some(
                Certificate::from_pem(pem.as_bytes())
                    .map_err(|_| ("ca_certificate", "it is no certificate in PEM".to_owned()))?,
            ),
        };
        let from = mailbox("from", needed("from")?)?;
        let to = match settings.get("to") {
            Some(Value::Array(all)) if (1..=RECIPIENTS).contains(&all.len()) => {
                let one = |value: &Value| mailbox("to", value.as_str().unwrap_or_default());
                all.iter().map(one).collect::<Result<_, _>>()?
            }
            _ => return Err(("to", format!("it is a list of 1 to {RECIPIENTS} addresses"))),
        };
        Ok(Self { host, port, security, login, ca, from, to })
    }

    fn tls(&self) -> Result<TlsParameters, String> {
        let mut parameters: TlsParametersBuilder = TlsParameters::builder(self.host.clone());
        if let Some(ca) = &self.ca {
            parameters = parameters.add_root_certificate(ca.clone());
        }
        parameters.build().map_err(|_| "TLS cannot be set up for that host".to_owned())
    }

    fn message(&self, notice: &Notice) -> Result<Vec<u8>, String> {
        let domain = self.from.email.domain();
        let at = u64::try_from(notice.at.micros()).unwrap_or(0);
        let mut message = Message::builder()
            .from(self.from.clone())
            .subject(notice.title())
            .date(SystemTime::UNIX_EPOCH + Duration::from_micros(at))
            .message_id(Some(format!("<{}@{domain}>", notice.id)))
            .header(ContentType::TEXT_PLAIN);
        for to in &self.to {
            message = message.to(to.clone());
        }
        let message = message.body(notice.text());
        message
            .map(|message| message.formatted())
            .map_err(|_| "the mail cannot be written".to_owned())
    }
}

fn mailbox(field: &'static str, text: &str) -> Result<Mailbox, (&'static str, String)> {
    let wrong = || (field, "it is an address such as ops@example.com".to_owned());
    if text.chars().any(char::is_control) {
        return Err(wrong());
    }
    text.parse().map_err(|_| wrong())
}

/// Sends a notice. What comes back has nothing that the server said but its code.
pub(super) async fn send(node: &Node, mail: &Mail, notice: &Notice) -> Result<(), String> {
    let message = mail.message(notice)?;
    let recipients = mail.to.iter().map(|to| to.email.clone()).collect();
    let envelope = lettre::address::Envelope::new(Some(mail.from.email.clone()), recipients);
    let envelope = envelope.map_err(|_| "the mail has no recipient".to_owned())?;
    let mut connection = connect(node, mail).await?;
    let sent = match &mail.login {
        Some(Login(login)) => {
            let mechanisms = [Mechanism::Plain, Mechanism::Login];
            let taken = connection.auth(&mechanisms, login).await;
            taken
                .map(drop)
                .map_err(|error| said("the mail server does not take the password", &error))
        }
        None => Ok(()),
    };
    let sent = match sent {
        Ok(()) => {
            let sent = connection.send(&envelope, &message).await;
            sent.map(drop).map_err(|error| said("the mail server does not take the mail", &error))
        }
        Err(why) => Err(why),
    };
    // It is sent, or not; how the connection ends does not matter.
    drop(connection.quit().await);
    sent
}

async fn connect(node: &Node, mail: &Mail) -> Result<AsyncSmtpConnection, String> {
    let hello = ClientId::Domain(mail.from.email.domain().to_owned());
    let tls = match mail.security {
        Security::Tls => Some(mail.tls()?),
        Security::StartTls | Security::None => None,
    };
    let mut why = "the mail server could not be reached".to_owned();
    for address in addresses(node, mail).await? {
        let address = SocketAddr::new(address, mail.port);
        let opened =
            AsyncSmtpConnection::connect_tokio1(address, Some(PATIENCE), &hello, tls.clone(), None);
        let mut connection = match opened.await {
            Ok(connection) => connection,
            Err(error) => {
                why = said("the mail server could not be reached", &error);
                continue;
            }
        };
        if mail.security == Security::StartTls {
            let secured = connection.starttls(mail.tls()?, &hello).await;
            secured.map_err(|error| {
                said("the mail server does not speak TLS for that name", &error)
            })?;
        }
        return Ok(connection);
    }
    Err(why)
}

/// The addresses that may be dialled.
async fn addresses(node: &Node, mail: &Mail) -> Result<Vec<IpAddr>, String> {
    if node.alerts.is_relay(&mail.host) {
        let found = tokio::net::lookup_host((mail.host.as_str(), mail.port)).await;
        let found = found.map_err(|_| "the mail server's name has no address".to_owned())?;
        return Ok(found.map(|address| address.ip()).collect());
    }
    let found = node.outbound.addresses(&mail.host, node.allow_loopback()).await;
    found.map_err(|error| {
        format!("the mail server: {error} (the setting alerts.mail_relays allows hosts that are not public)")
    })
}

fn said(what: &str, error: &lettre::transport::smtp::Error) -> String {
    match error.status() {
        Some(code) => format!("{what}: it answered {code}"),
        None if error.is_timeout() => format!("{what}: it took too long"),
        None if error.is_tls() => format!("{what}: its certificate is not one of that name"),
        None => what.to_owned(),
    }
}
