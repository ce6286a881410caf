//! The real resolver against a slow and obvious one: profiles are lists of identifiers that are
//! physically combined, and every question is answered by looking at all of them. What it knows of
//! proofs and strategies is what docs/concepts/identity.md says of them.

use std::collections::{BTreeMap, BTreeSet};

use selfsame_event::{Context, Event, EventType, IdentifierKey, ProfileId, Raw, Shared, Time};
use selfsame_identity::rule::{
    Blocked, EventNames, Limit, Options, SharedDevices, Strategy, TypeRule, Window,
};
use selfsame_identity::{Fate, Keys, Outcome, Resolution, RuleSet, extract};

use crate::world::{DAY, Proof, World};

const LETTERS: [char; 4] = ['u', 'e', 'a', 'p'];

pub(crate) fn name_of(letter: char) -> &'static str {
    match letter {
        'u' => "user_id",
        'e' => "email",
        'a' => "anonymous_id",
        'p' => "phone",
        other => panic!("no type {other}"),
    }
}

pub(crate) struct Chance(pub(crate) u64);

impl Chance {
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        // splitmix64
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (bits ^ (bits >> 31)) % bound
    }

    pub(crate) fn one_in(&mut self, chances: u64) -> bool {
        self.below(chances) == 0
    }

    pub(crate) fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[usize::try_from(self.below(from.len() as u64)).expect("an index")]
    }
}

pub(crate) type Id = (char, String);

#[derive(Default)]
pub(crate) struct Profile {
    ids: Vec<(Id, i64)>,
    merges: u32,
}

#[derive(Clone)]
pub(crate) struct Call {
    pub(crate) ids: Vec<Id>,
    pub(crate) previous: Option<String>,
    pub(crate) time: i64,
    pub(crate) proof: Proof,
}

/// What the slow resolver says about one event.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Answer {
    profile: Vec<String>,
    anchor: String,
    kept: Vec<String>,
    verdicts: Vec<String>,
    merges: usize,
    moved: BTreeSet<String>,
    everybody: BTreeSet<Vec<String>>,
    verified: BTreeSet<String>,
}

pub(crate) struct Naive<'r> {
    pub(crate) rules: &'r RuleSet,
    /// What may never be of one profile.
    pub(crate) apart: Vec<(Id, Id)>,
    profiles: Vec<Profile>,
    /// Identifiers of which a verified claim was seen.
    verified: BTreeSet<Id>,
    /// The user ids that devices came with.
    people: BTreeMap<Id, BTreeSet<Id>>,
}

impl<'r> Naive<'r> {
    pub(crate) fn new(rules: &'r RuleSet) -> Self {
        let (apart, profiles, people) = (Vec::new(), Vec::new(), BTreeMap::new());
        Self { rules, apart, profiles, verified: BTreeSet::new(), people }
    }

    /// Everybody, in order.
    pub(crate) fn everybody(&self) -> BTreeSet<Vec<String>> {
        self.profiles.iter().map(values).filter(|ids| !ids.is_empty()).collect()
    }

    fn rule(&self, letter: char) -> Option<&TypeRule> {
        self.rules.types.iter().find(|rule| rule.name == name_of(letter))
    }

    fn is_fit(&self, id: &Id) -> bool {
        let Some(rule) = self.rule(id.0) else { return false };
        let lists = [&rule.blocked, &self.rules.blocked];
        !lists.iter().any(|list| {
            list.exact.contains(&id.1)
                || list.regex.iter().any(|pattern| match &**pattern {
                    "^[0-]*$" => id.1.chars().all(|letter| letter == '0' || letter == '-'),
                    "3$" => id.1.ends_with('3'),
                    other => panic!("no pattern {other}"),
                })
        })
    }

    fn holder(&self, id: &Id) -> Option<usize> {
        self.profiles.iter().position(|profile| profile.ids.iter().any(|(one, _)| one == id))
    }

