//! Six tools on this machine. Each checks method, path, credentials and body as its vendor does, and keeps
//! records as the tool does: found by a key, made or changed.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};
use tokio::time::Instant;

pub(super) const SALESFORCE_TOKEN: &str = "sf-token";
pub(super) const HUBSPOT_TOKEN: &str = "hs-token";
pub(super) const ZENDESK_AGENT: (&str, &str) = ("agent@shop.example", "zd-token");
pub(super) const SENDGRID_KEY: &str = "SG.key";
pub(super) const GA_SECRET: &str = "ga-secret";
pub(super) const META_TOKEN: &str = "meta-token";

pub(super) type Records = BTreeMap<String, Map<String, Value>>;

/// What the tools hold.
#[derive(Debug, Default)]
pub(super) struct Held {
    /// By the ids that the tool gave.
    pub(super) salesforce: Records,
    /// By address.
    pub(super) hubspot: Records,
    /// By the ids that the tool gave, with `tags`.
    pub(super) zendesk: Records,
    pub(super) tickets: Vec<Value>,
    /// By address.
    pub(super) contacts: Records,
    pub(super) mails: Vec<Value>,
    pub(super) analytics: Vec<Value>,
    /// By event id.
    pub(super) meta: BTreeMap<String, Value>,
    /// Keys of idempotency that tickets came with.
    keys: BTreeMap<String, Value>,
    /// Requests that no vendor would take as they were.
    pub(super) wrong: Vec<String>,
    /// When the last request came to each tool.
    pub(super) last: BTreeMap<&'static str, Instant>,
}

#[derive(Debug, Clone)]
pub(super) struct Tools {
    pub(super) url: String,
    held: Arc<Mutex<Held>>,
}

impl Tools {
    pub(super) async fn start() -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("an address"));
        let tools = Self { url, held: Arc::default() };
        let app = Router::new().fallback(take).with_state(tools.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        tools
    }

    pub(super) fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().expect("no test panics here")
    }
}

/// A request, read.
struct Asked<'a> {
    method: &'a str,
    path: &'a str,
    query: BTreeMap<String, String>,
    headers: &'a HeaderMap,
    body: Value,
}

impl Asked<'_> {
    fn has(&self, authorization: &str) -> bool {
        self.headers.get("authorization").is_some_and(|value| value == authorization)
    }
}

/// An answer; none where no vendor has such a request.
type Answered = Option<(u16, Value)>;

async fn take(
    State(tools): State<Tools>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> (StatusCode, axum::Json<Value>) {
    let is_empty = body.is_empty();
    let body: Option<Value> = serde_json::from_slice(&body).ok();
    let query = reqwest::Url::parse(&format!("http://tools{uri}")).expect("a URL");
    let query = query.query_pairs().into_owned().collect();
    let mut held = tools.held();
    let asked = Asked {
        method: method.as_str(),
        path: uri.path(),
        query,
        headers: &headers,
        body: body.clone().unwrap_or_default(),
    };
    let (tool, answered) = held.answer(&asked);
    held.last.insert(tool, Instant::now());
    let is_read = is_empty || body.is_some();
    let (status, answer) = answered.filter(|_| is_read).unwrap_or_else(|| {
        held.wrong.push(format!("{tool}: {method} {uri} {}", asked.body));
        (404, json!({"error": "no such thing"}))
    });
    (StatusCode::from_u16(status).expect("a status"), axum::Json(answer))
}

/// The texts of a body, which each are to be there.
fn text<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    value[name].as_str().filter(|text| !text.is_empty())
}

fn merge(into: &mut Map<String, Value>, from: &Value) {
    for (name, value) in from.as_object().into_iter().flatten() {
        into.insert(name.clone(), value.clone());
    }
}

impl Held {
    fn answer(&mut self, asked: &Asked<'_>) -> (&'static str, Answered) {
        let (tool, is_known): (_, bool) = match asked.path {
            path if path.starts_with("/services/data/") => {
                ("salesforce", asked.has(&format!("Bearer {SALESFORCE_TOKEN}")))
            }
            path if path.starts_with("/crm/") => {
                ("hubspot", asked.has(&format!("Bearer {HUBSPOT_TOKEN}")))
            }
            path if path.starts_with("/api/v2/") => {
                let (agent, token) = ZENDESK_AGENT;
                let basic = STANDARD.encode(format!("{agent}/token:{token}"));
                ("zendesk", asked.has(&format!("Basic {basic}")))
            }
            path if path.starts_with("/v3/") => {
                ("sendgrid", asked.has(&format!("Bearer {SENDGRID_KEY}")))
            }
            "/mp/collect" => {
                ("ga4", asked.query.get("api_secret").is_some_and(|one| one == GA_SECRET))
            }
            path if path.starts_with("/v24.0/") => {
                ("meta", asked.has(&format!("Bearer {META_TOKEN}")))
            }
            _ => ("nobody", true),
        };
        if !is_known {
            self.wrong.push(format!("{tool}: credentials of {} {}", asked.method, asked.path));
            return (tool, Some((401, json!({"message": "who are you?"}))));
        }
        let answered = match tool {
            "salesforce" => self.salesforce(asked),
            "hubspot" => self.hubspot(asked),
            "zendesk" => self.zendesk(asked),
            "sendgrid" => self.sendgrid(asked),
            "ga4" => self.analytics(asked),
            "meta" => self.meta(asked),
            _ => None,
        };
        (tool, answered)
    }

