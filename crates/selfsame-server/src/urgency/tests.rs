use super::*;

/// The nice value is a thread's own: that of the one that started it stays.
#[cfg(target_os = "linux")]
#[test]
fn a_thread_yields_and_hands_it_on() {
    let nice = || rustix::process::getpriority_process(None).expect("readable");
    let before = nice();
    let wanted = before.max(0) + UPKEEP.min(19 - before.max(0));
    let (own, handed_on) = std::thread::spawn(move || {
        yield_by(wanted);
        (nice(), std::thread::spawn(nice).join().expect("no panic"))
    })
    .join()
    .expect("no panic");
    assert_eq!((own, handed_on, nice()), (wanted, wanted, before));
}
