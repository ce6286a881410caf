use expect_test::{Expect, expect};
use selfsame_event::{Collection, IdentifierKey, SourceNumber};

use selfsame_pipeline::workspace::{Since, Tool};

use super::*;

fn definition(kind: DefinitionKind, id: &str) -> Definition {
    Definition {
        number: 7,
        id: id.to_owned(),
        space: "shop".to_owned(),
        kind,
        collection: Collection::Users,
        name: "A name".to_owned(),
        description: String::new(),
        query: String::new(),
        filter_by_external_ids: Vec::new(),
        public: false,
        destinations: Vec::new(),
    }
}

fn id<'a>(key: u8, kind: &'a str, value: &'a str) -> ExternalId<'a> {
    ExternalId {
        key: IdentifierKey([key; 16]),
        kind,
        value,
        created_at: Time::EPOCH,
        source: SourceNumber(0),
        message_id: None,
    }
}

/// A destination, where the first audience may have a list.
fn crm(list: Option<&str>) -> Destination {
    let list = list.map(|list| ("first_time_shopper".to_owned(), list.to_owned()));
    Destination {
        id: "crm".to_owned(),
        name: "Our CRM".to_owned(),
        space: "shop".to_owned(),
        kind: "crm".to_owned(),
        url: String::new(),
        tool: Some(Tool { audiences: list.into_iter().collect(), ..Tool::default() }),
        secrets: Vec::new(),
        events: Vec::new(),
        enabled: true,
        relaxed: false,
        since: Since::default(),
    }
}

