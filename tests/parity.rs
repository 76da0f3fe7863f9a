//! What the documents for those who come from shell zrep name as proof is there: a case of the laboratory, or a test.

use std::fs;
use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn read(document: &str) -> String {
    fs::read_to_string(root().join(document)).unwrap()
}

fn hazards() -> String {
    let page = read("docs/migrating-from-shell-zrep.md");
    let (_, behind) = page.split_once("\n## Known hazards\n").unwrap();
    behind.split("\n## ").next().unwrap().to_owned()
}

/// The cells of all rows of a text's tables, without those that head a table.
fn rows(text: &str) -> Vec<Vec<String>> {
    let lines: Vec<&str> = text.lines().collect();
    let is_rule = |line: &str| line.starts_with("|---");
    let is_head = |index: usize| lines.get(index + 1).is_some_and(|next| is_rule(next));
    let is_row = |index: &usize| lines[*index].starts_with('|') && !is_rule(lines[*index]) && !is_head(*index);
    (0..lines.len())
        .filter(is_row)
        .map(|index| {
            lines[index]
                .trim_matches('|')
                .split(" | ")
                .map(|cell| cell.trim().to_owned())
                .collect()
        })
        .collect()
}

/// Whatever stands in backticks and is a path: `area::rule`, `module::tests::name`.
fn proofs(text: &str) -> Vec<&str> {
    let is_word = |word: &str| {
        !word.is_empty()
            && word
                .chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
    };
    let quoted = text.split('`').skip(1).step_by(2);
    quoted
        .filter(|text| text.contains("::") && text.split("::").all(is_word))
        .collect()
}

/// Where the test of a path may stand.
fn files(path: &str) -> Vec<PathBuf> {
    let (place, _) = path.rsplit_once("::").unwrap();
    let place = place.replace("::", "/");
    let (sources, module) = match place.strip_prefix("zfs_ffi/") {
        Some(rest) => ("zfs-ffi/src", rest.to_owned()),
        None => ("zrep", place.clone()),
    };
    let found = match module.strip_suffix("/tests") {
        Some(module) => vec![
            format!("{sources}/{module}.rs"),
            format!("{sources}/{module}/mod.rs"),
            format!("{sources}/{module}/tests.rs"),
        ],
        None => vec![format!("tests/{place}.rs"), format!("tests/{place}/main.rs")],
    };
    found.into_iter().map(|file| root().join(file)).collect()
}

fn is_test(path: &str) -> bool {
    let (_, name) = path.rsplit_once("::").unwrap();
    let test = format!("#[test]\nfn {name}()");
    let has_it = |text: String| {
        let text: Vec<&str> = text.lines().map(str::trim).collect();
        text.join("\n").contains(&test)
    };
    files(path)
        .into_iter()
        .filter_map(|file| fs::read_to_string(file).ok())
        .any(has_it)
}

fn is_case(path: &str) -> bool {
    let file = format!("vm-tests/src/cases/{}.rs", path.replace("::", "/"));
    path.matches("::").count() == 1 && root().join(file).exists()
}

fn assert_there(text: &str) {
    let missing: Vec<&str> = proofs(text)
        .into_iter()
        .filter(|path| !is_case(path) && !is_test(path))
        .collect();
    assert!(missing.is_empty(), "neither a case nor a test: {missing:#?}");
}

#[test]
fn every_proof_is_there() {
    assert_there(&read("docs/parity.md"));
    assert_there(&hazards());
}

#[test]
fn what_is_not_there_is_found_out() {
    for wrong in [
        "sync::nothing_of_this_name",
        "plan::expire::tests::no_such_test",
        "no::such::place",
    ] {
        assert!(!is_case(wrong) && !is_test(wrong), "{wrong}");
    }
    assert_eq!(
        proofs("| `a` | `b::c`, `D::e` and `zrep:x` | `f::g::h` [1] |"),
        ["b::c", "f::g::h"]
    );
}

#[test]
fn every_row_has_a_proof_and_no_cell_is_empty() {
    let page = read("docs/parity.md");
    let (features, verbs) = page.split_once("\n## Verbs\n").unwrap();
    for (text, width, least) in [(features, 3, 60), (verbs, 5, 25), (&hazards(), 4, 30)] {
        let rows = rows(text);
        assert!(rows.len() >= least, "only {} rows", rows.len());
        for row in rows {
            assert!(row.len() == width && row.iter().all(|cell| !cell.is_empty()), "{row:?}");
            assert!(!proofs(&row[width - 1]).is_empty(), "{row:?}");
        }
    }
}

#[test]
fn every_combination_of_a_verb_has_a_proof() {
    let page = read("docs/parity.md");
    let (_, verbs) = page.split_once("\n## Verbs\n").unwrap();
    for row in rows(verbs) {
        assert!(row[1..].iter().all(|cell| proofs(cell).len() == 1), "{row:?}");
        let is_told = |cell: &String| !cell.starts_with('—') || cell.contains('[');
        assert!(row[1..].iter().all(is_told), "a gap without a note: {row:?}");
    }
}

#[test]
fn every_note_is_written_out_and_used() {
    let page = read("docs/parity.md");
    for note in 1..10 {
        let mark = format!("[{note}]");
        let is_written = page.lines().any(|line| line.starts_with(&mark));
        let is_used = page.lines().any(|line| line.starts_with('|') && line.contains(&mark));
        assert_eq!(is_written, is_used, "{mark}");
    }
}
