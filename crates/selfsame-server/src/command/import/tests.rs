use super::csv_rows::Rows;
use super::lines::Lines;

fn events(csv: &str, kind: Option<&str>) -> Vec<String> {
    let rows = Rows::new(csv.as_bytes(), kind).unwrap();
    rows.map(|row| {
        let row = row.unwrap();
        let text = String::from_utf8(row.bytes).unwrap();
        match row.fault {
            Some(fault) => format!("{}: {fault}", row.line),
            None => text,
        }
    })
    .collect()
}

#[test]
fn lines_are_numbered_and_long_ones_cut() {
    let text = format!("one\r\n\n{}\nlast", "x".repeat(70_000));
    let rows: Vec<_> = Lines::new(text.as_bytes()).map(Result::unwrap).collect();
    let shape: Vec<_> = rows.iter().map(|row| (row.number, row.bytes.len(), row.end)).collect();
    assert_eq!(shape, [(1, 4, 5), (2, 0, 6), (3, 32 * 1024 + 1, 70_007), (4, 4, 70_011)]);
}

#[test]
fn columns_of_an_identify_are_traits() {
    let csv = "user_id,email,traits.plan,context.app.name,age:number,vip:boolean\na,a@x.com,pro,Shop,41.50,yes\nb,,,,,\n";
    assert_eq!(
        events(csv, None),
        [
            r#"{"type":"identify","userId":"a","traits":{"email":"a@x.com","plan":"pro","age":41.50,"vip":true},"context":{"app":{"name":"Shop"}}}"#,
            r#"{"type":"identify","userId":"b"}"#,
        ]
    );
}

#[test]
fn a_column_event_makes_tracks_and_a_column_type_wins() {
    let csv = "userId,event,type,name,revenue:number\na,Bought,,hat,12\na,,page,Home,\n";
    assert_eq!(
        events(csv, None),
        [
            r#"{"type":"track","userId":"a","event":"Bought","properties":{"name":"hat","revenue":12}}"#,
            r#"{"type":"page","userId":"a","name":"Home"}"#,
        ]
    );
}

#[test]
fn a_bad_row_says_where_and_why() {
    let csv = "userId,note,age:number\n\"a\",\"two\nlines\",1\nb,x,old\nc,x,1,2\n";
    let events = events(csv, Some("identify"));
    assert_eq!(
        events[1..],
        ["4: column `age`: not a number", "5: the row has 4 cells, the header 3"]
    );
}

#[test]
fn a_header_without_ids_is_refused() {
    assert!(Rows::new("name,email\n".as_bytes(), None).is_err());
}