    /// The identifiers that count, the most trusted first, each with whether it is the previous one.
    fn identifiers(&self, call: &Call) -> Vec<(bool, Id)> {
        let mut ids: Vec<(u16, bool, Id)> = Vec::new();
        for id in &call.ids {
            if self.is_fit(id) && !ids.iter().any(|(_, _, one)| one == id) {
                ids.push((self.rule(id.0).expect("fit").priority, false, id.clone()));
            }
        }
        if let Some(value) = call.previous.as_ref().filter(|_| self.rules.options.alias) {
            let readings = [('a', value.clone()), ('u', value.clone())];
            let known = readings.iter().find(|id| {
                self.is_fit(id)
                    && (self.holder(id).is_some() || ids.iter().any(|(_, _, one)| one == *id))
            });
            let id = known.unwrap_or(&readings[0]);
            if self.is_fit(id) && !ids.iter().any(|(_, _, one)| one == id) {
                ids.push((self.rule(id.0).expect("fit").priority, true, id.clone()));
            }
        }
        ids.sort();
        ids.into_iter().map(|(_, is_previous, id)| (is_previous, id)).collect()
    }

    /// The user that a token proves.
    fn proven_user(&self, call: &Call) -> Option<Id> {
        let is_signed = matches!(call.proof, Proof::Token { .. });
        let user = call.ids.iter().find(|(letter, _)| *letter == 'u');
        user.filter(|id| is_signed && self.is_fit(id)).cloned()
    }

    /// Whether somebody is known to be who the profile says.
    fn is_person(&self, profile: usize) -> bool {
        let ids = self.profiles[profile].ids.iter();
        ids.map(|(id, _)| id).any(|id| id.0 != 'a' && self.verified.contains(id))
    }

    /// Of the identifiers of an event, those that are believed, and the others.
    fn believed(&self, ids: Vec<Id>, call: &Call) -> (Vec<Id>, Vec<Id>) {
        let (Proof::Token { required } | Proof::Nothing { required }) = call.proof else {
            return (ids, Vec::new());
        };
        let proven = self.proven_user(call);
        let known: Vec<&Id> = ids
            .iter()
            .filter(|id| id.0 == 'a' && (!required || self.verified.contains(id)))
            .collect();
        let of_user = proven.as_ref().and_then(|user| self.holder(user));
        let reached = of_user.or_else(|| {
            known.iter().filter_map(|id| self.holder(id)).find(|profile| self.is_person(*profile))
        });
        let is_believed = |id: &Id| {
            if Some(id) == proven.as_ref() {
                return true;
            }
            let holder = self.holder(id);
            let is_of_another_person =
                holder.is_some_and(|profile| self.is_person(profile) && reached != Some(profile));
            let comes_from_a_known_device =
                holder.is_some() && known.iter().any(|device| self.holder(device) == holder);
            let needs_proof = required && proven.is_none() && id.0 == 'u';
            !is_of_another_person && (!needs_proof || comes_from_a_known_device)
        };
        let believed: Vec<bool> = ids.iter().map(is_believed).collect();
        let of = |wanted: bool| {
            let ids = ids.iter().zip(&believed).filter(|(_, one)| **one == wanted);
            ids.map(|(id, _)| id.clone()).collect()
        };
        (of(true), of(false))
    }

    fn matched(&self, ids: &[Id]) -> Vec<usize> {
        let found: BTreeSet<usize> = ids.iter().filter_map(|id| self.holder(id)).collect();
        found.into_iter().collect()
    }