#[test]
fn who_is_in_an_audience_with_a_list_is_told_with_its_id() {
    let of = |list| Personas::of(&audience(), &crm(list)).json(&audience());
    assert!(of(Some("l-7")).contains(r#""external_audience_id":"l-7""#));
    assert!(!of(None).contains("external_audience_id"));
}

/// What a profile with these identifiers, named by one of them, is told by.
fn check(definition: &Definition, form: Form, value: &str, named: usize, expected: &Expect) {
    let ids = [id(1, "anonymous_id", "a1"), id(2, "user_id", "ada"), id(3, "email", "a@b.c")];
    let personas = Personas::of(definition, &crm(None));
    let message = Message {
        form,
        id: "personas_00".to_owned(),
        personas: &personas,
        definition,
        value,
        named: ids[named],
        ids: &ids,
        email: Some("a@b.c".to_owned()),
        destination: "Our CRM",
        at: Time::from_millis(1_790_000_000_123),
        received_at: Time::from_millis(1_790_000_001_000),
        profile: ProfileId::from_bytes([9; 20]),
    };
    let value: serde_json::Value = serde_json::from_str(&message.json()).expect("it is JSON");
    expected.assert_eq(&serde_json::to_string_pretty(&value).expect("it is JSON"));
}

fn audience() -> Definition {
    definition(DefinitionKind::Audience, "first_time_shopper")
}

fn computed() -> Definition {
    definition(DefinitionKind::ComputedTrait, "total_revenue")
}

#[test]
fn audience_entered() {
    check(
        &audience(),
        Form::Track,
        "true",
        1,
        &expect![[r#"
        {
          "type": "track",
          "messageId": "personas_00",
          "userId": "ada",
          "event": "Audience Entered",
          "properties": {
            "audience_key": "first_time_shopper",
            "first_time_shopper": true
          },
          "context": {
            "externalIds": [
              {
                "id": "a@b.c",
                "type": "email",
                "collection": "users",
                "encoding": "none"
              },
              {
                "id": "a1",
                "type": "anonymous_id",
                "collection": "users",
                "encoding": "none"
              }
            ],
            "personas": {
              "computation_class": "audience",
              "computation_id": "aud_shop_7",
              "computation_key": "first_time_shopper",
              "namespace": "shop",
              "space_id": "shop",
              "event_emitter_id": "act_e09bf449786f049f"
            },
            "traits": {
              "email": "a@b.c"
            }
          },
          "integrations": {
            "All": false,
            "Our CRM": {}
          },
          "originalTimestamp": "2026-09-21T14:13:20.123Z",
          "receivedAt": "2026-09-21T14:13:21.000Z",
          "timestamp": "2026-09-21T14:13:20.123Z",
          "profileId": "use_1HvecpNXcRFI6aCcdCYRb7uDn9V",
          "spaceId": "shop"
        }"#]],
    );
}

#[test]
fn audience_exited_of_somebody_anonymous() {
    check(
        &audience(),
        Form::Track,
        "false",
        0,
        &expect![[r#"
        {
          "type": "track",
          "messageId": "personas_00",
          "anonymousId": "a1",
          "event": "Audience Exited",
          "properties": {
            "audience_key": "first_time_shopper",
            "first_time_shopper": false
          },
          "context": {
            "externalIds": [
              {
                "id": "a@b.c",
                "type": "email",
                "collection": "users",
                "encoding": "none"
              },
              {
                "id": "ada",
                "type": "user_id",
                "collection": "users",
                "encoding": "none"
              }
            ],
            "personas": {
              "computation_class": "audience",
              "computation_id": "aud_shop_7",
              "computation_key": "first_time_shopper",
              "namespace": "shop",
              "space_id": "shop",
              "event_emitter_id": "act_e09bf449786f049f"
            },
            "traits": {
              "email": "a@b.c"
            }
          },
          "integrations": {
            "All": false,
            "Our CRM": {}
          },
          "originalTimestamp": "2026-09-21T14:13:20.123Z",
          "receivedAt": "2026-09-21T14:13:21.000Z",
          "timestamp": "2026-09-21T14:13:20.123Z",
          "profileId": "use_1HvecpNXcRFI6aCcdCYRb7uDn9V",
          "spaceId": "shop"
        }"#]],
    );
}

#[test]
fn an_audience_as_a_trait() {
    check(
        &audience(),
        Form::Identify,
        "true",
        1,
        &expect![[r#"
        {
          "type": "identify",
          "messageId": "personas_00",
          "userId": "ada",
          "traits": {
            "first_time_shopper": true,
            "email": "a@b.c"
          },
          "context": {
            "externalIds": [
              {
                "id": "a@b.c",
                "type": "email",
                "collection": "users",
                "encoding": "none"
              },
              {
                "id": "a1",
                "type": "anonymous_id",
                "collection": "users",
                "encoding": "none"
              }
            ],
            "personas": {
              "computation_class": "audience",
              "computation_id": "aud_shop_7",
              "computation_key": "first_time_shopper",
              "namespace": "shop",
              "space_id": "shop",
              "event_emitter_id": "act_e09bf449786f049f"
            }
          },
          "integrations": {
            "All": false,
            "Our CRM": {}
          },
          "originalTimestamp": "2026-09-21T14:13:20.123Z",
          "receivedAt": "2026-09-21T14:13:21.000Z",
          "timestamp": "2026-09-21T14:13:20.123Z",
          "profileId": "use_1HvecpNXcRFI6aCcdCYRb7uDn9V",
          "spaceId": "shop"
        }"#]],
    );
}

#[test]
fn an_audience_left_as_a_trait() {
    check(
        &audience(),
        Form::Identify,
        "false",
        1,
        &expect![[r#"
        {
          "type": "identify",
          "messageId": "personas_00",
          "userId": "ada",
          "traits": {
            "first_time_shopper": false,
            "email": "a@b.c"
          },
          "context": {
            "externalIds": [
              {
                "id": "a@b.c",
                "type": "email",
                "collection": "users",
                "encoding": "none"
              },
              {
                "id": "a1",
                "type": "anonymous_id",
                "collection": "users",
                "encoding": "none"
              }
            ],
            "personas": {
              "computation_class": "audience",
              "computation_id": "aud_shop_7",
              "computation_key": "first_time_shopper",
              "namespace": "shop",
              "space_id": "shop",
              "event_emitter_id": "act_e09bf449786f049f"
            }
          },
          "integrations": {
            "All": false,
            "Our CRM": {}
          },
          "originalTimestamp": "2026-09-21T14:13:20.123Z",
          "receivedAt": "2026-09-21T14:13:21.000Z",
          "timestamp": "2026-09-21T14:13:20.123Z",
          "profileId": "use_1HvecpNXcRFI6aCcdCYRb7uDn9V",
          "spaceId": "shop"
        }"#]],
    );
}

#[test]
fn trait_computed() {
    check(
        &computed(),
        Form::Track,
        "450.10",
        1,
        &expect![[r#"
        {
          "type": "track",
          "messageId": "personas_00",
          "userId": "ada",
          "event": "Trait Computed",
          "properties": {
            "trait_key": "total_revenue",
            "total_revenue": 450.10
          },
          "context": {
            "externalIds": [
              {
                "id": "a@b.c",
                "type": "email",
                "collection": "users",
                "encoding": "none"
              },
              {
                "id": "a1",
                "type": "anonymous_id",
                "collection": "users",
                "encoding": "none"
              }
            ],
            "personas": {
              "computation_class": "trait",
              "computation_id": "tra_shop_7",
              "computation_key": "total_revenue",
              "namespace": "shop",
              "space_id": "shop",
              "event_emitter_id": "act_1d16b01ad98a53e8"
            },
            "traits": {
              "email": "a@b.c"
            }
          },
          "integrations": {
            "All": false,
            "Our CRM": {}
          },
          "originalTimestamp": "2026-09-21T14:13:20.123Z",
          "receivedAt": "2026-09-21T14:13:21.000Z",
          "timestamp": "2026-09-21T14:13:20.123Z",
          "profileId": "use_1HvecpNXcRFI6aCcdCYRb7uDn9V",
          "spaceId": "shop"
        }"#]],
    );
}

#[test]
fn a_computed_trait_as_a_trait() {
    check(
        &computed(),
        Form::Identify,
        r#"["a","b"]"#,
        1,
        &expect![[r#"
        {
          "type": "identify",
          "messageId": "personas_00",
          "userId": "ada",
          "traits": {
            "total_revenue": [
              "a",
              "b"
            ],
            "email": "a@b.c"
          },
          "context": {
            "externalIds": [
              {
                "id": "a@b.c",
                "type": "email",
                "collection": "users",
                "encoding": "none"
              },
              {
                "id": "a1",
                "type": "anonymous_id",
                "collection": "users",
                "encoding": "none"
              }
            ],
            "personas": {
              "computation_class": "trait",
              "computation_id": "tra_shop_7",
              "computation_key": "total_revenue",
              "namespace": "shop",
              "space_id": "shop",
              "event_emitter_id": "act_1d16b01ad98a53e8"
            }
          },
          "integrations": {
            "All": false,
            "Our CRM": {}
          },
          "originalTimestamp": "2026-09-21T14:13:20.123Z",
          "receivedAt": "2026-09-21T14:13:21.000Z",
          "timestamp": "2026-09-21T14:13:20.123Z",
          "profileId": "use_1HvecpNXcRFI6aCcdCYRb7uDn9V",
          "spaceId": "shop"
        }"#]],
    );
}

#[test]
fn a_profile_that_is_named_by_another_identifier() {
    check(
        &computed(),
        Form::Track,
        "null",
        2,
        &expect![[r#"
        {
          "type": "track",
          "messageId": "personas_00",
          "event": "Trait Computed",
          "properties": {
            "trait_key": "total_revenue",
            "total_revenue": null
          },
          "context": {
            "externalIds": [
              {
                "id": "a@b.c",
                "type": "email",
                "collection": "users",
                "encoding": "none"
              },
              {
                "id": "ada",
                "type": "user_id",
                "collection": "users",
                "encoding": "none"
              },
              {
                "id": "a1",
                "type": "anonymous_id",
                "collection": "users",
                "encoding": "none"
              }
            ],
            "personas": {
              "computation_class": "trait",
              "computation_id": "tra_shop_7",
              "computation_key": "total_revenue",
              "namespace": "shop",
              "space_id": "shop",
              "event_emitter_id": "act_1d16b01ad98a53e8"
            },
            "traits": {
              "email": "a@b.c"
            }
          },
          "integrations": {
            "All": false,
            "Our CRM": {}
          },
          "originalTimestamp": "2026-09-21T14:13:20.123Z",
          "receivedAt": "2026-09-21T14:13:21.000Z",
          "timestamp": "2026-09-21T14:13:20.123Z",
          "profileId": "use_1HvecpNXcRFI6aCcdCYRb7uDn9V",
          "spaceId": "shop"
        }"#]],
    );
}

#[test]
fn a_definition_that_has_the_name_of_a_field_is_said_once() {
    let named = definition(DefinitionKind::Audience, "audience_key");
    check(
        &named,
        Form::Track,
        "true",
        1,
        &expect![[r#"
        {
          "type": "track",
          "messageId": "personas_00",
          "userId": "ada",
          "event": "Audience Entered",
          "properties": {
            "audience_key": "audience_key"
          },
          "context": {
            "externalIds": [
              {
                "id": "a@b.c",
                "type": "email",
                "collection": "users",
                "encoding": "none"
              },
              {
                "id": "a1",
                "type": "anonymous_id",
                "collection": "users",
                "encoding": "none"
              }
            ],
            "personas": {
              "computation_class": "audience",
              "computation_id": "aud_shop_7",
              "computation_key": "audience_key",
              "namespace": "shop",
              "space_id": "shop",
              "event_emitter_id": "act_e09bf449786f049f"
            },
            "traits": {
              "email": "a@b.c"
            }
          },
          "integrations": {
            "All": false,
            "Our CRM": {}
          },
          "originalTimestamp": "2026-09-21T14:13:20.123Z",
          "receivedAt": "2026-09-21T14:13:21.000Z",
          "timestamp": "2026-09-21T14:13:20.123Z",
          "profileId": "use_1HvecpNXcRFI6aCcdCYRb7uDn9V",
          "spaceId": "shop"
        }"#]],
    );
}

#[test]
fn a_trait_that_has_the_name_of_the_address_is_said_once() {
    let named = definition(DefinitionKind::ComputedTrait, "email");
    check(
        &named,
        Form::Identify,
        "1",
        1,
        &expect![[r#"
        {
          "type": "identify",
          "messageId": "personas_00",
          "userId": "ada",
          "traits": {
            "email": 1
          },
          "context": {
            "externalIds": [
              {
                "id": "a@b.c",
                "type": "email",
                "collection": "users",
                "encoding": "none"
              },
              {
                "id": "a1",
                "type": "anonymous_id",
                "collection": "users",
                "encoding": "none"
              }
            ],
            "personas": {
              "computation_class": "trait",
              "computation_id": "tra_shop_7",
              "computation_key": "email",
              "namespace": "shop",
              "space_id": "shop",
              "event_emitter_id": "act_1d16b01ad98a53e8"
            }
          },
          "integrations": {
            "All": false,
            "Our CRM": {}
          },
          "originalTimestamp": "2026-09-21T14:13:20.123Z",
          "receivedAt": "2026-09-21T14:13:21.000Z",
          "timestamp": "2026-09-21T14:13:20.123Z",
          "profileId": "use_1HvecpNXcRFI6aCcdCYRb7uDn9V",
          "spaceId": "shop"
        }"#]],
    );
}

/// An account is told of by a group call, by its own identifiers, and nobody's address is in it.
#[test]
fn an_account_in_an_audience() {
    let definition = Definition { collection: Collection::Accounts, ..audience() };
    let ids = [id(1, "domain", "acme.example"), id(2, "group_id", "acme")];
    let personas = Personas::of(&definition, &crm(None));
    let message = Message {
        form: Form::Identify,
        id: "personas_00".to_owned(),
        personas: &personas,
        definition: &definition,
        value: "true",
        named: ids[1],
        ids: &ids,
        email: None,
        destination: "Our CRM",
        at: Time::from_millis(1_790_000_000_123),
        received_at: Time::from_millis(1_790_000_001_000),
        profile: ProfileId::from_bytes([9; 20]),
    };
    let value: serde_json::Value = serde_json::from_str(&message.json()).expect("it is JSON");
    let expected = expect![[r#"
        {
          "type": "group",
          "messageId": "personas_00",
          "groupId": "acme",
          "traits": {
            "first_time_shopper": true
          },
          "context": {
            "externalIds": [
              {
                "id": "acme.example",
                "type": "domain",
                "collection": "accounts",
                "encoding": "none"
              }
            ],
            "personas": {
              "computation_class": "audience",
              "computation_id": "aud_shop_7",
              "computation_key": "first_time_shopper",
              "namespace": "shop",
              "space_id": "shop",
              "event_emitter_id": "act_e09bf449786f049f"
            }
          },
          "integrations": {
            "All": false,
            "Our CRM": {}
          },
          "originalTimestamp": "2026-09-21T14:13:20.123Z",
          "receivedAt": "2026-09-21T14:13:21.000Z",
          "timestamp": "2026-09-21T14:13:20.123Z",
          "profileId": "use_1HvecpNXcRFI6aCcdCYRb7uDn9V",
          "spaceId": "shop"
        }"#]];
    expected.assert_eq(&serde_json::to_string_pretty(&value).expect("it is JSON"));
}