    fn salesforce(&mut self, asked: &Asked<'_>) -> Answered {
        let path = asked.path.strip_prefix("/services/data/v53.0/")?;
        match (asked.method, path) {
            ("GET", "query/") => {
                let query = asked.query.get("q")?;
                let email = query.strip_prefix("SELECT Id FROM Contact WHERE Email = '")?;
                let email = email.strip_suffix('\'')?;
                let of = |(_, one): &(&String, &Map<String, Value>)| one["Email"] == email;
                let found: Vec<_> = self.salesforce.iter().filter(of).collect();
                let records: Vec<_> = found.iter().map(|(id, _)| json!({"Id": id})).collect();
                Some((200, json!({"totalSize": records.len(), "records": records})))
            }
            ("POST", "sobjects/Contact") => {
                text(&asked.body, "LastName")?;
                text(&asked.body, "Email")?;
                let id = format!("003{}", self.salesforce.len());
                self.salesforce.insert(id.clone(), asked.body.as_object()?.clone());
                Some((201, json!({"id": id, "success": true})))
            }
            ("PATCH", path) => {
                let contact = self.salesforce.get_mut(path.strip_prefix("sobjects/Contact/")?)?;
                merge(contact, &asked.body);
                Some((204, Value::Null))
            }
            _ => None,
        }
    }

    fn hubspot(&mut self, asked: &Asked<'_>) -> Answered {
        let path = asked.path.strip_prefix("/crm/v3/objects/contacts")?;
        let id = |email: &str| format!("hs-{email}");
        match (asked.method, path) {
            ("POST", "/batch/read") => {
                let emails = asked.body["inputs"].as_array()?.iter();
                let emails: Vec<_> = emails.filter_map(|one| text(one, "id")).collect();
                let (there, missing): (Vec<&str>, Vec<&str>) =
                    emails.into_iter().partition(|email| self.hubspot.contains_key(*email));
                let found = |email: &&str| json!({"id": id(email), "properties": {"email": email}});
                let results: Vec<_> = there.iter().map(found).collect();
                let mut answer = json!({"status": "COMPLETE", "results": results});
                if !missing.is_empty() {
                    answer["errors"] = json!([{"status": "error", "category": "OBJECT_NOT_FOUND",
                        "message": "Could not get some", "context": {"ids": missing}}]);
                }
                Some((if missing.is_empty() { 200 } else { 207 }, answer))
            }
            ("POST", "/batch/create") => {
                for one in asked.body["inputs"].as_array()? {
                    self.hubspot_contact(text(&one["properties"], "email")?, one);
                }
                Some((201, json!({"status": "COMPLETE", "results": []})))
            }
            ("POST", "/batch/update") => {
                let mut results = Vec::new();
                for one in asked.body["inputs"].as_array()? {
                    let email = text(one, "id")?.strip_prefix("hs-")?;
                    self.hubspot.get(email)?;
                    self.hubspot_contact(email, one);
                    results.push(json!({"id": one["id"], "properties": self.hubspot[email]}));
                }
                Some((200, json!({"status": "COMPLETE", "results": results})))
            }
            ("POST", "") => {
                let email = text(&asked.body["properties"], "email")?;
                self.hubspot_contact(email, &asked.body);
                Some((201, json!({"id": id(email), "properties": self.hubspot[email]})))
            }
            ("PATCH", path) => {
                let email = path.strip_prefix('/')?;
                if !self.hubspot.contains_key(email) {
                    return Some((404, json!({"message": "resource not found"})));
                }
                self.hubspot_contact(email, &asked.body);
                Some((200, json!({"id": id(email), "properties": self.hubspot[email]})))
            }
            _ => None,
        }
    }

    fn hubspot_contact(&mut self, email: &str, one: &Value) {
        merge(self.hubspot.entry(email.to_owned()).or_default(), &one["properties"]);
    }

