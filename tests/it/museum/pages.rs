//! What the repository says, for exhibits that are texts: cases of the compiler, documentation.

use std::fs;
use std::path::Path;

pub(super) fn page(path: &str) -> String {
    let whole = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    fs::read_to_string(whole).unwrap_or_else(|error| panic!("{path}: {error}"))
}

/// Every source of that folder and those in it, by its path there.
pub(super) fn sources(folder: &str) -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let (mut sources, mut folders) = (Vec::new(), vec![root.clone()]);
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(&root).unwrap().display().to_string();
                sources.push((name, fs::read_to_string(&path).unwrap()));
            }
        }
    }
    sources
}

/// Text that is told with line breaks anywhere.
pub(super) fn assert_says(path: &str, words: &[&str]) {
    let said = page(path).split_whitespace().collect::<Vec<_>>().join(" ");
    for word in words {
        assert!(said.contains(word), "{path} does not say {word:?}");
    }
}

/// A case of `tests/ui` that must not compile, with what the compiler says.
pub(super) fn assert_refused(case: &str, code: &str, words: &[&str]) {
    assert!(page(&format!("tests/ui/{case}.rs")).contains(code), "{case}.rs has no {code:?}");
    let said = page(&format!("tests/ui/{case}.stderr"));
    for word in words {
        assert!(said.contains(word), "{case}.stderr does not say {word:?}");
    }
}

/// A case of `tests/ui/pass`, which compiles and runs, with the shapes that it is about.
pub(super) fn assert_compiles(case: &str, shapes: &[&str]) {
    let code = page(&format!("tests/ui/pass/{case}.rs")).split_whitespace().collect::<Vec<_>>().join(" ");
    for shape in shapes {
        assert!(code.contains(shape), "pass/{case}.rs has no {shape:?}");
    }
}
