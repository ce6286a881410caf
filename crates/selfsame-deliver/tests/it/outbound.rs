use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use selfsame_deliver::{
    ANSWER_BYTES, Failure, Outbound, Request, Resolver, Resolving, SystemResolver, UrlError,
};
use selfsame_event::Time;

use crate::receiver::{Receiver, answer};
use crate::world::outbound;

fn request(outbound: &Outbound, url: &str, allow_loopback: bool) -> Request {
    let url = outbound.check(url, allow_loopback).expect("a URL that may be asked");
    let timeout = Duration::from_secs(10);
    Request {
        url,
        headers: Default::default(),
        body: Bytes::from_static(b"{}"),
        timeout,
        allow_loopback,
    }
}

const LOOPBACK: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
const PUBLIC: IpAddr = IpAddr::V4(Ipv4Addr::new(93, 184, 216, 34));
const METADATA: IpAddr = IpAddr::V4(Ipv4Addr::new(169, 254, 169, 254));

/// Gives the first answer to the first question, the second to all later ones.
#[derive(Debug)]
struct Rebinding {
    first: Vec<IpAddr>,
    then: Vec<IpAddr>,
    asked: AtomicUsize,
}

impl Rebinding {
    fn new(first: &[IpAddr], then: &[IpAddr]) -> Arc<Self> {
        let asked = AtomicUsize::new(0);
        Arc::new(Self { first: first.to_vec(), then: then.to_vec(), asked })
    }
}

impl Resolver for Rebinding {
    fn resolve<'a>(&'a self, _: &'a str) -> Resolving<'a> {
        let is_first = self.asked.fetch_add(1, Ordering::Relaxed) == 0;
        let found = if is_first { self.first.clone() } else { self.then.clone() };
        Box::pin(std::future::ready(Ok(found)))
    }
}

#[tokio::test]
async fn a_name_that_turns_inward_after_it_was_checked_is_not_followed() {
    let receiver = Receiver::start(|_| Some(answer(200, "secret"))).await;
    let url = format!("http://rebind.test:{}/", receiver.address.port());
    let outbound = outbound(Rebinding::new(&[PUBLIC], &[LOOPBACK, METADATA]));
    outbound.check_host(&url, false).await.expect("public at first");
    let answer = outbound.post(request(&outbound, &url, false), Time::EPOCH).await;
    assert_eq!(answer.map(drop), Err(Failure::Blocked));
    assert!(receiver.got().is_empty());
}

#[tokio::test]
async fn of_several_addresses_only_those_allowed_are_dialled() {
    let receiver = Receiver::start(|_| Some(answer(200, ""))).await;
    let url = format!("http://mixed.test:{}/", receiver.address.port());
    let both = Rebinding::new(&[METADATA, LOOPBACK], &[METADATA, LOOPBACK]);
    let outbound = outbound(both);
    let answer = outbound.post(request(&outbound, &url, true), Time::EPOCH).await;
    assert_eq!(answer.map(|answer| answer.status), Ok(200));
    assert_eq!(receiver.got().len(), 1);
}

#[tokio::test]
async fn a_host_is_checked_when_it_is_saved() {
    let check = async |found: &[IpAddr]| {
        let outbound = outbound(Rebinding::new(found, found));
        outbound.check_host("https://hook.test/", false).await.map(drop)
    };
    assert_eq!(check(&[PUBLIC]).await, Ok(()));
    assert_eq!(check(&[METADATA]).await, Err(UrlError::Host));
    assert_eq!(check(&[]).await, Err(UrlError::Unknown));
}

#[derive(Debug)]
struct NoSuchName;

impl Resolver for NoSuchName {
    fn resolve<'a>(&'a self, _: &'a str) -> Resolving<'a> {
        Box::pin(std::future::ready(Err(io::ErrorKind::NotFound.into())))
    }
}

#[tokio::test]
async fn a_name_without_address_fails_as_such() {
    let outbound = outbound(Arc::new(NoSuchName));
    let request = request(&outbound, "http://nowhere.test/", false);
    assert_eq!(outbound.post(request, Time::EPOCH).await.map(drop), Err(Failure::Resolve));
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let target = Receiver::start(|_| Some(answer(200, ""))).await;
    let to = target.url();
    let receiver = Receiver::start(move |_| {
        Some(format!("HTTP/1.1 307 X\r\nlocation: {to}\r\ncontent-length: 0\r\n\r\n"))
    })
    .await;
    let outbound = outbound(Arc::new(SystemResolver));
    let request = request(&outbound, &receiver.url(), true);
    let answer = outbound.post(request, Time::EPOCH).await.expect("an answer");
    assert_eq!(answer.status, 307);
    assert!(target.got().is_empty());
}

#[tokio::test]
async fn of_a_long_answer_the_beginning_is_read() {
    let receiver = Receiver::start(|_| Some(answer(500, &"x".repeat(300_000)))).await;
    let outbound = outbound(Arc::new(SystemResolver));
    let request = request(&outbound, &receiver.url(), true);
    let answer = outbound.post(request, Time::EPOCH).await.expect("an answer");
    assert_eq!((answer.status, answer.body.len()), (500, ANSWER_BYTES));
}

#[tokio::test]
async fn a_receiver_that_does_not_answer_costs_the_timeout_and_no_more() {
    let silent = Receiver::start(|_| None).await;
    let stalling =
        Receiver::start(|_| Some("HTTP/1.1 200 X\r\ncontent-length: 10\r\n\r\nx".to_owned())).await;
    let outbound = outbound(Arc::new(SystemResolver));
    let short = |receiver: &Receiver| {
        let timeout = Duration::from_millis(500);
        Request { timeout, ..request(&outbound, &receiver.url(), true) }
    };
    let answer = outbound.post(short(&silent), Time::EPOCH).await;
    assert_eq!(answer.map(drop), Err(Failure::Timeout));
    let answer = outbound.post(short(&stalling), Time::EPOCH).await.expect("its status came");
    assert_eq!((answer.status, &answer.body[..]), (200, &b"x"[..]));
}

#[tokio::test]
async fn what_is_not_http_is_an_error_of_the_protocol() {
    let receiver = Receiver::start(|_| Some("SSH-2.0-x\r\n\r\n".to_owned())).await;
    let outbound = outbound(Arc::new(SystemResolver));
    let asked = request(&outbound, &receiver.url(), true);
    assert_eq!(outbound.post(asked, Time::EPOCH).await.map(drop), Err(Failure::Protocol));
}
