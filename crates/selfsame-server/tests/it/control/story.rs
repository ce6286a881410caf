//! The story that a CDP is bought for: somebody looks around for weeks on two devices, signs in, buys and becomes a
//! VIP; six tools each hold exactly what they should; then a link is undone, and each is corrected or told.
//!
//! The server is the real one, its destinations are those of the catalogue. Of their manifests only the
//! addresses are others: the tools are on this machine ([`tools`]).

mod tools;

use std::time::Duration;

use reqwest::{Method, StatusCode};
use selfsame_event::{Clock as _, SystemClock, Time};
use serde_json::{Map, Value, json};
use tokio::time::Instant;

use self::tools::{
    GA_SECRET, HUBSPOT_TOKEN, Held, META_TOKEN, Records, SALESFORCE_TOKEN, SENDGRID_KEY, Tools,
    ZENDESK_AGENT,
};
use super::server::{DEV, Server, eventually, run};

const EMAIL: &str = "ada@example.com";
const BROWSER: &str = "Mozilla/5.0 (X11; Linux x86_64)";
/// Longer than all tools need by themselves: two of them get batches, and one takes three requests a second.
/// What it took is printed.
const SOON: Duration = Duration::from_secs(10);

macro_rules! manifest {
    ($id:literal) => {
        include_str!(concat!("../../../../../destinations/", $id, "/manifest.yaml"))
    };
}

/// The manifests of the catalogue, with the tools on this machine.
fn manifests(url: &str) -> Vec<(&'static str, String)> {
    let here = |text: &str, address: &str| {
        assert!(text.contains(address), "{address} is in the manifest");
        text.replace(address, url)
    };
    let rule = "=matches(settings.instanceUrl, '^https://[^/]*[.]salesforce[.]com(/|$)')";
    let salesforce = manifest!("salesforce");
    assert!(salesforce.contains(rule), "the rule that its own addresses keep");
    vec![
        ("salesforce", salesforce.replace(rule, "=true")),
        ("hubspot", here(manifest!("hubspot"), "https://api.hubapi.com")),
        ("zendesk", here(manifest!("zendesk"), "https://{{ settings.subdomain }}.zendesk.com")),
        ("sendgrid", here(manifest!("sendgrid"), "https://api.sendgrid.com")),
        (
            "google-analytics-4",
            here(manifest!("google-analytics-4"), "https://www.google-analytics.com"),
        ),
        (
            "facebook-conversions-api",
            here(manifest!("facebook-conversions-api"), "https://graph.facebook.com"),
        ),
    ]
}

