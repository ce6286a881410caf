//! Pages: what is routed, counted and passed, against a feed that says every name.

use std::collections::BTreeSet;

use bytes::Bytes;
use selfsame_event::{EventType, Position, ProfileId, Time};
use tokio::sync::watch;

use super::*;
use crate::connection::Secret;
use crate::feed::{FeedEnd, FeedPage};
use crate::lag::{Measured, Question};
use crate::outcome::Failure;
use crate::tool::{Interest, Letter, Spoken, Tool};

/// Events in a row; the name of each is its number, modulo ten.
#[derive(Debug)]
struct Numbered {
    end: watch::Sender<FeedEnd>,
    reads: Mutex<usize>,
    bodies: Mutex<usize>,
}

fn place(number: u64) -> ItemPosition {
    Position::embedded(number).item(0)
}

fn effect(number: u64) -> Effect {
    Effect {
        at: place(number),
        id: [0; 16],
        profile: ProfileId::from_bytes([1; 20]),
        kind: EventType::Track.into(),
        subject: None,
        log_time: Time::EPOCH,
    }
}

impl Numbered {
    fn with(events: u64) -> Arc<Self> {
        let end = watch::Sender::new(FeedEnd { at: place(events), effects: events });
        Arc::new(Self { end, reads: Mutex::default(), bodies: Mutex::default() })
    }

    fn grow(&self, events: u64) {
        self.end.send_replace(FeedEnd { at: place(events), effects: events });
    }
}

impl Feed for Numbered {
    fn read(&self, from: ItemPosition, max: usize) -> Result<FeedPage, FeedError> {
        *lock(&self.reads) += 1;
        let (from, end) = (from.record.offset, self.end.borrow().at.record.offset);
        let to = end.min(from + max as u64);
        Ok(FeedPage { effects: (from..to).map(effect).collect(), next: place(to) })
    }

    fn body(&self, effect: &Effect) -> Result<Bytes, BodyError> {
        *lock(&self.bodies) += 1;
        match effect.at.record.offset {
            13 => Err(BodyError::Erased),
            number => Ok(format!("{{\"n\":{number}}}").into()),
        }
    }

    fn names(
        &self,
        events: &[Effect],
        say: &mut dyn FnMut(usize, Name<'_>),
    ) -> Result<(), FeedError> {
        for (number, event) in events.iter().enumerate() {
            let name = (event.at.record.offset % 10).to_string();
            if event.at.record.offset != 13 {
                say(number, Name::Is(&name));
            }
        }
        Ok(())
    }

    fn unsent(&self, cursor: ItemPosition) -> ItemPosition {
        cursor
    }

    fn matches(&self, effects: &[Effect], _: &str) -> Result<Vec<bool>, FeedError> {
        Ok(vec![true; effects.len()])
    }

    fn first(&self) -> ItemPosition {
        place(0)
    }

    fn measure(&self, _: Question) -> Result<Measured, FeedError> {
        Ok(Measured::default())
    }

    fn subscribe(&self) -> watch::Receiver<FeedEnd> {
        self.end.subscribe()
    }
}

/// A tool that wants some names.
#[derive(Debug)]
struct Wants(&'static [&'static str]);

impl Tool for Wants {
    fn open(self: Arc<Self>, _: &Bytes) -> Result<Box<dyn Letter>, Failure> {
        Err(Failure::Unmapped)
    }

    fn interests(&self) -> Vec<Interest> {
        let names: BTreeSet<String> = self.0.iter().map(|name| (*name).to_owned()).collect();
        vec![Interest {
            kinds: Some(BTreeSet::from([EventType::Track.into()])),
            names: Some(names),
        }]
    }
}

const ALL: ConnectionId = ConnectionId([1; 16]);
const SOME: ConnectionId = ConnectionId([2; 16]);
const NONE: ConnectionId = ConnectionId([3; 16]);

fn connections() -> Vec<Connection> {
    let with = |id, names: Option<&'static [&'static str]>| {
        let mut connection = Connection::new(id, "", Secret::from_bytes([0; 32]));
        connection.tool = names.map(|names| Spoken(Arc::new(Wants(names))));
        connection
    };
    vec![with(ALL, None), with(SOME, Some(&["3", "7"])), with(NONE, Some(&["another"]))]
}

fn pages(feed: &Arc<Numbered>) -> Arc<Pages> {
    let pages = Arc::new(Pages::new(Arc::clone(feed) as Arc<dyn Feed>));
    pages.route(&connections());
    pages
}

fn numbers(page: &Page, connection: ConnectionId) -> Vec<u64> {
    page.of(connection, 0, |_| false).into_iter().map(|(number, _)| number).collect()
}

#[tokio::test]
async fn a_page_gives_each_what_it_may_want() {
    let feed = Numbered::with(20);
    let pages = pages(&feed);
    let (page, _) = Arc::clone(&pages).load(place(0)).await.expect("read");
    assert_eq!((page.total, page.next), (20, place(20)));
    assert_eq!(numbers(&page, ALL), (0..20).collect::<Vec<_>>());
    // That of 13 is not known: whoever wants events of its type is given it.
    assert_eq!(numbers(&page, SOME), [3, 7, 13, 17]);
    assert_eq!(numbers(&page, NONE), [13]);
    assert_eq!(page.count(&Filter::ALL, 4, 7), 3);
    assert_eq!(page.count(&Filter::only([]), 4, 7), 0);
}

