use super::{Family, Fault, FaultKind};

fn family(name: &str) -> (FaultKind, Family) {
    let fault = Fault::thrown(name.to_owned(), "m".to_owned(), "");
    (fault.kind, fault.kind.family())
}

#[test]
fn errors_go_by_their_names() {
    assert_eq!(family("EventNotSupported"), (FaultKind::Unsupported, Family::Filtered));
    assert_eq!(family("DropEvent"), (FaultKind::Dropped, Family::Filtered));
    assert_eq!(family("InvalidEventPayload"), (FaultKind::InvalidPayload, Family::Refused));
    assert_eq!(family("ValidationError"), (FaultKind::Validation, Family::Refused));
    assert_eq!(family("RetryError"), (FaultKind::Retry, Family::Retry));
    assert_eq!(family("TypeError"), (FaultKind::Failed, Family::Refused));
}

#[test]
fn what_is_tried_again_is_what_the_classes_say() {
    for kind in FaultKind::ALL {
        let retried = kind.family() == Family::Retry;
        // Limits that the same event would meet again are no reason to try again.
        let own = matches!(
            kind,
            FaultKind::Processor
                | FaultKind::Memory
                | FaultKind::Output
                | FaultKind::GivenUp
                | FaultKind::LockedOut
        );
        assert_eq!(kind.class().is_retryable(), retried || own, "{}", kind.label());
    }
}

#[test]
fn what_is_missing_is_said_with_what_to_do() {
    let fault = Fault::thrown("ReferenceError".to_owned(), "moment is not defined".to_owned(), "");
    assert!(fault.message.contains("ISO 8601"), "{}", fault.message);
    let fault = Fault::thrown("ReferenceError".to_owned(), "total is not defined".to_owned(), "");
    assert_eq!(fault.message, "total is not defined");
}

#[test]
fn a_stack_has_the_lines_of_the_function_alone_and_a_bound() {
    let stack = "    at onTrack (function.js:3:9)\n    at run (prelude.js:10:2)\n";
    let fault = Fault::thrown("Error".to_owned(), "x".repeat(10_000), stack);
    assert_eq!(fault.stack, "    at onTrack (function.js:3:9)");
    assert!(fault.message.len() < 5_000);
}