/// The tools as a shop sets them up.
fn destinations(url: &str) -> Vec<Value> {
    let at = |path: &str| json!({ "@path": path });
    let of_vip = "type = \"identify\" and context.personas.computation_key = \"vip\"";
    let entered = "event = \"Audience Entered\" and properties.audience_key = \"vip\"";
    let left = "event = \"Audience Exited\" and properties.audience_key = \"vip\"";
    let people = "type = \"identify\" and context.personas.computation_key = null";
    let bought = "type = \"track\" and event = \"Order Completed\"";
    let by_email = json!({"Email": at("$.traits.email")});
    let product = json!({"id": at("$.product_id"), "quantity": at("$.quantity")});
    let products = json!({"@arrayPath": ["$.properties.products", product]});
    let club = |name: &str| {
        json!({"action_source": "system_generated", "event_name": name, "event_time": at("$.timestamp"),
            "event_id": at("$.messageId"), "user_data": {"email": at("$.context.traits.email")}})
    };
    let (agent, token) = ZENDESK_AGENT;
    vec![
        json!({"id": "sales", "kind": "salesforce", "settings": {"instanceUrl": url},
        "auth": {"access_token": SALESFORCE_TOKEN},
        "mappings": [
            {"name": "Contacts", "action": "contact", "trigger": people, "mapping": {
                "operation": "upsert", "traits": by_email, "email": at("$.traits.email"),
                "first_name": at("$.traits.first_name"), "last_name": at("$.traits.last_name")}},
            {"name": "VIP", "action": "contact", "trigger": of_vip, "mapping": {
                "operation": "update", "traits": by_email, "customFields": {"VIP__c": at("$.traits.vip")}}},
        ]}),
        json!({"id": "marketing", "kind": "hubspot", "auth": {"access_token": HUBSPOT_TOKEN},
            "mappings": [{"name": "Contacts", "action": "upsertContact", "mapping": {
                "email": at("$.traits.email"), "firstname": at("$.traits.first_name"),
                "lastname": at("$.traits.last_name"), "properties": {"vip": at("$.traits.vip")}}}]}),
        json!({"id": "support", "kind": "zendesk",
        "settings": {"subdomain": "shop", "email": agent, "api_token": token},
        "mappings": [
            {"name": "Users", "action": "upsertUser", "trigger": people},
            {"name": "VIP ticket", "action": "createTicket", "trigger": entered, "mapping": {
                "email": at("$.context.traits.email"), "priority": "urgent",
                "subject": "A new VIP", "body": {"@template": "{{userId}} is a VIP now"},
                "external_id": at("$.messageId")}},
            {"name": "VIP tag", "action": "addTag", "trigger": format!("{of_vip} and traits.vip = true")},
            {"name": "No VIP tag", "action": "removeTag", "trigger": format!("{of_vip} and traits.vip = false")},
        ]}),
        json!({"id": "mail", "kind": "sendgrid",
        "settings": {"sendGridApiKey": SENDGRID_KEY, "endpoint": url},
        "mappings": [
            {"name": "Contacts", "action": "updateUserProfile", "mapping": {
                "primary_email": at("$.traits.email"), "first_name": at("$.traits.first_name"),
                "last_name": at("$.traits.last_name"), "customFields": {"vip": at("$.traits.vip")}}},
            {"name": "Welcome", "action": "sendEmail", "trigger": entered, "mapping": {
                "from": {"email": "club@shop.example"}, "to": {"email": at("$.context.traits.email")},
                "template_id": "d-vip"}},
        ]}),
        json!({"id": "analytics", "kind": "google-analytics-4",
        "settings": {"measurementId": "G-SHOP", "apiSecret": GA_SECRET},
        "mappings": [
            {"name": "Purchases", "action": "purchase", "trigger": bought},
            {"name": "VIP", "action": "customEvent", "trigger": entered, "mapping": {
                "clientId": at("$.userId"), "name": "vip_joined"}},
            {"name": "No VIP", "action": "customEvent", "trigger": left, "mapping": {
                "clientId": at("$.userId"), "name": "vip_left"}},
        ]}),
        json!({"id": "ads", "kind": "facebook-conversions-api",
        "settings": {"pixelId": "1234", "accessToken": META_TOKEN},
        "mappings": [
            {"name": "Purchases", "action": "purchase", "trigger": bought, "mapping": {
                "action_source": "website", "event_time": at("$.timestamp"), "event_id": at("$.messageId"),
                "currency": at("$.properties.currency"), "value": at("$.properties.revenue"),
                "contents": products,
                "user_data": {"externalId": [at("$.userId")], "client_user_agent": at("$.context.userAgent")}}},
            {"name": "VIP", "action": "custom", "trigger": entered, "mapping": club("VIPJoined")},
            {"name": "No VIP", "action": "custom", "trigger": left, "mapping": club("VIPLeft")},
        ]}),
    ]
}

const TOOLS: [&str; 6] = ["sales", "marketing", "support", "mail", "analytics", "ads"];

struct Story {
    server: Server,
    tools: Tools,
    now: Time,
    events: u32,
}

impl Story {
    async fn begin() -> Self {
        let tools = Tools::start().await;
        let manifests = manifests(&tools.url);
        let texts: Vec<_> = manifests.iter().map(|(id, text)| (*id, text.as_str())).collect();
        let server = Server::with_destinations(&texts);
        for mut destination in destinations(&tools.url) {
            destination["name"] = destination["id"].clone();
            server.done(Method::POST, "/api/destinations", Some(destination)).await;
        }
        let told: Vec<_> =
            TOOLS.iter().map(|id| json!({"destination": id, "send": "both"})).collect();
        let vip = json!({"kind": "audience", "destinations": told,
            "query": "event('Order Completed').sum(property('total')) >= 500"});
        let path = "/api/spaces/dev/definitions/vip";
        server.done(Method::PUT, path, Some(vip)).await;
        eventually("the audience", async || {
            (server.get(path).await["state"] == "live").then_some(())
        })
        .await;
        let now = SystemClock::default().wall();
        Self { server, tools, now, events: 0 }
    }

    /// Sends an event of so many hours ago.
    async fn send(&mut self, route: &str, hours_ago: i64, mut event: Value) {
        self.events += 1;
        event["messageId"] = json!(format!("m-{}", self.events));
        event["timestamp"] = json!(self.now.plus_micros(-hours_ago * 3_600_000_000).to_string());
        event["context"] = json!({"userAgent": BROWSER, "page": {"url": "https://shop.example/"}});
        assert_eq!(self.server.send(DEV, route, event).await, StatusCode::OK);
    }