    fn violation(&self, ids: &[Id], now: i64) -> Option<&'static str> {
        let matched = self.matched(ids);
        let mut union: Vec<(Id, i64)> =
            matched.iter().flat_map(|index| self.profiles[*index].ids.clone()).collect();
        for id in ids {
            if !union.iter().any(|(one, _)| one == id) {
                union.push((id.clone(), now));
            }
        }
        let mut rules: Vec<&TypeRule> = self.rules.types.iter().collect();
        rules.sort_by_key(|rule| rule.priority);
        for rule in rules {
            let of = |ids: &[(Id, i64)]| -> Vec<i64> {
                let ids = ids.iter().filter(|((letter, _), _)| rule.name == name_of(*letter));
                ids.map(|(_, time)| *time).collect()
            };
            let times = of(&union);
            let has_all_already =
                matched.iter().any(|index| of(&self.profiles[*index].ids).len() == times.len());
            if times.is_empty() || has_all_already {
                continue;
            }
            let limit = rule.limit.count as usize;
            let days = match rule.limit.window {
                Window::Ever if times.len() > limit => {
                    return Some("Identifier value limit exceeded");
                }
                Window::Ever => continue,
                Window::Daily => 1,
                Window::Weekly => 7,
                Window::Monthly => 30,
                Window::Annually => 365,
            };
            let too_many = times.iter().chain([&now]).any(|start| {
                let end = start + days * DAY;
                *start <= now
                    && now < end
                    && times.iter().filter(|time| start <= *time && **time < end).count() > limit
            });
            if too_many {
                return Some("Identifier value time limit exceeded");
            }
        }
        let has = |id: &Id| union.iter().any(|(one, _)| one == id);
        let is_met = self.apart.iter().any(|(one, other)| has(one) && has(other));
        if is_met {
            return Some("Identifiers are set apart");
        }
        let people = matched.iter().filter(|index| self.is_somebody(**index)).count();
        let are_kept_apart = self.rules.strategy != Strategy::Merge;
        (are_kept_apart && people > 1).then_some("Two known people")
    }

    /// Whether the profile has more than devices.
    fn is_somebody(&self, profile: usize) -> bool {
        self.profiles[profile].ids.iter().any(|((letter, _), _)| *letter != 'a')
    }

    /// Whether the event verifies an identifier on it.
    fn verifies(&self, id: &Id, call: &Call, previous: Option<&Id>) -> bool {
        let proven = self.proven_user(call);
        match call.proof {
            Proof::Unasked | Proof::Nothing { .. } => false,
            Proof::Secret => true,
            Proof::Token { .. } => {
                let is_device = id.0 == 'a' && previous != Some(id);
                proven.as_ref() == Some(id) || proven.is_some() && is_device
            }
        }
    }

    /// Whether a device may be taken from a profile.
    fn may_take(&self, id: &Id, from: usize, call: &Call, previous: Option<&Id>) -> bool {
        let is_unasked = call.proof == Proof::Unasked;
        is_unasked || !self.is_person(from) || self.verifies(id, call, previous)
    }

    /// Takes a device out of the profile that holds it.
    fn take(&mut self, id: &Id, from: usize) {
        self.profiles[from].ids.retain(|(one, _)| one != id);
        self.verified.remove(id);
    }

    /// The devices on an event that are shared. Those that still are somebody's get profiles of their own,
    /// the youngest of all.
    fn shared(&mut self, ids: &[Id], call: &Call, previous: Option<&Id>) -> (Vec<Id>, Vec<Id>) {
        let Some(rule) = self.rules.shared_devices else { return (Vec::new(), Vec::new()) };
        let is_counted = |id: &&Id| {
            let is_unasked = call.proof == Proof::Unasked;
            id.0 == 'u'
                && previous != Some(*id)
                && (is_unasked || self.verifies(id, call, previous))
        };
        let users: Vec<Id> = ids.iter().filter(is_counted).cloned().collect();
        let (mut shared, mut moved) = (Vec::new(), Vec::new());
        for id in ids.iter().filter(|(letter, _)| *letter == 'a') {
            let people = self.people.entry(id.clone()).or_default();
            people.extend(users.iter().cloned());
            if people.len() < rule.people as usize {
                continue;
            }
            shared.push(id.clone());
            let holder = self.holder(id).filter(|holder| self.profiles[*holder].ids.len() > 1);
            if let Some(from) = holder.filter(|from| self.may_take(id, *from, call, previous)) {
                self.take(id, from);
                self.profiles.push(Profile { ids: vec![(id.clone(), call.time)], merges: 0 });
                moved.push(id.clone());
            }
        }
        (shared, moved)
    }

    /// Moves devices that were left out to the person whom the event names.
    fn link(
        &mut self,
        devices: &[Id],
        target: usize,
        call: &Call,
        previous: Option<&Id>,
        verdicts: &mut Vec<(&'static str, Id)>,
    ) -> Vec<Id> {
        let mut moved = Vec::new();
        for id in devices {
            let holder = self.holder(id).filter(|holder| *holder != target);
            let Some(from) = holder.filter(|holder| self.is_somebody(*holder)) else { continue };
            if !self.may_take(id, from, call, previous) {
                continue;
            }
            let said = verdicts.iter().position(|(_, one)| one == id);
            let said = said.expect("it was left out");
            let (as_it_was, was_verified) =
                (self.profiles[from].ids.clone(), self.verified.contains(id));
            self.take(id, from);
            let of_target = self.profiles[target].ids[0].0.clone();
            let limit = self.violation(&[of_target, id.clone()], call.time).or_else(|| {
                let is_full = self.profiles[target].ids.len() >= self.rules.caps.mappings as usize;
                is_full.then_some("Identifier mapping limit exceeded")
            });
            if let Some(limit) = limit {
                verdicts[said].0 = limit;
                self.profiles[from].ids = as_it_was;
                self.verified.extend(was_verified.then(|| id.clone()));
                continue;
            }
            verdicts.remove(said);
            self.profiles[target].ids.push((id.clone(), call.time));
            moved.push(id.clone());
        }
        moved
    }

    /// Makes one profile of all that the identifiers match, up to the cap. Gives how many merges that is.
    fn merge(&mut self, ids: &[Id], verdicts: &mut Vec<(&'static str, Id)>) -> usize {
        let (mut merges, matched) = (0, self.matched(ids));
        if let Some((parent, others)) = matched.split_first() {
            for other in others {
                let by = ids.iter().find(|id| self.holder(id) == Some(*other)).expect("matched");
                let total = self.profiles[*parent].merges + self.profiles[*other].merges + 1;
                if total > self.rules.caps.merges {
                    verdicts.push(("Profile merge limit exceeded", by.clone()));
                    continue;
                }
                let moved = std::mem::take(&mut self.profiles[*other]);
                self.profiles[*parent].ids.extend(moved.ids);
                self.profiles[*parent].merges = total;
                merges += 1;
            }
        }
        merges
    }

    pub(crate) fn resolve(&mut self, call: &Call) -> Option<Answer> {
        let found = self.identifiers(call);
        let previous = found.iter().find(|(is_previous, _)| *is_previous).map(|(_, id)| id.clone());
        let found: Vec<Id> = found.into_iter().map(|(_, id)| id).collect();
        let (mut ids, doubted) = self.believed(found.clone(), call);
        let (mut shared, alone) = self.shared(&ids, call, previous.as_ref());
        if ids.iter().all(|id| shared.contains(id)) {
            shared.retain(|id| *id != ids[0]);
        }
        ids.retain(|id| !shared.contains(id));
        let said = |text: &'static str, ids: &[Id]| -> Vec<(&'static str, Id)> {
            ids.iter().map(|id| (text, id.clone())).collect()
        };
        let mut verdicts = said("Shared device", &shared);
        verdicts.extend(said("Identifier not verified", &doubted));
        let mut demoted = Vec::new();
        while let Some(verdict) = self.violation(&ids, call.time) {
            if ids.len() == 1 {
                break;
            }
            let id = ids.pop().expect("more than one");
            verdicts.push((verdict, id.clone()));
            demoted.insert(0, id);
        }
        if ids.is_empty() {
            return None;
        }
        let merges = self.merge(&ids, &mut verdicts);
        let target = ids.iter().find_map(|id| self.holder(id)).unwrap_or_else(|| {
            let place = self.profiles.len() - alone.len();
            self.profiles.insert(place, Profile::default());
            place
        });
        for id in &ids {
            if self.holder(id).is_some() {
                continue;
            }
            if self.profiles[target].ids.len() >= self.rules.caps.mappings as usize {
                verdicts.push(("Identifier mapping limit exceeded", id.clone()));
            } else {
                self.profiles[target].ids.push((id.clone(), call.time));
            }
        }
        let anchor =
            ids.iter().find(|id| self.holder(id).is_some()).expect("one is mapped").clone();
        assert_eq!(self.holder(&anchor), Some(target), "the event is with its anchor");
        let mut moved = Vec::new();
        let names_somebody = found[0].0 != 'a' && self.is_somebody(target);
        if self.rules.strategy == Strategy::Link && names_somebody {
            let devices: Vec<Id> =
                demoted.into_iter().chain(doubted).filter(|id| id.0 == 'a').collect();
            moved = self.link(&devices, target, call, previous.as_ref(), &mut verdicts);
        }
        let is_kept =
            |id: &&Id| ids.contains(id) && self.holder(id).is_some() || moved.contains(id);
        let kept: Vec<&Id> = found.iter().filter(is_kept).collect();
        for id in &kept {
            let is_verified = self.verifies(id, call, previous.as_ref());
            if is_verified && self.holder(id) == Some(target) {
                self.verified.insert((*id).clone());
            }
        }
        Some(Answer {
            profile: values(&self.profiles[target]),
            anchor: anchor.1,
            kept: kept.iter().map(|id| id.1.clone()).collect(),
            verdicts: verdicts.iter().map(|(said, id)| format!("{said}: {}", id.1)).collect(),
            merges,
            moved: moved.iter().chain(&alone).map(|id| id.1.clone()).collect(),
            everybody: self.everybody(),
            verified: self.verified.iter().map(named).collect(),
        })
    }
}