#[tokio::test]
async fn a_page_is_read_once_for_all() {
    let feed = Numbered::with(3_000);
    let pages = pages(&feed);
    let (page, _) = Arc::clone(&pages).load(place(0)).await.expect("read");
    assert_eq!(page.total, PAGE_EFFECTS as u64);
    let (again, number) = Arc::clone(&pages).load(place(7)).await.expect("read");
    assert_eq!((again.from, number), (place(0), 7), "it is in the page that is there");
    assert!(matches!(pages.next(SOME, place(3)), Next::Page(_, 3)));
    assert_eq!(*lock(&feed.reads), 1);
    assert!(matches!(pages.next(SOME, page.next), Next::Unread));
}

#[tokio::test]
async fn bodies_are_read_together_and_parsed_once() {
    let feed = Numbered::with(200);
    let pages = pages(&feed);
    Arc::clone(&pages).load(place(0)).await.expect("read");
    let body = pages.body(&effect(0)).await.expect("a body");
    let same = pages.body(&effect(0)).await.expect("a body");
    let parsed = body.value().expect("JSON");
    assert!(Arc::ptr_eq(&parsed, &same.value().expect("JSON")));
    pages.body(&effect(63)).await.expect("a body");
    assert_eq!(*lock(&feed.bodies), PART);
    // What has none is asked for alone, and says why.
    assert!(matches!(pages.body(&effect(13)).await, Err(BodyError::Erased)));
    // What no page has is read by itself.
    assert!(pages.body(&effect(5_000)).await.is_ok());
    assert_eq!(*lock(&feed.bodies), PART + 2);
}

#[tokio::test]
async fn of_many_who_need_the_same_bodies_one_reads_them() {
    let feed = Numbered::with(PAGE_EFFECTS as u64);
    let pages = pages(&feed);
    Arc::clone(&pages).load(place(0)).await.expect("read");
    let some: Vec<Effect> = (0..9).map(effect).collect();
    let mut asking = tokio::task::JoinSet::new();
    for _ in 0..50 {
        let (pages, some) = (Arc::clone(&pages), some.clone());
        asking.spawn(async move { pages.bodies(some.iter()).await });
    }
    for bodies in asking.join_all().await {
        assert!(bodies.len() == 9 && bodies.iter().all(Result::is_ok), "{bodies:?}");
    }
    assert_eq!(*lock(&feed.bodies), PART);
}

#[tokio::test]
async fn bodies_are_let_go_of_beyond_their_bound() {
    let feed = Numbered::with(PAGE_EFFECTS as u64);
    let pages = pages(&feed);
    let (page, _) = Arc::clone(&pages).load(place(0)).await.expect("read");
    pages.body(&effect(0)).await.expect("a body");
    pages.count(Arc::clone(&page), 1, BODY_BYTES);
    assert!(matches!(page.body(place(0)), Found::Unread(0)), "the oldest goes first");
    let inner = lock(&pages.inner);
    assert!(inner.body_bytes <= BODY_BYTES && inner.parts.len() == 1);
}

#[tokio::test]
async fn who_wants_nothing_of_what_came_passes_it_in_one_step() {
    let feed = Numbered::with(20);
    let pages = pages(&feed);
    let news = [ALL, SOME, NONE].map(|id| pages.news(id));
    let following = tokio::spawn(Arc::clone(&pages).follow(feed.subscribe()));
    tokio::task::yield_now().await;
    feed.grow(21);
    // The first of them says only where what is known begins.
    news[0].notified().await;
    for (events, is_wanted) in [(22, false), (23, false), (24, true), (25, false)] {
        feed.grow(events);
        news[0].notified().await;
        assert_eq!(matches!(pages.next(SOME, place(events - 1)), Next::Page(..)), is_wanted);
    }
    let Next::Quiet(quiet, to) = pages.next(NONE, place(21)) else { panic!("it wants none of it") };
    assert_eq!((quiet.count, to), (4, place(25)));
    assert_eq!((quiet.events(&Filter::ALL), quiet.events(&Filter::only([]))), (4, 0));
    assert!(matches!(pages.next(SOME, place(21)), Next::Page(..)), "one of them is for it");
    let Next::Quiet(quiet, to) = pages.next(SOME, place(24)) else { panic!("the last is not") };
    assert_eq!((quiet.count, to), (1, place(25)));
    // Nobody waits for long to say how far it is.
    news[2].notified().await;
    following.abort();
}

#[tokio::test]
async fn other_wishes_are_routed_anew() {
    let feed = Numbered::with(20);
    let pages = pages(&feed);
    Arc::clone(&pages).load(place(0)).await.expect("read");
    pages.route(&connections());
    assert!(matches!(pages.next(ALL, place(0)), Next::Page(..)), "they are the same");
    pages.route(&connections()[..2]);
    assert!(matches!(pages.next(ALL, place(0)), Next::Unread));
    let (page, _) = Arc::clone(&pages).load(place(0)).await.expect("read");
    assert_eq!(numbers(&page, NONE), Vec::<u64>::new());
}
