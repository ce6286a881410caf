//! An order of two products, mapped for six destinations as Segment's default mappings do it, and rendered by
//! a manifest's body. Expected on one core: each mapping of an event in 1 to 4 us, all six in
//! under 20 us.

use divan::counter::ItemsCount;
use divan::{Bencher, black_box};
use selfsame_mapping::{Expression, Mapping, Scope, Template, Tree, Trigger};
use serde_json::{Value, json};

/// As in the program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    divan::main();
}

fn event() -> Value {
    json!({
        "type": "track", "event": "Order Completed", "messageId": "ajs-next-1764417600000-4f2a", "userId": "u-1024",
        "anonymousId": "507f191e810c19729de860ea", "timestamp": "2026-11-29T12:00:00.500Z",
        "receivedAt": "2026-11-29T12:00:00.900Z", "sentAt": "2026-11-29T12:00:00.600Z",
        "context": {
            "ip": "203.0.113.7", "locale": "de-DE", "timezone": "Europe/Berlin",
            "userAgent": "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/537.36 Chrome/130.0.0.0 Safari/537.36",
            "page": {"path": "/checkout", "referrer": "https://shop.example/cart", "title": "Checkout", "url": "https://shop.example/checkout?utm_source=mail"},
            "campaign": {"source": "mail", "medium": "email", "name": "advent"},
            "traits": {"email": "Ada@Example.com", "firstName": "Ada", "lastName": "Lovelace", "phone": "+49 30 1234567"},
            "library": {"name": "analytics.js", "version": "next-1.84.1"}
        },
        "properties": {
            "order_id": "50314b8e9bcf000000000000", "total": 30.5, "revenue": 25.0, "shipping": 3, "tax": 2.5, "currency": "EUR",
            "coupon": "hasbros",
            "products": [
                {"product_id": "507f1f77bcf86cd799439011", "sku": "45790-32", "name": "Monopoly", "price": 19, "quantity": 1, "category": "Games"},
                {"product_id": "505bd76785ebb509fc183733", "sku": "46493-32", "name": "Uno", "price": 3, "quantity": 2, "category": "Games"}
            ]
        }
    })
}

fn first_of(first: &str, second: &str) -> Value {
    json!({"@if": {"exists": {"@path": first}, "then": {"@path": first}, "else": {"@path": second}}})
}

fn items(id: &str) -> Value {
    json!({"@arrayPath": ["$.properties.products", {
        id: {"@path": "$.product_id"}, "name": {"@path": "$.name"}, "price": {"@path": "$.price"},
        "quantity": {"@path": "$.quantity"}, "category": {"@path": "$.category"}
    }]})
}

/// The shape of the defaults of six destinations.
fn mappings() -> Vec<Mapping> {
    let email = || first_of("$.properties.email", "$.context.traits.email");
    let all = [
        json!({"url": "https://sink.example/hook", "method": "POST", "data": {"@path": "$."}}),
        json!({
            "event": {"@path": "$.event"}, "distinct_id": first_of("$.userId", "$.anonymousId"), "time": {"@path": "$.timestamp"},
            "insert_id": {"@path": "$.messageId"}, "ip": {"@path": "$.context.ip"}, "url": {"@path": "$.context.page.url"},
            "referrer": {"@path": "$.context.page.referrer"}, "locale": {"@path": "$.context.locale"},
            "utm_properties": {"utm_source": {"@path": "$.context.campaign.source"}, "utm_medium": {"@path": "$.context.campaign.medium"}},
            "event_properties": {"@path": "$.properties"}, "enable_batching": true
        }),
        json!({
            "email": email(), "firstname": first_of("$.traits.first_name", "$.context.traits.firstName"),
            "lastname": first_of("$.traits.last_name", "$.context.traits.lastName"), "phone": {"@path": "$.context.traits.phone"},
            "lifecyclestage": {"@case": {"operator": "lower", "value": "Customer"}}
        }),
        json!({
            "external_id": {"@path": "$.userId"}, "braze_id": {"@path": "$.properties.braze_id"}, "email": email(),
            "name": {"@path": "$.event"}, "time": {"@path": "$.receivedAt"}, "properties": {"@path": "$.properties"}, "_update_existing_only": false
        }),
        json!({
            "event_name": "Purchase", "event_time": {"@path": "$.timestamp"}, "action_source": {"@path": "$.properties.action_source"},
            "event_id": {"@path": "$.messageId"}, "event_source_url": {"@path": "$.context.page.url"}, "currency": {"@path": "$.properties.currency"},
            "value": first_of("$.properties.total", "$.properties.revenue"), "contents": items("id"), "content_type": "product",
            "user_data": {
                "email": email(), "phone": first_of("$.properties.phone", "$.context.traits.phone"), "externalId": first_of("$.userId", "$.anonymousId"),
                "firstName": first_of("$.properties.first_name", "$.context.traits.firstName"), "client_ip_address": {"@path": "$.context.ip"},
                "client_user_agent": {"@path": "$.context.userAgent"}
            }
        }),
        json!({
            "clientId": first_of("$.userId", "$.anonymousId"), "user_id": {"@path": "$.userId"}, "orderId": {"@path": "$.properties.order_id"},
            "currency": {"@path": "$.properties.currency"}, "value": {"@path": "$.properties.total"}, "coupon": {"@path": "$.properties.coupon"},
            "items": items("item_id"), "page_location": {"@path": "$.context.page.url"},
            "description": {"@template": "{{event}} of {{properties.total}} {{properties.currency}}"}
        }),
    ];
    all.iter().map(|mapping| Mapping::compile(mapping).expect("a mapping")).collect()
}