    /// Three weeks of looking around on a laptop and a phone, by nobody in particular.
    async fn look_around(&mut self) {
        for day in 0..21 {
            let device = if day % 3 == 2 { "phone" } else { "laptop" };
            let hours = 24 * (21 - day);
            let page = json!({"anonymousId": device, "name": "Shop"});
            self.send("page", hours, page).await;
            let viewed = json!({"anonymousId": device, "event": "Product Viewed",
                "properties": {"product_id": format!("p-{day}"), "price": 20}});
            self.send("track", hours - 1, viewed).await;
        }
    }

    async fn buy(&mut self, who: &Value, order: &str, total: u32) {
        let mut event = json!({"event": "Order Completed", "properties": {"order_id": order,
            "total": total, "revenue": total, "currency": "EUR",
            "products": [{"product_id": format!("of-{order}"), "price": total, "quantity": 1}]}});
        for (name, value) in who.as_object().into_iter().flatten() {
            event[name] = value.clone();
        }
        self.send("track", 0, event).await;
    }

    async fn sign_in(&mut self, device: &str) {
        let traits = json!({"email": EMAIL, "first_name": "Ada", "last_name": "Lovelace"});
        let event = json!({"userId": "ada", "anonymousId": device, "traits": traits});
        self.send("identify", 0, event).await;
    }