fn values(profile: &Profile) -> Vec<String> {
    let mut values: Vec<String> = profile.ids.iter().map(|(id, _)| named(id)).collect();
    values.sort();
    values
}

fn named((letter, value): &Id) -> String {
    format!("{letter}:{value}")
}

pub(crate) fn random_rules(chance: &mut Chance) -> RuleSet {
    let mut letters = LETTERS.to_vec();
    for index in (1..letters.len()).rev() {
        // Mostly the usual order, sometimes any.
        if chance.one_in(3) {
            letters.swap(index, usize::try_from(chance.below(4)).expect("small"));
        }
    }
    if chance.one_in(8) {
        letters.pop();
    }
    let windows = [
        Window::Ever,
        Window::Ever,
        Window::Daily,
        Window::Weekly,
        Window::Monthly,
        Window::Annually,
    ];
    let types = letters.iter().zip(1_u16..).map(|(letter, priority)| {
        let mut rule = TypeRule::new(name_of(*letter), priority);
        let count = u32::try_from(chance.pick(&[1, 1, 2, 3, 9])).expect("small");
        rule.limit = Limit { count, window: chance.pick(&windows) };
        rule.fold_case = Some(false);
        if chance.one_in(6) {
            rule.blocked.exact.push(format!("{letter}{}", 1 + chance.below(3)));
        }
        rule
    });
    let types = types.collect();
    let regex = if chance.one_in(20) { vec!["3$".to_owned()] } else { Vec::new() };
    let mut rules = RuleSet {
        types,
        blocked: Blocked { exact: vec!["void".to_owned()], regex },
        options: Options { alias: !chance.one_in(8), ..Options::default() },
        ..RuleSet::default()
    };
    rules.blocked.regex.push("^[0-]*$".to_owned());
    assert_eq!(rules.options.properties_email, EventNames::All(false));
    if chance.one_in(3) {
        rules.caps.merges = u32::try_from(chance.below(3)).expect("small");
    }
    if chance.one_in(3) {
        rules.caps.mappings = u32::try_from(1 + chance.below(4)).expect("small");
    }
    rules.strategy = match chance.below(6) {
        0 => Strategy::Isolate,
        1 | 2 => Strategy::Link,
        _ => Strategy::Merge,
    };
    if chance.one_in(5) {
        let people = u32::try_from(2 + chance.below(2)).expect("small");
        rules.shared_devices = Some(SharedDevices { people });
    }
    rules
}