/// All six, one behind the other.
#[divan::bench]
fn six_mappings(bencher: Bencher<'_, '_>) {
    let (mappings, event) = (mappings(), event());
    bencher.counter(ItemsCount::new(1_u32)).bench(|| {
        for mapping in &mappings {
            black_box(mapping.resolve(black_box(&event)));
        }
    });
}

/// The same, from the text of the event and to the texts of six payloads.
#[divan::bench]
fn six_mappings_from_text_to_text(bencher: Bencher<'_, '_>) {
    let (mappings, text) = (mappings(), event().to_string());
    bencher.counter(ItemsCount::new(1_u32)).bench(|| {
        let event: Value = serde_json::from_str(black_box(&text)).expect("JSON");
        for mapping in &mappings {
            black_box(mapping.resolve(&event).to_string());
        }
    });
}

/// One of them.
#[divan::bench(args = ["webhook", "mixpanel", "hubspot", "braze", "meta", "ga4"])]
fn mapping(bencher: Bencher<'_, '_>, name: &str) {
    let names = ["webhook", "mixpanel", "hubspot", "braze", "meta", "ga4"];
    let place = names.iter().position(|known| *known == name).expect("a name");
    let (mapping, event) = (mappings().remove(place), event());
    bencher.counter(ItemsCount::new(1_u32)).bench(|| mapping.resolve(black_box(&event)));
}

/// The body of a request of a purchase, with hashes, as a manifest has it.
#[divan::bench]
fn body_of_a_manifest(bencher: Bencher<'_, '_>) {
    let payload = mappings().remove(4).resolve(&event());
    let body = json!({
        "event_name": "=payload.event_name", "event_time": "=epoch(payload.event_time)", "event_id": "=payload.event_id",
        "user_data": {
            "em": "=sha256(clean(payload.user_data.email))", "ph": "=sha256(digits(payload.user_data.phone))",
            "external_id": "=sha256(payload.user_data.externalId)", "client_ip_address": "=payload.user_data.client_ip_address"
        },
        "custom_data": {
            "currency": "=upper(payload.currency)", "value": "=round(number(payload.value), 2)",
            "contents": "=map(payload.contents, c => {id: c.id, quantity: c.quantity ?? 1, item_price: c.price})",
            "num_items": "=sum(map(payload.contents, c => c.quantity))"
        }
    });
    let body = Tree::compile(&body).expect("a body");
    let url =
        Template::compile("https://graph.example/v1/{{ settings.pixel }}/events").expect("a URL");
    let settings = json!({"pixel": "123456"});
    bencher.counter(ItemsCount::new(1_u32)).bench(|| {
        let scope = Scope::at(1_764_417_600_000)
            .with("payload", black_box(&payload))
            .with("settings", &settings);
        (url.url(&scope), body.evaluate(&scope))
    });
}

#[divan::bench]
fn trigger(bencher: Bencher<'_, '_>) {
    let trigger = Trigger::compile(
        "type = \"track\" and event = \"Order Completed\" and properties.total > 10",
    );
    let (trigger, event) = (trigger.expect("a trigger"), event());
    bencher.counter(ItemsCount::new(1_u32)).bench(|| trigger.holds(black_box(&event)));
}

#[divan::bench]
fn condition(bencher: Bencher<'_, '_>) {
    let condition =
        Expression::compile("r.status == 404 || r.status == 410 && contains(r.body.error, 'gone')");
    let (condition, answer) =
        (condition.expect("a condition"), json!({"status": 200, "body": {"error": "x"}}));
    bencher
        .counter(ItemsCount::new(1_u32))
        .bench(|| condition.holds(&Scope::at(0).with("r", black_box(&answer))));
}