    /// Waits until the tools hold what they should, and until nothing is on its way. How long after a moment
    /// the last of them was reached.
    async fn told(&self, what: &str, since: Instant, holds: impl Fn(&Held) -> bool) -> Duration {
        let by = Instant::now() + SOON;
        loop {
            {
                let held = self.tools.held();
                if holds(&held) {
                    break;
                }
                assert!(held.wrong.is_empty(), "{:#?}", held.wrong);
                assert!(Instant::now() < by, "{what}: {held:#?}");
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        self.settle().await;
        let held = self.tools.held();
        assert!(held.wrong.is_empty(), "{:#?}", held.wrong);
        assert!(holds(&held), "{what}, and it stays so: {held:#?}");
        held.last
            .values()
            .max()
            .map_or(Duration::ZERO, |last| last.saturating_duration_since(since))
    }

    /// Waits until no tool waits for anything; then every unit is accounted for.
    async fn settle(&self) {
        self.server.folded().await;
        let accounting = eventually("nothing on its way", async || {
            let all = self.server.get("/api/spaces/dev/accounting").await;
            assert_eq!(all["adds_up"], true, "{all}");
            let given = |one: &Value, names: &[&str]| -> u64 {
                names.iter().map(|name| one[*name].as_u64().expect("a count")).sum()
            };
            let is_whole = all["destinations"].as_array().expect("a list").iter().all(|one| {
                let offered = given(one, &["offered", "actions", "replayed"]);
                one["pending"] == 0 && given(one, &["accepted", "before"]) == offered
            });
            is_whole.then_some(all)
        })
        .await;
        assert_eq!(accounting["destinations"].as_array().map(Vec::len), Some(TOOLS.len()));
    }

    /// What `selfsame reconcile` says of two tools.
    fn reconcile(&self, first: &str, second: &str, matching: &str) -> (bool, Value) {
        let server = ["--server", &self.server.url, "--token", DEV];
        let wanted = ["reconcile", first, second, "--from", "1h", "--where", matching, "--json"];
        let output = run(&[&wanted[..], &server[..]].concat(), &[]);
        let text = String::from_utf8(output.stdout).expect("text");
        let said = serde_json::from_str(&text);
        let errors = String::from_utf8_lossy(&output.stderr);
        (output.status.success(), said.unwrap_or_else(|error| panic!("{error}: {text}{errors}")))
    }
}

/// The one record that there is.
fn only(records: &Records) -> Option<&Map<String, Value>> {
    records.values().next().filter(|_| records.len() == 1)
}

/// Whether each tool that keeps people has one contact, of her name, who is a VIP or is not.
fn holds_her(held: &Held, is_vip: bool) -> bool {
    let has = |record: Option<&Map<String, Value>>, fields: &[(&str, Value)]| {
        record.is_some_and(|one| fields.iter().all(|(name, value)| one.get(*name) == Some(value)))
    };
    let text = |text: &str| json!(text);
    let tags = if is_vip { json!(["vip"]) } else { json!([]) };
    let tag = json!({"e1_T": is_vip.to_string()});
    has(
        only(&held.salesforce),
        &[("Email", text(EMAIL)), ("LastName", text("Lovelace")), ("VIP__c", json!(is_vip))],
    ) && has(
        only(&held.hubspot),
        &[("email", text(EMAIL)), ("lastname", text("Lovelace")), ("vip", json!(is_vip))],
    ) && has(
        only(&held.zendesk),
        &[("email", text(EMAIL)), ("name", text("Ada Lovelace")), ("tags", tags)],
    ) && has(
        only(&held.contacts),
        &[("email", text(EMAIL)), ("last_name", text("Lovelace")), ("custom_fields", tag)],
    )
}

#[tokio::test]
async fn six_tools_hold_what_they_should_and_an_undone_link_is_put_right_in_each() {
    let mut story = Story::begin().await;
    story.look_around().await;
    story.buy(&json!({"anonymousId": "phone"}), "o-1", 200).await;
    story.sign_in("laptop").await;
    story.buy(&json!({"userId": "ada", "anonymousId": "laptop"}), "o-2", 350).await;
    story.settle().await;
    assert!(story.tools.held().tickets.is_empty(), "350 is not enough");

    // The phone is hers too: with what it bought she is a VIP.
    let signed_in = Instant::now();
    story.sign_in("phone").await;
    let took = story
        .told("she is a VIP in each tool, once", signed_in, |held| {
            holds_her(held, true)
                && held.tickets.len() == 1
                && held.mails.len() == 1
                && held.analytics.len() == 3
                && held.meta.len() == 3
        })
        .await;
    println!("the last of six tools was told {took:?} after she signed in");
    {
        let held = story.tools.held();
        let ticket = &held.tickets[0];
        assert_eq!(
            (&ticket["priority"], &ticket["requester"]["email"]),
            (&json!("urgent"), &json!(EMAIL))
        );
        assert_eq!(held.mails[0]["personalizations"][0]["to"][0]["email"], EMAIL);
        // They were of two people then, so either may come first.
        let has = |order: &Value| {
            held.analytics.iter().any(|event| event["params"]["transaction_id"] == *order)
        };
        assert!(has(&json!("o-1")) && has(&json!("o-2")), "{:#?}", held.analytics);
    }

    // Both report the same conversions.
    let bought = "event = \"Order Completed\"";
    let (is_equal, said) = story.reconcile("analytics", "ads", bought);
    assert!(is_equal, "{said:#}");
    assert_eq!((&said["compared"], &said["differing"]), (&json!(2), &json!(0)), "{said:#}");
    for side in ["first", "second"] {
        assert_eq!(said[side]["events"], json!({"delivered": 2}), "{said:#}");
        assert_eq!(said[side]["derived"], 0, "{said:#}");
    }

    // An order that one of them refuses is the one that differs, and it is said why.
    let mut event = json!({"userId": "ada", "event": "Order Completed", "messageId": "m-phone-call",
        "properties": {"order_id": "o-3", "total": 10, "revenue": 10, "currency": "EUR",
            "products": [{"product_id": "of-o-3", "price": 10, "quantity": 1}]}});
    event["context"] = json!({});
    assert_eq!(story.server.send(DEV, "track", event).await, StatusCode::OK);
    story.settle().await;
    let (is_equal, said) = story.reconcile("analytics", "ads", bought);
    assert!(!is_equal, "{said:#}");
    assert_eq!((&said["compared"], &said["differing"]), (&json!(3), &json!(1)), "{said:#}");
    let row = &said["data"][0];
    assert_eq!(
        (&row["message_id"], &row["event"]),
        (&json!("m-phone-call"), &json!("Order Completed"))
    );
    assert_eq!(row["first"]["outcome"], "delivered", "{said:#}");
    assert_eq!(
        row["second"]["units"],
        json!([{"action": "Purchases", "outcome": "dead",
        "reason": "unmapped", "derived": false}])
    );

    // The phone was somebody else's. Each tool is put right, or told.
    let undone = Instant::now();
    let apart = json!({"apart": ["user_id:ada", "anonymous_id:phone"], "apply": true});
    story.server.done(Method::POST, "/api/spaces/dev/identity/undo", Some(apart)).await;
    let took = story
        .told("she is no VIP in each tool", undone, |held| {
            let mut names = held.analytics.iter().map(|event| &event["name"]);
            let mut heard = held.meta.values().map(|event| &event["event_name"]);
            holds_her(held, false)
                && names.any(|name| name == "vip_left")
                && heard.any(|name| name == "VIPLeft")
        })
        .await;
    println!("the last of six tools was put right {took:?} after the link was undone");
    let held = story.tools.held();
    assert_eq!((held.tickets.len(), held.mails.len()), (1, 1), "nobody gets a second one");
}
