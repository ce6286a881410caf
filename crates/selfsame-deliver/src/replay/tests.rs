use super::*;

fn at(offset: u64) -> ItemPosition {
    selfsame_event::Position::embedded(offset).item(3)
}

#[test]
fn a_replay_is_read_as_it_was_written() {
    let wish = ReplayWish {
        from: at(17),
        to: at(1_000_000),
        since: Time::from_millis(1),
        until: Time::from_millis(2),
        matching: r#"event = "Bought""#.into(),
        rate: Some(10),
    };
    let replay = Replay {
        connection: ConnectionId([7; 16]),
        number: 3,
        wish,
        begun: Time::from_millis(3),
        is_cancelled: true,
    };
    let mut out = Writer::default();
    replay.write(&mut out);
    let bytes = out.finish();
    assert_eq!(Replay::read(&mut Reader::new(&bytes)), Ok(replay.clone()));
    for cut in 0..bytes.len() {
        assert_eq!(Replay::read(&mut Reader::new(&bytes[..cut])), Err(WireError), "cut at {cut}");
    }
    let next = Replay { number: 4, ..replay.clone() };
    assert_ne!(next.id(), replay.id());
    assert_ne!(replay.id(), replay.connection);
}
