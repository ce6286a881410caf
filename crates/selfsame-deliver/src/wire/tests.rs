use proptest::prelude::*;

use super::*;

proptest! {
    #[test]
    fn what_is_written_is_read(unsigned: u64, signed: i64, bytes: Vec<u8>, list: Vec<u64>) {
        let mut writer = Writer::default();
        writer.uint(unsigned);
        writer.int(signed);
        writer.bytes(&bytes);
        writer.list(&list, |writer, item| writer.uint(*item));
        let written = writer.finish();
        let mut reader = Reader::new(&written);
        prop_assert_eq!(reader.uint(), Ok(unsigned));
        prop_assert_eq!(reader.int(), Ok(signed));
        prop_assert_eq!(reader.bytes(), Ok(&bytes[..]));
        prop_assert_eq!(reader.list(Reader::uint), Ok(list));
        prop_assert!(reader.is_empty());
    }

    #[test]
    fn any_bytes_read_or_fail_without_panic(bytes: Vec<u8>) {
        let mut reader = Reader::new(&bytes);
        prop_assert!(reader.list(Reader::position).map_or(true, |list| list.len() <= bytes.len()));
    }
}

#[test]
fn a_number_over_64_bits_is_refused() {
    assert_eq!(Reader::new(&[0xff; 10]).uint(), Err(WireError));
    assert_eq!(Reader::new(&[0x80; 20]).uint(), Err(WireError));
    assert_eq!(Reader::new(&[]).uint(), Err(WireError));
}
