//! A small space to tell stories in. Identifiers are written as one letter for the type and anything
//! behind it, the whole being the value: `u1` is the user id "u1", `a7` the anonymous id "a7", `e3` the
//! e-mail address "e3", `p2` the custom id `phone` "p2", `g1` the group id "g1", `d1` the custom account
//! id `domain` "d1", and `x1` an alias call's previous id "x1" (`xu1` is "u1").

use std::convert::Infallible;

use selfsame_event::{
    Collection, Event, IdentifierKey, KeyHasher, Position, Raw, RecordId, Shared, SourceNumber,
    Time,
};
use selfsame_identity::{
    Change, Claims, ComponentId, Keys, MemoryRows, Occurrence, Outcome, Pair, Plan, PlanError,
    Resolution, RuleSet, Rules, RulesLog, Sizes, Stamp, Trust, TypeNumbers, apply, extract,
    find_root, plan, resolve,
};
use serde_json::{Map, Value, json};

pub(crate) const DAY: i64 = 24 * 60 * 60 * 1_000_000;

pub(crate) struct World {
    pub(crate) rows: MemoryRows,
    pub(crate) numbers: TypeNumbers,
    pub(crate) rules: Rules,
    /// The rules so far.
    pub(crate) log: Vec<Rules>,
    pub(crate) hasher: KeyHasher,
    pub(crate) events: u64,
    /// Event time of the next event.
    pub(crate) now: Time,
}

/// The rules that the tables are written for, from YAML as an owner would write them.
pub(crate) fn rule_set(changes: &str) -> RuleSet {
    let base = r#"
types:
  - { name: user_id, priority: 1, limit: { count: 1 } }
  - { name: email, priority: 2, limit: { count: 5 } }
  - { name: anonymous_id, priority: 3, limit: { count: 5, window: weekly } }
  - { name: phone, priority: 4, limit: { count: 5 } }
  - { name: group_id, collection: accounts, priority: 1, limit: { count: 1 } }
  - { name: domain, collection: accounts, priority: 2, limit: { count: 5 } }
blocked: { exact: ["anonymous"], regex: ["^[0-]*$"] }
"#;
    let mut rules: Value = serde_yaml_ng::from_str(base).expect("valid");
    let changes: Value = serde_yaml_ng::from_str(changes).expect("valid");
    merge(&mut rules, changes);
    serde_json::from_value(rules).expect("rules")
}

fn merge(into: &mut Value, from: Value) {
    let Value::Object(from) = from else { return };
    for (key, value) in from {
        into[&key] = value;
    }
}

/// What proves an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Proof {
    /// Nobody proves anything.
    Unasked,
    /// The sender's secret.
    Secret,
    /// A token, at a source that requires one or does not.
    Token { required: bool },
    /// Nothing, at a source that requires it or does not.
    Nothing { required: bool },
}

impl Proof {
    pub(crate) fn trust(self, claims: &Claims<'_>) -> Trust {
        match (self, claims.user) {
            (Self::Unasked, _) => Trust::Unguarded,
            (Self::Secret, _) => Trust::Sender,
            (Self::Token { required }, Some(user)) => Trust::Token { user, required },
            (Self::Token { required } | Self::Nothing { required }, _) => Trust::None { required },
        }
    }
}

impl World {
    pub(crate) fn new(changes: &str) -> Self {
        Self::with(&rule_set(changes))
    }

    pub(crate) fn with(set: &RuleSet) -> Self {
        let mut numbers = TypeNumbers::default();
        let rules = Rules::compile(set, &mut numbers).expect("valid rules");
        Self {
            log: vec![rules.clone()],
            rules,
            rows: MemoryRows::default(),
            numbers,
            hasher: KeyHasher::new([7; 32]),
            events: 0,
            now: Time::from_micros(1_700_000_000_000_000),
        }
    }

    /// New rules, from here on.
    pub(crate) fn rules(&mut self, changes: &str) {
        self.set_rules(&rule_set(changes));
    }

    pub(crate) fn set_rules(&mut self, set: &RuleSet) {
        let rules = Rules::compile(set, &mut self.numbers).expect("valid rules");
        self.rules = rules.in_force_since(Position::embedded(self.events));
        self.log.push(self.rules.clone());
    }

    /// The key of an identifier.
    pub(crate) fn key(&self, value: &str) -> IdentifierKey {
        self.hasher.identifier(1, collection(value), kind(value), value)
    }

    /// What setting these pairs apart, and lifting those, would do.
    pub(crate) fn plan(
        &mut self,
        apart: &[(&str, &str)],
        lift: &[(&str, &str)],
    ) -> Result<Plan, PlanError<Infallible>> {
        let pairs = |pairs: &[(&str, &str)]| {
            let pair = |(one, other): &(&str, &str)| Pair::new(self.key(one), self.key(other));
            pairs.iter().map(|one| pair(one).expect("two")).collect()
        };
        let change = Change {
            apart: pairs(apart),
            lift: pairs(lift),
            by: "test".into(),
            at: Time::from_micros(1_900_000_000_000_000),
        };
        let rules = RulesLog::new(self.log.clone());
        plan(&change, &rules, Sizes::default(), &mut self.rows, &mut |_| true)
    }

