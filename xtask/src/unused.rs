//! Checks that every dependency is named by the code it is declared for: in `src` outside of tests, or, where it is one for tests,
//! anywhere in the package.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context, Result, bail};
use proc_macro2::{TokenStream, TokenTree};
use quote::ToTokens;
use syn::visit_mut::{self, VisitMut};

use crate::sources::{Source, is_test};
use crate::{metadata, shell};

pub(crate) fn check(sources: &[Source]) -> Result<()> {
    let mut unused = Vec::new();
    for package in metadata::packages()? {
        let name = package["name"].as_str().unwrap_or_default();
        let manifest = Path::new(package["manifest_path"].as_str().unwrap_or_default());
        let folder = manifest.parent().context("a manifest has no folder")?;
        let folder = folder.strip_prefix(shell::root()).unwrap_or(folder);
        let mut shipped = BTreeSet::new();
        let mut anywhere = BTreeSet::new();
        for Source { path, syntax } in sources.iter().filter(|source| source.path.starts_with(folder)) {
            names(syntax.to_token_stream(), &mut anywhere);
            if path.starts_with(folder.join("src")) {
                let mut file = syntax.clone();
                WithoutTests.visit_file_mut(&mut file);
                names(file.to_token_stream(), &mut shipped);
            }
        }
        for dependency in package["dependencies"].as_array().into_iter().flatten() {
            let on = dependency["name"].as_str().unwrap_or_default();
            let named = dependency["rename"].as_str().unwrap_or(on).replace('-', "_");
            let used = if dependency["kind"].is_null() { &shipped } else { &anywhere };
            if used.contains(&named) {
                continue;
            }
            let hint = if anywhere.contains(&named) { "; it belongs to the dev-dependencies" } else { "" };
            unused.push(format!("{name} does not use {on}{hint}"));
        }
    }
    if unused.is_empty() { Ok(()) } else { bail!("unused dependencies:\n{}", unused.join("\n")) }
}

/// Collects every identifier.
fn names(tokens: TokenStream, found: &mut BTreeSet<String>) {
    for token in tokens {
        match token {
            TokenTree::Ident(name) => {
                found.insert(name.to_string());
            }
            TokenTree::Group(group) => names(group.stream(), found),
            TokenTree::Punct(_) | TokenTree::Literal(_) => {}
        }
    }
}

/// Removes modules and functions that are built for tests only.
struct WithoutTests;

impl VisitMut for WithoutTests {
    fn visit_file_mut(&mut self, file: &mut syn::File) {
        if is_test(&file.attrs) {
            file.items.clear();
        }
        file.items.retain(is_shipped);
        visit_mut::visit_file_mut(self, file);
    }

    fn visit_item_mod_mut(&mut self, module: &mut syn::ItemMod) {
        if let Some((_, items)) = &mut module.content {
            items.retain(is_shipped);
        }
        visit_mut::visit_item_mod_mut(self, module);
    }
}

fn is_shipped(item: &syn::Item) -> bool {
    let attributes = match item {
        syn::Item::Fn(item) => &item.attrs,
        syn::Item::Impl(item) => &item.attrs,
        syn::Item::Macro(item) => &item.attrs,
        syn::Item::Mod(item) => &item.attrs,
        syn::Item::Struct(item) => &item.attrs,
        syn::Item::Use(item) => &item.attrs,
        _ => return true,
    };
    !is_test(attributes)
}
