//! A strict reader of the Prometheus text format: whatever it does not understand is a failure.

use std::collections::{BTreeMap, BTreeSet};

/// Labels of a sample, by name.
pub(crate) type Labels = BTreeMap<String, String>;

/// All samples of a page.
#[derive(Debug, Default)]
pub(crate) struct Samples {
    values: BTreeMap<(String, Labels), f64>,
    /// Type of each family.
    pub(crate) families: BTreeMap<String, String>,
}

impl Samples {
    /// Reads a page; panics at the first thing that is not as the format or its conventions want it.
    pub(crate) fn read(text: &str) -> Self {
        assert!(text.ends_with('\n'), "the last line must end");
        let mut samples = Self::default();
        let mut lines = text.lines().peekable();
        let mut family = String::new();
        while let Some(line) = lines.next() {
            if let Some(help) = line.strip_prefix("# HELP ") {
                let (name, help) = help.split_once(' ').unwrap();
                assert!(is_name(name) && !help.is_empty(), "{line}");
                let kind = lines.next().unwrap().strip_prefix(&format!("# TYPE {name} ")).unwrap();
                assert!(matches!(kind, "counter" | "gauge" | "histogram"), "{kind}");
                assert_eq!(kind == "counter", name.ends_with("_total"), "{name} is a {kind}");
                let before = samples.families.insert(name.to_owned(), kind.to_owned());
                assert!(before.is_none(), "{name} comes twice");
                family = name.to_owned();
                continue;
            }
            assert!(!line.starts_with('#'), "{line}");
            let (name, labels, value) = sample(line);
            let suffix =
                name.strip_prefix(&family).unwrap_or_else(|| panic!("{line} is no part of {family}"));
            let allowed: &[&str] = match samples.families[&family].as_str() {
                "histogram" => &["_bucket", "_sum", "_count"],
                _ => &[""],
            };
            assert!(allowed.contains(&suffix), "{line}");
            assert!(samples.families[&family] == "gauge" || value >= 0.0, "{line}");
            let before = samples.values.insert((name, labels), value);
            assert!(before.is_none(), "{line} comes twice");
        }
        samples.check_histograms();
        samples
    }

    /// The value with exactly these labels.
    #[track_caller]
    pub(crate) fn value(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        let labels = labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        *self.values.get(&(name.to_owned(), labels)).unwrap_or_else(|| panic!("no {name} in {self:#?}"))
    }

    /// The values that `label` has in samples of this name.
    pub(crate) fn labels(&self, name: &str, label: &str) -> BTreeSet<&str> {
        let of_name = self.values.keys().filter(|(known, _)| known == name);
        of_name.filter_map(|(_, labels)| labels.get(label).map(String::as_str)).collect()
    }

    fn check_histograms(&self) {
        for (family, _) in self.families.iter().filter(|(_, kind)| *kind == "histogram") {
            let mut series: BTreeMap<Labels, Vec<(f64, f64)>> = BTreeMap::new();
            for ((name, labels), value) in &self.values {
                if *name == format!("{family}_bucket") {
                    let mut labels = labels.clone();
                    let bound = number(&labels.remove("le").unwrap());
                    series.entry(labels).or_default().push((bound, *value));
                }
            }
            for (labels, mut buckets) in series {
                buckets.sort_by(|one, other| one.0.total_cmp(&other.0));
                assert!(buckets.is_sorted_by(|one, other| one.1 <= other.1), "{labels:?}: {buckets:?}");
                let (bound, all) = *buckets.last().unwrap();
                assert!(bound.is_infinite(), "{labels:?}");
                assert_eq!(self.values[&(format!("{family}_count"), labels.clone())], all);
                assert!(self.values.contains_key(&(format!("{family}_sum"), labels)));
            }
        }
    }
}

fn is_name(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    name.bytes().all(allowed) && name.starts_with(|first: char| first.is_ascii_lowercase())
}

fn number(text: &str) -> f64 {
    if text == "+Inf" { f64::INFINITY } else { text.parse().unwrap() }
}

fn sample(line: &str) -> (String, Labels, f64) {
    let name_end = line.find(['{', ' ']).unwrap();
    let (name, rest) = line.split_at(name_end);
    assert!(is_name(name), "{line}");
    let mut labels = Labels::new();
    let mut rest = rest.chars().peekable();
    if rest.next_if_eq(&'{').is_some() {
        loop {
            let mut label = String::new();
            while let Some(character) = rest.next_if(|character| *character != '=') {
                label.push(character);
            }
            assert!(is_name(&label), "{line}");
            assert_eq!((rest.next(), rest.next()), (Some('='), Some('"')), "{line}");
            let before = labels.insert(label, quoted(&mut rest));
            assert!(before.is_none(), "{line}");
            match rest.next().unwrap() {
                ',' => {}
                '}' => break,
                other => panic!("{other}: {line}"),
            }
        }
    }
    assert_eq!(rest.next(), Some(' '), "{line}");
    let value = number(&rest.collect::<String>());
    assert!(value.is_finite(), "{line}");
    (name.to_owned(), labels, value)
}

/// Up to the closing quote.
fn quoted(rest: &mut impl Iterator<Item = char>) -> String {
    let mut text = String::new();
    loop {
        match rest.next().unwrap() {
            '"' => return text,
            '\\' => text.push(match rest.next().unwrap() {
                '\\' => '\\',
                '"' => '"',
                'n' => '\n',
                other => panic!("\\{other} is no escape"),
            }),
            other => text.push(other),
        }
    }
}