pub(crate) fn random_call(chance: &mut Chance, now: &mut i64, is_guarded: bool) -> Call {
    let steps = [0, DAY / 2, DAY, 7 * DAY, 20 * DAY, -DAY / 2, -6 * DAY, -7 * DAY, -100 * DAY];
    *now += chance.pick(&steps);
    let count = 1 + chance.below(4);
    let mut ids: Vec<Id> = (0..count)
        .map(|_| {
            let letter = chance.pick(&LETTERS);
            let value = match chance.below(16) {
                0 => "00-0".to_owned(),
                1 => "void".to_owned(),
                _ => format!("{letter}{}", 1 + chance.below(3)),
            };
            (letter, value)
        })
        .collect();
    let mut previous = None;
    if chance.one_in(8) {
        if !ids.iter().any(|(letter, _)| *letter == 'u') {
            ids.push(('u', format!("u{}", 1 + chance.below(3))));
        }
        previous = Some(format!("{}{}", chance.pick(&['a', 'u', 'u']), 1 + chance.below(3)));
    }
    let required = chance.one_in(2);
    let proof = match chance.below(4) {
        _ if !is_guarded => Proof::Unasked,
        0 => Proof::Secret,
        1 => Proof::Token { required },
        _ => Proof::Nothing { required },
    };
    Call { ids, previous, time: *now, proof }
}

