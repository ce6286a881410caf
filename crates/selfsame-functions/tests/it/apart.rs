//! A process for functions that does not do what it should. (One that does is part of the server's tests.)

use std::process::{Command, Stdio};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use selfsame_functions::{Apart, Call, FaultKind, Instance, Kind, Report};

use crate::world::{Network, event, instance, report};

/// A process that runs this line of shell.
fn process(line: &'static str) -> Apart {
    let launch = move || {
        let mut command = Command::new("/bin/sh");
        command.args(["-c", line]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()
    };
    Apart::start(Box::new(launch), Arc::new(Network::default())).expect("a process")
}

fn begin(apart: &Apart, instance: &Instance) -> mpsc::Receiver<Report> {
    let (tell, told) = mpsc::sync_channel(1);
    let input = event(r#"{"type":"track"}"#);
    let call = Call { instance: instance.clone(), input, measure: false, fetch: None };
    apart.call(call, move |report| drop(tell.send(report)));
    told
}

fn kind(told: &mpsc::Receiver<Report>) -> Option<FaultKind> {
    report(told).result.err().map(|fault| fault.kind)
}

fn code(text: &str) -> Instance {
    instance("own", Kind::Destination, text)
}

#[test]
fn who_waits_when_it_is_stopped_is_told() {
    let apart = process("cat > /dev/null");
    let told: Vec<_> = (0..5).map(|_| begin(&apart, &code("function onTrack() {}"))).collect();
    assert!(told[0].recv_timeout(Duration::from_millis(50)).is_err(), "nobody answers");
    apart.stop();
    assert!(told.iter().all(|told| kind(told) == Some(FaultKind::Stopping)));
    assert_eq!(kind(&begin(&apart, &code("function onTrack() {}"))), Some(FaultKind::Busy));
}

#[test]
fn code_that_was_under_way_at_three_ends_is_not_run_again() {
    // It ends as soon as something is said to it.
    let apart = process("head -c 1 > /dev/null");
    let bad = code("function onTrack() { /* bad */ }");
    let (mut crashed, mut last) = (0, None);
    while last != Some(FaultKind::LockedOut) && crashed < 10 {
        last = kind(&begin(&apart, &bad));
        crashed += u32::from(last == Some(FaultKind::Crashed));
        assert!(
            matches!(last, Some(FaultKind::Crashed | FaultKind::Busy | FaultKind::LockedOut)),
            "{last:?}"
        );
    }
    assert_eq!(crashed, 3);
    // Other code is not suspected.
    let other = code("function onTrack() { /* other */ }");
    assert!(matches!(kind(&begin(&apart, &other)), Some(FaultKind::Crashed | FaultKind::Busy)));
}

/// What is no frame ends the process, and nobody waits for it.
#[test]
fn noise_is_no_answer() {
    let apart = process("printf 'noise and more noise'; cat > /dev/null");
    let told = begin(&apart, &code("function onTrack() {}"));
    assert!(matches!(kind(&told), Some(FaultKind::Crashed | FaultKind::Busy)));
}
