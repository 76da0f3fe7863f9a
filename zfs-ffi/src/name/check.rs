//! The rules. They are those of the kernel, except that names it keeps for itself are refused.

use super::NameError;

/// Names have fewer bytes than this, the terminating zero of C included.
pub(super) const MAX_LEN: usize = 256;

/// Datasets are nested no deeper than this many components.
pub(super) const MAX_DEPTH: usize = 50;

pub(super) fn check_dataset(name: &str) -> Result<(), NameError> {
    check_length(name)?;
    if name.contains(['@', '#']) {
        return Err(delimiter(name, "a filesystem or volume, without @ and #"));
    }
    check_components(name, name)
}

pub(super) fn check_snapshot(name: &str) -> Result<(), NameError> {
    check_entry(name, '@', "dataset@snapshot")
}

pub(super) fn check_bookmark(name: &str) -> Result<(), NameError> {
    check_entry(name, '#', "dataset#bookmark")
}

fn check_entry(name: &str, mark: char, expected: &'static str) -> Result<(), NameError> {
    check_length(name)?;
    let Some((dataset, short)) = name.split_once(mark) else {
        return Err(delimiter(name, expected));
    };
    if dataset.contains(['@', '#']) || short.contains(['@', '#', '/']) {
        return Err(delimiter(name, expected));
    }
    check_components(name, dataset)?;
    check_component(name, short)
}

fn check_length(name: &str) -> Result<(), NameError> {
    match name.len() {
        0 => Err(NameError::Empty),
        len if len >= MAX_LEN => {
            let name = name.chars().take(40).chain("…".chars()).collect();
            Err(NameError::TooLong { name, len })
        }
        _ => Ok(()),
    }
}

fn check_components(name: &str, dataset: &str) -> Result<(), NameError> {
    if dataset.split('/').count() > MAX_DEPTH {
        return Err(NameError::TooDeep { name: name.to_owned() });
    }
    dataset
        .split('/')
        .try_for_each(|component| check_component(name, component))?;
    if !dataset.starts_with(|first: char| first.is_ascii_alphabetic()) {
        return Err(NameError::Pool { name: name.to_owned() });
    }
    Ok(())
}

fn check_component(name: &str, component: &str) -> Result<(), NameError> {
    let name = || name.to_owned();
    match component {
        "" => return Err(NameError::EmptyComponent { name: name() }),
        "." | ".." => return Err(NameError::Dots { name: name() }),
        _ => {}
    }
    match component.chars().find(|c| !is_allowed(*c)) {
        None => Ok(()),
        Some('%' | '$') => Err(NameError::Internal { name: name() }),
        Some(found) => Err(NameError::Character {
            name: name(),
            character: found,
        }),
    }
}

fn is_allowed(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | ':' | ' ')
}

fn delimiter(name: &str, expected: &'static str) -> NameError {
    NameError::Delimiter {
        name: name.to_owned(),
        expected,
    }
}
