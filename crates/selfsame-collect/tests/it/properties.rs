//! Whatever comes in, an answer goes out that an SDK can read, and every event is somewhere.

use proptest::prelude::*;
use selfsame_collect::{Envelope, Shape};
use selfsame_event::RecordKind;

use crate::world::{Answer, World, gzip};

fn send(path: &str, headers: &[(&str, &str)], body: Vec<u8>) -> (World, Answer) {
    let world = World::default();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let answer = runtime.block_on(world.post(path, body, headers));
    (world, answer)
}

/// Text that is nearly JSON.
fn near_json() -> impl Strategy<Value = Vec<u8>> {
    let token = prop_oneof![
        Just("{"),
        Just("}"),
        Just("["),
        Just("]"),
        Just(","),
        Just(":"),
        Just("\""),
        Just("\\"),
        Just("\\u"),
        Just("d800"),
        Just("\\udc00"),
        Just("null"),
        Just("1e9"),
        Just("-"),
        Just("\"batch\":"),
        Just("\"type\":\"track\""),
        Just("\"userId\":\"u\""),
        Just("\u{1}"),
        Just("\"writeKey\":\"server\""),
        Just("{\"batch\":["),
        Just("]}"),
        Just(" "),
    ];
    proptest::collection::vec(token, 0..40).prop_map(|tokens| tokens.concat().into_bytes())
}

fn value() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<f64>().prop_map(Into::into),
        ".{0,12}".prop_map(Into::into),
    ];
    leaf.prop_recursive(3, 24, 6, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..6).prop_map(Into::into),
            proptest::collection::btree_map(".{0,6}", inner, 0..6)
                .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
        ]
    })
}

/// An item of a batch, and whether it is valid.
fn item() -> impl Strategy<Value = (String, bool)> {
    prop_oneof![
        ("[a-z]{1,6}", value()).prop_map(|(id, value)| {
            let text = format!(r#"{{"type":"track","event":"A","userId":"{id}","x":{value}}}"#);
            (text, true)
        }),
        value().prop_map(|value| (format!(r#"{{"type":"page","x":{value}}}"#), false)),
        any::<i32>().prop_map(|number| (number.to_string(), false)),
        Just((r#"{"userId":"u","type":"other"}"#.to_owned(), false)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn any_bytes_get_an_answer_in_json(
        body in prop_oneof![proptest::collection::vec(any::<u8>(), 0..300), near_json()],
        path in prop_oneof![Just("/v1/track"), Just("/v1/batch"), Just("/v1/m"), Just("/v1/i")],
        header in prop_oneof![
            Just(("authorization", "Bearer server")),
            Just(("content-encoding", "gzip")),
            Just(("authorization", "Basic ::")),
        ],
    ) {
        let (_, answer) = send(path, &[header], body);
        prop_assert!(matches!(answer.status, 200 | 400 | 401), "{}", answer.status);
        let json = answer.json();
        prop_assert_eq!(json["success"].as_bool(), Some(answer.status == 200));
        prop_assert!(answer.status == 200 || json["message"].is_string());
        prop_assert!(answer.status == 200 || json["code"].is_string());
    }

    /// Our parser and another one agree about what is JSON.
    #[test]
    fn what_is_readable_is_json_to_others_too(body in near_json()) {
        let envelope = Envelope::read(body.clone(), Shape::Event(None));
        let text = String::from_utf8(body).unwrap();
        let other = serde_json::from_str::<Box<serde_json::value::RawValue>>(&text);
        let has_surrogates = text.contains("\\u");
        prop_assert!(has_surrogates || envelope.is_ok() == other.is_ok(), "{}", text);
        if let Ok(envelope) = envelope {
            for item in envelope.events(false).refused {
                let item = std::str::from_utf8(&item.item).unwrap();
                prop_assert!(serde_json::from_str::<serde_json::Value>(item).is_ok(), "{}", item);
            }
        }
    }

    #[test]
    fn every_item_is_accepted_or_refused_once_and_in_order(
        items in proptest::collection::vec(item(), 1..40),
        zipped in any::<bool>(),
        space in "[ \n]{0,3}",
    ) {
        let list: Vec<_> = items.iter().map(|(text, _)| text.as_str()).collect();
        let separator = format!("{space},{space}");
        let body = format!(r#"{{"batch":[{space}{}{space}]}}"#, list.join(&separator)).into_bytes();
        let (body, headers) = if zipped {
            (gzip(&body), vec![("authorization", "Bearer server"), ("content-encoding", "gzip")])
        } else {
            (body, vec![("authorization", "Bearer server")])
        };
        let (world, answer) = send("/v1/batch", &headers, body);
        prop_assert_eq!(&answer.body[..], br#"{"success":true}"#);
        let found = |kind| -> Vec<String> {
            let records = world.of_kind(kind);
            let items = records.iter().flat_map(|record| &record.items);
            items.map(|item| String::from_utf8(item.to_vec()).unwrap()).collect()
        };
        let expected = |valid: bool| -> Vec<String> {
            items.iter().filter(|item| item.1 == valid).map(|item| item.0.clone()).collect()
        };
        prop_assert_eq!(found(RecordKind::Events), expected(true));
        prop_assert_eq!(found(RecordKind::Rejected), expected(false));
        let any_refused = items.iter().any(|item| !item.1);
        prop_assert_eq!(answer.header("x-selfsame-rejected").is_some(), any_refused);
    }

    /// Lone halves become replacements, pairs stay, and nothing else changes.
    #[test]
    fn surrogates_are_read_as_a_decoder_that_replaces_does(
        units in proptest::collection::vec(prop_oneof![0xd7fe_u16..=0xe001, 0x61_u16..0x64], 0..12),
    ) {
        let escaped: String = units.iter().map(|unit| format!("\\u{unit:04x}")).collect();
        let body = format!(r#"{{"type":"track","event":"A","userId":"x{escaped}"}}"#);
        let (world, answer) = send("/v1/track", &[("authorization", "Bearer server")], body.into());
        prop_assert_eq!(answer.status, 200);
        let record = &world.records()[0];
        let event = record.head.event(&record.items[0]).unwrap();
        let expected = format!("x{}", String::from_utf16_lossy(&units));
        prop_assert_eq!(event.user_id.as_deref(), Some(expected.as_str()));
    }

    #[test]
    fn any_query_of_an_image_gets_an_image(query in "[a-zA-Z0-9%+=&.{}\"]{0,80}") {
        let world = World::default();
        let query = query.replace(['{', '}', '"'], "%7B");
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let answer = runtime.block_on(world.get(&format!("/v1/pixel/track?{query}"), &[]));
        prop_assert_eq!(answer.status, 200);
        prop_assert_eq!(&answer.body[..6], b"GIF89a");
    }
}