/// The event that a call is. First values of the ids that have a key of their own stand there, all
/// others in `context.externalIds`.
pub(crate) fn real(world: &mut World, call: &Call) -> Outcome {
    let first = |letter: char| {
        let id = call.ids.iter().find(|(one, _)| *one == letter);
        id.map(|(_, value)| value.as_str().into())
    };
    let (user_id, anonymous_id) = (first('u'), first('a'));
    let external: Vec<String> = call
        .ids
        .iter()
        .map(|(letter, id)| {
            let kind = name_of(*letter);
            format!(r#"{{"id":"{id}","type":"{kind}","collection":"users","encoding":"none"}}"#)
        })
        .collect();
    let context = format!(r#"{{"externalIds":[{}]}}"#, external.join(","));
    let base = Raw::trusted(r#"{"type":"identify","userId":"x"}"#);
    let event = Event {
        kind: if call.previous.is_some() { EventType::Alias } else { EventType::Identify },
        user_id,
        anonymous_id,
        previous_id: call.previous.as_deref().map(Into::into),
        context: Context { own: Some(Raw::trusted(&context)), shared: None },
        ..Event::read(base, &Shared::default()).expect("accepted")
    };
    let mut claims = extract(&event, &world.rules, &Keys { hasher: &world.hasher, space: 1 });
    claims.trust = call.proof.trust(&claims);
    world.now = Time::from_micros(call.time);
    world.claims(&claims)
}

pub(crate) fn answer(world: &World, outcome: &Outcome, call: &Call) -> Option<Answer> {
    let user = outcome.user.as_ref()?;
    let named = |key: [u8; 16]| {
        let ids = call.ids.iter().cloned();
        let previous = call.previous.iter().flat_map(|id| [('a', id.clone()), ('u', id.clone())]);
        let found = ids.chain(previous).find(|(letter, value)| {
            let (users, kind) = (crate::world::collection("u"), name_of(*letter));
            world.hasher.identifier(1, users, kind, value).0 == key
        });
        found.expect("an identifier of the event").1
    };
    let named_member = |member: &selfsame_identity::Member| {
        let letter = LETTERS
            .into_iter()
            .find(|letter| Some(name_of(*letter)) == world.rules.name(member.number));
        format!("{}:{}", letter.expect("a listed type"), member.value)
    };
    let profile = |row: &selfsame_identity::ComponentRow| {
        let mut values: Vec<String> = row.members.iter().map(named_member).collect();
        values.sort();
        values
    };
    let violations = user.violations.iter();
    let roots = world.rows.components.values().filter(|row| row.parent.is_none());
    let kept = user.identifiers.iter().filter(|seen| seen.fate == Fate::Kept);
    Some(Answer {
        profile: profile(&world.rows.components[&user.component]),
        anchor: named(user.anchor.0),
        kept: kept.map(|seen| named(seen.key.0)).collect(),
        verdicts: violations
            .map(|one| format!("{}: {}", one.verdict.name(), named(one.key.0)))
            .collect(),
        merges: user.merges.len(),
        moved: user.moved.iter().map(|one| named(one.key.0)).collect(),
        everybody: roots.clone().map(|row| profile(row)).collect(),
        verified: roots
            .flat_map(|row| &row.members)
            .inspect(|member| {
                let row = world.rows.identifiers[&member.key];
                assert_eq!((member.verified, member.anchored), (row.verified, row.anchored));
            })
            .filter(|member| member.verified)
            .map(named_member)
            .collect(),
    })
}

/// Where sections are: under which profile id each identifier has its events.
#[derive(Default)]
struct Places(BTreeMap<IdentifierKey, ProfileId>);

impl Places {
    /// Follows an event, and checks that every section is where readers look for it.
    fn follow(&mut self, world: &World, event: &Resolution) {
        for one in &event.relocated {
            assert_eq!(self.0.insert(one.key, one.to), Some(one.from), "it was there");
        }
        if event.opens_section {
            self.0.insert(event.anchor, event.profile);
        }
        let roots = world.rows.components.values().filter(|row| row.parent.is_none());
        for row in roots {
            let anchors = row.members.iter().filter(|member| member.anchored);
            for key in anchors.map(|member| &member.key) {
                assert_eq!(self.0.get(key).copied(), row.profile(), "{key:?} of {event:?}");
            }
        }
    }
}

/// Compares the two on 25,000 histories.
fn compare(seed: u64) {
    let mut chance = Chance(seed);
    let (mut merges, mut verdicts, mut doubts, mut moves) = (0, 0, 0, 0);
    for _ in 0..500 {
        let rules = random_rules(&mut chance);
        let mut world = World::with(&rules);
        for history in 0..50 {
            world.rows = selfsame_identity::MemoryRows::default();
            let mut naive = Naive::new(&rules);
            let mut now = 1_700_000_000_000_000;
            let mut told = Vec::new();
            let mut places = Places::default();
            let is_guarded = chance.one_in(2);
            // A device moves once it is somebody's.
            let may_move = rules.strategy == Strategy::Link || rules.shared_devices.is_some();
            for _ in 0..2 + chance.below(if may_move { 14 } else { 6 }) {
                let call = random_call(&mut chance, &mut now, is_guarded);
                told.push((call.ids.clone(), call.previous.clone(), call.time, call.proof));
                let outcome = real(&mut world, &call);
                let ours = answer(&world, &outcome, &call);
                let theirs = naive.resolve(&call);
                outcome.user.iter().for_each(|user| places.follow(&world, user));
                assert_eq!(ours, theirs, "history {history}: {told:?} under {rules:#?}");
                merges += ours.as_ref().map_or(0, |answer| answer.merges);
                moves += ours.as_ref().map_or(0, |answer| answer.moved.len());
                let doubted = |verdict: &&String| verdict.contains("not verified");
                let told = ours.iter().flat_map(|answer| &answer.verdicts);
                doubts += told.filter(doubted).count();
                verdicts += ours.as_ref().map_or(0, |answer| answer.verdicts.len());
            }
        }
    }
    assert!(
        merges > 2_000 && verdicts > 30_000 && doubts > 5_000 && moves > 1_000,
        "{merges} merges, {verdicts} verdicts, {doubts} doubts, {moves} moves"
    );
}

#[test]
fn a_naive_resolver_agrees_on_the_first_25_000_histories() {
    compare(1);
}

#[test]
fn a_naive_resolver_agrees_on_the_second_25_000_histories() {
    compare(2);
}

#[test]
fn a_naive_resolver_agrees_on_the_third_25_000_histories() {
    compare(3);
}

#[test]
fn a_naive_resolver_agrees_on_the_fourth_25_000_histories() {
    compare(4);
}
