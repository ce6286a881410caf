use super::line_of;

const TEXT: &str = "\
# what it is
id: slack
settings:
  key: {type: string}

actions:
  send:
    let:
      a: =1
    steps:
      - id: first
        request:
          url: https://example.com
      - when: =a
        id: second
        request: {url: no}
presets:
- name: one
  trigger: type
- name: two
  trigger: type
\"a/b\": 1
";

#[test]
fn a_place_leads_to_its_line() {
    for (pointer, line) in [
        ("", 1),
        ("/id", 2),
        ("/settings", 3),
        ("/settings/key", 4),
        ("/settings/key/type", 4),
        ("/actions/send/let/a", 9),
        ("/actions/send/steps/0/id", 11),
        ("/actions/send/steps/0/request/url", 13),
        ("/actions/send/steps/1", 14),
        ("/actions/send/steps/1/id", 15),
        ("/actions/send/steps/1/request/url", 16),
        ("/actions/send/missing", 7),
        ("/presets/1/trigger", 21),
        ("/a~1b", 22),
    ] {
        assert_eq!(line_of(TEXT, pointer), line, "{pointer}");
    }
}
