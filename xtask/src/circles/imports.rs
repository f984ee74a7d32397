//! Which file of a crate imports which.

use std::collections::BTreeSet;

use syn::visit::{self, Visit};

use super::modules::{ModulePath, Modules, leaves};
use crate::sources::is_test;

/// Returns the pairs of an importing and an imported file.
pub(super) fn edges(modules: &Modules<'_>) -> BTreeSet<(String, String)> {
    let mut edges = BTreeSet::new();
    for (path, module) in &modules.0 {
        let mut paths = Paths(Vec::new());
        paths.visit_file(module.syntax);
        for imported in paths.0 {
            let absolute: Option<ModulePath> = modules.absolute(path, &imported);
            let Some((of, file)) = absolute.and_then(|absolute| modules.file_of(&absolute)) else { continue };
            // A file and those in its folder are one room: it may use them, and they may use it. Re-exports of the root are
            // the crate's table of contents.
            if !path.starts_with(of) && !of.starts_with(path) {
                edges.insert((module.file.clone(), file.to_owned()));
            }
        }
    }
    edges
}

/// Collects paths, outside tests.
struct Paths(Vec<Vec<String>>);

impl<'a> Visit<'a> for Paths {
    fn visit_item_mod(&mut self, item: &'a syn::ItemMod) {
        // Paths within an inline module are relative to it; those that are absolute count all the same.
        if !is_test(&item.attrs) {
            visit::visit_item_mod(self, item);
        }
    }

    fn visit_item_use(&mut self, item: &'a syn::ItemUse) {
        if !is_test(&item.attrs) {
            self.0.extend(leaves(&item.tree).into_iter().map(|(_, path)| path));
        }
    }

    fn visit_path(&mut self, path: &'a syn::Path) {
        let names: Vec<String> = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
        if names.len() > 1 {
            self.0.push(names);
        }
        visit::visit_path(self, path);
    }
}
