//! The documents name every function.

use std::path::Path;

use selfsame_mapping::functions;

#[test]
fn every_function_is_in_the_reference() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/expressions.md");
    let text = std::fs::read_to_string(path).expect("the reference");
    for function in functions() {
        let row = format!("| `{}` | {} |", function.signature, function.about);
        assert!(text.contains(&row), "this row is not in docs/reference/expressions.md:\n{row}");
    }
    let rows = text.lines().filter(|line| line.starts_with("| `") && line.contains("(")).count();
    assert!(rows >= functions().len(), "{rows} rows");
}
