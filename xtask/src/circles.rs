//! Checks that no files of a crate import each other in a circle: such files can only be read and changed together.

mod graph;
mod imports;
mod modules;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Result, bail};

use crate::shell;
use crate::sources::Source;

/// The source folders that are checked: each crate by itself.
fn roots() -> Result<Vec<PathBuf>> {
    let mut roots = vec![PathBuf::from("xtask/src"), PathBuf::from("tests/src")];
    for entry in std::fs::read_dir(shell::root().join("crates"))? {
        roots.push(PathBuf::from("crates").join(entry?.file_name()).join("src"));
    }
    roots.sort();
    Ok(roots)
}

pub(crate) fn check(sources: &[Source]) -> Result<()> {
    let mut wrong = Vec::new();
    for root in roots()? {
        let below = |source: &Source| source.path.strip_prefix(&root).map(Path::to_owned).ok();
        let files = sources.iter().filter_map(|source| Some((below(source)?, &source.syntax))).collect();
        wrong.extend(circles(&files).into_iter().map(|circle| format!("{}: {circle}", root.display())));
    }
    if wrong.is_empty() { Ok(()) } else { bail!("files import each other in circles:\n{}", wrong.join("\n")) }
}

/// Returns a line for each circle among the files of a crate, by their paths below its `src`.
fn circles(files: &BTreeMap<PathBuf, &syn::File>) -> Vec<String> {
    let modules = modules::Modules::of(files);
    let edges = imports::edges(&modules);
    let circles = graph::components(&edges).into_iter().map(|files| {
        let is_inside = |(from, to): &&(String, String)| files.contains(from) && files.contains(to);
        let inner: Vec<_> =
            edges.iter().filter(is_inside).map(|(from, to)| format!("{from} -> {to}")).collect();
        inner.join(", ")
    });
    circles.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(files: &[(&str, &str)]) -> Vec<String> {
        let parsed = files.iter().map(|(path, text)| (PathBuf::from(path), syn::parse_file(text)));
        let parsed: Result<BTreeMap<_, _>, _> = parsed.map(|(path, file)| Ok((path, file?))).collect();
        match parsed {
            Ok(parsed) => circles(&parsed.iter().map(|(path, file)| (path.clone(), file)).collect()),
            Err(error) => {
                let error: syn::Error = error;
                vec![error.to_string()]
            }
        }
    }

    #[test]
    fn two_files_that_import_each_other_are_a_circle() {
        let files = [
            ("lib.rs", "mod a; mod b;"),
            ("a.rs", "use crate::b::B; pub struct A(B);"),
            ("b.rs", "pub struct B; fn f() -> crate::a::A { crate::a::A(B) }"),
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
