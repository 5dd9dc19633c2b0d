//! Everything that is compiled in may be shipped under our licence.

use spdx::{Expression, Licensee, ParseMode};

use crate::repository::{all_packages, expect_none, read};

/// The list that cargo-deny reads as well.
fn allowed() -> Vec<Licensee> {
    let deny: toml::Table = read("deny.toml").parse().expect("deny.toml is TOML");
    let list = deny["licenses"]["allow"]
        .as_array()
        .expect("licenses.allow is a list");
    let names = list
        .iter()
        .map(|name| name.as_str().expect("a licence is named by a string"));
    names
        .map(|name| Licensee::parse(name).expect("an SPDX name"))
        .collect()
}

#[test]
fn every_package_has_an_allowed_licence() {
    let allowed = allowed();
    let refused = all_packages().into_iter().filter_map(|package| {
        let licence = package.license.as_deref().unwrap_or_default();
        let accepted = Expression::parse_mode(licence, ParseMode::LAX).is_ok_and(|expression| {
            expression.evaluate(|wanted| allowed.iter().any(|have| have.satisfies(wanted)))
        });
        (!accepted).then(|| format!("{}: {licence:?} is not allowed by deny.toml", package.name))
    });
    expect_none(refused);
}