    fn zendesk(&mut self, asked: &Asked<'_>) -> Answered {
        let path = asked.path.strip_prefix("/api/v2/")?;
        match (asked.method, path) {
            ("POST", "users/create_or_update.json") => {
                let id = self.zendesk_user(&asked.body["user"])?;
                Some((200, json!({"user": {"id": id}})))
            }
            ("POST", "users/create_or_update_many.json") => {
                for user in asked.body["users"].as_array()? {
                    self.zendesk_user(user)?;
                }
                Some((200, json!({"job_status": {"id": "job", "status": "queued"}})))
            }
            ("GET", "users/search.json") => {
                let wanted = match asked.query.get("external_id") {
                    Some(id) => ("external_id", id.as_str()),
                    None => ("email", asked.query.get("query")?.strip_prefix("email:")?),
                };
                let of = |(_, user): &(&String, &Map<String, Value>)| {
                    user.get(wanted.0).is_some_and(|value| value == wanted.1)
                };
                let found: Vec<_> = self.zendesk.iter().filter(of).collect();
                let users: Vec<_> = found.iter().map(|(id, _)| json!({"id": id})).collect();
                Some((200, json!({"users": users})))
            }
            ("PUT" | "DELETE", path) => {
                let id = path.strip_prefix("users/")?.strip_suffix("/tags.json")?;
                let tags = asked.body["tags"].as_array()?.clone();
                let user = self.zendesk.get_mut(id)?;
                let held = user.entry("tags").or_insert_with(|| json!([])).as_array_mut()?;
                held.retain(|tag| !tags.contains(tag));
                if asked.method == "PUT" {
                    held.extend(tags);
                }
                Some((200, json!({"tags": held})))
            }
            ("POST", "tickets.json") => {
                let ticket = &asked.body["ticket"];
                text(&ticket["comment"], "body")?;
                text(&ticket["requester"], "email")?;
                let key = asked.headers.get("idempotency-key")?.to_str().ok()?.to_owned();
                if !self.keys.contains_key(&key) {
                    self.tickets.push(ticket.clone());
                    self.keys.insert(key, ticket.clone());
                }
                Some((201, json!({"ticket": {"id": self.tickets.len()}})))
            }
            _ => None,
        }
    }

    /// Makes a user or changes the one with that external id or address.
    fn zendesk_user(&mut self, user: &Value) -> Option<String> {
        let same = |held: &Map<String, Value>, name: &str| {
            user[name].is_string() && held.get(name) == Some(&user[name])
        };
        let of = |(_, held): &(&String, &Map<String, Value>)| {
            same(held, "external_id") || same(held, "email")
        };
        text(user, "name")?;
        let found = self.zendesk.iter().find(of).map(|(id, _)| id.clone());
        let id = found.unwrap_or_else(|| format!("{}", 100 + self.zendesk.len()));
        merge(self.zendesk.entry(id.clone()).or_default(), user);
        Some(id)
    }

    fn sendgrid(&mut self, asked: &Asked<'_>) -> Answered {
        match (asked.method, asked.path) {
            ("GET", "/v3/marketing/field_definitions") => {
                Some((200, json!({"custom_fields": [{"id": "e1_T", "name": "vip"}]})))
            }
            ("PUT", "/v3/marketing/contacts") => {
                for contact in asked.body["contacts"].as_array()? {
                    let held = self.contacts.entry(text(contact, "email")?.to_owned()).or_default();
                    let mut fields = held.get("custom_fields").cloned().unwrap_or(json!({}));
                    merge(fields.as_object_mut()?, &contact["custom_fields"]);
                    merge(held, contact);
                    held.insert("custom_fields".to_owned(), fields);
                }
                Some((202, json!({"job_id": "job"})))
            }
            ("POST", "/v3/mail/send") => {
                text(&asked.body["personalizations"][0]["to"][0], "email")?;
                text(&asked.body["from"], "email")?;
                text(&asked.body, "template_id")?.strip_prefix("d-")?;
                self.mails.push(asked.body.clone());
                Some((202, Value::Null))
            }
            _ => None,
        }
    }

    /// It answers 204 whatever it gets, so that what it would drop is seen here only.
    fn analytics(&mut self, asked: &Asked<'_>) -> Answered {
        let is_measured = asked.query.get("measurement_id").is_some_and(|one| one == "G-SHOP");
        let events = asked.body["events"].as_array()?;
        text(&asked.body, "client_id").filter(|_| asked.method == "POST" && is_measured)?;
        for event in events {
            let name = text(event, "name")?;
            if !name.chars().all(|one| one.is_ascii_alphanumeric() || one == '_') {
                return None;
            }
            self.analytics.push(event.clone());
        }
        Some((204, Value::Null))
    }

    /// An event that came before counts once.
    fn meta(&mut self, asked: &Asked<'_>) -> Answered {
        let events = asked.body["data"].as_array().filter(|_| asked.method == "POST")?;
        asked.path.strip_prefix("/v24.0/")?.strip_suffix("/events").filter(|id| *id == "1234")?;
        for event in events {
            text(event, "event_name")?;
            let known = ["em", "external_id", "client_user_agent"];
            let is_somebody = known.iter().any(|name| !event["user_data"][*name].is_null());
            if !is_somebody {
                return Some((400, json!({"error": {"message": "nobody", "code": 100}})));
            }
            self.meta.insert(text(event, "event_id")?.to_owned(), event.clone());
        }
        Some((200, json!({"events_received": events.len()})))
    }
}
