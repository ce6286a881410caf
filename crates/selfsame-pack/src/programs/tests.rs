use super::*;

/// Only what this call did ends its event for good.
#[test]
fn what_other_calls_did_is_no_fault_of_the_event() {
    let of = |kind: FaultKind| {
        let (name, message, stack) = (kind.label().to_owned(), String::new(), String::new());
        stopped(&Fault { kind, name, message, stack })
    };
    for kind in [FaultKind::Busy, FaultKind::Stopping] {
        assert_eq!(of(kind), Stopped::Postponed);
    }
    for kind in [FaultKind::Crashed, FaultKind::LockedOut, FaultKind::Timeout] {
        assert!(matches!(of(kind), Stopped::Later(_)), "{kind:?}");
    }
    for kind in [FaultKind::Processor, FaultKind::Memory, FaultKind::GivenUp, FaultKind::Failed] {
        assert!(matches!(of(kind), Stopped::Refused(_)), "{kind:?}");
    }
}
