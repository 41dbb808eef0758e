//! Holds the documents to what the repository really does: dependencies and links.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::sources::{dependencies, files, top};

/// Returns the documents of the repository.
fn documents() -> Vec<(String, String)> {
    let documents: Vec<_> = files().into_iter().filter(|(path, _)| path.ends_with(".md")).collect();
    assert!(documents.len() > 5, "only {} documents were found", documents.len());
    documents
}

fn read(path: &str) -> String {
    fs::read_to_string(top().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

#[test]
fn each_dependency_is_accounted_for_and_no_other() {
    let manifests = files().into_iter().filter(|(path, _)| path != "Cargo.toml" && path.ends_with("Cargo.toml"));
    let used: BTreeSet<String> = manifests
        .flat_map(|(_, text)| dependencies(&text))
        .filter(|name| name != "vwire" && !name.starts_with("vwire-"))
        .collect();
    let text = read("docs/dependencies.md");
    let listed: BTreeSet<String> =
        text.lines().filter_map(|line| Some(line.strip_prefix("| `")?.split_once('`')?.0.to_owned())).collect();
    let missing: Vec<_> = used.difference(&listed).collect();
    let stale: Vec<_> = listed.difference(&used).collect();
    assert!(missing.is_empty(), "docs/dependencies.md has no row for {missing:?}");
    assert!(stale.is_empty(), "docs/dependencies.md has rows for what nothing uses: {stale:?}");
}

/// Returns the targets of a document's links, those in code left out.
fn links(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    for (number, part) in text.split("```").enumerate() {
        let prose: String = part.split('`').step_by(2).collect::<Vec<_>>().join("CODE");
        if number % 2 == 0 {
            let targets = prose.split("](").skip(1).filter_map(|rest| rest.split_once(')'));
            found.extend(targets.map(|(target, _)| target.to_owned()));
        }
    }
    found
}

/// Returns the names under which a document's headings can be linked to.
fn anchors(text: &str) -> Vec<String> {
    let prose = text.split("```").step_by(2).collect::<Vec<_>>().join("\n");
    let headings = prose.lines().filter(|line| line.starts_with('#')).map(|line| line.trim_start_matches('#').trim());
    let letters = |heading: &str| {
        let kept = heading.chars().filter(|letter| letter.is_alphanumeric() || matches!(letter, ' ' | '-' | '_'));
        kept.collect::<String>().to_lowercase().replace(' ', "-")
    };
    headings.map(letters).collect()
}

#[test]
fn each_link_leads_somewhere() {
    let mut dead = Vec::new();
    for (path, text) in documents() {
        for link in links(&text).into_iter().filter(|link| !link.contains("://") && !link.starts_with("mailto:")) {
            let (target, anchor) = link.split_once('#').unwrap_or((&link, ""));
            let beside = Path::new(&path).parent().unwrap_or(Path::new(""));
            let file = top().join(if target.is_empty() { path.clone().into() } else { beside.join(target) });
            let leads = match fs::read_to_string(&file) {
                Ok(text) => anchor.is_empty() || anchors(&text).iter().any(|known| known == anchor),
                Err(_) => file.is_dir() && anchor.is_empty(),
            };
            if !leads {
                dead.push(format!("{path}: {link}"));
            }
        }
    }
    assert!(dead.is_empty(), "links that lead nowhere:\n{}", dead.join("\n"));
}
