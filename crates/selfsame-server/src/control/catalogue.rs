//! Destinations that there could be: those that the program has manifests of, and those of the actions pack.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::Control;
use super::asked::Asked;
use super::destinations::manifest;
use super::problem::Problem;
use super::shape::{Page, shape};
use crate::manifests::Offered;

shape! {
    /// A destination that could be made.
    pub(crate) struct CatalogueEntry {
        /// Its id: the `kind` of a destination that is made of it.
        id: String,
        /// What people call it.
        name: String,
        /// What kind of tool it is.
        category: String,
        /// `native`, `beta`, or `community`: a program of the actions pack, which nobody here has looked after.
        status: String,
        /// How many actions it has.
        actions: u64,
        /// The native destination for the same tool, which is to be preferred.
        instead_of: Option<String>,
        /// Settings that are of an application of your own, which has to be registered with the vendor first.
        application: Vec<String>,
        /// Whether it speaks to an address that the vendor made for the publisher of the pack.
        partner: bool,
        /// What is wrong with its manifest in the server's folder, with the lines; null where nothing is. That is not
        /// used: what was there before is in force, or nothing, and then the other fields are empty.
        problem: Option<String>,
    }

    /// A destination that could be made: what it has to be told, and what it can do.
    pub(crate) struct CatalogueShown {
        /// Its id.
        id: String,
        /// What people call it.
        name: String,
        /// What it does.
        says: Option<String>,
        /// `native`, `beta`, or `community`.
        status: String,
        /// The version of its manifest, or of the package that its program is from.
        version: String,
        /// What it was written from.
        docs: Vec<String>,
        /// Whether it has tokens of OAuth that are fetched anew.
        renews_tokens: bool,
        /// What has to be told to it, by name; a `password` is kept secret.
        settings: Value,
        /// Its actions, by name, each with its fields.
        actions: Value,
        /// Triggers and mappings to begin with.
        presets: Value,
    }
}

/// `GET /api/catalogue`
pub(crate) async fn list(control: Control, asked: Asked) -> Result<Page<CatalogueEntry>, Problem> {
    let all = asked.get("all") == Some("true");
    let manifests = &control.node.connectors.manifests;
    let offered = manifests.offered();
    let mut wrong = manifests.wrong();
    let shown = offered.into_iter().filter(|one| all || one.instead_of.is_none());
    let mut shown: Vec<CatalogueEntry> = shown.map(|one| entry(one, &mut wrong)).collect();
    shown.extend(wrong.into_iter().map(|(id, problem)| unread(id, problem)));
    Ok(Page::from(shown))
}

/// `GET /api/catalogue/{id}`
pub(crate) async fn show(control: Control, asked: Asked) -> Result<CatalogueShown, Problem> {
    let manifest = manifest(&control, asked.id())?;
    let document = control.node.connectors.manifests.document(asked.id()).unwrap_or_default();
    let text = |name: &str| document.get(name).and_then(Value::as_str).map(str::to_owned);
    let part = |name: &str| document.get(name).cloned().unwrap_or_default();
    let actions = part("actions").as_object().cloned().unwrap_or_default();
    let actions = actions.into_iter().map(|(key, one)| (key, action(&one)));
    Ok(CatalogueShown {
        id: manifest.id.clone(),
        name: manifest.name.clone(),
        says: text("says"),
        status: text("status").unwrap_or_default(),
        version: manifest.version.clone(),
        docs: manifest.docs.clone(),
        renews_tokens: manifest.renews_tokens(),
        settings: part("settings"),
        actions: Value::Object(actions.collect()),
        presets: part("presets"),
    })
}

/// Of an action what somebody has to know who maps events to it.
fn action(document: &Value) -> Value {
    const SHOWN: [&str; 4] = ["title", "says", "trigger", "fields"];
    let part = |name: &str| Some((name.to_owned(), document.get(name)?.clone()));
    let mut shown: Map<String, Value> = SHOWN.into_iter().filter_map(part).collect();
    shown.insert("batches".to_owned(), document.get("batch").is_some().into());
    Value::Object(shown)
}

fn entry(offered: Offered, wrong: &mut BTreeMap<String, String>) -> CatalogueEntry {
    let Offered { id, name, category, status, actions, instead_of, application, partner } = offered;
    let problem = wrong.remove(&id);
    CatalogueEntry {
        id,
        name,
        category,
        status,
        actions,
        instead_of,
        application,
        partner,
        problem,
    }
}

/// One of which there is only a wrong manifest.
fn unread(id: String, problem: String) -> CatalogueEntry {
    CatalogueEntry {
        id,
        name: String::new(),
        category: String::new(),
        status: String::new(),
        actions: 0,
        instead_of: None,
        application: Vec::new(),
        partner: false,
        problem: Some(problem),
    }
}
