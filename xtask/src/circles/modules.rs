//! The modules of a crate: which file holds which, and what each re-exports.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use syn::UseTree;

/// A module path below the crate, such as `["walk", "planner"]`; the root is empty.
pub(super) type ModulePath = Vec<String>;

/// One file of a crate.
pub(super) struct Module<'a> {
    /// The path below `src`.
    pub(super) file: String,
    pub(super) syntax: &'a syn::File,
    /// What its `use` items bring in, by name.
    pub(super) names: BTreeMap<String, ModulePath>,
    pub(super) children: BTreeSet<String>,
}

/// All files of a crate by their module paths.
pub(super) struct Modules<'a>(pub(super) BTreeMap<ModulePath, Module<'a>>);

impl<'a> Modules<'a> {
    pub(super) fn of(files: &BTreeMap<PathBuf, &'a syn::File>) -> Self {
        let modules = files.iter().map(|(path, syntax)| {
            let module = Module {
                file: path.display().to_string(),
                syntax,
                names: BTreeMap::new(),
                children: children(syntax),
            };
            (module_path(path), module)
        });
        let modules = modules.collect();
        let mut all = Self(modules);
        let paths: Vec<_> = all.0.keys().cloned().collect();
        for path in paths {
            let names = all.names(&path);
            if let Some(module) = all.0.get_mut(&path) {
                module.names = names;
            }
        }
        all
    }

    /// Returns the names that a file brings in, with the paths that they stand for.
    fn names(&self, module: &ModulePath) -> BTreeMap<String, ModulePath> {
        let mut names = BTreeMap::new();
        for item in self.0.get(module).into_iter().flat_map(|module| &module.syntax.items) {
            if let syn::Item::Use(item) = item {
                for (name, path) in leaves(&item.tree) {
                    if let Some(path) = self.absolute(module, &path) {
                        names.insert(name, path);
                    }
                }
            }
        }
        names
    }

    /// Returns a path from the root of the crate; `None` where it leads out of the crate.
    pub(super) fn absolute(&self, module: &ModulePath, path: &[String]) -> Option<ModulePath> {
        let (first, rest) = path.split_first()?;
        let mut base = match first.as_str() {
            "crate" => Vec::new(),
            "self" => module.clone(),
            "super" => module.split_last().map(|(_, parent)| parent.to_vec())?,
            child if self.0.get(module)?.children.contains(child) => {
                let mut path = module.clone();
                path.push(child.to_owned());
                path
            }
            _ => return None,
        };
        let mut rest = rest;
        while let Some((first, more)) = rest.split_first()
            && first == "super"
        {
            base.pop();
            rest = more;
        }
        base.extend(rest.iter().cloned());
        Some(base)
    }

    /// Returns the module and the file of an item, by its absolute path; re-exports are followed.
    pub(super) fn file_of(&self, path: &ModulePath) -> Option<(&ModulePath, &str)> {
        let mut path = path.clone();
        // More steps than any chain of re-exports has.
        for _ in 0..8 {
            let known = (0..=path.len()).rev().find(|length| self.0.contains_key(&path[..*length]))?;
            let (of, module) = self.0.get_key_value(&path[..known])?;
            let next = path.get(known).and_then(|name| module.names.get(name));
            match next {
                Some(next) if *next != path => {
                    path = next.iter().chain(&path[known + 1..]).cloned().collect();
                }
                _ => return Some((of, &module.file)),
            }
        }
        None
    }
}

/// Returns the module path of a file below `src`.
fn module_path(file: &Path) -> ModulePath {
    let mut path: ModulePath = file
        .with_extension("")
        .components()
        .map(|part| part.as_os_str().to_string_lossy().into_owned())
        .collect();
    if matches!(path.as_slice(), [root] if root == "lib" || root == "main") {
        path.clear();
    }
    path
}

fn children(syntax: &syn::File) -> BTreeSet<String> {
    let modules = syntax.items.iter().filter_map(|item| match item {
        syn::Item::Mod(module) if module.content.is_none() => Some(module.ident.to_string()),
        _ => None,
    });
    modules.collect()
}

/// Returns the names that a `use` brings in, with their paths; a glob is named `*`.
pub(super) fn leaves(tree: &UseTree) -> Vec<(String, Vec<String>)> {
    match tree {
        UseTree::Path(path) => {
            let first = path.ident.to_string();
            let mut leaves = leaves(&path.tree);
            for (name, path) in &mut leaves {
                if path.as_slice() == ["self"] {
                    path.clear();
                    first.clone_into(name);
                }
                path.insert(0, first.clone());
            }
            leaves
        }
        UseTree::Name(name) => vec![(name.ident.to_string(), vec![name.ident.to_string()])],
        UseTree::Rename(rename) => vec![(rename.rename.to_string(), vec![rename.ident.to_string()])],
        UseTree::Glob(_) => vec![("*".to_owned(), Vec::new())],
        UseTree::Group(group) => group.items.iter().flat_map(leaves).collect(),
    }
}
