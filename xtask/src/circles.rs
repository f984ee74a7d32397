//! Checks that no files of a crate import each other in a circle: such files can only be read and changed together.

mod graph;
mod imports;
mod modules;

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::{Result, bail};

use crate::shell;

/// The source folders that are checked: each crate by itself.
fn roots() -> Result<Vec<PathBuf>> {
    let mut roots = vec![PathBuf::from("xtask/src"), PathBuf::from("tests/src")];
    for entry in std::fs::read_dir(shell::root().join("crates"))? {
        roots.push(PathBuf::from("crates").join(entry?.file_name()).join("src"));
    }
    roots.sort();
    Ok(roots)
}

pub(crate) fn check() -> Result<()> {
    let mut wrong = Vec::new();
    for root in roots()? {
        let mut files = BTreeMap::new();
        for path in shell::files(".rs")?.into_iter().filter(|path| path.starts_with(&root)) {
            let text = std::fs::read_to_string(shell::root().join(&path))?;
            files.insert(path.strip_prefix(&root)?.to_owned(), text);
        }
        for circle in circles(&files)? {
            wrong.push(format!("{}: {circle}", root.display()));
        }
    }
    if wrong.is_empty() { Ok(()) } else { bail!("files import each other in circles:\n{}", wrong.join("\n")) }
}

/// Returns a line for each circle among the files of a crate, by their paths below its `src`.
fn circles(files: &BTreeMap<PathBuf, String>) -> Result<Vec<String>> {
    let modules = modules::Modules::of(files)?;
    let edges = imports::edges(&modules);
    let circles = graph::components(&edges).into_iter().map(|files| {
        let is_inside = |(from, to): &&(String, String)| files.contains(from) && files.contains(to);
        let inner: Vec<_> =
            edges.iter().filter(is_inside).map(|(from, to)| format!("{from} -> {to}")).collect();
        inner.join(", ")
    });
    Ok(circles.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(files: &[(&str, &str)]) -> Vec<String> {
        let files = files.iter().map(|(path, text)| (PathBuf::from(path), (*text).to_owned())).collect();
        circles(&files).unwrap_or_else(|error| vec![error.to_string()])
    }

    #[test]
    fn two_files_that_import_each_other_are_a_circle() {
        let files = [
            ("lib.rs", "mod a; mod b;"),
            ("a.rs", "use crate::b::B; pub struct A(B);"),
            ("b.rs", "pub struct B; fn f() -> crate::a::A { todo!() }"),
        ];
        assert_eq!(found(&files), ["a.rs -> b.rs, b.rs -> a.rs"]);
    }

    #[test]
    fn a_file_and_those_in_its_folder_may_use_each_other_but_brothers_may_not() {
        let parent = ("a.rs", "mod c; mod d; pub struct A; fn g() { c::h() }");
        let child = ("a/c.rs", "use super::A; impl A { fn f(&self) {} }");
        assert!(found(&[("lib.rs", "mod a;"), parent, child, ("a/d.rs", "")]).is_empty());
        let c = ("a/c.rs", "use super::d::D; pub struct C;");
        let d = ("a/d.rs", "use super::c::C; pub struct D;");
        assert_eq!(found(&[("lib.rs", "mod a;"), parent, c, d]), ["a/c.rs -> a/d.rs, a/d.rs -> a/c.rs"]);
    }

    #[test]
    fn a_reexport_leads_to_the_file_of_the_item() {
        let files = [
            ("lib.rs", "mod a; mod b; pub use a::A;"),
            ("a.rs", "pub struct A;"),
            ("b.rs", "use crate::A; pub struct B(A);"),
        ];
        assert!(found(&files).is_empty());
    }

    #[test]
    fn tests_within_a_file_do_not_count() {
        let files = [
            ("lib.rs", "mod a; mod b;"),
            ("a.rs", "pub struct A; #[cfg(test)] mod tests { use crate::b::B; }"),
            ("b.rs", "use crate::a::A; pub struct B(A);"),
        ];
        assert!(found(&files).is_empty());
    }
}