    /// Sets pairs apart and lifts others.
    pub(crate) fn undo(&mut self, apart: &[(&str, &str)], lift: &[(&str, &str)]) -> Plan {
        let plan = self.plan(apart, lift).expect("a plan");
        apply(&plan, &mut self.rows).expect("memory does not fail");
        plan
    }

    /// An event with these identifiers.
    pub(crate) fn event(&mut self, identifiers: &str) -> Outcome {
        self.json(&call(identifiers))
    }

    /// Whose user the event is.
    pub(crate) fn user(&mut self, identifiers: &str) -> Resolution {
        self.event(identifiers).user.expect("identifies a user")
    }

    pub(crate) fn json(&mut self, event: &Value) -> Outcome {
        let text = event.to_string();
        let event = Event::read(Raw::trusted(&text), &Shared::default()).expect("accepted");
        let keys = Keys { hasher: &self.hasher, space: 1 };
        let claims = extract(&event, &self.rules, &keys);
        self.claims(&claims)
    }

    /// An event with these identifiers, of which so much is proven.
    pub(crate) fn proven(&mut self, proof: Proof, identifiers: &str) -> Outcome {
        let text = call(identifiers).to_string();
        let event = Event::read(Raw::trusted(&text), &Shared::default()).expect("accepted");
        let keys = Keys { hasher: &self.hasher, space: 1 };
        let mut claims = extract(&event, &self.rules, &keys);
        claims.trust = proof.trust(&claims);
        self.claims(&claims)
    }

    pub(crate) fn claims(&mut self, claims: &Claims<'_>) -> Outcome {
        let at = self.occurrence();
        resolve(claims, &at, &self.rules, &mut self.rows).expect("memory does not fail")
    }

    pub(crate) fn occurrence(&mut self) -> Occurrence<'static> {
        self.events += 1;
        let mut record = [0; 16];
        record[..8].copy_from_slice(&self.events.to_le_bytes());
        Occurrence {
            stamp: Stamp {
                position: Position::embedded(self.events).item(0),
                record: RecordId(record),
                source: SourceNumber(3),
                event_time: self.now,
                log_time: Time::from_micros(1_800_000_000_000_000)
                    .plus_micros(i64::try_from(self.events).expect("few") * 1_000_000),
            },
            message_id: Some("m"),
        }
    }

    /// Time passes.
    pub(crate) fn days(&mut self, days: i64) {
        self.now = self.now.plus_micros(days * DAY);
    }

    /// What the profile of a root holds, in the order of the values.
    pub(crate) fn profile(&self, root: ComponentId) -> String {
        let row = &self.rows.components[&root];
        let mut values: Vec<&str> = row.members.iter().map(|member| &*member.value).collect();
        values.sort_unstable();
        values.join(" ")
    }

    /// Every profile, the oldest first: `u1 a1 | u2`.
    pub(crate) fn profiles(&self) -> String {
        let roots = self.rows.components.iter().filter(|(_, row)| row.parent.is_none());
        roots.map(|(root, _)| self.profile(*root)).collect::<Vec<_>>().join(" | ")
    }

    /// The profile that holds a value.
    pub(crate) fn holder(&mut self, value: &str) -> Option<ComponentId> {
        let number = self.rules.number(collection(value), kind(value)).expect("listed");
        let name = self.rules.name(number).expect("listed").to_owned();
        let key = self.hasher.identifier(1, collection(value), &name, value);
        let row = self.rows.identifiers.get(&key).copied()?;
        Some(find_root(&mut self.rows, row.component).expect("memory does not fail").0)
    }
}

pub(crate) fn collection(value: &str) -> Collection {
    if value.starts_with(['g', 'd']) { Collection::Accounts } else { Collection::Users }
}

pub(crate) fn kind(value: &str) -> &'static str {
    match value.as_bytes()[0] {
        b'u' => "user_id",
        b'e' => "email",
        b'a' => "anonymous_id",
        b'p' => "phone",
        b'g' => "group_id",
        b'd' => "domain",
        other => panic!("no type {}", char::from(other)),
    }
}

/// An identify, group or alias call with these identifiers. Second values of a type go into
/// `context.externalIds`.
pub(crate) fn call(identifiers: &str) -> Value {
    let (mut event, mut external) = (Map::new(), Vec::new());
    event.insert("type".into(), "identify".into());
    for value in identifiers.split_whitespace() {
        let key = match value.as_bytes()[0] {
            b'u' => "userId",
            b'a' => "anonymousId",
            b'g' => "groupId",
            b'x' => "previousId",
            _ => "",
        };
        if key.is_empty() || event.contains_key(key) {
            let collection = collection(value).name();
            external.push(json!({
                "id": value, "type": kind(value), "collection": collection, "encoding": "none",
            }));
        } else {
            let text = value.strip_prefix('x').unwrap_or(value);
            event.insert(key.into(), text.into());
            match key {
                "groupId" => event.insert("type".into(), "group".into()),
                "previousId" => event.insert("type".into(), "alias".into()),
                _ => None,
            };
        }
    }
    if !event.contains_key("userId") && !event.contains_key("anonymousId") {
        // The wire format asks for one; this one is blocked.
        event.insert("anonymousId".into(), "anonymous".into());
    }
    if !external.is_empty() {
        event.insert("context".into(), json!({ "externalIds": external }));
    }
    Value::Object(event)
}
